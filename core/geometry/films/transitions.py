"""Where a film goes from each island, and whether whole shots in any order would do the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.geometry.films.against import AgainstNull, check_draws, compared, corrected, too_few
from core.geometry.films.islands import Islands
from core.geometry.films.paths import Measure

DRAWS = 999
NULL = "whole shots shuffled"
RATES: Mapping[str, Measure] = {
    "entropy_rate": Measure("entropy rate", "bits a move", "less predictable", "more predictable"),
    "revisits": Measure("revisit rate", "share of visits", "comes back more often", "comes back less often"),
    "there_and_back": Measure("there and back", "share of moves", "goes to and fro more", "goes to and fro less"),
}


@dataclass(frozen=True, eq=False)
class Transitions:
    """Moves between islands, and how they are ordered.

    Attributes
    ----------
    counts : (k, k) int64, moves from an island (row) to another (column); shots that follow each other on one island
        are one visit, so that the diagonal is 0.
    tests : by key of RATES, against whole shots shuffled; p corrected for the three (Holm).
    shots : how many were shuffled.
    draws, seed : of the null.
    """

    counts: np.ndarray
    tests: Mapping[str, AgainstNull]
    shots: int
    draws: int
    seed: int


def transitions(found: Islands, *, draws: int = DRAWS, seed: int = 0) -> Transitions:
    """Moves between the islands of a film, and three rates of them against whole shots shuffled.

    The entropy rate says in how many ways a film goes on from where it is, sum_i share_i H(next | i) in bits; 0 where
    each island is always followed by the same one. A visit counts as a return where its island was seen before. A move
    goes there and back where the visit before it was on the island that it goes to.

    Parameters
    ----------
    found
        Islands of a film.
    draws
        Shuffles of the shots, at least 499.
    seed
        Of the shuffles.

    Returns
    -------
    Transitions. Nothing is measurable with fewer than 5 shots or 2 islands.
    """
    check_draws(draws)
    labels = found.of_shots
    k, s = len(found), len(labels)
    visited = _visits(labels)
    counts = np.zeros((k, k), dtype=np.int64)
    np.add.at(counts, (visited[:-1], visited[1:]), 1)
    few = too_few(s, "shots") or ("" if k > 1 else "one island, of two that are needed")
    rng = np.random.default_rng(seed)
    drawn = np.array([] if few else [_rates(_visits(rng.permutation(labels)), k) for _ in range(draws)])
    drawn = drawn.reshape(-1, len(RATES))
    tests = {key: compared(measure, NULL, value, drawn[:, i], n=s, few=few)
             for i, ((key, measure), value) in enumerate(zip(RATES.items(), _rates(visited, k)))}
    return Transitions(counts, corrected(tests), s, draws, seed)


def entropy_rate(visited: np.ndarray, k: int) -> float:
    """Entropy rate of moves, bits: (v,) int, islands 0 to k - 1 in the order of visits; NaN without a move."""
    if len(visited) < 2:
        return math.nan
    moves = np.unique(visited[:-1] * k + visited[1:], return_counts=True)
    leaving = np.bincount(visited[:-1], minlength=k)[moves[0] // k]
    return abs(float((moves[1] * np.log2(leaving / moves[1])).sum() / (len(visited) - 1)))


def _visits(labels: np.ndarray) -> np.ndarray:
    return labels[np.flatnonzero(np.diff(labels, prepend=-1))]


def _rates(visited: np.ndarray, k: int) -> tuple[float, ...]:
    back = float((visited[2:] == visited[:-2]).mean()) if len(visited) > 2 else math.nan
    return entropy_rate(visited, k), 1 - len(np.unique(visited)) / len(visited), back
