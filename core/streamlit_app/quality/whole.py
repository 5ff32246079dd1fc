"""What is measured of the whole: CLIPScore, classes, captions, coverage of the sphere and diversity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.figures.quality import balance as balance_figures
from core.figures.quality import coverage as coverage_figures
from core.figures.quality import scores as score_figures
from core.figures.quality import texts as text_figures
from core.geometry.jackknife import clusters
from core.geometry.quality import coverage as covered
from core.geometry.quality import diversity as diverse
from core.geometry.quality.balance import balance, in_small_classes
from core.geometry.quality.captions import clip_scores
from core.language.quality.texts import vocabulary
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.quality.flagged import keep_rows, pick_threshold, tile
from core.streamlit_app.state import Settings
from core.types import Modality, Number, fingerprint

TILES = 9
EQUAL_N = (100, 300, 1_000, 3_000)


def _once(data: QualityData, name: str, make: Callable[[], Any], *parts: object) -> Any:
    """Made once for these data, as long work."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Any:
        on_progress(0.1, f"Measuring: {name}")
        return make()

    return work.result_of(fingerprint("quality", name, data.key, list(parts)), measure)


def scores(settings: Settings, data: QualityData) -> None:
    """CLIPScore: its distribution beside unmatched pairs, percentiles, and the pairs at any score."""
    items = data.looked.items
    if not len(items.links):
        panels.notice("No caption belongs to an image: there is no CLIPScore.")
        return
    found = _once(data, "CLIPScore", lambda: clip_scores(items, seed=settings.seed), settings.seed)
    clicked = ui.show(score_figures.scores(found, dark=ui.dark()), key="quality.scores", clicks=True,
                      how_to_read=score_figures.CAPTION, table=lambda: score_figures.scores_table(found))
    _numbers(found.numbers, score_figures.TITLES, "scores")
    at = float(np.ravel(clicked)[0]) if clicked is not None else st.session_state.get("quality.scores.at")
    if at is None:
        st.caption("Click a bar to see pairs of that cosine.")
        return
    st.session_state["quality.scores.at"] = at
    order = np.argsort(np.abs(items.cosines - at), kind="stable")[:TILES]
    st.html(f'<div class="orrery-h">Pairs with a cosine near {at:.3f}</div>')
    panels.gallery([tile(data, "text", int(items.links[i, 1]), f"cosine {items.cosines[i]:.3f}")
                    for i in order.tolist()], key="quality.scores.pairs")


def classes(settings: Settings, data: QualityData) -> None:
    """How many images each class has, and the images of one that is clicked."""
    labels = data.looked.items.labels
    if not any(labels):
        panels.notice("There are no labels: choose their column above, or bring a table with one.")
        return
    found = _once(data, "classes", lambda: balance(labels, seed=settings.seed), settings.seed)
    clicked = ui.show(balance_figures.balance(found, dark=ui.dark()), key="quality.classes", clicks=True,
                      how_to_read=balance_figures.CAPTION, table=lambda: balance_figures.counts_table(found))
    _numbers(found.numbers, balance_figures.TITLES, "classes")
    if clicked is not None:
        st.session_state["quality.class"] = str(np.ravel(clicked)[0])
    chosen = st.session_state.get("quality.class", found.names[-1])
    if chosen not in found.names:
        chosen = found.names[-1]
    rows = np.flatnonzero(np.array(labels, dtype=object) == chosen)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{chosen}: {len(rows):,} images. Click a bar for those of another class.", width="content")
        if st.button("Keep them as a selection", icon=":material/bookmark_add:", key="quality.keep.class"):
            keep_rows(data, f"{data.label} {chosen}", "image", rows, f"{data.label} is {chosen}")
    panels.gallery([tile(data, "image", row, "") for row in rows[:2 * TILES].tolist()], key="quality.classes.images")
    _tail(data)


def _tail(data: QualityData) -> None:
    """The long tail: images of classes with few, up to a number that moves."""
    found = in_small_classes(data.looked.items.labels)
    at = pick_threshold(found)
    rows, share = found.flagged(at), found.share(at)
    with st.container(horizontal=True, vertical_alignment="center"):
        chance = f", {100 * share.null:.1f} % {found.chance}" if share.null is not None else ""
        st.text(f"The long tail: {len(rows):,} of {share.n:,} images ({100 * share.value:.1f} %{chance}) are of "
                f"classes with at most {at:.0f}.", width="content")
        if st.button("Keep the tail as a selection", icon=":material/bookmark_add:", key="quality.keep.tail",
                     disabled=not len(rows)):
            keep_rows(data, f"Tail of {data.label}", "image", rows, f"classes of at most {at:.0f} images")


def words(settings: Settings, data: QualityData) -> None:
    """How long captions are, how rich their words, and how often each is said."""
    captions = data.looked.captions
    if not captions or not data.looked.has_words:
        panels.notice("There are no captions of which the words are known.")
        return
    items = data.looked.items
    together = clusters([items.n_images, items.n_texts], items.links)[1]
    found = _once(data, "words", lambda: vocabulary(captions, together=together, seed=settings.seed), settings.seed)
    left, right = st.columns(2, gap="medium")
    with left:
        ui.show(text_figures.lengths(found, dark=ui.dark()), key="quality.lengths", how_to_read=text_figures.LENGTHS,
                table=lambda: text_figures.texts_table(found))
    with right:
        ui.show(text_figures.ranks(found, dark=ui.dark()), key="quality.ranks", how_to_read=text_figures.RANKS,
                table=lambda: text_figures.words_table(found))
    _numbers(found.numbers, text_figures.TITLES, "words")


def spread(settings: Settings, data: QualityData) -> None:
    """How much of the sphere is covered, and how different the items are, at a number of items that can be set."""
    items = data.looked.items
    sets: dict[Modality, np.ndarray] = {}
    if items.images is not None and items.n_images > 2:
        sets["image"] = items.images
    if items.texts is not None and items.n_texts > 2:
        sets["text"] = items.texts
    if not sets:
        panels.notice("There are fewer than three images and fewer than three texts.")
        return
    of = state.pick_option("Of", {of: f"{of}s".capitalize() for of in sets}, key="spread_of", widget="segments")
    modality: Modality = "text" if of == "text" else "image"
    x = sets[modality]
    sizes = {"": f"all {len(x):,}"} | {str(n): f"{n:,}" for n in EQUAL_N if n < len(x)}
    chosen = state.pick_option("Measured on so many of them, to compare with other sets", sizes, key="equal_n")
    n = int(chosen) if chosen else None
    cover = _once(data, "coverage", lambda: covered.coverage(x, n=n, seed=settings.seed), of, n, settings.seed)
    clicked = ui.show(coverage_figures.coverage(cover, of=modality, dark=ui.dark()), key="quality.coverage",
                      clicks=True, how_to_read=coverage_figures.CAPTION,
                      table=lambda: coverage_figures.coverage_table(cover))
    if clicked is not None:
        _cell(data, modality, cover, int(np.ravel(clicked)[0]))
    rich = _once(data, "diversity", lambda: diverse.diversity(x, n=n, seed=settings.seed), of, n, settings.seed)
    _numbers({**rich, **cover.numbers}, {**diverse.TITLES, **covered.TITLES}, "spread")
    for key, title in {**diverse.TITLES, **covered.TITLES}.items():
        st.caption(f"{title}: {({**diverse.EXPLANATIONS, **covered.EXPLANATIONS})[key]}")


def _cell(data: QualityData, of: Modality, cover: covered.Coverage, cell: int) -> None:
    """The items of a cell that was clicked."""
    rows = cover.members(cell)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"In this cell: {len(rows):,} {of}s.", width="content")
        st.button("Keep them as a selection", icon=":material/bookmark_add:", key="quality.keep.cell",
                  on_click=keep_rows, args=(data, f"A cell of {len(rows):,} {of}s", of, rows, "a cell of the coverage"))
    panels.gallery([tile(data, of, row, "") for row in rows[:2 * TILES].tolist()], key="quality.cell")


def _numbers(numbers: Mapping[str, Number], titles: Mapping[str, str], key: str) -> None:
    table = panels.numbers_table({titles.get(name, name): number for name, number in numbers.items()})
    st.dataframe(table, hide_index=True, height="content", key=f"quality.{key}.numbers")
