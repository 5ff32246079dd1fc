"""What the live views run in the browser: their scripts, joined in order into the one text that Streamlit takes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "scripts"
# A script may name at its top only what stands in those before it; a new layer of the sphere comes before "drawing"
# (on the globe) or "overlay" (above it), which list the layers in their order.
_SPHERE = (
    "shared/packing", "shared/page", "shared/picture", "shared/lines", "shared/links",
    "sphere/turns", "sphere/circles", "sphere/camera", "sphere/picking", "sphere/hands", "sphere/fetching",
    "sphere/tip", "sphere/shaders", "sphere/layers/globe", "sphere/layers/points", "sphere/layers/ribbons",
    "sphere/drawing", "sphere/above/labels", "sphere/above/marks", "sphere/above/tiles", "sphere/overlay",
    "sphere/legend", "sphere/pace", "sphere/view")
SCRIPTS: dict[str, tuple[str, ...]] = {
    "sphere": (*_SPHERE, "sphere/page"),
    "film": (*_SPHERE, "shared/controls", "film/path", "film/layers", "film/globe", "film/player", "film/strip",
             "film/controls", "film/view"),
    "training": (*_SPHERE, "shared/controls", "training/track", "training/still", "training/layers", "training/globe",
                 "training/controls", "training/view"),
    "matrix": ("shared/packing", "shared/page", "shared/picture", "matrix/sheet", "matrix/part", "matrix/drawing",
               "matrix/hands", "matrix/view"),
    "pictures": ("shared/packing", "shared/lines", "pictures"),
}
STYLES: dict[str, tuple[str, ...]] = {"sphere": ("sphere/view",),
                                      "film": ("sphere/view", "shared/controls", "film/view"),
                                      "training": ("sphere/view", "shared/controls", "training/view"),
                                      "matrix": ("sphere/view", "matrix/view"), "pictures": ()}


def script(view: str) -> str:
    """The scripts of a view as one."""
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS[view])


@lru_cache(maxsize=len(SCRIPTS))
def component(view: str, html: str) -> Callable[..., Any]:
    """The component of a view, one of `SCRIPTS`, which draws into ``html``."""
    styles = "\n".join((FOLDER / f"{name}.css").read_text(encoding="utf-8") for name in STYLES[view])
    return st.components.v2.component(f"orrery_{view}", html=html, css=styles or None, js=script(view))
