"""Captions of many images at once: long work that is stopped and gone on with, and a table that opens as data."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures.frame import among
from core.geometry.neighbours import percentile
from core.language.words.many import Captioned, as_table, caption_each
from core.language.words.scored import Search, Target
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.caption_how import How
from core.streamlit_app.words.caption_what import own_captions
from core.types import fingerprint

SLOT, MORE = "caption.each", "caption.each.more"
MOST_IMAGES = 2_000
TILES = 12


def show(settings: Settings, ready: Ready, how: How) -> None:
    """How many, the button, the progress, and what was found so far."""
    images = ready.images
    assert images is not None
    n = len(images)
    if n < 2:
        panels.notice("Captions of images are held against other images: open two or more.", "warning")
        return
    most = min(n, MOST_IMAGES)
    count = state.pick_number("Images to caption, drawn from all that is shown", 1, most, key="caption_count",
                              default=min(most, 100))
    rows = sorted(np.random.default_rng(settings.seed).choice(n, count, replace=False).tolist())
    key = fingerprint("caption many", images.model.fingerprint, ready.key, rows, how.key)
    asked = st.session_state.get("caption.many.asked") == key
    if not asked and st.button("Caption them", key="caption.many", icon=":material/play_arrow:", type="primary"):
        st.session_state["caption.many.asked"] = key
        asked = True
    if not asked:
        return
    more: tuple[str, int, Captioned] | None = st.session_state.get(MORE)
    before, times = (more[2], more[1]) if more is not None and more[0] == key else (None, 0)

    def run(on_progress: work.Progress, should_stop: work.Stop) -> Captioned:
        texts = how.texts()

        def search(target: Target, stop: work.Stop) -> Search:
            return how.run(target, texts, None, lambda share, text: None, stop)

        return caption_each(images.vectors, images.ids, rows, search, seed=settings.seed, before=before,
                            on_progress=on_progress, should_stop=should_stop)

    found: Captioned | None = work.result_here(SLOT, f"{key}:{times}", run, long=True)
    if found is None:
        return
    if not found.finished:
        panels.notice(f"Stopped: {len(found.captions):,} of {len(rows):,} images have a caption.")
        if st.button("Go on", key="caption.many.on", icon=":material/play_arrow:"):
            st.session_state[MORE] = key, times + 1, found
            st.rerun()
    _found(ready, found, rows)


def _found(ready: Ready, found: Captioned, rows: list[int]) -> None:
    """Pictures with their captions, the least fitting first, the table and what can be kept of it."""
    captions = found.captions
    own = own_captions(ready, tuple(rows))
    table = as_table(found, own)
    cosines = np.array([c.cosine for c in captions])
    told = np.array([c.information for c in captions])
    pairs = cached.unmatched(ready.key, "image", "text", ready)
    above = f", above {among(percentile(float(np.median(cosines)), pairs), len(pairs))} unmatched pairs" \
        if len(pairs) else ""
    ranks = [f" · p{percentile(float(c), pairs):.1f}" if len(pairs) else "" for c in cosines]
    st.text(f"{len(captions):,} captions: cosine {np.median(cosines):.3f} in the median{above}, {cosines.min():.3f} to "
            f"{cosines.max():.3f}; {np.median(told):.2f} nats of at most {np.log(found.references):.2f} (N = "
            f"{found.references:,}).")
    order = np.argsort(told, kind="stable")[:TILES]
    st.caption("Those that tell least of their image come first."
               + (" p: percentile of the cosine among unmatched pairs." if len(pairs) else ""))
    panels.gallery([(ready.pictures.small(rows[i]), found.ids[i],
                     f"{captions[i].text} (cosine {captions[i].cosine:.3f}{ranks[i]}; "
                     f"{captions[i].information:.2f} nats)") for i in order], key="caption.gallery")
    st.dataframe(table, hide_index=True, height=320, key="caption.each.rows")
    with st.container(horizontal=True):
        ui.download_table(lambda: table, "captions-of-images", label="Captions (CSV)")
        st.button("Keep these images", key="caption.each.keep", icon=":material/bookmark_add:", on_click=keep,
                  args=(ready, f"{len(captions)} captioned images", list(found.ids[:len(captions)]), "captioned"))
    st.caption("The CSV opens as a table of captions: bring it together with the images of the same names.")
