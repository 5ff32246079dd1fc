"""Zip archives that strangers packed: listed, checked and read member by member, never unpacked to disk."""

from __future__ import annotations

import io
import os
import re
import threading
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from core.errors import SourceError
from core.sources.gate import check_archive, check_directory, read_bounded
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large
from core.types import Refusal


class Archive:
    """A zip opened for reading; thread-safe.

    Parameters
    ----------
    source : a path, or the bytes of the archive.
    name : what a message calls it.

    Attributes
    ----------
    members : cleaned names ("/" between folders, nothing above the root) of the readable files, in natural order.
    refused : files that are listed but cannot be read, with the reason.
    left_out : none, for all that a zip lists are files.

    Raises
    ------
    SourceError
        If it is no zip, is encrypted as a whole, holds nothing, or would unpack to far too much.
    """

    def __init__(self, source: str | Path | bytes, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        if isinstance(source, bytes) and not source:
            raise SourceError(f"a zip archive in {name}", "an empty file", "Upload it again.")
        try:
            file = io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
            check_directory(file, name)
            self._zip = zipfile.ZipFile(file)
        except FileNotFoundError as error:
            raise SourceError("the path of a zip archive", f"{name}, which is not there",
                              "Check the path.") from error
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
            raise SourceError(f"a zip archive in {name}", f"a file that cannot be opened as one ({error})",
                              "It may be cut off; pack it again as a plain zip.") from error
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self.refused: tuple[Refusal, ...] = ()
        self.left_out: tuple[Refusal, ...] = ()
        self._list()

    def _list(self) -> None:
        refused = []
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        check_archive(infos, self.name)
        for info in infos:
            member = clean(info.filename)
            if is_hidden(member):
                continue
            member = distinct(member, self._infos)
            if info.flag_bits & 1:
                refused.append(Refusal(member, "it is locked with a password"))
            elif info.file_size > MAX_FILE_BYTES:
                refused.append(Refusal(member, too_large(info.file_size)))
            else:
                self._infos[member] = info
        if infos and len(refused) == len(infos) and all("password" in r.reason for r in refused):
            raise SourceError(f"a zip archive without a password in {self.name}", f"{len(infos):,} locked files",
                              "Unpack it and zip it again without a password.")
        self.members = tuple(sorted(self._infos, key=natural))
        self.refused = tuple(refused)

    def read(self, member: str, most: int | None = None) -> bytes:
        """The bytes of one member, or no more than so many of its first; raises UnreadableItem."""
        try:
            with self._lock:
                opened = self._zip.open(self._infos[member])
            try:
                return read_bounded(opened, MAX_FILE_BYTES, member) if most is None or most >= MAX_FILE_BYTES else \
                    opened.read(most)
            finally:
                with self._lock:
                    opened.close()
        except KeyError as error:
            raise refuse(member, f"{self.name} holds no such file") from error
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise refuse(member, f"its part of {self.name} is damaged ({error})") from error
        except (NotImplementedError, RuntimeError) as error:
            raise refuse(member, f"{self.name} is packed in a way that is not read here ({error})") from error
        except (OSError, ValueError) as error:
            raise refuse(member, f"{self.name} cannot be read ({error})") from error

    def size(self, member: str) -> int:
        """Unpacked bytes of a member, as the archive states them."""
        return self._infos[member].file_size


def clean(name: str) -> str:
    """A relative name with "/" between folders; drive letters, "." and ".." have no meaning and go."""
    parts = name.replace("\\", "/").split("/")
    kept = [part for part in parts if part not in ("", ".", "..") and not (len(part) == 2 and part[1] == ":")]
    return "/".join(kept) or "unnamed"


def distinct(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a running number before its ending where it is taken."""
    stem, ending = os.path.splitext(name)
    number = 1
    while name in taken:
        number = number + 1 if number < 9 else max(number + 1, len(taken))
        name = f"{stem}~{number}{ending}"
    return name


def is_hidden(name: str) -> bool:
    """True for dot files and what operating systems leave behind."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/")) or \
        name.rsplit("/", 1)[-1].lower() in ("thumbs.db", "desktop.ini")


def natural(name: str) -> tuple[object, ...]:
    """A key that sorts 2.png before 10.png."""
    parts: list[object] = list(re.split(r"(\d+)", name))
    for i in range(1, len(parts), 2):
        digits = str(parts[i]).lstrip("0")
        parts[i] = (len(digits), digits, parts[i])
    return tuple(parts)
