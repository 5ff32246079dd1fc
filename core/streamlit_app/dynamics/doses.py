"""Dose and response: one dial at all its values, several seeds each, and what it does to what is learnt."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.figures.dynamics import doses as figures
from core.figures.frame import spoken
from core.jobs import about
from core.learning.towers.doses import POLES, SEEDS, DoseResponse, dose_response, setups_of, with_seeds
from core.learning.towers.finals import known_of
from core.learning.towers.setup import DIALS, Setup
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import OPENERS, as_code
from core.streamlit_app.dynamics import dials
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint

SECONDS = 4.0
"""Of one training of 600 steps and batches of 128, on an idle core."""
AT_ONCE = 2
MOST_SEEDS = 10


def show(settings: Settings, data: DynamicsData) -> None:
    """The dial that is turned, its trainings, the curve, and its ends as differences."""
    usable = {key: dial.title for key, dial in DIALS.items()
              if (dial.doses or dial.choices) and (data.lesson.world or not dial.world)}
    with st.container(horizontal=True, vertical_alignment="bottom", key="dynamics.doses"):
        with st.container(width=260):
            dial = state.pick_option("Dial", usable, key="dose", help="It takes all its values; every other dial "
                                     "stays where it stands.")
        with st.container(width=220):
            seeds = state.pick_number("Seeds", 3, MOST_SEEDS, key="dose_seeds", default=SEEDS,
                                      help="Trainings at each value; they differ in weights, batches and faults.")
    others = data.setup.but(**{dial: getattr(Setup, dial)})
    stand = "as at first" if others == Setup() else dials.in_words(others)
    st.caption(f"{panels.plain(DIALS[dial].help)} All other dials: {panels.plain(stand)}.")
    found = _found(data, dial, seeds)
    if found is None:
        return
    ui.show(figures.doses(found, dark=ui.dark()), key="dynamics.dose", how_to_read=figures.CAPTION,
            table=partial(figures.doses_table, found))
    if found.at_poles:
        panels.notice(f"{found.at_poles} of {len(found.table)} trainings ended with a gap above {POLES:g}, images at "
                      "one pole and texts at the other: their points lie apart from the rest, and widen the bands.")
    _differences(found)
    with st.container(horizontal=True, vertical_alignment="center"):
        ui.download_table(lambda: found.table, "dynamics-doses-trainings", label="All trainings")
        ui.copy_as_python(_python(data, dial, seeds))


def _found(data: DynamicsData, dial: str, seeds: int) -> DoseResponse | None:
    """The trainings, begun by a button unless all of them are kept."""
    setups = with_seeds(setups_of(dial, data.setup).values(), seeds)
    missing = len(setups) - known_of(data.lesson, setups)
    key = fingerprint("dose", data.key, dial, seeds)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> DoseResponse:
        return dose_response(data.lesson, dial, data.setup, seeds=seeds, workers=AT_ONCE, on_progress=on_progress,
                             should_stop=should_stop)

    if not missing:
        return work.result_of(key, measure)
    left = "" if missing == len(setups) else f", {len(setups) - missing} are kept"
    cost = SECONDS * missing / AT_ONCE * data.setup.steps / 600
    return work.result_when_asked(key, f"Train {missing} times ({about(cost)}{left})", "dynamics.dose.run",
                                  measure, long=True)


def _differences(found: DoseResponse) -> None:
    table = figures.differences_table(found)
    panels.wrapped_table(in_words(table))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Each seed with itself: Student's paired 95 % interval of the mean over seeds; p is corrected for "
                   "all rows that are compared together (Holm).")
        ui.download_table(lambda: table, "dynamics-doses-differences", label="Differences")


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Differences as text: the change with its interval, p, and what can be said of it."""
    numbers = [Number(row["change"], row["low"], row["high"]) for _, row in table.iterrows()]
    said = table.drop(columns=["change", "low", "high", "p (Holm)", "verdict", "seeds"])
    said["change (95 %)"] = ["unknown" if number.value != number.value else spoken(number) for number in numbers]
    said["p (Holm)"] = ["" if p != p else "below 0.001" if p < 0.001 else f"{p:.3f}"
                        for p in table["p (Holm)"].astype(float)]
    said["verdict"], said["n"] = table["verdict"], [f"{n} seeds" for n in table["seeds"]]
    return said


def _python(data: DynamicsData, dial: str, seeds: int) -> str:
    imports, lines = lesson_lines(data)
    return as_code([*imports, "from core.figures.dynamics.doses import doses",
                    "from core.learning.towers.doses import dose_response",
                    "from core.learning.towers.setup import Setup"],
                   [*lines, f"setup = {setup_code(data.setup)}",
                    f"found = dose_response(lesson, {dial!r}, setup, seeds={seeds})",
                    "print(found.table)", "doses(found).show()"])


def lesson_lines(data: DynamicsData) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``lesson``; a visitor's own files have made-up names in them."""
    if data.lesson.world:
        return ["from core.learning.towers.concepts import concept_lesson"], ["lesson = concept_lesson()"]
    imports, lines = (list(part) for part in data.opened.python)
    if not lines:
        module, call = OPENERS.get(data.opened.source, OPENERS["images"])
        imports.append(f"from core.sources.{module} import {call.split('(')[0]}")
        lines.append(f"dataset = {call}")
    return [*imports, "import numpy as np", "from core.learning.holding_out import hold_out",
            "from core.learning.towers.brought import bring, lesson_of, asked_pairs"], [
        *lines, "n = len(dataset.image_ids)",
        "brought = bring(dataset.name, dataset.images, np.arange(n), dataset.image_ids, dataset.texts, dataset.links)",
        "ground = hold_out([[dataset.images.content_hash(i) for i in range(n)]], [brought.whole])",
        "lesson = lesson_of(brought, ground.free[0], asked_pairs([brought], ground))"]


def setup_code(setup: Setup) -> str:
    """A setup as Python, with what is unlike the first one."""
    first = Setup().as_json()
    return f"Setup({', '.join(f'{key}={value!r}' for key, value in setup.as_json().items() if value != first[key])})"
