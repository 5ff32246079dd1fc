"""What can be taken away: the path as CSV or Parquet, the film with its moving sphere as mp4, the code."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import OrreryError, UnreadableItem
from core.figures.films.moving import MovingSphere
from core.figures.films.moving import film_with_sphere as film_pictures
from core.geometry.directions import angle
from core.geometry.films.trajectory import Trajectory
from core.sources.films.file import Held
from core.sources.films.film import Film, clock
from core.sources.films.reading import FilmFrames
from core.sources.films.soundtrack import soundtrack
from core.sources.mp4 import write_mp4
from core.streamlit_app import ui, work
from core.streamlit_app.data.choose import look_at
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData
from core.streamlit_app.films.player import Placed
from core.streamlit_app.live.film_view import seen_from
from core.streamlit_app.state import Settings
from core.types import Images, fingerprint

SIDE = 480
FPS, MOST_PICTURES = (1.0, 24.0), 20_000


def show(settings: Settings, data: FilmsData, shown: Placed, chosen: int, camera: str | None) -> None:
    """Downloads of the film that is chosen in the player, seen from where its sphere is, and of the code."""
    number = shown.numbers[chosen]
    with st.container(horizontal=True, vertical_alignment="center", key="films.take"):
        ui.download_table(lambda: table_of(data, shown, chosen), f"path of {data.names[number]}", label="Path (CSV)")
        st.download_button("Path (Parquet)", lambda: as_parquet(data, shown, chosen),
                           f"path of {data.names[number]}.parquet", "application/octet-stream", key="films.parquet",
                           on_click="ignore", icon=":material/download:", help="With the vectors: it opens again under "
                           "Vectors with times.")
        _film(data, shown, chosen, camera)
        if st.button("Look at these frames on every page", icon=":material/public:", key="films.everywhere"):
            look_at(data.ready.opened)
            st.switch_page("pages/1_Embedding_Sphere.py")
        ui.copy_as_python(python.watch(settings, data, number))


def table_of(data: FilmsData, shown: Placed, chosen: int) -> pd.DataFrame:
    """One row a frame: time, shot, island, the step that led here, its place on the map."""
    number = shown.numbers[chosen]
    path, starts, found = data.paths[number], data.starts(number), data.islands(number)
    steps = np.degrees(angle(path.points[:-1], path.points[1:]))
    coords = shown.scene.coords[shown.rows[chosen]]
    return pd.DataFrame({
        "film": data.names[number], "id": [data.images.ids[row] for row in data.rows[number].tolist()],
        "time": path.times, "shot": np.searchsorted(starts, np.arange(len(path)), side="right") - 1,
        "island": found.of_frames, "step, degrees": np.concatenate([[np.nan], steps]),
        "speed, degrees/s": np.concatenate([[np.nan], steps / np.diff(path.times)]),
        "x": coords[:, 0], "y": coords[:, 1], "z": coords[:, 2]})


def as_parquet(data: FilmsData, shown: Placed, chosen: int) -> bytes:
    """The table with the vector of each frame."""
    buffer = io.BytesIO()
    table_of(data, shown, chosen).assign(vector=list(data.paths[shown.numbers[chosen]].points)).to_parquet(
        buffer, index=False)
    return buffer.getvalue()


def _film(data: FilmsData, shown: Placed, chosen: int, camera: str | None) -> None:
    """A button that makes the mp4, then one that gives it."""
    number = shown.numbers[chosen]
    film = data.film(number)
    if film is None:
        return
    key = fingerprint("film with sphere", film.fingerprint, shown.scene.fingerprint, chosen)
    asked: tuple[str, str | None] = st.session_state.get("films.asked", ("", None))
    if asked[0] != key:
        if st.button("Film and sphere (mp4)", icon=":material/movie:", key="films.make",
                     help="The film beside its moving sphere, drawn frame by frame."):
            st.session_state["films.asked"] = key, camera
            st.rerun()
        return

    def make(on_progress: work.Progress, should_stop: work.Stop) -> Held:
        on_map = Trajectory(shown.scene.coords[shown.rows[chosen]], data.paths[number].times)
        direction, up = seen_from(asked[1]) or (None, None)
        sphere = MovingSphere(on_map, starts=data.starts(number), size=SIDE, direction=direction, up=up, dark=dark,
                              say=clock)
        made = Held(b"", "film.mp4")
        film_with_sphere(film, sphere, made.path, on_progress=on_progress, should_stop=should_stop)
        return made

    dark = ui.dark()
    try:
        made: Held | None = work.result_here("films.made", fingerprint(key, dark, asked[1]), make)
    except OrreryError:
        del st.session_state["films.asked"]
        raise
    if made is not None:
        st.download_button("Save the mp4", made.path.read_bytes, f"{data.names[number]} on the sphere.mp4", "video/mp4",
                           key="films.mp4", on_click="ignore", icon=":material/download:")


def film_with_sphere(film: Film, sphere: MovingSphere, path: Path, *, on_progress: work.Progress,
                     should_stop: work.Stop) -> None:
    """The film beside the sphere on which its point moves, as mp4 with the film's own sound.

    A film's file is shown with all of its frames in the part that is looked at, other films with those looked at; the
    point moves between these. A long film has fewer pictures a second.
    """
    start, seconds = float(film.times[0]), _lasts(film.times)
    fps = float(np.clip(MOST_PICTURES / max(seconds, 1e-9), *FPS))
    count = max(1, round(seconds * fps))
    frames, times = _every_frame(film, fps)

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        held, last = np.zeros((SIDE, SIDE, 3), np.uint8), -1
        for tick in range(count):
            at = start + tick / fps
            frame = int(np.clip(np.searchsorted(times, at + 1e-6, side="right") - 1, 0, len(times) - 1))
            if frame != last:
                with suppress(UnreadableItem):
                    held = np.asarray(frames.decode(frame))
                last = frame
            yield at, held

    first = next(film_pictures(pictures(), sphere))
    write_mp4(film_pictures(pictures(), sphere), (first.shape[1], first.shape[0]), fps, path, count=count,
              on_progress=on_progress, should_stop=should_stop,
              sound=None if film.path is None or not film.has_sound else soundtrack(
                  film.path, start=start, seconds=count / fps, should_stop=should_stop))


def _lasts(times: np.ndarray) -> float:
    """Seconds from the first to the end of the last frame, which lasts as long as frames mostly do."""
    return float(times[-1] - times[0]) + float(np.median(np.diff(times)) if len(times) > 1 else 1.0)


def _every_frame(film: Film, fps: float) -> tuple[Images, np.ndarray]:
    """Frames to show and their times: of a file all that are needed for so many a second, else those looked at."""
    frames = film.frames
    if not isinstance(frames, FilmFrames):
        return frames, film.times
    times = frames.header.times
    ticks = np.arange(float(film.times[0]), float(film.times[0]) + _lasts(film.times), 1 / fps)
    numbers = np.unique(np.clip(np.searchsorted(times, ticks + 1e-6, side="right") - 1, 0, None))
    return frames.of_numbers(numbers, SIDE), times[numbers]
