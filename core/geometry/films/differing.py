"""Which features differ between genres: the share of their variance that lies between, beside shuffled labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.films.classified import PERMUTATIONS, checked, classes_of, shuffled, sources_of, too_few
from core.types import Number


@dataclass(frozen=True, eq=False)
class FeatureDifferences:
    """Features of films, and how far each differs between genres.

    Attributes
    ----------
    keys : of the p features, as `core.geometry.films.feature_names.FEATURES` has them.
    values : (n, p) float64, as given.
    scores : (n, p) float64, less the mean over films and over the standard deviation; NaN where not defined, 0 where
        all films are the same.
    classes : names of the genres, sorted.
    labels : (n,) int64, of each film.
    between : of each feature, share of its variance that lies between genres; its null is the mean on shuffled labels.
    p : of each feature, chance of as much on shuffled labels, by Holm among the features; None where not measurable.
    reason : why nothing is measurable, "" where it is.
    """

    keys: tuple[str, ...]
    values: np.ndarray
    scores: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray
    between: tuple[Number, ...]
    p: tuple[float | None, ...]
    reason: str = ""


def features_differ(values: np.ndarray, keys: Sequence[str], labels: Sequence[str] | None = None, *,
                    permutations: int = PERMUTATIONS, seed: int = 0,
                    groups: Sequence[object] | None = None) -> FeatureDifferences:
    """How far each feature differs between genres, and whether by more than shuffled labels do.

    Parameters
    ----------
    values : (n, p) floats, a film a row; what is not finite is left out.
    keys : of the p features.
    labels : genre of each film; None: films have none, and features are put on one scale alone.
    permutations, seed, groups : as in `core.geometry.films.genres.classify`.

    Raises
    ------
    ShapeError
        If keys or labels do not fit the values.
    """
    genres = [""] * len(values) if labels is None else labels
    values = checked(values, genres, groups, permutations)
    if values.shape[1] != len(keys):
        raise ShapeError(f"{values.shape[1]} keys, one a feature", str(len(keys)))
    classes, y = classes_of(genres)
    sources = sources_of(groups, len(y))
    known = np.isfinite(values)
    scores = _standardised(values, known)
    reason = "films have no genres" if labels is None else too_few(classes, y, sources)
    n = known.sum(axis=0).tolist()
    if reason:
        return FeatureDifferences(tuple(keys), values, scores, classes, y,
                                  tuple(Number(math.nan, n=m, unit="share of variance") for m in n),
                                  (None,) * len(keys), f"not measurable: {reason}")
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    shares = _between(np.where(known, scores, 0), known, tried, len(classes))
    p = (1 + (shares[1:] >= shares[0] - 1e-9).sum(axis=0)) / (1 + permutations)
    varied = np.nan_to_num(np.abs(scores)).max(axis=0, initial=0) > 0
    family = holm({k: Difference(Number(0.0), float(p[k])) for k in np.flatnonzero(varied).tolist()})
    return FeatureDifferences(
        tuple(keys), values, scores, classes, y,
        tuple(Number(float(shares[0, k]), null=float(shares[1:, k].mean()), n=n[k], unit="share of variance")
              if varied[k] else Number(math.nan, n=n[k], unit="share of variance") for k in range(len(keys))),
        tuple(family[k].p if k in family else None for k in range(len(keys))))


def _standardised(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    x = np.where(known, values, np.nan)
    x = x / np.maximum(np.nanmax(np.abs(x), axis=0, initial=0), np.finfo(np.float64).tiny)
    counts = np.maximum(known.sum(axis=0), 1)
    x = x - np.where(known, x, 0).sum(axis=0) / counts
    scale = np.sqrt(np.where(known, x**2, 0).sum(axis=0) / counts)
    return np.where(known, x * (scale > 1e-12) / np.where(scale > 1e-12, scale, 1), np.nan)


def _between(scores: np.ndarray, known: np.ndarray, tried: np.ndarray, k: int) -> np.ndarray:
    """Share of the sum of squares between classes, of each labelling and feature: (labellings, p)."""
    total = np.maximum((scores**2).sum(axis=0), np.finfo(np.float64).tiny)
    found = np.zeros((len(tried), scores.shape[1]))
    for c in range(k):
        member = (tried == c).astype(np.float64)
        sums, counts = member @ scores, member @ known.astype(np.float64)
        found += sums**2 / np.maximum(counts, 1)
    return found / total
