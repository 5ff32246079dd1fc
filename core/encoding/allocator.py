"""Memory: what is done with it once it is freed, and what it looks like when there is no more."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

KEPT_BYTES = 64 * 1024**2
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to `KEPT_BYTES` of freed memory (of each heap of its threads) for the next batch.

    A forward pass of a ViT-B/32 on a CPU otherwise touches some ten megabytes of fresh pages an image, a tenth to a
    fifth of its time. Done once; False where the C library is not glibc, and then nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT_BYTES) and mallopt(_MMAP_THRESHOLD, KEPT_BYTES // 2))


def give_back_freed_memory() -> bool:
    """Return what `keep_freed_memory` keeps to the system, as when a visit is over; False where this cannot be done."""
    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except (AttributeError, OSError, TypeError):
        return False


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the GPU or beside it."""
    words = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)


def free_memory(device: str) -> None:
    """Give back what torch keeps of a GPU's memory."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()
