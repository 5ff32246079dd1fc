"""Small pictures of what is open, each made when it is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import OrreryError
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

    from core.types import Images

SIDE = 96


class Pictures(Mapping[int, bytes]):
    """Small pictures (WebP, at most 96 px a side) by row; made when they are looked up, and kept on disk by content.

    Parameters
    ----------
    images : reader of the images.
    places : (n,), which of them belongs to each row; -1 where none does.
    key : no other images have it.
    extra : pictures at rows of their own.

    Attributes
    ----------
    key : no other pictures have it.
    """

    def __init__(self, images: Images | None = None, places: Sequence[int] | np.ndarray = (), key: str = "",
                 extra: Mapping[int, bytes] | None = None) -> None:
        self._images, self._places = images, np.asarray(places, dtype=np.int64)
        self._extra = dict(extra or {})
        self._base = key
        self.key = fingerprint("pictures", key, self._places, sorted(self._extra), *self._extra.values())

    def __getitem__(self, row: int) -> bytes:
        """The picture of a row; KeyError where there is none or its file cannot be read any more."""
        from core.sources.images.thumbnails import thumbnail_bytes

        if row in self._extra:
            return self._extra[row]
        if self._images is None or row not in self:
            raise KeyError(row)
        try:
            return thumbnail_bytes(self._images, int(self._places[row]), SIDE)
        except OrreryError as error:
            raise KeyError(row) from error

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and (row in self._extra or (
            0 <= row < len(self._places) and bool(self._places[row] >= 0)))

    def __iter__(self) -> Iterator[int]:
        yield from np.flatnonzero(self._places >= 0).tolist()
        yield from self._extra

    def __len__(self) -> int:
        return int((self._places >= 0).sum()) + len(self._extra)

    def small(self, row: int) -> Image | None:
        """The small picture of a row; None where there is none."""
        from PIL import Image

        raw = self.get(row)
        return Image.open(io.BytesIO(raw)) if raw else None

    def whole(self, row: int) -> Image | None:
        """The picture of a row, as large as it is; None where there is none or it cannot be read any more."""
        if self._images is None or not 0 <= row < len(self._places) or self._places[row] < 0:
            return None
        try:
            return self._images.decode(int(self._places[row]))
        except OrreryError:
            return None

    def of(self, rows: np.ndarray) -> Pictures:
        """Those of some rows, in the order given."""
        return Pictures(self._images, self._places[rows] if len(self._places) else (), self._base)

    def followed_by(self, other: Pictures, n: int) -> Pictures:
        """Those of n rows, and after them those of other rows."""
        from core.sources.images.readers import ChosenImages

        chosen: list[tuple[Images, int]] = []
        places = np.full(n + len(other._places), -1)
        for pictures, start in ((self, 0), (other, n)):
            for row in np.flatnonzero(pictures._places >= 0).tolist():
                assert pictures._images is not None
                places[start + row] = len(chosen)
                chosen.append((pictures._images, int(pictures._places[row])))
        return Pictures(ChosenImages(chosen), places, fingerprint(self.key, other.key))

    def beside(self, extra: Mapping[int, bytes]) -> Pictures:
        """These, and others at rows of their own."""
        return Pictures(self._images, self._places, self._base, {**self._extra, **extra})


def key_of(pictures: Mapping[int, bytes]) -> str:
    """A name that no other pictures have."""
    if isinstance(pictures, Pictures):
        return pictures.key
    return fingerprint("pictures", sorted(pictures), *(pictures[row] for row in sorted(pictures)))
