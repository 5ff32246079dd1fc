"""Tar archives, as webdatasets come in shards: listed once, read member by member, never unpacked to disk."""

from __future__ import annotations

import io
import tarfile
import threading
from pathlib import Path
from typing import IO

from core.errors import SourceError
from core.sources.archives import clean, distinct, is_hidden, natural
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large, why_not
from core.types import Refusal


class TarArchive:
    """An uncompressed tar opened for reading; the same to its callers as an ``Archive``; thread-safe.

    Raises
    ------
    SourceError
        If it is no tar, or a compressed one, in which no member can be reached without unpacking all before it.
    """

    def __init__(self, source: Path | bytes, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._places: dict[str, tuple[int, int]] = {}
        refused = []
        try:
            self._file: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
            if self._file.read(2) == b"\x1f\x8b":
                raise SourceError(f"a plain tar in {name}", "a compressed one", "Unpack it once with gunzip.")
            self._file.seek(0)
            with tarfile.open(fileobj=self._file, mode="r:") as archive:
                for info in archive:
                    member = clean(info.name)
                    if not info.isreg() or info.issparse() or is_hidden(member):
                        continue
                    member = distinct(member, self._places)
                    if info.size > MAX_FILE_BYTES:
                        refused.append(Refusal(member, too_large(info.size)))
                    else:
                        self._places[member] = (info.offset_data, info.size)
        except OSError as error:
            raise SourceError("the path of a tar archive", f"{name}: {why_not(error)}", "Check the path.") from error
        except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
            raise SourceError(f"a tar archive in {name}", f"a file that cannot be opened as one ({error})",
                              "It may be cut off; pack it again.") from error
        self.members = tuple(sorted(self._places, key=natural))
        self.refused = tuple(refused)

    def read(self, member: str) -> bytes:
        """The bytes of one member; raises UnreadableItem."""
        if member not in self._places:
            raise refuse(member, f"{self.name} holds no such file")
        at, size = self._places[member]
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
