"""Caption: a sentence is searched for towards an image or several, and its way is shown."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.words import captions as figures
from core.language.words.captioned import TUNED_N, Contents, caption_figures, contents
from core.language.words.scenes import SCORED, TUNED
from core.language.words.scored import Search
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words import caption_found, caption_many
from core.streamlit_app.words.caption_how import How, pick_how
from core.streamlit_app.words.caption_what import What, pick_what
from core.streamlit_app.words.data import reader_of
from core.types import Number, fingerprint

VIEWS = {"one": "Search", "many": "Caption many", "measured": "How good it is"}
SLOT, MORE = "caption.search", "caption.more"
SCENES = 300
MEASURED = ("{n:,} scenes of one solid of combinations that training never showed (seed {scored}); the beam was chosen "
            "on {tuned:,} others (seed {seed}). Each attribute, all: said right; all by pmi: by a beam that ranks by "
            "pointwise mutual information. Score (cosine) and pmi: of the caption found, the true one, the best of "
            "100 random ones of six attributes, the true one with one attribute wrong; by chance: the mean random "
            "caption. Over: the caption found less these, on the same scenes.")


def show(settings: Settings, ready: Ready) -> None:
    """One caption, captions of many images, or how often they are right."""
    encoder = reader_of(settings, ready)
    if encoder is None:
        return
    if ready.images is None or not len(ready.images):
        panels.notice("No images are open: there is nothing to caption.", "warning")
        return
    view = state.pick_option("View", VIEWS, key="caption_view", widget="segments", label_visible=False)
    if view == "measured":
        _measured(settings, encoder)
    elif view == "many":
        how = pick_how(settings, ready, encoder)
        if how is not None:
            caption_many.show(settings, ready, how)
    else:
        _one(settings, ready, encoder)


def _one(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    left, right = st.columns([1, 2.2], gap="medium")
    with left:
        what = pick_what(settings, ready)
        how = pick_how(settings, ready, encoder)
    with right:
        if how is None:
            return
        found = _searched(encoder, what, how)
        if found is None:
            return
        caption_found.say(ready, what, found)
        _go_on(found)
    caption_found.show(settings, ready, what, how, found)
    with st.container(horizontal=True):
        caption_found.keep(what, found)
        ui.copy_as_python(_python(settings, what, how))


def _searched(encoder: Encoder, what: What, how: How) -> Search | None:
    """The caption of what was chosen; it is there as soon as it is asked for, and where it was stopped so far."""
    key = fingerprint("caption", encoder.spec.fingerprint, what.target.fingerprint, how.key)
    more: tuple[str, int, Search] | None = st.session_state.get(MORE)
    before, times = (more[2], more[1]) if more is not None and more[0] == key else (None, 0)

    def run(on_progress: work.Progress, should_stop: work.Stop) -> Search:
        return how.run(what.target, how.texts(), before, on_progress, should_stop)

    st.session_state["caption.key"] = key
    return work.result_here(SLOT, f"{key}:{times}", run)


def _go_on(found: Search) -> None:
    if found.finished:
        return
    panels.notice(f"Stopped after {len(found.best)} steps; this is the best so far.")
    if st.button("Go on", key="caption.on", icon=":material/play_arrow:"):
        key = st.session_state["caption.key"]
        more = st.session_state.get(MORE)
        st.session_state[MORE] = key, (more[1] if more and more[0] == key else 0) + 1, found
        st.rerun()


def _measured(settings: Settings, encoder: Encoder) -> None:
    """Which score tells a good caption from a vague one, and what is right of those found, on held-out scenes."""
    if not encoder.known_words:
        panels.notice("This is measured on scenes of the built-in world, whose captions are known: choose the built-in "
                      "model.")
        return
    key = fingerprint("caption contents", encoder.spec.fingerprint, settings.seed)
    report: Contents | None = work.result_when_asked(
        key, f"Hold captions of one to six attributes against {SCENES} scenes", "caption.contents",
        lambda say, stop: contents(encoder, seed=settings.seed, n=SCENES, on_progress=say))
    if report is not None:
        ui.show(figures.contents(report, dark=ui.dark()), key="caption.contents.figure",
                how_to_read=figures.CONTENTS_CAPTION, table=partial(figures.contents_table, report))
    key = fingerprint("caption figures", encoder.spec.fingerprint, settings.seed)
    numbers: dict[str, Number] | None = work.result_when_asked(
        key, f"Caption {SCENES} held-out scenes (about half a minute)", "caption.figures",
        lambda say, stop: caption_figures(encoder, seed=settings.seed, n=SCENES, on_progress=say), long=True)
    if numbers is not None:
        table: pd.DataFrame = panels.numbers_table(
            {name.removeprefix("caption_").replace("_", " "): number for name, number in numbers.items()})
        with st.container(key="caption.numbers"):
            panels.wrapped_table(table)
        st.caption(MEASURED.format(n=SCENES, scored=SCORED + settings.seed, tuned=TUNED_N, seed=TUNED + settings.seed))
        ui.download_table(lambda: table, "caption-numbers")
    ui.copy_as_python(as_code(["from core.encoding.models import load_model",
                               "from core.language.words.captioned import caption_figures, contents"],
                              [f"model = load_model({settings.model_id!r})",
                               f"found = contents(model, seed={settings.seed})",
                               f"figures = caption_figures(model, seed={settings.seed})"]))


def _python(settings: Settings, what: What, how: How) -> str:
    imports, lines = points_lines(settings, what.ready)
    more, search = how.python
    rows = what.rows[0] if len(what.rows) == 1 else None
    chosen = f"[{rows}]" if rows is not None else str(list(what.rows))
    return as_code([*imports, "from core.language.words.scored import Target, Texts", *more],
                   [*lines, f"target = Target.among(points.images.vectors, {chosen}, seed={what.seed})", *search,
                    "print(found.found)"])
