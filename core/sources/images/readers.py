"""Readers of images that a user brings: files on disk, members of a zip, uploads. All read when needed, one by one."""

from __future__ import annotations

import contextlib
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Cancelled, UnreadableItem
from core.sources.archives import Archive
from core.sources.images.framing import Framing
from core.sources.images.hashes import hash_memory, sha256, stamp_of
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large, why_not
from core.sources.workers import shared_pool
from core.types import Images

if TYPE_CHECKING:
    from PIL.Image import Image

    from core.sources.tars import TarArchive


def decode_image(data: bytes, name: str, *, max_side: int | None = None, framing: Framing | None = None) -> Image:
    """The upright RGB picture of an untrusted file's bytes, unpacked in a worker process.

    Parameters
    ----------
    data
        The whole file.
    name
        What a message calls it.
    max_side
        Where given, a picture of at most this many pixels a side is enough (aspect kept, never enlarged).
    framing
        Where given, the picture is resized and cut to it, in the worker too.

    Raises
    ------
    UnreadableItem
        With the file's name and, as ``got``, the reason in plain words.
    """
    return shared_pool().decode(data, name, max_side=max_side, framing=framing)


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
                found = sha256(self.read(index)).hex()
            except UnreadableItem as error:
                found = sha256(str(error).encode()).hex()
            self._hashes[index] = found
        return found

    def decode(self, index: int, *, max_side: int | None = None, framing: Framing | None = None) -> Image:
        """The upright RGB image, whole unless ``max_side`` (pixels) or ``framing`` is given; raises UnreadableItem."""
        return decode_image(self.read(index), self.names[index], max_side=max_side, framing=framing)


class FileImages(FileBytes):
    """Image files on disk; a file that was hashed before is not read again until it is decoded."""

    def __init__(self, paths: Sequence[str | Path], names: Sequence[str] | None = None) -> None:
        super().__init__([Path(p).name for p in paths] if names is None else names)
        self._paths = tuple(os.path.abspath(p) for p in paths)
        self._lock = threading.Lock()
        self._recalled: dict[str, tuple[bytes, bytes]] | None = None

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
        """sha256 (hex) of the file's bytes, remembered between sessions; a file not to be read by its name."""
        found = self._hashes.get(index)
        if found is not None:
            return found
        path = self._paths[index]
        try:
            stamp = stamp_of(path)
            known = self._known().get(path)
            if known is not None and known[0] == stamp:
                found = known[1].hex()
            else:
                digest = sha256(self.read(index))
                hash_memory().remember(path, stamp, digest)
                found = digest.hex()
        except (OSError, UnreadableItem):
            return super().content_hash(index)
        self._hashes[index] = found
        return found

    def decode(self, index: int, *, max_side: int | None = None, framing: Framing | None = None) -> Image:
        """As in `FileBytes`; raises UnreadableItem also if the file has changed."""
        data = self.read(index)
        if sha256(data).hex() != self.content_hash(index):
            raise refuse(self.names[index], "the file has changed since it was opened; open the folder again")
        return decode_image(data, self.names[index], max_side=max_side, framing=framing)

    def _known(self) -> dict[str, tuple[bytes, bytes]]:
        with self._lock:
            if self._recalled is None:
                self._recalled = hash_memory().recall(self._paths)
            return self._recalled


class ZipImages(FileBytes):
    """Members of a zip or tar, on disk or in memory; never unpacked to disk."""

    def __init__(self, archive: Archive | TarArchive, members: Sequence[str]) -> None:
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
    """Some images of other readers, in a given order: rows (reader, index in it), as ``chosen`` keeps them."""

    def __init__(self, chosen: Sequence[tuple[Images, int]]) -> None:
        self.chosen = tuple(chosen)

    def __len__(self) -> int:
        return len(self.chosen)

    def content_hash(self, index: int) -> str:
        """The hash that its own reader gives."""
        images, at = self.chosen[index]
        return images.content_hash(at)

    def decode(self, index: int, *, max_side: int | None = None, framing: Framing | None = None) -> Image:
        """The upright RGB image, whole unless ``max_side`` (pixels) or ``framing`` is given; raises UnreadableItem."""
        images, at = self.chosen[index]
        if framing is not None:
            return decode_framed(images, at, framing)
        return decode_small(images, at, max_side) if max_side else images.decode(at)


def decode_small(images: Images, index: int, max_side: int) -> Image:
    """An image of at most ``max_side`` pixels a side (aspect kept, never enlarged), by the reader's fast way if any."""
    from core.sources.solids.alterations import AlteredImages
    from core.sources.solids.world import SceneImages

    if isinstance(images, FileBytes | ChosenImages):
        return images.decode(index, max_side=max_side)
    alone = {"alone": True} if isinstance(images, SceneImages | AlteredImages) else {}
    image = images.decode(index, **alone).copy()
    image.thumbnail((max_side, max_side))
    return image


def decode_framed(images: Images, index: int, framing: Framing) -> Image:
    """An image resized and cut as a model wants it, in the process that decodes it where there is one."""
    if isinstance(images, FileBytes | ChosenImages):
        return images.decode(index, framing=framing)
    return framing.apply(images.decode(index))


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
            for part in pool.map(lambda at: [images.content_hash(i) for i in range(at, min(at + 32, n))],
                                 range(start, min(start + 256, n), 32)):
                out += part
            if on_progress is not None:
                on_progress(len(out) / n, f"{len(out):,} of {n:,} files read")
    hash_memory().flush()
    return out


def hashes_or_reasons(images: Images, *, on_progress: Callable[[float, str], None] | None = None,
                      should_stop: Callable[[], bool] | None = None) -> tuple[list[str | None], dict[int, str]]:
    """Content hash of each image, None where it has none because it cannot be read, with index -> reason.

    Raises
    ------
    Cancelled
        As ``content_hashes``.
    """
    with contextlib.suppress(UnreadableItem, OSError):
        return list(content_hashes(images, on_progress=on_progress, should_stop=should_stop)), {}
    hashes: list[str | None] = []
    reasons: dict[int, str] = {}
    for index in range(len(images)):
        try:
            hashes.append(images.content_hash(index))
        except (UnreadableItem, OSError) as error:
            hashes.append(None)
            reasons[index] = error.got if isinstance(error, UnreadableItem) else why_not(error)
    return hashes, reasons
