"""The islands of one film through several models, such as the steps of a training: kept, born, merged, split, lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.films.against import AgainstNull, check_draws, compared, corrected, shuffled_orders, too_few
from core.geometry.films.agreement import adjusted_rand, shared
from core.geometry.films.islands import CUT, Islands, islands
from core.geometry.films.islands_chance import islands_by_chance
from core.geometry.films.paths import Measure
from core.geometry.films.shots import shot_of_frames, shot_starts
from core.geometry.films.trajectory import Trajectory

FATES = ("kept", "merged", "split", "born", "lost")
HALF = 0.5
DRAWS, MOST_FRAMES = 499, 3000
NULL = "whole shots shuffled"
AGREEMENT = Measure("agreement of islands", "adjusted Rand", "more alike", "less alike")
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Fate:
    """What became of islands from one model to the next.

    Attributes
    ----------
    fate : one of FATES.
    before, after : islands of the one model and of the next; empty where born or lost.
    overlap : Jaccard index of their frames, those of several islands taken together; 0 where born or lost.
    """

    fate: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    overlap: float


@dataclass(frozen=True, eq=False)
class Step:
    """From one model to the next.

    Attributes
    ----------
    shared : (k, l) int64, frames that each island of the one shares with each of the next.
    fates : of all islands of both.
    agreement : adjusted Rand of the frames, against whole shots shuffled; p corrected for all steps (Holm).
    """

    shared: np.ndarray
    fates: tuple[Fate, ...]
    agreement: AgainstNull

    def count(self, fate: str) -> int:
        """How often a fate befell."""
        return sum(f.fate == fate for f in self.fates)


@dataclass(frozen=True, eq=False)
class AcrossModels:
    """Islands of one film through several models.

    Attributes
    ----------
    names : of the models.
    islands : of the film, by model.
    steps : from each model to the next.
    threads : by model, (k,) int64, a number for each island that it shares with the island it goes on from: its match,
        where both have one fate.
    counts : by model, its number of islands beside chance, p corrected for all models (Holm); empty where no paths
        were given.
    shots_of : the model whose path told the shots; "" where they were given.
    """

    names: tuple[str, ...]
    islands: tuple[Islands, ...]
    steps: tuple[Step, ...]
    threads: tuple[np.ndarray, ...]
    counts: tuple[AgainstNull, ...] = ()
    shots_of: str = ""


def across_models(paths: Sequence[Trajectory], *, starts: np.ndarray | None = None, cut: float = CUT,
                  draws: int = DRAWS, seed: int = 0, on_progress: Progress | None = None,
                  should_stop: Callable[[], bool] | None = None) -> AcrossModels:
    """Islands of a film in each of several models, how many there would be by chance, and what becomes of them.

    Islands can be compared only where they are made of the same shots, so all models share those of one of them.

    Parameters
    ----------
    paths
        Of the same frames through at least two models, in an order such as that of training; their names are the
        models.
    starts
        (s,) int, frames at which shots begin, rising, 0 first; None for those that the last path tells.
    cut
        Radians, as in `core.geometry.films.islands.islands`.
    draws, seed
        As in `compare_islands`.
    on_progress, should_stop
        Called before each model; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError
        If there are fewer than two paths, or their times differ.
    """
    check_draws(draws)
    if len(paths) < 2 or any(not np.array_equal(path.times, paths[0].times) for path in paths):
        raise ShapeError("the same frames through two or more models", f"{len(paths)} paths, of "
                         f"{sorted({len(path) for path in paths})} frames", "Read the film once for all models.")
    names = [path.name or f"model {i + 1}" for i, path in enumerate(paths)]
    shots_of, begun = ("", np.asarray(starts)) if starts is not None else (names[-1], shot_starts(paths[-1]))
    found, counts = [], {}
    for i, path in enumerate(paths):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i} of {len(paths)} models")
        if on_progress is not None:
            on_progress(i / len(paths), f"Islands of {names[i]}")
        found.append(islands(path, begun, cut=cut))
        counts[i] = islands_by_chance(path, found[-1], seed=seed + i)
    return replace(compare_islands(found, names, draws=draws, seed=seed), counts=tuple(corrected(counts).values()),
                   shots_of=shots_of)


def compare_islands(found: Sequence[Islands], names: Sequence[str], *, draws: int = DRAWS, seed: int = 0
                    ) -> AcrossModels:
    """What becomes of the islands of a film from each model to the next.

    Islands are matched one to one so that their Jaccard indices add up to the most (Hungarian method). At least half of
    an island's frames decide: islands merge where two or more of them have half their frames on one island of the next
    model; an island splits where two or more islands of the next model have half their frames from it; it is kept where
    it and its match have a Jaccard index of at least one half. What has none of these is lost, or born.

    Parameters
    ----------
    found
        Islands of the same frames and shots by at least two models, in order.
    names
        Of the models.
    draws
        Shuffles of whole shots for the agreement, at least 499; of more than 3,000 frames every k-th is used.
    seed
        Of the shuffles.

    Raises
    ------
    ShapeError
        If there are fewer than two models, or they look at different frames or shots.

    References
    ----------
    Kuhn, Naval Research Logistics 2, 1955; Hubert and Arabie, Journal of Classification 2, 1985.
    """
    check_draws(draws)
    frames, shots = {len(i.of_frames) for i in found}, {tuple(i.starts.tolist()) for i in found}
    if len(found) < 2 or len(names) != len(found) or len(frames) != 1 or len(shots) != 1:
        raise ShapeError("two or more models, a name for each, and islands of the same frames and shots",
                         f"{len(found)} models, {len(names)} names, {sorted(frames)} frames, {len(shots)} ways to "
                         "begin shots", "Give all models the shots of one.")
    steps, threads = [], [np.arange(len(found[0]))]
    fresh = len(found[0])
    for i, (before, after) in enumerate(pairwise(found)):
        table = shared(before.of_frames, after.of_frames)
        fates = _fates(table)
        steps.append(Step(table, fates, _agreement(before, after, draws, seed + i)))
        own = np.full(len(after), -1)
        for a, b in _matched(table):
            if any(a in fate.before and b in fate.after for fate in fates):
                own[b] = threads[-1][a]
        new = own < 0
        own[new] = fresh + np.arange(int(new.sum()))
        fresh += int(new.sum())
        threads.append(own)
    agreements = corrected({i: step.agreement for i, step in enumerate(steps)})
    return AcrossModels(tuple(names), tuple(found),
                        tuple(replace(step, agreement=agreements[i]) for i, step in enumerate(steps)), tuple(threads))


def _jaccard(table: np.ndarray) -> np.ndarray:
    return table / (table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table)


def _matched(table: np.ndarray) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-_jaccard(table))
    return list(zip(rows.tolist(), columns.tolist()))


def _fates(table: np.ndarray) -> tuple[Fate, ...]:
    goes, comes = table >= HALF * table.sum(axis=1, keepdims=True), table >= HALF * table.sum(axis=0)
    goes &= np.arange(table.shape[1]) == table.argmax(axis=1)[:, None]
    comes &= np.arange(table.shape[0])[:, None] == table.argmax(axis=0)
    alike, out = _jaccard(table), []
    done_before: set[int] = set()
    done_after: set[int] = set()

    def add(fate: str, before: list[int], after: list[int]) -> None:
        part = table[np.ix_(before, after)].sum()
        whole = table[before].sum() + table[:, after].sum() - part
        out.append(Fate(fate, tuple(before), tuple(after), float(part / whole) if before and after else 0.0))
        done_before.update(before)
        done_after.update(after)

    for b in np.flatnonzero(goes.sum(axis=0) > 1).tolist():
        add("merged", np.flatnonzero(goes[:, b]).tolist(), [b])
    for a in np.flatnonzero(comes.sum(axis=1) > 1).tolist():
        pieces = [b for b in np.flatnonzero(comes[a]).tolist() if b not in done_after]
        if a not in done_before and len(pieces) > 1:
            add("split", [a], pieces)
    for a, b in _matched(table):
        if alike[a, b] >= HALF and a not in done_before and b not in done_after:
            add("kept", [a], [b])
    for b in range(table.shape[1]):
        if b not in done_after:
            add("born", [], [b])
    for a in range(table.shape[0]):
        if a not in done_before:
            add("lost", [a], [])
    return tuple(out)


def _agreement(before: Islands, after: Islands, draws: int, seed: int) -> AgainstNull:
    n = len(after.of_frames)
    rows = np.arange(0, n, -(-n // MOST_FRAMES))
    a, b = before.of_frames[rows], after.of_frames[rows]
    shots = np.unique(shot_of_frames(after.starts, n)[rows], return_inverse=True)[1]
    count = int(shots.max()) + 1
    few = too_few(count, "shots") or ("" if min(len(before), len(after)) > 1 else "one island, of two that are needed")
    orders = shuffled_orders(shots, 0 if few else draws, np.random.default_rng(seed))
    drawn = np.array([adjusted_rand(a, b[order]) for order in orders], dtype=np.float64)
    return compared(AGREEMENT, NULL, adjusted_rand(a, b), drawn, n=count, few=few)
