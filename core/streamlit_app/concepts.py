"""What a direction on the sphere is in words: one panel for all pages that have something to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from core.encoding.registry import PHOTO
from core.errors import OrreryError, SourceError
from core.figures import concepts as figures
from core.geometry.concepts import LEAST_PENALTY, MOST_PENALTY, PENALTY, Said, explain
from core.geometry.maps.placing import part
from core.geometry.samples import spread_sample
from core.language.vocabularies import (
    MOST,
    TITLES,
    Concepts,
    Vocabulary,
    concepts_of,
    fitting,
    read_vocabulary,
    vocabulary,
)
from core.sources.vectors.opening import open_vectors
from core.streamlit_app import cached, panels, state, ui, uploads, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.types import EmbeddingSet, fingerprint

LIST, OWN = "concept_list", "concept.own"
OF_CLASSIFIER = ("The photo model reads no sentence: its words are rows of a classifier, taken from their mean, and "
                 "its images are told as sums of ImageNet's classes and the nouns above them.")
_WORD_FILES, _VECTOR_FILES = ("txt", "csv", "tsv"), ("npz", "npy", "parquet", "csv", "tsv")
_SHOWN_LEFT_OUT = 12


@dataclass(frozen=True, eq=False)
class Direction:
    """What is told in words.

    Attributes
    ----------
    sides : what it is called; two names where the way back is told too.
    items, against : (n, d) and (k, d) floats, the mean of the first is told as seen from that of the second.
    kind : as `core.geometry.concepts.explain` takes it.
    """

    sides: tuple[str, ...]
    items: np.ndarray
    against: np.ndarray
    kind: Literal["centred", "difference", "paired"] = "centred"

    @property
    def key(self) -> str:
        return fingerprint("direction", len(self.sides), self.items, self.against, self.kind)


def show_below(settings: Settings, ready: Ready | None, make: Callable[[], Direction | None], *, key: str,
               label: str = "In words", concepts: Callable[[], Concepts] | None = None) -> None:
    """The panel behind a switch; ``make`` is called once it is on.

    The words fit what is ``ready``, or are ``concepts``, for vectors of a space that no model here reads texts in.
    """
    if not state.pick_flag(label, key=f"{key}_words",
                           help="As a sparse sum of words (SpLiCE), beside chance."):
        return
    with panels.friendly_errors():
        direction = make()
        if direction is not None:
            show_concepts(settings, ready, direction, key=key, concepts=concepts() if concepts else None)


def show_concepts(settings: Settings, ready: Ready | None, direction: Direction, *, key: str,
                  concepts: Concepts | None = None, code: Callable[[float, str], str] | None = None
                  ) -> tuple[Said, ...] | None:
    """What a direction is in words: bars, the curve, a table; None where there are no words yet.

    ``key`` is the page's own; ``code`` gives the lines of Python for a penalty and the key of the list.
    """
    left, right = st.columns([1, 1], gap="medium", vertical_alignment="bottom")
    chosen = ""
    if concepts is None and ready is not None:
        with left:
            chosen, concepts = pick_concepts(settings, ready)
    if concepts is None:
        return None
    with right:
        penalty = state.pick_number("Penalty: more of it, fewer words", LEAST_PENALTY, MOST_PENALTY,
                                    key="concept_penalty", default=PENALTY, step=0.005,
                                    help="A word gets a weight only where its cosine with what is left of the "
                                         "direction reaches the penalty.")
    _say_left_out(concepts)
    found, sides, axes = concepts, direction.sides, concepts.axes

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[Said, ...]:
        ways = [(direction.items, direction.against), (direction.against, direction.items)][:len(sides)]
        return tuple(explain(*way, axes, kind=direction.kind, penalty=penalty, seed=settings.seed,
                             on_progress=part(on_progress, i / len(ways), (i + 1) / len(ways)),
                             should_stop=should_stop) for i, way in enumerate(ways))

    said: tuple[Said, ...] = work.result_of(
        fingerprint("said in words", found.key, direction.key, penalty, settings.seed), measure)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        if any(len(one.order) for one in said):
            ui.show(figures.words(said, found.words, sides, dark=ui.dark()), key=f"{key}.said",
                    how_to_read=figures.CAPTION, table=lambda: figures.table(said, found.words, sides, found.groups))
        else:
            panels.notice(f"{figures.finding(said, found.words, sides)}. Lower the penalty to see words.")
    with right:
        ui.show(figures.curve(said, sides, dark=ui.dark()), key=f"{key}.curve", how_to_read=figures.CURVE_CAPTION,
                table=lambda: figures.curve_table(said, sides))
        for one, side in zip(said, sides):
            st.text(f"{side}: {len(one.order):,} of {len(found.words):,} words, cosine {one.cosine.value:.3f}; as many "
                    f"random directions as words {one.cosine.null:.3f}; a random direction in these words "
                    f"{one.random_direction:.3f}; items dealt at random {one.dealt:.3f}. Means lie "
                    f"{one.apart.value:.3f} apart, of items dealt at random {one.apart.null:.3f}; n {one.cosine.n:,}"
                    + ("." if one.stays is None else f", {one.draws} draws of them."))
    with st.expander("Table of the words", icon=":material/table:"):
        st.dataframe(figures.table(said, found.words, sides, found.groups), hide_index=True, key=f"{key}.table")
    if code is not None:
        ui.copy_as_python(code(penalty, chosen))
    return said


def pick_concepts(settings: Settings, ready: Ready) -> tuple[str, Concepts | None]:
    """A list of words that fits the model, by its key, and as concepts; None, which is said, without one."""
    if ready.opened.dataset is None:
        return "", _of_vectors(ready)
    model_id = settings.model_id
    fits = fitting(model_id)
    offered = [fits, *(key for key in ("english",) if key != fits), "own"]
    chosen = state.pick_option("Words", {key: TITLES[key] for key in offered}, key=LIST, default=fits)
    if model_id == PHOTO:
        panels.notice(OF_CLASSIFIER, one_line=True)
    words = _own() if chosen == "own" else vocabulary(chosen)
    if words is None:
        return chosen, None
    encoder = cached.encoder(model_id)
    found: Concepts = work.result_of(
        fingerprint("concepts", encoder.spec.fingerprint, words.fingerprint),
        lambda on_progress, should_stop: concepts_of(model_id, words, cached.store(), on_progress=on_progress,
                                                     should_stop=should_stop))
    return chosen, found


def _own() -> Vocabulary | None:
    """The list that this visit brought; None until it did."""
    upload = st.file_uploader("A word a line, or a table with a column called word", type=list(_WORD_FILES),
                              key="concept.file", max_upload_size=4)
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
    elif upload is not None:
        held = st.session_state.get(OWN)
        if held is None or held[0] != upload.file_id:
            st.session_state[OWN] = upload.file_id, read_vocabulary(upload.getvalue(), upload.name)
    if OWN not in st.session_state:
        panels.notice(f"Bring 2 to {MOST:,} words or short phrases.")
        return None
    words: Vocabulary = st.session_state[OWN][1]
    left = [f"{n:,} {what}" for n, what in ((words.repeated, "repeated"), (words.too_long, "above 200 letters")) if n]
    st.caption(panels.plain(f"{words.name}: {len(words.words):,} words"
                            + (f"; left out: {', '.join(left)}." if left else ".")))
    return words


def _of_vectors(ready: Ready) -> Concepts | None:
    """Of vectors made elsewhere: texts among them, or vectors of words that are brought with their names."""
    offered = {"texts": "The texts that are open"} if ready.texts is not None and len(ready.texts) > 1 else {}
    chosen = state.pick_option("Words", offered | {"vectors": "Vectors of words, by the same model"}, key=LIST)
    if chosen == "texts":
        assert ready.texts is not None
        return _thinned(ready.texts, ready.captions)
    upload = st.file_uploader("Vectors with the words as ids", type=list(_VECTOR_FILES), key="concept.vectors",
                              max_upload_size=100)
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
        return None
    if upload is None:
        panels.notice("The model that made these vectors is not here. Bring vectors of words by that model, one a row, "
                      "with the words as ids: npz, npy, Parquet or CSV.")
        return None
    found = open_vectors(upload.getvalue(), upload.name)
    given = found.texts if found.texts is not None else found.images
    if given is None or given.vectors.shape[1] != ready.vectors.shape[1]:
        raise SourceError(f"vectors of words of {ready.vectors.shape[1]} dimensions",
                          "none" if given is None else f"{given.vectors.shape[1]} dimensions",
                          "Take words by the model that made what is open.")
    return _thinned(given, found.captions if found.texts is not None else given.ids)


def _thinned(given: EmbeddingSet, names: Sequence[str]) -> Concepts:
    """Different texts as concepts, at most as many as a list may have."""
    first = {name: i for i, name in reversed(list(enumerate(names)))}
    rows = np.array(sorted(first.values()), dtype=np.int64)
    if len(rows) < 2:
        raise OrreryError("two different words or more", f"{len(rows)}", "Bring more.")
    rows = rows[np.sort(spread_sample(given.vectors[rows], MOST))]
    return Concepts.of([names[i] for i in rows], given.vectors[rows])


def _say_left_out(concepts: Concepts) -> None:
    """How many words are not looked for, and which."""
    for words, why in ((concepts.unknown, "the model does not know them"), (concepts.same, "their vector is that of "
                                                                            "another word")):
        if words:
            more = ", …" if len(words) > _SHOWN_LEFT_OUT else ""
            many = "1 word is" if len(words) == 1 else f"{len(words):,} words are"
            st.caption(panels.plain(f"{many} left out, since {why}: "
                                    f"{', '.join(words[:_SHOWN_LEFT_OUT])}{more}. {len(concepts.words):,} are left.",
                                    500))
