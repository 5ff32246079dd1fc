"""Bytes of an image file to the upright 8-bit RGB picture a person would expect to see.

Everything here runs inside a worker process (core.sources.workers): the libraries that unpack foreign files are
native code and may crash. Imports stay light so that a worker starts at once.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from core.settings import OWN_MACHINE
from core.sources.images.formats import FOREIGN, KNOWN, candidates, formats_of, kind_of

if TYPE_CHECKING:
    import numpy as np

MAX_PIXELS = OWN_MACHINE.megapixels * 1_000_000
LARGE_PIXELS = 20_000_000
WHOLE_SIZE = "whole_size"
_STRIP = 4_000_000
_UNSUPPORTED = (r"unsupported|unknown (pixel|data|compression|colou?r|mode)|not supported|unimplemented|cannot handle|"
                r"samples")


class Unreadable(Exception):
    """The reason, in plain words, why one file gives no picture."""


def decode(data: bytes, max_side: int | None = None, before_large: Callable[[], None] | None = None) -> Image.Image:
    """Upright RGB picture of a file's bytes: its first frame, transparency on white, 16 bits scaled to 8.

    Parameters
    ----------
    data
        The whole file.
    max_side
        Where given, a picture whose longer side is at most this many pixels is enough (aspect kept, never enlarged),
        and JPEG files are unpacked at a reduced size; ``info[WHOLE_SIZE]`` is then the (width, height) of the whole.
    before_large
        Called before a picture of more than ``LARGE_PIXELS`` is unpacked.

    Raises
    ------
    Unreadable
        With the reason in plain words.
    """
    if not data:
        raise Unreadable("the file is empty")
    compression = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=candidates(data)) as opened:
                compression = str(opened.info.get("compression", ""))
                _check_pixels(opened)
                whole = opened.size
                if max_side is not None:
                    opened.draft(None, (max_side, max_side))
                if before_large is not None and opened.width * opened.height > LARGE_PIXELS:
                    before_large()
                lying = opened.size
                opened.load()
                _turn_upright(opened)
                if opened.size != lying:
                    whole = whole[::-1]
                picture = to_rgb(opened)
        except (Unreadable, MemoryError):
            raise
        except Exception as error:
            raise Unreadable(_packed_as(compression) or reason_of(error, data)) from error
    if max_side is not None:
        picture.thumbnail((max_side, max_side), Image.Resampling.BICUBIC)
        picture.info[WHOLE_SIZE] = whole
    return picture


def to_rgb(image: Image.Image) -> Image.Image:
    """A loaded image of any mode as 8-bit RGB: colours converted, transparency laid on white, values scaled."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _grey_from_wide(image).convert("RGB")
    if image.mode in ("CMYK", "LAB"):
        return _from_profile(image)
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image if image.mode == "RGB" else image.convert("RGB")


def _check_pixels(image: Image.Image) -> None:
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise Unreadable(_too_many(pixels))
    if not pixels:
        raise Unreadable("the picture has no pixels")


def _too_many(pixels: int) -> str:
    millions = f"{pixels / 1e6:,.0f}" if pixels > 1.01 * MAX_PIXELS else f"{pixels / 1e6:.6g}"
    return f"it would unpack to {millions} megapixels; the limit is {MAX_PIXELS // 1_000_000}"


def _packed_as(compression: str) -> str:
    """Why a TIFF of a compression beyond the library's own cannot be read."""
    if compression in ("webp", "zstd", "lerc", "jpeg2000"):
        return f"it is a TIFF packed with {compression}, which is not read here; save it as JPEG or PNG"
    return ""


def _turn_upright(image: Image.Image) -> None:
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception:  # a damaged EXIF block says nothing about the picture
        return


def _strips(image: Image.Image) -> list[tuple[int, int, int, int]]:
    height = max(1, _STRIP // image.width)
    return [(0, top, image.width, min(top + height, image.height)) for top in range(0, image.height, height)]


def _grey_from_wide(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float grey to 8 bits by the range of its values, strip by strip."""
    import numpy as np

    def values(box: tuple[int, int, int, int]) -> np.ndarray:
        return np.asarray(image.crop(box)).astype(np.float32)

    low, high = np.inf, -np.inf
    for box in _strips(image):
        strip = values(box)
        strip = strip[np.isfinite(strip)]
        if strip.size:
            low, high = min(low, float(strip.min())), max(high, float(strip.max()))
    black, white = _range_of(low, high, image.mode)
    out = Image.new("L", image.size)
    for box in _strips(image):
        scaled = (values(box) - black) * (255 / (white - black))
        strip = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
        out.paste(Image.fromarray((strip + 0.5).astype(np.uint8)), box[:2])
    return out


def _range_of(low: float, high: float, mode: str) -> tuple[float, float]:
    """Black and white point of grey values in [low, high].

    Whole numbers have 8, 12 or 16 bits, the least that holds the largest; floats are fractions or 8-bit values;
    anything else is stretched from its smallest to its largest value.
    """
    if low >= 0:
        for white in (1.0, 255.0) if mode == "F" else (255.0, 4095.0, 65535.0):
            if high <= white:
                return 0.0, white
    return (low, high) if low < high else (low - 1, low + 1) if low == high else (0.0, 1.0)


def _from_profile(image: Image.Image) -> Image.Image:
    """CMYK by its own ICC profile where it carries a sound one, else by the plain formula; Lab by its definition."""
    try:
        if image.mode == "LAB":
            profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        else:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB",
                                              renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                              flags=ImageCms.Flags.BLACKPOINTCOMPENSATION)
        if converted is not None:
            return converted
    except (KeyError, OSError, TypeError, ValueError, ImageCms.PyCMSError):
        pass
    return image.convert("RGB")


def reason_of(error: BaseException, data: bytes) -> str:
    """Why a file could not be read, in plain words, from what its decoder raised."""
    said = str(error).strip()
    low = said.lower()
    kind = kind_of(data)
    if isinstance(error, Image.DecompressionBombError):
        found = re.search(r"\((\d+) pixels\)", said)
        return _too_many(int(found[1])) if found else "it would unpack to far too many pixels"
    if isinstance(error, UnidentifiedImageError):
        if kind.startswith(("a ", "an ")):
            hint = "; save it as JPEG or PNG" if kind in FOREIGN.values() else ""
            return f"it is {kind}, which is not read as an image{hint}"
        if kind:
            return _unreadable_header(kind, data)
        return f"it is not an image of a known format ({KNOWN})"
    if isinstance(error, EOFError) or "truncat" in low or "unexpected end" in low or "eof" in low:
        return "the file is truncated"
    if "decompressed data too large" in low:
        return "the file is damaged or hostile: a text block inside it unpacks to too much data"
    detail = f" ({said})" if said and len(said) < 120 and "decoder error" not in low else ""
    return f"the file is damaged: its picture data cannot be unpacked{detail}"


def _unreadable_header(kind: str, data: bytes) -> str:
    """Why a file that begins as a known format was not opened, from what that format's own reader says."""
    why: BaseException | None = None
    for name in formats_of(data):
        try:
            Image.OPEN[name][0](io.BytesIO(data), "")
        except Exception as error:
            why = error
    said = str(why).strip() if why is not None else ""
    if isinstance(why, EOFError | struct.error | IndexError) or "truncat" in said.lower():
        return f"the file is truncated: it begins as {kind}, and ends within its header"
    if isinstance(why, NotImplementedError | KeyError) or re.search(_UNSUPPORTED, said, re.IGNORECASE):
        return f"it is a {kind} of a kind that is not read here ({said}); save it as JPEG or PNG"
    return f"the file is damaged: it begins as {kind}, but its header makes no sense"
