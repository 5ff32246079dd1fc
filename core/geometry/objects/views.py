"""Views of objects as vectors, with what each shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors


@dataclass(frozen=True, eq=False)
class ObjectViews:
    """Views of objects by one model.

    Attributes
    ----------
    vectors : (n, d) floats, unit rows.
    objects, views, styles : (n,) int64, what each row shows: an object, seen by a camera, drawn in a style. A view has
        the same number in every style.
    names, style_names : of the objects and styles, in the order of their numbers.
    """

    vectors: np.ndarray
    objects: np.ndarray
    views: np.ndarray
    styles: np.ndarray
    names: tuple[str, ...]
    style_names: tuple[str, ...] = ("as it is",)

    def __post_init__(self) -> None:
        check_vectors(self.vectors, what="vectors of views", unit=True)
        for what, names in (("objects", self.names), ("views", None), ("styles", self.style_names)):
            numbers = np.asarray(getattr(self, what), dtype=np.int64)
            most = len(names) - 1 if names is not None else np.iinfo(np.int64).max
            if numbers.shape != (len(self.vectors),) or numbers.min() < 0 or numbers.max() > most:
                raise ShapeError(f"{len(self.vectors)} {what}, numbered from 0 and each with a name",
                                 f"shape {numbers.shape}, numbers up to {numbers.max(initial=0)}")
            object.__setattr__(self, what, numbers)

    def __len__(self) -> int:
        return len(self.vectors)

    def part(self, keep: np.ndarray) -> ObjectViews:
        """The rows of a mask or an index; objects and styles keep their numbers."""
        return ObjectViews(self.vectors[keep], self.objects[keep], self.views[keep], self.styles[keep], self.names,
                           self.style_names)

    def seen_from(self, views: Collection[int] | np.ndarray) -> ObjectViews:
        """The rows of some views."""
        return self.part(np.isin(self.views, np.asarray(list(views), dtype=np.int64)))

    def of(self, number: int) -> np.ndarray:
        """(m, d) the vectors of an object."""
        return self.vectors[self.objects == number]
