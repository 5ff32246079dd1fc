"""Where a sentence points when there are no boxes: foveal windows slide over the picture, and each is scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL.Image import Image

from core.attention.foveal.captions import OTHERS, others_of, text_vectors
from core.attention.masks import Steering
from core.attention.prompts import encode_prompted
from core.attention.regions import Box, Region, intersection_over_union
from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError, UnreadableItem, check_choice
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import unit
from core.geometry.jackknife import share_by
from core.sources.foveal.boxed import BoxedPictures
from core.types import Number, Refusal

METHODS = ("foveal", "hard_mask", "crop", "blur", "grey")
CENTRE = "centre"
UNIT = "intersection over union"


@dataclass(frozen=True)
class Search:
    """Which windows slide, and how their scores are read.

    Attributes
    ----------
    sides : of the windows, as shares of the grid's sides; every height goes with every width.
    steps : from one window to the next, as a share of the grid's sides, at least one patch.
    longest : windows with one side more than so many times the other are left out.
    per_size : whether the mean score of the windows of a size is subtracted from each of them: larger windows score
        higher or lower whatever they show.
    threshold : the box is the window with the most heat above this height, as a share of the way from the mean of the
        heat to its highest; None for the window that scores highest by itself.
    """

    sides: tuple[float, ...] = (0.25, 0.375)
    steps: float = 0.125
    longest: float = 2.0
    per_size: bool = True
    threshold: float | None = 0.6

    def __post_init__(self) -> None:
        if not self.sides or not all(0 < s <= 1 for s in self.sides) or not 0 < self.steps <= 1 or self.longest < 1:
            raise ShapeError("sides and steps above 0 and up to 1, the longest side 1 time the other or more",
                             f"sides {self.sides}, steps {self.steps}, longest {self.longest}")
        if self.threshold is not None and not 0 <= self.threshold < 1:
            raise ShapeError("a threshold from 0 to below 1, or None", f"{self.threshold}")


SEARCH = Search()


@dataclass(frozen=True, eq=False)
class WindowViews:
    """A picture looked at through windows.

    Attributes
    ----------
    windows : (w, 4) int64, top, left, bottom, right in patches, the last two just outside.
    boxes : the same in pixels of the picture.
    vectors : (w, d) float32, unit.
    grid : (rows, columns) of patches.
    """

    windows: np.ndarray
    boxes: tuple[Box, ...]
    vectors: np.ndarray
    grid: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Found:
    """Where a sentence points.

    Attributes
    ----------
    heat : (rows, columns) float64, the mean score of the windows over each patch, in cosine above the mean of all
        windows; NaN for a patch that no window covers.
    box : the window that was found, in pixels of the picture.
    window : (4,) int64, the same in patches: top, left, bottom, right.
    scores : (w,) float64, of the windows.
    chance : mean intersection over union of all windows with a true box; None where none was given.
    iou : of the best window; None likewise.
    """

    heat: np.ndarray
    box: Box
    window: np.ndarray
    scores: np.ndarray
    iou: float | None = None
    chance: float | None = None


@dataclass(frozen=True, eq=False)
class FindingReport:
    """How well the best window lies on the box that a sentence means.

    Attributes
    ----------
    name : of the pictures.
    iou : by method, and of the window in the middle ("centre"); interval by pictures, null the mean of all windows,
        which is what a window drawn at random has.
    over : by other method and "centre", the first method less it, by pictures, p corrected by Holm.
    ious : by the same names, (q,) float64.
    chance : (q,) float64, mean of all windows for each sentence.
    boxes : by method, the best window of each sentence.
    rows, picture : (q,) int64, rows of ``references`` and their pictures.
    refused : what was not scored.
    """

    name: str
    iou: Mapping[str, Number]
    over: Mapping[str, Difference]
    ious: Mapping[str, np.ndarray]
    chance: np.ndarray
    boxes: Mapping[str, tuple[Box, ...]]
    rows: np.ndarray
    picture: np.ndarray
    refused: tuple[Refusal, ...] = ()


def windows_of(grid: tuple[int, int], search: Search = SEARCH) -> np.ndarray:
    """(w, 4) int64: top, left, bottom, right of the windows in patches, the last two just outside."""
    rows, columns = grid
    heights = sorted({max(1, round(s * rows)) for s in search.sides})
    widths = sorted({max(1, round(s * columns)) for s in search.sides})
    down, across = max(1, round(search.steps * rows)), max(1, round(search.steps * columns))
    out = [(top, left, top + h, left + w) for h in heights for w in widths
           if max(h / rows * columns, w) <= search.longest * min(h / rows * columns, w) + 1e-9
           for top in _starts(rows, h, down) for left in _starts(columns, w, across)]
    return np.array(out, dtype=np.int64)


def look_through(tower: ImageTower, image: Image, method: str = "foveal", *, search: Search = SEARCH,
                 steering: Steering | None = None, on_progress: Callable[[float, str], None] | None = None,
                 should_stop: Callable[[], bool] | None = None) -> WindowViews:
    """A picture looked at through every window; what `find` reads for any sentence.

    Parameters
    ----------
    tower : what sees.
    image : upright, RGB.
    method : one of METHODS; a crop shows the window alone, without a margin.
    search : which windows.
    steering : of the methods that steer, in place of their own.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.
    """
    check_choice("method", method, METHODS)
    windows = windows_of(tower.grid, search)
    first_column, first_row, last_column, last_row = tower.seen(image.size)
    across = np.linspace(first_column, last_column, tower.grid[1] + 1)
    down = np.linspace(first_row, last_row, tower.grid[0] + 1)
    boxes = tuple(Box(float(across[left]), float(down[top]), float(across[right]), float(down[bottom]))
                  for top, left, bottom, right in windows)
    vectors = unit(encode_prompted(tower, [image] * len(boxes), [Region((b,)) for b in boxes], method, steering,
                                   margin=0.0, on_progress=on_progress, should_stop=should_stop))
    return WindowViews(windows, boxes, vectors, tower.grid)


def find(tower: ImageTower, views: WindowViews, sentence: str, others: Sequence[str] | None = None, *,
         template: str = "{}", search: Search = SEARCH, truth: Box | None = None) -> Found:
    """Where a sentence points in a picture that was looked through.

    Parameters
    ----------
    tower : that made the views.
    views : of `look_through`.
    sentence, template : what is looked for, and how it is told to the model.
    others : captions whose mean score is subtracted; None for OTHERS, an empty list for none.
    search : how scores are read.
    truth : the box that the sentence means, in pixels of the picture.
    """
    others = [t for t in (OTHERS if others is None else others) if t != sentence]
    words = text_vectors(tower, {sentence, *others}, template)
    return _found(views, _direction(words, sentence, others), search, truth)


def finding_report(tower: ImageTower, data: BoxedPictures, methods: Sequence[str] = ("foveal", "crop"), *,
                   search: Search = SEARCH, steering: Mapping[str, Steering] | None = None, template: str = "{}",
                   others: Sequence[str] | None = None, seed: int = 0,
                   on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> FindingReport:
    """Find every sentence of pictures; the boxes of the pictures are looked at only to score.

    Parameters
    ----------
    tower, data, template, others, seed, on_progress, should_stop : as `core.attention.foveal.referring.refer`.
    methods : of METHODS; the first is compared with the others and with the window in the middle.
    search : which windows, and how scores are read.
    steering : by method, in place of its own.

    Raises
    ------
    ShapeError
        If no sentence can be scored.
    """
    captions = others_of(data, others, seed=seed)
    words = text_vectors(tower, {r.sentence for r in data.references} | {t for o in captions for t in o}, template,
                         should_stop)
    refused: list[Refusal] = []
    rows: list[int] = []
    ious: dict[str, list[float]] = {name: [] for name in (*methods, CENTRE)}
    best: dict[str, list[Box]] = {name: [] for name in (*methods, CENTRE)}
    chance: list[float] = []
    for number, identity in enumerate(data.image_ids):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{number:,} of {len(data.image_ids):,} pictures")
        if on_progress is not None:
            on_progress(number / len(data.image_ids), f"Looking through picture {number + 1:,} of "
                                                      f"{len(data.image_ids):,}")
        try:
            image = data.images.decode(number)
            truths = {r: Box(*map(float, data.boxes[number][data.references[r].gold])).within(*image.size)
                      for r in data.of_picture[number]}
            if not truths:
                continue
            views = {m: look_through(tower, image, m, search=search, steering=(steering or {}).get(m)) for m in methods}
        except (UnreadableItem, ShapeError) as error:
            refused.append(Refusal(identity, error.got))
            continue
        middle = centre_window(views[methods[0]])
        for r, truth in truths.items():
            rows.append(r)
            to = _direction(words, data.references[r].sentence, captions[r])
            for m in methods:
                found = _found(views[m], to, search, truth)
                ious[m].append(found.iou or 0.0)
                best[m].append(found.box)
            best[CENTRE].append(views[methods[0]].boxes[middle])
            ious[CENTRE].append(intersection_over_union(best[CENTRE][-1], truth))
            chance.append(_overlap(views[methods[0]], truth))
    if not rows:
        why = f": {refused[0].name}: {refused[0].reason}" if refused else ""
        raise ShapeError("a sentence about a box of a picture", f"none in {data.name}{why}")
    return _report(data, tuple(methods), ious, best, np.array(chance), np.array(rows), refused, seed)


def centre_window(views: WindowViews) -> int:
    """The window in the middle of the picture, of the middle area of those that lie there."""
    rows, columns = views.grid
    w = views.windows
    off = np.abs(w[:, 0] + w[:, 2] - rows) / rows + np.abs(w[:, 1] + w[:, 3] - columns) / columns
    near = np.flatnonzero(off <= off.min() + 1e-9)
    areas = (w[near, 2] - w[near, 0]) * (w[near, 3] - w[near, 1])
    return int(near[np.argsort(areas, kind="stable")[len(near) // 2]])


def _starts(length: int, side: int, step: int) -> list[int]:
    return sorted({*range(0, length - side + 1, step), length - side})


def _direction(words: Mapping[str, np.ndarray], sentence: str, others: Sequence[str]) -> np.ndarray:
    to = words[sentence].astype(np.float64)
    return to - np.mean([words[t] for t in others], axis=0, dtype=np.float64) if len(others) else to


def _found(views: WindowViews, to: np.ndarray, search: Search, truth: Box | None) -> Found:
    scores = views.vectors.astype(np.float64) @ to
    w = views.windows
    if search.per_size:
        _, size = np.unique(np.stack([w[:, 2] - w[:, 0], w[:, 3] - w[:, 1]], axis=1), axis=0, return_inverse=True)
        size = size.reshape(-1)
        scores = scores - (np.bincount(size, scores) / np.bincount(size))[size]
    else:
        scores = scores - scores.mean()
    total, count = np.zeros(views.grid), np.zeros(views.grid)
    for (top, left, bottom, right), score in zip(w, scores):
        total[top:bottom, left:right] += score
        count[top:bottom, left:right] += 1
    heat = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    at = int((scores if search.threshold is None else _above(heat, w, search.threshold)).argmax())
    iou = None if truth is None else intersection_over_union(views.boxes[at], truth)
    return Found(heat, views.boxes[at], w[at], scores, iou, None if truth is None else _overlap(views, truth))


def _above(heat: np.ndarray, windows: np.ndarray, threshold: float) -> np.ndarray:
    """(w,) heat above a height, summed over the patches of each window; a patch without heat counts as the mean."""
    mean = float(np.nanmean(heat))
    known = np.where(np.isnan(heat), mean, heat) - (mean + threshold * (float(np.nanmax(heat)) - mean))
    sums = np.pad(known.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    top, left, bottom, right = windows.T
    return np.asarray(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def _overlap(views: WindowViews, truth: Box) -> float:
    """Mean intersection over union of all windows with a box."""
    return float(np.mean([intersection_over_union(box, truth) for box in views.boxes]))


def _report(data: BoxedPictures, methods: tuple[str, ...], ious: Mapping[str, Sequence[float]],
            best: Mapping[str, Sequence[Box]], chance: np.ndarray, rows: np.ndarray, refused: Sequence[Refusal],
            seed: int) -> FindingReport:
    picture = np.array([data.references[r].picture for r in rows])
    values = {name: np.array(v) for name, v in ious.items()}
    by_chance = float(chance.mean())
    over = {name: hits_differ(v, values[methods[0]], picture, seed=seed) for name, v in values.items()
            if name != methods[0]}
    return FindingReport(
        data.name, {name: replace(share_by(v, picture, by_chance), unit=UNIT) for name, v in values.items()},
        holm({name: replace(d, change=replace(d.change, unit=UNIT)) for name, d in over.items()}), values, chance,
        {name: tuple(b) for name, b in best.items()}, rows, picture, tuple(refused))
