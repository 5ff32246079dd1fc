"""Choosing what to look at: the built-in world, or a visitor's own images, table, vectors or folder."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import SourceError
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, state
from core.types import Dataset

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.sources.open_vectors import VectorSource

DEFAULT_SCENES = 300
MOST_SCENES = 5_000
_UPLOAD_MB = {False: 400, True: 100}
_IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "zip", "txt")
_VECTORS = ("npy", "npz", "parquet", "csv", "tsv", "zip")
_TABLES = ("csv", "tsv", "jsonl", "json", "parquet")


@dataclass(frozen=True)
class Opened:
    """What a visitor has opened: a dataset to embed, or vectors made elsewhere.

    Attributes
    ----------
    name : what the visitor calls it.
    key : no other opening of other content has it.
    dataset, vectors : one of them.
    source : key of SOURCES; the built-in world is "world".
    """

    name: str
    key: str
    dataset: Dataset | None = None
    vectors: VectorSource | None = None
    source: str = "world"

    @property
    def built_in(self) -> bool:
        return self.source == "world"


SOURCES: dict[str, str] = {"world": "Built-in world", "images": "Images", "table": "Caption table",
                           "vectors": "Vectors", "folder": "Folder"}


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
    if source == "world":
        dataset = cached.world(n, seed)
        return Opened(dataset.name, f"world-{n}-{seed}", dataset)
    return {"images": _pick_images, "table": _pick_table, "vectors": _pick_vectors, "folder": _pick_folder}[source]()


def _opened() -> dict[str, tuple[object, Opened]]:
    """By source, what was opened last and from what; of this visit alone."""
    return st.session_state.setdefault("opened", {})


def _reopen(source: str, mark: object, opening: Callable[[], Dataset | VectorSource]) -> Opened | None:
    """What ``opening`` gives, opened once for each ``mark``; errors become a panel."""
    known = _opened().get(source)
    if known is None or known[0] != mark:
        with panels.friendly_errors():
            with st.spinner("Opening …"):
                found = opening()
            key = uuid.uuid4().hex
            opened = (Opened(found.name, key, dataset=found, source=source) if isinstance(found, Dataset)
                      else Opened(found.name, key, vectors=found, source=source))
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
    with st.container(horizontal=True, vertical_alignment="center", key=f"{source}.open"):
        st.text(f"{known[1].name}: {counts(known[1])}", width="content")
        if st.button("Close", key=f"{source}.close", icon=":material/close:", type="tertiary"):
            del _opened()[source]
            st.rerun()
    return known[1]


def counts(opened: Opened) -> str:
    """How much there is, in words."""
    if opened.dataset is not None:
        sizes = len(opened.dataset.image_ids), len(opened.dataset.text_ids)
    else:
        assert opened.vectors is not None
        sizes = len(opened.vectors.images or ()), len(opened.vectors.texts or ())
    parts = zip(sizes, ("image", "text"))
    words = [f"{n:,} {noun}{'' if n == 1 else 's'}" for n, noun in parts if n]
    return " and ".join(words) or "nothing"


def _upload(label: str, types: Sequence[str], key: str, *, several: bool) -> list[UploadedFile]:
    found = st.file_uploader(label, type=list(types), accept_multiple_files=several, key=key,
                             max_upload_size=_UPLOAD_MB[process_settings().hosted])
    if not found:
        return []
    return list(found) if isinstance(found, list) else [found]


def _pick_images() -> Opened | None:
    if "images" in _opened():
        return _kept("images")
    uploads = _upload("Photos, or one zip of photos. A text file beside a photo, of the same name, holds its captions.",
                      _IMAGES, "images.upload", several=True)
    if not uploads:
        stay = ("Only their vectors and small pictures are kept on this server." if process_settings().hosted
                else "They stay on this machine.")
        panels.notice(f"Drop photos or a zip here. {stay}")
        return None
    if _reopen("images", tuple(u.file_id for u in uploads), lambda: _open_images(uploads)):
        st.rerun()
    return None


def _open_images(uploads: Sequence[UploadedFile]) -> Dataset:
    from core.sources.open_images import open_uploads, open_zip

    zips = [u for u in uploads if u.name.lower().endswith(".zip")]
    if zips and len(uploads) > 1:
        raise SourceError("either one zip or several images", f"{len(zips)} zips among {len(uploads)} files",
                          "Upload the zip alone.")
    if zips:
        return open_zip(zips[0].getvalue(), zips[0].name)
    return open_uploads([(u.name, u.getvalue()) for u in uploads])


def _pick_table() -> Opened | None:
    left, right = st.columns(2)
    with left:
        table = _upload("A table with captions and image names (CSV, TSV, JSON lines, Parquet)", _TABLES,
                        "table.upload", several=False)
    with right:
        images = _upload("The images it names: a zip, or the files", _IMAGES, "table.images", several=True)
    if not table:
        if "table" not in _opened():
            panels.notice("Captions alone are welcome too: then the sphere shows texts.")
        return _kept("table")

    def opening() -> Dataset:
        from core.sources.open_table import open_table

        root = _open_images(images) if images else None
        return open_table((table[0].name, table[0].getvalue()), root)

    return _reopen("table", tuple(u.file_id for u in (*table, *images)), opening)


def _pick_vectors() -> Opened | None:
    if "vectors" in _opened():
        return _kept("vectors")
    uploads = _upload("Vectors made elsewhere (npy, npz, Parquet, CSV), one file or several, their names or columns "
                      "saying image or text", _VECTORS, "vectors.upload", several=True)
    if not uploads:
        panels.notice("Images and texts of equal number are pairs row by row, unless ids say more.")
        return None

    def opening() -> VectorSource:
        from core.sources.open_vectors import open_vectors

        if len(uploads) == 1:
            return open_vectors(uploads[0].getvalue(), uploads[0].name)
        return open_vectors([(u.name, u.getvalue()) for u in uploads])

    if _reopen("vectors", tuple(u.file_id for u in uploads), opening):
        st.rerun()
    return None


def _pick_folder() -> Opened | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        path = state.pick_text("Path of a folder of images, or of a caption table, on this machine", key="folder",
                               placeholder="/home/me/photos")
        again = st.button("Read again", icon=":material/refresh:", disabled=not path)
    if not path.strip():
        panels.notice("Nothing is copied: photos are read from the folder when they are looked at.")
        return None
    if again:
        _opened().pop("folder", None)

    def opening() -> Dataset:
        from core.sources.open_images import open_folder, open_zip
        from core.sources.open_table import open_table

        ending = path.strip().rsplit(".", 1)[-1].lower()
        if ending == "zip":
            return open_zip(path.strip())
        return open_table(path.strip()) if ending in _TABLES else open_folder(path.strip())

    return _reopen("folder", path.strip(), opening)
