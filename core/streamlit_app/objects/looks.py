"""How objects are drawn: cameras, styles, light, background; and the views as a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from core.rendering.cameras import CAMERA_SETS, COUNTS, FIXED_COUNTS, camera_set
from core.rendering.drawing import BACKGROUNDS, COLOURS, LIGHTS, Drawing, styles_of
from core.rendering.styles import STYLES
from core.rendering.views import Look, views_dataset
from core.rendering.world import WorldLook
from core.sources.meshes.mesh import Mesh
from core.sources.solids.captions import prompt
from core.sources.solids.scene import Solid
from core.sources.solids.vocabulary import COLOURS as WORLD_COLOURS
from core.sources.solids.vocabulary import SETTINGS
from core.sources.solids.vocabulary import STYLES as WORLD_STYLES
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.objects.bring import Objects
from core.types import fingerprint

CAMERAS = {"fibonacci": "Fibonacci: evenly all round", "ring": "Ring at 20 degrees", "random": "Random directions",
           "cube": "Cube: six faces", "ten": "Ten: a ring, above, below"}
TEXTS = {"shaded": "a grey clay model of a thing", "textured": "a photo of a thing", "cartoon": "a cartoon of a thing",
         "sketch": "a pencil sketch of a thing", "silhouette": "a black silhouette of a thing",
         "normals": "a normal map of a thing", "depth": "a depth map of a thing",
         "wireframe": "a wireframe of a thing", "points": "a point cloud of a thing"}
WORLD_FIRST, PLAIN_FIRST = ("photo", "sketch"), ("shaded", "cartoon")
MOST_VIEWS = 20_000


@dataclass(frozen=True)
class Rendering:
    """Cameras and looks.

    Attributes
    ----------
    cameras, n, seed : set of cameras, how many, and the seed of random ones.
    looks : one a style.
    """

    cameras: str
    n: int
    seed: int
    looks: tuple[Look, ...]

    @cached_property
    def directions(self) -> np.ndarray:
        """(v, 3) unit rows from the object to the cameras, y up."""
        return camera_set(self.cameras, self.n, self.seed)

    @property
    def key(self) -> str:
        return fingerprint("rendering", self.cameras, len(self.directions), self.seed,
                           *(look.fingerprint for look in self.looks))

    def text(self, style: str) -> str:
        """A prompt for a style."""
        in_world = any(isinstance(look, WorldLook) and look.style == style for look in self.looks)
        return prompt(style=style) if in_world else TEXTS[style]


def pick_rendering(objects: Objects) -> Rendering:
    """The widgets that choose cameras and looks."""
    left, middle, right = st.columns([1, 1, 1], gap="medium", vertical_alignment="bottom")
    with left:
        cameras = state.pick_option("Cameras", {key: CAMERAS[key] for key in CAMERA_SETS}, key="cameras")
    n, seed = FIXED_COUNTS.get(cameras, 0), 0
    if not n:
        with middle:
            n = state.pick_number("Views of each object and style", *COUNTS, key="n_views", default=32)
    with right, st.container(horizontal=True, vertical_alignment="center"):
        world = objects.are_solids or state.pick_flag(
            "As in the built-in world", key="world_look",
            help="Its light, its ground, one plain colour: what the built-in CLIP has seen. Of free forms it knows no "
                 "name in any look.")
        with st.popover("Look", icon=":material/palette:"):
            looks = _world_looks(objects) if world else _plain_looks(objects)
            if cameras == "random":
                seed = state.pick_number("Sample of directions", 0, 99, key="directions", default=0)
    return Rendering(cameras, n, seed, looks)


def _world_looks(objects: Objects) -> tuple[Look, ...]:
    styles = state.pick_several("Styles", {key: key for key in WORLD_STYLES}, key="world_styles", default=WORLD_FIRST)
    colour = state.pick_option("Colour", {key: key for key in WORLD_COLOURS}, key="world_colour", default="green")
    setting = state.pick_option("Setting", {key: key for key in SETTINGS}, key="setting", default="studio")
    size = state.pick_number("Size", 64, 256, key="world_size", default=128, step=32, unit="px")
    up = "y" if objects.are_solids else _up()
    return tuple(WorldLook(style, setting, colour, size, up) for style in styles or WORLD_FIRST[:1])


def _plain_looks(objects: Objects) -> tuple[Look, ...]:
    meshes = all(isinstance(shape, Mesh) for shape in objects.shapes)
    offered = [style for style in STYLES if meshes or all(style in styles_of(s) for s in objects.shapes)]  # type: ignore[arg-type]
    styles = state.pick_several("Styles", {key: key for key in offered}, key="styles", default=PLAIN_FIRST)
    light = state.pick_option("Light", {key: key for key in LIGHTS}, key="light")
    background = state.pick_option("Background", {key: key for key in BACKGROUNDS}, key="background")
    colour = state.pick_option("Colour of what has none", {key: key for key in COLOURS}, key="paint")
    size = state.pick_number("Size", 64, 512, key="size", default=224, step=32, unit="px")
    up = _up()
    return tuple(Drawing(style, light, background, colour, size, up) for style in styles or PLAIN_FIRST[:1])


def _up() -> str:
    return state.pick_option("Axis that points up", {"y": "y", "z": "z"}, key="up", widget="segments")


def opened_views(objects: Objects, rendering: Rendering) -> Opened | None:
    """The views as a dataset, which draws them when they are looked at; None, said, where there would be too many."""
    n = len(objects.shapes) * len(rendering.looks) * len(rendering.directions)
    if n > MOST_VIEWS:
        panels.notice(f"{n:,} views are more than the {MOST_VIEWS:,} that are looked at at once: take fewer views, "
                      "styles or objects.", "warning")
        return None
    key = fingerprint("views", objects.key, rendering.key)
    dataset = cached.views(key, lambda: views_dataset(objects.shapes, rendering.directions, rendering.looks))
    in_world = all(isinstance(look, WorldLook) for look in rendering.looks)
    return Opened(dataset.name, key, dataset, source="views", in_world=in_world and objects.are_solids,
                  python=dataset_lines(objects, rendering))


def dataset_lines(objects: Objects, rendering: Rendering) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Imports and lines that make ``dataset`` and its ``cameras``; brought files have made-up names."""
    solids = ", ".join(f"Solid({shape.shape!r}, {shape.colour!r})" for shape in objects.shapes
                       if isinstance(shape, Solid))
    source, shapes = ("from core.sources.solids.scene import Solid", f"[{solids}]") if objects.are_solids else (
        "from core.sources.meshes.opening import open_mesh_path", 'open_mesh_path("meshes").objects')
    look = "from core.rendering.world import WorldLook" if isinstance(rendering.looks[0], WorldLook) else \
        "from core.rendering.drawing import Drawing"
    return ("from core.rendering.cameras import camera_set", "from core.rendering.views import views_dataset", source,
            look), (f"cameras = camera_set({rendering.cameras!r}, {rendering.n}, {rendering.seed})",
                    f"looks = [{', '.join(map(repr, rendering.looks))}]",
                    f"dataset = views_dataset({shapes}, cameras, looks)")
