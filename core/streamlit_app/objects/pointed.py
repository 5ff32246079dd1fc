"""The recogniser with a foveal mask on the foreground of the depth pictures, beside none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.attention.masks import FOVEAL, Steering
from core.figures.objects import pointed as figures
from core.figures.objects import poses as turning
from core.geometry.objects.votes import PoseSweep
from core.language.objects.classes import ClassScores, pointed_scores, poses_of
from core.language.objects.known import KnownShapes, known_shapes
from core.sources.meshes.mesh import Cloud, Mesh
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.state import Settings
from core.types import fingerprint

HIGHEST_ALPHA = 12.0
POSES = 4


@dataclass(frozen=True, eq=False)
class Recognised:
    """An object that was asked for its class.

    Attributes
    ----------
    shape, name : the object.
    names, texts : of the k classes, (k, d) unit vectors.
    found : scores without a mask.
    cameras, weights, up : as `core.language.objects.classes.class_scores` takes them.
    key : no other object or classes have it.
    scale : factor on the cosine.
    template : of the prompts.
    """

    shape: Mesh | Cloud
    name: str
    names: tuple[str, ...]
    texts: np.ndarray
    found: ClassScores
    cameras: str
    weights: tuple[float, ...]
    up: str
    key: str
    scale: float
    template: str


def pick_mask() -> Steering | None:
    """The dials of the mask; None while it is off, as at first."""
    if not state.pick_flag("Foveal mask on what is drawn", key="depth_mask",
                           help="The attention of the image tower is drawn to the object in each depth picture and "
                                "away from the empty ground; what comes out stands beside the picture as it is."):
        return None
    hard = state.pick_flag("Hard: shut the ground out", key="depth_mask_hard")
    alpha = FOVEAL.alpha if hard else state.pick_number(
        "Alpha: added to the attention logits at the centre", 0.0, HIGHEST_ALPHA, key="depth_alpha",
        default=FOVEAL.alpha, step=0.1)
    return Steering(alpha=alpha, hard=hard)


def show(settings: Settings, asked: Recognised, steering: Steering) -> None:
    """Scores without and with the mask, what was masked, and clouds of known shapes."""
    encoder = cached.encoder(settings.model_id)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> ClassScores:
        return pointed_scores(asked.found, asked.texts, encoder, steering, weights=asked.weights,
                              should_stop=should_stop)

    pointed: ClassScores = work.result_of(fingerprint("pointed", asked.key, repr(steering)), measure)
    ui.show(figures.beside(asked.name, asked.names, asked.found, pointed, asked.scale, dark=ui.dark()),
            key="objects.pointed", how_to_read="Rings: the depth pictures as they are. Dots: with the mask on what is "
            "drawn. Probabilities at the model's own temperature, over all views as they are weighted; dotted is "
            "chance. One object is no test: clouds of known shapes, below, are.",
            table=lambda: figures.beside_table(asked.names, asked.found, pointed, asked.scale))
    panels.gallery([(figures.under_mask(picture, drawn, dark=ui.dark()), asked.names[int(cosines.argmax())],
                     f"cosine {cosines.max():.3f}; {100 * drawn.mean():.0f} % drawn")
                    for picture, drawn, cosines in zip(pointed.pictures, pointed.drawn, pointed.cosines)],
                   key="objects.masks")
    _known(settings, asked, steering)


def sweep(settings: Settings, asked: Recognised, steering: Steering, axis: str, before: PoseSweep) -> None:
    """The classes over the pose, with the mask, beside those without."""
    encoder = cached.encoder(settings.model_id)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> PoseSweep:
        return poses_of(asked.shape, asked.texts, asked.names, encoder, axis=axis, cameras=asked.cameras,
                        weights=asked.weights, up=asked.up, steering=steering, on_progress=on_progress,
                        should_stop=should_stop)

    found: PoseSweep = work.result_of(fingerprint("sweep", asked.key, axis, repr(steering)), measure)
    ui.show(turning.poses(found, dark=ui.dark()), key="objects.sweep_pointed",
            how_to_read="The same with the foveal mask on what is drawn.", table=lambda: turning.poses_table(found))
    st.text(figures.poses_in_words(before, found))


def _known(settings: Settings, asked: Recognised, steering: Steering) -> None:
    encoder = cached.encoder(settings.model_id)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> KnownShapes:
        return known_shapes(encoder, steering, asked.template, poses=POSES, cameras=asked.cameras,
                            weights=asked.weights, seed=settings.seed, on_progress=on_progress,
                            should_stop=should_stop)

    st.caption("Does the mask help this model with clouds? The built-in solids, as clouds in poses at random, are "
               "asked for their names, with the prompt, views, weights and mask above.")
    found: KnownShapes | None = work.result_when_asked(
        fingerprint("known", encoder.spec.fingerprint, asked.template, asked.cameras, asked.weights, settings.seed,
                    repr(steering)), "Measure on known shapes", "objects.known", measure)
    if found is not None:
        panels.notice(figures.known_in_words(found))
        ui.download_table(lambda: figures.known_table(found), "objects-known", label="Each solid")
