"""What a shift along the gap does to the loss, to retrieval and to zero-shot accuracy, shift by shift."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled
from core.geometry.curves import Curve
from core.geometry.differences import Difference, hits_differ, holm, means_differ
from core.geometry.gap.measures import BATCH, batches, loss_of, losses_of
from core.geometry.gap.parts import cluster_labels, for_retrieval, one_text_each
from core.geometry.gap.reports import Landscape
from core.geometry.intervals import proportion
from core.geometry.jackknife import student
from core.geometry.pairs import Pairs
from core.geometry.retrieval import Answers, any_right
from core.geometry.rounding import rounding
from core.geometry.shift import gap_vector
from core.geometry.swaps import Swaps
from core.types import Number

SHIFTS = np.arange(-20, 41) / 40
TEMPERATURES = (1 / 100, 1 / 50, 1.0)
CELLS = 1 << 18
SLACK = np.float32(rounding(np.empty(0, np.float32)))
Progress = Callable[[float, str], None]


def landscape(pairs: Pairs, *, shifts: np.ndarray = SHIFTS, temperatures: Sequence[float] = TEMPERATURES,
              batch: int = BATCH, on_progress: Progress | None = None,
              should_stop: Callable[[], bool] | None = None) -> Landscape:
    """Loss, retrieval, accuracy and gap at each shift, as `shift.shifted` moves the vectors.

    Parameters
    ----------
    pairs
        Images and texts; without links there is neither loss nor retrieval, without classes no accuracy. Up to 150
        million cosines of images with texts are looked at; the gap and the shift are those of all.
    shifts
        (s,) growing; those that leave a vector no direction are left out.
    temperatures
        Of the loss, > 0.
    batch
        Pairs in a batch of the loss; batches are consecutive rows, so the loss depends on the order of the rows.
    on_progress, should_stop
        Told the share done; asked while retrieval is counted.

    Raises
    ------
    ShapeError
        As `measures.loss_at`.
    Cancelled
        If ``should_stop`` says so.

    References
    ----------
    Liang et al., NeurIPS 2022, arXiv:2203.02053, section 5.
    """
    sample, gap = for_retrieval(pairs), gap_vector(pairs)
    square = float(gap @ gap)
    every, least = _along(pairs, gap), rounding(pairs.images, len(gap))
    kept = np.array([lam for lam in np.asarray(shifts, dtype=np.float64)
                     if min(_lengths(along, square, lam).min(initial=1) for along in every) ** 2 > least])
    of_images, of_texts, of_classes = _along(sample, gap)
    links = one_text_each(sample)
    losses: dict[float, Curve] = {}
    closed: dict[str, Difference] = {}
    lowest: dict[float, Difference] = {}
    zero, half = (int(np.argmin(np.abs(kept - place))) for place in (0.0, 0.5))
    compared = len(kept) > 0 and bool(np.isclose(kept[[zero, half]], [0.0, 0.5]).all())
    if len(links) > 1:
        rows, counted = batches(len(links), batch)
        in_batches = _in_batches(sample, of_images, of_texts, square, links[rows], kept)
        losses = {t: Curve.of(f"Loss at temperature {t:g}", [loss_of(cosines, counted, t) for cosines in in_batches])
                  for t in temperatures}

        def lost(t: float, to: int) -> Difference:
            (before, weights), (after, _) = (losses_of(in_batches[i], counted, t) for i in (zero, to))
            return means_differ(before, after, weights, unit="nats")

        if compared:
            closed["loss"] = lost(min(temperatures), half)
            lowest = {t: holm({t: lost(t, int(np.argmin(losses[t].values)))}, among=len(kept) - 1)[t]
                      for t in temperatures}
    x, y, classes = sample.images, sample.texts, sample.classes
    works: list[_Work] = []
    if len(sample.links):
        works = [_Work("image_to_text", x, y, of_images, of_texts, sample.links, (1, 5)),
                 _Work("text_to_image", y, x, of_texts, of_images, sample.links[:, ::-1], (1, 5))]
    if classes is not None and len(known := np.flatnonzero(classes.truth >= 0)):
        truth = np.stack([known, classes.truth[known]], axis=1)
        works.append(_Work("accuracy", x, classes.vectors, of_images, of_classes, truth, (1,)))
    retrieval: dict[str, Curve] = {}
    accuracy = None
    for i, work in enumerate(works):
        def tell(share: float, i: int = i, name: str = work.name) -> None:
            if should_stop is not None and should_stop():
                raise Cancelled(f"{i} of {len(works)} curves of the landscape")
            if on_progress is not None:
                on_progress((i + share) / len(works), name.replace("_", " ").capitalize())

        answers = Answers.of(work.links, (len(work.queries), len(work.gallery)))
        hits = _hits(work, answers, square, kept, tell)
        if compared:
            closed[work.name if work.name == "accuracy" else f"r1_{work.name}"] = hits_differ(
                hits[1][zero], hits[1][half], answers.together)
        if work.name == "accuracy":
            n, chance = len(answers.asked), 1 / answers.size
            accuracy = Curve.of("Zero-shot accuracy", [proportion(float(h.sum()), n, null=chance) for h in hits[1]])
        else:
            retrieval |= {f"r{k}_{work.name}": Curve.of(f"R@{k}", [answers.share(h, k) for h in hits[k]])
                          for k in work.ks}
    if on_progress is not None:
        on_progress(1.0, "Done")
    return Landscape(kept, losses, retrieval, accuracy, _gaps(pairs, gap, every[0], every[1], kept),
                     min(batch, len(links)), len(links), holm(closed), lowest)


@dataclass(frozen=True, eq=False)
class _Work:
    """Queries, a gallery, each vector's part along the gap (`_along`) and rows (query, gallery) that are right."""

    name: str
    queries: np.ndarray
    gallery: np.ndarray
    of_queries: np.ndarray
    of_gallery: np.ndarray
    links: np.ndarray
    ks: tuple[int, ...]


def _along(pairs: Pairs, gap: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part of each image, text and class along the gap, positive where a positive shift shortens the vector."""
    classes = np.zeros((0, len(gap)), dtype=np.float32) if pairs.classes is None else pairs.classes.vectors
    step = gap.astype(np.float32)
    images, texts, classes = (x @ (sign * step) for x, sign in ((pairs.images, 1), (pairs.texts, -1), (classes, -1)))
    return images.astype(np.float64), texts.astype(np.float64), classes.astype(np.float64)


def _lengths(along: np.ndarray, square: float, lam: float | np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(1 - 2 * lam * along + lam * lam * square, 0))


def _in_batches(pairs: Pairs, of_images: np.ndarray, of_texts: np.ndarray, square: float, links: np.ndarray,
                shifts: np.ndarray) -> list[np.ndarray]:
    """Cosines inside batches ((b, k, 2) links) at each shift: (b, k, k) float64 each."""
    x, y = links[..., 0], links[..., 1]
    cosines = np.matmul(pairs.images[x], pairs.texts[y].transpose(0, 2, 1)).astype(np.float64)
    out = []
    for lam in shifts:
        long_x, long_y = _lengths(of_images[x], square, lam), _lengths(of_texts[y], square, lam)
        moved = cosines + lam * (of_images[x][:, :, None] + of_texts[y][:, None]) - lam**2 * square
        out.append(moved / (long_x[:, :, None] * long_y[:, None]))
    return out


def _hits(work: _Work, answers: Answers, square: float, shifts: np.ndarray,
          tell: Callable[[float], None]) -> dict[int, np.ndarray]:
    """Chance that each query finds a right answer, by k: (s, a) over shifts and queries asked.

    A shift turns the cosine of query i and item j into (cos + lam (q_i + g_j) - lam^2 |D|^2) / (length_i length_j) with
    their parts q and g along the gap: no product of vectors is needed again. The length of the query does not change
    the order of its items and is left out.
    """
    queries, of_queries = work.queries[answers.asked], work.of_queries[answers.asked].astype(np.float32)
    scale = np.stack([1 / _lengths(work.of_gallery, square, lam) for lam in shifts]).astype(np.float32)
    added = (scale * (shifts[:, None] * work.of_gallery - shifts[:, None] ** 2 * square)).astype(np.float32)
    place, right = answers.place, answers.right
    own = np.concatenate([np.einsum("ij,ij->i", queries[place[i:i + 4096]], work.gallery[right[i:i + 4096]])
                          for i in range(0, len(place), 4096)])
    a, s, steps = len(queries), len(shifts), shifts.astype(np.float32)
    best, right_level = np.full((s, a), -np.inf, dtype=np.float32), np.empty((s, a), dtype=np.int64)
    for t, lam in enumerate(steps):
        scores = (own + lam * of_queries[place]) * scale[t, right] + added[t, right]
        np.maximum.at(best[t], place, scores)
        right_level[t] = np.bincount(place, scores >= best[t][place] - SLACK, a)
    above, level = np.zeros((s, a), dtype=np.int64), np.zeros((s, a), dtype=np.int64)
    height = min(max(CELLS // a, 4), 255)   # no more rows than a byte can count
    score, more = np.empty((height, a), dtype=np.float32), np.empty((height, a), dtype=bool)
    for start in range(0, len(work.gallery), height):
        tell(start / len(work.gallery))
        rows = slice(start, start + height)
        cosines = work.gallery[rows] @ queries.T
        score, more = score[:len(cosines)], more[:len(cosines)]
        for t, lam in enumerate(steps):
            np.add(cosines, lam * of_queries, out=score)
            np.multiply(score, scale[t, rows, None], out=score)
            np.add(score, added[t, rows, None], out=score)
            np.greater(score, best[t] + SLACK, out=more)
            above[t] += np.add.reduce(more.view(np.uint8), axis=0, dtype=np.uint8)
            np.greater_equal(score, best[t] - SLACK, out=more)
            level[t] += np.add.reduce(more.view(np.uint8), axis=0, dtype=np.uint8)
    level -= above
    return {k: np.stack([any_right(k - above[t], level[t], right_level[t]) for t in range(s)]) if s else above
            for k in work.ks}


def _gaps(pairs: Pairs, gap: np.ndarray, of_images: np.ndarray, of_texts: np.ndarray, shifts: np.ndarray) -> Curve:
    """Distance of the means at each shift; its interval is from each cluster's pull on the moved means.

    A point pulls by where it lies after the shift, and by what it does to the gap vector that all are moved along.
    """
    square, steps = float(gap @ gap), shifts[:, None]
    sides = []
    for x, along, way in ((pairs.images, of_images, -steps), (pairs.texts, of_texts, steps)):
        scale = 1 / _lengths(along, square, steps)
        mean = (scale.astype(x.dtype) @ x + way * scale.sum(axis=1, keepdims=True) * gap) / len(x)
        sides.append((x, scale, way, mean))
    apart = sides[0][3] - sides[1][3]
    values = np.linalg.norm(apart, axis=1)
    nulls = _gaps_by_chance(pairs, gap, sides[0][1], sides[1][1], shifts)
    of_x, of_y, c = cluster_labels(pairs)
    if c < 3:
        return Curve.of("Gap", [Number(float(value), null=null) for value, null in zip(values, nulls)])
    directions = apart / np.maximum(values, rounding(pairs.images))[:, None]
    moved, turned = [], np.zeros_like(apart)
    for x, scale, way, _ in sides:
        there = scale * ((x @ directions.T.astype(x.dtype)).T + way * (directions @ gap)[:, None])
        back = there * scale**2
        turned += scale.mean(axis=1, keepdims=True) * directions
        turned -= (back.astype(x.dtype) @ x + way * back.sum(axis=1, keepdims=True) * gap) / len(x)
        moved.append(there)
    pulls = [(there - steps * (x @ turned.T.astype(x.dtype)).T) / len(x) for there, (x, *_) in zip(moved, sides)]
    numbers = []
    for value, null, of_image, of_text in zip(values, nulls, *pulls):
        pull = np.bincount(of_x, of_image - of_image.mean(), c) - np.bincount(of_y, of_text - of_text.mean(), c)
        half = student(c - 1) * math.sqrt(float(pull @ pull) * c / (c - 1))
        numbers.append(Number(float(value), max(float(value) - half, 0.0), min(float(value) + half, 2.0), null))
    return Curve.of("Gap", numbers)


def _gaps_by_chance(pairs: Pairs, gap: np.ndarray, of_images: np.ndarray, of_texts: np.ndarray,
                    shifts: np.ndarray) -> list[float]:
    """`swaps.gap_by_chance` of the moved vectors, from one over their lengths ((s, n) and (s, m)) at each shift."""
    n, m = len(pairs.images), len(pairs.texts)
    swaps, points = Swaps.within(n, m, pairs.links), np.concatenate([pairs.images, pairs.texts])
    way = np.repeat([-1.0, 1.0], [n, m])
    found = []
    for lam, scale in zip(shifts, np.concatenate([of_images, of_texts], axis=1)):
        sums = swaps.sums(points, scale)
        sums += np.bincount(swaps.of, lam * way * scale)[:, None].astype(points.dtype) * gap.astype(points.dtype)
        found.append(swaps.gap(sums)[0])
    return found
