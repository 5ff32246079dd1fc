"""What can be taken away: the path as CSV or Parquet, the film with its moving sphere as mp4, the code."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.films.moving import MovingSphere
from core.figures.films.moving import film_with_sphere as film_pictures
from core.geometry.directions import angle
from core.geometry.films.trajectory import Trajectory
from core.sources.films.film import Film, clock
from core.sources.films.writing import write_mp4
from core.streamlit_app import ui, work
from core.streamlit_app.data.choose import look_at
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData
from core.streamlit_app.films.player import Placed
from core.streamlit_app.state import Settings
from core.types import fingerprint

SIDE = 480
FPS, MOST_PICTURES = (1.0, 24.0), 20_000


def show(settings: Settings, data: FilmsData, shown: Placed, chosen: int) -> None:
    """Downloads of the film that is chosen in the player, and of the code."""
    number = shown.numbers[chosen]
    with st.container(horizontal=True, vertical_alignment="center", key="films.take"):
        ui.download_table(lambda: table_of(data, shown, chosen), f"path of {data.names[number]}", label="Path (CSV)")
        st.download_button("Path (Parquet)", lambda: as_parquet(data, shown, chosen),
                           f"path of {data.names[number]}.parquet", "application/octet-stream", key="films.parquet",
                           on_click="ignore", icon=":material/download:", help="With the vectors: it opens again under "
                           "Vectors with times.")
        _film(data, shown, chosen)
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


def _film(data: FilmsData, shown: Placed, chosen: int) -> None:
    """A button that makes the mp4, then one that gives it."""
    number = shown.numbers[chosen]
    film = data.film(number)
    if film is None:
        return
    key = fingerprint("film with sphere", film.fingerprint, shown.scene.fingerprint, chosen)
    asked = st.session_state.setdefault("films.asked", set())
    if key not in asked:
        if st.button("Film and sphere (mp4)", icon=":material/movie:", key="films.make",
                     help="The film beside its moving sphere, drawn frame by frame."):
            asked.add(key)
            st.rerun()
        return

    def make(on_progress: work.Progress, should_stop: work.Stop) -> bytes:
        return film_with_sphere(film, shown, chosen, dark=dark, on_progress=on_progress, should_stop=should_stop)

    dark = ui.dark()
    made = work.result_beside(f"{key}:{dark}", make)
    if made is not None:
        st.download_button("Save the mp4", made, f"{data.names[number]} on the sphere.mp4", "video/mp4",
                           key="films.mp4", on_click="ignore", icon=":material/download:")


def film_with_sphere(film: Film, shown: Placed, chosen: int, *, dark: bool = False,
                     on_progress: work.Progress, should_stop: work.Stop) -> bytes:
    """The film beside the sphere on which its point moves, as mp4 with the film's own sound.

    The frames are those looked at, each until the next one comes; the point moves between them. A long film has fewer
    pictures a second.
    """
    rows = shown.rows[chosen]
    times = film.times[:len(rows)]
    path = Trajectory(shown.scene.coords[rows], times)
    seconds = float(times[-1] - times[0]) + float(np.median(np.diff(times)) if len(times) > 1 else 1.0)
    fps = float(np.clip(MOST_PICTURES / max(seconds, 1e-9), *FPS))
    count = max(1, round(seconds * fps))
    sphere = MovingSphere(path, size=SIDE, dark=dark, say=clock)

    def pictures() -> Iterator[tuple[float, np.ndarray]]:
        held, shown_frame = np.zeros((SIDE, SIDE, 3), np.uint8), -1
        for tick in range(count):
            at = float(times[0]) + tick / fps
            frame = int(np.clip(np.searchsorted(times, at + 1e-6, side="right") - 1, 0, len(times) - 1))
            if frame != shown_frame:
                held, shown_frame = np.asarray(film.frames.decode(frame)), frame
            yield at, held

    first = next(film_pictures(pictures(), sphere))
    with tempfile.TemporaryDirectory() as folder:
        made = write_mp4(film_pictures(pictures(), sphere), (first.shape[1], first.shape[0]), fps,
                         Path(folder) / "film.mp4", count=count, on_progress=on_progress, should_stop=should_stop,
                         sound_from=film.path if film.has_sound else None, sound_start=float(times[0]))
        return made.read_bytes()
