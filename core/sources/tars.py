"""Tar archives, as webdatasets come in shards: listed once, read member by member, never unpacked to disk."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import threading
import zlib
from pathlib import Path
from typing import IO

from core.errors import SourceError
from core.sources.archives import Archive, clean, distinct, is_hidden, natural
from core.sources.gate import check_tar, read_bounded
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large, why_not
from core.types import Refusal

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_KINDS = {tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a pipe"}


def open_archive(source: Path | bytes, name: str, encoding: str | None = None) -> Archive | TarArchive:
    """A zip or a tar, as its name says; raises SourceError. ``encoding`` is that of names which do not say it."""
    if name.lower().endswith(ARCHIVES[1:]):
        return TarArchive(source, name, encoding)
    return Archive(source, name, encoding)


class TarArchive:
    """A tar opened for reading; the same to its callers as an ``Archive``; thread-safe.

    Links, hard and symbolic, are followed to members of the same archive; all others are in ``refused``. A gzipped tar,
    in which no member can be reached without unpacking all before it, is unpacked into memory.

    Raises
    ------
    SourceError
        If it is no tar, or a gzipped one that unpacks to too much for that.
    """

    def __init__(self, source: Path | bytes, name: str, encoding: str | None = None) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        refused: list[Refusal] = []
        links: dict[str, tuple[str, str]] = {}
        try:
            self._file: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
            gzipped = self._file.read(2) == b"\x1f\x8b"
            self._file.seek(0)
            if gzipped:
                self._file = io.BytesIO(read_bounded(gzip.GzipFile(fileobj=self._file), MAX_FILE_BYTES, name,
                                                     "Unpack it once with gunzip."))
            check_tar(self._file, name)
            taken: dict[str, bool] = {}
            with tarfile.open(fileobj=self._file, mode="r:") as archive:
                for info in archive:
                    member = clean(info.name)
                    if info.isdir() or is_hidden(member):
                        continue
                    member = distinct(member, taken)
                    taken[member] = True
                    if info.islnk() or info.issym():
                        links[member] = _within(info.name, info), info.linkname
                    elif not info.isreg() or info.issparse():
                        kind = "a file with holes" if info.issparse() else _KINDS.get(info.type, "no plain file")
                        refused.append(Refusal(member, f"it is {kind}, which is not read"))
                    elif info.size > MAX_FILE_BYTES:
                        refused.append(Refusal(member, too_large(info.size)))
                    else:
                        self._places[member] = (info.offset_data, info.size)
        except (tarfile.TarError, ValueError, EOFError, OverflowError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(f"a tar archive in {name}", f"a file that cannot be opened as one ({error})",
                              "It may be cut off; pack it again.") from error
        except OSError as error:
            raise SourceError("the path of a tar archive", f"{name}: {why_not(error)}", "Check the path.") from error
        self._follow(links, refused)
        self.members = tuple(sorted(self._places, key=natural))
        self.refused = tuple(refused)
        self.left_out: tuple[Refusal, ...] = ()
        self.notices: tuple[str, ...] = ()

    def _follow(self, links: dict[str, tuple[str, str]], refused: list[Refusal]) -> None:
        """Give each link (where it leads within the archive, and as it is written) the place of its file."""
        for member, (target, said) in links.items():
            seen = {member}
            while target in links and target not in seen:
                seen.add(target)
                target = links[target][0]
            if target in self._places and target not in links:
                self._places[member] = self._places[target]
            else:
                refused.append(Refusal(member, f"it is a link to {said[:120]}, which is no file of this archive"))

    def read(self, member: str, most: int | None = None) -> bytes:
        """The bytes of one member, or no more than so many of its first; raises UnreadableItem."""
        if member not in self._places:
            raise refuse(member, f"{self.name} holds no such file")
        at, size = self._places[member]
        size = size if most is None else min(size, most)
        with self._lock:
            try:
                self._file.seek(at)
                data = self._file.read(size)
            except OSError as error:
                raise refuse(member, f"{self.name} cannot be read ({why_not(error)})") from error
        if len(data) < size:
            raise refuse(member, f"its part of {self.name} is cut off")
        return data

    def size(self, member: str) -> int:
        """Bytes of a member."""
        return self._places[member][1]


def _within(name: str, info: tarfile.TarInfo) -> str:
    """Where a link leads, as the name of a member; "" where that lies outside the archive."""
    if info.islnk():
        return clean(info.linkname)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), info.linkname))
    return "" if path.startswith(("/", "..")) else clean(path)
