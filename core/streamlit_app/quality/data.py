"""What every section of the page looks at, and what was found in it so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import Cancelled, OrreryError
from core.figures.scenes.thinning import MOST_POINTS
from core.geometry.quality.finding import Finding
from core.language.quality.evidence import KINDS, find, possible
from core.language.quality.looked import LABELS, Looked, look
from core.language.quality.recipe import Data
from core.streamlit_app import cached, panels, state, work
from core.streamlit_app.data.classes import label_columns
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.quality.planted import world_of
from core.streamlit_app.state import Settings
from core.types import Modality, fingerprint

NO_COLUMN = ""
MOST_LOOKED = 4
"""That a visit keeps itself, with what was found in them, however many others there are."""


@dataclass(frozen=True, eq=False)
class QualityData:
    """What is looked at.

    Attributes
    ----------
    ready : what is open, or a selection of it, as vectors.
    looked : the same as items with labels and splits, which keeps what was found in them.
    label : column of the labels, "" for none.
    """

    ready: Ready
    looked: Looked
    label: str

    @property
    def key(self) -> str:
        """No other data, of this or another visitor, have it."""
        return fingerprint("quality", self.ready.key, self.ready.opened.key, self.label)

    def ids(self, of: Modality) -> tuple[str, ...]:
        return self.looked.image_ids if of == "image" else self.looked.text_ids

    def image_of_text(self, row: int) -> int | None:
        """Row of the first image that a text belongs to."""
        return self._first(1).get(row)

    def text_of_image(self, row: int) -> int | None:
        """Row of the first text that belongs to an image."""
        return self._first(0).get(row)

    def _first(self, side: int) -> dict[int, int]:
        memory = self.looked.memory
        if ("first", side) not in memory:
            memory["first", side] = {int(link[side]): int(link[1 - side]) for link in self.looked.items.links[::-1]}
        return memory["first", side]  # type: ignore[return-value]


def data_of(settings: Settings, ready: Ready, label: str | None = None) -> QualityData:
    """What is open as items, kept with what was found in them as long as a visit looks at it."""
    column = pick_label(ready) if label is None else label
    opened = ready.opened.dataset or ready.opened.vectors
    assert opened is not None
    prompts_by = settings.model_id if ready.opened.vectors is None else ""
    key = fingerprint("looked", ready.key, ready.opened.key, ready.selection, column, prompts_by)
    mine: dict[str, Looked] = st.session_state.setdefault("quality.looked", {})
    looked: Looked = mine.pop(key) if key in mine else cached.results().of(key, lambda: look(
        ready, opened, prompts_by=prompts_by, name=ready.selection or ready.opened.name, labels=column))
    mine[key] = looked
    while len(mine) > MOST_LOOKED:
        mine.pop(next(iter(mine)))
    return QualityData(ready, looked, column)


def pick_label(ready: Ready) -> str:
    """The column of labels."""
    columns = list(label_columns(ready))
    if ready.opened.built_in:
        columns.insert(0, LABELS)
    if not columns:
        return NO_COLUMN
    return state.pick_option("Labels", {name: name for name in columns} | {NO_COLUMN: "none"}, key="label_column",
                             default=LABELS if LABELS in columns else columns[0],
                             help="The column whose cells are the classes of the images.")


def finding(settings: Settings, data: QualityData, key: str) -> Finding:
    """One finding; made once, as long work that stops the page until it is there."""
    memory, place = data.looked.memory, ("finding", key, settings.seed)
    if place not in memory:
        def measure(on_progress: work.Progress, should_stop: work.Stop) -> Finding:
            on_progress(0.01, KINDS[key].title)
            return find(data.looked, key, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

        return work.result_of(fingerprint("finding", data.key, key, settings.seed), measure)  # type: ignore[no-any-return]
    return memory[place]  # type: ignore[return-value]


def found_so_far(settings: Settings, data: QualityData) -> dict[str, Finding]:
    """The findings that were made, by key."""
    memory = data.looked.memory
    return {key: memory["finding", key, settings.seed] for key in possible(data.looked)  # type: ignore[misc]
            if ("finding", key, settings.seed) in memory}


def find_all(settings: Settings, data: QualityData, keys: Sequence[str]) -> bool:
    """Make these findings, as long work beside which the page goes on; once stopped, when asked to go on.

    One that fails is told, and leaves the others. True while they are being made.
    """
    memory, seed = data.looked.memory, settings.seed
    failed: dict[str, OrreryError] = memory.setdefault(("failed", seed), {})  # type: ignore[assignment]
    missing = [key for key in keys if ("finding", key, seed) not in memory and key not in failed]
    if any(key in failed for key in keys):
        _say_failed(failed)
    stopped: set[str] = st.session_state.setdefault("quality.stopped", set())
    mark = fingerprint("findings", data.key, keys, seed)
    if not missing:
        work.forget_here("quality.findings")
        return False
    if mark in stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Stopped; {len(missing)} findings are not made yet.", width="content")
            if st.button("Go on", type="primary", icon=":material/play_arrow:", key="quality.go_on"):
                stopped.discard(mark)
                st.rerun()
        return False

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> bool:
        for i, key in enumerate(missing):
            def told(share: float, text: str, i: int = i) -> None:
                on_progress((i + share) / len(missing), text)

            told(0.0, KINDS[key].title)
            try:
                find(data.looked, key, seed=seed, on_progress=told, should_stop=should_stop)
            except Cancelled:
                raise
            except Exception as error:
                failed[key] = work.as_error(error)
        return True

    try:
        if work.result_here("quality.findings", mark, measure) is not None:
            work.forget_here("quality.findings")
            st.rerun()
    except Cancelled:
        stopped.add(mark)
        st.rerun()
    return True


def _say_failed(failed: dict[str, OrreryError]) -> None:
    """Which findings could not be made, and why; they are tried again when asked to."""
    for key, error in list(failed.items()):
        panels.notice(f"{KINDS[key].title} could not be looked for. {error}", "warning")
    if st.button("Try again", icon=":material/refresh:", key="quality.try_again"):
        failed.clear()
        st.rerun()


def threshold_of(found: Finding) -> float:
    """Where the visitor moved the threshold of a finding, else where it is proposed."""
    try:
        moved = float(state.value_of(f"at_{found.key}", ""))
    except ValueError:
        return found.threshold
    return moved if math.isfinite(moved) else found.threshold


def made_of(data: QualityData) -> Data:
    """How what is looked at is made of what its source holds, for a recipe."""
    ready = data.ready
    opened, ids = ready.opened, (data.looked.image_ids, data.looked.text_ids)
    partly = bool(ready.selection) or any(part is opened for part in st.session_state.get("parts", {}).values())
    scenes, seed, faults = world_of(opened)
    return Data(scenes=scenes, world_seed=seed, faults=faults, labels=data.label,
                sampled=MOST_POINTS if ready.sampled_from and not partly else 0, image_ids=ids[0] if partly else None,
                text_ids=ids[1] if partly else None)
