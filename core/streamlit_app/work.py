"""Long work on a page: this visit's jobs, and a progress bar with time left and a button to stop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import OrreryError
from core.jobs import Job, about
from core.streamlit_app import cached, panels
from core.streamlit_app.visits import visitor

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]

_log = logging.getLogger("orrery")


def running(key: str) -> Job | None:
    """This visit's job of that key, over or not."""
    return st.session_state.setdefault("jobs", {}).get(key)


def joined(key: str) -> Job | None:
    """The job of that key that another visit has at work, which is then waited for instead of doing the same again."""
    found = next((job for job in cached.runner().jobs() if job.key == key and not job.stopping), None)
    if found is not None:
        found.join(visitor())
        st.session_state.setdefault("jobs", {})[key] = found
    return found


def start(key: str, work: Callable[[Progress, Stop], Any], *, cost: float | None = None, long: bool = False) -> Job:
    """Queue work for this visit; where it is long, it takes minutes, and shorter work does not wait for it."""
    job = cached.runner().submit(key, visitor(), work, cost=cost, long=long)
    st.session_state.setdefault("jobs", {})[key] = job
    return job


def forget(key: str) -> None:
    """Drop a job that is over, so that it can be started anew."""
    st.session_state.setdefault("jobs", {}).pop(key, None)


def as_error(error: BaseException) -> OrreryError:
    """An error of a job as one that can be shown; unexpected ones go to the log."""
    if isinstance(error, OrreryError):
        return error
    _log.error("unexpected error in a job", exc_info=error)
    return OrreryError("the work to run to its end", f"{type(error).__name__}: {error}"[:600],
                       "This is a fault of Orrery's; the log of the server has the details.")


def result_of(key: str, work: Callable[[Progress, Stop], Any], *, long: bool = False) -> Any:
    """What work gives, done once for all visitors; draws the progress and stops the page until it is there.

    Raises
    ------
    OrreryError
        What the work raised; asking again starts it anew.
    """
    found = result_beside(key, work, long=long)
    if found is None:
        st.stop()
    return found


def result_beside(key: str, work: Callable[[Progress, Stop], Any], *, long: bool = False) -> Any | None:
    """As `result_of`, but the page goes on below the progress; None until it is there."""
    done = cached.results()
    known = done.get(key)
    if known is not None:
        return known
    job = running(key) or start(key, work, long=long)
    job.wait(0.5)
    if not job.over:
        watch(job)
        return None
    forget(key)
    if job.error is not None:
        raise as_error(job.error)
    return done.of(key, job.result)


def result_when_asked(key: str, label: str, button: str, work: Callable[[Progress, Stop], Any], *,
                      long: bool = False) -> Any | None:
    """As `result_of`, of work that is begun by a button with this label and key; None until it was."""
    if cached.results().get(key) is None and running(key) is None and not st.button(
            label, icon=":material/play_arrow:", key=button):
        return None
    return result_of(key, work, long=long)


def result_here(slot: str, key: str, work: Callable[[Progress, Stop], Any], *, long: bool = False) -> Any | None:
    """What work gives, for this visit alone; None until it is there, below whose progress the page goes on.

    A slot keeps what was asked for last: another key stops the work before it and lets go what it gave.

    Raises
    ------
    OrreryError
        What the work raised; asking again starts it anew.
    """
    known = st.session_state.get(slot)
    if known is not None and known[0] == key:
        return known[1]
    name = f"{slot}:{key}"
    forget_here(slot, but=name)
    job = running(name) or start(name, work, long=long)
    st.session_state[f"{slot}.at_work"] = job
    job.wait(0.5)
    if not job.over:
        watch(job)
        return None
    forget(name)
    del st.session_state[f"{slot}.at_work"]
    if job.error is not None:
        raise as_error(job.error)
    st.session_state[slot] = key, job.result()
    return st.session_state[slot][1]


def forget_here(slot: str, *, but: str = "") -> None:
    """Let go what a slot keeps for this visit, and stop the work for it unless it is that of the name given."""
    st.session_state.pop(slot, None)
    job: Job | None = st.session_state.get(f"{slot}.at_work")
    if job is not None and job.key != but:
        job.cancel()
        forget(job.key)
        del st.session_state[f"{slot}.at_work"]


@st.fragment(run_every=0.4)
def watch(job: Job, leave: Callable[[], None] | None = None) -> None:
    """Progress bar, time left and a button to stop; the page is drawn anew when the work is over.

    Work of another visit is not stopped from here: then the button calls ``leave``.
    """
    if job.over:
        st.rerun()
    text = f"Waiting: {job.position} before this" if job.state == "queued" else job.text
    left = job.seconds_left
    if left is not None and left > 3 and "left" not in text and job.state == "running":
        text += f" · {about(left)} left"
    with st.container(key=f"job.{job.key[:24]}"):
        st.progress(job.fraction, panels.plain(text))
        if st.button("Stop", key=f"stop.{job.key}", icon=":material/stop_circle:", help="What is finished is kept."):
            if leave is None or job.visitor == visitor():
                job.cancel()
            else:
                leave()
                st.rerun()
