"""Choosing what to look at: the built-in world, or a visitor's own images, table, vectors or folder."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from core.errors import SourceError
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, state, uploads
from core.streamlit_app.data.columns import TableSource, ask_for_images, chosen_roles, pick_roles
from core.streamlit_app.data.opened import Opened, counts
from core.streamlit_app.data.panel import dataset_panel
from core.types import Dataset

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.sources.vectors.opening import VectorSource

DEFAULT_SCENES = 300
MOST_SCENES = 5_000
_VECTORS = ("npy", "npz", "parquet", "csv", "tsv", "zip")
_TABLES = ("csv", "tsv", "jsonl", "ndjson", "json", "parquet")


UPLOADED = ("images", "table", "vectors")
LONGEST_FILES = 120
SOURCES: dict[str, str] = {"world": "Built-in world", "images": "Images", "table": "Caption table",
                           "vectors": "Vectors", "folder": "On this machine"}


def pick_dataset() -> Opened | None:
    """The dataset that all pages share, with the widgets to change it; None until something is opened."""
    sources = {key: title for key, title in SOURCES.items() if key != "folder" or not process_settings().hosted}
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
        pick = {"images": _pick_images, "table": _pick_table, "vectors": _pick_vectors, "folder": _pick_path}[source]
        opened = pick()
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


def _files(files: Sequence[UploadedFile]) -> str:
    """The names of what was uploaded, in a line."""
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return files[0].name[:LONGEST_FILES - len(more)] + more


def _bring(source: str, files: Sequence[UploadedFile], opening: Callable[[], Dataset | VectorSource]) -> NoReturn:
    """Open what was uploaded; where it is refused, the field is empty again and the reason stands above it."""
    try:
        with st.spinner("Opening …"):
            found = opening()
    except Exception as error:
        _refuse(source, files, error)
    else:
        st.session_state.pop(f"{source}.refused", None)
        _opened()[source] = None, _as_opened(found, source, _files(files))
        uploads.keep(source, files)
    st.rerun()


def _refuse(source: str, files: Sequence[UploadedFile], error: Exception) -> None:
    st.session_state[f"{source}.refused"] = panels.in_words(error)
    st.session_state[f"{source}.tries"] = st.session_state.get(f"{source}.tries", 0) + 1
    uploads.drop(file.file_id for file in files)


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


def _kept(source: str) -> Opened | None:
    """What this source has open, in one line with a button to close it."""
    known = _opened().get(source)
    if known is None:
        return None
    _with_close(source, f"{known[1].name}: {counts(known[1])}")
    return known[1]


def _with_close(source: str, text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{source}.open"):
        st.text(text, width="content")
        if st.button("Close", key=f"{source}.close", icon=":material/close:", type="tertiary"):
            _opened().pop(source, None)
            st.session_state.pop(f"{source}.source", None)
            uploads.close(source)
            state.write_url("file", None)
            st.rerun()


def _upload(label: str, types: Sequence[str] | None, key: str, *, several: bool) -> list[UploadedFile]:
    """A field for files; empty again after each one that was refused."""
    source = key.partition(".")[0]
    tries = st.session_state.get(f"{source}.tries", 0)
    key = f"{key}.{tries}" if tries else key
    found = st.file_uploader(label, type=None if types is None else list(types), accept_multiple_files=several, key=key,
                             max_upload_size=process_settings().budget.upload_mb)
    files = [] if not found else list(found) if isinstance(found, list) else [found]
    if (error := uploads.refusal()) is not None:
        _refuse(source, (), error)
        st.rerun()
    return files


def _pick_images() -> Opened | None:
    if "images" in _opened():
        return _kept("images")
    _say_refused("images")
    files = _upload("Photos, or one zip or tar of photos. A text file of the same name holds a photo's "
                      "captions.", None, "images.upload", several=True)
    if not files:
        stay = ("Only their vectors and small pictures are kept on this server." if process_settings().hosted
                else "They stay on this machine.")
        panels.notice(f"Drop photos or a zip here. {stay}")
        return None
    _bring("images", files, lambda: _open_images([(f.name, f.getvalue()) for f in files]))


def _say_refused(source: str) -> None:
    if f"{source}.refused" in st.session_state:
        panels.error_panel(st.session_state[f"{source}.refused"])


def _open_images(files: Sequence[tuple[str, bytes]]) -> Dataset:
    from core.sources.images.opening import open_uploads, open_zip

    archives = [(name, data) for name, data in files if name.lower().endswith((".zip", ".tar"))]
    if archives and len(files) > 1:
        raise SourceError("either one zip or tar or several images",
                          f"{len(archives)} archives among {len(files)} files", "Upload the archive alone.")
    if archives:
        return open_zip(archives[0][1], archives[0][0])
    return open_uploads(files)


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
    _say_refused("table")
    left, right = st.columns(2)
    with left:
        table = _upload("A table with captions and image names (CSV, TSV, JSON, JSON lines, Parquet)", _TABLES,
                        "table.upload", several=False)
    with right:
        images = _upload("The images it names: a zip, a tar, or the files", None, "table.images", several=True)
    if not table:
        panels.notice("Captions alone are welcome too: then the sphere shows texts.")
        return None
    if not st.button("Open the table", type="primary", icon=":material/folder_open:", key="table.go",
                     help="With the images beside it, if it names any."):
        return None
    st.session_state.pop("table.refused", None)
    uploads.keep("table", [*table, *images])
    return TableSource((table[0].name, table[0].getvalue()), tuple((f.name, f.getvalue()) for f in images),
                       tuple(f.file_id for f in (*table, *images)), _files([*table, *images]))


def _open_table(source: TableSource) -> Dataset:
    from core.sources.tables.opening import open_table

    root = _open_images(source.images) if source.images else None
    return open_table(source.table, root, roles=chosen_roles(source.mark))


def _pick_vectors() -> Opened | None:
    if "vectors" in _opened():
        return _kept("vectors")
    _say_refused("vectors")
    files = _upload("Vectors made elsewhere (npy, npz, Parquet, CSV), one file or several, their names or columns "
                      "saying image or text", _VECTORS, "vectors.upload", several=True)
    if not files:
        panels.notice("Images and texts of equal number are pairs row by row, unless ids say more.")
        return None

    def opening() -> VectorSource:
        from core.sources.vectors.opening import open_vectors

        if len(files) == 1:
            return open_vectors(files[0].getvalue(), files[0].name)
        return open_vectors([(f.name, f.getvalue()) for f in files])

    _bring("vectors", files, opening)


def _pick_path() -> Opened | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        path = state.pick_text("Path of a folder of images, a zip or tar, a caption table, or vectors, on this machine",
                               key="folder", placeholder="/home/me/photos").strip()
        again = st.button("Read again", icon=":material/refresh:", disabled=not path)
    if not path:
        st.session_state["folder.seen"] = ""
        panels.notice("Nothing is copied: photos are read from the disk when they are looked at.")
        return None
    if _of_a_link(path):
        panels.notice(f"The address names something on this machine: {path}. It is not opened unasked.", "warning")
        if st.button("Yes, open it", type="primary", icon=":material/folder_open:", key="folder.yes"):
            st.session_state["folder.wanted"].add(path)
            st.rerun()
        return None
    if again:
        _opened().pop("folder", None)

    def opening() -> Dataset | VectorSource:
        from core.sources.opening import open_path

        return open_path(path, chosen_roles(path))

    opened = _reopen("folder", (path, chosen_roles(path)), opening)
    if path.lower().endswith(_TABLES) and (opened is None or opened.dataset is not None):
        from core.sources.tables.opening import columns_of

        if pick_roles(path, lambda: columns_of(path)):
            st.rerun()
    return opened


def _of_a_link(path: str) -> bool:
    """Whether a path was neither typed in this visit nor agreed to: then it stood in the address."""
    wanted: set[str] = st.session_state.setdefault("folder.wanted", set())
    before = st.session_state.get("folder.seen")
    st.session_state["folder.seen"] = path
    if before is not None and path != before:
        wanted.add(path)
    return path not in wanted
