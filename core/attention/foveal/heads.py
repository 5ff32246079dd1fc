"""Which heads a visual prompt moves, and which of them carry what steering gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL.Image import Image

from core.attention.foveal.captions import text_vectors
from core.attention.foveal.places import places_of
from core.attention.masks import FOVEAL, Steering
from core.attention.prompts import BATCH, EDITED, METHODS, STEERED, at_once, edited
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError, check_choice
from core.geometry.differences import LEAST_GROUPS, Difference, holm, means_differ
from core.geometry.directions import unit
from core.geometry.jackknife import student
from core.sources.foveal.boxed import BoxedPictures
from core.types import Number

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
Head = tuple[int, int]
ELSEWHERE = 8        # places of a region that are tried beside its own


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How far a visual prompt moves what each head writes into the class token.

    Attributes
    ----------
    method : of `core.attention.prompts.METHODS`.
    moved : (n, layers, heads) float64, of each picture: length of the change over length of what is written without
        the prompt; >= 0, 1 where the change is as long.
    elsewhere : (n, layers, heads) float64, the same prompt at random places, on average: the null. NaN where the region
        fills the picture.
    """

    method: str
    moved: np.ndarray
    elsewhere: np.ndarray

    def number(self, layer: int, head: int) -> Number:
        """Mean over pictures; Student's interval from three on, without one below."""
        values, n = self.moved[:, layer, head], len(self.moved)
        mean, there = float(values.mean()), float(self.elsewhere[:, layer, head].mean())
        null = there if np.isfinite(there) else None
        if n < LEAST_GROUPS:
            return Number(mean, null=null, n=n, unit="relative length")
        half = student(n - 1) * float(values.std(ddof=1)) / np.sqrt(n)
        return Number(mean, max(mean - half, 0.0), mean + half, null, n, "relative length")

    def over_elsewhere(self) -> dict[Head, Difference]:
        """Each head's sensitivity less that elsewhere, on the same pictures; p corrected by Holm over all heads."""
        layers, heads = self.moved.shape[1:]
        return holm({(layer, head): means_differ(self.elsewhere[:, layer, head], self.moved[:, layer, head],
                                                 unit="relative length")
                     for layer in range(layers) for head in range(heads)})


def sensitivity(tower: ImageTower, images: Sequence[Image], regions: Sequence[Region], method: str,
                steering: Steering | None = None, *, seed: int = 0, on_progress: Progress | None = None,
                should_stop: Stop | None = None) -> Sensitivity:
    """How far a visual prompt moves what each head writes, on n pictures.

    Parameters
    ----------
    tower : with a class token.
    images, regions : n pictures, upright and RGB, and what is pointed at in each.
    method : one of `core.attention.prompts.METHODS` but "none".
    steering : of the methods that steer, in place of their own.
    seed : of the places elsewhere, `ELSEWHERE` for each picture.
    on_progress, should_stop : as of `core.attention.prompts.encode_prompted`.

    Raises
    ------
    ModelError
        If the tower has no class token.
    ShapeError
        If there is no picture, or a region is out of its picture.

    References
    ----------
    Zhuang et al. 2024, FALIP, arXiv:2407.05578.
    """
    import torch

    check_choice("method", method, [m for m in METHODS if m != "none"])
    if not images:
        raise ShapeError("one picture or more", "none")
    asked = steering or STEERED.get(method, FOVEAL)
    moved, elsewhere = [], []
    for number, (image, region) in enumerate(zip(images, regions, strict=True)):
        _tell(number / len(images), f"Heads of picture {number + 1:,} of {len(images):,}", on_progress, should_stop)
        tried = [region, *places_of(tower, image, region, n=ELSEWHERE, seed=seed + number)]
        as_is = tower.encoder.preprocess([image])
        plain = tower.written(as_is).heads
        if method in EDITED:
            few, bias = at_once(image), None
            pixels = torch.cat([tower.encoder.preprocess([edited(image, r, method) for r in tried[start:start + few]])
                                for start in range(0, len(tried), few)])
        else:
            pixels, bias = as_is[[0] * len(tried)], tower.bias([image] * len(tried), tried, asked)
        changes = np.linalg.norm(tower.written(pixels, bias, asked).heads.astype(np.float64) - plain, axis=-1)
        lengths = changes / np.maximum(np.linalg.norm(plain.astype(np.float64), axis=-1), np.finfo(np.float32).tiny)
        moved.append(lengths[0])
        elsewhere.append(lengths[1:].mean(axis=0) if len(tried) > 1 else np.full_like(lengths[0], np.nan))
    return Sensitivity(method, np.stack(moved), np.stack(elsewhere))


@dataclass(frozen=True, eq=False)
class HeadGains:
    """What steering gains, and what each head has of it.

    Attributes
    ----------
    whole : margin steered less margin not steered.
    alone : by (layer, head), the gain with this head alone steered; p corrected by Holm over heads.
    lost : by (layer, head), the gain less that with all heads but this one steered; p corrected likewise.
    n : views; intervals are by what belongs together, as many as ``groups``.
    """

    whole: Difference
    alone: Mapping[Head, Difference]
    lost: Mapping[Head, Difference]
    n: int
    groups: int


def head_gains(tower: ImageTower, images: Sequence[Image], regions: Sequence[Region], directions: np.ndarray,
               steering: Steering = FOVEAL, *, together: np.ndarray | None = None,
               on_progress: Progress | None = None, should_stop: Stop | None = None) -> HeadGains:
    """Steer each head alone, and all heads but each, and see how far a margin moves.

    Parameters
    ----------
    tower : whose heads.
    images, regions : n views: pictures, upright and RGB, and what each is to look at.
    directions : (n, d) floats; the margin of a view is its unit vector times its direction, such as the unit vector of
        the right text less the mean of others.
    steering : whose heads, of those that it steers at all.
    together : (n,) int, the same for views of one picture, whose mean counts once; None: each is its own.
    on_progress, should_stop : as of `core.attention.prompts.encode_prompted`.

    Returns
    -------
    HeadGains in differences of cosines. Not measurable, so without interval, below three groups.

    Raises
    ------
    ShapeError
        If the steering changes nothing, or there are not as many directions as views.
    """
    if steering.idle:
        raise ShapeError("a steering that changes something", f"{steering}", "Raise alpha, or choose layers and heads.")
    if len(directions) != len(images) or not len(images):
        raise ShapeError("a direction for each view, and a view", f"{len(directions)} for {len(images)} views")
    labels = np.arange(len(images)) if together is None else np.unique(together, return_inverse=True)[1]
    pixels, bias = tower.encoder.preprocess(images), tower.bias(images, regions, steering)
    pairs = steered_heads(tower, steering)
    steps, done = 2 + 2 * len(pairs), 0

    def margins(heads: tuple[Head, ...]) -> np.ndarray:
        nonlocal done
        asked = replace(steering, layers=None, heads=heads)
        found = []
        for start in range(0, len(images), BATCH):
            _tell((done + start / len(images)) / steps, f"Steering {done + 1:,} of {steps:,}", on_progress, should_stop)
            part = slice(start, start + BATCH)
            found.append((unit(tower.encode(pixels[part], bias[part], asked)) * directions[part]).sum(axis=1))
        done += 1
        values = np.concatenate(found).astype(np.float64)
        return np.bincount(labels, values) / np.bincount(labels)

    before, after = margins(()), margins(tuple(pairs))
    alone, lost = {}, {}
    for pair in pairs:
        alone[pair] = means_differ(before, margins((pair,)), unit="cosine")
        lost[pair] = means_differ(margins(tuple(p for p in pairs if p != pair)), after, unit="cosine")
    return HeadGains(means_differ(before, after, unit="cosine"), holm(alone), holm(lost), len(images),
                     int(labels.max()) + 1)


def views_told_apart(tower: ImageTower, data: BoxedPictures) -> tuple[list[Image], list[Region], np.ndarray]:
    """One view a picture, as `head_gains` takes them: the box of its first sentence, told apart from the others.

    Returns
    -------
    Pictures; the region of each; and (n, d) float32, the unit vector of the sentence less the mean of the others'.
    """
    words = text_vectors(tower, {r.sentence for r in data.references})
    images, regions, directions = [], [], []
    for picture, rows in enumerate(data.of_picture):
        first, *others = (data.references[row] for row in rows)
        images.append(data.images.decode(picture))
        regions.append(Region((Box(*map(float, data.boxes[picture][first.gold])),)))
        directions.append(words[first.sentence] - np.mean([words[r.sentence] for r in others], axis=0))
    return images, regions, np.stack(directions)


def steered_heads(tower: ImageTower, steering: Steering) -> list[Head]:
    """(layer, head) of all heads that a steering reaches; the pooling probe, if there is one, is the last layer."""
    layers = range(tower.depth)
    if not tower.cls:
        layers = range(tower.layers, tower.depth) if steering.rows == "cls" else layers
        layers = range(tower.layers) if steering.rows == "diagonal" else layers
    return [(layer, head) for layer in layers for head in range(tower.heads)
            if (steering.layers is None or layer in steering.layers)
            and (steering.heads is None or (layer, head) in steering.heads)]


def _tell(fraction: float, text: str, on_progress: Progress | None, should_stop: Stop | None) -> None:
    if should_stop is not None and should_stop():
        raise Cancelled(text[0].lower() + text[1:])
    if on_progress is not None:
        on_progress(fraction, text)
