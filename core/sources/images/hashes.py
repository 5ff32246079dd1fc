"""Content hashes of files on disk, remembered by path, size and times of change, also from one day to the next."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from core.settings import settings
from core.sources.memory import Memory

_MOST = 5_000_000


class HashMemory:
    """What each file held when it was last read.

    A file counts as unchanged while its size, inode and both times (to the nanosecond) are what they were.
    """

    def __init__(self, path: Path) -> None:
        self._memory = Memory(path, _MOST)

    def recall(self, paths: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """path -> (stamp, sha256) of the files that were read before."""
        return {path: (kept[1 + kept[0]:], kept[1:1 + kept[0]]) for path, kept in self._memory.recall(paths).items()}

    def remember(self, path: str, stamp: bytes, digest: bytes) -> None:
        """Note what a file holds."""
        self._memory.remember(path, bytes([len(digest)]) + digest + stamp)

    def flush(self) -> None:
        """Write what is new."""
        self._memory.flush()


def stamp_of(path: str) -> bytes:
    """What changes whenever the file does; raises OSError where it is not there."""
    stat = os.stat(path)
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns} {stat.st_ino}".encode()


def sha256(data: bytes) -> bytes:
    """The sha256 of bytes."""
    return hashlib.sha256(data).digest()


_memory: HashMemory | None = None
_lock = threading.Lock()


def hash_memory() -> HashMemory:
    """The one memory of this process, in the cache folder."""
    global _memory
    with _lock:
        if _memory is None:
            _memory = HashMemory(settings().cache / "hashes.sqlite")
        return _memory
