"""What "not" does to a text vector: how close a negated text stays, and which images it is put to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import angle
from core.geometry.intervals import proportion
from core.geometry.jackknife import share_by
from core.geometry.retrieval import chance_of_a_hit
from core.language.words.reading import Progress, Stop, read
from core.language.world_evaluation import Encoder
from core.types import Number


@dataclass(frozen=True, eq=False)
class Negated:
    """Texts of k classes, each affirmed and negated.

    Attributes
    ----------
    names, affirmed, negated : k each.
    apart : (k,) float64, degrees between a text and its negation.
    others : (k, k) float64, degrees between the affirmed texts.
    closer : share of pairs of a text and another class in which the negation is nearer than the other class's text; 1/2
        by chance.
    present : share of images on which the negation of their own class beats the affirmed text: 0 for who reads "not",
        1/2 by chance.
    absent : share of images and classes that they are not of on which the negation beats the affirmed text: 1 for who
        reads "not".
    told : share of pairs of an image and another class in which "not" of the other class, which is true, beats "not" of
        its own: 1 for who reads "not".
    affirmed_right, negated_right : share of images whose own class is nearest, by affirmed and by negated texts. Who
        reads "not" puts the negation of the own class last, and the second share is 0.
    against_half : of the four shares, less 1/2, by name (Holm).
    images : how many.
    """

    names: tuple[str, ...]
    affirmed: tuple[str, ...]
    negated: tuple[str, ...]
    apart: np.ndarray
    others: np.ndarray
    closer: Number
    present: Number
    absent: Number
    told: Number
    affirmed_right: Number
    negated_right: Number
    against_half: dict[str, Difference]
    images: int


def negate(model: Encoder, images: np.ndarray, truth: np.ndarray, names: Sequence[str], affirmed: Sequence[str],
           negated: Sequence[str], *, seed: int = 0, on_progress: Progress | None = None,
           should_stop: Stop | None = None) -> Negated:
    """Compare texts with their negations, between themselves and on images.

    Parameters
    ----------
    model : that made the vectors of the images; cosines are its scores.
    images : (n, d) float32, unit rows.
    truth : (n,) int, class of each image; -1 where it has none, and the image is left out.
    names, affirmed, negated : of the k classes, k >= 2.
    seed : of sign flips.

    Raises
    ------
    ShapeError
        If there are fewer than two classes, or no image has one.
    """
    rows = np.flatnonzero(np.asarray(truth) >= 0)
    k = len(names)
    if k < 2 or not len(affirmed) == len(negated) == k or not len(rows):
        raise ShapeError("two classes or more, each affirmed and negated, and images that have one",
                         f"{k} classes, {len(rows)} images")
    texts = read(model, (*affirmed, *negated), on_progress, should_stop)
    yes, no = texts[:k], texts[k:]
    truth, seen = np.asarray(truth)[rows], images[rows]
    n, at = len(rows), np.arange(len(rows))
    apart, others = np.degrees(angle(yes, no)), np.degrees(angle(yes[:, None], yes[None]))
    plain, turned = seen @ yes.T, seen @ no.T
    off = np.ones((n, k), dtype=bool)
    off[at, truth] = False
    image, _ = np.nonzero(off)
    classes, beside = np.nonzero(~np.eye(k, dtype=bool))
    hits = {
        "closer": _beats(-apart[classes], -others[classes, beside]),
        "present": _beats(turned[at, truth], plain[at, truth]),
        "absent": _beats(turned[off], plain[off]),
        "told": _beats(turned[off], turned[at, truth][image]),
    }
    together = {"closer": classes, "present": at, "absent": image, "told": image}
    shares = {name: share_by(h, together[name], 0.5) for name, h in hits.items()}
    tested = holm({name: hits_differ(np.full(len(h), 0.5), h, together[name], seed=seed) for name, h in hits.items()})
    right = [proportion(float(chance_of_a_hit(scores, at, truth, (1,)).sum()), n, null=1 / k)
             for scores in (plain, turned)]
    return Negated(tuple(names), tuple(affirmed), tuple(negated), apart, others, shares["closer"], shares["present"],
                   shares["absent"], shares["told"], right[0], right[1], tested, n)


def _beats(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(q,) 1 where a is larger, 1/2 where both are equal."""
    return np.where(a > b, 1.0, np.where(a == b, 0.5, 0.0))
