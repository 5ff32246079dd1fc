"""What images are asked: classes from labels, a list, ImageNet or vectors made elsewhere, and the scores they get."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.geometry.classification import Classification
from core.language.words.prompts import ClassTexts, encode_classes, most_images, truth_of
from core.streamlit_app import cached, panels, state, work
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.python import points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words import class_lists
from core.streamlit_app.words.data import encoder_of
from core.types import EmbeddingSet, fingerprint

USUAL_IMAGES = 10_000
NONE = "-"      # in the address, where no column of labels is chosen


@dataclass(frozen=True, eq=False)
class Asked:
    """Images, classes and scores.

    Attributes
    ----------
    images : those that are asked, a seeded sample where there are too many.
    rows : (n,) int64, their rows among what is open.
    named : the classes and the log scores of each image, at the model's own temperature.
    vectors : (k, d) float32 unit, the classes on the sphere; None for a model with scores of its own.
    temperature : of the model; 1 for one with scores of its own.
    column : of labels, "" where there are none.
    encoder, texts : the model and what it reads; None for vectors made elsewhere.
    key : no other asking has it.
    imports, lines : Python that makes ``images``, ``labels`` and ``named``.
    """

    images: EmbeddingSet
    rows: np.ndarray
    named: Classification
    vectors: np.ndarray | None
    temperature: float
    column: str
    encoder: Encoder | None
    texts: ClassTexts | None
    key: str
    imports: tuple[str, ...]
    lines: tuple[str, ...]


def pick(settings: Settings, ready: Ready) -> Asked | None:
    """The widgets of what is asked, and the scores; None, which is said, where nothing can be asked."""
    assert ready.images is not None
    elsewhere = ready.opened.dataset is None
    with st.expander("Classes and prompts", icon=":material/category:", expanded=True, key="zero.asked"):
        brought = class_lists.pick_vectors(ready.images) if elsewhere else None
        written = None if elsewhere else class_lists.pick_prompts(settings, ready)
        if brought is None and written is None:
            return None
        k = len(brought.names) if brought is not None else len(written.classes) if written is not None else 0
        column = "" if written is None else written.column
        left, right = st.columns([1.3, 1], gap="medium")
        if not column:
            with right:
                column = _truth(ready, brought.names if brought is not None else
                                written.classes.labels if written is not None else ())
        with left:
            rows = _sample(settings, len(ready.images), k)
    labels = labels_of(ready, column) if column else [""] * len(ready.images)
    key = fingerprint("zero", ready.images.fingerprint, rows, column, labels if column else "")
    imports, lines = _images_lines(settings, ready, column, rows)
    images = ready.images if len(rows) == len(ready.images) else ready.images.take(rows)
    own = [labels[row] for row in rows.tolist()]
    if brought is not None:
        found = _of_vectors(images, own, brought, key)
        return Asked(images, rows, found, brought.vectors, brought.temperature, column, None, None,
                     fingerprint(key, brought.vectors, brought.names, brought.temperature),
                     (*imports, *brought.imports), (*lines, *brought.lines))
    assert written is not None
    encoder = encoder_of(settings, ready)
    assert encoder is not None
    of_texts = fingerprint("zero.texts", encoder.spec.fingerprint, encoder.dtype, written.classes.labels,
                           written.classes.called, written.templates)

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> ClassTexts:
        return encode_classes(encoder, written.classes, written.templates, on_progress=on_progress,
                              should_stop=should_stop)

    texts: ClassTexts = work.result_of(of_texts, encode)
    _say(texts, written.templates)
    key = fingerprint(key, of_texts)

    def score(on_progress: work.Progress, should_stop: work.Stop) -> Classification:
        on_progress(0.0, "Scoring the images")
        return Classification(texts.classes, texts.logits(encoder, images), truth_of(own, texts.classes))

    found = work.result_of(key, score)
    if encoder.probability_name:
        st.caption(f"Probabilities are here the softmax of this model's scores over the classes asked: they say which "
                   f"of them, not whether any. Its own are {encoder.probability_name}.")
    own_scale = math.isfinite(encoder.logit_scale)
    return Asked(images, rows, found, texts.ensemble if texts.vectors is not None else None,
                 1 / encoder.logit_scale if own_scale else 1.0, column, encoder, texts, key,
                 (*imports, *written.imports), (*lines, *written.lines))


def _of_vectors(images: EmbeddingSet, labels: list[str], brought: class_lists.Brought, key: str) -> Classification:
    def score() -> Classification:
        logits = (images.vectors @ brought.vectors.T / np.float32(brought.temperature)).astype(np.float32)
        return Classification(brought.names, logits, truth_of(labels, brought.names))

    found: Classification = cached.results().of(
        fingerprint(key, "vectors", brought.vectors, brought.names, brought.temperature), score)
    return found


def _truth(ready: Ready, names: tuple[str, ...]) -> str:
    """The column whose labels are the truth; "" for none."""
    columns = label_columns(ready, class_lists.MOST_CLASSES)
    known = set(names)
    shares = {c: len(known & set(labels_of(ready, c))) for c in columns}
    best = max(shares, key=lambda c: shares[c]) if shares and max(shares.values()) else NONE
    options = {NONE: "none: no accuracy"} | {c: f"{c} ({shares[c]:,} labels are classes)" for c in columns}
    chosen = state.pick_option("Labels of the images", options, key="zero_truth", default=best)
    return "" if chosen == NONE else chosen


def _sample(settings: Settings, n: int, k: int) -> np.ndarray:
    most = min(n, most_images(k))
    asked = state.pick_number("Images", 1, most, key="zero_n", default=min(most, USUAL_IMAGES), help=(
        "A seeded sample of all; with many classes fewer are scored at once.")) if most > 1 else 1
    if asked >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(settings.seed).permutation(n)[:asked])


def _say(texts: ClassTexts, templates: tuple[str, ...]) -> None:
    """What the model does not know, and what it does not see of the prompts."""
    if texts.unknown:
        panels.notice(f"Words that the model does not know: {', '.join(texts.unknown[:8])}"
                      f"{' and more' if len(texts.unknown) > 8 else ''}. What it makes of such a class means nothing.",
                      "warning")
    if texts.cut:
        panels.notice(f"{texts.cut:,} of {len(texts.classes) * len(templates):,} prompts are longer than the model "
                      "reads: their ends are not seen.", "warning")
    if texts.refused:
        with st.expander(f"{len(texts.refused):,} classes are left out: the model knows nothing of them",
                         icon=":material/report:", key="zero.refused"):
            panels.refused_table(texts.refused, key="zero.refused.table")


def _images_lines(settings: Settings, ready: Ready, column: str, rows: np.ndarray) -> tuple[list[str], list[str]]:
    assert ready.images is not None
    imports, lines = points_lines(settings, ready)
    lines = [*lines, "images = points.images"]
    if len(rows) < len(ready.images):
        imports = [*imports, "import numpy as np"]
        lines.append(f"images = images.take(np.sort(np.random.default_rng({settings.seed})"
                     f".permutation(len(images))[:{len(rows)}]))")
    lines.append(f"labels = images.table[{column!r}].fillna('').astype(str).tolist()" if column else
                 "labels = [''] * len(images)")
    return imports, lines
