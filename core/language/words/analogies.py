"""Analogies between texts, a - b + c ~ d: with the inputs among the answers and without, beside c alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.errors import ShapeError, SourceError, check_choice
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.language.words.reading import Progress, Stop, read
from core.language.world_evaluation import Encoder
from core.sources.solids.captions import prompt
from core.sources.solids.vocabulary import ATTRIBUTES
from core.types import Number

MOST = 2000
MOST_CANDIDATES = 5000
SHORTEST_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Analogy:
    """a is to b as d is to c: "a red cube" - "a red sphere" + "a blue sphere" ~ "a blue cube"."""

    a: str
    b: str
    c: str
    d: str


@dataclass(frozen=True, eq=False)
class Solved:
    """How near the answers come.

    Attributes
    ----------
    analogies, candidates : q, and the m texts among which each answer is looked for, inputs and answers among them.
    rank_out, rank_in : (q,) int64, place of d, from 1, with a, b and c left out and with them in.
    rank_near : (q,) int64, place of d among the texts nearest to c, inputs left out: no arithmetic at all.
    first : (q,) int64, row of the candidate that is nearest with the inputs in.
    out, within, near : shares of analogies whose d is first, each beside one candidate drawn at random.
    inputs_first : share in which the nearest is one of a, b, c.
    over_near, cost : out less near, and within less out, on the same analogies (Holm).
    cosine : (q,) float32, of a - b + c and d.
    """

    analogies: tuple[Analogy, ...]
    candidates: tuple[str, ...]
    rank_out: np.ndarray
    rank_in: np.ndarray
    rank_near: np.ndarray
    first: np.ndarray
    out: Number
    within: Number
    near: Number
    inputs_first: Number
    over_near: Difference
    cost: Difference
    cosine: np.ndarray


def grammar_analogies(first: str, second: str, n: int = 200, *, seed: int = 0
                      ) -> tuple[tuple[Analogy, ...], tuple[str, ...]]:
    """Analogies of two attributes of the built-in world, and all combinations of the two as candidates.

    Parameters
    ----------
    first, second : different names of ATTRIBUTES.
    n : how many, drawn without repeats; all where there are fewer.

    Returns
    -------
    (a and b differ in the first attribute, b and c in the second), candidates.
    """
    for name in (first, second):
        check_choice("attribute", name, ATTRIBUTES)
    if first == second:
        raise ShapeError("two different attributes", f"{first} twice")
    said = {(x, y): prompt(**{first: x, second: y}) for x in ATTRIBUTES[first] for y in ATTRIBUTES[second]}
    ways = [(x1, x2, y1, y2) for x1, x2 in combinations(ATTRIBUTES[first], 2)
            for y1, y2 in combinations(ATTRIBUTES[second], 2)]
    rng = np.random.default_rng(seed)
    found = []
    for at in rng.permutation(len(ways))[:n].tolist():
        x1, x2, y1, y2 = ways[at]
        if rng.random() < 0.5:
            x1, x2 = x2, x1
        found.append(Analogy(said[x1, y1], said[x2, y1], said[x2, y2], said[x1, y2]))
    return tuple(found), tuple(said.values())


def read_analogies(text: str) -> tuple[Analogy, ...]:
    """Analogies that were typed: "a - b + c = d" or "a | b | c | d", one a line.

    Raises
    ------
    SourceError
        If a line is neither, or has equal texts, or there are more than 2,000.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) == 1:
            left, _, d = line.rpartition("=")
            a, _, rest = left.partition(" - ")
            b, _, c = rest.partition(" + ")
            parts = [a.strip(), b.strip(), c.strip(), d.strip()]
        if len(parts) != 4 or not all(parts) or parts[3] in parts[:3] or parts[0] == parts[1]:
            raise SourceError("lines like “a - b + c = d” or “a | b | c | d”, of texts that differ",
                              f"line {number}: {line.strip()[:80]!r}")
        found.append(Analogy(*parts))
    if len(found) > MOST:
        raise SourceError(f"at most {MOST:,} analogies", f"{len(found):,}")
    return tuple(found)


def solve(model: Encoder, analogies: Sequence[Analogy], others: Sequence[str] = (), *, seed: int = 0,
          on_progress: Progress | None = None, should_stop: Stop | None = None) -> Solved:
    """Where d stands among the candidates by nearness to a - b + c.

    Parameters
    ----------
    model : anything that encodes texts.
    analogies : one or more.
    others : further candidates; the texts of all analogies are candidates in any case.
    seed : of sign flips.

    Raises
    ------
    ShapeError
        If there is no analogy, too many candidates, or none besides the inputs and d.

    References
    ----------
    Rogers, Drozd, Li, The (too many) problems of analogical reasoning with word vectors, *SEM 2017.
    """
    candidates = tuple(dict.fromkeys([*others, *(text for q in analogies for text in (q.a, q.b, q.c, q.d))]))
    if not analogies or not 5 <= len(candidates) <= MOST_CANDIDATES:
        raise ShapeError(f"analogies, and 5 to {MOST_CANDIDATES:,} different texts to answer with",
                         f"{len(analogies)} analogies, {len(candidates):,} texts",
                         "Add analogies, or further texts to choose from.")
    vectors = read(model, candidates, on_progress, should_stop)
    place = {text: row for row, text in enumerate(candidates)}
    rows = np.array([[place[text] for text in (q.a, q.b, q.c, q.d)] for q in analogies])
    a, b, c = (vectors[rows[:, i]].astype(np.float64) for i in range(3))
    sums = a - b + c
    sums = np.where(np.linalg.norm(sums, axis=1, keepdims=True) < SHORTEST_DIFFERENCE, c, sums)
    scores, near = unit(sums) @ vectors.T.astype(np.float64), c @ vectors.T.astype(np.float64)
    q = np.arange(len(rows))
    without = np.zeros(scores.shape, dtype=bool)
    without[q[:, None], rows[:, :3]] = True
    answer = rows[:, 3]

    def ranks(of: np.ndarray, left_out: bool) -> np.ndarray:
        shown = np.where(without, -np.inf, of) if left_out else of
        return 1 + np.count_nonzero(shown > shown[q, answer][:, None], axis=1)

    out, within, close = ranks(scores, True), ranks(scores, False), ranks(near, True)
    first = scores.argmax(axis=1)
    m, hits = len(candidates), {"out": out == 1, "within": within == 1, "near": close == 1}
    left = np.array([m - len(set(row[:3])) for row in rows.tolist()])
    by_chance = float((1 / left).mean())
    said = holm({"near": hits_differ(hits["near"], hits["out"], seed=seed),
                 "in": hits_differ(hits["out"], hits["within"], seed=seed)})
    share = {key: proportion(float(h.sum()), len(q), null=1 / m if key == "within" else by_chance)
             for key, h in hits.items()}
    return Solved(tuple(analogies), candidates, out, within, close, first, share["out"], share["within"], share["near"],
                  proportion(float((first[:, None] == rows[:, :3]).any(axis=1).sum()), len(q), null=3 / m),
                  said["near"], said["in"], scores[q, answer].astype(np.float32))
