"""What one head writes: the texts whose directions span it, and the pictures along the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.attention.foveal.captions import text_vectors
from core.attention.foveal.spans import LEAST_IMAGES, TextSpans, contributions, text_spans
from core.errors import Cancelled, UnreadableItem
from core.figures.foveal import heads as figures
from core.language.world_evaluation import BARE
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.state import Settings
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_IMAGES = 200
ENDS = 5             # pictures at each end of the first text
CHUNK = 64
NAMED = "a photo of a {}"


@dataclass(frozen=True, eq=False)
class Spanned:
    """A head's texts, and which pictures of what is open they were measured on, by their rows."""

    spans: TextSpans
    rows: tuple[int, ...]


def show(settings: Settings, data: FovealData, head: tuple[int, int]) -> None:
    """The text spans of a head over the pictures that are open."""
    st.subheader(f"What {figures.named(head)} writes", anchor=False)
    dataset = data.opened.dataset
    if dataset is None or dataset.images is None or len(dataset.image_ids) < LEAST_IMAGES:
        panels.notice(f"How what a head writes differs is told from {LEAST_IMAGES} pictures or more: open some.")
        return
    texts, source = vocabulary(data)
    with st.container(width=300):
        count = state.pick_number("Texts", 1, 10, key="span_texts", default=5)
    key = fingerprint("heads.spans", data.opened.key, data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype,
                      head, texts, count, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Spanned:
        rows, images = _pictures(data, settings.seed)
        added = contributions(data.tower, images, [head], should_stop=should_stop,
                              on_progress=lambda done, text: on_progress(0.6 * done, text)).heads[:, 0]
        vectors = _vectors(data, texts, on_progress, should_stop)
        return Spanned(text_spans(added, texts, vectors, count=count, seed=settings.seed), rows)

    found: Spanned | None = work.result_beside(key, measure)
    if found is None:
        return
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        ui.show(figures.spans(found.spans, head, dark=ui.dark()), key="foveal.spans",
                table=lambda: figures.spans_table(found.spans), how_to_read=(
            f"What the head adds directly to the embedding, over {len(found.rows):,} pictures: of {len(texts):,} texts "
            f"({source}) the one along which it varies most, then the next of what is left. Half of the pictures "
            "choose the texts, the other half says how much they explain. Strokes: as many directions chosen the same "
            "way from as many random ones. Whiskers: 95 % intervals by pictures."))
    with right:
        _ends(data, found)


def vocabulary(data: FovealData) -> tuple[tuple[str, ...], str]:
    """Texts that the model can read, and where they come from: the world's words, or class names and the prompts."""
    from core.encoding.nouns import class_names

    if data.tower.encoder.known_words:
        return tuple(text for values in BARE.values() for text in values.values()), "the world's words"
    named = [NAMED.format(name) for name in class_names()]
    return tuple(dict.fromkeys([*named, *data.prompts])), "ImageNet's class names and the prompts"



def _pictures(data: FovealData, seed: int) -> tuple[tuple[int, ...], list[Image]]:
    """Rows and pictures of a sample of what is open; those that cannot be read are left out."""
    dataset = data.opened.dataset
    assert dataset is not None
    assert dataset.images is not None
    n = len(dataset.image_ids)
    rows, images = [], []
    for row in sorted(np.random.default_rng(seed).choice(n, min(n, MOST_IMAGES), replace=False).tolist()):
        try:
            images.append(dataset.images.decode(row))
        except UnreadableItem:
            continue
        rows.append(row)
    return tuple(rows), images


def _vectors(data: FovealData, texts: Sequence[str], on_progress: work.Progress, should_stop: work.Stop) -> np.ndarray:
    found: dict[str, np.ndarray] = {}
    for start in range(0, len(texts), CHUNK):
        if should_stop():
            raise Cancelled(f"{start:,} of {len(texts):,} texts")
        on_progress(0.6 + 0.4 * start / len(texts), f"Text {start + 1:,} of {len(texts):,}")
        found |= text_vectors(data.tower, texts[start:start + CHUNK])
    return np.stack([found[text] for text in texts])


def _ends(data: FovealData, found: Spanned) -> None:
    """The pictures for which the head writes most along its first text, and least."""
    dataset = data.opened.dataset
    assert dataset is not None
    assert dataset.images is not None
    along, text = found.spans.along[:, 0], panels.plain(found.spans.texts[0], 60)
    order = np.argsort(-along, kind="stable")
    for which, title, name in ((order[:ENDS], f"Most along “{text}”", "most"),
                               (order[::-1][:ENDS], "Least", "least")):
        st.caption(title)
        panels.gallery([(dataset.images.decode(found.rows[i]), dataset.image_ids[found.rows[i]], f"{along[i]:+.2f}")
                        for i in which.tolist()], key=f"foveal.spans.{name}")
