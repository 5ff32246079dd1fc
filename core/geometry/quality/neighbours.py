"""The nearest others of every item, found once for copies, outliers and regions: exactly, or by cells of the sphere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors
from core.types import Number

EXACT_UP_TO = 20_000
ENOUGH_FOUND = 0.99
_PROBES, _MOST_PROBES = 8, 32
_LOOKED_AT = 256
_BLOCK, _BLOCK_OF_CELLS = 512, 4096
_STEPS, _POINTS_A_CELL = 8, 40

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest other rows of each row.

    Attributes
    ----------
    rows : (n, k) int64, nearest first, equal cosines in the order of the rows.
    cosines : (n, k) float32, in [-1, 1], falling.
    recall : share of the true neighbours that are here, by an exact search for n of the rows; 1 where all was exact.
    """

    rows: np.ndarray
    cosines: np.ndarray
    recall: Number

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def k(self) -> int:
        return self.rows.shape[1]


def nearest_others(x: np.ndarray, k: int = 10, *, seed: int = 0, on_progress: Progress | None = None,
                   should_stop: Stop | None = None) -> Neighbours:
    """The k nearest other rows of each row, by cosine.

    Up to 20,000 different rows every cosine is taken. Of more, only those in the nearest of about 1.6 sqrt(n) cells of
    the sphere (an inverted file over spherical k-means): as many cells as it takes to find 99 % of the true neighbours
    of 256 rows, from 8 to 32; what share that is, is told. Rows that are equal to the last bit are searched for once.

    Parameters
    ----------
    x
        (n, d) floats, unit rows.
    k
        How many, at least 1; all others where there are fewer.
    seed
        Of the cells and of the rows that are looked at.
    on_progress, should_stop
        Called with a share in [0, 1] and a sentence; asked now and then.

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, or k is below 1.
    Cancelled
        If asked to stop.

    References
    ----------
    Johnson, Douze and Jégou, Billion-scale similarity search with GPUs, IEEE Trans. Big Data 2021 (faiss).
    """
    x = np.ascontiguousarray(x, dtype=np.float32)
    check_vectors(x, at_least=0, unit=True)
    if k < 1:
        raise ShapeError("at least 1 neighbour", str(k))
    n = len(x)
    k = min(k, max(n - 1, 0))
    if not k:
        return Neighbours(np.zeros((n, 0), np.int64), np.zeros((n, 0), np.float32), Number(1.0, n=n, unit="share"))
    first, of = distinct(x)
    different = x[first] if len(first) < n else x
    asked = min(k, len(first) - 1)
    say = _reporter(on_progress, should_stop)
    if len(first) <= EXACT_UP_TO:
        rows, cosines = _exactly(different, np.arange(len(first)), asked, say)
        recall = Number(1.0, n=n, unit="share")
    else:
        rows, cosines, recall = _by_cells(different, asked, seed, say)
    if len(first) < n:
        rows, cosines = _with_equals(rows, cosines, of, k)
    return Neighbours(rows, cosines, recall)


def distinct(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are the first of their content, (m,) int64 growing; which of these each row equals, (n,) int64."""
    seen: dict[bytes, int] = {}
    of = np.fromiter((seen.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), len(seen)) for row in x),
                     dtype=np.int64, count=len(x))
    return np.unique(of, return_index=True)[1], of


def _reporter(on_progress: Progress | None, should_stop: Stop | None) -> Callable[[float], None]:
    def say(share: float) -> None:
        if should_stop is not None and should_stop():
            raise Cancelled("part of the search for nearest items")
        if on_progress is not None:
            on_progress(min(share, 1.0), "Searching for the nearest items")
    return say


def _exactly(x: np.ndarray, asked: np.ndarray, k: int, say: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest others among all rows of x, of some of them."""
    rows, cosines = np.empty((len(asked), k), np.int64), np.empty((len(asked), k), np.float32)
    block = min(_BLOCK, max(1, _BLOCK * EXACT_UP_TO // max(len(x), 1)))
    for start in range(0, len(asked) if k else 0, block):
        say(start / len(asked))
        part = asked[start:start + block]
        found = x[part] @ x.T
        found[np.arange(len(part)), part] = -np.inf
        best = np.argpartition(found, len(x) - k, axis=1)[:, len(x) - k:]
        rows[start:start + block], cosines[start:start + block] = _in_order(
            best, np.take_along_axis(found, best, axis=1))
    return rows, cosines


def _in_order(rows: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest first, equal ones by their row."""
    cosines = np.where(cosines < -1.5, -np.inf, np.clip(cosines, -1, 1))
    order = np.lexsort((rows, -cosines), axis=1)
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(cosines, order, axis=1)


def _by_cells(x: np.ndarray, k: int, seed: int, say: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray, Number]:
    import faiss

    n, d = x.shape
    say(0.0)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(d), d, round(1.6 * n**0.5), faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.seed, index.cp.spherical = (
        _STEPS, _POINTS_A_CELL, seed + 1, True)
    index.train(x)
    index.add(x)
    looked = np.sort(np.random.default_rng(seed).permutation(n)[:_LOOKED_AT])
    truth, _ = _exactly(x, looked, k, lambda share: say(0.1))
    index.nprobe = _PROBES
    while (share := _share_found(_search(index, x, looked, k)[0], truth)) < ENOUGH_FOUND and \
            index.nprobe < _MOST_PROBES:
        index.nprobe *= 2
    rows, cosines = np.empty((n, k), np.int64), np.empty((n, k), np.float32)
    for start in range(0, n, _BLOCK_OF_CELLS):
        say(0.2 + 0.8 * start / n)
        part = np.arange(start, min(start + _BLOCK_OF_CELLS, n))
        rows[part], cosines[part] = _search(index, x, part, k)
    return rows, cosines, Number(share, n=len(looked), unit="share")


def _search(index: object, x: np.ndarray, asked: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest others of some rows in the cells that are probed; among all rows where these hold fewer."""
    cosines, rows = index.search(x[asked], k + 1)  # type: ignore[attr-defined]
    cosines[(rows == asked[:, None]) | (rows < 0)] = -np.inf
    rows, cosines = (part[:, :k] for part in _in_order(rows, cosines))
    few = (cosines == -np.inf).any(axis=1)
    if few.any():
        rows[few], cosines[few] = _exactly(x, asked[few], k, lambda share: None)
    return rows, cosines


def _share_found(rows: np.ndarray, truth: np.ndarray) -> float:
    return float((rows[:, :, None] == truth[:, None, :]).any(axis=1).mean())


def _with_equals(rows: np.ndarray, cosines: np.ndarray, of: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of all rows from those of the different ones: equal rows come first, each with all its equals."""
    order = np.argsort(of, kind="stable")
    counts = np.bincount(of)
    starts = np.cumsum(counts) - counts
    near = np.concatenate([np.arange(len(rows))[:, None], rows], axis=1)
    close = np.concatenate([np.ones((len(rows), 1), np.float32), cosines], axis=1)
    upto = np.minimum(np.cumsum(counts[near], axis=1), k + 1)
    taken = np.diff(upto, axis=1, prepend=0)
    which = np.repeat(np.arange(near.size), taken.ravel())
    nth = np.arange(len(which)) - np.repeat(np.cumsum(taken.ravel()) - taken.ravel(), taken.ravel())
    found = order[starts[near.ravel()[which]] + nth].reshape(len(rows), k + 1)
    found_cosines = close.ravel()[which].reshape(len(rows), k + 1)
    out, out_cosines = found[of], found_cosines[of]
    own = out == np.arange(len(of))[:, None]
    own[~own.any(axis=1), k] = True
    return out[~own].reshape(len(of), k), out_cosines[~own].reshape(len(of), k)
