"""Heads: which a visual prompt moves, which carry what steering gains, and the texts that span what one writes."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from core.attention.foveal.captions import text_vectors
from core.attention.foveal.heads import (
    HeadGains,
    Sensitivity,
    head_gains,
    sensitivity,
    steered_heads,
    views_told_apart,
)
from core.attention.foveal.scenes import world_references
from core.attention.masks import Steering
from core.attention.prompts import METHODS, TITLES
from core.attention.regions import Region
from core.encoding.registry import BUILTIN
from core.figures.foveal import heads as figures
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.foveal import python, written
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import pick_steering
from core.streamlit_app.state import Settings
from core.types import fingerprint

HEAD, BY, OVER, FOR = "head", "heads_by", "heads_over", "heads_for"
SCENES, SEED = 40, 2310      # of the built-in world
AT_ONCE = 60                 # passes over one picture that are done without being asked for
NO_CLASS_TOKEN = ("This model has no class token: a probe pools all patches, and a network after it makes the "
                  "embedding. What a head adds to the embedding is then no sum, and neither its sensitivity nor its "
                  "texts can be told. What steering gains with each head can.")


def show(settings: Settings, data: FovealData) -> None:
    """The matrix of heads, what each gains, and what the chosen one writes."""
    steering = pick_steering(data.tower)
    if not data.tower.cls:
        panels.notice(NO_CLASS_TOKEN)
    over = _pick_over(settings, data)
    left, right = st.columns(2, gap="large")
    chosen = None
    with left, panels.friendly_errors():
        if data.tower.cls:
            chosen = _sensitivity(settings, data, steering, over)
    with right, panels.friendly_errors():
        _gains(data, steering, over)
    if data.tower.cls:
        with panels.friendly_errors():
            written.show(settings, data, chosen if chosen is not None else (data.tower.layers - 1, 0))
    world = f"world_references({SCENES}, {SEED})" if over == "world" else ""
    ui.copy_as_python(python.heads(settings, data, steering, world, chosen))


def _pick_over(settings: Settings, data: FovealData) -> str:
    """"world" for scenes of the built-in world, "picture" for the one that is looked at."""
    if settings.model_id != BUILTIN and not (data.opened.built_in or data.opened.in_world):
        return "picture"
    return state.pick_option("Measured on", {"world": f"{SCENES} scenes of the built-in world", "picture":
                                             "this picture"}, key=OVER, widget="segments", help=(
        "Scenes of three solids, in each of which one is pointed at: many pictures give intervals. They are drawn with "
        f"a seed of their own ({SEED}) and chose nothing."))


def _sensitivity(settings: Settings, data: FovealData, steering: Steering, over: str) -> tuple[int, int] | None:
    """The matrix; which head is chosen, by a click or the list; None while there is no matrix."""
    prompted, picked = st.columns(2)
    with prompted:
        by = state.pick_option("Pointed at by", {m: TITLES[m] for m in METHODS if m not in ("none", "unleash")}, key=BY)
    if over == "picture" and data.region is None:
        panels.notice("Draw a box on the picture, or pick a region: what each head makes of it shows here.")
        return None
    asked = steering if by == "foveal" else None
    if asked is not None and asked.idle:
        panels.notice("The mask changes nothing as it is set: no head is moved.")
        return None
    key = fingerprint("heads.moved", _what(data, over), by, repr(asked), settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Sensitivity:
        if over == "world":
            images, regions, _ = views_told_apart(data.tower, world_references(SCENES, SEED))
        else:
            assert data.region is not None
            images, regions = [data.image], [data.region]
        return sensitivity(data.tower, images, regions, by, asked, seed=settings.seed, on_progress=on_progress,
                           should_stop=should_stop)

    found: Sensitivity | None = work.result_beside(key, measure)
    if found is None:
        return None
    layer, head = np.unravel_index(int(found.moved.mean(axis=0).argmax()), found.moved.shape[1:])
    with picked:
        chosen = _pick_head(data, (int(layer), int(head)))
    clicked = ui.show(
        figures.sensitivity(found, chosen=chosen, dark=ui.dark()), key="foveal.sensitivity", clicks=True,
        table=lambda: figures.sensitivity_table(found), how_to_read=(
            "How far the prompt changes what a head writes into the class token: length of the change over length of "
            "what it writes without. “Elsewhere” is the same prompt at random places; a dot marks heads that are moved "
            "more than that, a ring those moved less (paired over pictures, 5 %, Holm). Click a head to see what "
            "it writes."))
    if clicked is not None:
        _to(HEAD, f"{int(clicked[0]) + 1}.{int(clicked[1]) + 1}")
        st.rerun()
    return chosen


def _pick_head(data: FovealData, most: tuple[int, int]) -> tuple[int, int]:
    pairs = {f"{layer + 1}.{head + 1}": (layer, head)
             for layer in range(data.tower.layers) for head in range(data.tower.heads)}
    name = state.pick_option("Head", {key: figures.named(pair).capitalize() for key, pair in pairs.items()}, key=HEAD,
                             default=f"{most[0] + 1}.{most[1] + 1}")
    return pairs[name]


def _to(key: str, value: str) -> None:
    """Set what stands in the address, and the widget of it if there is one."""
    state.kept()[key] = value
    state.write_url(key, value)
    st.session_state.pop(key, None)


def _gains(data: FovealData, steering: Steering, over: str) -> None:
    """What steering gains with each head alone and loses without it."""
    if steering.idle:
        panels.notice("The mask changes nothing as it is set: there is no gain to share out.")
        return
    target = 0
    if over == "picture":
        if data.region is None or len(data.prompts) < 2:
            panels.notice("With a region and two prompts or more, this shows which heads carry what the mask gains.")
            return
        names = {str(i): panels.plain(text, 60) for i, text in enumerate(data.prompts)}
        target = int(state.pick_option("Gain of", names, key=FOR, help=(
            "The margin: cosine with this prompt less the mean cosine with the others.")))
    told = data.prompts if over == "picture" else ()
    key = fingerprint("heads.gains", _what(data, over), repr(steering), told, target)
    measure = partial(_measured_gains, data, steering, over, target)
    passes = 2 * len(steered_heads(data.tower, steering)) + 2
    found: HeadGains | None
    if passes <= AT_ONCE:
        found = work.result_beside(key, measure)
    else:
        found = work.result_when_asked(key, f"Steer each head alone ({passes:,} passes)", "foveal.gains.run", measure)
    if found is None:
        return
    which = ("the box of a sentence (“a red cube”) and its margin over the other sentences of the scene"
             if over == "world" else "the prompt's margin over the other prompts, in this one view")
    known = ("Bars are 95 % intervals, paired over pictures; filled where it differs from nothing (5 %, Holm)."
             if over == "world" else "One view has no interval: what is shown holds for it alone.")
    ui.show(figures.gains(found, data.tower.layers, dark=ui.dark()), key="foveal.gains",
            table=lambda: figures.gains_table(found), how_to_read=(
        f"The mask on one head alone, and on all heads but one: {which}, a difference of cosines. {known} "
        "Gains do not add up: heads read what others write."))


def _measured_gains(data: FovealData, steering: Steering, over: str, target: int, on_progress: work.Progress,
                    should_stop: work.Stop) -> HeadGains:
    regions: list[Region]
    if over == "world":
        images, regions, directions = views_told_apart(data.tower, world_references(SCENES, SEED))
    else:
        assert data.region is not None
        words = text_vectors(data.tower, data.prompts)
        others = [words[text] for i, text in enumerate(data.prompts) if i != target]
        images, regions = [data.image], [data.region]
        directions = (words[data.prompts[target]] - np.mean(others, axis=0))[None]
    return head_gains(data.tower, images, regions, directions, steering, on_progress=on_progress,
                      should_stop=should_stop)


def _what(data: FovealData, over: str) -> str:
    """Of the model and of what is measured on."""
    if over == "picture":
        return data.key
    return fingerprint("heads.world", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, SCENES, SEED)
