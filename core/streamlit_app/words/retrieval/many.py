"""Feedback over many queries: the first few of each are marked by a known truth, and the rest is looked at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.figures.words import retrieved as figures
from core.geometry.feedback import FeedbackReport, simulate
from core.geometry.jackknife import clusters
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval import marks
from core.streamlit_app.words.retrieval.python import many_code
from core.types import fingerprint

MOST_QUERIES = 1000
LINKS = "links"
EXPLAINED = ("Each query finds images; the first ones are marked right or wrong by the truth, and Rocchio moves the "
             "query. Before and after are compared on the same images, those that were not marked, since what was "
             "marked would count itself. Shuffled marks move the query towards what it found anyway: what is left "
             "beside them is what the marks say.")


def show(settings: Settings, ready: Ready) -> None:
    """The dials, and what feedback does."""
    columns, n = label_columns(ready), 0 if ready.images is None else len(ready.images)
    truths = {f"column:{c}": f"images of the same “{c}”" for c in columns}
    asking = {"image": "images"} if columns else {}
    if len(ready.links) and ready.has_gap:
        asking["text"] = "their texts"
        truths[LINKS] = "the images that belong to the text"
    st.caption(EXPLAINED)
    if not truths or n < 4:
        panels.notice("This needs a truth for images: a column with 2 to 100 labels, or texts that belong to images.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        truth = state.pick_option("Right are", truths, key="retrieve_many_truth")
        ask = "text"
        if truth != LINKS:
            ask = state.pick_option("Asked by", asking, key="retrieve_many_ask", widget="segments")
        dials = marks.pick_dials()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = max(2, min(20, n // 2))
        with st.container(width=200):
            marked = state.pick_number("Marked a round", 1, most, key="retrieve_many_marked", default=min(5, most))
        with st.container(width=200):
            rounds = state.pick_number("Rounds", 1, 5, key="retrieve_many_rounds", default=1)
        with st.container(width=200):
            k = state.pick_number("Looked at", 1, 50, key="retrieve_many_at", default=10)
        with st.container(width=240):
            asked = state.pick_number("Queries", 10, MOST_QUERIES, key="retrieve_many_queries", default=300, step=10)
    queries, right, itself, together = _asked(ready, truth, ask, asked, settings.seed)
    assert ready.images is not None
    gallery = ready.images.vectors

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> FeedbackReport:
        return simulate(queries, gallery, right, itself=itself, together=together, k=k, marked=marked, rounds=rounds,
                        dials=dials, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    report: FeedbackReport | None = work.result_when_asked(
        fingerprint("feedback", ready.key, ready.opened.key, truth, ask, asked, k, marked, rounds, vars(dials),
                    settings.seed), "Mark and measure", "retrieve.many.start", measure)
    if report is None:
        return
    ui.show(figures.feedback(report, dark=ui.dark()), key="retrieve.feedback", how_to_read=figures.OF_FEEDBACK,
            table=lambda: figures.feedback_table(report))
    st.dataframe(figures.feedback_in_words(report), hide_index=True, key="retrieve.feedback.numbers", height="content")
    groups = "labels" if truth != LINKS else "groups of pairs"
    skipped = f" {report.skipped:,} queries are left out: nothing right was left of them." if report.skipped else ""
    st.caption(f"{report.queries:,} queries of {report.groups:,} {groups} (tests are over these), seed "
               f"{settings.seed}; {100 * report.right_marked:.0f} % of the marks were right.{skipped}")
    ui.copy_as_python(many_code(settings, ready, truth, ask, asked, k, marked, rounds, dials))


def _asked(ready: Ready, truth: str, ask: str, most: int, seed: int
           ) -> tuple[np.ndarray, Callable[[int], np.ndarray], np.ndarray, np.ndarray]:
    """Vectors of the queries, the truth of each, the row that is the query itself, and which are one item."""
    images = ready.images
    assert images is not None
    rng, n = np.random.default_rng(seed), len(images)
    labels = np.array([""] * n, dtype=object) if truth == LINKS else \
        np.array(labels_of(ready, truth.partition(":")[2]), dtype=object)
    if ask == "image":
        rows = np.flatnonzero(labels != "")
        rows = np.sort(rng.permutation(rows)[:most])
        together = np.unique(labels[rows].astype(str), return_inverse=True)[1]
        return images.vectors[rows], lambda i: labels == labels[rows[i]], rows, together
    assert ready.texts is not None
    texts, first = np.unique(ready.links[:, 1], return_index=True)
    of = ready.links[first, 0]
    if truth != LINKS:
        known = labels[of] != ""
        texts, of = texts[known], of[known]
    chosen = np.sort(rng.permutation(len(texts))[:most])
    texts, of = texts[chosen], of[chosen]
    nobody = np.full(len(texts), -1)
    vectors = ready.texts.vectors[texts]
    if truth != LINKS:
        together = np.unique(labels[of].astype(str), return_inverse=True)[1]
        return vectors, lambda i: labels == labels[of[i]], nobody, together
    group = clusters([n, len(ready.texts)], ready.links)[1][texts]
    belongs = [ready.links[ready.links[:, 1] == text, 0] for text in texts]
    return vectors, lambda i: np.isin(np.arange(n), belongs[i]), nobody, group
