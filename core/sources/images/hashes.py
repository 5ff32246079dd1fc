"""Content hashes of files on disk, remembered by path, size and times of change, also from one day to the next."""

from __future__ import annotations

import atexit
import hashlib
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from core.settings import settings

_FLUSH_EVERY = 4_096
_BATCH = 500
_MOST = 5_000_000


class HashMemory:
    """What each file held when it was last read; a small SQLite file, done without where the disk refuses it.

    A file counts as unchanged while its size, inode and both times (to the nanosecond) are what they were.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._new: dict[str, tuple[bytes, bytes]] = {}
        self._counted = False
        atexit.register(self.flush)

    def recall(self, paths: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """path -> (stamp, sha256) of the files that were read before."""
        found: dict[str, tuple[bytes, bytes]] = {}
        if not self._path.exists():
            return found
        try:
            with closing(self._connect()) as base:
                for start in range(0, len(paths), _BATCH):
                    part = paths[start:start + _BATCH]
                    marks = ",".join("?" * len(part))
                    rows = base.execute(f"SELECT path, stamp, hash FROM files WHERE path IN ({marks})", list(part))
                    found.update({path: (stamp, digest) for path, stamp, digest in rows})
        except sqlite3.OperationalError:
            return {}
        except sqlite3.DatabaseError:
            self._path.unlink(missing_ok=True)
            return {}
        return found

    def remember(self, path: str, stamp: bytes, digest: bytes) -> None:
        """Note what a file holds; written to disk a few hundred at a time."""
        with self._lock:
            self._new[path] = (stamp, digest)
            full = len(self._new) >= _FLUSH_EVERY
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what is new; quietly nothing where that is impossible."""
        with self._lock:
            rows = [(path, *noted) for path, noted in self._new.items()]
            self._new.clear()
        if not rows:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp BLOB, hash BLOB) "
                             "WITHOUT ROWID")
                base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
                if not self._counted and base.execute("SELECT COUNT(*) FROM files").fetchone()[0] > _MOST:
                    base.execute("DELETE FROM files")
                self._counted = True
        except (sqlite3.Error, OSError):
            return

    def _connect(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=5)
        base.execute("PRAGMA synchronous = OFF")  # a damaged memory is thrown away, never believed
        return base


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
