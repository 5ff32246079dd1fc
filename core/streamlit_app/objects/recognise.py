"""What is it? A class list asked of a mesh's or a cloud's depth pictures, and how that hangs on its pose."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from core.attention.masks import Steering
from core.figures.objects import classes as figures
from core.figures.objects import poses as turning
from core.geometry.objects.votes import PoseSweep
from core.language.objects.classes import AXES, ClassScores, class_scores, poses_of
from core.rendering.cameras import FIXED_COUNTS
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.solids.vocabulary import SOLIDS
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.objects import pointed, python
from core.streamlit_app.objects.data import ObjectsData, pick_object, takes_prompts, vectors_of
from core.streamlit_app.objects.pointed import Recognised, pick_mask
from core.streamlit_app.state import Settings
from core.types import fingerprint

VIEWS = {"cube": "Six: the faces of a cube", "ten": "Ten: a ring, above, below"}
TURNS = {"x": "tipped forwards", "y": "turned about its upright", "z": "tipped sideways"}
MOST_CLASSES = 200
SCALE = 100.0


def show(settings: Settings, data: ObjectsData) -> None:
    """Scores of the classes, what each view says, and the pose sweep."""
    if not all(isinstance(shape, (Mesh, Cloud)) for shape in data.objects.shapes) or not data.objects.shapes:
        panels.notice("Depth pictures are drawn of meshes and point clouds: bring one. How the built-in solids and "
                      "photos are told apart stands under Compare objects.")
        return
    if not takes_prompts(settings):
        return
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        number = pick_object(data)
        shape = data.objects.shapes[number]
        assert isinstance(shape, (Mesh, Cloud))
        names = _classes(data)
        template = state.pick_text("Prompt, with {} for the class", key="template", default="a depth map of a {}.")
        cameras = state.pick_option("Views", VIEWS, key="depth_views")
        weights = _weights(cameras)
        steering = pick_mask()
        assert data.rendering is not None
        up = data.rendering.looks[0].up
    if len(names) < 2:
        panels.notice("Write two classes or more, one a line.")
        return
    texts = vectors_of(settings, [template.replace("{}", name) if "{}" in template else name for name in names])
    key = fingerprint("classes", shape.fingerprint, names, template, cameras, weights, up, settings.model_id)
    encoder = cached.encoder(settings.model_id)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> ClassScores:
        return class_scores(shape, texts, encoder, cameras=cameras, weights=weights, up=up, on_progress=on_progress,
                            should_stop=should_stop)

    with right:
        found: ClassScores = work.result_of(key, measure)
        scale = encoder.logit_scale if np.isfinite(encoder.logit_scale) else SCALE
        ui.show(figures.class_scores(data.views.names[number], names, found, scale, dark=ui.dark()),
                key="objects.classes", how_to_read="Probability of each class at the model's own temperature, from the "
                "weighted mean cosine of all views; 1 over the number of classes by chance.",
                table=lambda: figures.class_scores_table(names, found, scale))
        panels.gallery([(Image.fromarray(picture), names[int(cosines.argmax())], f"cosine {cosines.max():.3f}")
                        for picture, cosines in zip(found.pictures, found.cosines)], key="objects.depths")
        asked = Recognised(shape, data.views.names[number], names, texts, found, cameras, weights, up, key, scale,
                           template if "{}" in template else "{}")
        if steering is not None:
            pointed.show(settings, asked, steering)
    _sweep(settings, asked, steering)
    ui.copy_as_python(python.recognise(settings, names, template, cameras, up, steering))


def _classes(data: ObjectsData) -> tuple[str, ...]:
    usual = "\n".join(dict.fromkeys([*(name.replace("_", " ") for name in data.views.names), *SOLIDS]))
    written = state.pick_text("Classes, one a line", key="classes", placeholder=usual, lines=8).strip() or usual
    names = tuple(dict.fromkeys(line.strip()[:80] for line in written.splitlines() if line.strip()))
    if len(names) > MOST_CLASSES:
        panels.notice(f"{len(names):,} classes; the first {MOST_CLASSES} are asked.")
    return names[:MOST_CLASSES]


def _weights(cameras: str) -> tuple[float, ...]:
    """One weight a view, as a line of numbers."""
    n = FIXED_COUNTS[cameras]
    written = state.pick_text("Weights of the views", key=f"weights_{cameras}", default=", ".join(["1"] * n),
                              help="From the front, right, back, left, above and below; of ten views eight go round.")
    try:
        found = tuple(float(part) for part in written.replace(";", ",").split(","))
    except ValueError:
        found = ()
    if len(found) != n or not np.isfinite(found).all() or min(found) < 0 or sum(found) <= 0:
        panels.notice(f"Expected {n} numbers of 0 or more, with commas between, not all 0; all views count alike "
                      "until then.", "warning")
        return (1.0,) * n
    return found


def _sweep(settings: Settings, asked: Recognised, steering: Steering | None) -> None:
    """The classes over the pose."""
    axis = state.pick_option("Pose: the object is", {axis: TURNS[axis] for axis in AXES}, key="turn")
    encoder = cached.encoder(settings.model_id)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> PoseSweep:
        return poses_of(asked.shape, asked.texts, asked.names, encoder, axis=axis, cameras=asked.cameras,
                        weights=asked.weights, up=asked.up, on_progress=on_progress, should_stop=should_stop)

    found: PoseSweep = work.result_of(fingerprint("sweep", asked.key, axis), measure)
    ui.show(turning.poses(found, dark=ui.dark()), key="objects.sweep",
            how_to_read=f"Scores of the classes as the object is {TURNS[axis]}, large dots where one comes first. What "
                        "it is called hangs on the pose: a number for one pose says little.",
            table=lambda: turning.poses_table(found))
    if steering is not None:
        pointed.sweep(settings, asked, steering, axis, found)
