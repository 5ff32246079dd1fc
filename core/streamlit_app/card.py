"""The card of a point: its picture, what it says, and its nearest images and texts with cosine and percentile."""

from __future__ import annotations

import html
import io

import numpy as np
import streamlit as st
from PIL import Image

from core.figures.embedding_scene import Points
from core.geometry.neighbours import nearest, percentile
from core.streamlit_app import cached, panels
from core.streamlit_app.embedding import Ready

NEAREST = 6
_OWN_COLUMNS = ("id", "modality", "text", "norm")


def point_card(ready: Ready, points: Points, row: int) -> None:
    """Everything about one point; user text is shown as text."""
    n_images, n_texts = points.n_images, points.n_texts
    vector = points.vectors()[row]
    kind = ("image", "text", "prompt")[int(points.kinds()[row])]
    table = points.table().iloc[row]
    st.subheader({"image": "Image", "text": "Text", "prompt": "Prompt"}[kind], anchor=False)
    if kind == "image":
        _show_picture(ready, row, str(table["id"]))
        own = [(points.captions[j], float(points.vectors()[n_images + j] @ vector))
               for i, j in points.links if i == row]
        among = cached.unmatched(ready.key, "image", "text", ready)
        for caption, cosine in own[:5]:
            _quote(caption, f"its caption; cosine {_score(cosine, among)}")
    else:
        _quote(str(table["text"]), "" if kind == "prompt" else str(table["id"]))
        if str(table["id"]) in ready.truncated:
            panels.notice("Longer than the model reads: its end was not seen.", "warning")
    cells = [(str(c), str(table[c])) for c in table.index if c not in _OWN_COLUMNS and _there(table[c])]
    norm = table.get("norm", np.nan)
    panels.facts([("Id", str(table["id"])), *([("Raw norm", f"{norm:.3f}")] if _there(norm) else []), *cells[:12]])
    modality = "text" if kind == "prompt" else kind
    if n_images:
        _nearest_images(ready, vector, modality, row if kind == "image" else None)
    if n_texts:
        _nearest_texts(ready, vector, modality, row - n_images if kind == "text" else None)
    st.caption("Percentile: share of unmatched pairs of this set, of the same two kinds, with a lower cosine.")


def _there(cell: object) -> bool:
    return cell is not None and cell == cell and str(cell) != ""


def _score(cosine: float, among: np.ndarray) -> str:
    rank = percentile(cosine, among)
    return f"{cosine:.3f}" if np.isnan(rank) else f"{cosine:.3f} · p{rank:.1f}"


def _show_picture(ready: Ready, row: int, name: str) -> None:
    picture = ready.picture(row)
    if picture is None:
        if row in ready.pictures:
            picture = Image.open(io.BytesIO(ready.pictures[row]))
        else:
            panels.notice("No picture: these are vectors made elsewhere." if ready.opened.vectors else
                          "Its file cannot be read any more.")
            return
    picture = picture.copy()
    picture.thumbnail((640, 640))
    st.html(f'<div class="orrery-card"><img src="{panels.data_uri(picture)}" alt="{panels.text_html(name, 90)}"></div>')


def _quote(text: str, below: str) -> None:
    small = f"<small>{html.escape(below)}</small>" if below else ""
    st.html(f'<div class="orrery-card"><blockquote>{panels.text_html(text, 1000)}</blockquote>{small}</div>')


def _nearest_images(ready: Ready, vector: np.ndarray, modality: str, itself: int | None) -> None:
    assert ready.images is not None
    rows, cosines = nearest(vector, ready.images.vectors, NEAREST, leave_out=itself)
    among = cached.unmatched(ready.key, modality, "image", ready)
    if not len(rows):
        return
    st.html("<h4>Nearest images</h4>")
    tiles: list[tuple[Image.Image | None, str, str]] = []
    for row, cosine in zip(rows, cosines):
        raw = ready.pictures.get(int(row))
        picture = Image.open(io.BytesIO(raw)) if raw else None
        tiles.append((picture, ready.images.ids[row], _score(float(cosine), among)))
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
    st.html('<h4>Nearest texts</h4><div class="orrery-lines"><span class="head"></span><span class="head">cosine</span>'
            f'<span class="head">percentile</span>{lines}</div>')
