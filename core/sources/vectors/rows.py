"""Rows of foreign arrays as unit vectors, with their lengths and why a row is no use; and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_LEAST_SHARE = 1e-12
_NUMBERS_AT_ONCE = 250_000
NOT_FINITE = "its vector has NaN or infinite numbers, or is missing"
ZERO = "its vector is zero and has no direction"
TOO_LONG = "its vector is too long for float32; divide it by its length and save it again"
TOO_SHORT = "its vector is too short for float32; divide it by its length and save it again"


def unit_rows(blocks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, dict[int, str]]:
    """All rows with unit length, (n, d) float32; their lengths, (n,) float32; and by row, why it is no use.

    Lengths are taken in double precision, and a row is zero where it is shorter than 1e-12 of the longest, so that
    neither very large nor very small numbers of double precision are taken for what they are not.
    """
    n, d = sum(len(block) for block in blocks), blocks[0].shape[1]
    unit, norms = np.zeros((n, d), dtype=np.float32), np.full(n, np.nan)
    at = 0
    for block in blocks:
        at_once = max(1, _NUMBERS_AT_ONCE // max(1, d))
        for start in range(0, len(block), at_once):
            rows = np.asarray(block[start:start + at_once], dtype=np.float64)
            here = slice(at, at + len(rows))
            unit[here], norms[here] = _unit(rows)
            at += len(rows)
    finite = np.isfinite(norms)
    longest = norms[finite].max(initial=0.0)
    least = min(_LEAST_SHARE * longest, _LEAST_SHARE) if longest < np.finfo(np.float32).max else _LEAST_SHARE
    flaws = {}
    for i in np.flatnonzero(~finite | (norms <= least) | (norms > np.finfo(np.float32).max)).tolist():
        flaws[i] = NOT_FINITE if not finite[i] else TOO_LONG if norms[i] > 1 else ZERO
    with np.errstate(over="ignore"):
        lengths = norms.astype(np.float32)
    for i in np.flatnonzero((norms > least) & (lengths == 0)).tolist():
        flaws[i] = TOO_SHORT
    return unit, lengths, dict(sorted(flaws.items()))


def _unit(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of unit length and their lengths; NaN where a row is not finite, zero where it is zero."""
    finite = np.isfinite(rows).all(axis=1)
    scale = np.where(finite, np.abs(np.where(finite[:, None], rows, 0)).max(axis=1), np.nan)
    by = np.where(finite & (scale > 0), scale, 1.0)
    scaled = np.where(finite[:, None], rows, 0) / by[:, None]
    short = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    with np.errstate(over="ignore"):
        norms = np.where(finite, short * by, np.nan)
    norms = np.where(finite & ~np.isfinite(norms), np.finfo(np.float64).max, norms)
    return (scaled / np.where(short > 0, short, 1.0)[:, None]).astype(np.float32), norms


def whole(table: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """A table joined of parts, with whole numbers whole where a part lacks the column."""
    for column in table.columns:
        kinds = [part[column].dtype for part in parts if column in part]
        if table[column].dtype.kind == "f" and kinds and all(
                pd.api.types.is_integer_dtype(kind) for kind in kinds):
            table[column] = table[column].astype("Int64")
    return table
