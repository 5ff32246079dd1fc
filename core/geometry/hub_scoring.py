"""What repairs of hubness do to retrieval and to hubs, on queries apart from the bank that the repairs look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.hub_repairs import BETA, PLAIN, REPAIRS, repaired
from core.geometry.hubs import hubness
from core.geometry.jackknife import clusters
from core.geometry.retrieval import Answers, hits_of
from core.types import Number

LEAST_GROUPS = 4


@dataclass(frozen=True)
class RepairRow:
    """One repair: R@1 with interval and chance, its difference to the cosine (p by Holm; None of the cosine itself),
    and the skew of how often items are found (mean of both halves; None where it is not defined)."""

    method: str
    recall: Number
    change: Difference | None
    hubness: Number | None


@dataclass(frozen=True, eq=False)
class RepairReport:
    """All repairs on the same queries.

    Attributes
    ----------
    rows : the plain cosine first.
    bank, gallery : queries of the bank and items of the gallery, on average over the two halves.
    k : neighbours in the count of hubs.
    beta : inverse temperature.
    """

    rows: tuple[RepairRow, ...]
    bank: float
    gallery: float
    k: int
    beta: float


def score_repairs(queries: np.ndarray, gallery: np.ndarray, links: np.ndarray, *,
                  methods: Sequence[str] | None = None, beta: float = BETA, k: int = 10, seed: int = 0,
                  on_progress: Callable[[float, str], None] | None = None,
                  should_stop: Callable[[], bool] | None = None) -> RepairReport:
    """Score one half of the queries with the other half as the bank, then the other way round.

    What links join (an image with all its texts) is wholly in one half. Each half has a gallery of its own, so that no
    query of the bank has its answer in the gallery: a repair that knew who asks for an item would have been told.

    Parameters
    ----------
    queries, gallery, links
        (q, d) and (m, d) unit rows; (p, 2) rows (query, gallery) that belong together.
    methods
        Keys of `hub_repairs.REPAIRS`; all of them by default. The plain cosine is always the first.
    beta, k
        Inverse temperature of the softmaxes; neighbours in the count of hubs.
    seed
        Of the halves.

    Returns
    -------
    R@1 over all queries that have a right answer, each in the gallery of its half.

    Raises
    ------
    ShapeError
        With fewer than 4 groups of what belongs together.
    Cancelled
        If ``should_stop`` says so.
    """
    answers = Answers.of(links, (len(queries), len(gallery)))
    keys = list(dict.fromkeys([PLAIN, *(REPAIRS if methods is None else methods)]))
    of_queries, of_gallery = clusters([len(queries), len(gallery)], links)
    groups = np.unique(of_queries[links[:, 0]])
    if len(groups) < LEAST_GROUPS:
        raise ShapeError(f"at least {LEAST_GROUPS} groups of queries and answers, half of them as a bank",
                         str(len(groups)), "Bring more pairs.")
    every = np.unique(np.concatenate([of_queries, of_gallery]))
    rng = np.random.default_rng(seed)
    first = np.concatenate([part[:len(part) // 2] for part in
                            (rng.permutation(groups), rng.permutation(np.setdiff1d(every, groups)))])
    halves = np.isin(of_queries, first), np.isin(of_gallery, first)
    hits = {key: np.zeros(len(answers.asked)) for key in keys}
    skews: dict[str, list[Number | None]] = {key: [] for key in keys}
    nulls, banks, sizes = np.zeros(len(answers.asked)), [], []
    for fold in (True, False):
        rows, items = (np.flatnonzero(half == fold) for half in halves)
        place = np.full(len(gallery), -1)
        place[items] = np.arange(len(items))
        where = np.full(len(queries), -1)
        where[rows] = np.arange(len(rows))
        own = links[np.isin(links[:, 0], rows)]
        own = np.stack([where[own[:, 0]], place[own[:, 1]]], axis=1)
        scored, part, bank = queries[rows], gallery[items], queries[halves[0] != fold]
        cosines, of_bank = scored @ part.T, bank @ part.T
        banks.append(len(bank))
        sizes.append(len(items))
        for step, key in enumerate(keys):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{step} of {len(keys)} repairs")
            if on_progress is not None:
                on_progress(((not fold) * len(keys) + step) / (2 * len(keys)), REPAIRS[key].title)
            scores = repaired(key, cosines, of_bank, beta=beta)
            found, of = hits_of(scored, part, own, (1,), scores=scores)
            at = np.searchsorted(answers.asked, rows[found.asked])
            hits[key][at] = of[:, 0]
            nulls[at] = np.bincount(found.place) / len(items)
            skews[key].append(hubness(scored, part, k=k, scores=scores))
    recalls = {key: replace(answers.share(hits[key], 1), null=float(nulls.mean())) for key in keys}
    changes = holm({key: hits_differ(hits[PLAIN], hits[key], answers.together, seed=seed) for key in keys[1:]})
    return RepairReport(tuple(RepairRow(key, recalls[key], changes.get(key), _both(skews[key])) for key in keys),
                        float(np.mean(banks)), float(np.mean(sizes)), k, beta)


def _both(skews: Sequence[Number | None]) -> Number | None:
    known = [skew for skew in skews if skew is not None]
    if len(known) < len(skews):
        return None
    return Number(float(np.mean([s.value for s in known])), null=float(np.mean([s.null for s in known if s.null])),
                  n=sum(s.n or 0 for s in known))
