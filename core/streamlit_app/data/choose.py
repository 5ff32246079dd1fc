"""Choosing what to look at: the built-in world, or a visitor's own images, table, vectors or folder."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from core.errors import OrreryError
from core.settings import settings as process_settings
from core.sources.tables.reading import ENDINGS as TABLES
from core.sources.tars import ARCHIVES
from core.sources.vectors.files import ENDINGS as VECTORS
from core.streamlit_app import cached, panels, state, uploads
from core.streamlit_app.data.columns import TableSource, ask_for_images, chosen_roles, pick_roles
from core.streamlit_app.data.corrections import Said, forget, pick_arrays, pick_letters, pick_pictures, said_of
from core.streamlit_app.data.links import wanted
from core.streamlit_app.data.opened import Opened, counts
from core.streamlit_app.data.panel import dataset_panel
from core.streamlit_app.data.uploading import (
    LONGEST_FILES,
    Brought,
    names_of,
    open_images,
    refuse,
    say_refused,
    take,
    upload,
)
from core.types import Dataset

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.sources.vectors.choosing import Array
    from core.sources.vectors.opening import VectorSource

DEFAULT_SCENES = 300
MOST_SCENES = 5_000
UPLOADED = ("images", "table", "vectors")
SOURCES: dict[str, str] = {"world": "Built-in world", "images": "Images", "table": "Caption table",
                           "vectors": "Vectors", "folder": "On this machine", "views": "Views of objects",
                           "frames": "Frames of films", "boxed": "Pictures with boxes"}
OF_A_PAGE = ("views", "frames", "boxed")   # made on the page of their subject, and offered once they are


def pick_dataset() -> Opened | None:
    """The dataset that all pages share, with the widgets to change it; None until something is opened."""
    offered = {"folder": not process_settings().hosted, **{key: key in _opened() for key in OF_A_PAGE}}
    sources = {key: title for key, title in SOURCES.items() if offered.get(key, True)}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="data.bar"):
        source = state.pick_option("Data", sources, key="data", widget="segments")
        if source == "world":
            with st.popover("Options", icon=":material/tune:"):
                n = state.pick_number("Scenes", 100, MOST_SCENES, key="scenes", default=DEFAULT_SCENES, step=100,
                                      help="Each scene is rendered here and has one caption.")
                seed = state.pick_number("Sample", 0, 99, key="sample", default=0, help="Another seed, other scenes.")
        place = st.container(width="content", key="data.panel")
    _say_what_to_bring(source)
    if source == "world":
        dataset = cached.world(n, seed)
        opened: Opened | None = Opened(dataset.name, f"world-{n}-{seed}", dataset)
    else:
        pick = {"images": _pick_images, "table": _pick_table, "vectors": _pick_vectors, "folder": _pick_path}
        opened = pick[source]() if source in pick else _of_a_page(source)
    if opened is None:
        return None
    state.write_url("file", opened.files or None)
    with place:
        return dataset_panel(opened, state.value_of("model", "builtin"))


def _opened() -> dict[str, tuple[object, Opened]]:
    """By source, what was opened last and from what; of this visit alone."""
    return st.session_state.setdefault("opened", {})


def _say_what_to_bring(source: str) -> None:
    """What a link to an upload cannot carry, and which file opens the view that it is of."""
    named = st.query_params.get("file")
    if named and source in UPLOADED and source not in _opened() and f"{source}.source" not in st.session_state:
        panels.notice(f"The address is of a view of “{named[:LONGEST_FILES]}”, which was uploaded: an address carries "
                      "the view, not the file. Bring the same file again, and the same view opens.")


def _bring(source: str, files: Sequence[UploadedFile]) -> NoReturn:
    """Open what was uploaded; where it is refused, the field is empty again and the reason stands above it.

    Arrays that do not fit together are kept, for it can be said what they hold.
    """
    brought = Brought.of(files)
    try:
        with st.spinner("Opening …"):
            _open_with(source, brought, Said())
    except Exception as error:
        if source != "vectors" or not _has_several_arrays(brought):
            refuse(source, files, error)
            st.rerun()
    st.session_state[f"{source}.source"] = brought
    take(source, files)
    st.rerun()


def _has_several_arrays(brought: Brought) -> bool:
    try:
        return len(_arrays(brought)) > 1
    except OrreryError:
        return False


def _open_with(source: str, brought: Brought, said: Said) -> None:
    """Open what was uploaded, as it was said to be."""
    found = open_images(brought.files, said.encoding) if source == "images" else _open_vectors(brought, said)
    _opened()[source] = (brought.mark, said), _as_opened(found, source, brought.names)


def _brought(source: str, brought: Brought) -> Opened | None:
    """What was uploaded and is open, with a button to close it and what can be said of it."""
    mark, said = brought.mark, said_of(brought.mark)
    known = _opened().get(source)
    if known is None or known[0] != (mark, said):
        with panels.friendly_errors(), st.spinner("Opening …"):
            _open_with(source, brought, said)
    known = _opened().get(source)
    opened = known[1] if known is not None and known[0] == (mark, said) else None
    _with_close(source, f"{opened.name}: {counts(opened)}" if opened else brought.names)
    if source == "images":
        changed = (opened is None or bool(opened.notices) or said != Said()) and pick_letters(mark)
    else:
        changed = pick_arrays(mark, partial(_arrays, brought)) or (opened is not None and pick_pictures(
            mark, partial(_open_with, source, brought), by_path=False))
    if changed:
        st.rerun()
    return opened


def _as_opened(found: Dataset | VectorSource, source: str, files: str = "") -> Opened:
    data = {"dataset": found} if isinstance(found, Dataset) else {"vectors": found}
    return Opened(found.name, uuid.uuid4().hex, source=source, files=files, **data)  # type: ignore[arg-type]


def _reopen(source: str, mark: object, opening: Callable[[], Dataset | VectorSource], files: str = "") -> Opened | None:
    """What ``opening`` gives, opened once for each ``mark``; errors become a panel."""
    known = _opened().get(source)
    if known is None or known[0] != mark:
        with panels.friendly_errors():
            with st.spinner("Opening …"):
                opened = _as_opened(opening(), source, files)
            _opened()[source] = (mark, opened)
            return opened
        _opened().pop(source, None)
        return None
    return known[1]


def _with_close(source: str, text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{source}.open"):
        st.text(text, width="content")
        if st.button("Close", key=f"{source}.close", icon=":material/close:", type="tertiary"):
            _opened().pop(source, None)
            brought = st.session_state.pop(f"{source}.source", None)
            if isinstance(brought, Brought):
                forget(brought.mark)
            uploads.close(source)
            state.write_url("file", None)
            st.rerun()


def _pick_images() -> Opened | None:
    if "images.source" in st.session_state:
        return _brought("images", st.session_state["images.source"])
    say_refused("images")
    files = upload("Photos, or one zip or tar of photos. A text file of the same name holds a photo's captions.", None,
                   "images.upload", several=True)
    if not files:
        stay = ("Only their vectors and small pictures are kept on this server." if process_settings().hosted
                else "They stay on this machine.")
        panels.notice(f"Drop photos or a zip here. {stay}")
        return None
    _bring("images", files)


def _open_vectors(brought: Brought, said: Said) -> VectorSource:
    from core.sources.vectors.opening import open_vectors

    assert not isinstance(said.pictures, str)
    pictures = open_images(said.pictures) if said.pictures else None
    return open_vectors(*brought.source, parts=dict(said.parts), pictures=pictures)


def _arrays(brought: Brought) -> Sequence[Array]:
    from core.sources.vectors.opening import arrays_of

    return arrays_of(*brought.source)


def _pick_table() -> Opened | None:
    from core.sources.tables.opening import columns_of

    source: TableSource | None = st.session_state.get("table.source")
    if source is None:
        source = _upload_table()
        if source is None:
            return None
        st.session_state["table.source"] = source
        st.rerun()
    opened = None
    asking = bool(source.images) and ask_for_images(source.mark, lambda: columns_of(source.table))
    if not asking:
        opened = _reopen("table", (source.mark, chosen_roles(source.mark)), partial(_open_table, source), source.files)
    _with_close("table", source.table[0] + (f": {counts(opened)}" if opened else ""))
    if not asking and pick_roles(source.mark, lambda: columns_of(source.table)):
        st.rerun()
    return opened


def _upload_table() -> TableSource | None:
    say_refused("table")
    left, right = st.columns(2)
    with left:
        table = upload("A table with captions and image names (CSV, TSV, JSON, JSON lines, Parquet, text)", TABLES,
                        "table.upload", several=False)
    with right:
        images = upload("The images it names: a zip, a tar, or the files", None, "table.images", several=True)
    if not table:
        panels.notice("Captions alone are welcome too: then the sphere shows texts.")
        return None
    if not st.button("Open the table", type="primary", icon=":material/folder_open:", key="table.go",
                     help="With the images beside it, if it names any."):
        return None
    take("table", [*table, *images])
    return TableSource((table[0].name, table[0].getvalue()), tuple((f.name, f.getvalue()) for f in images),
                       tuple(f.file_id for f in (*table, *images)), names_of([*table, *images]))


def _open_table(source: TableSource) -> Dataset:
    from core.sources.tables.opening import open_table

    root = open_images(source.images) if source.images else None
    return open_table(source.table, root, roles=chosen_roles(source.mark))


def _pick_vectors() -> Opened | None:
    if "vectors.source" in st.session_state:
        return _brought("vectors", st.session_state["vectors.source"])
    say_refused("vectors")
    files = upload("Vectors made elsewhere (npy, npz, Parquet, CSV), one file or several, their names or columns "
                   "saying image or text", [*VECTORS, *ARCHIVES], "vectors.upload", several=True)
    if not files:
        panels.notice("Images and texts of equal number are pairs row by row, unless ids say more.")
        return None
    _bring("vectors", files)


def _pick_path() -> Opened | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        path = state.pick_text("Path of a folder of images, a zip or tar, a caption table, or vectors, on this machine",
                               key="folder", placeholder="/home/me/photos").strip()
        again = st.button("Read again", icon=":material/refresh:", disabled=not path)
    if not path:
        st.session_state["folder.seen"] = ""
        panels.notice("Nothing is copied: photos are read from the disk when they are looked at.")
        return None
    if not wanted("folder", path):
        return None
    if again:
        _opened().pop("folder", None)

    return _open_path(path)


def _open_path(path: str) -> Opened | None:
    """What lies at a path, with what can be said of it."""
    from core.sources.tables.opening import columns_of
    from core.sources.vectors.opening import arrays_of

    def opening(said: Said) -> Dataset | VectorSource:
        from core.sources.opening import open_path

        return open_path(path, chosen_roles(path), encoding=said.encoding, parts=dict(said.parts),
                         images=said.pictures or None)  # type: ignore[arg-type]

    def anew(said: Said) -> None:
        _opened()["folder"] = (path, chosen_roles(path), said), _as_opened(opening(said), "folder")

    said = said_of(path)
    opened = _reopen("folder", (path, chosen_roles(path), said), partial(opening, said))
    if opened is not None and opened.vectors is not None:
        changed = pick_arrays(path, lambda: arrays_of(path)) or pick_pictures(path, anew, by_path=True)
    elif path.lower().endswith(TABLES):
        changed = pick_roles(path, lambda: columns_of(path))
    elif opened is None:
        changed = path.lower().endswith(".npz") and pick_arrays(path, lambda: arrays_of(path))
    else:
        changed = (bool(opened.notices) or said != Said()) and pick_letters(path)
    if changed:
        st.rerun()
    return opened


def look_at(opened: Opened) -> None:
    """From now on this, made on the page of its subject, is what all pages look at."""
    _opened()[opened.source] = None, opened
    state.kept()["data"] = opened.source


def _of_a_page(source: str) -> Opened:
    opened = _opened()[source][1]
    _with_close(source, f"{opened.name}: {counts(opened)}")
    return opened
