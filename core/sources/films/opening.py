"""Films that a user brings: uploads, archives, folders and files, with labels and subtitles that lie beside them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np

from core.errors import Cancelled, OrreryError, SourceError, UnreadableItem
from core.settings import settings
from core.sources.archives import clean, distinct, is_hidden, natural
from core.sources.films.ffmpeg import Stop
from core.sources.films.file import FilmFile, Progress, look_at, open_file
from core.sources.films.film import Film
from core.sources.films.members import (
    Members,
    Sorted,
    beside,
    labels_by_folder,
    labels_in_table,
    sort_members,
)
from core.sources.films.sampling import Sampling
from core.sources.films.subtitles import read_subtitles
from core.sources.images.opening import local_path
from core.sources.images.readers import FileImages, UploadImages, ZipImages
from core.sources.reasons import MAX_FILE_BYTES, why_not
from core.sources.tables.reading import read_table
from core.sources.tars import ARCHIVES, open_archive
from core.types import Refusal, as_ids, fingerprint

SEQUENCE_FPS = 12.0
_MOST_IN_A_FOLDER, _DEEPEST = 20_000, 20


@dataclass(frozen=True)
class Opened:
    """Films that were brought, before frames are chosen.

    Attributes
    ----------
    files : of different names, in the natural order of their files.
    refused : what is no film that can be read, with the reason.
    left_out : what lies there too and is not used.
    notices : what had to be guessed, in sentences.
    """

    files: tuple[FilmFile, ...]
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Brought:
    """Films with the frames that are looked at; the attributes are those of `Opened`."""

    films: tuple[Film, ...]
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()


def open_films(files: Sequence[tuple[str, bytes]], sampling: Sampling | None = None, *, fps: float = SEQUENCE_FPS,
               on_progress: Progress | None = None, should_stop: Stop | None = None) -> Brought:
    """Films among uploaded files, with the frames that are looked at; see `open_film_files` and `look`."""
    return look(open_film_files(files, fps=fps, on_progress=on_progress, should_stop=should_stop),
                sampling or Sampling(), should_stop=should_stop)


def open_film_path(path: str | Path, sampling: Sampling | None = None, *, fps: float = SEQUENCE_FPS,
                   on_progress: Progress | None = None, should_stop: Stop | None = None) -> Brought:
    """Films at a path, with the frames that are looked at; see `open_path_files` and `look`."""
    return look(open_path_files(path, fps=fps, on_progress=on_progress, should_stop=should_stop),
                sampling or Sampling(), should_stop=should_stop)


def look(opened: Opened, sampling: Sampling, *, on_progress: Progress | None = None,
         should_stop: Stop | None = None) -> Brought:
    """Films of which the chosen frames are looked at; nothing is read again.

    Raises
    ------
    SourceError
        If none of the films has frames between start and end.
    Cancelled
        When asked to stop.
    """
    films: list[Film] = []
    refused = list(opened.refused)
    for file in opened.files:
        try:
            films.append(look_at(file, sampling, on_progress=on_progress, should_stop=should_stop))
        except Cancelled:
            raise
        except OrreryError as error:
            refused.append(Refusal(file.name, f"{error.got}; expected {error.expected}"))
    if not films:
        raise SourceError("films with frames to look at", f"{refused[-1].name}: {refused[-1].reason}"
                          if refused else "none", "Choose another start or end.")
    notices = [said for film in films for said in film.notices]
    return Brought(tuple(films), tuple(refused), opened.left_out, tuple(dict.fromkeys((*opened.notices, *notices))))


def open_film_files(uploads: Sequence[tuple[str, bytes]], *, fps: float = SEQUENCE_FPS, most: int | None = None,
                    on_progress: Progress | None = None, should_stop: Stop | None = None) -> Opened:
    """Films among uploaded files, rows (name, bytes): films, numbered pictures, subtitles, a table, or one archive.

    Parameters
    ----------
    uploads
        Subtitles belong to the film of their name; a table (csv, tsv, Parquet, ...) names films and labels.
    fps
        Frames a second of films that are pictures.
    most
        How many films are opened at most, the first by name; a notice tells of the others.

    Raises
    ------
    SourceError
        If no film can be read among them; with the reason of the first that cannot.
    Cancelled
        When asked to stop.
    """
    archives = [(name, data) for name, data in uploads if name.lower().endswith(ARCHIVES)]
    if archives and len(uploads) > 1:
        raise SourceError("either one zip or tar or several films", f"{len(archives)} archives among "
                          f"{len(uploads)} files", "Upload the archive alone.")
    if archives:
        return _archive(archives[0][1], archives[0][0], fps, most, on_progress, should_stop)
    files: dict[str, bytes] = {}
    for name, data in uploads:
        if not is_hidden(clean(name)):
            files[distinct(clean(name), files)] = data
    members = Members(sorted(files, key=natural), files.__getitem__, lambda name, most: files[name][:most],
                      files.__getitem__, lambda names: UploadImages([(name, files[name]) for name in names]))
    return _open(members, (), "pictures", fps, most, on_progress, should_stop)


def open_path_files(path: str | Path, *, fps: float = SEQUENCE_FPS, most: int | None = None,
                    on_progress: Progress | None = None, should_stop: Stop | None = None) -> Opened:
    """A film, a folder of films or of numbered pictures, or a zip or tar of these, on this machine.

    Arguments are those of `open_film_files`.

    Raises
    ------
    SourceError
        On a public server, if nothing is there, or if no film can be read.
    Cancelled
        When asked to stop.
    """
    local = local_path(path, "film")
    if not local.exists():
        raise SourceError("the path of a film, or of a folder of films", f"{path}, which is not there",
                          "Check the path.")
    if local.is_file() and local.name.lower().endswith(ARCHIVES):
        return _archive(local, local.name, fps, most, on_progress, should_stop)
    root = local if local.is_dir() else local.parent
    names = list(islice(_walk(root, _DEEPEST if local.is_dir() else 0), _MOST_IN_A_FOLDER + 1))
    if local.is_dir() and len(names) > _MOST_IN_A_FOLDER:
        raise SourceError(f"a folder of at most {_MOST_IN_A_FOLDER:,} files", "one of more",
                          "Name a folder further down.")
    if local.is_file():
        names = [local.name, *beside(local.name, names)]

    def head(name: str, most: int) -> bytes:
        with open(root / name, "rb") as file:
            return file.read(most)

    members = Members(sorted(names, key=natural), lambda name: root / name, head,
                      lambda name: head(name, MAX_FILE_BYTES),
                      lambda chosen: FileImages([root / name for name in chosen], chosen))
    return _open(members, (), local.name or str(local), fps, most, on_progress, should_stop)


def _walk(root: Path, deepest: int) -> Iterator[str]:
    """Names of the files in a folder and below it; no folder is entered twice."""
    seen = set()
    for folder, below, files in os.walk(root, followlinks=True):
        real, relative = os.path.realpath(folder), os.path.relpath(folder, root)
        depth = 0 if relative == "." else len(Path(relative).parts)
        below[:] = [] if real in seen or depth >= deepest else sorted(name for name in below if not is_hidden(name))
        if real not in seen:
            seen.add(real)
            yield from (os.path.normpath(os.path.join(relative, name)).replace(os.sep, "/")
                        for name in sorted(files) if not is_hidden(name))


def _archive(source: Path | bytes, name: str, fps: float, most: int | None, on_progress: Progress | None,
             should_stop: Stop | None) -> Opened:
    archive = open_archive(source, name)
    members = Members(archive.members, archive.read, archive.read, archive.read,
                      lambda names: ZipImages(archive, names))
    found = _open(members, archive.refused, name, fps, most, on_progress, should_stop)
    return replace(found, left_out=(*archive.left_out, *found.left_out), notices=(*archive.notices, *found.notices))


def _open(members: Members, refused_before: Sequence[Refusal], title: str, fps: float, most: int | None,
          on_progress: Progress | None, should_stop: Stop | None) -> Opened:
    refused = list(refused_before)
    sorted_out = sort_members(members, _title(title))
    wanted: list[tuple[str, Callable[[], FilmFile]]] = [
        (name, lambda name=name: open_file(members.place(name), name, title=_title(name),  # type: ignore[misc]
                                           should_stop=should_stop)) for name in sorted_out.films]
    wanted += [(name, lambda name=name, found=found: _sequence(name, found, members, fps))  # type: ignore[misc]
               for name, found in sorted_out.sequences.items()]
    wanted.sort(key=lambda item: natural(item[0]))
    notices = () if most is None or len(wanted) <= most else (
        f"{len(wanted):,} films; the first {most:,} are looked at.",)
    wanted = wanted[:most]
    files: list[FilmFile] = []
    names: list[str] = []
    for i, (name, opening) in enumerate(wanted):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i:,} of {len(wanted):,} films")
        try:
            files.append(opening())
            names.append(name)
        except Cancelled:
            raise
        except OSError as error:
            refused.append(Refusal(name, why_not(error)))
        except OrreryError as error:
            over = f"; expected {error.expected}" if error.expected.startswith("at most") else ""
            refused.append(Refusal(name, error.got + over))
        if on_progress is not None:
            on_progress((i + 1) / len(wanted), f"{i + 1:,} of {len(wanted):,} films opened")
    if not files:
        first = f"none that can be read ({refused[0].name}: {refused[0].reason})" if refused else \
            f"{len(members.names):,} other files" if members.names else "nothing"
        raise SourceError("a film", first, "Films are mp4, webm, mov, mkv, avi and gif; pictures with "
                          "numbers in their names are a film too.")
    opened = _with_words(files, names, members, sorted_out, refused)
    return replace(opened, notices=(*notices, *opened.notices))


def _title(name: str) -> str:
    return PurePosixPath(name).stem or name


def _sequence(title: str, found: Sequence[tuple[int, str]], members: Members, fps: float) -> FilmFile:
    if not (np.isfinite(fps) and 0 < fps <= 1000):
        raise SourceError("between 0 and 1,000 frames a second of pictures", f"{fps:g}")
    budget = settings().budget
    if len(found) > budget.film_frames:
        raise SourceError(f"at most {budget.film_frames:,} pictures of a film", f"{len(found):,}")
    images = members.images([name for _, name in found])
    numbers = [number for number, _ in found]
    notices = [f"{_title(title)} is {len(found):,} pictures, shown at {fps:g} frames a second."]
    missing = numbers[-1] - numbers[0] + 1 - len(set(numbers))
    if missing > 0:
        notices.append(f"{missing:,} numbers between the first and the last picture of {_title(title)} are missing; "
                       f"the others follow each other without a gap.")
    content = fingerprint("pictures", [images.content_hash(i) for i in range(len(images))], fps)
    return FilmFile(PurePosixPath(title).name, np.arange(len(found)) / fps, content, len(found) / fps, fps,
                    notices=tuple(notices), pictures=images)


def _with_words(files: Sequence[FilmFile], names: Sequence[str], members: Members, found: Sorted,
                refused: list[Refusal]) -> Opened:
    """Labels and subtitles given to the films, and what was not used."""
    left_out = [Refusal(name, why) for name, why in found.others.items()]
    labels = list(labels_by_folder(names))
    for table in found.tables:
        try:
            said = labels_in_table(read_table(members.read(table), table).frame, names)
        except (OrreryError, OSError) as error:
            refused.append(Refusal(table, why_not(error) if isinstance(error, OSError) else error.got))
            continue
        if not said:
            left_out.append(Refusal(table, "none of its columns names the films"))
        for index, told in said.items():
            labels[index] = told
    out, used, notices = [], set(), []
    titles = as_ids([file.name for file in files])
    for file, title, name, label in zip(files, titles, names, labels, strict=True):
        own = beside(name, found.subtitles)
        lines, told = file.lines, file.notices
        for subtitles in own[:1]:
            try:
                read = read_subtitles(members.read(subtitles), subtitles)
                lines, told = read.lines, (*told, *read.notices)
            except (UnreadableItem, SourceError, OSError) as error:
                refused.append(Refusal(subtitles, why_not(error) if isinstance(error, OSError) else error.got))
        used.update(own[:1])
        if len(own) > 1:
            notices.append(f"{title} has {len(own)} files of subtitles; {own[0]} is used.")
        out.append(replace(file, name=title, labels=label, lines=lines, notices=told))
    left_out += [Refusal(name, "no film has its name") for name in found.subtitles if name not in used
                 and not any(name in beside(film, found.subtitles) for film in names)]
    return Opened(tuple(out), tuple(refused), tuple(left_out), tuple(notices))
