"""What a search for a caption found: its score, its steps, its way over the sphere, its candidates; keeping it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.frame import among
from core.figures.scenes.embedding import fidelity_in_words
from core.figures.words import captions as figures
from core.geometry.directions import angle
from core.geometry.maps.registry import MAPS, FittedMap, available, fit_map
from core.geometry.neighbours import percentile
from core.language.words.by_grammar import SOLIDS_AT_ONCE, Statement, swapped
from core.language.words.scored import Caption, Search, Texts
from core.sources.solids.wrong_attributes import said_in, with_one_wrong
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.data.selections import keep as keep_selection
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.streamlit_app.words.caption_how import How
from core.streamlit_app.words.caption_what import What
from core.types import fingerprint

VIEW, CAMERA = "caption.sphere", "caption_camera"
KEPT = "caption.kept"
WRONG = 12
MOST_ON_SPHERE = 4_000


@dataclass(frozen=True, eq=False)
class Beside:
    """Captions to hold the found one against.

    Attributes
    ----------
    true : the caption that the image came with, None where it has none.
    wrong : the found caption with one attribute changed; empty where it says nothing of the built-in world.
    other : the same solids from right to left; None for one solid.
    """

    true: Caption | None
    wrong: tuple[Caption, ...]
    other: Caption | None


def say(ready: Ready, what: What, found: Search) -> None:
    """The caption, its scores, its percentile, and the caption that the image came with."""
    caption = found.found
    st.html(f'<div class="orrery-h">{panels.text_html(caption.text)}</div>')
    pairs = cached.unmatched(ready.key, "image", "text", ready)
    one = len(what.rows) == 1
    rows = [("cosine" if one else "mean cosine", f"{caption.cosine:.3f}" + ("" if not len(pairs) else f", above "
             f"{among(percentile(caption.cosine, pairs), len(pairs))} {'' if one else 'single '}unmatched pairs")),
            ("tells", f"{caption.information:.2f} nats of at most {np.log(found.references):.2f} (pointwise mutual "
                      f"information, N = {found.references:,} images)"),
            ("fluency", f"{caption.fluency:.2f} nats a word"),
            ("says", f"{caption.said} {'attributes' if found.attributes else 'words'}" + _solids(found))]
    if what.own:
        rows.append(("its own caption", what.own))
    with st.container(key="caption.found"):
        panels.facts(rows)
    if caption.information < 0:
        most = found.by_information
        panels.notice(f"{'This image fits' if one else 'These images together fit'} the caption less well than the "
                      f"references do on average (below 0 nats): it does not describe "
                      f"{'it' if one else 'what they share'}. Of all looked at “{most.text}” tells most, "
                      f"{most.information:.2f} nats.", "warning")


def _solids(found: Search) -> str:
    """Of how many solids a caption of the grammar speaks, and where that is chosen."""
    statement = found.state[0] if found.state else None
    if not isinstance(statement, Statement):
        return ""
    n = len(statement.solids)
    return f" of {n} solid{'s' * (n != 1)} (up to {SOLIDS_AT_ONCE[-1]}: Dials)"


def show(settings: Settings, ready: Ready, what: What, how: How, found: Search) -> None:
    """Steps, sphere, candidates and the table."""
    beside = _beside(what, how, found)
    steps = len(found.best)
    at = state.pick_number("Step", 1, steps, key="caption_step", default=steps) - 1 if steps > 1 else 0
    st.text(f"Step {at + 1} of {steps}, {found.did[at]}: {found.best[at].text}")
    left, right = st.columns(2, gap="medium")
    with left:
        _sphere(settings, what, found, beside, at, how)
    with right:
        ui.show(figures.course(found, beside.true, at=at, dark=ui.dark()), key="caption.course",
                how_to_read=figures.COURSE_CAPTION, table=partial(figures.course_table, found))
    if beside.other is not None:
        panels.notice(f"The same solids from right to left: cosine {beside.other.cosine:.3f} against "
                      f"{found.found.cosine:.3f}. Which of the two is higher is at chance in this model.")
    groups = {"its own caption": [beside.true] if beside.true else [], "one attribute wrong": beside.wrong}
    pairs = cached.unmatched(ready.key, "image", "text", ready)
    shares = [percentile(c.cosine, pairs) for c in found.candidates] if len(pairs) else None
    table = figures.candidates_table(found, shares)
    ui.show(figures.candidates(found, {name: some for name, some in groups.items() if some}, dark=ui.dark()),
            key="caption.candidates", how_to_read=figures.CANDIDATES_CAPTION, table=lambda: table)
    with st.expander(f"{len(table):,} candidates", key="caption.table"):
        st.dataframe(table, hide_index=True, height=320, key="caption.rows")


def _beside(what: What, how: How, found: Search) -> Beside:
    """Made once for a search; it needs the model's texts again, for few captions."""

    def make() -> Beside:
        texts: Texts = how.texts()
        rng, text = np.random.default_rng(what.seed), found.found.text
        changed = [with_one_wrong(text, rng) for _ in range(WRONG)] if found.attributes and said_in(text) else []
        wrong = list(dict.fromkeys(one[0] for one in changed if one))
        statement = found.state[0] if found.state else None
        two = statement if isinstance(statement, Statement) and len(statement.solids) > 1 else None
        scored: Callable[[list[str]], tuple[Caption, ...]] = lambda some: what.target.scored(some, texts)  # noqa: E731
        return Beside(scored([what.own])[0] if what.own else None, scored(wrong),
                      scored([swapped(two).text])[0] if two else None)

    made: Beside = cached.results().of(fingerprint("beside", found.fingerprint, what.target.fingerprint, what.own,
                                                   how.key), make)
    return made


def _sphere(settings: Settings, what: What, found: Search, beside: Beside, at: int, how: How) -> None:
    """The caption's way towards the image, among the images of what is open."""
    ready = what_is_shown(what.ready, MOST_ON_SPHERE)
    images = ready.images
    assert images is not None and what.ready.images is not None
    shown = {name: row for row, name in enumerate(images.ids)}
    rows = [shown[name] for name in (what.ready.images.ids[row] for row in what.rows) if name in shown]
    possible = [key for key in available(ready.vectors.shape[1], both=ready.has_both) if MAPS[key].needs != "axes"]
    first = "pca_centred_each" if ready.has_both else "pca_centred"
    method = state.pick_option("Map", {key: MAPS[key].title for key in possible}, key="caption_map", default=first)
    vectors, texts = ready.vectors, ready.are_texts

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(vectors, method, texts=texts, seed=settings.seed, on_progress=on_progress,
                       should_stop=should_stop)

    placed: FittedMap = work.result_of(fingerprint("map", ready.key, method, settings.seed, None), fit)
    coords = placed.place(found.vectors, np.ones(len(found.vectors), dtype=bool))
    true = None
    if what.own:
        true = placed.place(cached.prompt_vectors(images.model.fingerprint, (what.own,), settings.model_id),
                            np.ones(1, dtype=bool))[0]
    places = placed.map.coords[:len(images)]
    note = f"Map: {MAPS[method].title}. {fidelity_in_words(placed.map)} {_on_map(found, coords, places, rows)}".strip()
    key = fingerprint("caption way", ready.key, placed.map.fingerprint, found.fingerprint, rows, at, what.own)
    scene = cached.scene(key, lambda: figures.path(found, coords, places, images.ids, rows, at=at, note=note, true=true,
                                                   thumbnails=ready.pictures))
    events = sphere_view(scene, key=VIEW, height=520, picked=len(images) + at, dark=ui.dark(), facing=coords[at],
                         data=fingerprint(ready.key, rows), camera=st.query_params.get(CAMERA) or None)
    st.caption("Arrows: from step to step; the ringed point is the step chosen above. The gap between images and "
               "captions stays: no caption arrives at its image. Drag to turn.")
    if events.camera:
        state.write_url(CAMERA, events.camera)


def _on_map(found: Search, coords: np.ndarray, places: np.ndarray, rows: list[int]) -> str:
    """How far the map keeps whether steps come nearer, in words."""
    from scipy.stats import spearmanr

    if len(found.best) < 4 or not rows:
        return ""
    middle = places[rows].sum(axis=0)
    if not np.linalg.norm(middle) > 0:
        return ""
    seen = np.cos(angle(coords, middle / np.linalg.norm(middle)))
    true = np.array([c.cosine for c in found.best])
    if not np.ptp(seen) > 0 or not np.ptp(true) > 0:
        return ""
    return f"Nearness of the steps, on the map against the true one: Spearman " \
           f"{spearmanr(true, seen).statistic:.2f} (n = {len(true)} steps, by chance 0)."


def keep(what: What, found: Search) -> None:
    """Buttons: the caption goes into this visit's table of captions, its images become a selection; the table."""
    table: dict[str, dict[str, object]] = st.session_state.setdefault(KEPT, {})
    assert what.ready.images is not None
    ids = [what.ready.images.ids[row] for row in what.rows]
    if st.button("Keep this caption", key="caption.keep", icon=":material/bookmark_add:"):
        c = found.found
        for name in ids:
            table[f"{what.ready.opened.key} {name}"] = {
                "image": name, "caption": c.text, "cosine": c.cosine, "information_nats": c.information,
                "fluency_nats": c.fluency, "of": f"{len(ids)} images" if len(ids) > 1 else "one image"}
        keep_selection(what.ready, f"Captioned: {c.text}", ids, f"captioned “{c.text}”")
    if table:
        ui.download_table(lambda: pd.DataFrame(table.values()), "captions", label=f"Captions kept ({len(table):,})")
