"""Measures of pictures that need no model, each picture read once and kept by its content.

Blur is told by the width of edges, measured with OpenCV, and relative to the set: cleanvision 0.3.7 scores it at 64 px
and adds the spread of the grey histogram, which separates photographs and scenes from the same ones blurred by .5-2 %
of their side with an AUC of .56-.87 (width of edges .94-1.00; variance of the Laplacian .85-1.00, but .51 where the
sharp ones are dark). Of its other checks dark, size and aspect are taken over by definition, bright by its mean instead
of its 5th percentile (AUC .81-.99 of overexposed pictures instead of .70-1.00), contrast instead of entropy (1.00 of
fogged ones instead of .64-1.00, and no drawing is flagged), and colourfulness instead of the file's mode, since grey
pictures are mostly stored as colour; so the package, with matplotlib, imagehash and PyWavelets, is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from PIL import Image

from core.errors import Cancelled, OrreryError, UnreadableItem
from core.geometry.quality.pixels import NUMBERS, SIDE, Measures
from core.settings import settings
from core.sources.images.colours import colourfulness
from core.sources.images.decoding import WHOLE_SIZE
from core.sources.images.readers import ChosenImages, FileBytes, hashes_or_reasons
from core.sources.memory import Memory
from core.sources.reasons import why_not
from core.types import Images, Refusal

THREADS = 2
VERSION = "1"
_MOST = 2_000_000
_EVERY_SECOND = 64
_PART = 64
_FINE, _COARSE = .5, 2.0
_SHARPEST, _FEWEST_SHARP = 1000, 16
_LEAST_SLOPE, _OF_THE_OTHER = .5, .25
_NARROWEST, _WIDEST = .1, 20.0
_WEIGHTS = np.array([.241, .691, .068], dtype=np.float32)


@cache
def pixel_memory() -> Memory:
    """The one memory of measures of this process, in the cache folder: by content alone, it holds no name."""
    return Memory(settings().cache / "pixels.sqlite", _MOST)


def measure_pixels(images: Images | None, ids: Sequence[str], *, memory: Memory | None = None,
                   on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> Measures:
    """Measures of every picture; what was measured before, in any dataset, is not read again.

    Parameters
    ----------
    images : n pictures; None where there are none.
    ids : n strings, what each is called.
    memory : where measures are kept; by default the one in the cache folder.
    on_progress : called as ``on_progress(fraction, text)``.
    should_stop : asked after every few dozen pictures.

    Returns
    -------
    n rows, in the order of the images; one that cannot be read is NaN and among ``refused``.

    Raises
    ------
    Cancelled
        When ``should_stop`` says so; what was measured is kept.
    """
    rows = np.full((len(ids), len(NUMBERS)), np.nan, dtype=np.float32)
    if images is None or not ids:
        return _measures(ids, rows, ())
    memory = pixel_memory() if memory is None else memory
    report = on_progress or (lambda fraction, text: None)
    hashes, reasons = hashes_or_reasons(images, should_stop=should_stop, on_progress=lambda _, text: report(0.0, text))
    known = _recalled(memory, [h for h in hashes if h])
    first: dict[str, int] = {}
    for i, h in enumerate(hashes):
        if h and h not in known:
            first.setdefault(h, i)
    todo, unread = list(first.items()), dict[str, str]()
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(todo), _PART):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{start:,} of {len(todo):,} pictures were measured")
            part = todo[start:start + _PART]
            for (h, _), numbers in zip(part, pool.map(lambda job: _measured(images, job[1]), part), strict=True):
                if isinstance(numbers, str):
                    unread[h] = numbers
                else:
                    known[h] = numbers
                    memory.remember(_key(h), numbers.astype("<f4").tobytes())
            memory.flush()
            report((start + len(part)) / len(todo), f"{start + len(part):,} of {len(todo):,} pictures measured")
    for i, h in enumerate(hashes):
        if h in known:
            rows[i] = known[h]
        elif h:
            reasons[i] = unread[h]
    return _measures(ids, rows, tuple(Refusal(ids[i], reasons[i]) for i in sorted(reasons)))


def numbers_of(picture: Image.Image) -> np.ndarray:
    """The measures of one RGB picture, in the order of `core.geometry.quality.pixels.NUMBERS`: (7,) float32."""
    width, height = picture.info.get(WHOLE_SIZE, picture.size)
    small = picture
    if max(picture.size) > SIDE:
        small = picture.copy()
        small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    values = np.asarray(small)
    step = 2 if min(small.size) >= _EVERY_SECOND else 1
    pixels = values[::step, ::step].astype(np.float32)
    brightness = np.sqrt(pixels * pixels @ _WEIGHTS) / 255
    low, high = np.quantile(brightness, (.01, .99))
    return np.array([width, height, _edges(values), brightness.mean(), high, high - low, colourfulness(pixels)],
                    dtype=np.float32)


def _edges(values: np.ndarray) -> float:
    """Width of the sharpest edges, as `Measures.edges` says, of (height, width, 3) uint8.

    At a step blurred by s px, the slope after a further Gaussian of t px is proportional to 1 / sqrt(s^2 + t^2); the
    ratio of the steepest slopes after a fine and a coarse one gives s, whatever the height of the step.
    """
    import cv2

    height, width = values.shape[:2]
    scale = SIDE / max(width, height)
    grey = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if scale != 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), deviation) for deviation in (_FINE, _COARSE))
    slopes = [(_steepest(cv2.Sobel(fine, cv2.CV_32F, *way)), _steepest(cv2.Sobel(coarse, cv2.CV_32F, *way)))
              for way in ((1, 0), (0, 1))]
    least = max(_LEAST_SLOPE, _OF_THE_OTHER * max(slope for _, slope in slopes))
    widths = []
    for steep, slope in slopes:
        if slope >= least:
            squared = (steep / slope) ** 2
            widths.append((_COARSE**2 - squared * _FINE**2) / (squared - 1) if squared > 1 else np.inf)
    return float(np.sqrt(np.clip(max(widths), _NARROWEST**2, _WIDEST**2))) if widths else np.nan


def _steepest(sobel: np.ndarray) -> float:
    """A slope that few pixels exceed, in grey values a pixel."""
    slopes = np.abs(sobel).ravel()
    rank = min(len(slopes), max(_FEWEST_SHARP, len(slopes) // _SHARPEST))
    return float(np.partition(slopes, len(slopes) - rank)[len(slopes) - rank]) / 8


def _measured(images: Images, index: int) -> np.ndarray | str:
    """Numbers of a picture, or the reason why there are none."""
    while isinstance(images, ChosenImages):
        images, index = images.chosen[index]
    try:
        return numbers_of(images.decode(index, max_side=SIDE) if isinstance(images, FileBytes) else
                          images.decode(index))
    except UnreadableItem as error:
        return error.got
    except OrreryError:
        raise
    except OSError as error:
        return why_not(error)
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def _measures(ids: Sequence[str], rows: np.ndarray, refused: tuple[Refusal, ...]) -> Measures:
    columns = dict(zip(NUMBERS, np.ascontiguousarray(rows.T), strict=True))
    return Measures(tuple(ids), **columns, refused=refused)


def _key(content_hash: str) -> str:
    return f"{VERSION} {content_hash}"


def _recalled(memory: Memory, hashes: Sequence[str]) -> dict[str, np.ndarray]:
    """Content hash -> numbers, of what was measured before."""
    found = memory.recall([_key(h) for h in dict.fromkeys(hashes)])
    return {key.split()[1]: np.frombuffer(value, "<f4") for key, value in found.items()
            if len(value) == 4 * len(NUMBERS)}
