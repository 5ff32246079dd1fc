"""The SQLite file under the store of vectors: its tables, its checks, and what happens when it is damaged."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROWS_A_BATCH = 256
KEYS_A_QUERY = 10_000
BLOBS_A_QUERY = 100
TOUCH_SECONDS = 3600.0
BUSY_SECONDS = 60.0
PAGE_BYTES = 8192
_NAME = re.compile(r"(?:damaged-)?vectors-(\d+)\.sqlite")
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TABLES = """
CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY AUTOINCREMENT, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS blobs (batch INTEGER PRIMARY KEY, model TEXT NOT NULL, hashes BLOB NOT NULL,
    data BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS items (model TEXT NOT NULL, hash BLOB NOT NULL, batch INTEGER NOT NULL,
    position INTEGER NOT NULL, PRIMARY KEY (model, hash)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batches_by_use ON batches (used);
"""
_abandoned: list[sqlite3.Connection] = []


class Damaged(Exception):
    """The file, or a batch in it, is not what was written."""


@dataclass(frozen=True)
class Batch:
    """Rows written together: model, hashes (32 bytes a row), data (n norms, then n x d vectors; float32), checksum."""

    model: str
    hashes: bytes
    data: bytes
    checksum: int

    def __len__(self) -> int:
        return len(self.hashes) // 32

    @property
    def intact(self) -> bool:
        return self.checksum == _checksum(self.model, self.hashes, self.data) and len(self) > 0

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hashes (n,) bytes, vectors (n, d) and norms (n,) float32."""
        numbers = np.frombuffer(self.data, dtype="<f4")
        return np.frombuffer(self.hashes, dtype="V32"), numbers[len(self):].reshape(len(self), -1), numbers[:len(self)]


def batch_of(model: str, keys: Sequence[bytes], vectors: np.ndarray, norms: np.ndarray) -> Batch:
    """A batch with its checksum."""
    hashes, data = b"".join(keys), norms.astype("<f4").tobytes() + vectors.astype("<f4").tobytes()
    return Batch(model, hashes, data, _checksum(model, hashes, data))


def batches(keys: Sequence[bytes], vectors: np.ndarray,
            norms: np.ndarray) -> Iterator[tuple[Sequence[bytes], np.ndarray, np.ndarray]]:
    """Rows in pieces of `ROWS_A_BATCH`."""
    for start in range(0, len(keys), ROWS_A_BATCH):
        part = slice(start, start + ROWS_A_BATCH)
        yield keys[part], vectors[part], norms[part]


class StoreFile:
    """One connection to the newest ``vectors-N.sqlite`` of a folder; N grows when a damaged file is set aside.

    Not safe for threads; `core.encoding.store.Store` holds a lock round it. Several processes may each have one.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[Path, int, int] = (folder, 0, 0)

    def connect(self) -> sqlite3.Connection:
        """The open connection; opened again after a fork, or where another process has set the file aside."""
        if self._connection is not None:
            path, inode, pid = self._opened
            if pid != os.getpid():
                _abandoned.append(self._connection)
                self._connection = None
            elif not path.exists() or path.stat().st_ino != inode:
                self.close()
        if self._connection is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self._path()
            with _naming_damage():
                self._connection = _open(path)
            self._opened = path, path.stat().st_ino, os.getpid()
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def places(self, connection: sqlite3.Connection, model: str, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """(batch, position) of each key that is there."""
        found: dict[bytes, tuple[int, int]] = {}
        with _naming_damage():
            for start in range(0, len(keys), KEYS_A_QUERY):
                part = keys[start:start + KEYS_A_QUERY]
                marks = ",".join("?" * len(part))
                rows = connection.execute(
                    f"SELECT hash, batch, position FROM items WHERE model = ? AND hash IN ({marks})", (model, *part))
                found.update((h, (batch, position)) for h, batch, position in rows)
        return found

    def read(self, connection: sqlite3.Connection, model: str,
             keys: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """found (n,) bool, vectors and norms of those found, in the order of the keys."""
        with _naming_damage(), _transaction(connection, "BEGIN"):
            places = self.places(connection, model, keys)
            where = np.array([places.get(key, (0, 0)) for key in keys], dtype=np.int64).reshape(-1, 2)
            found = where[:, 0] > 0
            wanted = np.frombuffer(b"".join(keys), dtype="V32")[found] if len(keys) else np.empty(0, "V32")
            ids, rows = where[found, 0], where[found, 1]
            order = np.argsort(ids, kind="stable")
            numbers, starts = np.unique(ids[order], return_index=True)
            pieces = dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=True)) if len(numbers) else {}
            vectors, norms = np.empty((0, 0), np.float32), np.empty(len(ids), np.float32)
            for start in range(0, len(numbers), BLOBS_A_QUERY):
                part = numbers[start:start + BLOBS_A_QUERY].tolist()
                marks = ",".join("?" * len(part))
                blobs = connection.execute(
                    f"SELECT batch, model, hashes, data, checksum FROM blobs WHERE batch IN ({marks})", part).fetchall()
                if len(blobs) != len(part):
                    raise Damaged("a batch is missing")
                for number, *content in blobs:
                    batch, here = Batch(*content), pieces[number]
                    if not batch.intact or batch.model != model or rows[here].max() >= len(batch):
                        raise Damaged("a batch does not pass its check")
                    hashes, its_vectors, its_norms = batch.arrays()
                    if (hashes[rows[here]] != wanted[here]).any():
                        raise Damaged("the index names other rows than the batch has")
                    if not vectors.size:
                        vectors = np.empty((len(ids), its_vectors.shape[1]), np.float32)
                    vectors[here], norms[here] = its_vectors[rows[here]], its_norms[rows[here]]
        self._touch(connection, numbers.tolist())
        return found, vectors, norms

    def write(self, connection: sqlite3.Connection, packed: Sequence[Batch]) -> bool:
        """Add batches in one transaction, without the rows that are there already; then drop what is over the limit."""
        with _naming_damage(), _transaction(connection, "BEGIN IMMEDIATE"):
            for batch in packed:
                self._insert(connection, batch)
            self._evict(connection)
        return True

    def count(self, connection: sqlite3.Connection) -> int:
        with _naming_damage():
            return int(connection.execute("SELECT count(*) FROM items").fetchone()[0])

    def set_aside(self) -> str:
        """Rename the damaged file, move what passes its check into a new one, and say so in words."""
        path = self._opened[0] if self._connection is not None else self._path()
        self.close()
        aside = path.with_name(f"damaged-{path.name}")
        for old in self.folder.glob("damaged-vectors-*"):
            old.unlink(missing_ok=True)
        try:
            for ending in ("", "-wal", "-shm"):
                if ending == "" or path.with_name(path.name + ending).exists():
                    path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
        except FileNotFoundError:
            return "Another process has set it aside already."
        kept = self._salvage(aside)
        return (f"It was set aside as {aside.name}; {kept:,} vectors passed their check and were kept, "
                "the others are encoded again when they are needed.")

    def _salvage(self, aside: Path) -> int:
        kept = 0
        with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(sqlite3.connect(aside)) as old:
            last = old.execute("SELECT max(batch) FROM blobs").fetchone()[0] or 0
            for number in range(1, last + 1):
                with contextlib.suppress(sqlite3.DatabaseError, TypeError, AttributeError):
                    row = old.execute("SELECT model, hashes, data, checksum FROM blobs WHERE batch = ?",
                                      (number,)).fetchone()
                    batch = Batch(*row) if row else None
                    if batch is not None and batch.intact:
                        self.write(self.connect(), [batch])
                        kept += len(batch)
        return kept

    def _path(self) -> Path:
        """The newest file that is not set aside, or the name of the first or next one."""
        live, all_numbers = [], [0]
        for file in self.folder.iterdir():
            if match := _NAME.fullmatch(file.name):
                all_numbers.append(int(match[1]))
                if not file.name.startswith("damaged-"):
                    live.append(int(match[1]))
        return self.folder / f"vectors-{max(live) if live else max(all_numbers) + 1}.sqlite"

    def _insert(self, connection: sqlite3.Connection, batch: Batch) -> None:
        hashes, vectors, norms = batch.arrays()
        keys = [key.tobytes() for key in hashes]
        known = self.places(connection, batch.model, keys)
        new: dict[bytes, int] = {}
        for position, key in enumerate(keys):
            if key not in known:
                new.setdefault(key, position)
        if not new:
            return
        if len(new) != len(keys):
            keys, rows = list(new), list(new.values())
            batch = batch_of(batch.model, keys, vectors[rows], norms[rows])
        number = connection.execute("INSERT INTO batches (used) VALUES (?)", (time.time(),)).lastrowid
        connection.execute("INSERT INTO blobs VALUES (?, ?, ?, ?, ?)",
                           (number, batch.model, batch.hashes, batch.data, batch.checksum))
        connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?)",
                               [(batch.model, key, number, position) for position, key in enumerate(keys)])

    def _evict(self, connection: sqlite3.Connection) -> None:
        target = self.limit
        while _used_bytes(connection) > target:
            target = int(self.limit * 0.9)
            oldest = connection.execute(
                "SELECT id, model, hashes FROM batches JOIN blobs ON batch = id "
                "WHERE id < (SELECT max(id) FROM batches) ORDER BY used, id LIMIT 1").fetchone()
            if not oldest:
                return
            number, model, hashes = oldest
            connection.executemany("DELETE FROM items WHERE model = ? AND hash = ?",
                                   [(model, hashes[i:i + 32]) for i in range(0, len(hashes), 32)])
            connection.execute("DELETE FROM blobs WHERE batch = ?", (number,))
            connection.execute("DELETE FROM batches WHERE id = ?", (number,))

    def _touch(self, connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
        """Note that batches were used, at most once an hour; no reading fails for it."""
        now = time.time()
        with contextlib.suppress(sqlite3.Error):
            for start in range(0, len(numbers), KEYS_A_QUERY):
                part = numbers[start:start + KEYS_A_QUERY]
                which = f"used < ? AND id IN ({','.join('?' * len(part))})"
                if connection.execute(f"SELECT 1 FROM batches WHERE {which} LIMIT 1",
                                      (now - TOUCH_SECONDS, *part)).fetchone():
                    connection.execute(f"UPDATE batches SET used = ? WHERE {which}",
                                       (now, now - TOUCH_SECONDS, *part))


def _open(path: Path) -> sqlite3.Connection:
    if path.exists() and not os.access(path.parent, os.W_OK):
        return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None,
                               check_same_thread=False)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {64 << 20}")
        _patiently(lambda: connection.executescript(_TABLES))
    except BaseException:
        connection.close()
        raise
    return connection


def _patiently(action: Callable[[], object]) -> None:
    """SQLite answers 'locked' at once while another process switches a new file to WAL; so ask again."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            action()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextlib.contextmanager
def _naming_damage() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE:
            raise Damaged(str(error)) from error
        raise


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    return int((pages - free) * PAGE_BYTES)


def _checksum(model: str, hashes: bytes, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(hashes, zlib.crc32(model.encode())))
