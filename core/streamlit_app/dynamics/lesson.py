"""What is learnt: twelve concepts of the built-in world, or the pairs that a visitor brought."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from core.learning.holding_out import hold_out
from core.learning.towers.brought import Brought, asked_pairs, bring, lesson_of
from core.learning.towers.concepts import concept_lesson
from core.learning.towers.pairs import Lesson
from core.sources.tables.columns import is_plain
from core.streamlit_app import panels, ui, work
from core.streamlit_app.data.opened import Opened
from core.types import Dataset, fingerprint

FEWEST = 4
CONCEPTS = "concepts of the built-in world"


def pick_lesson(opened: Opened) -> Lesson:
    """What the towers learn; where what is open cannot be learnt from pictures, the concepts, and why is said."""
    dataset = opened.dataset
    if opened.built_in:
        return _concepts()
    lacks = ("Vectors have no pictures for a tower to learn from" if dataset is None else
             "There are no pictures" if dataset.images is None else
             "No picture has a caption" if not len(dataset.links) else
             f"There {'is one pair' if len(dataset.links) == 1 else f'are {len(dataset.links)} pairs'} alone"
             if len(dataset.links) < FEWEST else "")
    if lacks or dataset is None:
        return _concepts(lacks)
    brought: Brought
    found: Lesson | str
    brought, found = work.result_of(fingerprint("lesson", opened.key), partial(_of, dataset))
    ui.refused_panel(brought.refused, key="lesson.refused")
    if isinstance(found, str):
        return _concepts(found)
    lesson = found
    st.caption(panels.plain(f"{opened.name}: {len(lesson.train):,} pairs of 16 px pictures and captions are learnt, "
                            f"{len(lesson.probe):,} other images are looked at; none of these, nor a copy of one, is "
                            "among the pairs."))
    return lesson


def labels_in(dataset: Dataset) -> tuple[str, ...]:
    """A class of each image: its label, else the first column whose cells are few; empty where there is none."""
    table = dataset.image_table
    columns = [str(name) for name in table.columns if str(name) != "split" and is_plain(table[name])]
    for name in sorted(columns, key=lambda name: name != "label"):
        cells = table[name].fillna("").astype(str)
        if 2 <= len(set(cells) - {""}) <= min(100, len(cells) - 1):
            return tuple(cells)
    return ()


def _concepts(lacks: str = "") -> Lesson:
    if lacks:
        panels.notice(f"{lacks}: what is trained here are {CONCEPTS}.", "warning")
    lesson: Lesson = work.result_of("lesson of the concepts", lambda on_progress, should_stop: concept_lesson(
        on_progress=on_progress, should_stop=should_stop))
    return lesson


def _of(dataset: Dataset, on_progress: work.Progress, should_stop: work.Stop) -> tuple[Brought, Lesson | str]:
    """A dataset as small pictures, and as a lesson with a held-out probe, or what it lacks for one."""
    assert dataset.images is not None
    n, table = len(dataset.image_ids), dataset.image_table
    brought = bring(dataset.name, dataset.images, np.arange(n), dataset.image_ids, dataset.texts, dataset.links,
                    labels_in(dataset), on_progress=on_progress, should_stop=should_stop)
    if brought.whole.sum() < 2:
        return brought, f"{int(brought.whole.sum())} of {n:,} images have a caption and a picture that can be read"
    splits = tuple(table["split"].fillna("").astype(str)) if "split" in table else ()
    hashes = [dataset.images.content_hash(i) for i in range(n)]
    ground = hold_out([hashes], [brought.whole], [splits] if splits else ())
    if not (ground.free[0] & brought.whole).any():
        return brought, "Images are equal, or too few can be read, so that none is left beside those that are looked at"
    return brought, lesson_of(brought, ground.free[0], asked_pairs([brought], ground))
