"""Search: one query, its hits as a gallery that can be marked, what the marks do, and all of it on the sphere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.geometry.directions import angle
from core.geometry.feedback import Rocchio, Round, moved_parts, of_unmarked, path
from core.geometry.neighbours import percentile
from core.geometry.queries import Part, unmatched_cosines
from core.streamlit_app import cached, panels, state, ui
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval import hits_map, marks
from core.streamlit_app.words.retrieval.python import search_code
from core.streamlit_app.words.retrieval.query import IMAGE, Query, View, pick_query, pick_view
from core.types import Modality

MANY = {"image": "images", "text": "texts"}
MARKS = {"right": ":material/check:", "wrong": ":material/close:"}
SHOWN, MOST_SHOWN, COUNTED = 12, 48, 10
NO_TRUTH, LINKS, BELONGS = "", "links", "what belongs to the query's items"
HOW = ("#: place among what is not marked. Cosine with its percentile p: the share of queries of the same signs and "
       "weights, of items drawn at random, that have a lower cosine to an item that they do not hold. A text that says "
       "little, or nothing that the model knows, may lie near all images: compare hits with each other too.")
HOW_OWN = "#: place among what is searched, by the photo model's own probability of what the words name."


@dataclass(frozen=True, eq=False)
class Scored:
    """How everything that is searched scores for a query.

    Attributes
    ----------
    before, now : (m,) floats, larger is nearer: by the query as asked, and as it was moved.
    steps : (s, d) where the query lies before and after each round.
    parts : of the query as it is now.
    among : what cosines are compared with; None where the scores are the model's own.
    left_out : the rows that are the query itself.
    """

    before: np.ndarray
    now: np.ndarray
    steps: np.ndarray
    parts: Sequence[Part]
    among: np.ndarray | None
    left_out: tuple[int, ...]

    @property
    def measure(self) -> str:
        """What the scores are."""
        return "cosine" if self.among is not None else "probability"


def show(settings: Settings, ready: Ready) -> None:
    """The editor of the query, its hits, the marks, and the sphere."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = pick_view(ready)
        kinds: dict[str, str] = {kind: MANY[kind] for kind in view.sets}
        chosen = state.pick_option("Find", kinds, key="retrieve_find", widget="segments")
        dials = marks.pick_dials()
        with st.container(width=220):
            shown = state.pick_number("Hits shown", 4, MOST_SHOWN, key="retrieve_shown", default=SHOWN)
    of: Modality = "image" if chosen == "image" else "text"
    query = pick_query(settings, view)
    if query is None:
        return
    rounds = marks.rounds_of(view, of)
    scored = _scored(settings, view, query, of, rounds, dials)
    if scored is None:
        return
    out = {*scored.left_out, *(row for r in rounds for row in r.marked)}
    order = [row for row in np.argsort(-scored.now, kind="stable").tolist() if row not in out]
    if not order:
        panels.notice("Nothing is left to find: all of it is the query itself, or marked.")
    hits = order[:shown]
    st.html(f'<div class="orrery-h">{panels.text_html(_finding(view, query, of, scored, hits, rounds))}</div>')
    _gallery(view, of, scored, hits, rounds)
    _ways_on(view, query, of, hits, rounds)
    _marked(view, of, rounds)
    with panels.friendly_errors():
        _judged(view, query, of, scored, rounds)
    with panels.friendly_errors():
        hits_map.show(settings, view, query, of, scored.now, scored.measure, scored.steps, hits,
                      lambda row: _score(scored, row).partition(" ")[2])
    ui.copy_as_python(search_code(settings, view, query, of, rounds, dials, shown, own=scored.among is None))


def _scored(settings: Settings, view: View, query: Query, of: Modality, rounds: Sequence[Round], dials: Rocchio
            ) -> Scored | None:
    """Scores of all that is searched; None, which is said, where the model has no score for such a query."""
    ready, gallery = view.ready, view.sets[of]
    out = tuple(query.itself(of))
    if ready.has_gap:
        steps, parts = path(query.parts, gallery, of, rounds, dials), query.parts
        if rounds:
            parts = tuple(moved_parts(query.parts, gallery, of, rounds, dials))
        among = unmatched_cosines(parts, view.sets, of, ready.links)
        return Scored(gallery @ steps[0], gallery @ steps[-1], steps, parts, among, out)
    texts = [text for text in query.texts if text]
    if of == "image" and len(texts) == len(query.parts):
        own = cached.own_scores(ready, tuple(texts))
        assert own is not None
        weights = np.array([part.weight for part in query.parts])
        scores = own @ weights
        if rounds:
            panels.notice("Marks do not move this query: the photo model's probabilities are no directions. Begin with "
                          "an image.", "warning")
        return Scored(scores, scores, path(query.parts, gallery, of, ()), query.parts, None, out)
    if of == "image" and not texts:
        steps = path(query.parts, gallery, of, rounds, dials)
        parts = tuple(moved_parts(query.parts, gallery, of, rounds, dials)) if rounds else query.parts
        return Scored(gallery @ steps[0], gallery @ steps[-1], steps, parts,
                      unmatched_cosines(parts, view.sets, of), out)
    if of == "text" and query.kinds == (IMAGE,):
        own = cached.caption_scores(ready, query.rows[0])
        assert own is not None
        own = own * np.sign(query.parts[0].weight)
        return Scored(own, own, path(query.parts, gallery, of, ()), query.parts, None, out)
    panels.notice("The photo model scores images for words by its own probabilities, and images beside images by "
                  "cosines: the two do not add up. Ask with words alone, or with images alone"
                  + ("; texts are found for one image of what is open." if of == "text" else "."), "warning")
    return None


def _finding(view: View, query: Query, of: Modality, scored: Scored, hits: Sequence[int], rounds: Sequence[Round]
             ) -> str:
    best = "" if not hits else f": the nearest of {len(scored.now):,} {MANY[of]} has {_score(scored, hits[0])}"
    moved = ""
    if len(scored.steps) > 1:
        turned = np.degrees(float(angle(scored.steps[0], scored.steps[-1])))
        n = len(rounds)
        moved = f"; {n} round{'s' * (n != 1)} of marks moved the query by {turned:.1f}° of the true sphere"
    return f"{query.said}{best}{moved}"


def _score(scored: Scored, row: int) -> str:
    value = float(scored.now[row])
    if scored.among is None:
        return f"probability {value:.3f}"
    rank = percentile(value, scored.among)
    return f"cosine {value:.3f}" + ("" if np.isnan(rank) else f" · p{rank:.1f}")


def _tile(view: View, of: Modality, row: int, said: str) -> None:
    ready = view.ready
    words = view.ids(of)[row] if of == "image" else ready.captions[row]
    if of == "image":
        panels.gallery([(ready.pictures.small(row), words, said)], key=f"retrieve.tile.{of}.{row}")
    else:
        st.html(f'<div class="orrery-card"><blockquote>{panels.text_html(words, 200)}</blockquote>'
                f"<small>{panels.text_html(said)}</small></div>")


def _gallery(view: View, of: Modality, scored: Scored, hits: Sequence[int], rounds: Sequence[Round]) -> None:
    """The hits, each with its rank, cosine and percentile, and buttons that mark it."""
    can_mark = scored.among is not None
    with st.container(horizontal=True, gap="small", key="retrieve.hits"):
        for rank, row in enumerate(hits, start=1):
            with st.container(width=150 if of == "image" else 260, gap="small"):
                _tile(view, of, row, f"#{rank} · {_score(scored, row)}")
                if can_mark:
                    st.segmented_control(f"Mark hit {rank}", list(MARKS), format_func=MARKS.__getitem__,
                                         key=marks.mark_key(of, row, len(rounds)), label_visibility="collapsed")
    told = f"{HOW} Tick: right; cross: wrong." if can_mark else HOW_OWN
    if scored.among is not None and not len(scored.among):
        told += " No percentile: there are no pairs of these kinds here to compare with."
    if scored.left_out:
        told += " What the query itself is made of is no hit."
    st.caption(told)


def _ways_on(view: View, query: Query, of: Modality, hits: Sequence[int], rounds: Sequence[Round]) -> None:
    """Move the query by the marks, take a round back, keep what was found."""
    with st.container(horizontal=True):
        st.button("Move the query by the marks", key="retrieve.move", type="primary", icon=":material/moving:",
                  on_click=marks.add, args=(view, of, list(hits), rounds),
                  help="Marks stand in the address from then on.")
        if rounds:
            st.button("Take the last round back", key="retrieve.back", icon=":material/undo:", on_click=marks.put,
                      args=(view, of, rounds[:-1]))
            st.button("Forget all marks", key="retrieve.forget", icon=":material/restart_alt:", on_click=marks.put,
                      args=(view, of, ()))
        kept = {"hits": ("Keep the hits as a selection", list(hits), f"Hits of {query.said}"),
                "right": ("Keep the right ones", [row for r in rounds for row in r.right], f"Right for {query.said}"),
                "wrong": ("Keep the wrong ones", [row for r in rounds for row in r.wrong], f"Wrong for {query.said}")}
        for key, (label, rows, name) in kept.items():
            if rows:
                keep_button(view, of, rows, label, name, f"{key} of the query {query.said}", key=f"retrieve.keep.{key}")


def keep_button(view: View, of: Modality, rows: Sequence[int], label: str, name: str, words: str, *, key: str) -> None:
    """A button that keeps items as a selection."""
    if st.button(label, key=key, icon=":material/bookmark_add:"):
        ids = [view.ids(of)[row] for row in rows]
        keep(view.ready, name, ids if of == "image" else (), words, ids if of == "text" else ())


def _marked(view: View, of: Modality, rounds: Sequence[Round]) -> None:
    if not rounds:
        return
    n = sum(len(r.marked) for r in rounds)
    with st.expander(f"Marked so far: {n:,}", key="retrieve.marked"), st.container(horizontal=True, gap="small"):
        for i, r in enumerate(rounds, start=1):
            for said, rows in (("right", r.right), ("wrong", r.wrong)):
                for row in rows:
                    with st.container(width=110 if of == "image" else 260):
                        _tile(view, of, row, f"round {i}: {said}")


def _judged(view: View, query: Query, of: Modality, scored: Scored, rounds: Sequence[Round]) -> None:
    """How the query fares before and after the marks on what was not marked, where the truth is known."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        truth = _pick_truth(view, query, of)
        if truth is None:
            return
        k = state.pick_number("Looked at", 1, 50, key="retrieve_at", default=COUNTED)
    right, name = truth
    out = [*scored.left_out, *(row for r in rounds for row in r.marked)]
    numbers = {}
    for when, scores in (("as asked", scored.before), ("as moved", scored.now))[:1 + bool(rounds)]:
        for key, number in of_unmarked(scores, right, out, k).items():
            at = "" if key == "average_precision" else f" at {k}"
            numbers[f"{key.replace('_', ' ')}{at}, {when}"] = number
    if not numbers:
        panels.notice(f"Nothing right for “{name}” is left that is not marked.")
        return
    st.dataframe(panels.numbers_table(numbers), hide_index=True, key="retrieve.numbers", height="content")
    said = sum(len(r.marked) for r in rounds)
    first = " In the built-in world a label is that of the first solid only." \
        if view.ready.opened.built_in and name != BELONGS else ""
    left = len(scored.now) - len(set(out))
    st.caption(f"Right: {name}.{first} Measured on {left:,} {MANY[of]}; the {said:,} that were marked are left out, "
               "before and after. One query has no interval; by chance: the same items in random order.")


def _pick_truth(view: View, query: Query, of: Modality) -> tuple[np.ndarray, str] | None:
    """(m,) bool which items are right, and what they are called; None where nothing is said."""
    ready, m = view.ready, len(view.sets[of])
    columns = label_columns(ready) if of == "image" or len(ready.links) else ()
    options = {NO_TRUTH: "not known"} | {f"column:{c}": c for c in columns}
    linked = _linked(ready, query, of)
    if linked is not None:
        options[LINKS] = BELONGS
    if len(options) == 1:
        return None
    chosen = state.pick_option("Truth, to measure by", options, key="retrieve_truth")
    if chosen == NO_TRUTH:
        return None
    if chosen == LINKS:
        assert linked is not None
        return linked, BELONGS
    column = chosen.partition(":")[2]
    labels = np.array(labels_of(ready, column), dtype=object)
    names = sorted({label for label in labels.tolist() if label})
    first = _label_of(query, labels, names)
    value = state.pick_option("Right is", {name: name for name in names}, key="retrieve_right", default=first)
    are = labels == value
    if of == "text":
        right = np.zeros(m, dtype=bool)
        right[ready.links[are[ready.links[:, 0]], 1]] = True
        return right, value
    return are, value


def _label_of(query: Query, labels: np.ndarray, names: Sequence[str]) -> str:
    """The label that a query seems to be about: its first image's, else the first that its words say."""
    for kind, row, part in zip(query.kinds, query.rows, query.parts):
        if kind == IMAGE and part.weight > 0 and labels[row]:
            return str(labels[row])
    said = " ".join(text for text, part in zip(query.texts, query.parts) if part.weight > 0).lower()
    return next((name for name in names if name.lower() in said), names[0])


def _linked(ready: Ready, query: Query, of: Modality) -> np.ndarray | None:
    """(m,) bool, what is linked to the items of the other modality that are added; None where there is none."""
    kind = "text" if of == "image" else IMAGE
    rows = [row for row, what, part in zip(query.rows, query.kinds, query.parts)
            if what == kind and row >= 0 and part.weight > 0]
    if not rows or not len(ready.links):
        return None
    a, b = (1, 0) if of == "image" else (0, 1)
    part = ready.images if of == "image" else ready.texts
    right = np.zeros(0 if part is None else len(part), dtype=bool)
    right[ready.links[np.isin(ready.links[:, a], rows), b]] = True
    return right if right.any() else None
