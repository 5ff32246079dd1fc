"""Findings: what papers say of the gap and of noise, each tried by a small experiment with a button."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.figures.dynamics import findings as figures
from core.jobs import about
from core.learning.towers.doses import SEEDS, with_seeds
from core.learning.towers.evaluation import TowersEvaluation, evaluate_towers
from core.learning.towers.experiments import EXPERIMENTS, Found, run
from core.learning.towers.finals import known_of
from core.learning.towers.setup import Setup
from core.streamlit_app import cached, panels, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.dynamics.doses import AT_ONCE, SECONDS, in_words, lesson_lines
from core.streamlit_app.state import Settings
from core.types import fingerprint

BASE = Setup()
"""All that no experiment sets."""


def show(settings: Settings, data: DynamicsData) -> None:
    """Each experiment with its claim, its button and what it found; then all figures of the command."""
    st.caption(f"Each claim is tried by trainings of {BASE.steps} steps that differ in one thing, with {SEEDS} seeds "
               "or more. All other dials are as at first, so that everybody finds the same.")
    for key in EXPERIMENTS:
        with panels.friendly_errors():
            _one(data, key)
    if data.lesson.world:
        _evaluation(settings)


def _one(data: DynamicsData, name: str) -> None:
    experiment = EXPERIMENTS[name]
    st.subheader(experiment.title, anchor=False)
    st.markdown(f"{panels.plain(experiment.claim)} *({panels.plain(experiment.source)})*")
    found = _found(data, name)
    if found is None:
        return
    st.markdown(f"**{panels.plain(found.reading.sentence, 1200)}**")
    ui.show(figures.finding(found, dark=ui.dark()), key=f"dynamics.finding.{name}", how_to_read=figures.CAPTION,
            table=partial(figures.numbers_and_differences, found))
    with st.container(horizontal=True, vertical_alignment="center"):
        ui.download_table(partial(figures.trainings_table, found), f"dynamics-{name}-trainings", label="All trainings")
        ui.copy_as_python(_python(data, name))


def _found(data: DynamicsData, name: str) -> Found | None:
    """The experiment, begun by a button unless all its trainings are kept; the page goes on below its progress."""
    experiment = EXPERIMENTS[name]
    setups = with_seeds(experiment.setups(BASE).values(), SEEDS * experiment.seeds)
    missing = len(setups) - known_of(data.lesson, setups)
    key = fingerprint("experiment", name, data.lesson.fingerprint, data.own, BASE.as_json())

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Found:
        return run(name, data.lesson, BASE, workers=AT_ONCE, on_progress=on_progress, should_stop=should_stop)

    known = cached.results().get(key) is not None or work.running(key) is not None
    if not known and missing and not st.button(
            f"Train {missing} times ({about(SECONDS * missing / AT_ONCE)})", icon=":material/play_arrow:",
            key=f"dynamics.run.{name}"):
        return None
    return work.result_beside(key, measure, long=True)


def _python(data: DynamicsData, name: str) -> str:
    imports, lines = lesson_lines(data)
    return as_code([*imports, "from core.figures.dynamics.findings import finding",
                    "from core.learning.towers.experiments import run"],
                   [*lines, f"found = run({name!r}, lesson)", "print(found.reading.sentence)",
                    "print(found.response.table)", "finding(found).show()"])


def _evaluation(settings: Settings) -> None:
    """What `python -m core evaluate dynamics` prints, run here when asked for."""
    st.subheader("All of it, with every fault at every dose", anchor=False)
    st.caption("What `python -m core evaluate dynamics` prints: the experiments above and R@1 by dose of each fault. "
               "Trainings that were done before are read.")
    key = fingerprint("evaluate dynamics", settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> TowersEvaluation:
        return evaluate_towers(seed=settings.seed, workers=AT_ONCE, on_progress=on_progress, should_stop=should_stop)

    found: TowersEvaluation | None = work.result_when_asked(key, "Run it (up to 10 minutes)", "dynamics.evaluate",
                                                            measure, long=True)
    if found is None:
        return
    faults = figures.faults_table(found)
    panels.wrapped_table(in_words(faults))
    st.caption("R@1 by dose, mean of the seeds; change: the highest dose less the lowest, each seed with itself. p is "
               "corrected for all faults (Holm).")
    table = panels.numbers_table(found.figures())
    st.dataframe(table, hide_index=True, height=460, key="dynamics.evaluated")
    with st.container(horizontal=True):
        ui.download_table(lambda: faults, "dynamics-faults", label="Faults")
        ui.download_table(lambda: table, "dynamics-evaluated", label="All figures")
    st.json(_said(found), expanded=False)


def _said(found: TowersEvaluation) -> dict[str, object]:
    said = found.said()
    return {key: said[key] for key in ("seeds", "seconds_of_processor")}
