"""Zip archives that strangers packed: listed, checked and read member by member, never unpacked to disk."""

from __future__ import annotations

import io
import os
import re
import struct
import threading
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import SourceError
from core.sources.gate import check_archive, check_directory, read_bounded
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large
from core.sources.text import decode
from core.types import Refusal


class Archive:
    """A zip opened for reading; thread-safe.

    Parameters
    ----------
    source : a path, or the bytes of the archive.
    name : what a message calls it.
    encoding : how names are written that do not say it; guessed by default.

    Attributes
    ----------
    members : cleaned names ("/" between folders, nothing above the root) of the readable files, in natural order.
    refused : files that are listed but cannot be read, with the reason.
    left_out : none, for all that a zip lists are files.
    notices : how names were read that do not say how their letters are written.

    Raises
    ------
    SourceError
        If it is no zip, is encrypted as a whole, holds nothing, or would unpack to far too much.
    """

    def __init__(self, source: str | Path | bytes, name: str, encoding: str | None = None) -> None:
        self.name, self._encoding = name, encoding
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
        names, self.notices = _names(infos, self.name, self._encoding)
        for info, said in zip(infos, names):
            member = clean(said)
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


def _names(infos: Sequence[zipfile.ZipInfo], archive: str, encoding: str | None) -> tuple[list[str], tuple[str, ...]]:
    """The names of members, and what is told where it had to be guessed how they are written.

    A name is UTF-8 where its flag says so or where a field beside it holds it in UTF-8 (Info-ZIP's 0x7075); older
    archives hold the bytes of whatever machine packed them, which are read by the rule for all text.
    """
    names = [_utf8_beside(info) or info.orig_filename for info in infos]
    old = [i for i, info in enumerate(infos) if not info.flag_bits & 0x800 and not names[i].isascii()
           and _utf8_beside(info) is None]
    if not old:
        return names, ()
    raw = [names[i].encode("cp437", "replace") for i in old]
    decoded = decode(b"\n".join(raw), guess=encoding)
    for i, name in zip(old, raw):
        names[i] = name.decode(decoded.encoding, "replace")
    said = decoded.notice(f"The names in {archive}: the archive")
    return names, (said,) if said else ()


def _utf8_beside(info: zipfile.ZipInfo) -> str | None:
    """The name in Info-ZIP's field for it, where that was written for this very name."""
    at, extra = 0, info.extra
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4:at + 4 + size]
        if kind == 0x7075 and len(field) > 5 and not info.flag_bits & 0x800:
            told = struct.unpack_from("<I", field, 1)[0]
            if told == zlib.crc32(info.orig_filename.encode("cp437", "replace")):
                return field[5:].decode("utf-8", "replace")
        at += 4 + size
    return None


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
