"""What a shift along the gap does to the loss, to retrieval and to zero-shot accuracy, shift by shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled
from core.geometry.gap.measures import batches, gap_by_chance, loss_of
from core.geometry.gap.parts import at_most, cluster_labels, one_text_each
from core.geometry.gap.reports import Curve, Landscape, Pairs
from core.geometry.gap.shift import gap_vector
from core.geometry.intervals import Z95
from core.geometry.retrieval import Answers, any_right
from core.types import Number

SHIFTS = np.arange(-20, 41) / 40
TEMPERATURES = (1 / 100, 1 / 50, 1.0)
MOST = 5000
BLOCK_ROWS = 64
SLACK = np.float32(1e-6)
Progress = Callable[[float, str], None]


def landscape(pairs: Pairs, *, shifts: np.ndarray = SHIFTS, temperatures: Sequence[float] = TEMPERATURES,
              batch: int = 50, on_progress: Progress | None = None,
              should_stop: Callable[[], bool] | None = None) -> Landscape:
    """Loss, retrieval, accuracy and gap at each shift, as `shift.shifted` moves the vectors.

    Parameters
    ----------
    pairs
        Images and texts; without links there is neither loss nor retrieval, without classes no accuracy. Up to 5,000
        images and texts are looked at; the gap vector is that of all.
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
    sample, gap = at_most(pairs, MOST), gap_vector(pairs)
    sides = _Sides.of(sample, gap)
    kept = np.array([lam for lam in np.asarray(shifts, dtype=np.float64) if sides.shortest(lam) > 1e-6])
    links = one_text_each(sample)
    losses = {t: _losses(sample, sides, links, kept, t, batch) for t in temperatures} if len(links) > 1 else {}
    works: list[tuple[str, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[int, ...]]] = []
    if len(sample.links):
        x, y, back = sample.images, sample.texts, sample.links[:, ::-1]
        works += [("image_to_text", x, y, sides.image, sides.text, sample.links, (1, 5)),
                  ("text_to_image", y, x, sides.text, sides.image, back, (1, 5))]
    known = np.flatnonzero(sample.classes.truth >= 0) if sample.classes is not None else np.zeros(0, dtype=np.int64)
    if sample.classes is not None and len(known):
        classes = sample.classes
        works.append(("zero_shot", sample.images, classes.vectors, sides.image, -(classes.vectors @ gap),
                      np.stack([known, classes.truth[known]], axis=1), (1,)))
    curves: dict[str, Curve] = {}
    for i, (name, queries, gallery, of_queries, of_gallery, right, ks) in enumerate(works):
        def tell(share: float, i: int = i, name: str = name) -> None:
            if should_stop is not None and should_stop():
                raise Cancelled(f"{i} of {len(works)} curves of the landscape")
            if on_progress is not None:
                on_progress((i + share) / len(works), name.replace("_", " "))

        found = _retrieval(queries, gallery, of_queries, of_gallery, sides.square, right, kept, ks, tell)
        curves |= {f"r{k}_{name}": curve for k, curve in found.items()}
    if on_progress is not None:
        on_progress(1.0, "Done")
    accuracy = curves.pop("r1_zero_shot", None)
    return Landscape(kept, losses, curves, accuracy, _gaps(sample, sides, kept), min(batch, len(links)), len(links))


@dataclass(frozen=True, eq=False)
class _Sides:
    """What a shift needs to know: each vector's part along the gap, positive where the shift shortens it."""

    image: np.ndarray
    text: np.ndarray
    square: float

    @classmethod
    def of(cls, pairs: Pairs, gap: np.ndarray) -> _Sides:
        return cls(pairs.images @ gap, -(pairs.texts @ gap), float(gap @ gap))

    def shortest(self, lam: float) -> float:
        return float(min(_lengths(side, self.square, lam).min() for side in (self.image, self.text)))


def _lengths(side: np.ndarray, square: float, lam: float) -> np.ndarray:
    return np.sqrt(np.maximum(1 - 2 * lam * side + lam * lam * square, 0))


def _losses(pairs: Pairs, sides: _Sides, links: np.ndarray, shifts: np.ndarray, temperature: float,
            batch: int) -> Curve:
    rows, counted = batches(len(links), batch)
    x, y = links[:, 0][rows], links[:, 1][rows]
    cosines = np.matmul(pairs.images[x], pairs.texts[y].transpose(0, 2, 1)).astype(np.float64)
    of_x, of_y = sides.image[x], sides.text[y]
    numbers = []
    for lam in shifts:
        long = [_lengths(side, sides.square, lam) for side in (of_x, of_y)]
        moved = cosines + lam * (of_x[:, :, None] + of_y[:, None]) - lam**2 * sides.square
        numbers.append(loss_of(moved / (long[0][:, :, None] * long[1][:, None]), counted, temperature))
    return Curve.of(f"Loss at temperature {temperature:g}", numbers)


def _retrieval(queries: np.ndarray, gallery: np.ndarray, of_queries: np.ndarray, of_gallery: np.ndarray, square: float,
               links: np.ndarray, shifts: np.ndarray, ks: Sequence[int],
               tell: Callable[[float], None]) -> dict[int, Curve]:
    """Recall at each shift: a shift adds to every cosine a number of its query and one of its item, then divides.

    The cosine of query i and item j becomes (cos + lam (q_i + g_j) - lam^2 |D|^2) / (length_i length_j); the length of
    the query does not change the order of its items, so it is left out.
    """
    answers = Answers.of(links, (len(queries), len(gallery)))
    queries, of_queries = queries[answers.asked], of_queries[answers.asked].astype(np.float32)
    scale = np.stack([1 / _lengths(of_gallery, square, lam) for lam in shifts]).astype(np.float32)
    added = (scale * (shifts[:, None] * of_gallery - shifts[:, None] ** 2 * square)).astype(np.float32)
    place, right = answers.place, answers.right
    own = np.concatenate([np.einsum("ij,ij->i", queries[place[i:i + 4096]], gallery[right[i:i + 4096]])
                          for i in range(0, len(place), 4096)])
    a, s = len(queries), len(shifts)
    own_scores = np.stack([(own + lam * of_queries[place]) * scale[t, right] + added[t, right]
                           for t, lam in enumerate(shifts.astype(np.float32))])
    best = np.full((s, a), -np.inf, dtype=np.float32)
    for t in range(s):
        np.maximum.at(best[t], place, own_scores[t])
    right_level = np.stack([np.bincount(place, own_scores[t] >= best[t][place] - SLACK, a) for t in range(s)])
    above, level = np.zeros((s, a), dtype=np.int64), np.zeros((s, a), dtype=np.int64)
    score, more = np.empty((BLOCK_ROWS, a), dtype=np.float32), np.empty((BLOCK_ROWS, a), dtype=bool)
    for start in range(0, len(gallery), BLOCK_ROWS):
        tell(start / len(gallery))
        rows = slice(start, start + BLOCK_ROWS)
        cosines = gallery[rows] @ queries.T
        score, more = score[:len(cosines)], more[:len(cosines)]
        for t, lam in enumerate(shifts.astype(np.float32)):
            np.add(cosines, lam * of_queries, out=score)
            np.multiply(score, scale[t, rows, None], out=score)
            np.add(score, added[t, rows, None], out=score)
            np.greater(score, best[t] + SLACK, out=more)
            above[t] += np.add.reduce(more.view(np.uint8), axis=0, dtype=np.uint8)
            np.greater_equal(score, best[t] - SLACK, out=more)
            level[t] += np.add.reduce(more.view(np.uint8), axis=0, dtype=np.uint8)
    level -= above
    return {k: Curve.of(f"R@{k}", [answers.share(any_right(k - above[t], level[t], right_level[t].astype(np.int64)), k)
                                   for t in range(s)]) for k in ks}


def _gaps(pairs: Pairs, sides: _Sides, shifts: np.ndarray) -> Curve:
    """Distance of the means at each shift; the interval is that of each cluster's pull on it, the shift kept."""
    gap = gap_vector(pairs)
    means, pulls = [], []
    inverse = [np.stack([1 / _lengths(side, sides.square, lam) for lam in shifts])
               for side in (sides.image, sides.text)]
    for x, way, scale in ((pairs.images, -1, inverse[0]), (pairs.texts, 1, inverse[1])):
        means.append(scale @ x / len(x) + (way * shifts * scale.mean(axis=1))[:, None] * gap)
    apart = means[0] - means[1]
    lengths = np.linalg.norm(apart, axis=1)
    along = apart / np.maximum(lengths, 1e-12)[:, None]
    of_x, of_y, c = cluster_labels(pairs)
    for x, way, scale in ((pairs.images, -1, inverse[0]), (pairs.texts, 1, inverse[1])):
        moved = scale * (along @ x.T + (way * shifts * (along @ gap))[:, None])
        pulls.append((moved - moved.mean(axis=1, keepdims=True)) / len(x))
    numbers = []
    null = gap_by_chance(pairs)[0]
    for t, value in enumerate(lengths):
        if c < 3:
            numbers.append(Number(float(value), null=null))
            continue
        pull = np.bincount(of_x, pulls[0][t], c) - np.bincount(of_y, pulls[1][t], c)
        half = Z95 * float(np.sqrt((pull @ pull) * c / (c - 1)))
        numbers.append(Number(float(value), max(float(value) - half, 0.0), min(float(value) + half, 2.0), null))
    return Curve.of("Gap", numbers)
