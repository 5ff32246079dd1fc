"""Bringing objects: solids of the built-in world, meshes and point clouds, photos of objects."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.settings import settings as process_settings
from core.sources.meshes.formats import BESIDE, READ
from core.sources.solids.scene import Solid
from core.sources.solids.vocabulary import SOLIDS
from core.sources.tars import ARCHIVES
from core.streamlit_app import panels, state
from core.streamlit_app.data.links import wanted
from core.streamlit_app.data.uploading import bring, open_images
from core.types import Refusal, fingerprint

if TYPE_CHECKING:
    from core.sources.meshes.mesh import Cloud, Mesh
    from core.sources.meshes.opening import Brought as Meshes
    from core.types import Dataset

SOURCES = {"solids": "Solids", "meshes": "Meshes and clouds", "photos": "Photos of objects", "here": "On this machine"}
FIRST = ("cube", "sphere", "cone", "torus")
MOST = 24


@dataclass(frozen=True)
class Objects:
    """What a visitor looks at from all sides.

    Attributes
    ----------
    name : what it is called; key : no other objects have it.
    shapes : solids, meshes and clouds; empty for photos.
    photos : photos of objects, a folder an object; None for what is rendered.
    refused, left_out, notices : what could not be read, what is no object, what meshes name and was not there.
    files : what was uploaded, by name.
    """

    name: str
    key: str
    shapes: tuple[Solid | Mesh | Cloud, ...] = ()
    photos: Dataset | None = None
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()
    files: str = ""

    @property
    def are_solids(self) -> bool:
        return bool(self.shapes) and all(isinstance(shape, Solid) for shape in self.shapes)


def pick_objects() -> Objects | None:
    """The widgets that choose what is looked at; None until there is something."""
    sources = {key: title for key, title in SOURCES.items() if key != "here" or not process_settings().hosted}
    source = state.pick_option("Objects", sources, key="objects", widget="segments")
    found = {"solids": _solids, "meshes": _meshes, "photos": _photos, "here": _here}[source]()
    if found is None:
        return None
    state.write_url("file", found.files or None)
    panels.refused_panel(found.refused)
    if found.left_out or found.notices:
        n = len(found.left_out) + len(found.notices)
        with st.expander(f"{n:,} remark{'s' * (n != 1)} on what was brought"):
            for said in (*found.notices, *(f"{left.name}: {left.reason}" for left in found.left_out)):
                st.text(said)
    if len(found.shapes) > MOST:
        panels.notice(f"{len(found.shapes):,} objects; the first {MOST} are looked at.")
        return Objects(found.name, f"{found.key}-{MOST}", found.shapes[:MOST], files=found.files)
    return found


def _solids() -> Objects | None:
    chosen = state.pick_several("Solids of the built-in world", {key: key for key in SOLIDS}, key="solids",
                                default=FIRST)
    if not chosen:
        panels.notice("Choose a solid or two.")
        return None
    return Objects(", ".join(chosen), fingerprint("solids", chosen), tuple(Solid(name, "green") for name in chosen))


def _meshes() -> Objects | None:
    def opening(files: Sequence[tuple[str, bytes]]) -> Objects:
        from core.sources.meshes.opening import open_meshes

        return _brought(open_meshes(files))

    return _uploaded("meshes", "OBJ (with its MTL and pictures), PLY, STL, GLB, glTF, OFF or XYZ; one or several, or a "
                     "zip", (*READ, *BESIDE, *ARCHIVES), opening)


def _photos() -> Objects | None:
    def opening(files: Sequence[tuple[str, bytes]]) -> Objects:
        found = open_images(files)
        return Objects(found.name, uuid.uuid4().hex, photos=found, refused=found.refused, left_out=found.left_out,
                       notices=found.notices)

    return _uploaded("photos", "Photos of one object, or a zip with a folder of photos for each object", None, opening)


def _uploaded(source: str, label: str, types: Sequence[str] | None,
              opening: Callable[[Sequence[tuple[str, bytes]]], Objects]) -> Objects | None:
    """What was uploaded, by the names of its files."""
    held = bring(source, label, types, opening)
    return None if held is None else replace(held[0], files=held[1])


def _here() -> Objects | None:
    path = state.pick_text("Path of a mesh, a folder of meshes, or a zip, on this machine", key="mesh",
                           placeholder="/home/me/chair.obj").strip()
    if not path:
        st.session_state["mesh.seen"] = ""
        panels.notice("Nothing is copied.")
        return None
    if not wanted("mesh", path):
        return None
    known = st.session_state.get("objects.here")
    if known is None or known[0] != path:
        from core.sources.meshes.opening import open_mesh_path

        with panels.friendly_errors():
            with st.spinner("Reading …"):
                found = _brought(open_mesh_path(path))
            st.session_state["objects.here"] = (path, found)
            return found
        return None
    held: Objects = known[1]
    return held


def _brought(found: Meshes) -> Objects:
    names = [shape.name for shape in found.objects]
    name = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    key = fingerprint("meshes", names, *(shape.fingerprint for shape in found.objects))
    return Objects(name, key, found.objects, None, found.refused, found.left_out, found.notices)
