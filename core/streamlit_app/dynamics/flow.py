"""Flow field: where features stream between two moments, where they gather, where they slow, when islands form."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image

from core.figures.dynamics import curves, flow, islands, plane
from core.figures.scenes.embedding import fidelity_in_words
from core.geometry.directions import angle
from core.geometry.dynamics.flow import Speeds, speeds
from core.geometry.dynamics.islands import Islands
from core.geometry.dynamics.islands import islands as islands_of
from core.geometry.dynamics.look import QUANTITIES, FlowLook, look_at
from core.geometry.dynamics.plane import Plane
from core.geometry.dynamics.plane import plane as plane_of
from core.geometry.jackknife import clusters
from core.language.vocabularies import Concepts
from core.learning.records.file import SUFFIX
from core.learning.records.measuring import interval_of, with_measures
from core.learning.records.placed import Places, placed
from core.learning.records.record import Record
from core.scene import SphereScene
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.concepts import Direction, show_below
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.selections import keep_from
from core.streamlit_app.dynamics.data import DynamicsData, pick_record
from core.streamlit_app.dynamics.take import file_name
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint

SMOOTHING, NARROW, WIDE = 15, 8, 45
MOST_CLASSES, FEWEST_OF_CLASS = 40, 8
MOST_SPEEDS = 12
NEAREST = 24
_BOTH = {"images": "Images", "texts": "Texts", "both": "Images and texts"}
_CLASS = "class "


@dataclass(frozen=True)
class _Asked:
    """Which flow is looked at: of which points, between which snapshots, how smooth."""

    who: str
    first: int
    last: int
    degrees: float


def show(settings: Settings, data: DynamicsData) -> None:
    """The flow between two moments on the sphere, what lies beyond chance in it, and the whole training below."""
    record = pick_record(data, key="flow_run")
    if record is None:
        panels.notice("There is no run to look at yet: train one under “Train live”, or open a record.")
        return
    if len(record) < 2:
        panels.notice(f"{record.name} has one snapshot so far; a flow leads from one to another.")
        return
    with ui.friendly_errors():
        places = _places(data, record, settings.seed)
        asked = _pick(record)
        look = _look(data, record, places, asked, settings.seed)
        _sphere(data, record, places, look, asked)
        _keep(data, record, places, look)
        _in_words(settings, record, places, asked)
        ui.copy_as_python(_python(record, asked, settings.seed))
        _over_time(data, record, asked, settings.seed)


def _places(data: DynamicsData, record: Record, seed: int) -> Places:
    """Where all points lie at each snapshot."""
    if record.dim <= 3:
        return placed(record)
    found: Places = work.result_of(
        fingerprint("placed", data.own, record.fingerprint, seed),
        lambda on_progress, should_stop: placed(record, seed=seed, on_progress=on_progress, should_stop=should_stop))
    return found


def _pick(record: Record) -> _Asked:
    classes = _classes(record)
    with st.container(horizontal=True, vertical_alignment="bottom", key="dynamics.flow"):
        with st.container(width=220):
            who = state.pick_option("Flow of", _BOTH | {_CLASS + name: f"Images: {name}" for name in classes},
                                    key="flow_of")
        with st.container(width=220):
            degrees = state.pick_number("Diffusion", NARROW, WIDE, key="flow_smooth", default=SMOOTHING, unit="°",
                                        help="How far the heat kernel spreads each point's way: the angle to which the "
                                        "mean cosine of heat to its start has fallen.")
    low, high = _fastest(record)
    steps: list[int] = record.steps.tolist()
    first, last = state.pick_range("From step, to step", steps, key="flow_steps", default=(steps[low], steps[high]),
                                   help="At first, the tenth of all snapshots in which images go farthest.")
    a, b = steps.index(first), steps.index(last)
    if a == b:
        a, b = (a, a + 1) if a + 1 < len(record) else (a - 1, a)
    return _Asked(who, a, b, float(degrees))


def _classes(record: Record) -> list[str]:
    names, sizes = np.unique([label for label in record.probe.labels if label], return_counts=True)
    return [str(name) for name, size in zip(names, sizes) if size >= FEWEST_OF_CLASS][:MOST_CLASSES]


def _fastest(record: Record) -> tuple[int, int]:
    """A tenth of the snapshots, between the first and last of which images go farthest."""
    wide = max(1, (len(record) - 1) // 10)
    gone = angle(record.images[:-wide], record.images[wide:]).mean(axis=1)
    first = int(gone.argmax())
    return first, first + wide


def _rows(record: Record, who: str) -> np.ndarray:
    """Rows of the points looked at, images first, then texts."""
    n, m = len(record.probe.images), len(record.probe.texts)
    if who.startswith(_CLASS):
        return np.flatnonzero(np.array(record.probe.labels) == who.removeprefix(_CLASS))
    return {"images": np.arange(n), "texts": np.arange(n, n + m), "both": np.arange(n + m)}[who]


def _called(who: str) -> str:
    return _BOTH[who].lower() if who in _BOTH else f"images of {who.removeprefix(_CLASS)}"


def _look(data: DynamicsData, record: Record, places: Places, asked: _Asked, seed: int) -> FlowLook:
    def measure(on_progress: work.Progress, should_stop: work.Stop) -> FlowLook:
        rows = _rows(record, asked.who)
        there = np.concatenate([places.images, places.texts], axis=1)[:, rows]
        return look_at(there[asked.first], there[asked.last],
                       (int(record.steps[asked.first]), int(record.steps[asked.last])), degrees=asked.degrees,
                       group=(rows >= len(record.probe.images)).astype(int), seed=seed, on_progress=on_progress,
                       should_stop=should_stop)

    found: FlowLook = work.result_of(fingerprint("flow", data.own, record.fingerprint, asked.who, asked.first,
                                                 asked.last, asked.degrees, seed), measure)
    return found


def _sphere(data: DynamicsData, record: Record, places: Places, look: FlowLook, asked: _Asked) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = state.pick_option("Colour of the sphere", QUANTITIES, key="flow_what", widget="segments")
        lines = state.pick_option("Drawn as", {"lines": "Streamlines", "arrows": "Each point's way"}, key="flow_as",
                                  widget="segments") == "lines"
        by_class = any(record.probe.labels) and state.pick_flag("Classes in colour", key="flow_classes")
    for sentence in _true_way(record, places, asked):
        st.markdown(panels.plain(sentence, 600))
    key = fingerprint("flow scene", data.own, record.fingerprint, asked.who, asked.first, asked.last, asked.degrees,
                      look.marks.seed, what, lines, by_class, _has_pictures(data, record))
    scene = cached.scene(key, lambda: _scene(data, record, places, look, asked, what, lines, by_class))
    sphere_view(scene, key="dynamics.flow.sphere", height=600, dark=ui.dark(), data=record.fingerprint)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(flow.CAPTION)
        with st.popover("Download", icon=":material/download:"):
            ui.download_table(partial(flow.marks_table, look), "dynamics-flow-marks", label="Marks (CSV)")
            ui.download_table(partial(flow.field_table, look), "dynamics-flow-field", label="Field (CSV)")


def _scene(data: DynamicsData, record: Record, places: Places, look: FlowLook, asked: _Asked, what: str, lines: bool,
           by_class: bool) -> SphereScene:
    probe, rows = record.probe, _rows(record, asked.who)
    n, m = len(probe.images), len(probe.texts)
    said = [f"{name}{f': {label}' if label else ''}" for name, label in zip(probe.images, probe.labels)]
    groups = None
    if by_class:
        of_text = {j: probe.labels[i] for i, j in probe.links.tolist()}
        groups = [*probe.labels, *(of_text.get(j, "") for j in range(m))]
    looked_at = np.isin(np.arange(n + m), rows)
    note = f"{places.said(asked.first)} {fidelity_in_words(places.map) if places.map is not None else ''}"
    return flow.flow_scene(
        look, what, np.concatenate([places.images[asked.first], places.texts[asked.first]]),
        np.repeat([0, 1], [n, m]), [*said, *probe.texts], groups=groups, who=_called(asked.who), lines=lines,
        looked_at=None if looked_at.all() else looked_at, note=note, thumbnails=_pictures(data, record))


def _has_pictures(data: DynamicsData, record: Record) -> bool:
    """Whether the images of a record are those of what is learnt from now."""
    probe = data.lesson.probe
    return (probe.ids, probe.labels) == (record.probe.images, record.probe.labels)


def _pictures(data: DynamicsData, record: Record) -> Mapping[int, bytes]:
    if not _has_pictures(data, record):
        return {}
    found = {}
    for i, picture in enumerate(data.lesson.probe.images):
        out = io.BytesIO()
        Image.fromarray(picture).resize((64, 64), Image.Resampling.NEAREST).save(out, "PNG")
        found[i] = out.getvalue()
    return found


def _true_way(record: Record, places: Places, asked: _Asked) -> list[str]:
    """How far points truly went, where one looks at a map."""
    if places.aligned is None:
        return []
    from scipy.stats import spearmanr

    rows, true = _rows(record, asked.who), places.aligned.record
    x = np.concatenate([true.images, true.texts], axis=1)[:, rows]
    seen = np.concatenate([places.images, places.texts], axis=1)[:, rows]
    gone, shown = (np.degrees(angle(a[asked.first], a[asked.last])) for a in (x, seen))
    order = f", in the same order by a rank correlation of {spearmanr(gone, shown).statistic:.2f} (by chance 0)" \
        if len(rows) > 2 and np.ptp(gone) > 0 and np.ptp(shown) > 0 else ""
    return [f"In {record.dim} dimensions, after turning, these points go {gone.mean():.1f}° on average (n = "
            f"{len(rows):,}); on the map {shown.mean():.1f}°{order}. Divergence and curl are those of the map."]


def _keep(data: DynamicsData, record: Record, places: Places, look: FlowLook) -> None:
    """A button that keeps the images nearest to a mark, where they are items of what is open."""
    dataset = data.opened.dataset
    if not look.marks.found or dataset is None or not set(record.probe.images) <= set(dataset.image_ids):
        return
    named = {str(i): f"{one.kind} {i + 1}" for i, one in enumerate(look.marks.found[:flow.MOST_MARKS])}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = int(state.pick_option("Mark", named, key="flow_mark"))
        most = min(NEAREST, len(record.probe.images) // 2)
        if st.button(f"Keep the {most} nearest images as a selection", icon=":material/bookmark_add:",
                     key="dynamics.flow.keep"):
            at = int(np.flatnonzero(record.steps == look.steps[1])[0])
            near = np.argsort(angle(places.images[at], look.marks.found[chosen].place[None]))[:most]
            keep_from(data.opened.name, f"Near {named[str(chosen)]} of a flow", [record.probe.images[i] for i in near],
                      f"nearest at step {look.steps[1]} to a {look.marks.found[chosen].kind} of {record.name}")


def _in_words(settings: Settings, record: Record, places: Places, asked: _Asked) -> None:
    """The mean way of the points looked at, in the texts of the run itself: models under way know no other words."""
    turned = record if places.aligned is None else places.aligned.record
    x = np.concatenate([turned.images, turned.texts], axis=1)[:, _rows(record, asked.who)]
    show_below(settings, None, lambda: Direction(
        (f"the mean way of {_called(asked.who)}",), x[asked.last], x[asked.first], "paired"), key="flow_way",
        label=f"The mean way in words: the {len(record.probe.texts):,} texts of this run, as they lie at the first of "
              "the two steps",
        concepts=lambda: Concepts.of(record.probe.texts, turned.texts[asked.first]))


@dataclass(frozen=True, eq=False)
class _OverTime:
    record: Record
    ends: Mapping[str, Number]
    speeds: Speeds
    by_class: Speeds | None
    islands: Islands
    plane: Plane | None


def _over_time(data: DynamicsData, record: Record, asked: _Asked, seed: int) -> None:
    def measure(on_progress: work.Progress, should_stop: work.Stop) -> _OverTime:
        n, m = len(record.probe.images), len(record.probe.texts)
        x, links = np.concatenate([record.images, record.texts], axis=1), record.probe.links
        cluster = np.concatenate(clusters([n, m], links))
        groups = {"images": np.arange(n), "texts": np.arange(n, n + m)}
        classes = {name: _rows(record, _CLASS + name) for name in _classes(record)[:MOST_SPEEDS]}
        whole = with_measures(record)
        return _OverTime(whole, interval_of(whole), speeds(x, record.steps, groups, cluster),
                         speeds(x, record.steps, classes, cluster) if classes else None,
                         islands_of(record.images, record.steps, record.probe.labels, seed=seed,
                                    on_progress=on_progress, should_stop=should_stop),
                         plane_of(record.images, record.texts, links, record.steps) if len(links) else None)

    st.subheader("Over the whole training", anchor=False)
    at, dark = int(record.steps[asked.last]), ui.dark()
    found: _OverTime | None = work.result_beside(fingerprint(
        "over time", data.own, record.fingerprint, seed), measure)
    if found is not None:
        speed = found.speeds
        if found.by_class is not None and state.pick_option(
                "Speed of", {"modalities": "Images and texts", "classes": "Classes"}, key="flow_speed",
                widget="segments") == "classes":
            speed = found.by_class
        ui.show(flow.speeds(speed, at=(int(record.steps[asked.first]), at), dark=dark), key="dynamics.flow.speeds",
                how_to_read=flow.SPEED_CAPTION, table=partial(flow.speeds_table, speed))
        ui.show(islands.islands(found.islands, at=at, dark=dark), key="dynamics.flow.islands",
                how_to_read=islands.CAPTION, table=partial(islands.table, found.islands))
        if found.plane is not None:
            paths = {record.name: found.plane}
            ui.show(plane.plane(paths, at=at, dark=dark), key="dynamics.flow.plane", how_to_read=plane.CAPTION,
                    table=partial(plane.table, paths))
        whole = replace(found.record, name=record.name)
        ui.show(curves.curves([whole], at=at, ends=[found.ends], dark=dark), key="dynamics.flow.curves",
                how_to_read=curves.CAPTION, table=lambda: curves.table([whole]))


def _python(record: Record, asked: _Asked, seed: int) -> str:
    steps = f"({record.steps[asked.first]}, {record.steps[asked.last]})"
    if asked.who.startswith(_CLASS):
        which = f"there = there[:, [i for i, one in enumerate(record.probe.labels) if one == " \
                f"{asked.who.removeprefix(_CLASS)!r}]]"
    else:
        n = "len(record.probe.images)"
        which = {"images": f"there = there[:, :{n}]", "texts": f"there = there[:, {n}:]", "both": ""}[asked.who]
    group = "group=np.arange(there.shape[1]) >= len(record.probe.images), " if asked.who == "both" else ""
    return as_code(
        ["import numpy as np", "from core.figures.dynamics.flow import marks_table",
         "from core.geometry.dynamics.look import look_at", "from core.learning.records.file import read_record",
         "from core.learning.records.placed import placed"],
        [f"record = read_record({file_name(record) + SUFFIX!r})   # “Take away”, “Run (file)”",
         f"places = placed(record, seed={seed})", "there = np.concatenate([places.images, places.texts], axis=1)",
         *([which] if which else []),
         f"look = look_at(there[{asked.first}], there[{asked.last}], {steps}, degrees={asked.degrees:g}, "
         f"{group}seed={seed})", "print(marks_table(look))"])
