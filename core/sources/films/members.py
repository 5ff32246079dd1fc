"""Files that were brought together, sorted: films, numbered pictures, subtitles, tables; and what the names say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.sources.archives import natural
from core.sources.films.subtitles import ENDINGS as SUBTITLES
from core.sources.images.folders import labels_from_folders
from core.sources.images.formats import EXTENSIONS, ending_of
from core.sources.tables.captions import match_names
from core.types import Images

FILMS = (".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".gif", ".apng", ".ts", ".mts", ".m2ts", ".mpg",
         ".mpeg", ".vob", ".flv", ".f4v", ".ogv", ".ogg", ".ogm", ".wmv", ".asf", ".3gp", ".3g2", ".mxf", ".nut",
         ".ivf", ".dv", ".rm", ".rmvb", ".y4m", ".divx")
TABLES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet", ".pq")
LABELS = re.compile(r"(label|genre|class|categor(y|ie)|kind|tag|topic|mood|style)s?(_\w+)?|y|target", re.IGNORECASE)
PARTS = re.compile(r"\s*[;|]\s*")
_HEAD = 4096


@dataclass(frozen=True)
class Members:
    """Files brought together: a folder, an archive or uploads.

    Attributes
    ----------
    names : relative names, in natural order.
    place : a film as its path, where it lies on this machine, or as its bytes; may raise UnreadableItem or OSError.
    head : the first bytes of a file.
    read : a whole small file.
    images : a reader of pictures among them.
    """

    names: Sequence[str]
    place: Callable[[str], Path | bytes]
    head: Callable[[str, int], bytes]
    read: Callable[[str], bytes]
    images: Callable[[Sequence[str]], Images]


@dataclass
class Sorted:
    """Names by what they are.

    Attributes
    ----------
    films : files that ffmpeg reads.
    sequences : title -> numbers and names of its pictures, in order; the title has the folders before it.
    subtitles, tables : files beside films.
    others : name -> why it is not used.
    """

    films: list[str] = field(default_factory=list)
    sequences: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    subtitles: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)


def sort_members(members: Members, title: str) -> Sorted:
    """What each of the files is, by its ending, and for pictures that may move by their first bytes.

    ``title`` is what pictures are called that have nothing but numbers in their names and lie in no folder.
    """
    out = Sorted()
    pictures: list[str] = []
    for name in members.names:
        ending = ending_of(name)
        if ending in FILMS or (ending in (".webp", ".png") and _moves(members.head(name, _HEAD))):
            out.films.append(name)
        elif ending in SUBTITLES:
            out.subtitles.append(name)
        elif ending in TABLES:
            out.tables.append(name)
        elif ending in EXTENSIONS:
            pictures.append(name)
        elif not ending and _begins_as_film(members.head(name, _HEAD)):
            out.films.append(name)
        else:
            out.others[name] = "it is no film, no numbered picture, no subtitles and no table"
    _group(pictures, title, out)
    return out


def _moves(head: bytes) -> bool:
    """Whether a WebP or PNG file says that it has several pictures."""
    return (head[:4] == b"RIFF" and head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)) or \
        (head[:4] == b"\x89PNG" and b"acTL" in head)


def _begins_as_film(head: bytes) -> bool:
    return head[4:8] == b"ftyp" or head[:4] in (b"\x1aE\xdf\xa3", b"OggS", b"GIF8") or head[8:12] == b"AVI "


def _group(pictures: Sequence[str], title: str, out: Sorted) -> None:
    """Pictures of one folder whose names differ in their last number alone are a film."""
    groups: dict[tuple[str, str, str, str], list[tuple[int, str]]] = {}
    for name in pictures:
        folder, _, last = name.rpartition("/")
        stem = last[:len(last) - len(ending_of(last))]
        found = re.match(r"(.*?)(\d{1,18})(\D*)$", stem, re.DOTALL)
        if found is None:
            out.others[name] = "it is a single picture; the pictures of a film have numbers in their names"
        else:
            groups.setdefault((folder, found[1], found[3], ending_of(last)), []).append((int(found[2]), name))
    in_folder: dict[str, int] = {}
    for (folder, *_), found_names in groups.items():
        if len(found_names) > 1:
            in_folder[folder] = in_folder.get(folder, 0) + 1
    for (folder, before, after, _), found_names in groups.items():
        if len(found_names) == 1:
            out.others[found_names[0][1]] = "it is a single picture; several with numbers in their names are a film"
            continue
        own = (before + after).strip(" _-.#()[]") or title
        called = folder if folder and in_folder[folder] == 1 else f"{folder}/{own}".lstrip("/")
        while called in out.sequences:
            called += "~"
        out.sequences[called] = sorted(found_names, key=lambda item: (item[0], natural(item[1])))


def beside(film: str, names: Sequence[str]) -> list[str]:
    """Files of subtitles of a film: of its name, perhaps with a language before the ending; the plain one first."""
    subtitles = [name for name in names if ending_of(name) in SUBTITLES]
    stem = film[:len(film) - len(ending_of(film))] if ending_of(film) in FILMS else film
    own = [name for name in subtitles if name[:len(name) - len(ending_of(name))] in (stem, film)]
    spoken = [name for name in subtitles if re.fullmatch(re.escape(stem) + r"\.[A-Za-z]{2,3}([-_]\w{2,4})?\.\w+", name)]
    return [*own, *(name for name in spoken if name not in own)]


def labels_by_folder(names: Sequence[str]) -> list[tuple[str, ...]]:
    """A label for each film from the folder it lies in; none where all lie in one."""
    table = labels_from_folders(names)
    if "label" not in table:
        return [()] * len(names)
    return [(label,) if label else () for label in table["label"]]


def labels_in_table(frame: pd.DataFrame, names: Sequence[str]) -> Mapping[int, tuple[str, ...]]:
    """What a table says of films: index of the film -> its labels; empty where no column names films.

    Parameters
    ----------
    frame
        A table with a column that names films by their file, with or without folders and ending, and columns called
        label, genre, class, category, tag or the like; without such a title, the first other column of words.
    names
        Of the films' files.
    """
    cells = frame.astype(str)
    best: tuple[int, str, dict[str, int]] = (0, "", {})
    for column in cells:
        said = [cell.strip() for cell in cells[column]]
        found = match_names(said, names)
        stems = {_stem(name): i for i, name in enumerate(names)}
        found = {cell: found.get(cell, stems.get(_stem(cell), -1)) for cell in said}
        known = {cell: i for cell, i in found.items() if i >= 0}
        if len(set(known.values())) > best[0]:
            best = (len(set(known.values())), str(column), known)
    _, key, known = best
    if not key:
        return {}
    titled = [column for column in cells if str(column) != key and LABELS.fullmatch(str(column))]
    others = [column for column in cells if str(column) != key and not pd.api.types.is_numeric_dtype(frame[column])]
    columns = titled or others[:1]
    out: dict[int, tuple[str, ...]] = {}
    for row, cell in enumerate(cells[key]):
        index = known.get(cell.strip())
        if index is None:
            continue
        told = [part for column in columns if not pd.isna(frame[column].iloc[row])
                for part in PARTS.split(cells[column].iloc[row].strip()) if part]
        out[index] = tuple(dict.fromkeys((*out.get(index, ()), *told)))
    return out


def _stem(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return (last[:len(last) - len(ending_of(last))] if ending_of(last) in FILMS else last).casefold()
