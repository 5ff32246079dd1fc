"""What was found out about files and need not be found out again: short values by key, in a small SQLite file."""

from __future__ import annotations

import atexit
import sqlite3
import threading
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

FLUSH_EVERY = 4_096
_BATCH = 500


class Memory:
    """Values by key, written a few thousand at a time and when the process ends; thread-safe.

    It is done without where the disk refuses it, and thrown away where it is damaged or has grown too large.

    Parameters
    ----------
    path : of the SQLite file; made, with its folder, when first needed.
    most : how many values are kept before all are dropped.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._path, self._most = path, most
        self._lock = threading.Lock()
        self._new: dict[str, bytes] = {}
        self._counted = False
        atexit.register(self.flush)

    def recall(self, keys: Sequence[str]) -> dict[str, bytes]:
        """key -> value of those that are known."""
        with self._lock:
            new = {key: self._new[key] for key in keys if key in self._new}
        if not self._path.exists():
            return new
        found: dict[str, bytes] = {}
        try:
            with closing(self._connect()) as base:
                for start in range(0, len(keys), _BATCH):
                    part = list(keys[start:start + _BATCH])
                    marks = ",".join("?" * len(part))
                    for key, value, check in base.execute(f"SELECT * FROM kept WHERE key IN ({marks})", part):
                        if zlib.crc32(value) != check:
                            raise sqlite3.DatabaseError("a value does not pass its check")
                        found[key] = value
        except sqlite3.OperationalError:
            return new
        except (sqlite3.DatabaseError, TypeError):
            self._path.unlink(missing_ok=True)
            return new
        return found | new

    def remember(self, key: str, value: bytes) -> None:
        """Note a value."""
        with self._lock:
            self._new[key] = value
            full = len(self._new) >= FLUSH_EVERY
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what is new; quietly nothing where that is impossible."""
        with self._lock:
            rows = [(key, value, zlib.crc32(value)) for key, value in self._new.items()]
            self._new.clear()
        if not rows:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, value BLOB, crc INTEGER) "
                             "WITHOUT ROWID")
                base.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", rows)
                if not self._counted and base.execute("SELECT COUNT(*) FROM kept").fetchone()[0] > self._most:
                    base.execute("DELETE FROM kept")
                self._counted = True
        except (sqlite3.Error, OSError):
            return

    def _connect(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=5)
        base.execute("PRAGMA synchronous = OFF")  # a damaged memory is thrown away, never believed
        return base
