"""Which box a sentence means: each box is looked at by a visual prompt, and scored for the sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from core.attention.foveal.captions import OTHERS, others_of, text_vectors
from core.attention.masks import Steering
from core.attention.prompts import BATCH, METHODS, at_once, encode_prompted
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError, UnreadableItem, check_choice
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import unit
from core.geometry.jackknife import share_by
from core.sources.foveal.boxed import BoxedPictures
from core.types import Number, Refusal

ALIKE = 1e-6      # scores nearer than this are equal: what rounding leaves of the same view in two batches


@dataclass(frozen=True, eq=False)
class BoxScores:
    """Scores of the boxes of a picture for sentences, by one method.

    Attributes
    ----------
    raw : (s, k) float64, cosines of the view of each box with each sentence.
    subtracted : (s, k) float64, less the mean cosine of the view with the other captions of the sentence.
    """

    raw: np.ndarray
    subtracted: np.ndarray

    def of(self, subtracted: bool) -> np.ndarray:
        """One of the two."""
        return self.subtracted if subtracted else self.raw


@dataclass(frozen=True, eq=False)
class ReferringReport:
    """How often each method finds the box that a sentence means.

    Attributes
    ----------
    name : of the pictures.
    methods : in the order asked for; the first is compared with all others.
    accuracy : by (method, whether other captions were subtracted), share of sentences whose own box scores highest;
        interval by pictures, null the mean of 1 / number of boxes, n sentences.
    over : by (other method, subtracted), accuracy of the first method less that of the other, on the same sentences;
        by pictures, p corrected by Holm over the other methods.
    gain : by method, accuracy with other captions subtracted less without.
    hits : by (method, subtracted), (q,) float64 in [0, 1], 1 / t where the right box is one of t highest.
    chosen : by (method, subtracted), (q,) int64, the box that scored highest.
    rows : (q,) int64, rows of ``references`` that were scored.
    picture, boxes : (q,) int64, the picture of each, and how many boxes it has.
    refused : what was not scored, with reasons.
    """

    name: str
    methods: tuple[str, ...]
    accuracy: Mapping[tuple[str, bool], Number]
    over: Mapping[tuple[str, bool], Difference]
    gain: Mapping[str, Difference]
    hits: Mapping[tuple[str, bool], np.ndarray]
    chosen: Mapping[tuple[str, bool], np.ndarray]
    rows: np.ndarray
    picture: np.ndarray
    boxes: np.ndarray
    refused: tuple[Refusal, ...] = ()


def score_boxes(tower: ImageTower, image: Image, boxes: Sequence[Box], sentences: Sequence[str], method: str, *,
                others: Sequence[Sequence[str]] | None = None, template: str = "{}",
                steering: Steering | None = None) -> BoxScores:
    """Scores of the boxes of one picture for sentences; all boxes are one batch.

    Parameters
    ----------
    tower : what sees and reads.
    image, boxes : an upright RGB picture and k boxes of it.
    sentences : s texts.
    method : one of `core.attention.prompts.METHODS`.
    others : captions whose mean score is subtracted, for each sentence; None for the other sentences, or where there
        are none, for OTHERS.
    template : how a sentence is told to the model, with {} where it stands.
    steering : of the methods that steer, in place of their own.

    Returns
    -------
    BoxScores, (s, k).

    Raises
    ------
    ShapeError
        If a box is out of the picture or its preprocessing cuts it away, or there is no box or no sentence.
    """
    if not boxes or not sentences:
        raise ShapeError("boxes to choose from and a sentence", f"{len(boxes)} boxes, {len(sentences)} sentences")
    views = _views(tower, [image] * len(boxes), boxes, method, steering)
    if others is None:
        others = [[t for t in sentences if t != s] or OTHERS for s in sentences]
    return _scored(views, text_vectors(tower, {*sentences, *(t for o in others for t in o)}, template), sentences,
                   others)


def refer(tower: ImageTower, data: BoxedPictures, methods: Sequence[str] = METHODS, *,
          steering: Mapping[str, Steering] | None = None, template: str = "{}", others: Sequence[str] | None = None,
          seed: int = 0, on_progress: Callable[[float, str], None] | None = None,
          should_stop: Callable[[], bool] | None = None) -> ReferringReport:
    """Score every sentence of pictures by several methods.

    Parameters
    ----------
    tower : what sees and reads.
    data : pictures with boxes and sentences.
    methods : of `core.attention.prompts.METHODS`; the first is compared with the others.
    steering : by method, in place of its own.
    template : how a sentence is told to the model, with {} where it stands.
    others : captions to subtract; None for those that `core.attention.foveal.captions.others_of` finds.
    seed : of which sentences of the file are subtracted, where its pictures have one each, and of sign flips.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.

    Returns
    -------
    ReferringReport.

    Raises
    ------
    ShapeError
        If no sentence can be scored, with the first reason.
    """
    for method in methods:
        check_choice("method", method, METHODS)
    refused: list[Refusal] = []
    captions = others_of(data, others, seed=seed)
    texts = {r.sentence for r in data.references} | {t for o in captions for t in o}
    words = text_vectors(tower, texts, template, should_stop)
    found: dict[tuple[str, bool], list[tuple[float, int]]] = {(m, s): [] for m in methods for s in (False, True)}
    rows: list[int] = []
    counts: list[int] = []
    for group in _groups(tower, data, refused):
        first = group[0].number
        if should_stop is not None and should_stop():
            raise Cancelled(f"{first:,} of {len(data.image_ids):,} pictures")
        if on_progress is not None:
            on_progress(first / len(data.image_ids), f"Picture {first + 1:,} of {len(data.image_ids):,}")
        for method in methods:
            views = _views(tower, [p.image for p in group for _ in p.boxes], [b for p in group for b in p.boxes],
                           method, (steering or {}).get(method))
            at = 0
            for p in group:
                scores = _scored(views[at:at + len(p.boxes)], words,
                                 [data.references[r].sentence for r in p.rows], [captions[r] for r in p.rows])
                at += len(p.boxes)
                for subtracted in (False, True):
                    found[method, subtracted] += [_hit(row, p.kept.index(data.references[r].gold), p.kept)
                                                  for row, r in zip(scores.of(subtracted), p.rows)]
        rows += [r for p in group for r in p.rows]
        counts += [len(p.boxes) for p in group for _ in p.rows]
    if not rows:
        why = f": {refused[0].name}: {refused[0].reason}" if refused else ""
        raise ShapeError("a sentence about one of two boxes or more of a picture", f"none in {data.name}{why}")
    return _report(data, tuple(methods), found, np.array(rows), np.array(counts), refused, seed)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture that can be scored: its boxes, which of the data's these are, and rows of its references."""

    number: int
    image: Image
    boxes: list[Box]
    kept: list[int]
    rows: list[int]


def _groups(tower: ImageTower, data: BoxedPictures, refused: list[Refusal]) -> Iterator[list[_Seen]]:
    """Pictures in groups of about a batch of boxes, or as many as can be held."""
    group: list[_Seen] = []
    for number in range(len(data.image_ids)):
        seen = _seen(tower, data, number, refused) if data.of_picture[number] else None
        if seen is not None:
            group.append(seen)
        if sum(len(p.boxes) for p in group) >= BATCH or (group and len(group) >= at_once(group[-1].image)):
            yield group
            group = []
    if group:
        yield group


def _seen(tower: ImageTower, data: BoxedPictures, number: int, refused: list[Refusal]) -> _Seen | None:
    name, rows = data.image_ids[number], list(data.of_picture[number])
    try:
        image = data.images.decode(number)
    except UnreadableItem as error:
        refused.append(Refusal(name, error.got))
        return None
    boxes, kept = [], []
    for i, sides in enumerate(data.boxes[number]):
        box = Box(*map(float, sides))
        try:
            tower.shares(Region((box,)), image.size)
        except ShapeError as error:
            refused.append(Refusal(f"{name}, box {i + 1}", f"expected {error.expected}; it is {error.got}"))
        else:
            boxes.append(box)
            kept.append(i)
    for row in rows:
        if data.references[row].gold not in kept:
            refused.append(Refusal(f"{name}, \"{data.references[row].sentence}\"", "its own box cannot be used"))
    rows = [row for row in rows if data.references[row].gold in kept]
    if len(kept) < 2 and rows:
        refused.append(Refusal(name, "it has one box: nothing to choose from"))
        return None
    return _Seen(number, image, boxes, kept, rows) if rows else None


def _views(tower: ImageTower, images: Sequence[Image], boxes: Sequence[Box], method: str,
           steering: Steering | None) -> np.ndarray:
    """(n, d) unit vectors of pictures looked at by their boxes; pictures that do not change are encoded once."""
    regions = [Region((box,)) for box in boxes]
    if method == "none":
        different = list({id(image): image for image in images}.values())
        vectors = dict(zip(map(id, different), encode_prompted(tower, different, regions[:len(different)], method)))
        return unit(np.stack([vectors[id(image)] for image in images]))
    return unit(encode_prompted(tower, images, regions, method, steering))


def _scored(views: np.ndarray, words: Mapping[str, np.ndarray], sentences: Sequence[str],
            others: Sequence[Sequence[str]]) -> BoxScores:
    told = np.stack([words[s] for s in sentences]).astype(np.float64)
    less = np.stack([np.mean([words[t] for t in o], axis=0, dtype=np.float64) if len(o) else np.zeros(told.shape[1])
                     for o in others])
    seen = views.astype(np.float64).T
    return BoxScores(told @ seen, (told - less) @ seen)


def _hit(scores: np.ndarray, gold: int, kept: Sequence[int]) -> tuple[float, int]:
    """Chance that the right box is drawn among the highest, and the first of these as a box of the data."""
    highest = scores >= scores.max() - ALIKE
    return (1 / int(highest.sum()) if highest[gold] else 0.0), kept[int(highest.argmax())]


def _report(data: BoxedPictures, methods: tuple[str, ...], found: Mapping[tuple[str, bool], list[tuple[float, int]]],
            rows: np.ndarray, boxes: np.ndarray, refused: Sequence[Refusal], seed: int) -> ReferringReport:
    picture = np.array([data.references[r].picture for r in rows])
    hits = {key: np.array([hit for hit, _ in pairs]) for key, pairs in found.items()}
    chance = float((1 / boxes).mean())
    over: dict[tuple[str, bool], Difference] = {}
    for subtracted in (False, True):
        over |= holm({(m, subtracted): hits_differ(hits[m, subtracted], hits[methods[0], subtracted], picture,
                                                   seed=seed) for m in methods[1:]})
    gain = holm({m: hits_differ(hits[m, False], hits[m, True], picture, seed=seed) for m in methods})
    return ReferringReport(
        data.name, methods, {key: share_by(h, picture, chance) for key, h in hits.items()}, over, gain, hits,
        {key: np.array([box for _, box in pairs]) for key, pairs in found.items()}, rows, picture, boxes,
        tuple(refused))
