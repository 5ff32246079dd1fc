"""Themes of a film: how like its frames are to prompts over time, which prompt leads, and what chance gives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.films.against import (
    DRAWS,
    NULLS,
    AgainstNull,
    check_draws,
    checked_starts,
    compared,
    corrected,
    shuffled_orders,
    too_few,
)
from core.geometry.films.paths import Measure, durations, thinned
from core.geometry.films.trajectory import Trajectory
from core.types import Number

MOST_FRAMES, DRAWS_A_PROMPT = 2000, 50
PROMPTS_SHUFFLED = "prompts shuffled within each shot"
LEADING: Mapping[str, Measure] = {
    "share": Measure("time leading", "share", "leads more", "leads less"),
    "longest": Measure("longest lead", "s", "leads for longer", "leads less long"),
    "mean": Measure("mean lead", "s", "keeps the lead for longer", "keeps the lead less long"),
}


UNMATCHED, OWN = "unmatched images", "the frames of the film"


@dataclass(frozen=True, eq=False)
class ThemesReport:
    """Prompts along a film.

    Attributes
    ----------
    name : of the path.
    prompts : (k,) what was asked.
    times : (n,) float64, seconds.
    likeness : (k, n) float64, of each frame to each prompt; nothing is smoothed.
    unit : of the likeness: "cosine", or "probability" by a model that gives its own.
    percentiles : (k, n) float64, 0 to 100, of each likeness among those of ``among``.
    among : what these are: "unmatched images", "frames of other films" or "the frames of the film".
    compared_with : how many of them a percentile is among.
    leader : (n,) int64, the prompt with the highest likeness.
    scores : (k,) Numbers, mean likeness over the seconds of the film; null is the mean of unmatched images.
    tests : by prompt and key of `LEADING`: the share of time that it leads against prompts shuffled within each shot,
        whose mean is 1 / k; longest and mean lead against whole shots shuffled.
    shots, draws, seed : of the nulls.
    """

    name: str
    prompts: tuple[str, ...]
    times: np.ndarray
    likeness: np.ndarray
    unit: str
    percentiles: np.ndarray
    among: str
    compared_with: int
    leader: np.ndarray
    scores: tuple[Number, ...]
    tests: Mapping[tuple[int, str], AgainstNull]
    shots: int
    draws: int
    seed: int

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """Likeness by prompt, as a timeline takes it."""
        return dict(zip(self.prompts, self.likeness))


def themes_report(path: Trajectory, prompts: Sequence[str], vectors: np.ndarray, starts: np.ndarray, *,
                  reference: np.ndarray | None = None, draws: int = DRAWS, seed: int = 0) -> ThemesReport:
    """Likeness to prompts along a path.

    Parameters
    ----------
    path
        Of a film.
    prompts
        k different ones, at least 1.
    vectors
        (k, d) floats, unit rows: the prompts.
    starts
        (s,) int, frames at which a shot begins, 0 first, rising.
    reference
        (r, d) floats, unit rows: images that have nothing to do with the prompts; None compares within the film.
    draws
        Of each null, at least 499; 50 a prompt are taken where these are more, so that p can be small among so many.
    seed
        Of the draws.

    Returns
    -------
    ThemesReport. p is corrected for the prompts, each measure on its own. With one prompt, which always leads, or fewer
    than 5 shots, leads are not measurable. Nulls use at most 2,000 frames, every k-th.

    Raises
    ------
    ShapeError
        If the vectors do not fit the prompts or the path, or two prompts are the same.
    """
    vectors = np.asarray(vectors)
    check_vectors(vectors, what="prompts", unit=True)
    k = len(prompts)
    if vectors.shape != (k, path.points.shape[1]) or len(set(prompts)) < k:
        raise ShapeError(f"vectors of {k} different prompts in {path.points.shape[1]} dimensions",
                         f"{len(set(prompts))} different prompts, shape {vectors.shape}")
    v = vectors.astype(np.float64)
    others = None if reference is None else v @ np.asarray(reference, dtype=np.float64).T
    return themes_by_likeness(path, prompts, v @ path.points.astype(np.float64).T, starts, reference=others,
                              draws=draws, seed=seed)


def themes_by_likeness(path: Trajectory, prompts: Sequence[str], likeness: np.ndarray, starts: np.ndarray, *,
                       unit: str = "cosine", reference: np.ndarray | None = None, among: str = UNMATCHED,
                       draws: int = DRAWS, seed: int = 0) -> ThemesReport:
    """As `themes_report`, from how like each frame is to each prompt by the model itself.

    Parameters
    ----------
    likeness
        (k, n) floats.
    unit
        Of it.
    reference, among
        (k, r) floats, the same of other images, and what these are.
    path, prompts, starts, draws, seed
        As in `themes_report`.

    Raises
    ------
    ShapeError
        If the likeness does not fit prompts and path.
    """
    k, likeness = len(prompts), np.asarray(likeness, dtype=np.float64)
    if likeness.shape != (k, len(path)) or not k:
        raise ShapeError(f"likeness of {len(path)} frames to {k} prompts", f"shape {likeness.shape}")
    check_draws(draws)
    draws = max(draws, DRAWS_A_PROMPT * k)
    starts = checked_starts(starts, len(path))
    others = likeness if reference is None else np.asarray(reference, dtype=np.float64)
    percentiles = np.stack([_percentiles(own, of) for own, of in zip(likeness, others)])
    seconds, leader = durations(path.times), likeness.argmax(axis=0)
    nulls = [None] * k if reference is None else [float(of.mean()) for of in others]
    scores = tuple(Number(float(own @ seconds / seconds.sum()), null=null, n=len(path), unit=unit)
                   for own, null in zip(likeness, nulls))
    rows = thinned(len(path), MOST_FRAMES)
    tests = _leads(leader[rows], durations(path.times[rows]), k,
                   np.unique(np.searchsorted(starts, rows, side="right") - 1, return_inverse=True)[1], draws, seed)
    return ThemesReport(path.name, tuple(prompts), path.times, likeness, unit, percentiles,
                        OWN if reference is None else among, others.shape[1], leader,
                        scores, tests, len(starts), draws, seed)


def _percentiles(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Percentage of ``among`` below each value, equals counted half."""
    ordered = np.sort(among)
    below, upto = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return 50 * (below + upto) / len(ordered)


def _leads(leader: np.ndarray, seconds: np.ndarray, k: int, shot_of: np.ndarray, draws: int, seed: int
           ) -> dict[tuple[int, str], AgainstNull]:
    shots = int(shot_of.max()) + 1
    few = "one prompt always leads" if k == 1 else too_few(shots, "shots")
    rng = np.random.default_rng(seed)
    part = np.zeros((shots, k))
    np.add.at(part, (shot_of, leader), seconds / seconds.sum())
    shares = np.stack([rng.permuted(part, axis=1).sum(axis=0) for _ in range(draws)])
    orders = shuffled_orders(shot_of, draws, rng)
    out: dict[tuple[int, str], AgainstNull] = {}
    for prompt in range(k):
        longest, mean = _runs(leader[None] == prompt, seconds[None])
        drawn = _runs(leader[orders] == prompt, seconds[orders])
        values = {"share": (float(part[:, prompt].sum()), shares[:, prompt], PROMPTS_SHUFFLED),
                  "longest": (float(longest[0]), drawn[0], NULLS["shots"]),
                  "mean": (float(mean[0]), drawn[1], NULLS["shots"])}
        out |= {(prompt, key): compared(LEADING[key], null, value, of, n=len(leader), few=few)
                for key, (value, of, null) in values.items()}
        share = out[prompt, "share"]
        out[prompt, "share"] = replace(share, value=replace(share.value, null=1 / k))
    return {key: test for measure in LEADING for key, test in
            corrected({key: test for key, test in out.items() if key[1] == measure}).items()}


def _runs(leads: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longest and mean run, in seconds, of (b, n) bool; NaN where a row has none."""
    spent = np.cumsum(leads * seconds, axis=1)
    longest = (spent - np.maximum.accumulate(np.where(leads, 0.0, spent), axis=1)).max(axis=1)
    runs = leads[:, 0] + (leads[:, 1:] & ~leads[:, :-1]).sum(axis=1)
    known = runs > 0
    return (np.where(known, longest, math.nan), np.where(known, spent[:, -1] / np.maximum(runs, 1), math.nan))
