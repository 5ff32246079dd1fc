"""The views: each at the place of its camera, a contact sheet, and what can be taken from here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.objects.cameras import camera_scene
from core.rendering.casting import has_embree
from core.sources.meshes.mesh import Mesh
from core.streamlit_app import panels, ui
from core.streamlit_app.data.choose import look_at
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.objects import python
from core.streamlit_app.objects.data import ObjectsData, pick_object, pick_style
from core.streamlit_app.state import Settings

if TYPE_CHECKING:
    from core.scene import SphereScene

SHEET = 48


def show(settings: Settings, data: ObjectsData) -> None:
    """The camera sphere beside the contact sheet, of one object in one style."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number, style = pick_object(data), pick_style(data)
    rows = data.rows(number, style)
    if data.rendering is not None:
        left, right = st.columns([1, 1], gap="medium")
        with left:
            sphere_view(scene_of(data, rows), key="objects.cameras", height=560, dark=ui.dark())
            st.caption("Each view stands where its camera stood, the object in the middle; up is up. Drag to turn.")
        with right:
            _sheet(data, rows)
    else:
        _sheet(data, rows)
    _facts(data)
    _take(settings, data)


def scene_of(data: ObjectsData, rows: np.ndarray) -> SphereScene:
    """The camera sphere of some rows, with their pictures."""
    assert data.ready.images is not None
    name = data.views.names[int(data.views.objects[rows[0]])]
    style = data.views.style_names[int(data.views.styles[rows[0]])]
    return camera_scene(data.directions[rows], [data.ready.images.ids[i] for i in rows.tolist()],
                        pictures=data.ready.pictures.of(rows), title=f"{len(rows)} views of {name}, {style}")


def _sheet(data: ObjectsData, rows: np.ndarray) -> None:
    table = data.ready.images.table if data.ready.images is not None else None
    assert table is not None
    shown = rows[np.linspace(0, len(rows) - 1, min(SHEET, len(rows))).round().astype(int)]
    tiles = []
    for row in shown.tolist():
        where = "" if data.rendering is None else \
            f"{table['azimuth'].iloc[row]:.0f}° round, {table['elevation'].iloc[row]:.0f}° up"
        tiles.append((data.ready.pictures.whole(row), f"view {int(data.views.views[row])}", where))
    panels.gallery(tiles, key="objects.sheet")
    if len(shown) < len(rows):
        st.caption(f"{len(shown)} of {len(rows):,} views; the sphere has all.")


def _facts(data: ObjectsData) -> None:
    rows = [("Objects", f"{len(data.views.names)}: " + ", ".join(data.views.names)),
            ("Views", f"{len(data.views):,}")]
    if data.rendering is not None:
        rows.append(("Styles", ", ".join(data.views.style_names)))
    sizes = [f"{shape.name}: {len(shape.faces):,} faces" for shape in data.objects.shapes if isinstance(shape, Mesh)]
    if sizes:
        rows.append(("Meshes", "; ".join(sizes)))
        rows.append(("Rays cast by", "Embree" if has_embree() else "a depth buffer, which is slower: embreex has no "
                                                                  "package for this machine"))
    panels.facts(rows)


def _take(settings: Settings, data: ObjectsData) -> None:
    """The vectors as a file, the views on the other pages, the code."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Vectors (npz)", lambda: _npz(data), "views.npz", "application/octet-stream",
                           key="objects.npz", on_click="ignore", icon=":material/download:")
        images = data.ready.images
        assert images is not None
        table = images.table.assign(id=list(images.ids))
        ui.download_table(lambda: table, "views", label="Table (CSV)")
        if st.button("Look at these views on every page", icon=":material/public:", key="objects.everywhere"):
            look_at(data.ready.opened)
            st.switch_page("pages/1_Embedding_Sphere.py")
        ui.copy_as_python(python.views(settings, data))


def _npz(data: ObjectsData) -> bytes:
    """Vectors, norms, ids and what each shows, as `open_vectors` reads it."""
    images = data.ready.images
    assert images is not None
    buffer = io.BytesIO()
    table = images.table
    arrays = {"image": images.vectors, "image_ids": np.array(images.ids), "image_norms": images.norms}
    for name in table:
        numeric = pd.api.types.is_numeric_dtype(table[name])
        arrays[f"image_{name}"] = table[name].to_numpy() if numeric else table[name].to_numpy(dtype=str)
    np.savez_compressed(buffer, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
