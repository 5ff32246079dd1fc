"""The query of Retrieve: signed texts and images, where it points, and how everything that is open scores for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.encoding.registry import PHOTO
from core.geometry.queries import Part, centred
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.image_prompt import pick_image
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.state import Settings
from core.types import Modality, fingerprint

MOST_PARTS, HEAVIEST = 6, 2.0
WORDS, IMAGE, TEXT, YOURS = "words", "image", "text", "yours"
TITLES = {WORDS: "words", IMAGE: "image of what is open", TEXT: "text of what is open", YOURS: "image of yours"}
WHY_CENTRE = ("Images and texts lie in two cones, apart. A sum of both is drawn to the cone of the heavier one, and "
              "“− a cube” leads away from all texts, not from cubes. Less the mean of its modality, each part says how "
              "it differs from the others of its kind.")


@dataclass(frozen=True, eq=False)
class View:
    """What is open, as it is or each modality less its mean.

    Attributes
    ----------
    ready : what is open.
    sets : (n, d) float32 unit rows by modality.
    means : what was subtracted; empty where nothing was.
    key : fingerprint of the vectors.
    """

    ready: Ready
    sets: Mapping[Modality, np.ndarray]
    means: Mapping[Modality, np.ndarray]
    key: str

    @property
    def vectors(self) -> np.ndarray:
        """(n, d) images, then texts."""
        return np.concatenate(list(self.sets.values()))

    def ids(self, of: Modality) -> tuple[str, ...]:
        """Of all items of a modality."""
        part = self.ready.images if of == "image" else self.ready.texts
        return () if part is None else part.ids

    def first(self, of: Modality) -> int:
        """Where a modality begins among all points."""
        return len(self.sets["image"]) if of == "text" and "image" in self.sets else 0


@dataclass(frozen=True, eq=False)
class Query:
    """What is asked.

    Attributes
    ----------
    parts : with their vectors as the view has them.
    names : of the parts, for a user.
    kinds : of the parts, keys of TITLES.
    rows : of the parts that are items of what is open; -1 of others.
    texts : what a part that is a text says; "" of images.
    code : of the parts, Python that makes the vector of each from ``model`` and ``points``.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: tuple[int, ...]
    texts: tuple[str, ...]
    code: tuple[str, ...]

    @property
    def said(self) -> str:
        """The whole in words."""
        words = []
        for part, name in zip(self.parts, self.names):
            times = "" if abs(part.weight) == 1 else f"{abs(part.weight):g} × "
            words.append(f"{'+' if part.weight > 0 else '−'} {times}{name}")
        return " ".join(words).removeprefix("+ ")

    def itself(self, of: Modality) -> list[int]:
        """Rows of a modality that are parts of the query: they are no hits."""
        kind = IMAGE if of == "image" else TEXT
        return [row for row, what in zip(self.rows, self.kinds) if what == kind]


def pick_view(ready: Ready) -> View:
    """What is open, centred by modality where that is switched on."""
    sets: dict[Modality, np.ndarray] = {}
    for kind, part in (("image", ready.images), ("text", ready.texts)):
        if part is not None and len(part):
            sets["image" if kind == "image" else "text"] = part.vectors
    possible = ready.has_gap and all(len(x) > 1 for x in sets.values())
    if not state.pick_flag("Less the mean of its modality", key="retrieve_centred", help=WHY_CENTRE,
                           disabled=not possible) or not possible:
        return View(ready, sets, {}, ready.key)
    means = {kind: x.mean(axis=0, dtype=np.float64) for kind, x in sets.items()}
    key = fingerprint("centred", ready.key)
    moved = cached.results().of(key, lambda: {kind: centred(x, means[kind]) for kind, x in sets.items()})
    return View(ready, moved, means, key)


def pick_query(settings: Settings, view: View) -> Query | None:
    """The editor of the query: a row a part; None, which is said, where nothing is asked."""
    ready = view.ready
    kinds = [WORDS] if ready.opened.dataset is not None else []
    kinds += [kind for kind, of in ((IMAGE, "image"), (TEXT, "text")) if of in view.sets]
    kinds += [YOURS] if ready.opened.dataset is not None else []
    with st.container(width=320):
        n = state.pick_number("Parts of the query", 1, MOST_PARTS, key="retrieve_parts", default=1)
    parts: list[tuple[Part, str, str, int, str, str]] = []
    for i in range(1, n + 1):
        with st.container(horizontal=True, vertical_alignment="bottom", key=f"retrieve.part.{i}"):
            with st.container(width=170):
                weight = state.pick_number("Weight", -HEAVIEST, HEAVIEST, key=f"retrieve_weight{i}", default=1.0,
                                           step=0.05, help="Above 0 it is added, below 0 subtracted.")
            with st.container(width=210):
                kind = state.pick_option("What", {k: TITLES[k] for k in kinds}, key=f"retrieve_kind{i}")
            if kind == YOURS:   # one upload, so that it is one part
                kinds = [k for k in kinds if k != YOURS]
            with st.container(width="stretch"):
                found = _part(settings, view, kind, i)
        if found is not None and weight:
            vector, modality, name, row, text, code = found
            parts.append((Part(vector, weight, modality), name, kind, row, text, code))
    if not parts:
        panels.notice("Nothing is asked yet: write some words, or choose an image, with a weight that is not 0.")
        return None
    of, names, what, rows, texts, code_of = zip(*parts)
    return Query(of, names, what, rows, texts, code_of)


def _part(settings: Settings, view: View, kind: str, i: int) -> tuple[np.ndarray, Modality, str, int, str, str] | None:
    """Vector, modality, name, row, text and Python of a part; None without one."""
    ready = view.ready
    if kind == WORDS:
        text = state.pick_text("Words", key=f"retrieve_text{i}", max_chars=1000, default=_usual(settings, ready, i),
                               placeholder="a red cube").strip()
        return _words(settings, view, text) if text else None
    if kind == YOURS:
        image = pick_image(settings, "An image of yours")
        if image is None:
            return None
        vector = _centred(view, image.vector, "image")
        return vector, "image", image.name, -1, "", 'model.encode_images([Image.open("picture.jpg").convert("RGB")])'
    of: Modality = "image" if kind == IMAGE else "text"
    count = len(view.sets[of])
    row = 0
    if count > 1:
        row = state.pick_number(f"{of.capitalize()} number", 0, count - 1, key=f"retrieve_{of}{i}", default=0)
    said = ready.captions[row] if of == "text" else f"image {view.ids(of)[row]}"
    shown = panels.plain(said, 70)
    picture = ready.pictures.small(row) if of == "image" else None
    if picture is not None:
        st.image(picture, width=72, caption=shown)
    else:
        st.caption(shown)
    text = ready.captions[row] if of == "text" else ""
    return view.sets[of][row], of, f"“{said[:60]}”" if of == "text" else said[:60], row, text, \
        f"points.{of}s.vectors[[{row}]]"


def _words(settings: Settings, view: View, text: str) -> tuple[np.ndarray, Modality, str, int, str, str] | None:
    encoder = cached.encoder(settings.model_id)
    unread = encoder.unread([text])
    if unread:
        panels.notice(f"“{text[:80]}” is left out: {unread[0]}.", "warning")
        return None
    say_unknown(settings.model_id, text)
    if encoder.truncated([text])[0]:
        panels.notice(f"“{text[:80]}” is longer than the model reads ({encoder.context_length} tokens): the end is not "
                      "seen.", "warning")
    vector = cached.prompt_vectors(encoder.spec.fingerprint, (text,), settings.model_id)
    return _centred(view, vector, "text"), "text", f"“{text[:60]}”", -1, text, f"model.encode_texts([{text!r}])"


def _centred(view: View, vector: np.ndarray, of: Modality) -> np.ndarray:
    """A vector of one's own, (1, d), as the view has them: (d,)."""
    if not view.means:
        return vector[0]
    if of not in view.means:
        panels.notice(f"The mean of the {of}s is not known, since none are open: yours are taken as they are.",
                      "warning", one_line=True)
        return vector[0]
    return centred(vector, view.means[of])[0]


def _usual(settings: Settings, ready: Ready, i: int) -> str:
    if i > 1:
        return ""
    return "a cat" if settings.model_id == PHOTO else "a red cube" if ready.opened.built_in else "a photo of a dog"
