"""The card of a point: its picture, what it says, and its nearest images and texts with cosine and percentile."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st
from PIL import Image

from core.encoding.nouns import class_names
from core.figures.scenes.embedding import Points
from core.geometry.neighbours import nearest, percentile
from core.scene import POINT_KINDS
from core.streamlit_app import cached, panels
from core.streamlit_app.data.pictures import Pictures
from core.streamlit_app.data.ready import Ready

NEAREST = 8
NAMES_SHOWN = 5
_OWN_COLUMNS = ("id", "modality", "text", "norm")


def kind_of(points: Points, row: int) -> str:
    """What a point is: image, text or prompt."""
    return POINT_KINDS[int(points.kinds()[row])]


def point_card(ready: Ready, points: Points, row: int, pictures: Pictures) -> None:
    """What a point shows and says; user text is shown as text. ``pictures`` are the small ones, by point."""
    kind = kind_of(points, row)
    table = points.table.iloc[row]
    if kind == "image":
        image_card(ready, row, str(table["id"]))
        _names(ready, row)
        own = cached.caption_scores(ready, row)
        among = cached.unmatched(ready.key, "image", "text", ready)
        for j in points.links[points.links[:, 0] == row, 1][:5]:
            cosine = float(points.vector(points.n_images + j) @ points.vector(row))
            score = f"cosine {_score(cosine, among)}" if own is None else f"probability {_share(own[j])}"
            _quote(points.captions[j], f"its caption; {score}")
    else:
        picture = pictures.small(row)
        if picture is not None:
            _show(picture, str(table["text"]))
        yours = "an image of yours" if points.is_prompt_image(row) else "a prompt of yours"
        _quote(str(table["text"]), yours if kind == "prompt" else "")
        if str(table["id"]) in ready.truncated:
            panels.notice("Longer than the model reads: its end was not seen.", "warning")
    cells = [(str(c), str(table[c])) for c in table.index if c not in _OWN_COLUMNS and _there(table[c])]
    norm = table.get("norm", np.nan)
    panels.facts([("id", str(table["id"])), *([("raw norm", f"{norm:.3f}")] if _there(norm) else []), *cells[:12]])


def image_card(ready: Ready, row: int, name: str) -> None:
    """The image of a row, as large as it is or as its small picture; why there is none otherwise."""
    picture = ready.pictures.whole(row) or ready.pictures.small(row)
    if picture is None:
        vectors = ready.opened.vectors
        panels.notice("Its file cannot be read any more." if vectors is None or row in ready.pictures else
                      "No picture: these are vectors made elsewhere. Pictures of them can be added where they were "
                      "opened." if vectors.pictures is None else
                      "No picture of its name is among those that were added.")
    else:
        _show(picture, name)


def point_neighbours(ready: Ready, points: Points, row: int) -> None:
    """The nearest images and texts of a point, each with cosine and percentile among unmatched pairs."""
    kind = kind_of(points, row)
    vector = points.vector(row)
    modality = kind
    said = str(points.table.iloc[row]["text"]) if kind != "image" and not points.is_prompt_image(row) else ""
    if kind == "prompt":
        modality = "image" if points.is_prompt_image(row) else "text"
    left, right = st.columns(2, gap="large")
    with left:
        if points.n_images:
            _nearest_images(ready, vector, modality, row if kind == "image" else None, said)
    with right if points.n_images else left:
        if points.n_texts:
            own = cached.caption_scores(ready, row) if kind == "image" else None
            if own is None:
                _nearest_texts(ready, vector, modality, row - points.n_images if kind == "text" else None)
            else:
                _own_texts(ready, own)
    st.caption("p, percentile: share of the unmatched pairs of this set, of the same two kinds, with a lower cosine. "
               + ("A cosine alone says little: right pairs of a large CLIP lie at 0.2 to 0.35." if ready.has_gap else
                  "Probability: the classifier's, of all classes that a text names."))


def _names(ready: Ready, row: int) -> None:
    """What a classifier calls an image; nothing where the model is none."""
    names = () if ready.has_gap else class_names()
    own = cached.own_scores(ready, names) if names else None
    if own is None:
        return
    st.html('<div class="orrery-h">What the classifier calls it, of its 1,000 names, with probability</div>')
    panels.facts([(names[i], _share(own[row, i])) for i in np.argsort(-own[row], kind="stable")[:NAMES_SHOWN]])


def _there(cell: object) -> bool:
    return cell is not None and cell == cell and str(cell) != ""


def _share(probability: float) -> str:
    return f"{probability:.3f}" if probability >= 0.0005 else "< 0.001"


def _score(cosine: float, among: np.ndarray) -> str:
    rank = percentile(cosine, among)
    return f"{cosine:.3f}" if np.isnan(rank) else f"{cosine:.3f} · p{rank:.1f}"


def _show(picture: Image.Image, name: str) -> None:
    picture = picture.copy()
    picture.thumbnail((640, 640))
    st.html(f'<div class="orrery-card"><img src="{panels.data_uri(picture)}" alt="{panels.text_html(name, 90)}"></div>')


def _quote(text: str, below: str) -> None:
    small = f"<small>{html.escape(below)}</small>" if below else ""
    st.html(f'<div class="orrery-card"><blockquote>{panels.text_html(text, 1000)}</blockquote>{small}</div>')


def _nearest_images(ready: Ready, vector: np.ndarray, modality: str, itself: int | None, said: str) -> None:
    """The images that a point is like; of a text (``said``), those that the model itself gives it."""
    assert ready.images is not None
    own = cached.own_scores(ready, (said,)) if said else None
    if own is not None:
        order = np.argsort(-own[:, 0], kind="stable")[:NEAREST]
        st.html('<div class="orrery-h">Images that it names, with their probability</div>')
        panels.gallery([(ready.pictures.small(int(i)), ready.images.ids[i], _share(own[i, 0])) for i in order],
                       key="card.images")
        return
    rows, cosines = nearest(vector, ready.images.vectors, NEAREST, leave_out=itself)
    among = cached.unmatched(ready.key, modality, "image", ready)
    if not len(rows):
        return
    st.html('<div class="orrery-h">Nearest images</div>')
    tiles: list[tuple[Image.Image | None, str, str]] = []
    for row, cosine in zip(rows, cosines):
        tiles.append((ready.pictures.small(int(row)), ready.images.ids[row], _score(float(cosine), among)))
    panels.gallery(tiles, key="card.images")


def _nearest_texts(ready: Ready, vector: np.ndarray, modality: str, itself: int | None) -> None:
    assert ready.texts is not None
    rows, cosines = nearest(vector, ready.texts.vectors, NEAREST, leave_out=itself)
    among = cached.unmatched(ready.key, modality, "text", ready)
    if not len(rows):
        return
    lines = "".join(
        f"<span>{panels.text_html(ready.captions[row], 160)}</span><span>{cosine:.3f}</span>"
        f"<span>{percentile(float(cosine), among):.1f}</span>" for row, cosine in zip(rows, cosines))
    st.html('<div class="orrery-h">Nearest texts</div><div class="orrery-lines"><span class="head"></span>'
            '<span class="head">cosine</span>'
            f'<span class="head">percentile</span>{lines}</div>')


def _own_texts(ready: Ready, own: np.ndarray) -> None:
    """The texts that the model itself gives an image, by its (m,) scores."""
    lines = "".join(f"<span>{panels.text_html(ready.captions[row], 160)}</span><span>{_share(own[row])}</span>"
                    "<span></span>" for row in np.argsort(-own, kind="stable")[:NEAREST])
    st.html('<div class="orrery-h">Texts that name it, with their probability</div><div class="orrery-lines">'
            f'<span class="head"></span><span class="head">probability</span><span></span>{lines}</div>')
