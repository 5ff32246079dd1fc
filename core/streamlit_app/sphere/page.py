"""The parts of the Embedding Sphere page: the live sphere with the card of a point, how far to trust it, the table."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.figures.scenes.embedding import Points, fidelity_titles
from core.figures.sphere.flat import flat_sphere
from core.geometry.maps.registry import FittedMap
from core.scene import SphereScene
from core.streamlit_app import panels, state, ui, views, work
from core.streamlit_app.data.card import kind_of, point_card, point_neighbours
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.sphere import selections
from core.streamlit_app.sphere.choices import Choices, pick_choices, say_what_is_odd
from core.streamlit_app.sphere.python import python_of
from core.streamlit_app.sphere.scene import (
    BY_LASSO,
    Selected,
    all_coords,
    fitted,
    pictures_of,
    points_of,
    scene_of,
    select_cap,
    table_of,
)
from core.streamlit_app.state import Settings

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.types import Number

VIEW = "sphere"
DRAWN = "sphere.drawn"
LASSO = "sphere.lasso.map"
OF_IMAGES_ALONE = ("Of the images alone: the texts are rows of a classifier's last layer, which are defined only up to "
                   "a vector that all of them share. By choosing it any number could be had for them.")


def show_sphere(settings: Settings, ready: Ready) -> None:
    """The live sphere with its widgets and the card of the point that was clicked; then numbers, points, selections."""
    say_what_is_odd(ready)
    ready = what_is_shown(ready)
    st.session_state.pop(DRAWN, None)
    with st.container():
        _live(settings, ready)
    if DRAWN not in st.session_state:
        return
    choices, selected, scene = st.session_state[DRAWN]
    _show_below(settings, ready, choices, fitted(settings, ready, choices), selected, scene)


@st.fragment
def _live(settings: Settings, ready: Ready) -> None:
    """Clicks, turns and choices redraw this part alone; what is below follows when it must."""
    left, right = st.columns([2.1, 1], gap="medium")
    with right:
        choices = pick_choices(settings, ready)
    points = points_of(ready, choices)
    picked = _picked(points)
    with left:
        try:
            placed = fitted(settings, ready, choices)
        except OrreryError as error:
            panels.error_panel(error)
            return
    with right, st.container(key="card"):
        if picked is None:
            _invitation(ready)
        else:
            degrees = _above_card(points)
            point_card(ready, points, picked, pictures_of(ready, choices))
    selected = _lassoed(ready, placed, len(points))
    if picked is not None and degrees:
        selected = select_cap(points, all_coords(placed, choices), picked, degrees)
    with left:
        scene = scene_of(ready, choices, placed, selected, picked)
        events = sphere_view(scene, key=VIEW, height=620, picked=picked, camera=_camera(), dark=ui.dark(),
                             data=ready.key)
        _foot(settings, ready, choices, placed, scene, picked)
    if picked is not None:
        point_neighbours(ready, points, picked)
    _remember(points, events.camera, events.clicked, picked)
    before = st.session_state.get(DRAWN)
    st.session_state[DRAWN] = choices, selected, replace(scene, selected=None, caps=())
    if before is not None and _mark(*before) != _mark(*st.session_state[DRAWN]):
        st.rerun()


def _mark(choices: Choices, selected: Selected | None, scene: SphereScene) -> tuple[object, ...]:
    """What the parts below the sphere depend on."""
    return (choices.method, choices.axes, choices.prompts,
            None if selected is None else (selected.words, selected.mask.tobytes()),
            scene.fingerprint if st.session_state.get("below") == "flat" else "")


def _lassoed(ready: Ready, placed: FittedMap, n: int) -> Selected | None:
    """The points inside the lasso drawn on the flat view of this very map."""
    drawn = st.session_state.get("sphere.flat")
    if not drawn or st.session_state.get("below") != "flat" or st.session_state.get(LASSO) != placed.map.fingerprint:
        return None
    rows = [int(np.ravel(point["customdata"])[0]) for point in drawn["selection"]["points"] if "customdata" in point]
    mask = np.zeros(n, dtype=bool)
    mask[[row for row in rows if row < n]] = True
    return Selected(mask, f"{BY_LASSO} the flat view of {ready.opened.name}"[:200]) if mask.any() else None


def _remember(points: Points, camera: str | None, clicked: int | None, picked: int | None) -> None:
    """Where the camera is and which point was clicked, for this visit and in the URL."""
    if camera:
        state.kept()["camera"] = camera
        state.write_url("camera", camera)
    if clicked is not None and clicked != picked and clicked < len(points):
        _pick(points, clicked)
        st.rerun(scope="fragment")


def _camera() -> str | None:
    """Where the camera was: of a link, or of this visit."""
    return st.query_params.get("camera") or (str(state.kept()["camera"]) if "camera" in state.kept() else None)


def _picked(points: Points) -> int | None:
    """The point that was picked, by its name, here or in a link."""
    name = st.query_params.get("point") or state.kept().get("point")
    if not name:
        return None
    kind, _, item = str(name).partition(":")
    if kind == "prompt":
        number = item.removeprefix("prompt ")
        row = int(number) - 1 if number.isdecimal() else -1
        return points.n_images + points.n_texts + row if 0 <= row < len(points.prompts) else None
    part, start = (points.images, 0) if kind == "image" else (points.texts, points.n_images)
    if part is None or item not in part.ids:
        return None
    return start + part.ids.index(item)


def _pick(points: Points, row: int | None) -> None:
    if row is None:
        state.kept().pop("point", None)
        state.write_url("point", None)
    else:
        name = f"{kind_of(points, row)}:{points.table['id'].iloc[row]}"
        state.kept()["point"] = name
        state.write_url("point", name)


def _above_card(points: Points) -> int:
    """A slider for the cap round the point, and a button that closes the card."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="card.top"):
        degrees = state.pick_number("Select a cap round it, degrees on the map", 0, 90, key="cap", default=0, unit="°")
        if st.button("Close", icon=":material/close:", type="tertiary", key="card.close"):
            _pick(points, None)
            st.rerun(scope="fragment")
    return degrees


def _invitation(ready: Ready) -> None:
    files = ready.opened.files
    st.subheader("How to read this", anchor=False)
    st.markdown(
        "- **Drag** to turn, **scroll** to come nearer, **hover** for a picture, **click** a point for its card.\n"
        "- Near points have a high cosine, as far as the map can show it: its fidelity stands below.\n"
        "- A **cap** holds half of a modality round its mean"
        + ("; the **gap** is the arc between the means.\n" if ready.has_gap else ".\n") +
        "- The address of this page holds the view: copy it to share what you see"
        + (f", with {panels.plain(files, 130)}, which it does not hold." if files else "."))


def _foot(settings: Settings, ready: Ready, choices: Choices, placed: FittedMap, scene: SphereScene,
          picked: int | None) -> None:
    """How far the map can be trusted, the lines of code that make the figure, downloads."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sphere.foot"):
        with st.popover("How far to trust this map", icon=":material/verified:"):
            found = placed.map.fidelity
            st.dataframe(panels.numbers_table({title: found[k] for k, title in fidelity_titles(found).items()}),
                         hide_index=True)
            st.caption("Spearman: do cosines keep their order? Overlap, trustworthiness, continuity: do neighbours "
                       "stay neighbours? Variance: how much of the length do three directions hold? All tell of this "
                       "map of these points, which is known and not estimated: no intervals. By chance: the same map "
                       "of points without structure, which keep the means of images and of texts; for axes, three "
                       "that have nothing to do with the points.")
        ui.copy_as_python(python_of(settings, ready, choices, picked))
        with st.popover("Download", icon=":material/download:"):
            ui.download_figure(partial(_figure, scene, ui.dark()), "sphere")
            ui.download_table(partial(table_of, ready, choices, placed), "sphere-points")
        views.views_panel()


def _figure(scene: SphereScene, dark: bool) -> go.Figure:
    from core.figures.scenes.globe import sphere

    return sphere(scene, dark)


def _show_below(settings: Settings, ready: Ready, choices: Choices, placed: FittedMap, selected: Selected | None,
                scene: SphereScene) -> None:
    """Statistics, the points or the selected ones, and the selections that were kept."""
    points = points_of(ready, choices)
    if selected is not None:
        selections.keep_panel(ready, points, selected)
    selections.kept_panel(settings, ready)
    parts = {"points": "The points", "flat": "Flat, to lasso", "numbers": "The numbers"}
    part = state.pick_option("Below the sphere", parts, key="below", widget="segments", label_visible=False)
    if part == "numbers":
        _show_statistics(ready)
        return
    if part == "flat":
        st.session_state[LASSO] = placed.map.fingerprint
        st.plotly_chart(flat_sphere(scene, ui.dark()), key="sphere.flat", theme=None, on_select="rerun",
                        selection_mode=("lasso", "box"), config={"displaylogo": False, "scrollZoom": True})
        st.caption("The same sphere laid flat, areas kept. Draw a lasso: its points stay coloured on the sphere, and "
                   "can be kept as a selection.")
        return
    table = table_of(ready, choices, placed)
    if selected is not None:
        table = table[selected.mask]
    st.dataframe(table, hide_index=True, height=340, key="sphere.table")


def _show_statistics(ready: Ready) -> None:
    """Statistics of the sphere, each with an interval and its value by chance; of texts where they mean anything."""
    from core.geometry.statistics import STATISTICS, sphere_statistics

    images, texts = (None if part is None else part.vectors for part in (ready.images, ready.texts))
    if not ready.has_gap:
        panels.notice(OF_IMAGES_ALONE)
        texts = None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, Number]:
        on_progress(0.1, "Measuring the sphere")
        return sphere_statistics(images, texts, ready.links if len(ready.links) and texts is not None else None)

    if images is None and texts is None:
        return
    numbers: dict[str, Number] = work.result_of(f"statistics:{ready.key}", measure)
    table = panels.numbers_table({STATISTICS[k].title: n for k, n in numbers.items()})
    table["what it says"] = [STATISTICS[k].explanation for k in numbers]
    st.dataframe(table, hide_index=True, height="content", key="sphere.numbers", column_config={"unit": {"width": 96}})
    st.caption("By chance: the same statistic of random directions, of the same number and dimension"
               + ("; of the gap and its angle, with image and text swapped within pairs." if ready.has_gap else "."))
