"""Concept words: an image, a selection, a cluster, the gap axis or a difference as a sparse sum of words."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.geometry.clusters import spherical_kmeans
from core.language.vocabularies import fitting
from core.language.words.explained import concept_figures
from core.language.words.scenes import SCORED, TUNED
from core.streamlit_app import cached, panels, state, work
from core.streamlit_app.concepts import Direction, show_concepts
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep, kept
from core.streamlit_app.state import Settings
from core.streamlit_app.words.data import pick_image
from core.types import Selection, fingerprint

MOST_GROUPS = 20
WHAT = {"image": "An image", "group": "A cluster", "selection": "A selection", "two": "Two selections",
        "gap": "The gap axis"}


def show(settings: Settings, ready: Ready) -> None:
    """What is chosen, told in words, with its Python; below, how right the words are on held-out scenes."""
    if ready.images is None or len(ready.images) < 2:
        panels.notice("Words are found for images as seen from the mean of all: open at least two.")
        return
    offered = [key for key in WHAT if _possible(ready, key)]
    what = state.pick_option("In words", {key: WHAT[key] for key in offered}, key="concepts_of", widget="segments")
    make = {"image": _image, "group": _group, "selection": _selection, "two": _two, "gap": _gap}[what]
    chosen = make(settings, ready)
    if chosen is not None:
        direction, lines = chosen
        show_concepts(settings, ready, direction, key="concepts",
                      code=lambda penalty, words: _python(settings, ready, direction, lines, penalty, words))
    if ready.opened.dataset is not None and fitting(settings.model_id) == "world":
        _scored(settings)


def _possible(ready: Ready, what: str) -> bool:
    mine = sum(bool(_rows(ready, selection)) for selection in kept().values())
    return {"image": True, "group": True, "selection": mine > 0, "two": mine > 1,
            "gap": ready.has_both and ready.has_gap}[what]


def _rows(ready: Ready, selection: Selection) -> list[int]:
    """Rows of the images that a selection holds."""
    assert ready.images is not None
    own = set(selection.image_ids)
    return [i for i, name in enumerate(ready.images.ids) if name in own]


def _image(settings: Settings, ready: Ready) -> tuple[Direction, list[str]]:
    assert ready.images is not None
    row = pick_image(ready)
    x = ready.images.vectors
    return Direction((ready.images.ids[row],), x[[row]], x), [f"items, against = x[[{row}]], x"]


def _group(settings: Settings, ready: Ready) -> tuple[Direction, list[str]]:
    assert ready.images is not None
    x = ready.images.vectors
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        groups = state.pick_number("Clusters of the images (spherical k-means)", 2, min(MOST_GROUPS, len(x)),
                                   key="concepts_groups", default=min(8, len(x))) if len(x) > 2 else 2

    def find(on_progress: work.Progress, should_stop: work.Stop) -> np.ndarray:
        on_progress(0.1, "Finding the clusters")
        return spherical_kmeans(x, groups, seed=settings.seed)[0]

    labels: np.ndarray = work.result_of(fingerprint("clusters in words", ready.key, groups, settings.seed), find)
    sizes = np.bincount(labels, minlength=groups)
    with right:
        chosen = int(state.pick_option("Cluster", {str(i): f"group {i + 1}, {n:,} images" for i, n in
                                                   enumerate(sizes.tolist())}, key="concepts_group"))
    rows = np.flatnonzero(labels == chosen)
    pictures = [(ready.pictures.small(int(i)), ready.images.ids[i], "") for i in rows[:8].tolist()]
    panels.gallery(pictures, key="concepts.group")
    st.button("Keep this cluster as a selection", icon=":material/bookmark_add:", key="concepts.keep", on_click=keep,
              args=(ready, f"group {chosen + 1} of {groups}", [ready.images.ids[i] for i in rows],
                    f"cluster {chosen + 1} of {groups} by spherical k-means"))
    return Direction((f"group {chosen + 1}",), x[rows], x), [
        "from core.geometry.clusters import spherical_kmeans",
        f"items, against = x[spherical_kmeans(x, {groups}, seed={settings.seed})[0] == {chosen}], x"]


def _pick_kept(ready: Ready, label: str, key: str, default: int = 0) -> tuple[str, list[int]]:
    names = [name for name, selection in kept().items() if _rows(ready, selection)]
    name = state.pick_option(label, {name: name for name in names}, key=key, default=names[default])
    return name, _rows(ready, kept()[name])


def _read(name: str) -> str:
    return f"x[[points.images.ids.index(i) for i in rows[{name!r}]]]"


_TABLE = ["import pandas as pd", 'table = pd.read_csv("selections.csv", dtype=str)   # “Download” under the sphere',
          'rows = table[table["modality"] == "image"].groupby("selection")["id"].apply(list)']


def _selection(settings: Settings, ready: Ready) -> tuple[Direction, list[str]] | None:
    assert ready.images is not None
    x = ready.images.vectors
    name, rows = _pick_kept(ready, "Selection to tell", "concepts_selection")
    if len(rows) == len(x):
        panels.notice("This selection holds all images: nothing tells it from the mean of all.")
        return None
    return Direction((name,), x[rows], x), [*_TABLE, f"items, against = {_read(name)}, x"]


def _two(settings: Settings, ready: Ready) -> tuple[Direction, list[str]] | None:
    assert ready.images is not None
    x = ready.images.vectors
    left, right = st.columns(2)
    with left:
        a, of_a = _pick_kept(ready, "From", "concepts_a")
    with right:
        b, of_b = _pick_kept(ready, "to", "concepts_b", -1)
    if sorted(of_a) == sorted(of_b):
        panels.notice("Choose two selections that hold different images.")
        return None
    return Direction((a, b), x[of_a], x[of_b], "difference"), [*_TABLE, f"items, against = {_read(a)}, {_read(b)}"]


def _gap(settings: Settings, ready: Ready) -> tuple[Direction, list[str]]:
    assert ready.images is not None and ready.texts is not None
    return Direction(("images", "texts"), ready.images.vectors, ready.texts.vectors, "difference"), [
        "items, against = x, points.texts.vectors"]


def _python(settings: Settings, ready: Ready, direction: Direction, lines: list[str], penalty: float, words: str
            ) -> str:
    imports, first = points_lines(settings, ready)
    own = [line for line in lines if line.startswith(("from ", "import "))]
    imports += [*own, "from core.figures import concepts as figures", "from core.geometry.concepts import explain"]
    if words:
        call = 'read_vocabulary(open("words.txt", "rb").read(), "words.txt")' if words == "own" else \
            f"vocabulary({words!r})"
        imports.append(f"from core.language.vocabularies import concepts_of, {call.split('(')[0]}")
        concepts = f"concepts = concepts_of({settings.model_id!r}, {call})"
    else:
        imports.append("from core.language.vocabularies import Concepts")
        concepts = "concepts = Concepts.of(points.captions, points.texts.vectors)   # or vectors of words of your own"
    return as_code(imports, [
        *first, "x = points.images.vectors", *(line for line in lines if line not in own), concepts,
        f'said = explain(items, against, concepts.axes, kind="{direction.kind}", penalty={penalty:g}, '
        f"seed={settings.seed})",
        f"print(figures.table([said], concepts.words, {direction.sides[:1]!r}, concepts.groups))"])


def _scored(settings: Settings) -> None:
    """Concept words of scenes that training never showed, scored against what the scenes are."""
    st.subheader("How right are the words?", anchor=False)
    st.caption(f"On 300 scenes of the built-in world whose combination of solid, colour and style the model never saw "
               f"(seed {SCORED + settings.seed}), at a penalty that was tuned on 300 others (seed "
               f"{TUNED + settings.seed}). Cosine: of an image and the sum of its words, both from their own means; by "
               "chance: as many random directions in their place. Top: the heaviest word among those of an attribute "
               "is the right one; by chance: one over the values of the attribute.")
    encoder = cached.encoder(settings.model_id)
    found = work.result_when_asked(
        fingerprint("concepts scored", encoder.spec.fingerprint, settings.seed), "Score them on held-out scenes",
        "concepts.score", lambda on_progress, should_stop: concept_figures(encoder, seed=settings.seed,
                                                                           on_progress=on_progress))
    if found is not None:
        with st.container(key="concepts.scored"):
            panels.wrapped_table(panels.numbers_table(
                {name.removeprefix("concept_").replace("_", " "): number for name, number in found.items()}))
