"""One finding: its histogram with a threshold that moves, what it flags with the evidence, and what to do with that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.quality import findings as figures
from core.geometry.quality.finding import Finding, Grouped
from core.language.quality.actions import Action
from core.language.quality.evidence import KINDS, SUGGESTING, judged
from core.language.quality.parameters import Value
from core.streamlit_app import panels, state, ui
from core.streamlit_app.data.selections import keep
from core.streamlit_app.quality import python, stack
from core.streamlit_app.quality.data import QualityData, finding
from core.streamlit_app.state import Settings
from core.types import Modality

if TYPE_CHECKING:
    from PIL.Image import Image

TILES = 24
GROUPS = 8
IN_A_GROUP = 10
STEPS = 500
OF_THE_FIRST = ("label", "solid", "colour", "texture")
_CLICKED = "quality.clicked"


def show(settings: Settings, data: QualityData, key: str) -> None:
    """Histogram, threshold, gallery, and the ways on."""
    found = finding(settings, data, key)
    st.caption(KINDS[key].explanation)
    if key in SUGGESTING:
        st.markdown(panels.plain(judged(data.looked, seed=settings.seed).told, 600))
        if data.ready.opened.source in ("world", "planted") and data.label in OF_THE_FIRST:
            panels.notice("In the built-in world this label is that of the first of up to three solids: a scene of "
                          "several has no one right label, so many more are suspect than are wrong.", one_line=True)
    if not np.isfinite(found.scores).any():
        panels.notice("No item has a score here.")
        return
    threshold = pick_threshold(found)
    clicked = ui.show(figures.histogram(found, threshold, name=KINDS[key].title, dark=ui.dark()),
                      key=f"quality.{key}", clicks=True, how_to_read=figures.CAPTION,
                      table=lambda: table_of(data, found))
    if clicked is not None:
        st.session_state[_CLICKED] = key, float(np.ravel(clicked)[0])
        st.rerun()
    rows = found.flagged(threshold)
    _ways_on(data, found, threshold, rows)
    if not len(rows):
        panels.notice("Nothing is flagged at this threshold.")
    elif isinstance(found, Grouped):
        _groups(data, found, found.groups(threshold))
    else:
        _gallery(data, found, rows)
    ui.copy_as_python(python.finding(settings, data, key, threshold))


def pick_threshold(found: Finding) -> float:
    """The threshold on the scores, by a slider or by a click on the histogram."""
    name = f"at_{found.key}"
    clicked = st.session_state.pop(_CLICKED, None)
    scores = found.scores[np.isfinite(found.scores)].astype(np.float64)
    low, high = (float(f((*scores, found.threshold))) for f in (min, max))
    step = max(10.0 ** math.floor(math.log10(max(high - low, 1e-9) / STEPS)), 0.001)
    low, high = math.floor(low / step) * step - step, math.ceil(high / step) * step + step
    if clicked is not None and clicked[0] == found.key:
        st.session_state[name] = min(max(clicked[1], low), high)
    return state.pick_number(f"Threshold: {found.unit}", round(low, 6), round(high, 6), key=name,
                             default=round(float(found.threshold), 4), step=step,
                             help="What has at least this is flagged." if found.worse == "high" else
                             "What has at most this is flagged.")


def forget_thresholds() -> None:
    """Other data have thresholds of their own."""
    for name in [name for name in state.kept() if name.startswith("at_")]:
        st.session_state.pop(name, None)
        state.kept().pop(name, None)
        state.write_url(name, None)


def _ways_on(data: QualityData, found: Finding, threshold: float, rows: np.ndarray) -> None:
    """Keep what is flagged, drop or relabel it in a what-if, download it."""
    drop = found.to_drop(threshold)
    kind = KINDS[found.key]
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Keep the {len(rows):,} flagged as a selection", icon=":material/bookmark_add:",
                     disabled=not len(rows), key="quality.keep"):
            keep_rows(data, f"{kind.title}, {data.ready.opened.name}", found.of, rows,
                      f"{kind.title.lower()} at {threshold:.4g}")
        said: dict[str, Value] = {"finding": found.key, "threshold": float(threshold)}
        if st.button(f"What if the {len(drop):,} were dropped", icon=":material/filter_alt:", disabled=not len(drop),
                     key="quality.drop"):
            stack.push(Action("drop", said))
        if found.key in SUGGESTING and st.button("What if they were relabelled", icon=":material/label:",
                                                 disabled=not len(rows), key="quality.relabel"):
            stack.push(Action("relabel", said))
        ui.download_table(lambda: table_of(data, found, rows), f"quality-{found.key}-flagged", label="Flagged")


def keep_rows(data: QualityData, name: str, of: Modality, rows: np.ndarray, words: str) -> None:
    """Keep images or texts as a selection; of texts, their images too."""
    ids = [data.ids(of)[row] for row in rows.tolist()]
    if of == "image":
        keep(data.ready, name, ids, words)
        return
    images = sorted({image for row in rows.tolist() if (image := data.image_of_text(row)) is not None})
    keep(data.ready, name, [data.ids("image")[i] for i in images], words, ids)


def table_of(data: QualityData, found: Finding, rows: np.ndarray | None = None) -> pd.DataFrame:
    """Id, score, evidence and partner of each item, or of some."""
    rows = np.arange(len(found.scores)) if rows is None else rows
    ids, others = data.ids(found.of), data.ids(found.partner)
    table = pd.DataFrame({"id": [ids[row] for row in rows], found.unit: found.scores[rows]})
    if found.of == "text":
        table.insert(1, "caption", [data.looked.captions[row] for row in rows])
    if len(found.partners):
        table["partner"] = [others[p] if p >= 0 else "" for p in found.partners[rows].tolist()]
    if len(found.evidence):
        table["evidence"] = [found.evidence[row] for row in rows]
    return table


def tile(data: QualityData, of: Modality, row: int, said: str) -> tuple[Image | None, str, str]:
    """The picture of an item, its caption or name, and what is said of it."""
    image = row if of == "image" else data.image_of_text(row)
    text = row if of == "text" else data.text_of_image(row)
    words = data.ids(of)[row] if text is None else data.looked.captions[text]
    return None if image is None else data.ready.pictures.small(image), words, said


def _said(found: Finding, row: int) -> str:
    parts = [f"{found.scores[row]:.3g}"] + ([found.evidence[row]] if len(found.evidence) else [])
    return " · ".join(part for part in parts if part)


def _gallery(data: QualityData, found: Finding, rows: np.ndarray) -> None:
    """The flagged, worst first, a page at a time, each with its evidence and its partner."""
    shown = _page(rows, TILES, "items")
    if not len(found.partners) or found.partner != found.of:
        panels.gallery([tile(data, found.of, row, _said(found, row)) for row in shown.tolist()], key="quality.flagged")
        return
    tiles = []
    for row in shown.tolist():
        tiles.append(tile(data, found.of, row, _said(found, row)))
        if found.partners[row] >= 0:
            tiles.append(tile(data, found.partner, int(found.partners[row]), "↖ beside it"))
    panels.gallery(tiles, key="quality.flagged")


def _page(rows: Sequence[int] | np.ndarray, size: int, what: str) -> np.ndarray:
    pages = math.ceil(len(rows) / size)
    page = 1
    if pages > 1:
        with st.container(width=320):
            page = state.pick_number(f"Page of {pages:,}, {size} {what} each", 1, pages, key="health_page", default=1)
    return np.asarray(rows)[(page - 1) * size:page * size]


def _groups(data: QualityData, found: Finding, groups: Sequence[np.ndarray]) -> None:
    """What is alike, a group a row: the first is the one that is kept."""
    sizes = np.array([len(group) for group in groups])
    st.caption(f"{len(groups):,} groups, the largest of {sizes.max():,}; dropped are all but the first of each, "
               f"{int((sizes - 1).sum()):,} {found.of}s.")
    order = np.argsort(-sizes, kind="stable")
    for i in _page(order, GROUPS, "groups").tolist():
        group = groups[i]
        more = f"; {len(group) - IN_A_GROUP:,} more" if len(group) > IN_A_GROUP else ""
        tiles = [tile(data, found.of, row, f"{'kept' if k == 0 else 'copy'} · {found.scores[row]:.4g}"
                      + (more if k == IN_A_GROUP - 1 else "")) for k, row in enumerate(group[:IN_A_GROUP].tolist())]
        panels.gallery(tiles, key=f"quality.group.{i}")
