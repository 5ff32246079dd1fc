"""One image: its first classes with probability, cosine and percentile, and which templates and words decide."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures.words import decided as figures
from core.figures.words.named import one_image
from core.geometry.classification import probabilities
from core.geometry.neighbours import unmatched_cosines
from core.language.words.deciding import Decided, decide
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import Asked
from core.streamlit_app.words.data import pick_image
from core.types import fingerprint

SHOWN = 8


def show(settings: Settings, ready: Ready, asked: Asked) -> None:
    """The image, its classes, and why they stand as they do."""
    assert ready.images is not None
    named = asked.named
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        row = pick_image(ready)
    logits, values, what = _scores(ready, asked, row)
    order = np.argsort(-logits, kind="stable")
    shown = order[:SHOWN].tolist()
    label = _label(ready, asked, row)
    if label is not None and label not in shown:
        shown[-1 if len(shown) == SHOWN else len(shown):] = [label]
    unmatched = _unmatched(asked)
    below = 100 * np.searchsorted(unmatched, values[shown]) / max(len(unmatched), 1)
    with right:
        ui.show(one_image([named.classes[k] for k in shown], probabilities(logits[None])[0][shown], below,
                          values[shown], what, None if label is None else shown.index(label), dark=ui.dark()),
                key="zero.image", how_to_read=_how_to_read(asked, what, len(unmatched)))
    if asked.texts is None or asked.encoder is None:
        panels.notice("Which words and templates decide can be told where a model reads them; here the classes are "
                      "vectors, made elsewhere.")
    elif len(order) > 1:
        _why(ready, asked, row, order)
    here = np.flatnonzero(asked.rows == row)
    if len(here):
        ui.copy_as_python(as_code([*asked.imports, "from core.geometry.classification import probabilities"], [
            *asked.lines, f"row = {int(here[0])}", "order = (-named.logits[row]).argsort()[:8]",
            "given = probabilities(named.logits[[row]])[0]",
            "print({named.classes[k]: given[k] for k in order})"]))


def _scores(ready: Ready, asked: Asked, row: int) -> tuple[np.ndarray, np.ndarray, str]:
    """(k,) log scores of one image, (k,) what is shown of it, and what that is called."""
    assert ready.images is not None
    one = ready.images.take([row])
    if asked.vectors is not None:
        cosines = (one.vectors @ asked.vectors.T)[0]
        return cosines.astype(np.float64) / asked.temperature, cosines, "cosine"
    assert asked.encoder is not None and asked.texts is not None
    return (asked.texts.logits(asked.encoder, one)[0].astype(np.float64),
            asked.encoder.scores(one.vectors, one.norms, list(asked.texts.texts[0]))[0], "score")


def _label(ready: Ready, asked: Asked, row: int) -> int | None:
    assert ready.images is not None
    if not asked.column:
        return None
    label = " ".join(str(ready.images.table[asked.column].iloc[row]).split())
    return asked.named.classes.index(label) if label in asked.named.classes else None


def _unmatched(asked: Asked) -> np.ndarray:
    """Sorted cosines, or scores of the model's own, of images with classes that are not theirs."""
    named = asked.named
    links = np.stack([named.known, named.truth[named.known]], axis=1)

    def make() -> np.ndarray:
        if asked.vectors is not None:
            return unmatched_cosines(asked.images.vectors, asked.vectors, links)
        assert asked.encoder is not None and asked.texts is not None
        scores = asked.encoder.scores(asked.images.vectors, asked.images.norms, list(asked.texts.texts[0]))
        scores[links[:, 0], links[:, 1]] = np.nan
        return np.sort(scores[np.isfinite(scores)])

    found: np.ndarray = cached.results().of(fingerprint("zero.unmatched", asked.key), make)
    return found


def _how_to_read(asked: Asked, what: str, n: int) -> str:
    which = ("images with classes that are not theirs" if len(asked.named.known) else
             "all images with all classes, since no labels say which belong together")
    return (f"Probability among the classes asked here; beside it the {what} of the image with the class, and what "
            f"share of {n:,} unmatched pairs ({which}) lies below. A low cosine can be a high one here: compare by "
            "the percentile. The label, where there is one, has the colour of texts.")


def _why(ready: Ready, asked: Asked, row: int, order: np.ndarray) -> None:
    encoder, texts, named = asked.encoder, asked.texts, asked.named
    assert encoder is not None and texts is not None and ready.images is not None
    first = int(order[0])
    others = {str(k): panels.plain(named.classes[int(k)], 60) for k in order[1:SHOWN].tolist()}
    second = int(state.pick_option(f"Why “{panels.plain(named.classes[first], 60)}”, and not", others,
                                   key="zero_against"))
    images = ready.images

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Decided:
        on_progress(0.0, "Taking words out of the prompts")
        return decide(encoder, texts, images, row, first, second)

    found: Decided = work.result_of(fingerprint("zero.why", asked.key, images.fingerprint, row, first, second), measure)
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        ui.show(figures.words(found, named.classes, dark=ui.dark()), key="zero.words", how_to_read=figures.CAPTION,
                table=lambda: figures.words_table(found))
    with right:
        panels.wrapped_table(figures.templates_table(found, texts.templates, named.classes))
        st.caption("Log odds of the two classes by each template alone, at the model's temperature.")
