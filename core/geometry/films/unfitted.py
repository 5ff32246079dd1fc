"""Genres told without a fit: by prompts, and by the nearest of the other films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import ShapeError, check_choice, check_vectors
from core.geometry.films.classified import (
    FEWEST_FILMS,
    PERMUTATIONS,
    Classified,
    checked,
    classes_of,
    not_measurable,
    report_of,
    shuffled,
    sources_of,
    too_few,
)
from core.geometry.films.features import content_features
from core.geometry.films.trajectory import Trajectory

WAYS: dict[str, str] = {"mean": "the mean frame", "frames": "the mean over frames of their probabilities"}
SCALE = 100.0


def prompt_scores(paths: Sequence[Trajectory], prompts: np.ndarray, *, way: str = "mean",
                  scale: float = SCALE) -> np.ndarray:
    """How much each film is like each prompt.

    Parameters
    ----------
    paths : n films by one model.
    prompts : (k, d) floats, unit rows, one a genre, by the same model.
    way : a key of WAYS: cosine of the mean direction, or mean over frames of the softmax of cosines.
    scale : factor on the cosines before the softmax, 1 over the temperature.

    Returns
    -------
    (n, k) float64: cosines, or probabilities; NaN for a film whose frames cancel out.
    """
    check_choice("way to ask prompts", way, WAYS)
    check_vectors(prompts, what="prompts", unit=True)
    prompts = prompts.astype(np.float64)
    if off := {p.points.shape[1] for p in paths} - {prompts.shape[1]}:
        raise ShapeError(f"films of {prompts.shape[1]} dimensions, as the prompts", str(sorted(off)[0]),
                         "Embed films and prompts with the same model.")
    if way == "mean":
        return np.array([content_features(p) @ prompts.T for p in paths]).reshape(len(paths), len(prompts))
    return np.array([_softmax(scale * p.points.astype(np.float64) @ prompts.T).mean(axis=0)
                     for p in paths]).reshape(len(paths), len(prompts))


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def from_scores(scores: np.ndarray, classes: Sequence[str], labels: Sequence[str], *,
                permutations: int = PERMUTATIONS, seed: int = 0,
                groups: Sequence[object] | None = None) -> Classified:
    """What is told without any fit, such as by prompts: the highest score wins, the null shuffles the labels.

    Parameters
    ----------
    scores : (n, k) floats, of each class for each film; what is not defined counts as lowest.
    classes : names of the k classes.
    labels : of each film, among the classes.
    permutations, seed, groups : as in `classify`.

    Raises
    ------
    ShapeError
        If scores, classes and labels do not fit, or a label is none of the classes.
    """
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    unknown = sorted(set(map(str, labels)) - set(map(str, classes)))
    if scores.shape != (len(labels), len(classes)) or len(set(classes)) != len(classes) or unknown:
        raise ShapeError(f"scores of {len(labels)} films for {len(classes)} different classes, and labels among these",
                         f"shape {scores.shape}" + (f", labels {', '.join(unknown[:3])}" if unknown else ""),
                         "Give each genre a prompt.")
    checked(scores, labels, groups, permutations)
    order = np.argsort(np.asarray(classes, dtype=str), kind="stable")
    names = tuple(str(classes[i]) for i in order)
    y = np.array([names.index(str(label)) for label in labels], dtype=np.int64)
    sources = sources_of(groups, len(y))
    reason = (f"{len(y)} films, fewer than {FEWEST_FILMS}" if len(y) < FEWEST_FILMS else
              "all films are of one genre" if len(np.unique(y)) < 2 else "")
    if reason:
        return not_measurable(names, y, reason, 0)
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    return report_of(names, tried, np.broadcast_to(scores[:, order].argmax(axis=1), tried.shape), scores[:, order],
                     sources, None, fitted=False)


def by_nearest(distances: np.ndarray, labels: Sequence[str], *, permutations: int = PERMUTATIONS, seed: int = 0,
               groups: Sequence[object] | None = None) -> Classified:
    """Each film is told to be of the genre of the nearest other film.

    Parameters
    ----------
    distances : (n, n) floats, of all pairs of films.
    labels : of each film.
    permutations, seed, groups : as in `core.geometry.films.genres.classify`; the nearest is sought in other sources.

    Returns
    -------
    Classified; of equally near films the first counts. Not measurable where films are too few, or all equally far.
    """
    checked(np.zeros((len(labels), 1)), labels, groups, permutations)
    n = len(labels)
    if distances.shape != (n, n):
        raise ShapeError(f"distances of {n} films, ({n}, {n})", f"shape {distances.shape}")
    classes, y = classes_of(labels)
    sources = sources_of(groups, n)
    reason = too_few(classes, y, sources)
    if not reason and np.ptp(distances[np.triu_indices(n, 1)]) == 0:
        reason = "all films are equally far apart"
    if reason:
        return not_measurable(classes, y, reason, 0)
    away = np.where(sources[:, None] == sources, np.inf, distances)
    scores = np.stack([-np.where(y == c, away, np.inf).min(axis=1) for c in range(len(classes))], axis=1)
    rng = np.random.default_rng(seed)
    tried = np.stack([y, *(shuffled(y, sources, rng) for _ in range(permutations))])
    return report_of(classes, tried, tried[:, away.argmin(axis=1)], scores, sources, None)
