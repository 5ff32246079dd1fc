"""A small projection of each modality, learned with the contrastive loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.geometry.gap.moves import Move, Moves, hold_back, linked_rows
from core.geometry.maps.riemannian import one_thread
from core.geometry.pairs import Pairs

if TYPE_CHECKING:
    import torch

DIMENSIONS = 64
STEPS = 120
LOOK_EVERY = 5
PATIENCE = 4
BATCH = 256
PASSES = 4
RATE = 5e-4
DECAY = 1e-2
LEAST_GROUPS = 10
INVERSE_TEMPERATURES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)


def learned(pairs: Pairs, seed: int) -> Moves:
    """Residual maps x + P A P'x and y + P B P'y with the least contrastive loss on pairs held back inside the fit.

    P holds the (at most 64) directions that carry most of the images and texts fitted on; A and B start at zero, the
    identity. Adam with weight decay, batches of at most 256 pairs of different groups (drawn four times, then over
    again), at most 120 steps; every 5 steps the loss of the fifth of the groups held back is looked at, and the maps
    with the least are kept, which may be the identity. The temperature is the one with the least loss before anything
    is learned, so that no gain is that of a temperature. With fewer than 10 groups nothing is learned.
    """
    images, texts, group = linked_rows(pairs, seed)
    basis = _basis(images, texts)
    r = basis.shape[1]
    change = np.zeros((2, r, r), dtype=np.float32)
    if group.max() + 1 >= LEAST_GROUPS:
        back = hold_back(group, seed)
        rng = np.random.default_rng(seed)
        fit, held = ((images[some], texts[some], group[some], basis) for some in (~back, back))
        with one_thread():
            change = _train([b for _ in range(PASSES) for b in _batches(*fit, rng)], _batches(*held, rng))
    return _residual(basis, change[0]), _residual(basis, change[1])


def _residual(basis: np.ndarray, change: np.ndarray) -> Move:
    return lambda x, s: x + s * (x @ basis @ change.T @ basis.T)


def _basis(images: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """(d, r) float32, orthonormal columns: the leading directions of both modalities, uncentred."""
    _, vectors = np.linalg.eigh((images.T @ images + texts.T @ texts).astype(np.float64))
    return np.ascontiguousarray(vectors[:, ::-1][:, :DIMENSIONS], dtype=np.float32)


Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


def _batches(images: np.ndarray, texts: np.ndarray, group: np.ndarray, basis: np.ndarray,
             rng: np.random.Generator) -> list[Batch]:
    """Every group once, with one of its pairs, in batches of much the same size.

    Of a batch: coordinates of images and of texts in the basis, (b, r) each, and (b, b) their cosines outside of it.
    """
    order = rng.permutation(len(group))
    chosen = rng.permutation(order[np.unique(group[order], return_index=True)[1]])
    out = []
    for rows in np.array_split(chosen, -(-len(chosen) // BATCH)):
        x, y = images[rows], texts[rows]
        a, b = x @ basis, y @ basis
        out.append((a, b, x @ y.T - a @ b.T))
    return out


def _train(fit: list[Batch], back: list[Batch]) -> np.ndarray:
    """(2, r, r) float32: what to add to the identity for images and for texts."""
    import torch
    from torch.nn import functional

    r = fit[0][0].shape[1]
    of_fit, held = ([[torch.from_numpy(part) for part in batch] for batch in batches] for batches in (fit, back))
    change = torch.zeros((2, r, r), requires_grad=True)

    def loss(scores: torch.Tensor, scale: float) -> torch.Tensor:
        own = torch.arange(len(scores))
        return (functional.cross_entropy(scale * scores, own) + functional.cross_entropy(scale * scores.T, own)) / 2

    def held_loss(scale: float) -> float:
        with torch.no_grad():
            return sum(float(loss(_cosines(change, *batch), scale)) for batch in held)

    scale = min(INVERSE_TEMPERATURES, key=held_loss)
    optimiser = torch.optim.AdamW([change], lr=RATE, weight_decay=DECAY)
    best, best_loss, since = change.detach().clone(), float("inf"), 0
    for step in range(STEPS + 1):
        if step % LOOK_EVERY == 0:
            now = held_loss(scale)
            since = 0 if now < best_loss else since + 1
            if now < best_loss:
                best, best_loss = change.detach().clone(), now
            if since > PATIENCE:
                break
        optimiser.zero_grad()
        loss(_cosines(change, *of_fit[step % len(of_fit)]), scale).backward()
        optimiser.step()
    return best.numpy()


def _cosines(change: torch.Tensor, a: torch.Tensor, b: torch.Tensor, outside: torch.Tensor) -> torch.Tensor:
    """(b, b) cosines of a batch after the residual maps, from coordinates in the basis alone."""
    moved_a, moved_b = a + a @ change[0].T, b + b @ change[1].T
    length_a, length_b = ((1 - (at * at).sum(1) + (moved * moved).sum(1)).clamp_min(1e-6).sqrt()
                          for at, moved in ((a, moved_a), (b, moved_b)))
    return (outside + moved_a @ moved_b.T) / (length_a[:, None] * length_b)
