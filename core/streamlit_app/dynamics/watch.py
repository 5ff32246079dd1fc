"""Train live: images and captions of the probe stream over the sphere while the towers learn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core.errors import OrreryError
from core.figures.dynamics import curves
from core.figures.frame import as_percent, shortened
from core.geometry.directions import angle
from core.learning.records.file import SUFFIX
from core.learning.records.measuring import chance_r1, interval_of
from core.learning.records.record import Record
from core.learning.towers.pairs import Lesson
from core.learning.towers.process import prepare
from core.learning.towers.setup import Setup
from core.streamlit_app import panels, state, ui
from core.streamlit_app.data.python import as_code
from core.streamlit_app.dynamics import runs
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.dynamics.dials import in_words
from core.streamlit_app.dynamics.doses import lesson_lines, setup_code
from core.streamlit_app.dynamics.take import file_name
from core.streamlit_app.live.training_view import Colour, StepSought, TrainingEvents, shown_of, training_view
from core.streamlit_app.state import Settings
from core.types import Number

EVERY_SECONDS = 0.4
CURVES_SECONDS = 2.0
MOST_BESIDE = 3
MOST_MEASURED = 256
FLOW = 3.0
_FIRST = "first"
_CLICKED, _MEASURED, _SOUGHT = "dynamics.clicked", "dynamics.measured", "dynamics.sought"


@dataclass(frozen=True)
class _Look:
    """How the spheres are drawn."""

    colour: Colour
    trails: int
    flow: float


def show(settings: Settings, data: DynamicsData) -> None:
    """Start a run, watch it, hold it, go back through its steps, lay others beside it."""
    at_work = runs.at_work()
    if not at_work:
        prepare()
    moves = at_work and not runs.held()
    st.fragment(_live, run_every=EVERY_SECONDS if moves else None)(data, at_work)
    if at_work:
        st.fragment(_growing_curves, run_every=CURVES_SECONDS if moves else None)()


def _live(data: DynamicsData, was_at_work: bool) -> None:
    """What a fragment raises would reach the visitor as it is."""
    with ui.friendly_errors():
        _watched(data, was_at_work)


def _watched(data: DynamicsData, was_at_work: bool) -> None:
    """All that changes while it is trained; what one does here draws nothing else anew."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="dynamics.buttons"):
        begun = not was_at_work and st.button("Train", type="primary", icon=":material/play_arrow:",
                                              key="dynamics.train") and not runs.at_work()
        runs.buttons()
        beside = _pick_beside(data)
        look = _pick_look()
    with st.container(), ui.friendly_errors():    # the view keeps its place below, whatever is said here
        if begun:
            _start(data, beside)
        runs.progress()
    if was_at_work and not runs.at_work():
        st.rerun()
    shown = _shown_records(beside)
    if not shown:
        if not was_at_work:
            panels.notice(f"Train: {len(data.lesson.train):,} pairs are learnt, and {len(data.lesson.probe):,} others "
                          "looked at meanwhile, which move over the sphere as the towers change.")
        return
    above = st.container()
    with above:
        _say_which(shown)
    events, on_sphere = _spheres(shown, look)
    if was_at_work:
        return
    at = [_index(record, events.step) for record in shown]
    for record, k in zip(shown, at):
        above.markdown(f"**{panels.plain(sentence(record, k, numbers_at(record, k)), 600)}**")
    _clicked(data, on_sphere, shown, at)
    step = _show_curves(shown, events.step, [numbers_at(record, len(record) - 1) for record in shown])
    if isinstance(step, int | float):
        before: StepSought | None = st.session_state.get(_SOUGHT)
        st.session_state[_SOUGHT] = StepSought(int(step), 1 + (before.number if before is not None else 0))
        st.rerun()
    _numbers(shown, at)
    ui.copy_as_python(python(data, shown[0]))


def _pick_beside(data: DynamicsData) -> tuple[str, ...]:
    training = runs.current()
    own = set(training.names) if training is not None else set()
    others = {record.name: record.name for record in runs.records() if record.name not in own}
    first = {} if data.setup == _first(data.setup) else {_FIRST: "first setting, trained with the next run"}
    with st.container(width=340):
        return state.pick_several("Side by side with", first | others, key="beside", most=MOST_BESIDE,
                                  help="Another run of this visit; or one that is trained by turns with the next run, "
                                       "with the same seed and steps, and all other dials as at first.")


def _first(setup: Setup) -> Setup:
    return Setup(seed=setup.seed, steps=setup.steps, every=setup.every, dim=setup.dim,
                 learning_rate=setup.learning_rate)


def _pick_look() -> _Look:
    with st.popover("Look", icon=":material/visibility:"):
        by_class = state.pick_option("Colours", {"kind": "Images and texts", "class": "Classes"}, key="colours",
                                     widget="segments") == "class"
        trails = state.pick_number("Trails, snapshots back", 0, 12, key="trails", default=4)
        flow = state.pick_flag("Arrows", key="arrows", help=f"The way to the next snapshot, {FLOW:g} times as long.")
    return _Look("class" if by_class else "kind", trails, FLOW if flow else 0.0)


def _start(data: DynamicsData, beside: Sequence[str]) -> None:
    setups = [data.setup]
    if _FIRST in beside and data.setup != _first(data.setup):
        setups.append(_first(data.setup))
    of = "" if data.lesson.world else f"{shortened(data.lesson.name, 24)}: "
    runs.start(data.lesson, setups, [of + in_words(setup) for setup in setups])
    st.session_state.pop(_CLICKED, None)
    st.rerun()


def _shown_records(beside: Sequence[str]) -> list[Record]:
    """The run that was started last, and those beside it."""
    every = runs.records()
    training = runs.current()
    own = set(training.names) if training is not None else {every[0].name} if every else set()
    return [record for record in every if record.name in own or record.name in beside][:1 + MOST_BESIDE]


def _say_which(records: Sequence[Record]) -> None:
    if any(record.dim > 3 for record in records):
        panels.notice("A run of more than three dimensions is not on this sphere, which is the space itself; its "
                      "curves are below, and “Any dimension” shows it on a map.")


def _spheres(records: Sequence[Record], look: _Look) -> tuple[TrainingEvents, list[Record]]:
    """The view; and which records are on it."""
    training = runs.current()
    own = set(training.names) if training is not None and not training.over else set()
    flat = [record for record in records if record.dim <= 3]
    if not flat:
        return TrainingEvents(), []
    shown = [shown_of(record, coords=_on_sphere(record), told=_told(record), running=record.name in own)
             for record in flat]
    clicked = st.session_state.get(_CLICKED)
    events = training_view(shown, key="dynamics.view", height=460, colour=look.colour, trails=look.trails,
                           flow=look.flow, picked=None if clicked is None else clicked[1], dark=ui.dark(),
                           seek=st.session_state.get(_SOUGHT), camera=st.query_params.get("run_camera"),
                           data=shown[0].id)
    if events.camera is not None:
        state.write_url("run_camera", events.camera)
    if events.clicked is not None:
        st.session_state[_CLICKED] = flat[events.clicked[0]].name, events.clicked[1]
    return events, flat


def _on_sphere(record: Record) -> np.ndarray | None:
    """Where points of fewer than three dimensions lie: on the equator."""
    if record.dim == 3:
        return None
    return np.pad(np.concatenate([record.images, record.texts], axis=1), ((0, 0), (0, 0), (0, 3 - record.dim)))


def _told(record: Record) -> Mapping[str, np.ndarray]:
    n, by_chance = len(record.probe.images), chance_r1(record.probe)
    said = {}
    if "r1" in record.measures:
        level = "" if math.isnan(by_chance) else f", by chance {100 * by_chance:.0f} %"
        said[f"R@1 {{}} % of {n:,} images{level}"] = 100 * record.measures["r1"]
    if "loss" in record.measures:
        said["loss {} nats"] = record.measures["loss"]
    return said


def _index(record: Record, step: int | None) -> int:
    return len(record) - 1 if step is None else int(np.abs(record.steps - step).argmin())


def numbers_at(record: Record, at: int) -> dict[str, Number]:
    """What is measured at a step, with intervals and chance; made once for this visit.

    Whoever goes through all steps of a run asks for many: what all visitors share has no room for them.
    """
    known: dict[tuple[str, int], dict[str, Number]] = st.session_state.setdefault(_MEASURED, {})
    key = record.fingerprint, at
    if key not in known:
        known[key] = interval_of(record, at)
        while len(known) > MOST_MEASURED:
            del known[next(iter(known))]
    return known[key]


def _numbers(records: Sequence[Record], at: Sequence[int]) -> None:
    with st.expander("All numbers of this step", icon=":material/table_rows:"):
        for record, k in zip(records, at):
            st.caption(panels.plain(f"{record.name}, step {record.steps[k]:,}"))
            st.dataframe(panels.numbers_table(numbers_at(record, k)), hide_index=True)


def sentence(record: Record, at: int, numbers: Mapping[str, Number]) -> str:
    """What a run came to at a step, with interval and chance."""
    steps = f"after {record.steps[at]:,} steps" if record.steps[at] else "at step 0"
    if "r1" not in numbers:
        return f"{record.name}: {len(record.probe.images):,} images {steps}"
    words = f"R@1 {as_percent(numbers['r1'])} of {len(record.probe.images):,} images {steps}"
    return f"{record.name}: {words}"


def _clicked(data: DynamicsData, on_sphere: Sequence[Record], records: Sequence[Record], at: Sequence[int]) -> None:
    """The item that was clicked: its picture, its caption, and how far it lies from it."""
    name, point = st.session_state.get(_CLICKED, ("", -1))
    found = next(((record, at[i]) for i, record in enumerate(records) if record.name == name), None)
    if found is None or found[0] not in on_sphere:
        if on_sphere:
            st.caption("Click a point to see which item it is.")
        return
    record, k = found
    tiles = [_tile(data.lesson, record, row, k) for row in _rows(record, point)]
    if tiles:
        panels.gallery(tiles, key="dynamics.item")


def _rows(record: Record, point: int, most: int = 12) -> list[int]:
    """Images to show for a point: itself, or those of a text, first those farthest from it."""
    n = len(record.probe.images)
    if point < n:
        return [point] if point >= 0 else []
    return record.probe.links[record.probe.links[:, 1] == point - n, 0].tolist()[:most]


def _tile(lesson: Lesson, record: Record, row: int, k: int) -> tuple[Image.Image | None, str, str]:
    probe = record.probe
    texts = probe.links[probe.links[:, 0] == row, 1]
    captions = "; ".join(probe.texts[j] for j in texts.tolist())
    cosines = record.texts[k].astype(np.float64) @ record.images[k, row].astype(np.float64)
    parts = [probe.labels[row]] if probe.labels[row] else []
    if len(texts):
        far = float(np.degrees(angle(record.images[k, row], record.texts[k, texts[0]])))
        place = 1 + int((cosines > cosines[texts].max()).sum())
        parts.append(f"{far:.0f}° from its caption (by chance 90°), which is number {place} of {len(probe.texts)}")
    return picture_of(lesson, record, row), captions or probe.images[row], "; ".join(parts)


def is_of(lesson: Lesson, record: Record) -> bool:
    """Whether the images of a record are those that a lesson looks at."""
    return (lesson.probe.ids, lesson.probe.labels) == (record.probe.images, record.probe.labels)


def picture_of(lesson: Lesson, record: Record, row: int, side: int = 128) -> Image.Image | None:
    """The picture of an image of a record, enlarged without smoothing; None where the lesson is another one."""
    if not is_of(lesson, record):
        return None
    return Image.fromarray(lesson.probe.images[row]).resize((side, side), Image.Resampling.NEAREST)


def _show_curves(records: Sequence[Record], at: int | None, ends: Sequence[Mapping[str, Number]] = ()) -> Any:
    """The curves; of runs that are over, the step that was clicked."""
    more = " A click on a line takes the spheres to its step." if ends else ""
    return ui.show(curves.curves(records, at=at, ends=ends, dark=ui.dark()), key="dynamics.curves",
                   how_to_read=curves.CAPTION + more, table=lambda: curves.table(records), clicks=bool(ends))


def _growing_curves() -> None:
    """The curves of what is trained; drawn less often than the points."""
    records = _shown_records(())
    if records:
        with ui.friendly_errors():
            _show_curves(records, None)


def python(data: DynamicsData, record: Record) -> str:
    """The run again, in Python; one that was not trained here, on what is learnt now, as it is read from its file."""
    setup = _setup_of(record) if is_of(data.lesson, record) else None
    if setup is None:
        return as_code(["from core.figures.dynamics.curves import curves",
                        "from core.learning.records.file import read_record"],
                       [f"record = read_record({file_name(record) + SUFFIX!r})   # “Take away”, “Run (file)”",
                        "curves([record]).show()"])
    imports, lines = lesson_lines(data)
    return as_code([*imports, "from core.figures.dynamics.curves import curves",
                    "from core.learning.towers.setup import Setup", "from core.learning.towers.training import train"],
                   [*lines, f"record = train(lesson, {setup_code(setup)})", "curves([record]).show()"])


def _setup_of(record: Record) -> Setup | None:
    """The dials of a run of these towers; None of any other training."""
    if set(record.setup) != set(Setup().as_json()):
        return None
    try:
        return Setup.from_json(record.setup)
    except OrreryError:
        return None
