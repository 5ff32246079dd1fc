"""Vectors on disk, content-addressed: (fingerprint of the model, hash of the content) -> unit vector and raw norm.

One SQLite file in WAL mode, for several processes and threads at once. Vectors lie in batches as they were written,
each with a checksum over model, hashes, norms and vectors, so that 100,000 are read as a few hundred long blobs. A
process killed at any moment loses at most the batch it was writing. A damaged file is set aside under another name, and
what still passes its check moves into a new one. Where the disk is full or read-only, the session goes on in memory.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from sqlite3 import Error as SqliteError
from typing import TypeVar

import numpy as np

from core.encoding.store_file import Damaged, StoreFile, batch_of, batches
from core.errors import ShapeError, StoreError, check_vectors
from core.settings import settings

MEMORY_BYTES = 1_000_000_000
MOST_NOTICES = 16
_T = TypeVar("_T")


@dataclass(frozen=True)
class Notice:
    """What the user should know of a store.

    Attributes
    ----------
    what : what became of it, in a sentence that anyone may read.
    details : why, where, and what to do; it may name folders of this machine.
    """

    what: str
    details: str

    def __str__(self) -> str:
        return f"{self.what} {self.details}"


class Store:
    """Where vectors are kept, so that nothing is encoded twice.

    Parameters
    ----------
    folder : holds ``vectors-N.sqlite``; made when first needed. By default ``vectors`` in the cache of the settings.
    limit_gb : size bound in GB (10^9 bytes); the batches used longest ago go first. By default ORRERY_CACHE_GB.
    """

    def __init__(self, folder: str | Path | None = None, *, limit_gb: float | None = None) -> None:
        self._file = StoreFile(Path(folder) if folder is not None else settings().cache / "vectors",
                               int((settings().cache_gb if limit_gb is None else limit_gb) * 1e9))
        self._lock = threading.RLock()
        self._memory: OrderedDict[tuple[str, bytes], tuple[np.ndarray, np.float32]] = OrderedDict()
        self._said: set[tuple[str, str]] = set()
        self._notices: list[Notice] = []

    @property
    def folder(self) -> Path:
        return self._file.folder

    def has(self, model_fingerprint: str, hashes: Sequence[str]) -> np.ndarray:
        """(n,) bool: which of these contents have a vector by this model."""
        keys = _keys(hashes)
        with self._lock:
            nowhere: dict[bytes, tuple[int, int]] = {}
            places = self._try(lambda c: self._file.places(c, model_fingerprint, keys), nowhere)
            return np.array([k in places or (model_fingerprint, k) in self._memory for k in keys], dtype=bool)

    def get(self, model_fingerprint: str, hashes: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vectors of contents, in the order of the hashes.

        Parameters
        ----------
        model_fingerprint : str
            `ModelSpec.fingerprint`.
        hashes : sequence of str
            n sha256 in hexadecimal.

        Returns
        -------
        found : (n,) bool.
        vectors : (found.sum(), d) float32, unit rows; (0, 0) where nothing was found.
        norms : (found.sum(),) float32, lengths of the raw vectors.
        """
        keys = _keys(hashes)
        with self._lock:
            empty = np.zeros(len(keys), dtype=bool), np.empty((0, 0), np.float32), np.empty(0, np.float32)
            found, vectors, norms = self._try(lambda c: self._file.read(c, model_fingerprint, keys), empty)
            extra = [i for i, k in enumerate(keys) if not found[i] and (model_fingerprint, k) in self._memory]
            if not extra:
                return found, vectors, norms
            held = [self._memory[model_fingerprint, keys[i]] for i in extra]
            every, lengths = np.empty((len(keys), len(held[0][0])), np.float32), np.empty(len(keys), np.float32)
            if found.any():
                every[found], lengths[found] = vectors, norms
            every[extra], lengths[extra] = [v for v, _ in held], [n for _, n in held]
            found = found.copy()
            found[extra] = True
            return found, every[found], lengths[found]

    def put(self, model_fingerprint: str, hashes: Sequence[str], raw_vectors: np.ndarray) -> None:
        """Keep raw vectors, as unit vectors and norms; what is there already stays as it is.

        Parameters
        ----------
        model_fingerprint : str
            `ModelSpec.fingerprint`.
        hashes : sequence of str
            n sha256 in hexadecimal.
        raw_vectors : ndarray
            (n, d) float32, finite, no row of zeros.

        Raises
        ------
        ShapeError
            If the vectors are not finite, a row is zero, or the lengths differ.
        """
        keys = _keys(hashes)
        vectors, norms = unit(raw_vectors)
        if len(keys) != len(vectors):
            raise ShapeError(f"{len(keys)} vectors, one for each hash", str(len(vectors)))
        if not keys:
            return
        packed = [batch_of(model_fingerprint, *rows) for rows in batches(keys, vectors, norms)]
        with self._lock:
            if self._try(lambda c: self._file.write(c, packed), False):
                return
            for key, vector, norm in zip(keys, vectors, norms, strict=True):
                self._memory[model_fingerprint, key] = vector, norm
            while len(self._memory) * vectors.shape[1] * 4 > MEMORY_BYTES:
                self._memory.popitem(last=False)

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know so far, each once: a store set aside, a disk that cannot be written."""
        with self._lock:
            return tuple(self._notices)

    def count(self) -> int:
        """How many vectors are kept, of all models."""
        with self._lock:
            return self._try(self._file.count, 0) + len(self._memory)

    def close(self) -> None:
        """Close the file; the store opens it again when it is next used."""
        with self._lock:
            self._file.close()

    def _try(self, action: Callable[[Connection], _T], otherwise: _T) -> _T:
        """What an action on the file gives; a damaged file is replaced first, a failing disk gives ``otherwise``."""
        for _ in range(3):
            try:
                return action(self._file.connect())
            except Damaged as damage:
                self._say("The store of vectors was damaged.", str(damage), self._file.set_aside())
            except (SqliteError, OSError) as error:
                self._file.close()
                self._say("The store of vectors cannot be used on disk; vectors are kept in memory for this session.",
                          str(error), f"Free some space in {self.folder}, or set ORRERY_CACHE to a folder that can be "
                          "written.")
                return otherwise
        raise StoreError("a store of vectors that stays readable", f"one damaged again and again in {self.folder}",
                         "Check the disk, or set ORRERY_CACHE to another one.")

    def _say(self, what: str, why: str, then: str) -> None:
        if (what, why) not in self._said and len(self._said) < MOST_NOTICES:
            self._said.add((what, why))
            self._notices.append(Notice(what, f"({why}) {then}"))


def unit(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows (n, d) and lengths (n,), float32, of raw vectors; ShapeError where a row is zero or not finite."""
    check_vectors(raw, what="raw vectors", at_least=0)
    wide = raw.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1)
    if len(norms) and norms.min() == 0:
        raise ShapeError("raw vectors with a direction", f"a row of zeros at row {int(norms.argmin())}")
    return (wide / norms[:, None]).astype(np.float32), norms.astype(np.float32)


def _keys(hashes: Sequence[str]) -> list[bytes]:
    try:
        keys = [bytes.fromhex(h) for h in hashes]
    except ValueError as error:
        raise ShapeError("hashes in hexadecimal", str(error)) from error
    if any(len(key) != 32 for key in keys):
        raise ShapeError("sha256 hashes of 64 hexadecimal digits", "one of another length")
    return keys
