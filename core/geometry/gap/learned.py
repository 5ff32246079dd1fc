"""A small projection of each modality, learned with the contrastive loss."""

from __future__ import annotations

import numpy as np

from core.geometry.gap.moves import Move, Moves, hold_back, linked_rows
from core.geometry.pairs import Pairs

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
    r = fit[0][0].shape[1]
    change: np.ndarray = np.zeros((2, r, r), dtype=np.float32)
    first: np.ndarray = np.zeros_like(change)
    second: np.ndarray = np.zeros_like(change)

    def held_loss(scale: float) -> float:
        return sum(_loss(change, batch, scale)[0] for batch in back)

    scale = min(INVERSE_TEMPERATURES, key=held_loss)
    best, best_loss, since = change, float("inf"), 0
    for step in range(STEPS + 1):
        if step % LOOK_EVERY == 0:
            now = held_loss(scale)
            since = 0 if now < best_loss else since + 1
            if now < best_loss:
                best, best_loss = change, now
            if since > PATIENCE:
                break
        _, gradient = _loss(change, fit[step % len(fit)], scale)
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient ** 2
        move = first / (1 - 0.9 ** (step + 1)) / (np.sqrt(second / (1 - 0.999 ** (step + 1))) + 1e-8)
        change = (1 - RATE * DECAY) * change - RATE * move
    return best


def _loss(change: np.ndarray, batch: Batch, scale: float) -> tuple[float, np.ndarray]:
    """The symmetric contrastive loss of a batch, and its slope by ``change``, (2, r, r) float32."""
    cosines, moved, squares = _cosines(change, batch)
    scores = np.exp(scale * (cosines - cosines.max()), dtype=np.float64)
    over_texts, over_images, own = scores.sum(1), scores.sum(0), np.diagonal(scores)
    loss = (np.log(over_texts / own) + np.log(over_images / own)).mean() / 2
    slope = scores / over_texts[:, None] + scores / over_images - 2 * np.eye(len(scores))
    slope = (scale / (2 * len(scores)) * slope).astype(np.float32)
    along, carried = slope / np.sqrt(np.outer(*squares)), slope * cosines
    by_images = along @ moved[1] - moved[0] * (carried.sum(1) / squares[0])[:, None]
    by_texts = along.T @ moved[0] - moved[1] * (carried.sum(0) / squares[1])[:, None]
    return float(loss), np.stack([by_images.T @ batch[0], by_texts.T @ batch[1]])


def _cosines(change: np.ndarray, batch: Batch) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Of a batch after the residual maps: (b, b) cosines, the two coordinates in the basis, the two squared lengths."""
    moved = [at + at @ by.T for at, by in zip(batch, change, strict=False)]
    squares = [np.maximum(1 - (at * at).sum(1) + (after * after).sum(1), 1e-6)
               for at, after in zip(batch, moved, strict=False)]
    return (batch[2] + moved[0] @ moved[1].T) / np.sqrt(np.outer(*squares)), moved, squares
