"""What can be taken away: a run as a file that reopens, its numbers, and its moving sphere as mp4 and HTML."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import streamlit as st

from core.figures.dynamics.animation import animation, record_table
from core.figures.dynamics.moving import MovingPoints
from core.learning.records.file import SUFFIX, record_bytes
from core.learning.records.record import Record
from core.sources.mp4 import write_mp4
from core.streamlit_app import ui, work
from core.types import fingerprint

SIDE = 640
FPS, A_SNAPSHOT = 24.0, 4       # pictures a second, and pictures from one snapshot to the next
HOLD = 36                       # pictures that the last snapshot stands


def show(record: Record, places: tuple[np.ndarray, np.ndarray], *, key: str, note: str = "",
         seen_from: tuple[np.ndarray, np.ndarray] | None = None) -> None:
    """Downloads of one record, whose points lie at ``places`` ((s, n, 3) of images and of texts) on the map."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.take"):
        with st.popover("Take away", icon=":material/download:"):
            st.download_button("Run (file)", lambda: record_bytes(record), f"{file_name(record)}{SUFFIX}",
                               "application/octet-stream", key=f"{key}.run", on_click="ignore",
                               icon=":material/save:", help="Setup, seed, the features of the probe and what was "
                               "measured. It reopens under “Any dimension”.")
            ui.download_table(lambda: record_table(record), f"{file_name(record)} measures", label="Measures (CSV)")
            dark = ui.dark()
            st.download_button("Animation (HTML)", lambda: _html(record, places, note, dark).encode(),
                               f"{file_name(record)}.html", "text/html", key=f"{key}.animation", on_click="ignore",
                               icon=":material/html:", help="The sphere with a slider over the steps, in one file.")
            _video(record, places, key, seen_from)


def file_name(record: Record) -> str:
    """The name of a record as one of a file."""
    return "".join(c if c.isalnum() or c in " -_,.=" else "_" for c in record.name)[:80].strip() or "run"


def _html(record: Record, places: tuple[np.ndarray, np.ndarray], note: str, dark: bool) -> str:
    return animation(record, *places, title=record.name, note=note, dark=dark).to_html(
        include_plotlyjs=True, auto_play=False)


def _video(record: Record, places: tuple[np.ndarray, np.ndarray], key: str,
           seen_from: tuple[np.ndarray, np.ndarray] | None) -> None:
    """A button that makes the mp4, then one that gives it."""
    direction, up = seen_from or (None, None)
    dark = ui.dark()
    mark = fingerprint("training mp4", record.fingerprint, *places, dark, direction, up)
    asked = f"{key}.asked"
    if st.session_state.get(asked) != record.fingerprint:
        if st.button("Animation (mp4)", icon=":material/movie:", key=f"{key}.make",
                     help="The sphere as it moves, drawn picture by picture from where it is seen now."):
            st.session_state[asked] = record.fingerprint
            st.rerun()
        return

    def make(on_progress: work.Progress, should_stop: work.Stop) -> bytes:
        moving = MovingPoints(*places, size=SIDE, direction=direction, up=up, dark=dark,
                              say=lambda moment: f"step {record.steps[min(round(moment), len(record) - 1)]:,}")
        moments = np.arange((len(record) - 1) * A_SNAPSHOT + HOLD) / A_SNAPSHOT

        def pictures() -> Iterator[np.ndarray]:
            last, drawn = -1.0, np.zeros(0)
            for moment in np.minimum(moments, len(record) - 1).tolist():
                if moment != last:
                    last, drawn = moment, moving.at(moment)
                yield drawn

        with tempfile.TemporaryDirectory(prefix="orrery-mp4-") as folder:
            path = Path(folder) / "training.mp4"
            write_mp4(pictures(), (SIDE, SIDE), FPS, path, count=len(moments), on_progress=on_progress,
                      should_stop=should_stop)
            return path.read_bytes()

    made: bytes | None = work.result_here(f"{key}.made", mark, make)
    if made is not None:
        st.download_button("Save the mp4", made, f"{file_name(record)}.mp4", "video/mp4", key=f"{key}.mp4",
                           on_click="ignore", icon=":material/download:")
