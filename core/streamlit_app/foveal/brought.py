"""A file of boxes and sentences that a visitor brings, with its pictures or for those that are open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import SourceError
from core.sources.foveal.boxed import BoxedPictures
from core.streamlit_app import panels, state, uploads
from core.streamlit_app.data.python import dataset_lines
from core.streamlit_app.data.uploading import names_of, open_images, refuse, say_refused, take, upload
from core.streamlit_app.foveal.data import FovealData

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

SOURCE, SCORED_ON, BOXES_FROM = "refs", "refer_on", "refer_boxes"
ROWS = (".json", ".jsonl", ".ndjson", ".txt", ".p", ".pkl", ".pickle")
FORMS = ("References as RefCOCO has them (JSON or JSON lines: image_id or file_name, ann_id, sentences), with COCO "
         "instances beside them or the boxes in each row; or COCO instances alone, whose sentences are the names of "
         "their categories. With a zip of the pictures, or for the pictures that are open, found by their names.")


@dataclass(frozen=True, eq=False)
class BroughtBoxes:
    """What was brought.

    Attributes
    ----------
    pictures : with their boxes and sentences.
    files : by name, in a line.
    python : imports and lines that make ``pictures``; the files have made-up names in them.
    """

    pictures: BoxedPictures
    files: str
    python: tuple[list[str], list[str]]


def pick_file(data: FovealData) -> BroughtBoxes | None:
    """A file that is open in this visit, with the widgets to bring and to close one; None without one."""
    held: BroughtBoxes | None = st.session_state.get(f"{SOURCE}.source")
    refused = f"{SOURCE}.refused" in st.session_state
    with st.expander("Boxes and sentences of your own", icon=":material/upload:",
                     expanded=held is not None or refused):
        if held is None:
            _bring(data)
            return None
        _told(held)
    return held


def _bring(data: FovealData) -> None:
    say_refused(SOURCE)
    st.caption(FORMS)
    split = state.pick_text("Rows of this split alone", key="refer_split", max_chars=60,
                            placeholder="all; or as the file says: val, testA, …").strip()
    files = upload("The file, and a zip of its pictures or the pictures", None, f"{SOURCE}.upload", several=True)
    if not files or not st.button("Open the file", type="primary", icon=":material/folder_open:", key=f"{SOURCE}.go"):
        return
    try:
        with st.spinner("Reading …"):
            found = _opened(data, files, split or None)
    except Exception as error:
        refuse(SOURCE, files, error)
    else:
        st.session_state[f"{SOURCE}.source"] = found
        st.session_state[SCORED_ON] = st.session_state[BOXES_FROM] = "file"
        take(SOURCE, files)
    st.rerun()


def _opened(data: FovealData, files: Sequence[UploadedFile], split: str | None) -> BroughtBoxes:
    from core.sources.foveal.opening import open_boxed

    rows = [(f.name, f.getvalue()) for f in files if f.name.lower().endswith(ROWS)]
    pictures = [(f.name, f.getvalue()) for f in files if not f.name.lower().endswith(ROWS)]
    if not rows:
        raise SourceError("a file of boxes and sentences (JSON or JSON lines)", names_of(files), FORMS)
    said = "" if split is None else f", split={split!r}"
    imports = ["from core.sources.foveal.opening import open_boxed"]
    if pictures:
        return BroughtBoxes(open_boxed(rows, open_images(pictures), split=split), names_of(files),
                            (imports, [f'pictures = open_boxed("refs.json", "pictures.zip"{said})']))
    more, lines = dataset_lines(data.opened)
    return BroughtBoxes(open_boxed(rows, data.opened.dataset, split=split), names_of(files),
                        ([*imports, *more], [*lines, f'pictures = open_boxed("refs.json", dataset{said})']))


def _told(held: BroughtBoxes) -> None:
    found = held.pictures
    with st.container(horizontal=True, vertical_alignment="center"):
        n = len(found.image_ids)
        st.text(f"{held.files}: {len(found.references):,} sentences about {sum(map(len, found.boxes)):,} boxes of "
                f"{n:,} picture{'s' * (n != 1)}", width="content")
        if st.button("Close", key=f"{SOURCE}.close", icon=":material/close:", type="tertiary"):
            del st.session_state[f"{SOURCE}.source"]
            uploads.close(SOURCE)
            st.rerun()
    for notice in found.notices:
        panels.notice(notice)
    if found.refused:
        st.text(f"Rows, boxes and pictures that are not taken: {len(found.refused):,}")
        panels.refused_table(found.refused, key=f"{SOURCE}.refused.table")
