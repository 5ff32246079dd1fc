"""How a model wants its pictures: resized to a size, or to a shorter side, and cut to the middle."""

from __future__ import annotations

import struct
import time
from dataclasses import astuple, dataclass

from PIL import Image

WIDEST_WHOLE_RESIZE = 4
FRAMED_SECONDS = "framed_seconds"
_PACKED = struct.Struct("<IIIIB?")
PACKED_BYTES = _PACKED.size
UNFRAMED = bytes(PACKED_BYTES)


@dataclass(frozen=True)
class Framing:
    """One resize in PIL, and one cut.

    Attributes
    ----------
    height, width : of the result, in pixels.
    scaled_height, scaled_width : of the picture before its middle is cut out, in pixels and at least as large;
        ``scaled_width`` 0 keeps the aspect, and ``scaled_height`` is then the length of the shorter side.
    resample : filter, a number of ``PIL.Image.Resampling``.
    half_to_even : where half a pixel is to be cut, True rounds it to the even side as torchvision does, False down.
    """

    height: int
    width: int
    scaled_height: int
    scaled_width: int
    resample: int
    half_to_even: bool

    def apply(self, image: Image.Image) -> Image.Image:
        """The picture as the model wants it; ``info[FRAMED_SECONDS]`` says how long that took."""
        began = time.perf_counter()
        out = self._apply(image)
        out.info = {FRAMED_SECONDS: time.perf_counter() - began}
        return out

    def pack(self) -> bytes:
        """The framing as `PACKED_BYTES` bytes, never `UNFRAMED`."""
        return _PACKED.pack(*astuple(self))

    @classmethod
    def unpack(cls, packed: bytes) -> Framing | None:
        """What `pack` gave; None for `UNFRAMED`."""
        return None if packed == UNFRAMED else cls(*_PACKED.unpack(packed))

    def seen(self, width: int, height: int) -> tuple[float, float, float, float]:
        """The part of a picture of this size that the model sees: left, top, right, bottom in pixels of the picture."""
        new_width, new_height = self._scaled(width, height)
        left, top = self._margin(new_width - self.width), self._margin(new_height - self.height)
        across, down = width / new_width, height / new_height
        return (left * across, top * down, min((left + self.width) * across, width),
                min((top + self.height) * down, height))

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        if self.scaled_width:
            return self.scaled_width, self.scaled_height
        edge = self.scaled_height
        long = int(edge * max(width, height) / min(width, height))
        return (edge, long) if width <= height else (long, edge)

    def _apply(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        resample = Image.Resampling(self.resample)
        new_width, new_height = self._scaled(width, height)
        left, top = self._margin(new_width - self.width), self._margin(new_height - self.height)
        if max(new_height, new_width) <= WIDEST_WHOLE_RESIZE * max(self.height, self.width):
            whole = image.resize((new_width, new_height), resample)
            if whole.size == (self.width, self.height):
                return whole
            return whole.crop((left, top, left + self.width, top + self.height))
        return image.resize((self.width, self.height), resample, box=self.seen(width, height))

    def _margin(self, over: int) -> int:
        return round(over / 2) if self.half_to_even else over // 2
