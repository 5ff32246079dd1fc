"""Where A and B differ: the sphere coloured by which dominates, regions with their names, and what only one has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.quality import composition as composition_figures
from core.figures.quality import findings as finding_figures
from core.figures.quality import where as figures
from core.figures.scenes.embedding import Points, embedding_scene
from core.geometry.directions import unit
from core.geometry.maps.registry import FittedMap, fit_map
from core.geometry.quality.finding import Finding
from core.geometry.quality.regions import Regions, regions
from core.geometry.quality.where import LEAST, Where, where_apart
from core.language.quality.naming import names_by_features, names_by_words, told_inside, unlike, words_of
from core.scene import Colouring, SphereScene
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.quality.flagged import keep_rows, pick_threshold, tile
from core.streamlit_app.quality.sides import Sides
from core.streamlit_app.state import Settings
from core.types import EmbeddingSet, as_ids, fingerprint

TILES = 18
NAMES_AT_ONCE = 100


def show(settings: Settings, data: QualityData, sides: Sides) -> None:
    """The sphere, the regions, and the items without their like in the other set."""
    if min(len(x) for x in sides.vectors) < LEAST:
        panels.notice(f"At least {LEAST} items of each set are needed.")
        return

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Where:
        return where_apart(*sides.vectors, together=sides.together, of=sides.of, seed=settings.seed,
                           on_progress=on_progress, should_stop=should_stop)

    found: Where = work.result_of(fingerprint("where", sides.key, settings.seed), measure)
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        sphere_view(_scene(settings, sides, found), key="quality.sphere", height=520, dark=ui.dark(), data=sides.key)
    with right:
        ui.show(figures.shares(found, sides.short, dark=ui.dark()), key="quality.shares",
                how_to_read=figures.CAPTION, table=lambda: figures.shares_table(found))
        st.markdown(panels.plain(figures.only_sentence(found, sides.short), 600))
    _regions(settings, sides)
    _only(sides, found)


def _scene(settings: Settings, sides: Sides, found: Where) -> SphereScene:
    """Both sets on one map, coloured by the share of A around each item."""
    vectors = np.concatenate(sides.vectors)
    ids = as_ids([f"{'AB'[i]}: {name}" for i, side in enumerate(sides.data) for name in side.ids(sides.of)])
    said = [sides.two.names[i] for i, x in enumerate(sides.vectors) for _ in range(len(x))]
    first = sides.a.ready.images if sides.of == "image" else sides.a.ready.texts
    assert first is not None
    both = EmbeddingSet(vectors, np.ones(len(vectors)), ids, sides.of, pd.DataFrame({"label": said}), first.model)
    captions = [text for side in sides.data for text in side.looked.captions] if sides.of == "text" else []
    points = Points(both, None) if sides.of == "image" else Points(None, both, captions)
    pictures = sides.a.ready.pictures.followed_by(sides.b.ready.pictures, len(sides.vectors[0])) \
        if sides.of == "image" else None

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        on_progress(0.1, "Placing both sets on the sphere")
        return fit_map(vectors, "pca", seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    placed: FittedMap = work.result_of(fingerprint("map of two", sides.key, settings.seed), fit)
    colouring = Colouring(f"share of A among the {found.k} nearest", values=np.concatenate(
        [found.share_a, found.share_b]).astype(np.float64), whole=True)

    def make() -> SphereScene:
        scene = embedding_scene(points, placed.map, colouring=colouring, pictures=pictures, on_sphere=0, means=False,
                                note="Map: PCA, uncentred, of both sets.")
        return replace(scene, title=f"{len(found.share_a):,} {sides.of}s of A and {len(found.share_b):,} of B; "
                       f"{100 * found.told.value:.1f} % lie where one set dominates, by chance "
                       f"{100 * (found.told.null or 0):.1f} %")

    return cached.scene(fingerprint("scene of two", sides.key, placed.map.fingerprint, found.k, settings.seed), make)


def _features(sides: Sides) -> tuple[list[Collection[str]], list[Collection[str]]]:
    """Words of the caption, else the label, of each item of A and of B."""
    found: list[list[Collection[str]]] = []
    for side in sides.data:
        own = words_of(side.looked.captions)
        labels = side.looked.items.labels
        if sides.of == "text":
            found.append(list(own))
            continue
        rows = [side.text_of_image(i) for i in range(side.looked.items.n_images)]
        found.append([own[row] if row is not None else {labels[i]} - {""} if labels else set()
                      for i, row in enumerate(rows)])
    return found[0], found[1]


def _by_model(sides: Sides, found: Regions) -> tuple[str, ...]:
    """Names of regions of images that nothing is said of, from words that the model itself places near them."""
    from core.encoding.nouns import class_names
    from core.sources.solids.vocabulary import ATTRIBUTES

    if not sides.a.looked.prompts_by or len(found.names) < 2:
        return ("",) * len(found.names)
    encoder = cached.encoder(sides.a.looked.prompts_by)
    words = tuple(word for values in ATTRIBUTES.values() for word in values) if encoder.known_words else class_names()
    vectors = [encoder.encode_texts(words[i:i + NAMES_AT_ONCE]) for i in range(0, len(words), NAMES_AT_ONCE)]
    return names_by_words(found.centres, words, unit(np.concatenate(vectors)))


def _regions(settings: Settings, sides: Sides) -> None:
    """Regions of both, by how differently A and B fill them, and the items of one."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[Regions, tuple[str, ...]]:
        found = regions(*sides.vectors, together=sides.together, seed=settings.seed, on_progress=on_progress,
                        should_stop=should_stop)
        a, b = _features(sides)
        if any((*a, *b)):
            named = names_by_features(np.concatenate([found.of_a, found.of_b]), [*a, *b], count=len(found.names))
        else:
            on_progress(0.9, "Names of the regions")
            named = _by_model(sides, found)
        return found, unlike(named, found.names)

    found, names = work.result_of(fingerprint("regions", sides.key, settings.seed), measure)
    shown = dict(zip(found.names, names))
    ui.show(composition_figures.composition(found.composition, sides.short, what="region", shown=shown,
                                            dark=ui.dark()), key="quality.regions",
            how_to_read=composition_figures.CAPTION,
            table=lambda: composition_figures.composition_table(found.composition, sides.two.names, shown))
    order = [found.names.index(part.name) for part in found.composition.parts]
    chosen = int(state.pick_option("Region", {str(i): names[i] for i in order}, key="region"))
    for i, (side, examples, of) in enumerate(zip(sides.data, (found.examples_a, found.examples_b),
                                                 (found.of_a, found.of_b))):
        rows = np.flatnonzero(of == chosen)
        with st.container(horizontal=True, vertical_alignment="center"):
            name = panels.text_html(sides.two.names[i], 60)
            st.html(f'<div class="orrery-h">{"AB"[i]}: {len(rows):,} of {name}</div>')
            if st.button("Keep as a selection", icon=":material/bookmark_add:", key=f"quality.keep.region.{i}",
                         disabled=not len(rows) or not _of_what_is_open(sides, i)):
                keep_rows(side, f"{names[chosen]}, {sides.two.names[i]}", sides.of, rows, f"region {names[chosen]}")
        panels.gallery([tile(side, sides.of, row, "") for row in examples[chosen].tolist()],
                       key=f"quality.region.{i}")
    told = told_inside(found.of_a, found.of_b, *_features(sides), chosen)
    if len(told):
        st.caption("What tells A from B inside this region: share of the items with a word; z, the difference over its "
                   "standard error.")
        told = told.rename(columns={"feature": "word", "share_a": "share of A", "share_b": "share of B"})
        st.dataframe(told, hide_index=True, height="content", key="quality.region.words")


def _of_what_is_open(sides: Sides, i: int) -> bool:
    """Whether a side is of what is open, so that a selection of it can be looked at."""
    return i == 0 or sides.b.ready.opened.key == sides.a.ready.opened.key


def _only(sides: Sides, found: Where) -> None:
    """Items of one set without their like in the other."""
    which = state.pick_option("Only in", {"a": f"A: {sides.two.names[0]}", "b": f"B: {sides.two.names[1]}"},
                              key="only_in", widget="segments")
    side = sides.a if which == "a" else sides.b
    other = sides.b if which == "a" else sides.a
    one: Finding = found.only_a if which == "a" else found.only_b
    threshold = pick_threshold(one)
    ui.show(finding_figures.histogram(one, threshold, name=f"Only in {which.upper()}", dark=ui.dark()),
            key=f"quality.only_{which}",
            how_to_read=finding_figures.CAPTION, table=lambda: finding_figures.histogram_table(one, threshold))
    rows = one.flagged(threshold)
    if not len(rows):
        panels.notice("No item is without its like in the other set at this threshold.")
        return
    with st.container(horizontal=True):
        if st.button(f"Keep the {len(rows):,} as a selection", icon=":material/bookmark_add:",
                     key="quality.keep.only", disabled=not _of_what_is_open(sides, 0 if which == "a" else 1)):
            keep_rows(side, f"Only in {sides.two.names[which == 'b']}", sides.of, rows, "without its like")
    tiles = []
    for row in rows[:TILES].tolist():
        tiles.append(tile(side, sides.of, row, f"{one.scores[row]:.1f}° farther"))
        tiles.append(tile(other, sides.of, int(one.partners[row]), "its nearest there"))
    panels.gallery(tiles, key="quality.only")
