"""Any dimension: trainings of real models, brought or made here, turned to one step and laid on one map."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import streamlit as st

from core.errors import OrreryError, SourceError
from core.figures.dynamics import plane as plane_figures
from core.figures.dynamics import turning
from core.figures.scenes.embedding import fidelity_in_words
from core.geometry.dynamics.plane import Plane
from core.geometry.dynamics.plane import plane as plane_of
from core.learning.history import builtin_history
from core.learning.records.checkpoints import MOST_ITEMS, FolderRecord, folder_state, record_of_folder
from core.learning.records.file import SUFFIX, read_record
from core.learning.records.placed import Places, placed
from core.learning.records.record import Record
from core.settings import MB
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data import uploading
from core.streamlit_app.data.checkpoints import pick_checkpoints
from core.streamlit_app.data.python import as_code, dataset_lines
from core.streamlit_app.dynamics import runs, tuning, watch
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.live.training_view import Colour, shown_of, training_view
from core.streamlit_app.state import Settings
from core.types import fingerprint

_FILES = "run_file"
_FLOW = 1.0
_SOURCES = {"builtin": "The built-in model", "folder": "A folder of checkpoints", "file": "A record file",
            "tune": "Fine-tuning"}


def show(settings: Settings, data: DynamicsData) -> None:
    """Choose a training, then how its steps were turned, its points on one map, and its path in the plane."""
    sources = {key: title for key, title in _SOURCES.items() if key != "folder" or not process_settings().hosted}
    chosen = state.pick_option("Training of", sources, key="any", widget="segments")
    found: dict[str, Callable[[], tuple[Record | None, list[str]]]] = {
        "builtin": lambda: (builtin_history(), ["from core.learning.history import builtin_history",
                                                "record = builtin_history()"]),
        "folder": lambda: _of_folder(settings, data), "file": _of_files,
        "tune": lambda: tuning.tuned(settings, data)}
    record, lines = found[chosen]()
    if record is None:
        return
    _keep(record)
    if record.ended:
        panels.notice(f"{record.name}: {record.ended}.".replace("..", "."))
    _look(settings, data, record, lines)


def _keep(record: Record) -> None:
    """The other sections see it too."""
    if record.fingerprint not in {one.fingerprint for one in runs.records()}:
        runs.keep(record)


def _of_folder(settings: Settings, data: DynamicsData) -> tuple[Record | None, list[str]]:
    folder, found, known = pick_checkpoints(key="dynamics.folder")
    dataset = data.opened.dataset
    if not found:
        panels.notice("Give the folder of a training: each checkpoint in it looks at the images and captions that are "
                      "open.")
        return None, []
    if dataset is None or not len(dataset.links):
        panels.notice("Open images with captions: the checkpoints look at these.", "warning")
        return None, []

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> FolderRecord:
        return record_of_folder(folder, dataset, store=cached.store(), seed=settings.seed, on_progress=on_progress,
                                should_stop=should_stop)

    n = min(MOST_ITEMS, len(np.unique(dataset.links[:, 0])))
    report: FolderRecord | None = work.result_when_asked(
        fingerprint("folder", folder, folder_state(folder), data.opened.key, settings.seed),
        f"Look at {n:,} images with {len(found)} checkpoints", "dynamics.folder.run", encode, long=True)
    if report is None:
        return None, []
    panels.refused_panel([one for one in report.refused if one not in known], key="dynamics.folder.left_out")
    imports, lines = dataset_lines(data.opened)
    return report.record, [*imports, *lines, "from core.learning.records.checkpoints import record_of_folder",
                           f"record = record_of_folder({folder!r}, dataset, seed={settings.seed}).record"]


def _of_files() -> tuple[Record | None, list[str]]:
    uploading.say_refused(_FILES)
    # The browser's field takes no ending with a hyphen in it: what is no record is refused here.
    files = uploading.upload(f"Records (NAME{SUFFIX})", None, f"{_FILES}.upload", several=True)
    st.caption("A run taken away from here, or what a Recorder wrote in a training loop of your own.")
    known: dict[str, Record | OrreryError] = st.session_state.setdefault(f"{_FILES}.read", {})
    for gone in set(known) - {file.file_id for file in files}:
        del known[gone]
    for file in files:
        if file.file_id not in known:
            known[file.file_id] = _read(file.getvalue(), file.name[:100], known.values())
        found = known[file.file_id]
        if isinstance(found, OrreryError):
            panels.error_panel(found)
    uploading.uploads.keep(_FILES, files)
    read = {key: record for key, record in known.items() if isinstance(record, Record)}
    if not read:
        return None, []
    titles = {file.file_id: f"{read[file.file_id].name} ({file.name})" for file in files if file.file_id in read}
    chosen = next(iter(titles)) if len(titles) == 1 else state.pick_option("Record", titles, key="any_file")
    name = next(file.name for file in files if file.file_id == chosen)
    return read[chosen], ["from core.learning.records.file import read_record", f"record = read_record({name!r})"]


def _read(data: bytes, name: str, others: Iterable[Record | OrreryError]) -> Record | OrreryError:
    """A record beside those that are open, or why it is none; packed files are small and unpack to much."""
    try:
        record = read_record(data, name)
        size = sum(runs.size_of(one) for one in (record, *others) if isinstance(one, Record))
        if size > runs.most_bytes():
            raise SourceError(f"records of at most {runs.most_bytes() / MB:,.0f} MB of features open together",
                              f"{size / MB:,.0f} MB with {name}",
                              "Take another away, or keep fewer steps or a smaller probe set.")
    except Exception as error:
        return panels.in_words(error)
    _keep(record)
    return record


def _look(settings: Settings, data: DynamicsData, record: Record, lines: list[str]) -> None:
    places: Places = work.result_of(
        fingerprint("placed", data.own, record.fingerprint, settings.seed),
        lambda on_progress, should_stop: placed(record, seed=settings.seed, on_progress=on_progress,
                                                should_stop=should_stop))
    _on_one_map(data, record, places)
    left, right = st.columns(2, gap="medium")
    with left:
        if places.aligned is None:
            panels.notice("Features of up to three dimensions lie as they are: nothing is turned.")
        else:
            ui.show(turning.turning(places.aligned, dark=ui.dark()), key="dynamics.turning",
                    how_to_read=turning.CAPTION, table=partial(turning.table, places.aligned))
    with right:
        _plane(data, record)
    ui.copy_as_python(as_code(
        [line for line in lines if line.startswith("from ")] + ["from core.learning.records.aligned import aligned"],
        [*(line for line in lines if not line.startswith("from ")), "turned = aligned(record)",
         "print(record.steps, turned.residuals, turned.chance, turned.turned)"]))


def _on_one_map(data: DynamicsData, record: Record, places: Places) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="dynamics.any.look"):
        colour: Colour = "class" if any(record.probe.labels) and state.pick_option(
            "Colours", {"kind": "Images and texts", "class": "Classes"}, key="any_colours",
            widget="segments") == "class" else "kind"
        with st.container(width=200):
            trails = state.pick_number("Trails, steps back", 0, 12, key="any_trails", default=2)
        with st.container(width="content"):
            arrows = state.pick_flag("Arrows", key="any_arrows", help="The way to the next step.", default=True)
    st.markdown(f"**{panels.plain(_moved(record, places), 600)}**")
    for at in (0, len(record) - 1):
        st.markdown(f"- {panels.plain(watch.sentence(record, at, watch.numbers_at(record, at)), 600)}")
    coords = np.concatenate([places.images, places.texts], axis=1)
    training_view([shown_of(record, coords=coords, planned=int(record.steps[-1]))], key="dynamics.any.view",
                  height=520, colour=colour, trails=trails, flow=_FLOW if arrows else 0.0, dark=ui.dark(),
                  data=record.fingerprint)
    trust = f" {fidelity_in_words(places.map)}" if places.map is not None else ""
    st.caption(panels.plain("One map for all steps, after one turn a step for both towers; play it, or move the "
                            f"slider.{trust}", 1200))


def _moved(record: Record, places: Places) -> str:
    """How far points go in their own space, beside how far at random."""
    from core.geometry.directions import angle

    true = record if places.aligned is None else places.aligned.record
    n, m = len(record.probe.images), len(record.probe.texts)
    first, last = record.steps[0], record.steps[-1]
    gone = [float(np.degrees(angle(x[0], x[-1]).mean())) for x in (true.images, true.texts)]
    turned = ", after turning," if places.aligned is not None else ""
    return (f"{record.name}: from step {first:,} to {last:,} images go {gone[0]:.0f}° on average{turned} and texts "
            f"{gone[1]:.0f}° in {record.dim} dimensions (unrelated directions: 90°; n = {n:,} images and {m:,} texts)")


def _plane(data: DynamicsData, record: Record) -> None:
    if not len(record.probe.links):
        return

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Plane:
        on_progress(0.1, "Alignment and uniformity of each step")
        return plane_of(record.images, record.texts, record.probe.links, record.steps)

    found: Plane | None = work.result_beside(fingerprint("any plane", data.own, record.fingerprint), measure)
    if found is not None:
        paths = {record.name: found}
        ui.show(plane_figures.plane(paths, dark=ui.dark()), key="dynamics.any.plane",
                how_to_read=plane_figures.CAPTION, table=partial(plane_figures.table, paths))
