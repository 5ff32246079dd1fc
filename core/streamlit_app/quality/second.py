"""What is compared: all of what is open, or a part of it, and beside it the rest, another dataset, or another world."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import OrreryError, ShapeError
from core.language.quality.actions import replay, what_is_left
from core.settings import settings as process_settings
from core.sources.tables.columns import is_plain
from core.sources.tables.reading import ENDINGS as TABLES
from core.sources.tars import ARCHIVES
from core.sources.vectors.files import ENDINGS as VECTORS
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.classes import labels_of
from core.streamlit_app.data.embedding import ensure_embedded
from core.streamlit_app.data.links import wanted
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import kept, restricted
from core.streamlit_app.data.uploading import bring, open_images
from core.streamlit_app.quality import stack
from core.streamlit_app.quality.data import QualityData, finding
from core.streamlit_app.quality.planted import pick_faults, with_faults
from core.streamlit_app.state import Settings
from core.types import Selection

if TYPE_CHECKING:
    from core.sources.vectors.opening import VectorSource
    from core.types import Dataset

WAYS = {"what_if": "Dropped against kept", "world": "Another sample of the built-in world",
        "column": "By a column", "selection": "A kept selection",
        "files": "Other files", "here": "On this machine"}
REST = "everything else"
MOST_VALUES = 100


@dataclass(frozen=True)
class Two:
    """Two datasets by one model and what each is called; of a what-if, which of all images (else texts) are kept."""

    a: Ready
    b: Ready
    names: tuple[str, str]
    kept: np.ndarray | None = None


def pick_two(settings: Settings, data: QualityData, *, but: Sequence[str] = ()) -> Two | None:
    """The widgets that choose A and B, in other ways than some; None until both are there."""
    ready = data.ready
    ways = {key: title for key, title in WAYS.items() if key not in but and _offered(key, ready)}
    way = state.pick_option("Compare with", ways, key="with", widget="segments")
    if way == "what_if":
        return _by_what_if(settings, data)
    if way in ("column", "selection"):
        return (_by_column if way == "column" else _by_selection)(ready)
    opened = {"world": _world, "files": _files, "here": _here}[way](ready)
    if opened is None:
        return None
    other = ensure_embedded(settings.model_id, opened)
    panels.refused_panel(other.refused, other.unread, key="refused.b")
    _check_dimensions(ready, other)
    return Two(ready, other, _told_apart(ready.selection or ready.opened.name, opened.name))


def _offered(way: str, ready: Ready) -> bool:
    if way == "what_if":
        return any(action.on for action in stack.actions())
    if way == "world":
        return ready.opened.vectors is None
    if way == "column":
        return bool(_columns(ready))
    if way == "selection":
        return bool(_usable(ready))
    return way == "files" or not process_settings().hosted


def _told_apart(first: str, second: str) -> tuple[str, str]:
    """Two short names that differ: what both begin with is left out."""
    parts = [name.split(", ") for name in (first, second)]
    while min(map(len, parts)) > 1 and parts[0][0] == parts[1][0]:
        parts = [part[1:] for part in parts]
    first, second = (", ".join(part)[:60] for part in parts)
    return (first, second) if first != second else (f"{first} (A)", f"{second} (B)")


def _check_dimensions(ready: Ready, other: Ready) -> None:
    sizes = [next(part.vectors.shape[1] for part in (one.images, one.texts) if part is not None)
             for one in (ready, other)]
    if sizes[0] != sizes[1]:
        raise ShapeError(f"vectors of {sizes[0]} dimensions, as those of what is open", f"{sizes[1]} dimensions",
                         "Compare vectors that one and the same model made.")


def _columns(ready: Ready) -> dict[str, list[str]]:
    """Columns of the images with 2 to 100 values, and their values, the most frequent first."""
    if ready.images is None:
        return {}
    found = {}
    for column in map(str, ready.images.table.columns):
        if not is_plain(ready.images.table[column]):
            continue
        names, counts = np.unique([cell for cell in labels_of(ready, column) if cell], return_counts=True)
        if 2 <= len(names) <= MOST_VALUES:
            found[column] = [str(names[i]) for i in np.argsort(-counts, kind="stable")]
    return found


def _by_column(ready: Ready) -> Two | None:
    columns = _columns(ready)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = next((name for name in ("split", "fault", "label") if name in columns), next(iter(columns)))
        column = state.pick_option("Column", {name: name for name in columns}, key="by", default=first)
        values = {value: value for value in columns[column]}
        a = state.pick_option("A", values, key="a_is")
        b = state.pick_option("B", {REST: REST} | values, key="b_is",
                              default=columns[column][1] if len(values) == 2 else REST)
    if a == b:
        panels.notice("Choose two different values.")
        return None
    cells = np.array(labels_of(ready, column), dtype=object)
    return _parts(ready, cells == a, cells != a if b == REST else cells == b,
                  (f"{column} {a}", f"{column} {b}" if b != REST else REST))


def _parts(ready: Ready, a: np.ndarray, b: np.ndarray, names: tuple[str, str]) -> Two:
    assert ready.images is not None
    sides = [restricted(ready, Selection(name, tuple(ready.images.ids[i] for i in np.flatnonzero(mask)), (), ""))
             for name, mask in zip(names, (a, b))]
    return Two(sides[0], sides[1], names)


def _by_what_if(settings: Settings, data: QualityData) -> Two | None:
    """What the actions drop against what they keep."""
    steps = replay(stack.actions(), data.looked, seed=settings.seed,
                   finding_of=lambda key: finding(settings, data, key))
    left = what_is_left(steps, data.looked)
    of_images = bool((~left.images).any())
    kept = left.images if of_images else left.texts
    if kept.all() or not kept.any():
        panels.notice("The actions drop nothing: there is nothing to compare." if kept.all() else
                      "The actions drop everything: there is nothing to compare with.")
        return None
    ids = data.ids("image" if of_images else "text")
    sides = []
    for name, mask in (("dropped", ~kept), ("kept", kept)):
        own = tuple(ids[row] for row in np.flatnonzero(mask))
        sides.append(restricted(data.ready, Selection(name, own if of_images else (), () if of_images else own, "")))
    return Two(sides[0], sides[1], ("dropped", "kept"), kept)


def _usable(ready: Ready) -> list[str]:
    """Names of the kept selections that hold some of these images, and not all."""
    own = set(ready.images.ids) if ready.images is not None else set()
    return [name for name, one in kept().items() if 0 < len(own & set(one.image_ids)) < len(own)]


def _by_selection(ready: Ready) -> Two | None:
    names = _usable(ready)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        a = state.pick_option("A", {name: name for name in names}, key="a_held")
        b = state.pick_option("B", {REST: REST} | {name: name for name in names if name != a}, key="b_held")
    assert ready.images is not None
    first, second = (np.isin(ready.images.ids, kept()[name].image_ids) if name != REST else None for name in (a, b))
    assert first is not None
    return _parts(ready, first, ~first if second is None else second, (a, b))


def _world(ready: Ready) -> Opened | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = state.pick_number("Scenes of B", 100, 5_000, key="b_scenes", default=300, step=100)
        seed = state.pick_number("Sample of B", 0, 99, key="b_sample", default=1, help="Another seed, other scenes.")
        faults = pick_faults("b_faults")
    dataset = cached.world(n, seed)
    return with_faults(Opened(dataset.name, f"world-{n}-{seed}", dataset), faults)


def open_any(files: Sequence[tuple[str, bytes]], vectors: bool) -> Dataset | VectorSource:
    """What was uploaded together: images, an archive, a table, or vectors (``vectors``: these are tried first).

    Raises
    ------
    SourceError
        As the readers do.
    """
    from core.sources.tables.opening import open_table
    from core.sources.vectors.opening import open_vectors

    names = [name.lower() for name, _ in files]
    alone = files[0] if len(files) == 1 else None
    if all(name.endswith((".npy", ".npz")) for name in names):
        return open_vectors(alone[1], alone[0]) if alone else open_vectors(files)
    if alone is not None and names[0].endswith((*TABLES, *VECTORS, *ARCHIVES)):
        def as_vectors() -> Dataset | VectorSource:
            return open_vectors(alone[1], alone[0])

        def as_items() -> Dataset | VectorSource:
            return open_images(files) if names[0].endswith(ARCHIVES) else open_table((alone[0], alone[1]))

        order = [as_vectors, as_items] if vectors or names[0].endswith((".parquet", ".pq")) else [as_items, as_vectors]
        try:
            return order[0]()
        except OrreryError as error:
            try:
                return order[1]()
            except OrreryError:
                raise error from None
    return open_images(files)


def _as_opened(found: Dataset | VectorSource, key: str, source: str, files: str = "") -> Opened:
    from core.types import Dataset

    data = {"dataset": found} if isinstance(found, Dataset) else {"vectors": found}
    return Opened(found.name, key, source=source, files=files, **data)  # type: ignore[arg-type]


def _files(ready: Ready) -> Opened | None:
    vectors = ready.opened.vectors is not None

    def opening(files: Sequence[tuple[str, bytes]]) -> tuple[Dataset | VectorSource, str]:
        return open_any(files, vectors), uuid.uuid4().hex

    held = bring("other", "Vectors by the same model (npy, npz, Parquet, CSV)" if vectors else
                 "Photos, a zip or tar of photos, a caption table, or vectors by the same model", None, opening)
    return None if held is None else _as_opened(held[0][0], held[0][1], "images", held[1])


def _here(ready: Ready) -> Opened | None:
    path = state.pick_text("Path of B: a folder of images, a zip or tar, a caption table, or vectors, on this machine",
                           key="other_path", placeholder="/home/me/photos").strip()
    if not path:
        st.session_state["other_path.seen"] = ""
        return None
    if not wanted("other_path", path):
        return None
    known: tuple[str, Opened] | None = st.session_state.get("quality.here")
    if known is None or known[0] != path:
        from core.sources.opening import open_path

        with st.spinner("Opening …"):
            known = st.session_state["quality.here"] = path, _as_opened(open_path(path), uuid.uuid4().hex, "folder")
    return known[1]
