"""Several runs over the same items at once, in one process or in many: none encodes what another is at work on.

A run claims a content before it decodes it. A claim is a lock on one byte of a file beside the store, at the place that
the content's hash names: the system takes it back when the process ends, however it ends. Where there are no such locks
(Windows, some network disks) runs of one process still share, and those of several processes encode some things twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.encoding.store import Store

FILE = "at-work.lock"
_registry: dict[Path, _Claims] = {}
_lock = threading.Lock()


class _Claims:
    """Places claimed by this process, in memory and by locks that other processes see."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._begin()

    def take(self, places: Iterable[int]) -> set[int]:
        """Those of the places that nobody had; they are this caller's now."""
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            taken = {place for place in places if place not in self._ours and self._locked(place)}
            self._ours |= taken
            return taken

    def give_back(self, places: Iterable[int]) -> None:
        with self._lock:
            for place in places:
                self._ours.discard(place)
                self._unlock(place)

    def _begin(self) -> None:
        """Nothing is claimed yet; also after a fork, for a child has none of its parent's locks."""
        self._ours: set[int] = set()
        self._pid = os.getpid()
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)

    def _locked(self, place: int) -> bool:
        """Whether no other process has it; True where that cannot be known."""
        try:
            import fcntl

            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return False
        except (ImportError, OSError):
            self._file = None
        return True

    def _unlock(self, place: int) -> None:
        if self._file is not None:
            with contextlib.suppress(ImportError, OSError):
                import fcntl

                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)


class Shares:
    """What one run may work on, so that no two do the same; a context manager that gives everything back.

    Parameters
    ----------
    store : where finished vectors are, of whichever run.
    model_fingerprint : of the model that encodes.
    """

    def __init__(self, store: Store, model_fingerprint: str) -> None:
        self._model = model_fingerprint
        path = Path(os.path.abspath(store.folder / FILE))
        with _lock:
            if path not in _registry:
                _registry[path] = _Claims(path)
            self._claims = _registry[path]
        self._held: dict[str, int] = {}

    def __enter__(self) -> Shares:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back(list(self._held))

    def take(self, hashes: Sequence[str]) -> set[str]:
        """Those of the contents that no other run is at work on; this run holds them until it gives them back."""
        places = {h: self._place(h) for h in hashes}
        taken = self._claims.take(places.values())
        ours = {h: place for h, place in places.items() if place in taken}
        self._held |= ours
        return set(ours)

    def give_back(self, hashes: Iterable[str]) -> None:
        """End the claim on contents that are in the store now, or cannot be encoded."""
        self._claims.give_back([self._held.pop(h) for h in hashes if h in self._held])

    def _place(self, content: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self._model} {content}".encode()).digest()[:7], "big")
