"""What every section of the page looks at: films as paths of vectors, with their frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.geometry.films.islands import Islands, islands
from core.geometry.films.shots import Shots, find_shots
from core.geometry.films.trajectory import Trajectory
from core.sources.films.film import Film
from core.sources.films.reading import FilmFrames
from core.sources.films.scenes import scene_starts
from core.streamlit_app import cached, state, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.films.bring import Films
from core.streamlit_app.state import Settings
from core.types import EmbeddingSet, fingerprint

R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class FilmsData:
    """Films by one model.

    Attributes
    ----------
    brought : what was brought.
    ready : frames as vectors, one film after another.
    names : of the films that have a frame with a vector.
    rows : for each, its rows of ``ready.images``, in the order of time.
    cuts : by film, the frames at which its shots begin, where they are told from its pictures and not from its path.
    told : shots and islands that were found so far, which threads share.
    """

    brought: Films
    ready: Ready
    names: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    cuts: Mapping[int, np.ndarray] = field(default_factory=dict)
    told: dict[object, Any] = field(default_factory=dict)

    @cached_property
    def paths(self) -> tuple[Trajectory, ...]:
        """One a film."""
        images = self.images
        times = images.table["time"].to_numpy(np.float64)
        return tuple(Trajectory(images.vectors[rows], times[rows], name) for name, rows in zip(self.names, self.rows))

    @property
    def images(self) -> EmbeddingSet:
        """The frames."""
        assert self.ready.images is not None
        return self.ready.images

    @cached_property
    def key(self) -> str:
        """No other films, or films cut otherwise, have it."""
        return fingerprint("films", self.ready.key, [path.fingerprint for path in self.paths], sorted(self.cuts),
                           *(self.cuts[number] for number in sorted(self.cuts)))

    def film(self, number: int) -> Film | None:
        """The film itself; None where only vectors were brought."""
        return next((film for name, film in self.brought.named if name == self.names[number]), None)

    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The genres or kinds of each film; empty where nothing is known."""
        known = {name: film.labels for name, film in self.brought.named}
        table = self.images.table
        own = table["label"].astype(str) if "label" in table else None
        said = [() if own is None else tuple(filter(None, own.iloc[rows[0]].split(";"))) for rows in self.rows]
        return tuple(known.get(name) or found for name, found in zip(self.names, said))

    def starts(self, number: int) -> np.ndarray:
        """(s,) int64, frames at which a shot of a film begins, by the jumps of its path, or by its pictures."""
        if number in self.cuts:
            return self.cuts[number]
        return self.shots(number).starts

    def shots(self, number: int) -> Shots:
        """The shots of a film by the jumps of its path."""
        if number not in self.told:
            self.told[number] = find_shots(self.paths[number])
        found: Shots = self.told[number]
        return found

    def islands(self, number: int, degrees: float = 30.0) -> Islands:
        """The islands of a film."""
        starts = self.starts(number)
        key = number, degrees, starts.tobytes()
        if key not in self.told:
            self.told[key] = islands(self.paths[number], starts, cut=float(np.radians(degrees)))
        found: Islands = self.told[key]
        return found


def once(key: Sequence[object], make: Callable[[], R]) -> R:
    """What takes no progress bar, made once for all visitors."""
    found: R = cached.results().of(fingerprint("films", *key), make)
    return found


def data_of(brought: Films, ready: Ready) -> FilmsData:
    """The films of which a frame could be encoded; kept for this visit, with what was found of them.

    Raises
    ------
    ShapeError
        If there is none.
    """
    if ready.images is None or not len(ready.images):
        raise ShapeError("a frame with a vector", "none", "Bring another film, or take another model.")
    known: tuple[tuple[str, str], FilmsData] | None = st.session_state.get("films.data")
    key = brought.opened.key, ready.key
    if known is None or known[0] != key:
        film = ready.images.table["film"].astype(str)
        numbers = {name: np.flatnonzero(film == name) for name in dict.fromkeys(film)}
        known = key, FilmsData(brought, ready, tuple(numbers), tuple(numbers.values()))
        st.session_state["films.data"] = known
    return known[1]


def with_cuts(data: FilmsData) -> FilmsData:
    """Where frames lie too far apart for cuts to be told from the path, the cuts that ffmpeg sees in all pictures."""
    cuts: dict[int, np.ndarray] = {}
    for number in range(len(data.names)):
        film = data.film(number)
        if film is None or not isinstance(film.frames, FilmFrames) or not data.shots(number).sparse:
            continue
        cuts[number] = work.result_of(fingerprint("cuts", film.fingerprint, data.paths[number].times),
                                      partial(_cuts, film, film.frames, data.paths[number].times))
    return replace(data, cuts=cuts) if cuts else data


def _cuts(film: Film, frames: FilmFrames, times: np.ndarray, on_progress: work.Progress, should_stop: work.Stop
          ) -> np.ndarray:
    assert film.path is not None
    starts = scene_starts(film.path, frames.header, on_progress=on_progress, should_stop=should_stop)
    first = np.searchsorted(times, frames.header.times[starts] - 1e-6)
    return np.unique(np.concatenate([[0], first[first < len(times)]])).astype(np.int64)


def pick_film(data: FilmsData, *, key: str = "film", label: str = "Film") -> int:
    """One of the films; no widget where there is one."""
    if len(data.names) == 1:
        return 0
    return data.names.index(state.pick_option(label, {name: name for name in data.names}, key=key))


def takes_prompts(settings: Settings, data: FilmsData) -> bool:
    """Whether the model of the page made these vectors, so that its texts can be held against them."""
    return data.images.model.id == settings.model_id


def readable(settings: Settings, texts: Sequence[str]) -> dict[int, str]:
    """Texts by their place, without those that the model knows nothing of."""
    unread = cached.encoder(settings.model_id).unread(texts)
    return {i: text for i, text in enumerate(texts) if i not in unread}


def likeness(settings: Settings, data: FilmsData, number: int, texts: Sequence[str]) -> tuple[np.ndarray, str]:
    """How like each frame of a film is to each text, (n, t) floats, and what that is: a cosine or a probability."""
    own = cached.own_scores(data.ready, tuple(texts))
    if own is not None:
        return own[data.rows[number]], "probability"
    return data.paths[number].points @ vectors_of(settings, texts).T, "cosine"


def texts_of(written: str, most: int = 24) -> tuple[str, ...]:
    """Prompts, one a line."""
    return tuple(dict.fromkeys(line.strip()[:200] for line in written.splitlines() if line.strip()))[:most]


def vectors_of(settings: Settings, texts: Sequence[str]) -> np.ndarray:
    """(t, d) float32 unit rows of texts by the model of the page."""
    encoder = cached.encoder(settings.model_id)
    return cached.prompt_vectors(encoder.spec.fingerprint, tuple(texts), settings.model_id)
