"""What can be taken away: a run as a file that reopens, its numbers, and its moving sphere as mp4 and HTML."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.figures.dynamics.animation import animation, record_table
from core.figures.dynamics.moving import MovingPoints
from core.learning.records.file import SUFFIX, record_bytes
from core.learning.records.placed import Places, placed
from core.learning.records.record import Record
from core.sources.mp4 import write_mp4
from core.streamlit_app import ui, work
from core.streamlit_app.dynamics.data import DynamicsData, pick_record
from core.streamlit_app.state import Settings
from core.types import fingerprint

SIDE = 640
FPS, A_SNAPSHOT = 24.0, 4       # pictures a second, and pictures from one snapshot to the next
HOLD = 36                       # pictures that the last snapshot stands
_ASKED = "dynamics.asked"


def show(settings: Settings, data: DynamicsData) -> None:
    """Downloads of one run of this visit."""
    with st.popover("Take away", icon=":material/download:", disabled=not data.records, key="dynamics.take"):
        record = pick_record(data, key="take_run")
        if record is None:
            return
        st.download_button("Run (file)", lambda: record_bytes(record), f"{file_name(record)}{SUFFIX}",
                           "application/octet-stream", key="dynamics.run", on_click="ignore",
                           icon=":material/save:", help="Setup, seed, the features of the probe and what was measured. "
                           "It reopens under “Any dimension”.")
        ui.download_table(lambda: record_table(record), f"{file_name(record)} measures", label="Measures (CSV)")
        if record.dim > 3:
            st.caption("Moving pictures are of runs whose space is the sphere itself: of two or three dimensions.")
            return
        places, dark = placed(record), ui.dark()
        st.download_button("Animation (HTML)", lambda: _html(record, places, dark).encode(),
                           f"{file_name(record)}.html", "text/html", key="dynamics.html", on_click="ignore",
                           icon=":material/html:", help="The sphere with a slider over the steps, in one file.")
        _video(record, places, dark)


def file_name(record: Record) -> str:
    """The name of a record as one of a file."""
    return "".join(c if c.isalnum() or c in " -_,.=" else "_" for c in record.name)[:80].strip() or "run"


def _html(record: Record, places: Places, dark: bool) -> str:
    return animation(record, places.images, places.texts, title=record.name, dark=dark).to_html(
        include_plotlyjs=True, auto_play=False)


def _video(record: Record, places: Places, dark: bool) -> None:
    """A button that makes the mp4, then one that gives it."""
    mark = fingerprint("mp4 of a training", record.fingerprint, dark)
    if st.session_state.get(_ASKED) != mark:
        if st.button("Animation (mp4)", icon=":material/movie:", key="dynamics.make",
                     help="The sphere as it moves, drawn picture by picture."):
            st.session_state[_ASKED] = mark
            st.rerun()
        return

    def make(on_progress: work.Progress, should_stop: work.Stop) -> bytes:
        moving = MovingPoints(places.images, places.texts, size=SIDE, dark=dark,
                              say=lambda moment: f"step {record.steps[min(round(moment), len(record) - 1)]:,}")
        moments = np.minimum(np.arange((len(record) - 1) * A_SNAPSHOT + HOLD) / A_SNAPSHOT, len(record) - 1).tolist()

        def pictures() -> Iterator[np.ndarray]:
            last, drawn = -1.0, np.zeros(0)
            for moment in moments:
                if moment != last:
                    last, drawn = moment, moving.at(moment)
                yield drawn

        with tempfile.TemporaryDirectory(prefix="orrery-mp4-") as folder:
            path = Path(folder) / "training.mp4"
            write_mp4(pictures(), (SIDE, SIDE), FPS, path, count=len(moments), on_progress=on_progress,
                      should_stop=should_stop)
            return path.read_bytes()

    try:
        made: bytes | None = work.result_here("dynamics.made", mark, make)
    except OrreryError:
        del st.session_state[_ASKED]
        raise
    if made is not None:
        st.download_button("Save the mp4", made, f"{file_name(record)}.mp4", "video/mp4", key="dynamics.mp4",
                           on_click="ignore", icon=":material/download:")
