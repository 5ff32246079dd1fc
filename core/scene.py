"""What lies on the sphere one looks at: the nouns that the plotly figure and the live view both draw."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from core.errors import ShapeError, check_vectors
from core.types import fingerprint

PointKind = Literal["image", "text", "prompt"]
POINT_KINDS: tuple[PointKind, ...] = ("image", "text", "prompt")


@dataclass(frozen=True)
class Mark:
    """A named place on a sphere scene: ``place`` (3,) unit, ``kind`` one of POINT_KINDS or "plain"."""

    place: np.ndarray
    label: str
    kind: str = "plain"


@dataclass(frozen=True)
class Arc:
    """A great-circle arc between two places, (3,) unit each, in map coordinates; the label gives the true angle."""

    start: np.ndarray
    end: np.ndarray
    label: str = ""
    kind: str = "plain"


@dataclass(frozen=True)
class Cap:
    """All places within ``radius`` (radians on the map) of ``centre`` (3,) unit; the label gives the true angle."""

    centre: np.ndarray
    radius: float
    label: str = ""
    kind: str = "plain"


@dataclass(frozen=True)
class Colouring:
    """What the colours of the points say.

    Attributes
    ----------
    title : name of the quantity, with its unit.
    values : (n,) floats, NaN where there is none; or None where ``groups`` speak.
    groups : one name a point, or None; empty where there is none.
    whole : whether the colours run from the least to the greatest value, and not between the 1st and 99th percentile.
    """

    title: str
    values: np.ndarray | None = None
    groups: tuple[str, ...] | None = None
    whole: bool = False


@dataclass(frozen=True, eq=False)
class SphereScene:
    """What lies on the sphere one looks at, in map coordinates: drawn alike by the plotly figure and the live view.

    Attributes
    ----------
    coords : (n, 3) float32, unit rows.
    kinds : (n,) uint8, index into POINT_KINDS.
    labels : what a point says when one hovers over it, plain text, lines separated by newlines.
    title, note : the finding; the map, its fidelity and anything sampled.
    colouring : None colours by kind.
    selected : (n,) bool, the others turn grey; None selects all.
    others : what the others are called.
    pairs : (m, 2) int64, points joined by great-circle arcs.
    arcs, caps, marks : named things drawn over the points.
    arrows : (m, 2, 3) floats, unit along the last axis: from where to where.
    lines : each (k, 3) floats, unit rows, k >= 2: drawn thin from place to place.
    heat : (rows, columns) floats in [0, 1] over latitude -90..90 and longitude -180..180 degrees, or None.
    heat_title : what the heat says.
    heat_range : the numbers that 0 and 1 of the heat stand for.
    heat_two_way : whether 0.5 is nothing, and less and more have a colour each; else 0 is nothing.
    thumbnails : encoded small pictures (JPEG, PNG or WebP) by point; looked up only when one is to be shown.
    shown : points whose picture is put on the sphere.
    """

    coords: np.ndarray
    kinds: np.ndarray
    labels: tuple[str, ...]
    title: str = ""
    note: str = ""
    colouring: Colouring | None = None
    selected: np.ndarray | None = None
    others: str = "not selected"
    pairs: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    arcs: tuple[Arc, ...] = ()
    caps: tuple[Cap, ...] = ()
    marks: tuple[Mark, ...] = ()
    arrows: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, 3), dtype=np.float32))
    lines: tuple[np.ndarray, ...] = ()
    heat: np.ndarray | None = None
    heat_title: str = ""
    heat_range: tuple[float, float] = (0.0, 1.0)
    heat_two_way: bool = False
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)
    shown: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        coords = np.asarray(self.coords, dtype=np.float32)
        check_vectors(coords, what="map coordinates", at_least=0, unit=True)
        n = len(coords)
        kinds, pairs = np.asarray(self.kinds, dtype=np.uint8), np.asarray(self.pairs, dtype=np.int64).reshape(-1, 2)
        if coords.shape[1] != 3 or kinds.shape != (n,) or len(self.labels) != n:
            raise ShapeError("coordinates (n, 3) with a kind and a label each",
                             f"shape {coords.shape}, {len(kinds)} kinds and {len(self.labels)} labels")
        if n and kinds.max() >= len(POINT_KINDS):
            raise ShapeError(f"kinds below {len(POINT_KINDS)}", str(kinds.max()))
        if len(pairs) and (pairs.min() < 0 or pairs.max() >= n):
            raise ShapeError("pairs of points at hand", "an index outside them")
        sized: dict[str, Sized | None] = {"marks of what is selected": self.selected}
        if self.colouring is not None:
            sized |= {"colour values": self.colouring.values, "colour groups": self.colouring.groups}
        for what, values in sized.items():
            if values is not None and len(values) != n:
                raise ShapeError(f"{n} {what}, one for each point", str(len(values)))
        for name, array in (("coords", coords), ("kinds", kinds), ("pairs", pairs)):
            object.__setattr__(self, name, _frozen(array))

    def __len__(self) -> int:
        return len(self.coords)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of all that is drawn but the pictures, of which the points that have one count."""
        colouring = self.colouring
        parts: list[object] = [self.coords, self.kinds, self.labels, self.title, self.note, self.pairs,
                               np.asarray(self.arrows), self.heat_title, self.heat_range, self.heat_two_way,
                               self.others, np.sort(np.fromiter(self.thumbnails, dtype=np.int64)),
                               self.shown]
        parts += [np.asarray(a) if a is not None else None for a in (self.selected, self.heat)]
        if colouring is not None:
            parts += [colouring.title, colouring.groups, colouring.whole,
                      None if colouring.values is None else np.asarray(colouring.values)]
        parts += [np.asarray(line) for line in self.lines]
        for item in (*self.arcs, *self.caps, *self.marks):
            parts += [np.asarray(v) if isinstance(v, np.ndarray) else v for v in vars(item).values()]
        return fingerprint("scene", *parts)


def _frozen(array: np.ndarray) -> np.ndarray:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view
