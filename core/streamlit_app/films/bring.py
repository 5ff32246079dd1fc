"""Bringing films: those of the built-in world, files and sequences of images, vectors with times."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import OrreryError
from core.settings import settings as process_settings
from core.sources.films.film import Film, clock, films_dataset
from core.sources.films.sampling import SIZES, WAYS, Sampling
from core.sources.solids.films import KINDS
from core.streamlit_app import cached, panels, state, work
from core.streamlit_app.data.links import wanted
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.uploading import bring
from core.types import EmbeddingSet, ModelSpec, Refusal, as_ids, fingerprint

if TYPE_CHECKING:
    from core.sources.films.opening import Brought as Looked
    from core.sources.films.opening import Opened as Files
    from core.sources.films.vectors import FrameVectors
    from core.sources.vectors.opening import VectorSource
    from core.types import Dataset

SOURCES = {"world": "Built-in world", "files": "Films", "vectors": "Vectors with times", "here": "On this machine"}
FIRST = ("loop", "duets", "arch")
WORLD_SIZE = 128
MOST = 60


@dataclass(frozen=True)
class Held:
    """What was opened in this visit: as the reader gave it, under a key that no other opening has, of which files."""

    found: Any
    key: str
    names: str = ""


@dataclass(frozen=True)
class Films:
    """What a visitor looks at.

    Attributes
    ----------
    opened : their frames, or vectors made elsewhere.
    films : in the order of the frames; empty for vectors.
    refused, left_out, notices : what could not be read, what is not used, what had to be guessed.
    """

    opened: Opened
    films: tuple[Film, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()

    @cached_property
    def named(self) -> tuple[tuple[str, Film], ...]:
        """(name, film), the names as the table of frames has them."""
        return tuple(zip(as_ids([film.name for film in self.films]), self.films))


def pick_films() -> Films | None:
    """The widgets that choose films and which of their frames are looked at; None until there is something."""
    sources = {key: title for key, title in SOURCES.items() if key != "here" or not process_settings().hosted}
    source = state.pick_option("Films", sources, key="films", widget="segments")
    found = {"world": _world, "files": _files, "vectors": _vectors, "here": _here}[source]()
    if found is None:
        return None
    state.write_url("file", found.opened.files or None)
    panels.refused_panel(found.refused)
    remarks = (*found.notices, *(f"{left.name}: {left.reason}" for left in found.left_out))
    if remarks:
        with st.expander(f"{len(remarks):,} remark{'s' * (len(remarks) != 1)} on what was brought"):
            for said in remarks:
                st.text(said)
    return found


def _world() -> Films | None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kinds = state.pick_several("Kinds", {kind: kind for kind in KINDS}, key="kinds", default=FIRST)
        each = state.pick_number("Films of each kind", 1, 20, key="each", default=2)
        seed = state.pick_number("Sample", 0, 99, key="film_sample", default=0, help="Another seed, other films.")
    if not kinds:
        panels.notice("Choose a kind or two.")
        return None
    key = fingerprint("world films", kinds, each, seed)
    films = cached.results().of(key, lambda: _world_films(kinds, each, seed))
    lines = (f"films = [world_film(make_film(kind, seed={1000 * seed} + 100 * KINDS.index(kind) + i), {WORLD_SIZE}, "
             "name=f'{kind} {i + 1}')", f"         for kind in {kinds!r} for i in range({each})]",
             "dataset = films_dataset(films)")
    films, notices = _most(films)
    dataset = cached.views(key, lambda: films_dataset(films))
    return _of_films(films, key, dataset, in_world=True, notices=notices, python=(
        ("from core.sources.films.film import films_dataset", "from core.sources.films.made import world_film",
         "from core.sources.solids.films import KINDS, make_film"), lines))


def _world_films(kinds: Sequence[str], each: int, seed: int) -> tuple[Film, ...]:
    from core.sources.films.made import world_film
    from core.sources.solids.films import make_film

    return tuple(world_film(make_film(kind, seed=1000 * seed + 100 * KINDS.index(kind) + i), WORLD_SIZE,
                            name=f"{kind} {i + 1}") for kind in kinds for i in range(each))


def _most(films: Sequence[Film]) -> tuple[tuple[Film, ...], tuple[str, ...]]:
    """The first films, and a notice where there are more."""
    said = (f"{len(films):,} films; the first {MOST} are looked at.",) if len(films) > MOST else ()
    return tuple(films[:MOST]), said


def _of_films(films: tuple[Film, ...], key: str, dataset: Dataset, *, files: str = "", in_world: bool = False,
              refused: tuple[Refusal, ...] = (), left_out: tuple[Refusal, ...] = (), notices: tuple[str, ...] = (),
              python: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())) -> Films:
    opened = Opened(dataset.name, key, dataset, source="frames", files=files, in_world=in_world, python=python)
    return Films(opened, films, refused, left_out, notices)


def pick_sampling() -> Sampling:
    """The widgets that choose which frames are looked at."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        how = state.pick_option("Frames", WAYS, key="frames", widget="segments")
        per_second = state.pick_number("A second", 0.1, 30.0, key="per_second", default=2.0, step=0.1) \
            if how == "time" else 2.0
        with st.popover("Part and size", icon=":material/tune:"):
            start, end = _seconds("From (m:ss)", "from_time"), _seconds("To (m:ss)", "to_time")
            size = state.pick_number("Shorter side of a frame", 64, SIZES[1], key="frame_size", default=256, step=32,
                                     unit="px", help="Frames are decoded at this size; most models look at 224 px.")
    if end is not None and end <= (start or 0.0):
        panels.notice("The end lies before the start: the film is looked at to its end.", "warning")
        end = None
    return Sampling(how, per_second, start or 0.0, end, size=size)


def _seconds(label: str, key: str) -> float | None:
    """A time as one writes it, in seconds; None where there is none."""
    written = state.pick_text(label, key=key, placeholder="the whole film").strip()
    if not written:
        return None
    try:
        parts = [float(part) for part in written.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(0 <= part < 1e6 for part in parts):
        panels.notice(f"“{written[:20]}” is no time: expected seconds, m:ss or h:mm:ss.", "warning")
        return None
    return sum(part * 60 ** i for i, part in enumerate(reversed(parts)))


def _files() -> Films | None:
    from core.sources.films.opening import open_film_files

    held = bring("films", "MP4, WebM, MOV, MKV, AVI, GIF; pictures with running numbers are one film; SRT and VTT "
                 "of the same name are its subtitles; a zip with a folder a genre; a table names films and labels",
                 None, partial(open_film_files, most=MOST), at_work=True)
    if held is None:
        work.forget_here("films.looked")
        return None
    return _looked_at(Held(held[0], _mark("films"), held[1]))


def _mark(source: str) -> str:
    """No other upload has it."""
    return fingerprint(source, list(st.session_state[f"{source}.kept"]))


def _looked_at(held: Held) -> Films:
    """The films with the frames that are chosen by widgets; where none has such frames, the reason."""
    from core.sources.films.opening import look

    files: Files = held.found
    sampling = pick_sampling()
    key = fingerprint("films", held.key, sampling.fingerprint)

    def choose(on_progress: work.Progress, should_stop: work.Stop) -> tuple[Looked, Dataset]:
        on_progress(0.0, "Choosing frames")
        looked = look(files, sampling, on_progress=on_progress, should_stop=should_stop)
        return looked, films_dataset(looked.films)

    done: tuple[Looked, Dataset] | None = work.result_here("films.looked", key, choose)
    if done is None:
        st.stop()
    found, dataset = done
    return _of_films(found.films, key, dataset, files=held.names, refused=found.refused, left_out=found.left_out,
                     notices=found.notices, python=_lines(sampling))


def _lines(sampling: Sampling) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Imports and lines that make ``films`` and ``dataset``; a visitor's own files have a made-up name in them."""
    return (("from core.sources.films.film import films_dataset",
             "from core.sources.films.opening import open_film_path",
             "from core.sources.films.sampling import Sampling"),
            (f'films = open_film_path("films", {sampling!r}).films', "dataset = films_dataset(films)"))


def _vectors() -> Films | None:
    from core.sources.films.vectors import open_frame_vectors

    held = bring("frame_vectors", "Vectors of frames with a column or array “time” in seconds (npz, Parquet, CSV, "
                 "or npy with a table), and “film” where there are several", None, open_frame_vectors)
    if held is None:
        return None
    found, names = held
    opened = Opened(names, _mark("frame_vectors"), vectors=as_vectors(found, names), source="frames", files=names)
    return Films(opened, (), found.refused, (), found.notices)


def as_vectors(found: FrameVectors, name: str) -> VectorSource:
    """Paths as vectors that all pages can look at."""
    from core.sources.vectors.opening import VectorSource

    paths = [part.path for part in found.paths]
    points = np.concatenate([path.points for path in paths])
    table = pd.concat([pd.DataFrame({"film": path.name, "time": path.times, "frame": np.arange(len(path)),
                                     "label": ";".join(part.labels)}) for part, path in zip(found.paths, paths)],
                      ignore_index=True)
    ids = as_ids([f"{path.name} {clock(time)}" for path in paths for time in path.times])
    model = ModelSpec(f"precomputed: {name}", fingerprint(points), points.shape[1], "precomputed")
    images = EmbeddingSet(points, np.ones(len(points)), ids, "image", table, model)
    return VectorSource(name, images, None, np.empty((0, 2), np.int64))


def _here() -> Films | None:
    path = state.pick_text("Path of a film, a folder of films, or a zip, on this machine", key="film_path",
                           placeholder="/home/me/film.mp4").strip()
    if not path:
        st.session_state["film_path.seen"] = ""
        panels.notice("Nothing is copied: frames are read from the disk.")
        return None
    if not wanted("film_path", path):
        return None
    failed: tuple[str, OrreryError] | None = st.session_state.get("films.here.failed")
    if failed is not None and failed[0] == path:
        panels.error_panel(failed[1])
        if not st.button("Try again", key="films.here.again", icon=":material/refresh:"):
            return None
    st.session_state["films.here.failed"] = None
    found: Held | None = None
    try:
        found = work.result_here("films.here", path, partial(_read_here, path))
    except OrreryError as error:
        st.session_state["films.here.failed"] = path, error
        st.rerun()
    return None if found is None else _looked_at(found)


def _read_here(path: str, on_progress: work.Progress, should_stop: work.Stop) -> Held:
    from core.sources.films.opening import open_path_files

    on_progress(0.0, "Reading")
    return Held(open_path_files(path, most=MOST, on_progress=on_progress, should_stop=should_stop), uuid.uuid4().hex)
