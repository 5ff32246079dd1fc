"""What was kept of a training: the features of a fixed probe set at many steps, and what was measured meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.pairs import Pairs
from core.types import fingerprint

MEASURES: dict[str, str] = {
    "loss": "loss, natural logarithm",
    "r1": "R@1 of images, share",
    "r1_text": "R@1 of texts, share",
    "worst_class": "R@1 of the worst class, share",
    "alignment": "alignment, mean squared distance of pairs",
    "uniformity": "uniformity, logarithm",
    "gap": "gap, distance of the means",
    "temperature": "temperature",
}
"""What may be known of a step, with its unit, in the order in which it is shown."""


@dataclass(frozen=True, eq=False)
class Probe:
    """The items whose features are kept; the same at each step.

    Attributes
    ----------
    images : (n,) names, unlike each other.
    texts : (m,) captions, unlike each other.
    links : (p, 2) int64: rows of images and of their texts; each image and each text has at least one.
    labels : (n,) a class of each image, "" where it has none.
    """

    images: tuple[str, ...]
    texts: tuple[str, ...]
    links: np.ndarray
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        links = np.asarray(self.links, dtype=np.int64).reshape(-1, 2)
        n, m = len(self.images), len(self.texts)
        if not n or not m:
            raise ShapeError("at least one image and one text to keep features of", f"{n} images and {m} texts")
        if len(set(self.images)) < n or len(set(self.texts)) < m:
            raise ShapeError("images and texts that are unlike each other", "the same one twice")
        if len(links) and (links.min() < 0 or links[:, 0].max() >= n or links[:, 1].max() >= m):
            raise ShapeError(f"links within {n} images and {m} texts", "a row outside them")
        if self.labels and len(self.labels) != n:
            raise ShapeError(f"{n} labels, one for each image", str(len(self.labels)))
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "labels", tuple(self.labels) or ("",) * n)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One step: features (n, d) and (m, d) float32 with unit rows, and measures by their names in `MEASURES`."""

    step: int
    images: np.ndarray
    texts: np.ndarray
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Record:
    """A training as its probe saw it.

    Attributes
    ----------
    name : what a user calls it.
    probe : the items.
    steps : (s,) int64, growing; 0 is before training.
    images, texts : (s, n, d) and (s, m, d) float32, unit rows.
    measures : (s,) float64 each, by their names in `MEASURES`; NaN where it is not known.
    setup : what made it, as JSON can say it; it holds the seed.
    ended : why there are no further steps, as "it diverged at step 120: the loss is not a number"; "" where it went to
        its end.

    Raises
    ------
    ShapeError
        If steps do not grow, shapes do not fit, features have fewer than two dimensions, or a row is not finite or not
        unit.
    """

    name: str
    probe: Probe
    steps: np.ndarray
    images: np.ndarray
    texts: np.ndarray
    measures: Mapping[str, np.ndarray] = field(default_factory=dict)
    setup: Mapping[str, object] = field(default_factory=dict)
    ended: str = ""

    def __post_init__(self) -> None:
        steps = np.asarray(self.steps, dtype=np.int64)
        s, n, m = len(steps), len(self.probe.images), len(self.probe.texts)
        if steps.ndim != 1 or not s or (np.diff(steps) <= 0).any():
            raise ShapeError("at least one step, and steps that grow", f"{steps.tolist()[:5]} ...")
        object.__setattr__(self, "steps", steps)
        for name, rows in (("images", n), ("texts", m)):
            x = np.ascontiguousarray(getattr(self, name), dtype=np.float32).view()
            if x.ndim != 3 or x.shape[:2] != (s, rows):
                raise ShapeError(f"features of {name} of shape ({s}, {rows}, d)", f"shape {x.shape}")
            check_vectors(x.reshape(s * rows, -1), what=f"features of {name}", unit=True)
            x.flags.writeable = False
            object.__setattr__(self, name, x)
        if self.dim < 2:
            raise ShapeError("features of two dimensions or more", f"{self.dim}")
        if self.images.shape[-1] != self.texts.shape[-1]:
            raise ShapeError("images and texts of one dimension", f"{self.images.shape[-1]} and {self.texts.shape[-1]}")
        measures = {key: np.asarray(values, dtype=np.float64) for key, values in self.measures.items()}
        for key, values in measures.items():
            if key not in MEASURES or values.shape != (s,):
                raise ShapeError(f"measures among {', '.join(MEASURES)}, of {s} steps", f"{key} of {values.shape}")
        object.__setattr__(self, "measures", measures)

    @classmethod
    def of(cls, name: str, probe: Probe, snapshots: Sequence[Snapshot], *, setup: Mapping[str, object] | None = None,
           ended: str = "") -> Record:
        """Snapshots, in the order of their steps, as a record."""
        keys = [key for key in MEASURES if any(key in one.measures for one in snapshots)]
        return cls(name, probe, np.array([one.step for one in snapshots], np.int64),
                   np.stack([one.images for one in snapshots]), np.stack([one.texts for one in snapshots]),
                   {key: np.array([one.measures.get(key, np.nan) for one in snapshots]) for key in keys},
                   setup or {}, ended)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def dim(self) -> int:
        """Dimensions of the features."""
        return int(self.images.shape[-1])

    def pairs(self, at: int) -> Pairs:
        """The linked pairs at the step of that index; -1 is the last."""
        return Pairs(self.images[at], self.texts[at], self.probe.links)

    def some(self, most: int) -> Sequence[int]:
        """Indices of at most that many steps, evenly spread, first and last among them."""
        return sorted({round(i) for i in np.linspace(0, len(self) - 1, most)})

    def only(self, indices: Iterable[int]) -> Record:
        """The record at some of its steps."""
        at = np.array(sorted(indices), dtype=np.int64)
        return Record(self.name, self.probe, self.steps[at], self.images[at], self.texts[at],
                      {key: values[at] for key, values in self.measures.items()}, self.setup, self.ended)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 (hex) of all that was kept, but not of the name."""
        return fingerprint("record", self.probe.images, self.probe.texts, self.probe.links, self.probe.labels,
                           self.steps, self.images, self.texts,
                           *(part for key in sorted(self.measures) for part in (key, self.measures[key])), self.ended)
