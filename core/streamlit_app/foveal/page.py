"""The frame of the Foveal Attention page: a picture, a region of it, prompts, and the sections."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.attention.towers import ImageTower
from core.encoding.registry import BUILTIN, FIRST_CHOICE_FOR_PHOTOS, MODELS, PHOTO
from core.errors import ModelError
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.foveal import classify, find, heads, look, refer, steer
from core.streamlit_app.foveal.data import OWN, FovealData
from core.streamlit_app.foveal.picture import pick_picture, pick_prompts
from core.streamlit_app.foveal.region import pick_region
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, FovealData], None]]] = {
    "look": ("Look", look.show),
    "steer": ("Steer", steer.show),
    "refer": ("Refer", refer.show),
    "find": ("Find", find.show),
    "classify": ("Classify", classify.show),
    "heads": ("Heads", heads.show),
}
NEVER_SAW = ("The built-in model has only ever seen rendered solids: the mask moves its attention, but what the "
             "prompts get of this picture means nothing.")


def show_foveal(settings: Settings, opened: Opened) -> None:
    """One picture and one section at a time."""
    if opened.dataset is None:
        panels.notice("Vectors made elsewhere are open. A mask acts within the image tower of a model: bring the "
                      "pictures themselves, or open the built-in world.", "warning")
        return
    if opened.dataset.images is None or not opened.dataset.image_ids:
        panels.notice("What is open holds texts only. Bring pictures too, or open the built-in world.", "warning")
        return
    tower = _tower(settings, opened)
    if tower is None:
        return
    with panels.friendly_errors():
        left, wide = st.columns([0.8, 2], gap="medium")
        with wide:
            choice = st.container()
            sheet, taken = st.columns(2, gap="medium")
        with left:
            looked = pick_picture(opened)
            if looked is None:
                return
            known = looked.number != OWN and (opened.in_world or opened.built_in)
            if settings.model_id == BUILTIN and not known:
                _offer(NEVER_SAW, _at_hand())
            prompts = pick_prompts(opened, looked)
            region = pick_region(looked, tower, choice, sheet, taken)
        data = FovealData(opened, tower, looked, region, prompts)
        section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="foveal",
                                    widget="segments", label_visible=False)
        with panels.friendly_errors():
            SECTIONS[section][1](settings, data)


def _tower(settings: Settings, opened: Opened) -> ImageTower | None:
    """The image tower of the model in use; where it is no ViT that is said, and one that is is offered."""
    if settings.model_id != PHOTO:
        with st.spinner("Loading the model …"):
            encoder = cached.encoder(settings.model_id)
        try:
            return ImageTower(encoder)
        except ModelError as error:
            panels.error_panel(error)
            return None
    world = opened.built_in or opened.in_world
    _offer("The photo model is a network of convolutions, no ViT: it has no attention that a mask could steer.",
           BUILTIN if world else _at_hand() or FIRST_CHOICE_FOR_PHOTOS)
    return None


def _at_hand() -> str:
    """A model for photos on this machine whose image tower is a ViT; "" without one."""
    from core.encoding.models import is_on_disk

    return next((name for name in MODELS if name not in (BUILTIN, PHOTO) and is_on_disk(name)), "")


def _offer(reason: str, better: str) -> None:
    """Why the model does not do, and a button that takes one that does; one not at hand is offered in the sidebar."""
    if not better:
        panels.notice(f"{reason} For photos choose {MODELS[FIRST_CHOICE_FOR_PHOTOS].title} in the sidebar.", "warning")
        return
    name = "the built-in model" if better == BUILTIN else MODELS[better].title
    said, offer = st.columns([2.6, 1], vertical_alignment="center")
    with said:
        panels.notice(reason, "warning")
    with offer:
        st.button(f"Take {name}", type="primary", key="foveal.better", width="stretch",
                  on_click=lambda: st.session_state.update(model=better))
