"""Runs of this visit: the one that is trained now, beside the page, and those that are over."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.learning.records.record import Record
from core.learning.towers.pairs import Lesson
from core.learning.towers.process import TowerProcess
from core.learning.towers.setup import Setup
from core.settings import MB
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels
from core.streamlit_app.visits import visitor

MOST_KEPT = 12
KEPT_MB, KEPT_MB_HOSTED = 512, 96
_KEPT = "dynamics.kept"


def current() -> TowerProcess | None:
    """What is trained for this visit, or was last; it goes on while other pages are looked at, and ends with the
    visit."""
    return cached.trainings().of(visitor())


def at_work() -> bool:
    """Whether something waits, is trained or is paused for this visit."""
    training = current()
    return training is not None and not training.over


def held() -> bool:
    """Whether it is paused: nothing moves then."""
    training = current()
    return training is not None and training.state == "paused"


def records() -> tuple[Record, ...]:
    """All runs of this visit as far as they are, newest first."""
    training = current()
    return (*(training.records() if training is not None else ()), *_kept())


def keep(record: Record) -> None:
    """Keep a run for this visit, as the newest that is over; the oldest go where there are too many."""
    _kept().insert(0, record)
    size = 0
    for i, kept in enumerate(_kept()):
        size += size_of(kept)
        if i and (i >= MOST_KEPT or size > most_bytes()):
            del _kept()[i:]
            break


def size_of(record: Record) -> int:
    """Bytes of its features."""
    return record.images.nbytes + record.texts.nbytes


def most_bytes() -> int:
    """Of the features of all records that a visit keeps."""
    return MB * (KEPT_MB_HOSTED if process_settings().hosted else KEPT_MB)


def start(lesson: Lesson, setups: Sequence[Setup], names: Sequence[str]) -> None:
    """Train, by turns, in a process beside the page; what was trained before is kept.

    Raises
    ------
    OrreryError
        If too many setups are asked for, too many visitors wait, or the snapshots would take too much memory.
    """
    before = current()
    ended = before.records() if before is not None else ()
    taken = {record.name for record in (*ended, *_kept())}
    free: list[str] = []
    for name in names:
        number, found = 1, name
        while found in taken:
            number += 1
            found = f"{name} ({number})"
        taken.add(found)
        free.append(found)
    cached.trainings().start(visitor(), lesson, setups, free)
    for record in reversed(ended):
        keep(record)


def buttons() -> None:
    """Pause, go on and stop; the page is drawn anew, since one that is held is not asked again and again.

    Two buttons with keys of their own: a double click on Pause is not one on Resume.
    """
    training = current()
    if training is None or training.over:
        return
    if training.state == "paused":
        if st.button("Resume", icon=":material/play_arrow:", key="dynamics.resume"):
            training.resume()
            st.rerun()
    elif st.button("Pause", icon=":material/pause:", key="dynamics.pause", disabled=training.state != "running"):
        training.pause()
        st.rerun()
    if st.button("Stop", icon=":material/stop_circle:", key="dynamics.stop", help="What was recorded is kept."):
        training.stop()
        st.rerun()


def progress() -> None:
    """How far what is trained is, or why it is over without having come to its end."""
    training = current()
    if training is None:
        return
    cached.trainings().go_on()
    if training.over:
        if training.error is not None:
            panels.error_panel(training.error)
        for record in training.records():
            if record.ended and training.error is None:
                panels.notice(f"{record.name}: {record.ended}.".replace("..", "."))
        return
    before = cached.trainings().position(visitor())
    steps = max(setup.steps for setup in training.setups)
    said = {"waiting": f"Waiting: {before} before this", "starting": "Starting the process that trains",
            "paused": f"Paused at step {max(training.at):,} of {steps:,}"}.get(
                training.state, f"Step {max(training.at):,} of {steps:,}")
    if len(training.setups) > 1:
        said += f", {len(training.setups)} runs by turns"
    st.progress(training.fraction, panels.plain(said))


def _kept() -> list[Record]:
    return st.session_state.setdefault(_KEPT, [])
