"""Selections of this visit: kept under a name, carried to every page, downloaded and loaded again."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.errors import SourceError
from core.figures.scenes.embedding import Points
from core.figures.scenes.thinning import only
from core.streamlit_app import panels, state, ui
from core.streamlit_app.data.ready import Ready
from core.types import MODALITIES, EmbeddingSet, Selection

COLUMNS = ("selection", "modality", "id", "from", "note")
LONGEST_NAME, LONGEST_NOTE = 60, 400
MOST_KEPT = 200
_MOST_MEGABYTES = 50


def kept() -> dict[str, Selection]:
    """The selections of this visit, by name."""
    return st.session_state.setdefault("selections", {})


def keep(ready: Ready, name: str, image_ids: Sequence[str], words: str, text_ids: Sequence[str] = ()) -> None:
    """Keep items that were found as a selection, under a name that is not taken yet."""
    keep_from(ready.opened.name, name, image_ids, words, text_ids)


def keep_from(opened: str, name: str, image_ids: Sequence[str], words: str, text_ids: Sequence[str] = ()) -> None:
    """As `keep`, of what is open under that name."""
    taken, number, free = kept(), 1, name[:LONGEST_NAME]
    while free in taken:
        number += 1
        free = f"{name[:LONGEST_NAME - 4]} {number}"
    taken[free] = found = Selection(free, tuple(image_ids), tuple(text_ids), f"{opened}: {words}"[:400])
    counted = f"{len(image_ids):,} images" if not text_ids else _said(found)
    st.toast(panels.plain(f"Kept as “{free}”: {counted}."), icon=":material/bookmark_added:")


def pick_selection(ready: Ready) -> Ready:
    """All of what is open, or one of the kept selections of it; the choice is shared by all pages and in the URL.

    The widget is there as soon as a selection is kept that holds items of what is open. What comes back is as if only
    the selected items, and the items linked to them, had been opened.
    """
    usable = {name: name for name, selection in kept().items() if _is_here(ready, selection)}
    asked = st.query_params.get("selection")
    if not usable:
        if asked:
            panels.notice(f"The address asks for the selection “{asked[:LONGEST_NAME]}”, which is not kept in this "
                          f"visit. Load its file under the sphere; until then all of the data is shown.")
        return ready
    with st.container(horizontal=True, vertical_alignment="bottom", key="selection.bar"):
        name = state.pick_option("Selection", {"": "Everything"} | usable, key="selection")
        if not name:
            return ready
        part = restricted(ready, kept()[name])
        st.text(f"{_said(kept()[name])} selected; with what is linked to them, {_counts(part.images, part.texts)}.",
                width="content")
    if not _of_this_data(ready, kept()[name]):
        panels.notice(f"“{name}” was selected in other data ({kept()[name].source}); items of the same name are "
                      f"shown.", "warning")
    return part


def restricted(ready: Ready, selection: Selection) -> Ready:
    """The selected items that are there, and those linked to them, in the order of the whole.

    Returns
    -------
    Ready, of other vectors and so with another key than the whole; None for a modality of which nothing is left.

    Raises
    ------
    ShapeError
        If no selected item is there.
    """
    part = only(Points(ready.images, ready.texts, ready.captions, ready.links), selection.image_ids,
                selection.text_ids)
    points = part.points
    return replace(ready, images=points.images, texts=points.texts, links=points.links,
                   captions=tuple(points.captions), selection=selection.name, pictures=ready.pictures.of(part.images))


def as_table(selections: Sequence[Selection]) -> pd.DataFrame:
    """One row an item, as `read_selections` reads it."""
    rows = [(s.name, kind, item, s.source, s.note) for s in selections
            for kind, ids in (("image", s.image_ids), ("text", s.text_ids)) for item in ids]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_selections(data: bytes) -> list[Selection]:
    """The selections of a downloaded file.

    Raises
    ------
    SourceError
        If it is no CSV with the columns of `as_table`, or holds no item, or too many selections.
    """
    expected = "a file of selections as it was downloaded here: CSV with " + ", ".join(COLUMNS)
    try:
        table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, UnicodeError) as error:
        raise SourceError(expected, f"a file that is not readable as CSV ({str(error)[:200]})") from error
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise SourceError(expected, f"a file without {', '.join(missing)}")
    table = table[list(COLUMNS)].map(ui.as_it_was)
    strange = sorted(set(table["modality"]) - set(MODALITIES))
    if strange:
        raise SourceError(expected, f"the modality {strange[0][:40]!r}", "A modality is image or text.")
    groups = table.groupby("selection", sort=False)
    if not 1 <= len(groups) <= MOST_KEPT:
        raise SourceError(f"1 to {MOST_KEPT} selections in a file", str(len(groups)))
    return [_selection(str(name), own) for name, own in groups]


def _selection(name: str, rows: pd.DataFrame) -> Selection:
    images, texts = (tuple(dict.fromkeys(rows.loc[rows["modality"] == kind, "id"])) for kind in MODALITIES)
    return Selection(name[:LONGEST_NAME] or "Selection", images, texts, rows["from"].iloc[0][:400],
                     rows["note"].iloc[0][:LONGEST_NOTE])


def load_panel() -> None:
    """A small upload of a file of selections; those of a name already kept take its place."""
    with st.popover("Load selections", icon=":material/upload:"):
        upload = st.file_uploader("Selections downloaded here before (CSV)", type=["csv"], key="selections.file",
                                  max_upload_size=_MOST_MEGABYTES)
    if upload is None or st.session_state.get("selections.loaded") == upload.file_id:
        return
    st.session_state["selections.loaded"] = upload.file_id
    with panels.friendly_errors():
        found = read_selections(upload.getvalue())
        kept().update({selection.name: selection for selection in found})
        st.rerun()


def _is_here(ready: Ready, selection: Selection) -> bool:
    """Whether any item of a selection is among what is open."""
    sides = ((ready.images, selection.image_ids), (ready.texts, selection.text_ids))
    return any(part is not None and not set(ids).isdisjoint(part.ids) for part, ids in sides)


def _of_this_data(ready: Ready, selection: Selection) -> bool:
    """Whether a selection comes from what is open, or from a part of it, or what is open is a part of that."""
    name, source = ready.opened.name, selection.source
    return source.startswith(name) or name.startswith(source.split(": ")[0])


def _said(selection: Selection) -> str:
    return _words(len(selection.image_ids), len(selection.text_ids))


def _counts(images: EmbeddingSet | None, texts: EmbeddingSet | None) -> str:
    return _words(*(0 if part is None else len(part) for part in (images, texts)))


def _words(images: int, texts: int) -> str:
    return f"{images:,} image{'s' * (images != 1)} and {texts:,} text{'s' * (texts != 1)}"
