"""Readers of images that a user brings: files on disk, members of a zip, uploads. All read when needed, one by one."""

from __future__ import annotations

import hashlib
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Cancelled, UnreadableItem
from core.sources.archives import Archive
from core.sources.workers import MAX_FILE_BYTES, refuse, shared_pool, too_large
from core.types import Images

if TYPE_CHECKING:
    from PIL.Image import Image


def decode_image(data: bytes, name: str, *, max_side: int | None = None) -> Image:
    """The upright RGB picture of an untrusted file's bytes, unpacked in a worker process.

    Parameters
    ----------
    data
        The whole file.
    name
        What a message calls it.
    max_side
        Where given, a picture of at most this many pixels a side is enough (aspect kept, never enlarged).

    Raises
    ------
    UnreadableItem
        With the file's name and, as ``got``, the reason in plain words.
    """
    return shared_pool().decode(data, name, max_side=max_side)


class FileBytes(ABC):
    """Images held as bytes of image files, wherever these lie; thread-safe."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._hashes: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The bytes of the file; raises UnreadableItem."""

    def content_hash(self, index: int) -> str:
        """sha256 (hex) of the file's bytes; a file that cannot be read is hashed by its name and reason."""
        found = self._hashes.get(index)
        if found is None:
            try:
                found = hashlib.sha256(self.read(index)).hexdigest()
            except UnreadableItem as error:
                found = hashlib.sha256(str(error).encode()).hexdigest()
            self._hashes[index] = found
        return found

    def decode(self, index: int, *, max_side: int | None = None) -> Image:
        """The upright RGB image, whole unless ``max_side`` (pixels) is given; raises UnreadableItem."""
        data = self.read(index)
        if index not in self._hashes:
            self._hashes[index] = hashlib.sha256(data).hexdigest()
        return decode_image(data, self.names[index], max_side=max_side)


class FileImages(FileBytes):
    """Image files on disk."""

    def __init__(self, paths: Sequence[str | Path], names: Sequence[str] | None = None) -> None:
        super().__init__([Path(p).name for p in paths] if names is None else names)
        self._paths = tuple(map(str, paths))

    def read(self, index: int) -> bytes:
        """The bytes of the file; raises UnreadableItem."""
        try:
            with open(self._paths[index], "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > MAX_FILE_BYTES:
                    raise refuse(self.names[index], too_large(size))
                return file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise refuse(self.names[index], why_not(error)) from error

    def content_hash(self, index: int) -> str:
        """sha256 (hex) of the file's bytes, remembered by path, size and time of change."""
        found = self._hashes.get(index)
        if found is None:
            try:
                stat = os.stat(self._paths[index])
            except OSError:
                return super().content_hash(index)
            key = (self._paths[index], stat.st_size, stat.st_mtime_ns)
            found = _remembered.get(key)
            if found is None:
                found = _remembered[key] = super().content_hash(index)
            self._hashes[index] = found
        return found


class ZipImages(FileBytes):
    """Members of a zip, on disk or in memory; never unpacked to disk."""

    def __init__(self, archive: Archive, members: Sequence[str]) -> None:
        super().__init__(members)
        self._archive = archive

    def read(self, index: int) -> bytes:
        """The bytes of the member; raises UnreadableItem."""
        return self._archive.read(self.names[index])


class UploadImages(FileBytes):
    """Image files held in memory, as a browser uploads them."""

    def __init__(self, uploads: Sequence[tuple[str, bytes]]) -> None:
        super().__init__([name for name, _ in uploads])
        self._data = tuple(data for _, data in uploads)

    def read(self, index: int) -> bytes:
        """The bytes of the upload."""
        return self._data[index]


class ChosenImages:
    """Some images of other readers, in a given order: rows (reader, index in it)."""

    def __init__(self, chosen: Sequence[tuple[Images, int]]) -> None:
        self._chosen = tuple(chosen)

    def __len__(self) -> int:
        return len(self._chosen)

    def content_hash(self, index: int) -> str:
        """The hash that its own reader gives."""
        images, at = self._chosen[index]
        return images.content_hash(at)

    def decode(self, index: int, *, max_side: int | None = None) -> Image:
        """The upright RGB image, whole unless ``max_side`` (pixels) is given; raises UnreadableItem."""
        images, at = self._chosen[index]
        return decode_small(images, at, max_side) if max_side else images.decode(at)


def decode_small(images: Images, index: int, max_side: int) -> Image:
    """An image of at most ``max_side`` pixels a side (aspect kept, never enlarged), by the reader's fast way if any."""
    if isinstance(images, FileBytes | ChosenImages):
        return images.decode(index, max_side=max_side)
    image = images.decode(index).copy()
    image.thumbnail((max_side, max_side))
    return image


def content_hashes(images: Images, *, on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> list[str]:
    """The content hash of every image, read by several threads at once.

    Raises
    ------
    Cancelled
        Where ``should_stop`` says so; hashes already known are kept by the reader.
    """
    n = len(images)
    out: list[str] = []
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) * 2)) as pool:
        for start in range(0, n, 256):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{start:,} of {n:,} files were read")
            out += pool.map(images.content_hash, range(start, min(start + 256, n)))
            if on_progress is not None:
                on_progress(len(out) / n, f"{len(out):,} of {n:,} files read")
    return out


def why_not(error: OSError) -> str:
    """Why a file cannot be opened, in plain words."""
    if isinstance(error, FileNotFoundError):
        return "the file is not there"
    if isinstance(error, PermissionError):
        return "the file may not be read by this user"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return f"the disk says: {error.strerror or error}"


class _Remembered:
    """Hashes of files by path, size and time of change, for all readers of the process; the oldest go first."""

    def __init__(self, limit: int = 500_000) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._known: dict[tuple[str, int, int], str] = {}

    def get(self, key: tuple[str, int, int]) -> str | None:
        return self._known.get(key)

    def __setitem__(self, key: tuple[str, int, int], value: str) -> None:
        with self._lock:
            self._known[key] = value
            while len(self._known) > self._limit:
                del self._known[next(iter(self._known))]


_remembered = _Remembered()
