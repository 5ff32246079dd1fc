"""What it does to learning: the same learner on all, on what is kept, on as many at random, on A and on B."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from core.errors import Cancelled
from core.figures.quality import learning as figures
from core.geometry.quality.items import Kept
from core.geometry.retrieval import chance_of_a_hit
from core.language.quality.actions import replay, what_is_left
from core.language.quality.labels import prompts_of
from core.language.quality.looked import Looked
from core.learning.comparing import ALL, KEPT, RANDOM, Learned
from core.sources.solids.touched import column
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.quality import python, stack, taught
from core.streamlit_app.quality.data import QualityData, data_of, finding
from core.streamlit_app.quality.second import Two, pick_two
from core.streamlit_app.quality.taught import Part, Sets, Source
from core.streamlit_app.state import Settings
from core.types import fingerprint

_STOPPED = "quality.learning.stopped"
_A_RUN, _A_STEP, _AN_ADAPTER, _A_PROBE = 0.4, 0.006, 1.8, 1.0
"""Seconds of one core: to begin a run of the towers, for a step, for an adapter of 512 dimensions, for a probe."""


@dataclass(frozen=True)
class Way:
    """A learner: its title, how it learns in a sentence, and why it cannot be given something, "" where it can."""

    title: str
    help: str
    lacks: Callable[[Looked], str]


def _no_towers(looked: Looked) -> str:
    if looked.pictures is None or not (looked.places >= 0).any():
        return "Only vectors are known, and no pictures to train towers on."
    return _no_pairs(looked) or ("" if looked.has_words else "What the captions say is not known.")


def _no_pairs(looked: Looked) -> str:
    return "" if len(looked.items.links) > 1 else "There are no pairs of an image and a caption to learn from."


def _no_labels(looked: Looked) -> str:
    if looked.items.images is None or len(set(looked.items.labels) - {""}) < 2:
        return "There are no labels of two classes or more."
    return ""


WAYS: dict[str, Way] = {
    "towers": Way("Small towers", "Two small towers are trained from nothing on pictures of 16 px and their captions, "
                  "each caption a pair of its own: the same towers, steps and seeds on every set.", _no_towers),
    "probes": Way("Linear probes", "A logistic regression is fitted to the labels on frozen features of the model.",
                  _no_labels),
    "adapters": Way("Adapters", "One linear map for each modality, blended with the frozen features of the model, is "
                    "trained on the pairs by the contrastive loss (after CLIP-Adapter).", _no_pairs),
}


def show(settings: Settings, data: QualityData) -> None:
    """The learner, what it is given, and what each set taught it."""
    lacking = {key: way.lacks(data.looked) for key, way in WAYS.items()}
    offered = {key: way.title for key, way in WAYS.items() if not lacking[key]}
    if not offered:
        panels.notice("There is nothing here to learn from. " + " ".join(dict.fromkeys(lacking.values())))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        how = state.pick_option("Learner", offered, key="learner", widget="segments")
        beside = state.pick_flag("Also A against B", key="learn_b", help="Another dataset, a part by a column or a "
                                 "selection, as in “A against B”: both at the same number of images.")
    st.caption(WAYS[how].help)
    two = pick_two(settings, data, but=("what_if",)) if beside else None
    if beside and two is None:
        return
    sets = _sets(settings, data, two, WAYS[how].lacks)
    left, right = st.columns(2, gap="medium")
    with left:
        seeds = state.pick_number("Seeds", 3, 10, key="learn_seeds", default=5,
                                  help="Runs of each set of towers, over which differences are paired. Probes and "
                                       "adapters are fitted once to each random drop, and differences paired over "
                                       "the items that are asked.")
    with right:
        steps = state.pick_number("Steps", 50, 2_000, key="learn_steps", default=300, step=50,
                                  help="Of each training, in batches of 128 pairs.") if how == "towers" else 0
    for note in sets.notes:
        panels.notice(note, one_line=True)
    found = _learned(settings, data, sets, how, seeds, steps)
    if found is not None:
        _show(found, how)
        ui.copy_as_python(python.learning(settings, data, how, seeds, steps, stack.actions()))


def _learned(settings: Settings, data: QualityData, sets: Sets, how: str, seeds: int, steps: int) -> Learned | None:
    key = fingerprint("learned", sets.key, how, seeds, steps)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Learned:
        if how == "probes":
            return taught.probes(sets, seeds, on_progress, should_stop, zero_shot=partial(_right, data))
        if how == "adapters":
            return taught.adapters(sets, seeds, on_progress, should_stop)
        return taught.towers(sets, seeds, steps, on_progress, should_stop)

    stopped = st.session_state.get(_STOPPED) == key
    if cached.results().get(key) is None and work.running(key) is None:
        st.text(("Stopped; what is finished is kept. " if stopped else "") + _cost(sets, how, seeds, steps))
    try:
        found: Learned | None = work.result_when_asked(key, "Go on" if stopped else "Start", "quality.learn", measure,
                                                       long=True)
    except Cancelled:
        st.session_state[_STOPPED] = key
        st.rerun()
    return found


def _cost(sets: Sets, how: str, seeds: int, steps: int) -> str:
    """What it takes, in words."""
    names = ", ".join(part.name for part in sets.parts)
    images = sets.sources[0].looked.items.images
    wide = 0.0 if images is None else (images.shape[1] / 512) ** 2
    if how == "towers":
        runs = seeds * len(sets.parts)
        seconds = runs * (_A_RUN + _A_STEP * steps) / 2
    else:
        runs = sum(seeds if part.at_random or part.most else 1 for part in sets.parts)
        seconds = runs * (_A_PROBE if how == "probes" else 0.3 + _AN_ADAPTER * wide)
    about = max(5, round(seconds, -1 if seconds > 20 else 0))
    return (f"{len(sets.parts)} {'set' if len(sets.parts) == 1 else 'sets'} ({names}), {runs} "
            f"{'fits' if how == 'probes' else 'trainings'}: about {about:.0f} s on two idle cores.")


def _show(found: Learned, how: str) -> None:
    ui.show(figures.learning(found, dark=ui.dark()), key="quality.learning", how_to_read=figures.caption(found),
            table=lambda: figures.learning_table(found))
    st.dataframe(figures.shown_table(found), hide_index=True, height="content", key="quality.learning.table",
                 column_config={"measure": st.column_config.Column(width=140, pinned=True)})
    for note in found.notes:
        panels.notice(note, one_line=True)
    if found.classes:
        ui.show(figures.by_class(found, dark=ui.dark()), key="quality.learning.classes",
                how_to_read=figures.CAPTION_OF_PROBED if how == "probes" else figures.CAPTION_OF_CLASSES,
                table=lambda: figures.class_table(found))


def _sets(settings: Settings, data: QualityData, two: Two | None, lacks: Callable[[Looked], str]) -> Sets:
    """All, what the actions keep beside as many at random, and A beside B at the same number of images."""
    looked, whole = data.looked, Kept.all_of(data.looked.items)
    sources, notes = [_source(data)], []
    parts = [Part(ALL, 0, whole)]
    actions = [action for action in stack.actions() if action.on]
    steps = replay(actions, looked, seed=settings.seed, finding_of=lambda key: finding(settings, data, key))
    kept = what_is_left(steps, looked)
    if not kept.images.all() or not kept.texts.all():
        parts += [Part(KEPT, 0, kept, RANDOM), Part(RANDOM, 0, kept, at_random=True)]
    elif kept.labels != whole.labels:
        parts.append(Part(KEPT, 0, kept, ALL))
    elif actions:
        notes.append("The actions of the what-if change nothing here: there is nothing kept to compare.")
    elif two is None:
        notes.append("Add actions in “What if”, or switch on A against B, to see what a change of the data does to "
                     "learning.")
    if two is not None:
        more, other = _two(settings, data, two)
        missing = "" if other is None else lacks(other.looked)
        if missing:
            notes.append(f"B cannot be learnt from here. {missing}")
        else:
            parts += more
            sources += [] if other is None else [_source(other)]
    return Sets(tuple(sources), tuple(parts), settings.seed, tuple(notes))


def _two(settings: Settings, data: QualityData, two: Two) -> tuple[list[Part], QualityData | None]:
    """A and B as parts of what is open, or B as other data; the larger one is drawn from."""
    names = [f"{letter}: {name}" for letter, name in zip("AB", two.names)]
    states, numbers, other = [], [], None
    for ready in (two.a, two.b):
        if ready.opened.key == data.ready.opened.key and ready is not data.ready:
            states.append(_within(data.looked, ready.images.ids if ready.images else (),
                                  ready.texts.ids if ready.texts else ()))
            numbers.append(0)
        elif ready is data.ready:
            states.append(Kept.all_of(data.looked.items))
            numbers.append(0)
        else:
            other = data_of(settings, ready, data.label)
            states.append(Kept.all_of(other.looked.items))
            numbers.append(1)
    sizes = [int(one.images.sum()) for one in states]
    least = min(sizes)
    if two.a is data.ready and sizes[0] == least:
        most, name = (0, names[1]) if sizes[1] == least else (least, f"{names[1]}, {least:,} images")
        return [Part(name, numbers[1], states[1], ALL, most=most)], other
    a, b = (Part(name if size == least else f"{name}, {least:,} images", number, one,
                 most=0 if size == least else least)
            for name, size, number, one in zip(names, sizes, numbers, states))
    return [a, Part(b.name, b.source, b.kept, a.name, most=b.most)], other


def _within(looked: Looked, images: Sequence[str], texts: Sequence[str]) -> Kept:
    return Kept(np.isin(looked.image_ids, images), np.isin(looked.text_ids, texts) if looked.text_ids else
                np.zeros(0, bool), looked.items.labels)


def _source(data: QualityData) -> Source:
    """What is looked at; where faults were planted, what they touched is not asked."""
    looked, ready = data.looked, data.ready
    clean = np.ones(looked.items.n_images, bool)
    for part, of_images in ((ready.images, True), (ready.texts, False)) if ready.opened.source == "planted" else ():
        if part is None:
            continue
        touched = column(part.table, "fault") != ""
        if of_images:
            clean[touched] = False
        else:
            clean[looked.items.links[touched[looked.items.links[:, 1]], 0]] = False
    return Source(looked, clean, data.key)


def _right(data: QualityData, x: np.ndarray, lengths: np.ndarray, labels: Sequence[str]) -> np.ndarray | None:
    """Whether the model itself names each image right, by texts of the classes that it reads; None where it cannot."""
    by = data.looked.prompts_by
    if not by:
        return None
    model, names = cached.encoder(by), sorted(set(labels))
    said = prompts_of(names)
    unread = model.unread([said[name] for name in names])
    names = [name for i, name in enumerate(names) if i not in unread]
    if len(names) < 2 or model.spec.dim != x.shape[1]:
        return None
    rows = np.array([row for row, label in enumerate(labels) if label in names], dtype=np.int64)
    truth = np.array([names.index(labels[row]) for row in rows.tolist()])
    logits = model.logits(x[rows], lengths[rows], [said[name] for name in names])
    right = np.zeros(len(x))
    right[rows] = chance_of_a_hit(logits, np.arange(len(rows)), truth, (1,))[:, 0]
    return right
