"""Classes of all pictures with the foreground pointed at: accuracy by method, and which pictures change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.attention.foveal.classifying import CLASSIFIED, Classified, classify
from core.attention.masks import Steering
from core.attention.prompts import METHODS, TITLES
from core.errors import UnreadableItem
from core.figures.confusion import CAPTION as CONFUSED
from core.figures.foveal import classified as figures
from core.language.zero_shot import class_vectors
from core.sources.solids.world import SceneImages
from core.sources.tables.columns import is_plain
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.classes import MOST_CLASSES, TEMPLATE, prompt_of
from core.streamlit_app.data.python import as_code, dataset_lines
from core.streamlit_app.data.selections import keep_from
from core.streamlit_app.foveal.data import OWN, FovealData
from core.streamlit_app.foveal.dials import as_code as steering_code
from core.streamlit_app.foveal.dials import pick_steering
from core.streamlit_app.foveal.foregrounds import ALL, Foregrounds, pick_foregrounds
from core.streamlit_app.foveal.python import looked_lines
from core.streamlit_app.state import Settings
from core.types import Dataset, fingerprint

USUAL, MOST, TILES = 300, 5000, 12
OF_WORLD = ("colour", "solid", "texture", "style", "setting")


@dataclass(frozen=True)
class Asked:
    """What is asked: the label of each picture, and the texts of the classes.

    Attributes
    ----------
    column : of the image table.
    classes : their names, as labels.
    texts : the prompts of each class.
    truth : (n,) int64, class of each picture; -1 where it has none.
    """

    column: str
    classes: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    truth: np.ndarray


def show(settings: Settings, data: FovealData) -> None:
    """The classes and the foreground, accuracy by method, and what changes."""
    dataset = data.opened.dataset
    assert dataset is not None and dataset.images is not None
    columns = _columns(dataset)
    if not columns:
        panels.notice("There is no column of labels with 2 to 100 classes: bring pictures in a folder a class, or a "
                      "table with a column of labels.")
        return
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        asked = _classes(dataset, columns)
        foregrounds = pick_foregrounds(data)
        methods = ("none", *state.pick_several("Ways of pointing", {m: TITLES[m] for m in METHODS if m != "none"},
                                               key="classify_methods", default=CLASSIFIED[1:]))
        most = min(len(dataset.image_ids), MOST)
        n = state.pick_number("Pictures", 1, most, key="classify_n", default=min(USUAL, most),
                              help="A seeded sample of all.") if most > 1 else 1
        steering = pick_steering(data.tower)
    with right:
        if asked is None or foregrounds is None:
            return
        rows = np.sort(np.random.default_rng(settings.seed).permutation(len(dataset.image_ids))[:n]).tolist()
        strange = dict.fromkeys(word for own in asked.texts for text in own
                                for word in data.tower.encoder.unknown_words(text))
        if strange:
            panels.notice(f"Words that the model does not know: {', '.join(list(strange)[:8])}. What it makes of such "
                          "a class means nothing.", "warning")
        found = _measured(settings, data, asked, foregrounds, methods, steering, rows)
        if found.refused:
            with st.expander(f"{len(found.refused):,} of {len(rows):,} pictures are left out",
                             icon=":material/report:", key="classify.refused"):
                panels.refused_table(found.refused, key="classify.refused.table")
        ui.show(figures.accuracies(found, dark=ui.dark()), key="foveal.classified", how_to_read=figures.CAPTION,
                table=lambda: figures.accuracies_table(found))
        panels.wrapped_table(figures.differences_table(found))
    _by_solids(dataset, found)
    _changes(data, found, asked.column)
    ui.copy_as_python(_python(settings, data, asked, foregrounds, found.methods, steering, rows))


def _columns(dataset: Dataset) -> dict[str, str]:
    """Columns whose cells can be labels."""
    found = {}
    for column in dict.fromkeys(map(str, dataset.image_table.columns)):
        if is_plain(dataset.image_table[column]):
            k = len(set(_labels(dataset, column)) - {""})
            if 2 <= k <= MOST_CLASSES and k < len(dataset.image_ids):
                found[column] = f"{column} ({k:,} classes)"
    if isinstance(dataset.images, SceneImages):
        return {column: found[column] for column in OF_WORLD if column in found}
    return found


def _labels(dataset: Dataset, column: str) -> list[str]:
    return [" ".join(str(cell).split()) for cell in dataset.image_table[column].fillna("")]


def _classes(dataset: Dataset, columns: dict[str, str]) -> Asked | None:
    column = state.pick_option("Label", columns, key="classify_label")
    labels = _labels(dataset, column)
    world = isinstance(dataset.images, SceneImages)
    usual = "\n".join(f"{name} = {prompt_of(column, name, built_in=True)}" if world else name
                      for name in sorted(set(labels) - {""}))
    written = state.pick_text("Classes, one a line: label, or label = how it is called", lines=7,
                              key=f"classify_classes {column}", default=usual, max_chars=20_000)
    templates = state.pick_text("Prompts, {} for the class; of several lines the mean", lines=2,
                                key="classify_templates" + ("_world" if world else ""),
                                default="{}" if world else TEMPLATE).splitlines()
    said = {}
    for line in written.splitlines():
        name, _, called = (part.strip() for part in line.partition("="))
        if name:
            said[name] = called or name
    if not 2 <= len(said) <= MOST_CLASSES:
        panels.notice(f"Write 2 to {MOST_CLASSES} classes, one a line.", "warning")
        return None
    patterns = [line if "{}" in line else f"{line} {{}}" for line in map(str.strip, templates) if line] or ["{}"]
    classes = tuple(said)
    place = {name: k for k, name in enumerate(classes)}
    return Asked(column, classes, tuple(tuple(pattern.replace("{}", called) for pattern in patterns)
                                        for called in said.values()),
                 np.array([place.get(label, -1) for label in labels], dtype=np.int64))


def _measured(settings: Settings, data: FovealData, asked: Asked, foregrounds: Foregrounds, methods: tuple[str, ...],
              steering: Steering, rows: list[int]) -> Classified:
    dataset, encoder = data.opened.dataset, data.tower.encoder
    assert dataset is not None and dataset.images is not None
    images = dataset.images
    flat = cached.prompt_vectors(encoder.spec.fingerprint, tuple(text for own in asked.texts for text in own),
                                 settings.model_id)
    vectors = class_vectors(np.split(flat, len(asked.classes)))
    key = fingerprint("classified", encoder.spec.fingerprint, encoder.dtype, data.opened.key, asked.classes,
                      asked.texts, asked.truth, foregrounds.source, foregrounds.key, methods, repr(steering), rows)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Classified:
        return classify(data.tower, images, dataset.image_ids, foregrounds.of(rows), asked.classes, vectors,
                        asked.truth, rows=rows, methods=methods, steering=steering, on_progress=on_progress,
                        should_stop=should_stop)

    found: Classified = work.result_of(key, measure)
    return found


def _by_solids(dataset: Dataset, found: Classified) -> None:
    """Where it helps: scenes of the built-in world by how many solids they hold."""
    if not isinstance(dataset.images, SceneImages):
        return
    place = {name: i for i, name in enumerate(dataset.image_ids)}
    count = np.array([len(dataset.images.scenes[place[name]].solids) for name in found.ids])
    parts = {f"{k} solid{'s' * (k > 1)}": found.part(np.flatnonzero(count == k)) for k in np.unique(count).tolist()}
    if len(parts) > 1:
        st.markdown("##### By how many solids a scene holds")
        panels.wrapped_table(figures.groups_table(parts))
        st.caption("The label is that of one solid, which is the one pointed at. p by Holm, over methods and rows "
                   "together.")


def _changes(data: FovealData, found: Classified, column: str) -> None:
    """Pictures gained and lost by a method, its classes and confusions."""
    if len(found.methods) < 2:
        return
    method = state.pick_option("What changes by", {m: TITLES[m] for m in found.methods[1:]}, key="classify_changes")
    left, right = st.columns(2, gap="medium")
    for place, what, rows in ((left, "gained", found.gained(method)), (right, "lost", found.lost(method))):
        with place:
            _tiles(data, found, method, what, rows, column)
    with left:
        ui.show(figures.by_class(found, method, dark=ui.dark()), key="foveal.by_class",
                how_to_read=figures.CAPTION_OF_CLASSES, table=lambda: figures.class_table(found))
    with right:
        ui.show(figures.confusion(found, method, dark=ui.dark()), key="foveal.confusion",
                how_to_read=CONFUSED, table=lambda: figures.confusion_table(found))
        ui.download_table(lambda: figures.items_table(found), "foveal-pictures", label="Every picture")


def _tiles(data: FovealData, found: Classified, method: str, what: str, rows: np.ndarray, column: str) -> None:
    dataset = data.opened.dataset
    assert dataset is not None and dataset.images is not None
    words = f"{what} by {TITLES[method]}, {column}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"##### {what.capitalize()}: {len(rows):,} of {len(found.ids):,}")
        st.button(f"Keep the {len(rows):,} {what} as a selection", icon=":material/bookmark_add:",
                  disabled=not len(rows), key=f"classify.keep.{what}", on_click=keep_from,
                  args=(data.opened.name, words.capitalize(), [found.ids[row] for row in rows.tolist()], words))
    if not len(rows):
        st.caption("No picture.")
        return
    at, place = found.methods.index(method), {name: i for i, name in enumerate(dataset.image_ids)}
    tiles = []
    for row in rows[:TILES].tolist():
        try:
            picture = dataset.images.decode(place[found.ids[row]]).copy()
            picture.thumbnail((160, 160))
        except UnreadableItem:
            picture = None
        before, after = (found.classes[found.guesses[i, row]] for i in (0, at))
        tiles.append((picture, found.classes[found.truth[row]], f"{before} → {after}; {found.ids[row]}"))
    panels.gallery(tiles, key=f"classify.{what}")
    if len(rows) > TILES:
        st.caption(f"The first {TILES} are shown.")


def _python(settings: Settings, data: FovealData, asked: Asked, foregrounds: Foregrounds, methods: tuple[str, ...],
            steering: Steering, rows: list[int]) -> str:
    assert data.opened.dataset is not None
    more, made = foregrounds.python
    imports = ["from core.attention.towers import ImageTower", "from core.encoding.models import load_model"]
    lines = [f"tower = ImageTower(load_model({settings.model_id!r}))"]
    if foregrounds.source == ALL:
        imports, lines = looked_lines(settings, data)
    if foregrounds.source != ALL or data.number == OWN:
        opening = dataset_lines(data.opened)
        imports, lines = [*imports, *opening[0]], [*lines, *opening[1]]
    n = len(data.opened.dataset.image_ids)
    return as_code(
        [*imports, *more, "import numpy as np", "from core.attention.foveal.classifying import classify",
         "from core.attention.masks import Steering", "from core.figures.foveal.classified import accuracies",
         "from core.geometry.directions import unit", "from core.language.zero_shot import class_vectors"],
        [*lines, f"classes = {list(asked.classes)!r}", f"texts = {[list(own) for own in asked.texts]!r}",
         "vectors = class_vectors([unit(tower.encoder.encode_texts(own)) for own in texts])",
         f"labels = dataset.image_table[{asked.column!r}].fillna('').astype(str).tolist()",
         "truth = [classes.index(label) if label in classes else -1 for label in labels]",
         f"rows = np.sort(np.random.default_rng({settings.seed}).permutation({n})[:{len(rows)}]).tolist()", *made,
         "report = classify(tower, dataset.images, dataset.image_ids, region, classes, vectors, truth, rows=rows,",
         f"                  methods={methods!r}, steering={steering_code(steering)})",
         "print(report.accuracy, report.differences)", "accuracies(report).show()"])
