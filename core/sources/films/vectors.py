"""Vectors of frames that were made elsewhere, with their times: paths without pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from core.errors import OrreryError, SourceError
from core.geometry.films.trajectory import Trajectory
from core.sources.archives import clean, distinct, natural
from core.sources.films.members import LABELS, PARTS
from core.sources.tables.reading import read_table, titles
from core.sources.vectors.blocks import Block
from core.sources.vectors.files import ENDINGS, load
from core.sources.vectors.rows import unit_rows
from core.types import Refusal, as_ids

_TIME = re.compile(r"(pts_?)?(time|second|sec|timestamp|t)s?(_?(s|sec|seconds))?", re.IGNORECASE)
_FRAME = re.compile(r"frame(_?(number|index|id|no))?", re.IGNORECASE)
_FILM = re.compile(r"(film|video|clip|movie|sequence|shot)s?(_?(name|id|file|path))?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$")
_TABLES = (".csv", ".tsv", ".tab")
_LEAST = 2


@dataclass(frozen=True, eq=False)
class FramePath:
    """The path of one film.

    Attributes
    ----------
    path : unit vectors with their times, and the film's name.
    labels : genres or kinds; empty where nothing is known.
    """

    path: Trajectory
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrameVectors:
    """Paths that were brought as vectors.

    Attributes
    ----------
    paths : at least one, of different names.
    refused : rows and files that are no use, with the reason.
    notices : what had to be guessed, in sentences.
    """

    paths: tuple[FramePath, ...]
    refused: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()


def open_frame_vectors(files: Sequence[tuple[str, bytes]]) -> FrameVectors:
    """Paths from npz, npy with a table beside it, Parquet, CSV or TSV; never unpickled.

    Parameters
    ----------
    files
        Rows (name, bytes). A column or array called time, seconds, timestamp or the like holds the times (seconds, or
        as 0:01:02.5); one called film, video or clip tells films apart; one called label or genre holds labels, several
        parted by ";" or "|". A table with as many rows as an npy, or of its name, speaks of it.

    Raises
    ------
    SourceError
        If no file holds vectors of at least two frames of one film.
    """
    named: dict[str, bytes] = {}
    for name, data in files:
        named[distinct(clean(name), named)] = data
    blocks: list[Block] = []
    tables: list[tuple[str, pd.DataFrame]] = []
    refused: list[Refusal] = []
    notices: list[str] = []
    for name in sorted(named, key=natural):
        if not name.lower().endswith(ENDINGS):
            refused.append(Refusal(name, f"it is no file of vectors ({', '.join(ENDINGS)})"))
            continue
        try:
            found, table = _read(name, named[name])
        except OrreryError as error:
            refused.append(Refusal(name, error.got))
            continue
        blocks += found
        tables += [] if table is None else [(name, table)]
    paths: list[FramePath] = []
    for block in blocks:
        try:
            paths += _paths(block, tables, len(blocks) == 1, refused, notices)
        except OrreryError as error:
            refused.append(Refusal(block.name, error.got))
    if not paths:
        first = f"none that can be used ({refused[0].name}: {refused[0].reason})" if refused else "none"
        raise SourceError("vectors of frames with their times", first,
                          "One row a frame: a column time in seconds, and the numbers of its vector.")
    names = as_ids([path.path.name for path in paths])
    paths = [FramePath(Trajectory(path.path.points, path.path.times, name), path.labels)
             for path, name in zip(paths, names, strict=True)]
    if len({path.path.points.shape[1] for path in paths}) > 1:
        raise SourceError("vectors of one model, as long as each other", "films of different dimensions: " + ", ".join(
            f"{p.path.name} {p.path.points.shape[1]}" for p in paths[:6]), "Bring those of one model.")
    return FrameVectors(tuple(paths), tuple(refused), tuple(dict.fromkeys(notices)))


def _read(name: str, data: bytes) -> tuple[list[Block], pd.DataFrame | None]:
    """Blocks of vectors of a file, and its table where it holds none."""
    found = load(data, name)
    blocks = [block for block in found.blocks if block.vectors.shape[1] >= _LEAST]
    if not name.lower().endswith(_TABLES) or any(_titled(block.table, _TIME) for block in blocks):
        return blocks, found.tables[0][1] if found.tables and not blocks else None
    frame = read_table(data, name).frame
    if len(frame) and any(_TIME.fullmatch(str(cell)) for cell in frame.iloc[0]):    # titles that are numbers
        frame = frame.iloc[1:].set_axis(titles(list(frame.iloc[0])), axis=1).reset_index(drop=True)
    numbers = pd.DataFrame({c: pd.to_numeric(frame[c], errors="coerce") for c in frame})
    other = [c for c in frame if _TIME.fullmatch(str(c)) or _FRAME.fullmatch(str(c)) or _FILM.fullmatch(str(c))
             or LABELS.fullmatch(str(c)) or numbers[c].isna().mean() > 0.5]
    wide = [c for c in frame if c not in other]
    if not other and blocks:
        return blocks, None
    if len(wide) < _LEAST:
        return [], frame
    return [Block(numbers[wide].to_numpy(np.float64), None, frame[other].reset_index(drop=True), name)], None


def _titled(table: pd.DataFrame, title: re.Pattern[str]) -> str | None:
    return next((c for c in table.columns if title.fullmatch(str(c))), None)


def _paths(block: Block, tables: Sequence[tuple[str, pd.DataFrame]], alone: bool, refused: list[Refusal],
           notices: list[str]) -> list[FramePath]:
    vectors, table = block.vectors, block.table
    n, stem = len(vectors), PurePosixPath(block.origin).stem
    if _titled(table, _TIME) is None:
        own = [t for name, t in tables if len(t) == n and (PurePosixPath(name).stem == stem or alone)]
        if own:
            table = pd.concat([table.reset_index(drop=True), own[0].reset_index(drop=True)], axis=1)
    times = _times(table, n, block.name, notices)
    points, _, flaws = unit_rows([vectors])
    flaws |= {int(i): "its time is missing or makes no sense" for i in np.flatnonzero(~np.isfinite(times))
              if int(i) not in flaws}
    refused += [Refusal(f"{block.name}, row {i + 1}", why) for i, why in sorted(flaws.items())]
    good = np.setdiff1d(np.arange(n), list(flaws))
    film = _titled(table, _FILM)
    films = np.asarray([stem] * n if film is None else [str(cell) for cell in table[film]])
    out = []
    for name in dict.fromkeys(films[good].tolist()):
        rows = good[films[good] == name]
        order = rows[np.argsort(times[rows], kind="stable")]
        first = np.concatenate([[True], np.diff(times[order]) > 0])
        if not first.all():
            notices.append(f"{name}: {int((~first).sum()):,} rows have the time of another; the first of each is used.")
        order = order[first]
        if len(order) < _LEAST:
            refused.append(Refusal(name, "it has fewer than two frames with different times"))
            continue
        out.append(FramePath(Trajectory(points[order], times[order], name), _labels(table, order)))
    return out


def _times(table: pd.DataFrame, n: int, name: str, notices: list[str]) -> np.ndarray:
    """Seconds of each row, NaN where a cell makes no sense."""
    column = _titled(table, _TIME)
    if column is not None:
        return np.asarray([_seconds(cell) for cell in table[column]], dtype=np.float64)
    frame = _titled(table, _FRAME)
    if frame is not None:
        notices.append(f"{name} has numbers of frames and no times; they are taken for seconds.")
        return pd.to_numeric(table[frame], errors="coerce").to_numpy(np.float64)
    notices.append(f"{name} has no times; its rows are taken for frames one second apart.")
    return np.arange(n, dtype=np.float64)


def _seconds(cell: object) -> float:
    if isinstance(cell, int | float | np.number):
        return float(cell)
    text = str(cell).strip()
    if found := _CLOCK.match(text):
        return 3600 * int(found[1] or 0) + 60 * int(found[2]) + float(found[3].replace(",", "."))
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return float("nan")


def _labels(table: pd.DataFrame, rows: np.ndarray) -> tuple[str, ...]:
    """Labels of a film in the order of their first row."""
    column = _titled(table, LABELS)
    if column is None:
        return ()
    told = [part for cell in dict.fromkeys(str(c) for c in table[column].iloc[rows].dropna())
            for part in PARTS.split(cell.strip()) if part]
    return tuple(dict.fromkeys(told))
