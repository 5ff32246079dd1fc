"""Why 0.25: one cosine taken apart, of a text that is typed or chosen and an image, or of two prompts."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.figures.gap import explained as figures
from core.geometry.gap.explain import explain_cosine
from core.geometry.gap.reports import CosineParts
from core.geometry.pairs import Pairs
from core.streamlit_app import cached, panels, state, ui
from core.streamlit_app.data.card import image_card
from core.streamlit_app.data.image_prompt import pick_image
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.gap import python, sentences
from core.streamlit_app.gap.data import GapData, Side
from core.streamlit_app.state import Settings

WHAT = {"typed": "A text of yours and an image", "pair": "A text and an image of the data", "prompts": "Two prompts"}
_LONGEST_NAME = 70


def show(settings: Settings, data: GapData) -> None:
    """The choice of two items, what their cosine is made of, and what that says."""
    st.markdown("Right pairs of a large CLIP lie at 0.2 to 0.35, and people ask why. Take any two items: here is where "
                "their cosine comes from, and what it is worth among others of this model and these data.")
    kinds = WHAT if data.ready.opened.vectors is None else {"pair": WHAT["pair"]}
    what = state.pick_option("Cosine of", kinds, key="why", widget="segments", label_visible=False)
    left, right = st.columns([1, 1.5], gap="large")
    with left:
        first, second = {"typed": _typed, "pair": _pair, "prompts": _prompts}[what](settings, data)
    if first is None or second is None:
        return
    parts = explained(data, first, second, texts_only=what == "prompts", seed=settings.seed)
    with right:
        for sentence in sentences.explained_in_words(parts, texts_only=what == "prompts"):
            st.markdown(panels.plain(sentence, 1000))
        ui.show(figures.explained(parts, image=first.name, text=second.name, texts_only=what == "prompts",
                                  dark=ui.dark()), key="gap.why",
                how_to_read="Each item is its modality's mean plus what is special about it; the cosine is the sum of "
                            "the four products. Below: the share of other cosines that are lower.",
                table=lambda: figures.explained_table(parts))
    ui.copy_as_python(python.why(settings, data, first, second, what))


def explained(data: GapData, first: Side, second: Side, *, texts_only: bool, seed: int) -> CosineParts:
    """Why the cosine is what it is; of two texts, both stand among the texts of the data."""
    if not texts_only:
        return explain_cosine(first.vector, second.vector, data.pairs, seed=seed)
    texts = data.pairs.texts
    parts = explain_cosine(first.vector, second.vector, Pairs.row_by_row(texts, texts), seed=seed)
    return replace(parts, percentile_matched=float("nan"), n_matched=0)


def _typed(settings: Settings, data: GapData) -> tuple[Side | None, Side | None]:
    first_caption = data.ready.captions[0] if data.ready.captions else "a photo of a cat"
    text = state.pick_text("Your text", key="why_text", default=first_caption[:300], max_chars=2_000)
    image = _image(settings, data, upload=True)
    return image, _prompt(settings, text)


def _prompts(settings: Settings, data: GapData) -> tuple[Side | None, Side | None]:
    built_in = settings.model_id == "builtin"
    first = state.pick_text("First prompt", key="why_text", default="a red cube" if built_in else "a photo of a cat",
                            max_chars=2_000)
    second = state.pick_text("Second prompt", key="why_other", max_chars=2_000,
                             default="a blue torus" if built_in else "a photo of a dog")
    return _prompt(settings, first), _prompt(settings, second)


def _pair(settings: Settings, data: GapData) -> tuple[Side | None, Side | None]:
    image = _image(settings, data, upload=False)
    assert image is not None and image.row is not None and data.ready.texts is not None
    own = data.pairs.links[data.pairs.links[:, 0] == image.row, 1]
    ids = data.ready.texts.ids
    first = ids[int(own[0])] if len(own) else ids[0]
    own_ids = {ids[int(i)] for i in own}
    captions = dict(zip(ids, data.ready.captions))
    options = {name: "its own: " * (name in own_ids) + captions[name][:_LONGEST_NAME]
               for name in dict.fromkeys([*sorted(own_ids), *ids])}
    name = state.pick_option("Text", options, key="why_caption", default=first)
    row = ids.index(name)
    st.html(f'<div class="orrery-card"><blockquote>{panels.text_html(captions[name], 600)}</blockquote></div>')
    return image, Side(captions[name], data.pairs.texts[row], row)


def _image(settings: Settings, data: GapData, *, upload: bool) -> Side | None:
    assert data.ready.images is not None
    ids = data.ready.images.ids
    name = state.pick_option("Image", {i: i[:_LONGEST_NAME] for i in ids}, key="why_image")
    if upload:
        found = pick_image(settings, "Or an image of yours")
        if found is not None:
            st.image(found.picture, width="content", caption=panels.plain(found.name, 90))
            return Side(found.name, found.vector[0])
    row = ids.index(name)
    image_card(data.ready, row, name)
    return Side(name, data.pairs.images[row], row)


def _prompt(settings: Settings, text: str) -> Side | None:
    text = text.strip()
    if not text:
        panels.notice("Type a text to compare.")
        return None
    encoder = cached.encoder(settings.model_id)
    say_unknown(settings.model_id, text)
    return Side(text, cached.prompt_vectors(encoder.spec.fingerprint, (text,), settings.model_id)[0])
