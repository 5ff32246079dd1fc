"""Images decoded and preprocessed before the model asks for them, in threads, in order, and not too far ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from core.encoding.preprocessing import Preprocessor
from core.encoding.timing import Seconds
from core.errors import OrreryError, UnreadableItem
from core.sources.images.framing import FRAMED_SECONDS
from core.sources.images.readers import decode_framed
from core.types import Images

Own = Iterator[tuple[int, int]]
MOST_WORKERS = 8


def ahead(images: Images, own: Own, preprocessor: Preprocessor, most: Callable[[], int], check_stop: Callable[[], None],
          seconds: Seconds) -> Iterator[tuple[int, int, np.ndarray | str]]:
    """(position, index, pixels or the reason why there are none), in the order of ``own``.

    Parameters
    ----------
    images : what is decoded.
    own : (position, index) of what to decode.
    preprocessor : of the model.
    most : how many images may be ahead now.
    check_stop : raises Cancelled when it is time.
    seconds : to which wait, decode and resize are added.
    """
    waiting: deque[tuple[int, int, Future[np.ndarray | str]]] = deque()
    pool = ThreadPoolExecutor(max(1, min(MOST_WORKERS, os.cpu_count() or 1)), thread_name_prefix="decode")
    try:
        while True:
            while len(waiting) < most():
                following = next(own, None)
                if following is None:
                    break
                waiting.append((*following, pool.submit(_pixels, images, following[1], preprocessor, seconds)))
            if not waiting:
                return
            check_stop()
            position, index, future = waiting.popleft()
            with seconds.timed("wait"):
                result = future.result()
            yield position, index, result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _pixels(images: Images, index: int, preprocessor: Preprocessor, seconds: Seconds) -> np.ndarray | str:
    try:
        if preprocessor.framing is None:
            with seconds.timed("decode"):
                image = images.decode(index)
            with seconds.timed("resize"):
                return preprocessor.one(image)
        with seconds.timed("decode"):
            image = decode_framed(images, index, preprocessor.framing)
        seconds.add("decode", -image.info[FRAMED_SECONDS])
        seconds.add("resize", image.info[FRAMED_SECONDS])
        with seconds.timed("resize"):
            return preprocessor.normalised(image)
    except UnreadableItem as error:
        return error.got
    except OrreryError:
        raise
    except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
