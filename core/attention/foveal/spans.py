"""What each head adds to the embedding, and the texts whose directions span it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError
from core.geometry.jackknife import with_interval
from core.types import Number

BATCH = 16
LEAST_IMAGES = 20
DRAWS = 50
RANK_TOLERANCE = 1e-5
SMALLEST = 1e-30


@dataclass(frozen=True, eq=False)
class Contributions:
    """The embedding of n pictures as a sum.

    Attributes
    ----------
    heads : (n, k, d) float32, what each head asked for adds.
    rest : (n, d) float32, all else: other heads, networks, positions, offsets. Heads and rest sum to the raw vector.
    """

    heads: np.ndarray
    rest: np.ndarray


def contributions(tower: ImageTower, images: Sequence[Image], heads: Sequence[tuple[int, int]] | None = None, *,
                  on_progress: Callable[[float, str], None] | None = None,
                  should_stop: Callable[[], bool] | None = None) -> Contributions:
    """What heads add directly to the raw vector, without what later layers make of it.

    The norm after the last layer is linear once its divisor is known, and that of the picture itself is taken: the sum
    is exact.

    Parameters
    ----------
    tower : with a class token; without one a network after the pooling probe stands between, and there is no such sum.
    images : n pictures, upright and RGB.
    heads : (layer, head) pairs; None for all, layer by layer.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.

    Raises
    ------
    ModelError
        If the tower has no class token.

    References
    ----------
    Gandelsman et al. 2024, arXiv:2310.05916.
    """
    pairs = [(i, j) for i in range(tower.layers) for j in range(tower.heads)] if heads is None else list(heads)
    ending = tower.ending
    found, rest = [], []
    for start in range(0, len(images), BATCH):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{start:,} of {len(images):,} pictures")
        if on_progress is not None:
            on_progress(start / len(images), f"What heads write: picture {start + 1:,} of {len(images):,}")
        written = tower.written(tower.encoder.preprocess(images[start:start + BATCH]))
        state = written.state.astype(np.float64)
        divisor = np.sqrt(state.var(axis=1) + ending.epsilon)
        chosen = np.stack([written.heads[:, layer, head] for layer, head in pairs], axis=1).astype(np.float64)
        left = state - chosen.sum(axis=1)

        def added(x: np.ndarray, divisor: np.ndarray = divisor) -> np.ndarray:
            centred = x - x.mean(axis=-1, keepdims=True)
            return centred / divisor.reshape(-1, *[1] * (x.ndim - 1)) * ending.scale @ ending.projection.T

        found.append(added(chosen).astype(np.float32))
        rest.append((added(left) + ending.projection @ ending.offset).astype(np.float32))
    return Contributions(np.concatenate(found), np.concatenate(rest))


@dataclass(frozen=True, eq=False)
class TextSpans:
    """Texts whose directions, one after the other, explain most of how a head's contributions differ.

    Attributes
    ----------
    texts : k of them, in the order in which they were taken.
    shares : k, the share of variance that the texts so far explain, on pictures that did not choose them; interval by
        pictures, null the mean of as many directions taken from as many random ones.
    as_high : k, of `DRAWS` such draws how many explain as much.
    along : (n, k) float64, of each picture the contribution along each text, less its mean.
    deviation : root mean square length of the contributions less their mean, in the units of raw vectors.
    """

    texts: tuple[str, ...]
    shares: tuple[Number, ...]
    as_high: tuple[int, ...]
    along: np.ndarray
    deviation: float


def text_spans(added: np.ndarray, texts: Sequence[str], vectors: np.ndarray, *, count: int = 5,
               seed: int = 0) -> TextSpans:
    """Take texts one by one, each the one along which what is left varies most; its direction is then removed.

    Half of the pictures choose the texts, the other half says how much they explain.

    Parameters
    ----------
    added : (n, d) of one head, n at least 20, as `contributions` gives them.
    texts, vectors : m of them, and (m, d) unit vectors.
    count : texts to take, at most m.
    seed : of the halves and of the random directions, which have the mean of the texts' vectors and their spread.

    Raises
    ------
    ShapeError
        If there are fewer than 20 pictures, no text, or vectors of another width.

    References
    ----------
    Gandelsman et al. 2024, arXiv:2310.05916, algorithm 1.
    """
    n, d = added.shape
    if n < LEAST_IMAGES or not len(texts) or vectors.shape != (len(texts), d):
        raise ShapeError(f"{LEAST_IMAGES} pictures or more, and texts with vectors of {d} numbers",
                         f"{n} pictures, {len(texts)} texts with vectors of shape {vectors.shape}")
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    chooses, judges = order[:n // 2], order[n // 2:]
    x = added.astype(np.float64)
    centre = x[chooses].mean(axis=0)
    _, sizes, basis = np.linalg.svd(x[chooses] - centre, full_matrices=False)
    basis = basis[sizes > RANK_TOLERANCE * max(float(sizes[0]), SMALLEST)]
    if not len(basis):
        raise ShapeError("contributions that differ between pictures", "a head that adds the same to all")
    inside = (x - centre) @ basis.T
    judged = x[judges] - x[judges].mean(axis=0)
    whole = (judged**2).sum(axis=1)
    count = min(count, len(texts), len(basis))

    taken, directions = _greedy(inside[chooses], vectors.astype(np.float64) @ basis.T, count)
    explained = _explained(judged @ basis.T, directions)
    mean = vectors.mean(axis=0, dtype=np.float64)
    spread = np.sqrt(((vectors - mean) ** 2).sum(axis=1).mean() / d)
    by_chance = np.empty((DRAWS, count))
    for draw in by_chance:
        noise = mean + spread * rng.standard_normal((len(texts), d))
        draw[:] = _explained(judged @ basis.T, _greedy(inside[chooses], noise @ basis.T, count)[1]).sum(0) / whole.sum()
    shares = []
    for k in range(count):
        part = explained[:, k]
        without = (part.sum() - part) / (whole.sum() - whole)
        shares.append(with_interval(float(part.sum() / whole.sum()), without, float(by_chance[:, k].mean()),
                                    len(judges), "share", 0.0, 1.0))
    as_high = tuple(int((by_chance[:, k] >= shares[k].value).sum()) for k in range(count))
    return TextSpans(tuple(texts[i] for i in taken), tuple(shares), as_high, (inside - inside.mean(axis=0))
                     @ _unit(vectors[taken].astype(np.float64) @ basis.T).T, float(np.sqrt(x.var(axis=0).sum())))


def _greedy(x: np.ndarray, texts: np.ndarray, count: int) -> tuple[list[int], np.ndarray]:
    """Rows of ``texts`` in the order in which they are taken, and (count, r) orthonormal directions that they span."""
    x, texts = x - x.mean(axis=0), texts.copy()
    taken: list[int] = []
    directions = np.zeros((count, x.shape[1]))
    covariance = x.T @ x
    for k in range(count):
        variance = np.einsum("mr,rs,ms->m", texts, covariance, texts, optimize=True)
        variance[taken] = -1.0
        best = int(variance.argmax())
        length = float(np.linalg.norm(texts[best]))
        taken.append(best)
        if length > 0:
            directions[k] = texts[best] / length
        texts -= np.outer(texts @ directions[k], directions[k])
        left = np.eye(len(covariance)) - np.outer(directions[k], directions[k])
        covariance = left @ covariance @ left
    return taken, directions


def _explained(x: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(n, count): of each picture the squared length within the first 1, 2, ... directions."""
    return ((x @ directions.T) ** 2).cumsum(axis=1)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), SMALLEST)
