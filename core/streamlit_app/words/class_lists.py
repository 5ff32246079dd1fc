"""Lists of classes: from a column of labels, typed, brought as a file, ImageNet's names, or as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.encoding.registry import BUILTIN, PHOTO
from core.errors import SourceError
from core.language.words.brought import USUAL_SCALE, brought_classes
from core.language.words.prompt_sets import ENSEMBLES, WORLD_ENSEMBLES
from core.language.words.prompts import MOST_CLASSES, MOST_TEMPLATES, Classes, read_classes, read_templates
from core.sources.tables.lists import ENDINGS, Listed, read_list
from core.sources.vectors.opening import VectorSource, open_vectors
from core.streamlit_app import panels, state
from core.streamlit_app.data.classes import label_columns, labels_of, prompt_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.uploading import bring
from core.streamlit_app.state import Settings
from core.types import EmbeddingSet

IN_CODE = 100       # classes that are written out in Python
EDITED = 500        # classes that are shown to be edited


@dataclass(frozen=True)
class Written:
    """Classes and templates as they are asked; Python that makes ``texts`` and ``named`` of ``model``."""

    classes: Classes
    templates: tuple[str, ...]
    column: str
    imports: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Brought:
    """Classes as vectors; Python that makes ``named`` of them."""

    names: tuple[str, ...]
    vectors: np.ndarray
    temperature: float
    imports: tuple[str, ...]
    lines: tuple[str, ...]


def pick_prompts(settings: Settings, ready: Ready) -> Written | None:
    """Classes for a model that reads them, and the templates; None, which is said, without a class."""
    columns = label_columns(ready, MOST_CLASSES)
    photo, world = settings.model_id == PHOTO, settings.model_id == BUILTIN
    sources = ({"labels": "A column of labels"} if columns else {}) | {"list": "A list", "file": "A file"}
    if not world:
        sources["imagenet"] = "ImageNet's 1,000 names"
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        source = state.pick_option("Classes from", sources, key="zero_from", widget="segments", default=(
            "labels" if columns else "imagenet" if photo else "list"))
        rows, column, code = _rows(ready, source, columns, world)
    with right:
        templates = _templates(world, photo)
    if rows is None:
        return None
    classes = read_classes(rows)
    if not len(classes):
        panels.notice("Write a class a line: its label, or label = how it is called.")
        return None
    _say(classes)
    lines = [code[1] or f"classes = read_classes({list(rows)!r})",
             f"texts = encode_classes(model, classes, {list(templates)!r})",
             "named = Classification(texts.classes, texts.logits(model, images), truth_of(labels, texts.classes))"]
    return Written(classes, templates, column, (
        *code[0], "from core.geometry.classification import Classification",
        "from core.language.words.prompts import encode_classes, read_classes, truth_of"), tuple(lines))


def _rows(ready: Ready, source: str, columns: Sequence[str], world: bool
          ) -> tuple[Sequence[str] | None, str, tuple[tuple[str, ...], str]]:
    """Lines of classes, the column they come from, and Python that reads them where they are many."""
    assert ready.images is not None
    none: tuple[tuple[str, ...], str] = (), ""
    if source == "labels":
        column = state.pick_option("Label", {c: c for c in columns}, key="zero_label")
        labels = sorted({" ".join(cell.split()) for cell in labels_of(ready, column)} - {""})
        usual = [f"{name} = {prompt_of(column, name, built_in=True)}" if world and ready.opened.built_in else name
                 for name in labels]
        if len(usual) > EDITED:
            st.caption(f"{len(usual):,} labels, each called as it is written; as a file they can be edited.")
            code = (f"cells = points.images.table[{column!r}].fillna('').astype(str)\n"
                    "classes = read_classes(sorted({' '.join(cell.split()) for cell in cells} - {''}))")
            return usual, column, ((), code)
        return _typed(f"zero_classes {column}", "\n".join(usual)), column, none
    if source == "list":
        return _typed("zero_list", ""), "", none
    if source == "imagenet":
        from core.encoding.nouns import class_names

        st.caption("Each name is one class of ImageNet, as the photo model reads it.")
        return class_names(), "", (("from core.encoding.nouns import class_names",), "classes = read_classes("
                                                                                    "class_names())")
    held = bring("zero_file", f"One class a line, or a column of them ({', '.join(ENDINGS)}); up to "
                 f"{MOST_CLASSES:,}", list(ENDINGS), _read)
    if held is None:
        return None, "", none
    found, _ = held
    for said in found.notices:
        panels.notice(said)
    if found.refused:
        panels.refused_table(found.refused, key="zero.file.refused")
    if len(found.rows) <= IN_CODE:
        return found.rows, "", none
    return found.rows, "", (("from pathlib import Path", "from core.sources.tables.lists import read_list"),
                            'classes = read_classes(read_list(Path("classes.txt").read_bytes(), "classes.txt").rows)')


def _read(files: Sequence[tuple[str, bytes]]) -> Listed:
    if len(files) != 1:
        raise SourceError("one file with a list of classes", f"{len(files)} files", "Bring them as one list.")
    return read_list(files[0][1], files[0][0])


def _typed(key: str, default: str) -> list[str]:
    text = state.pick_text("One a line: label, or label = how it is called", key=key, default=default, lines=7,
                           max_chars=200_000)
    return text.splitlines()


def _templates(world: bool, photo: bool) -> tuple[str, ...]:
    sets = WORLD_ENSEMBLES if world else {"one": ("the name alone", ("{}",))} if photo else ENSEMBLES
    start = state.pick_option("Templates", {key: title for key, (title, _) in sets.items()}, key="zero_ensemble",
                              help="To start from; each can be edited.") if len(sets) > 1 else "one"
    kind = "world" if world else "photo" if photo else "hub"
    text = state.pick_text("{} for the class; of several lines the mean", key=f"zero_templates {kind} {start}", lines=6,
                           default="\n".join(sets[start][1]), max_chars=20_000)
    rows = text.splitlines()
    if len(rows) > MOST_TEMPLATES:
        panels.notice(f"The first {MOST_TEMPLATES} templates are used.", "warning")
    return read_templates(rows)


def _say(classes: Classes) -> None:
    if classes.twice:
        panels.notice(f"Classes that stand there more than once count once, as they stand first: "
                      f"{', '.join(classes.twice[:8])}{' and more' if len(classes.twice) > 8 else ''}.", "warning")
    if classes.more:
        panels.notice(f"The first {MOST_CLASSES:,} classes are used; {classes.more:,} more are left out.", "warning")


def pick_vectors(images: EmbeddingSet) -> Brought | None:
    """Classes as text vectors of the same model, from a file; None, which is said, without one."""
    panels.notice("Vectors made elsewhere are open. Classes for them are text vectors by the same model: bring these "
                  "as a file with their names.")
    held = bring("zero_vectors", "Text vectors of the classes with their names (npz, npy with a table, Parquet, CSV); "
                 "rows of one name are an ensemble", None, _vectors)
    if held is None:
        return None
    found, _ = held
    names, vectors = brought_classes(found, images.vectors.shape[1])
    for said in found.notices:
        panels.notice(said, one_line=True)
    if found.refused:
        panels.refused_table(found.refused, key="zero.vectors.refused")
    own = state.pick_number("Temperature of their model", 0.001, 0.2, key="zero_own", default=1 / USUAL_SCALE,
                            step=0.001, help="No file says it: a trained CLIP has 0.01.")
    lines = ['names, vectors = brought_classes(open_vectors("classes.npz"), images.vectors.shape[1])',
             f"named = Classification(names, images.vectors @ vectors.T / {own!r}, truth_of(labels, names))"]
    return Brought(names, vectors, own, (
        "from core.geometry.classification import Classification",
        "from core.language.words.brought import brought_classes",
        "from core.language.words.prompts import truth_of",
        "from core.sources.vectors.opening import open_vectors"), tuple(lines))


def _vectors(files: Sequence[tuple[str, bytes]]) -> VectorSource:
    return open_vectors(files[0][1], files[0][0]) if len(files) == 1 else open_vectors(files)
