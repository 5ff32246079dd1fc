"""The player beside the sphere, the same on every section that looks at one film: its scene, its file, its proxy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.figures.films.scenes import headline, path_scene
from core.figures.scenes.embedding import fidelity_in_words
from core.geometry.maps.registry import MAPS, FittedMap, fit_map
from core.scene import Colouring, SphereScene
from core.sources.films.film import Film, clock
from core.sources.films.proxies import Kept, keep, plays, proxy, proxy_path
from core.sources.films.reading import FilmFrames
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.films.data import FilmsData, readable, takes_prompts, texts_of, vectors_of
from core.streamlit_app.live.film_view import FilmEvents, FilmShown, Seek, film_view
from core.streamlit_app.serving import serve_file
from core.streamlit_app.state import Settings
from core.types import fingerprint

METHODS = ("pca_centred", "geodesic_mds", "pca", "umap")
MOST_LINES = 300
KEY = "films.player"
MIMETYPES = {False: "video/mp4", True: "video/webm"}


@dataclass(frozen=True, eq=False)
class Placed:
    """Films on one sphere.

    Attributes
    ----------
    scene : frames of the films one after another, then their subtitles, then prompts.
    numbers : of the films.
    rows : for each film, its frames in the scene.
    said : for each film, the points of its subtitles and the second of each.
    placed : the map.
    """

    scene: SphereScene
    numbers: tuple[int, ...]
    rows: tuple[np.ndarray, ...]
    said: tuple[dict[int, float], ...]
    placed: FittedMap


def pick_map() -> str:
    """The widget for the map."""
    return state.pick_option("Map", {key: MAPS[key].title for key in METHODS}, key="film_map")


def fitted(settings: Settings, data: FilmsData, numbers: Sequence[int], method: str) -> FittedMap:
    """The map of the frames of some films, as long work."""
    x = np.concatenate([data.paths[i].points for i in numbers])

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(x, method, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: FittedMap = work.result_of(fingerprint("film map", data.key, list(numbers), method, settings.seed), fit)
    return found


def placed(settings: Settings, data: FilmsData, numbers: Sequence[int], method: str, *, prompts: Sequence[str] = (),
           subtitles: bool = False, colouring: Colouring | None = None, colouring_key: object = None) -> Placed:
    """Films on the sphere, with prompts and subtitles at their places.

    Parameters
    ----------
    colouring : over all points; the view's own by default.
    colouring_key : tells this colouring from any other.
    """
    found = fitted(settings, data, numbers, method)
    sizes = [len(data.paths[i]) for i in numbers]
    starts = np.cumsum([0, *sizes])
    rows = tuple(np.arange(a, b) for a, b in pairwise(starts.tolist()))
    lines = [_lines(settings, data, i) if subtitles and takes_prompts(settings, data) else {} for i in numbers]
    at, said = int(starts[-1]), []
    for own in lines:
        said.append({at + j: second for j, second in enumerate(own)})
        at += len(own)
    texts = [text for own in lines for text in own.values()]
    pictures = data.ready.pictures.of(np.concatenate([data.rows[i] for i in numbers]))
    key = fingerprint("film scene", data.key, list(numbers), found.map.fingerprint, list(prompts), texts,
                      settings.model_id, pictures.key, repr(colouring_key))

    def make() -> SphereScene:
        labels = [f"{data.names[i]} {clock(t)}" for i in numbers for t in data.paths[i].times]
        spots = [found.place(vectors_of(settings, some), np.ones(len(some), bool)) if some else None
                 for some in (texts, list(prompts))]
        return path_scene(found.map.coords, labels, texts=spots[0], text_labels=[f"“{text}”" for text in texts],
                          prompts=spots[1], prompt_labels=prompts, pictures=pictures, colouring=colouring,
                          title=headline([data.paths[i] for i in numbers]),
                          note=f"Map: {MAPS[method].title}. {fidelity_in_words(found.map)}")

    return Placed(cached.scene(key, make), tuple(numbers), rows, tuple(said), found)


def _lines(settings: Settings, data: FilmsData, number: int) -> dict[float, str]:
    """Subtitles of a film that are spoken in the part looked at: the second of each, and what it says."""
    film = data.film(number)
    times = data.paths[number].times
    if film is None:
        return {}
    spoken = [line for line in film.lines if times[0] <= line.end and line.start <= times[-1]]
    shown = [spoken[i] for i in readable(settings, [line.text for line in spoken])]
    keep = np.unique(np.linspace(0, len(shown) - 1, min(MOST_LINES, len(shown))).round().astype(int))
    return {(shown[i].start + shown[i].end) / 2: shown[i].text for i in keep.tolist()}


def play(settings: Settings, data: FilmsData, shown: Placed, *, height: int = 520, by_film: bool = False) -> FilmEvents:
    """The player beside the sphere; the same view on every section, so that time and camera stay."""
    films = []
    for number, rows, said in zip(shown.numbers, shown.rows, shown.said):
        film = data.film(number)
        url, note = ("", "") if film is None else _playable(film)
        films.append(FilmShown(data.names[number], rows, data.paths[number].times, data.starts(number), url,
                               0.0 if film is None else film.duration, said, note))
    seek: Seek | None = st.session_state.get("films.seek")
    names = [data.names[i] for i in shown.numbers]
    if seek is not None and st.session_state.get("films.seek.of") in names:
        seek = Seek(seek.seconds, seek.number, names.index(st.session_state["films.seek.of"]))
    else:
        seek = None
    events = film_view(shown.scene, films, key=KEY, height=height, colour="film" if by_film else "time", seek=seek,
                       dark=ui.dark(), data=shown.scene.fingerprint)
    refused = {film.fingerprint for i in events.unplayable if (film := data.film(shown.numbers[i])) is not None}
    if refused - _unplayable():
        _unplayable().update(refused)
        st.rerun()
    for number in shown.numbers:
        film = data.film(number)
        if film is not None:
            _make_playable(film)
    return events


def _unplayable() -> set[str]:
    """Films whose own file this visitor's browser cannot play."""
    return st.session_state.setdefault("films.unplayable", set())


def _playable(film: Film) -> tuple[str, str]:
    """Where the browser finds something of a film that it can play, "" where there is nothing yet, and a line on it."""
    if film.path is not None and plays(film) and film.fingerprint not in _unplayable():
        return serve_file(film.path, MIMETYPES[isinstance(film.frames, FilmFrames)
                                               and film.frames.header.container == "matroska"]), ""
    made = _kept_proxy(film).path
    if made.exists():
        return serve_file(made, MIMETYPES[True]), ""
    if film.path is None:
        return "", ""
    return "", "A version that this browser can play is being made; the frames that are looked at are shown meanwhile."


def _kept_proxy(film: Film) -> Kept:
    """The proxy of a film, there or not yet, which stays as long as this visit."""
    path = proxy_path(film)
    kept: Kept = st.session_state.setdefault("films.proxies", {}).setdefault(path.name, keep(path))
    return kept


def _make_playable(film: Film) -> None:
    """Make the version that the browser can play, where it is wanted, while the page goes on."""
    if film.path is None or proxy_path(film).exists() or (plays(film) and film.fingerprint not in _unplayable()):
        return
    key = f"proxy:{proxy_path(film).stem}"

    def make(on_progress: work.Progress, should_stop: work.Stop) -> Path:
        return proxy(film, on_progress=on_progress, should_stop=should_stop)

    if key in st.session_state.setdefault("films.not_made", set()):
        return
    try:
        made = work.result_beside(key, make)
    except OrreryError as error:
        st.session_state["films.not_made"].add(key)
        panels.notice(f"{film.name} cannot be made playable: {error.got}. Its frames are shown instead.", "warning")
        return
    if made is not None:
        st.rerun()


def seek(name: str, seconds: float) -> None:
    """From the next run on the player stands at a second of a film."""
    before: Seek | None = st.session_state.get("films.seek")
    st.session_state["films.seek"] = Seek(seconds, 1 if before is None else before.number + 1)
    st.session_state["films.seek.of"] = name


def prompts_of(settings: Settings, data: FilmsData) -> tuple[str, ...]:
    """What is typed into the field of themes; nothing where the model takes no prompts."""
    if not takes_prompts(settings, data):
        return ()
    written = state.pick_text("Themes: prompts, one a line", key="themes", lines=3,
                              placeholder="a photo of a cone\na photo of a sphere"
                              if data.brought.opened.in_world else "a photo of a dog\na photo of a car")
    texts = texts_of(written)
    unread = cached.encoder(settings.model_id).unread(texts)
    for i, reason in unread.items():
        panels.notice(f"“{texts[i][:80]}” is left out: {reason}.", "warning")
    return tuple(text for i, text in enumerate(texts) if i not in unread)
