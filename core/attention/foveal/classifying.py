"""Classification with the foreground pointed at: the same pictures and classes by several methods, and what changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image

from core.attention.masks import FOVEAL, Steering
from core.attention.prompts import BATCH, MARGIN, METHODS, STEERED, at_once, encode_prompted
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.errors import Cancelled, OrreryError, ShapeError, UnreadableItem, check_choice, check_vectors
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.geometry.retrieval import chance_of_a_hit
from core.sources.foveal.outlines import Outline
from core.types import Images, Number, Refusal

CLASSIFIED = ("none", "foveal", "hard_mask", "crop", "blur", "grey")
RegionOf = Callable[[int, Image.Image], Region]
_Usable = tuple[int, Image.Image, Region, float]


@dataclass(frozen=True, eq=False)
class Classified:
    """What several methods call the same pictures.

    Attributes
    ----------
    ids : (n,) of the pictures that all methods could be asked of.
    classes : (k,) names.
    truth : (n,) int64, class of each picture.
    methods : the first is "none", against which the others stand.
    hits : (m, n) float64, whether the right class comes first; among equals a share.
    guesses : (m, n) int64, the class that comes first.
    cosines : (m, n, k) float32.
    shares : (n,) float64, how much of what the model sees the region covers.
    refused : pictures left out, with reasons.
    """

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    truth: np.ndarray
    methods: tuple[str, ...]
    hits: np.ndarray
    guesses: np.ndarray
    cosines: np.ndarray
    shares: np.ndarray
    refused: tuple[Refusal, ...] = ()

    @property
    def chance(self) -> float:
        """Accuracy of guessing any class alike, 1 / k."""
        return 1 / len(self.classes)

    @cached_property
    def largest(self) -> float:
        """Accuracy of always naming the class that most pictures have."""
        return float(np.bincount(self.truth, minlength=len(self.classes)).max() / len(self.ids))

    @cached_property
    def accuracy(self) -> dict[str, Number]:
        """By method, with Wilson's interval; its null is 1 / k."""
        n = len(self.ids)
        return {method: proportion(float(hits.sum()), n, null=self.chance)
                for method, hits in zip(self.methods, self.hits)}

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """Each method less "none" on the same pictures, p corrected by Holm over the methods."""
        return holm({method: hits_differ(self.hits[0], hits)
                     for method, hits in zip(self.methods[1:], self.hits[1:])})

    def by_class(self, method: str) -> list[Number]:
        """(k,) accuracy of the pictures of each class, NaN where there is none."""
        hits = self.hits[self._at(method)]
        return [proportion(float(hits[of].sum()), int(of.sum()), null=self.chance) if of.any() else
                Number(np.nan, null=self.chance, n=0, unit="share")
                for of in (self.truth == k for k in range(len(self.classes)))]

    def confusion(self, method: str) -> np.ndarray:
        """(k, k) int64, pictures by their class and by the class that comes first."""
        k = len(self.classes)
        return np.bincount(self.truth * k + self.guesses[self._at(method)], minlength=k * k).reshape(k, k)

    def gained(self, method: str) -> np.ndarray:
        """Rows that are right by the method and were not by "none"."""
        return np.flatnonzero(self.hits[self._at(method)] > self.hits[0])

    def lost(self, method: str) -> np.ndarray:
        """Rows that were right by "none" and are not by the method."""
        return np.flatnonzero(self.hits[self._at(method)] < self.hits[0])

    def part(self, rows: np.ndarray) -> Classified:
        """The same of some of the pictures, at least one."""
        return replace(self, ids=tuple(self.ids[row] for row in rows.tolist()), truth=self.truth[rows],
                       hits=self.hits[:, rows], guesses=self.guesses[:, rows], cosines=self.cosines[:, rows],
                       shares=self.shares[rows], refused=())

    def _at(self, method: str) -> int:
        check_choice("method", method, self.methods)
        return self.methods.index(method)


def region_of(outline: Outline) -> Region:
    """What was read of a file, as a region."""
    return Region(mask=outline.mask) if outline.mask is not None else Region(tuple(Box(*b) for b in outline.boxes))


def classify(tower: ImageTower, images: Images, ids: Sequence[str], region: RegionOf, classes: Sequence[str],
             vectors: np.ndarray, truth: np.ndarray, *, rows: Sequence[int] | None = None,
             methods: Sequence[str] = CLASSIFIED, steering: Steering = FOVEAL, margin: float = MARGIN,
             on_progress: Callable[[float, str], None] | None = None,
             should_stop: Callable[[], bool] | None = None) -> Classified:
    """Name pictures by the class whose vector is nearest, with the region of each pointed at in several ways.

    Parameters
    ----------
    tower : the image tower.
    images, ids : n images and their names.
    region : what is looked at in an image, by its row and its picture; may raise OrreryError, and the image is left
        out.
    classes, vectors : k >= 2 names, each once, and their (k, d) unit vectors.
    truth : (n,) int, class of each image; -1 where it has none, and the image is left out.
    rows : of the images that are asked; None for all.
    methods : of `core.attention.prompts.METHODS`; "none" is put in front.
    steering : of the methods that steer; each keeps what makes it itself.
    margin : of a crop, of the sides of the region's box.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.

    Raises
    ------
    ShapeError, ChoiceError
        If there are fewer than two classes, one comes twice, a method is unknown, or no image is left.
    """
    methods = ("none", *(method for method in dict.fromkeys(methods) if method != "none"))
    for method in methods:
        check_choice("method", method, METHODS)
    check_vectors(vectors, what="classes", at_least=2, unit=True)
    if len(classes) != len(vectors) or len(set(classes)) != len(classes):
        raise ShapeError("a vector for each class, and each class once", f"{len(vectors)} vectors, "
                         f"{len(set(classes))} different names of {len(classes)}")
    truth = np.asarray(truth, dtype=np.int64)
    asked = list(range(len(ids))) if rows is None else [int(row) for row in rows]
    refused: list[Refusal] = []
    kept: list[int] = []
    covered: list[float] = []
    cosines: list[np.ndarray] = []
    wide = vectors.astype(np.float32).T
    for start in range(0, len(asked), BATCH):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{start:,} of {len(asked):,} pictures")
        if on_progress is not None:
            on_progress(start / len(asked), f"{start:,} of {len(asked):,} pictures classified by {len(methods)} "
                                            "methods")
        for some in _few(_usable(tower, images, ids, region, truth, asked[start:start + BATCH], refused)):
            pictures, regions = [picture for _, picture, _, _ in some], [where for _, _, where, _ in some]
            x = [encode_prompted(tower, pictures, regions, method, as_method(method, steering), margin=margin)
                 for method in methods]
            cosines.append(np.stack([unit(of) @ wide for of in x]))
            kept += [row for row, _, _, _ in some]
            covered += [share for _, _, _, share in some]
    if not kept:
        told = f"; the first, {refused[0].name}: {refused[0].reason}" if refused else ""
        raise ShapeError("a picture with a class and a region", f"none of {len(asked):,}{told}")
    found, known = np.concatenate(cosines, axis=1), truth[kept]
    hits = np.stack([chance_of_a_hit(of, np.arange(len(kept)), known, (1,)).reshape(-1) for of in found])
    return Classified(tuple(ids[row] for row in kept), tuple(classes), known, methods, hits, found.argmax(axis=2),
                      found, np.array(covered), tuple(refused))


def as_method(method: str, steering: Steering) -> Steering | None:
    """The dials with what makes a method itself; None for one that does not steer."""
    if method not in STEERED:
        return None
    own = STEERED[method]
    return replace(steering, hard=own.hard, unleash=max(own.unleash, steering.unleash) if own.unleash else 0)


def _few(usable: Iterator[_Usable]) -> Iterator[list[_Usable]]:
    """As many at once as can be held."""
    some: list[_Usable] = []
    for one in usable:
        some.append(one)
        if len(some) >= at_once(one[1]):
            yield some
            some = []
    if some:
        yield some


def _usable(tower: ImageTower, images: Images, ids: Sequence[str], region: RegionOf, truth: np.ndarray,
            rows: Sequence[int], refused: list[Refusal]) -> Iterator[_Usable]:
    """Row, picture, region and its share of what is seen, of the images that all methods can be asked of."""
    for row in rows:
        if truth[row] < 0:
            refused.append(Refusal(ids[row], "its label is none of the classes"))
            continue
        try:
            picture = images.decode(row)
            where = region(row, picture)
            patches = tower.shares(where, picture.size)
            yield row, picture, where, float(patches.max(axis=0).mean())
        except UnreadableItem as error:
            refused.append(Refusal(ids[row], error.got))
        except OrreryError as error:
            refused.append(Refusal(ids[row], f"expected {error.expected}, got {error.got}"))
