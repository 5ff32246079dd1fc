"""The frame of the Object Subspaces page: what is brought, how it is drawn, and the sections."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.encoding.registry import BUILTIN
from core.streamlit_app import models, panels, state, ui
from core.streamlit_app.data.beside import note
from core.streamlit_app.data.embedding import ensure_embedded
from core.streamlit_app.data.fit import say_misfit
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.objects import compare, recognise, style, subspace, views
from core.streamlit_app.objects.bring import Objects, pick_objects
from core.streamlit_app.objects.data import ObjectsData, data_of, takes_prompts
from core.streamlit_app.objects.looks import opened_views, pick_rendering
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, ObjectsData], None]]] = {
    "views": ("Views", views.show),
    "subspace": ("Subspace", subspace.show),
    "compare": ("Compare objects", compare.show),
    "style": ("Carry a style over", style.show),
    "recognise": ("Recognise", recognise.show),
}
WITHOUT_A_NAME = ("The built-in CLIP has only ever seen ten solids: it has no meaningful name for free forms, whatever "
                  "the look. The geometry of their views is measured all the same; for names take another model.")
WITHOUT_PROMPTS = ("The photo model is a classifier, not a CLIP: no prompt can be compared with its views. What needs "
                   "prompts is left out; the geometry of the views is measured.")


def show_objects(settings: Settings) -> None:
    """Bring objects, draw them, and look at one section at a time."""
    with st.sidebar:
        models.show_state(settings.model_id)
    objects = pick_objects()
    if objects is None:
        return
    rendering = pick_rendering(objects) if objects.photos is None else None
    opened = _opened(objects) if rendering is None else opened_views(objects, rendering)
    if opened is None:
        return
    section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="objects_at",
                                widget="segments", label_visible=False)
    _say_what_the_model_cannot(settings, opened, free_forms=objects.photos is None and not opened.in_world)
    ready = ensure_embedded(settings.model_id, opened)
    ui.refused_panel(ready.refused[len(opened.refused):], ready.unread)
    note("objects", ready, "label" if rendering is None else "object")
    with panels.friendly_errors():
        SECTIONS[section][1](settings, data_of(objects, ready, rendering))


def _say_what_the_model_cannot(settings: Settings, opened: Opened, *, free_forms: bool) -> None:
    if free_forms and settings.model_id == BUILTIN:
        panels.notice(WITHOUT_A_NAME)
    else:
        say_misfit(settings.model_id, opened)
    if not takes_prompts(settings):
        panels.notice(WITHOUT_PROMPTS)


def _opened(objects: Objects) -> Opened | None:
    assert objects.photos is not None
    return Opened(objects.name, objects.key, objects.photos, source="images", files=objects.files)
