"""Whether two small pictures show the same: correlation of the one with windows of the other."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError

SIDE = 24
_SEEN = 16
_WINDOWS = (1.0, 0.96, 0.92, 0.85, 0.75)
_PLACES = 3
_ENOUGH = 0.995
_BLOCK = 1024


def likeness(pictures: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """How alike two pictures are, whatever their brightness and contrast, if the one is cropped or mirrored too.

    Parameters
    ----------
    pictures
        (m, 24, 24) floats, grey, each the whole of a picture; NaN where it cannot be seen.
    pairs
        (p, 2) int, rows.

    Returns
    -------
    (p,) float32 in [-1, 1]: the largest correlation of the one, at 16 x 16, with a window of the other, plain or
    mirrored, of 100, 96, 92, 85 or 75 % of its sides, in nine places. NaN where one of the two cannot be seen. A
    picture of one grey is like another of one grey alone.
    """
    if pictures.ndim != 3 or pictures.shape[1:] != (SIDE, SIDE):
        raise ShapeError(f"pictures of shape (m, {SIDE}, {SIDE})", f"shape {pictures.shape}")
    best = np.full(len(pairs), np.nan, np.float32)
    seen = ~np.isnan(pictures).any(axis=(1, 2))
    known = np.flatnonzero(seen[pairs].all(axis=1)) if len(pairs) else np.zeros(0, np.int64)
    windows = [[_window(share, place) for place in np.linspace(0, 1 - share, _PLACES if share < 1 else 1)]
               for share in _WINDOWS]
    for start in range(0, len(known), _BLOCK):
        part = known[start:start + _BLOCK]
        a, b = pictures[pairs[part, 0]].astype(np.float32), pictures[pairs[part, 1]].astype(np.float32)
        found = _correlation(a, b, windows[0][0], windows[0][0])
        for group in windows:
            open_ = np.flatnonzero(found < _ENOUGH)
            if not len(open_):
                break
            for one, other in ((a[open_], b[open_]), (b[open_], a[open_])):
                for turned in (other, other[:, :, ::-1]):
                    for down in group:
                        rows = down @ turned
                        for across in group:
                            found[open_] = np.maximum(found[open_], _with(one, rows @ across.T, windows[0][0]))
        best[part] = found
    return best


def _window(share: float, place: float) -> np.ndarray:
    """(16, 24) weights that average the part of a side from ``place`` on, both shares of it, into 16 cells."""
    edges = SIDE * (place + share * np.arange(_SEEN + 1) / _SEEN)
    low, high = np.maximum(edges[:-1, None], np.arange(SIDE)), np.minimum(edges[1:, None], np.arange(1, SIDE + 1))
    weights = np.maximum(high - low, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _correlation(a: np.ndarray, b: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    return _with(a, down @ b @ across.T, down)


def _with(whole: np.ndarray, window: np.ndarray, reduce: np.ndarray) -> np.ndarray:
    """Correlation of (q, 24, 24) whole pictures with (q, 16, 16) windows of others."""
    return np.einsum("qij,qij->q", _standard(reduce @ whole @ reduce.T), _standard(window))


def _standard(pictures: np.ndarray) -> np.ndarray:
    """About their mean and of length 1, with a little that is the same for all, so that noise on one grey is none."""
    about = pictures - pictures.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt(np.einsum("qij,qij->q", about, about) / _SEEN**2)[:, None, None]
    flat = lengths < _FAINT
    return np.where(flat, 1 / _SEEN, about / np.maximum(lengths, _FAINT) / _SEEN)


_FAINT = 0.5
