"""Meshes and point clouds that a user brings: uploads, a zip, a folder or a file on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from core.errors import Cancelled, OrreryError, SourceError
from core.settings import settings
from core.sources.archives import clean, distinct, is_hidden, natural
from core.sources.images.opening import local_path
from core.sources.meshes.apart import Apart
from core.sources.meshes.checking import unreadable
from core.sources.meshes.formats import BESIDE, READ, foreign, kind_of
from core.sources.meshes.members import Members
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.meshes.reading import read_mesh
from core.sources.reasons import MAX_FILE_BYTES, too_large, why_not
from core.sources.tars import open_archive
from core.types import Refusal, as_ids

ENDINGS = tuple(READ)
_ARCHIVES = (".zip", ".tar")
_MOST_IN_A_FOLDER, _MOST_BESIDE = 20_000, 2_000
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Brought:
    """What was brought.

    Attributes
    ----------
    objects : meshes and clouds of different names, in the natural order of their files.
    refused : what could not be read, with the reason.
    left_out : what lies there too and is no mesh, and that no mesh may name.
    notices : what meshes name and was not there.
    """

    objects: tuple[Mesh | Cloud, ...]
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()


def open_meshes(uploads: Sequence[tuple[str, bytes]], *, on_progress: Progress | None = None,
                should_stop: Callable[[], bool] | None = None) -> Brought:
    """Several uploaded files, rows (name, bytes): meshes with what they name, or one zip or tar of these.

    Raises
    ------
    SourceError
        If no mesh and no point cloud can be read among them; with the reason of the first that cannot.
    Cancelled
        When asked to stop.
    """
    archives = [(name, data) for name, data in uploads if name.lower().endswith(_ARCHIVES)]
    if archives and len(uploads) > 1:
        raise SourceError("either one zip or tar or several meshes",
                          f"{len(archives)} archives among {len(uploads)} files", "Upload the archive alone.")
    if archives:
        return _archive(archives[0][1], archives[0][0], on_progress, should_stop)
    files: dict[str, bytes] = {}
    for name, data in uploads:
        if not is_hidden(clean(name)):
            files[distinct(clean(name), files)] = data
    return _open(sorted(files, key=natural), files.__getitem__, (), on_progress, should_stop)


def open_mesh_path(path: str | Path, *, on_progress: Progress | None = None,
                   should_stop: Callable[[], bool] | None = None) -> Brought:
    """A mesh with what lies in its folder, a folder of meshes, or a zip or tar, on this machine.

    Raises
    ------
    SourceError
        On a public server, if nothing is there, or if no mesh and no point cloud can be read.
    Cancelled
        When asked to stop.
    """
    local = local_path(path, "mesh")
    if not local.exists():
        raise SourceError("the path of a mesh, or of a folder of meshes", f"{path}, which is not there",
                          "Check the path.")
    if local.is_file() and local.suffix.lower() in _ARCHIVES:
        return _archive(local, local.name, on_progress, should_stop)
    root = local if local.is_dir() else local.parent
    names = _below(root) if local.is_dir() else [local.name, *_beside(root, local.name)]

    def read(name: str) -> bytes:
        file = root / name
        if file.stat().st_size > MAX_FILE_BYTES:
            raise SourceError(f"a file of at most {MAX_FILE_BYTES // 1024**2} MB in {name}",
                              too_large(file.stat().st_size))
        return file.read_bytes()

    found = _open(sorted(names, key=natural), read, (), on_progress, should_stop)
    return found if local.is_dir() else replace(found, left_out=())


def _below(root: Path) -> list[str]:
    """Names of the files in a folder and below it; SourceError where there are too many."""
    found = list(islice(_walk(root, deepest=20), _MOST_IN_A_FOLDER + 1))
    if len(found) > _MOST_IN_A_FOLDER:
        raise SourceError(f"a folder of at most {_MOST_IN_A_FOLDER:,} files", "one of more",
                          "Name a folder further down.")
    return found


def _beside(root: Path, mesh: str) -> list[str]:
    """What a mesh may name of the files beside it and in the folders beside it; of a large folder the first."""
    return [name for name in islice(_walk(root, deepest=1), _MOST_BESIDE) if name.lower().endswith(BESIDE)
            and name != mesh]


def _walk(root: Path, deepest: int) -> Iterator[str]:
    """Names of the files in a folder, those nearest first; no link that leads out of it is followed."""
    base = os.path.realpath(root)
    ahead = [("", 0)]
    for prefix, depth in ahead:
        with contextlib.suppress(OSError), os.scandir(root / prefix) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                name = f"{prefix}/{entry.name}".lstrip("/")
                if is_hidden(name) or not os.path.realpath(entry.path).startswith(base + os.sep):
                    continue
                if not entry.is_dir():
                    yield name
                elif depth < deepest and not entry.is_symlink():
                    ahead.append((name, depth + 1))


def _archive(source: Path | bytes, name: str, on_progress: Progress | None,
             should_stop: Callable[[], bool] | None) -> Brought:
    archive = open_archive(source, name)
    found = _open(archive.members, archive.read, archive.refused, on_progress, should_stop)
    return replace(found, left_out=(*archive.left_out, *found.left_out), notices=(*archive.notices, *found.notices))


def _open(names: Sequence[str], read: Callable[[str], bytes], refused_before: Sequence[Refusal],
          on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> Brought:
    objects: list[Mesh | Cloud] = []
    refused, left_out, notices = list(refused_before), list[Refusal](), list[str]()
    wanted = [name for name in names if not name.lower().endswith(BESIDE)]
    with Apart() as apart:
        for i, name in enumerate(wanted):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{i:,} of {len(wanted):,} files")
            members = Members(names, read, name.rpartition("/")[0])
            try:
                shape = _read(name, read, members, apart)
            except OSError as error:
                refused.append(Refusal(name, why_not(error)))
            except MemoryError:
                refused.append(Refusal(name, "reading it needs more memory than there is"))
            except OrreryError as error:
                over = f"; expected {error.expected}" if isinstance(error, SourceError) else ""
                refused.append(Refusal(name, error.got + over))
            else:
                if isinstance(shape, Refusal):
                    left_out.append(shape)
                else:
                    objects.append(shape)
                    notices += members.notices(name)
            if on_progress is not None:
                on_progress((i + 1) / len(wanted), f"{i + 1:,} of {len(wanted):,} files read")
    if not objects:
        first = f"none that can be read ({refused[0].name}: {refused[0].reason})" if refused else \
            f"{len(names):,} other files" if names else "nothing"
        raise SourceError("a mesh or a point cloud", first, f"What is read ends in {', '.join(ENDINGS)}.")
    titles = as_ids([shape.name for shape in objects])
    return Brought(tuple(replace(shape, name=title) for shape, title in zip(objects, titles)), tuple(refused),
                   tuple(left_out), tuple(notices))


def _read(name: str, read: Callable[[str], bytes], members: Members, apart: Apart) -> Mesh | Cloud | Refusal:
    """The object in a file, or why the file is left out."""
    if foreign(name):
        raise unreadable(name, f"it is {foreign(name)}, which is not read as a mesh; save it as GLB or OBJ")
    data = read(name)
    kind = kind_of(name, data[:64])
    if not kind:
        return Refusal(name, "neither its name nor its first bytes say that it is a mesh or a cloud")
    return (apart.read if settings().hosted else read_mesh)(data, name, kind, members)
