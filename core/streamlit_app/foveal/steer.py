"""Steer: the dials of the mask beside the edits of pixels, and what each does to prompts and to the vector."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from PIL.Image import Image

from core.attention.foveal.places import places_of
from core.attention.foveal.steering import (
    ALPHAS,
    MOST_PICTURES,
    Effects,
    Response,
    effects,
    mean_angle,
    over_alpha,
    point_by_attention,
    point_by_pixels,
    response,
    variants,
)
from core.attention.masks import Steering, foveal_weights
from core.attention.prompts import EDITED, MARGIN, STEERED, TITLES, edited
from core.attention.regions import Region
from core.figures.foveal import methods as figures
from core.figures.foveal import responses as curves
from core.figures.foveal.thumbnails import smaller, under_bias
from core.figures.frame import spoken
from core.sources.solids.captions import prompt
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.foveal import python, where
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import pick_steering
from core.streamlit_app.foveal.region import AT
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint


def show(settings: Settings, data: FovealData) -> None:
    """The dials, what the model is shown, the table, probabilities, the answer to alpha, and the sphere."""
    if data.region is None:
        panels.notice("Draw a box on the picture, or pick a region: everything here points at it.")
        return
    _shown(settings, data, data.region)


def _shown(settings: Settings, data: FovealData, region: Region) -> None:
    with panels.friendly_errors():
        with st.container(horizontal=True, vertical_alignment="bottom", key="foveal.steer"):
            steering = pick_steering(data.tower)
            with st.container(width=260):
                margin = state.pick_number("Margin of the crop, of the box's sides", 0.0, 1.0, key="foveal_margin",
                                           default=MARGIN, step=0.05)
            with st.container(width=320):
                target = int(state.pick_option("Prompt that is followed", {str(i): text for i, text in
                                                                           enumerate(data.prompts)},
                                               key="foveal_target", default=str(_first_target(data))))
        found = _effects(settings, data, region, steering, margin)
        thumbs = thumbnails(data, region, steering, margin)
        panels.gallery([(thumbs[method], TITLES[method], f"moved {found.angles[i]:.1f}°" if i else "")
                        for i, method in enumerate(found.methods)], key="foveal.thumbs")
        with st.container(key="foveal.methods"):
            panels.wrapped_table(figures.in_words(found, target))
        st.caption(panels.plain(_how_to_read(found, _scale(settings, data)), 1200))
        left, right = st.columns(2, gap="medium")
        with left:
            odds = bool(np.isfinite(found.log_odds).all()) and state.pick_option(
                "Told as", {"share": "probability", "odds": "log-odds"}, key="foveal_told", widget="segments",
                label_visible=False) == "odds"
            ui.show(figures.probabilities(found, target, odds=odds, dark=ui.dark()), key="foveal.probabilities",
                    how_to_read="Rings: the picture as it is. Dots: pointed at. Strokes: the same method pointing at "
                                "an equally large region elsewhere. A dot among its strokes says nothing of the "
                                "region.", table=partial(figures.table, found, target))
        with right:
            curve = _response(data, region, steering)
            ui.show(curves.responses(curve, target, at=None if steering.hard else steering.alpha, dark=ui.dark()),
                    key="foveal.responses", table=partial(curves.table, curve),
                    how_to_read="The soft mask over alpha, all other dials as they are set. Rings: the alpha that is "
                                "set.")
        with st.container(horizontal=True, vertical_alignment="center"):
            ui.download_table(partial(figures.vectors_table, found), "foveal-vectors", label="Vectors (CSV)")
            ui.copy_as_python(python.steer(settings, data, steering, margin, target, odds=odds))
        where.show(settings, data, found, target, thumbs,
                   lambda ready, method: python.where(settings, data, ready, steering, margin, target, method))


def _first_target(data: FovealData) -> int:
    """The prompt that names the solid which the region is of, where there is one."""
    scene, at = data.looked.scene, state.value_of(AT, "solid1").removeprefix("solid")
    if scene is None or not at.isdecimal() or not 0 < int(at) <= len(scene.solids):
        return 0
    solid = scene.solids[int(at) - 1]
    named = prompt(colour=solid.colour, solid=solid.shape)
    return data.prompts.index(named) if named in data.prompts else 0


def _effects(settings: Settings, data: FovealData, region: Region, steering: Steering, margin: float) -> Effects:
    """What each method does; what a dial does not change is not done again."""
    tower, image, seed = data.tower, data.image, settings.seed

    def regions() -> tuple[Region, ...]:
        return region, *places_of(tower, image, region, seed=seed)

    def by_pixels(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, np.ndarray]:
        return point_by_pixels(tower, image, regions(), margin=margin, on_progress=on_progress,
                               should_stop=should_stop)

    def by_attention(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, np.ndarray]:
        return point_by_attention(tower, image, regions(), steering, on_progress=on_progress, should_stop=should_stop)

    keys = fingerprint("by pixels", data.key, margin, seed), fingerprint("by attention", data.key, steering, seed)
    known = {**work.result_of(keys[0], by_pixels), **work.result_of(keys[1], by_attention)}
    found: Effects = cached.results().of(fingerprint("effects", *keys, data.prompts),
                                         lambda: effects(tower, known, data.prompts))
    return found


def _response(data: FovealData, region: Region, steering: Steering) -> Response:
    """The answer to alpha; the alpha that is set is among them."""
    alphas = tuple(sorted({*ALPHAS, steering.alpha}))
    others = replace(steering, alpha=0.0, hard=False)

    def turn(on_progress: work.Progress, should_stop: work.Stop) -> np.ndarray:
        return over_alpha(data.tower, data.image, region, steering, alphas, on_progress=on_progress,
                          should_stop=should_stop)

    key = fingerprint("over alpha", data.key, others, alphas)
    rows: np.ndarray = work.result_of(key, turn)
    found: Response = cached.results().of(fingerprint("response", key, data.prompts),
                                          lambda: response(data.tower, rows, alphas, data.prompts))
    return found


def _scale(settings: Settings, data: FovealData) -> Number | None:
    """How far two pictures of what is open lie apart; None until it is known, and where there is one picture."""
    dataset = data.opened.dataset
    if dataset is None or dataset.images is None or len(dataset.images) < 2:
        return None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Number:
        from core.encoding.embedding import embed_with
        from core.sources.sampling import take

        rows = np.random.default_rng(settings.seed).permutation(len(dataset.image_ids))[:MOST_PICTURES]
        images = embed_with(settings.model_id, take(dataset, rows, []), cached.store(), on_progress=on_progress,
                            should_stop=should_stop).images
        found = None if images is None else mean_angle(images.vectors)
        return found or Number(float("nan"), n=0)

    found: Number | None = work.result_beside(
        fingerprint("apart", settings.model_id, data.opened.key, settings.seed), measure)
    return found if found is not None and found.n else None


def _how_to_read(found: Effects, scale: Number | None) -> str:
    said = "Angle moved: from the vector of the picture as it is."
    if found.places:
        said += f" At random places: the same method pointing at an equally large region at {found.places} places " \
                "drawn at random, mean (least to most); then at how many of them the vector moves as far."
    else:
        said += " The region leaves no other place in what the model sees, so there is nothing to compare with."
    if scale is not None:
        said += f" For scale: two pictures of these data lie {spoken(scale, 1)} degrees apart on average, n = " \
                f"{scale.n:,}."
    return f"{said} Log-odds are natural, of the prompt that is followed; in brackets the change. Probabilities are " \
           "the model's own, of all prompts together."


def thumbnails(data: FovealData, region: Region, steering: Steering, margin: float) -> dict[str, Image]:
    """A small picture by method: of edits what the model is shown, of masks their bias over the picture."""
    small: dict[str, Image] = cached.results().of(
        fingerprint("edited", data.key, margin),
        lambda: {"none": smaller(data.image), **{method: smaller(edited(data.image, region, method, margin=margin))
                                                 for method in EDITED}})
    covered = data.tower.shares(region, data.image.size)
    asked = variants(steering)
    biased = {method: under_bias(data.image, foveal_weights(covered, asked[method]), data.seen, hard=asked[method].hard,
                                 dark=ui.dark()) for method in STEERED}
    return {"none": small["none"], **biased, **{method: small[method] for method in EDITED}}
