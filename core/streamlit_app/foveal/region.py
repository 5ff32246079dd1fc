"""Which region of the picture is looked at: drawn, typed, a solid of the built-in world, or a mask file."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.attention.foveal.classifying import region_of as region_of_file
from core.attention.foveal.looking import inside
from core.attention.foveal.outlines import (
    MOST_OUTLINES,
    Outline,
    filled,
    read_boxes,
    read_outlines,
    simplified,
    write_boxes,
    write_outlines,
)
from core.attention.regions import MOST_BOXES, Box, Region
from core.attention.towers import ImageTower
from core.errors import OrreryError, ShapeError
from core.figures.foveal.region import canvas, taken
from core.sources.foveal.masks import ENDINGS, open_regions
from core.sources.solids.render import render
from core.sources.solids.scene import Scene
from core.streamlit_app import cached, panels, state, ui, uploads
from core.streamlit_app.data.image_prompt import MOST_MEGABYTES
from core.streamlit_app.foveal.data import Looked
from core.streamlit_app.foveal.picture import names_of
from core.types import fingerprint

AT, BOXES, OUTLINES = "at", "boxes", "outline"
DRAWN, MASK = "drawn", "mask"
SIDE = 512          # of a scene whose boxes are measured, pixels


def pick_region(looked: Looked, tower: ImageTower, choice: DeltaGenerator, sheet: DeltaGenerator,
                model: DeltaGenerator) -> Region | None:
    """A region of a picture; None while none is drawn, or where what was drawn or typed is none.

    The choice is made in one place, numbers are typed here, boxes are drawn on a sheet, and a last place shows what
    the model takes.
    """
    _begin_anew(looked)
    solids = {} if looked.scene is None else solids_of(looked)
    options = {DRAWN: "What I draw", **{f"solid{i + 1}": name for i, name in enumerate(solids)}, MASK: "A mask file"}
    with choice:
        at = state.pick_option("Region", options, key=AT, widget="segments", default="solid1" if solids else DRAWN)
    region, refused = None, None
    try:
        if at == MASK:
            region = _of_a_file(looked)
        elif at != DRAWN:
            region = Region((list(solids.values())[int(at.removeprefix("solid")) - 1],))
        with st.expander("The region in numbers", icon=":material/edit:", key="foveal.numbers"):
            boxes = state.pick_text("Boxes: left, top, right, bottom in pixels, one a line", key=BOXES, lines=4,
                                    max_chars=20_000, placeholder="10, 20, 60, 80")
            outlines = state.pick_text("Outlines: x,y of each corner, one outline a line", key=OUTLINES, lines=2,
                                       max_chars=20_000, placeholder="10,20 60,25 40,80")
            if max(len(boxes), len(outlines)) > state.MOST_URL_TEXT:
                st.caption("So many numbers do not fit into the address: whoever is sent this view types them in.")
        with sheet:
            _draw(looked, fingerprint(boxes, outlines, "" if at == DRAWN else at))
            st.caption("Shift adds another box; with the lasso, above on the right, you draw round a thing.")
        if at == DRAWN:
            region = region_of(boxes, outlines, looked)
        covered = None if region is None else tower.shares(region, looked.image.size).max(axis=0)
    except OrreryError as error:
        region, covered, refused = None, None, error
    with model:
        patches = None if region is None else inside(region, looked.image, tower)
        ui.show(taken(looked.image, region, covered, patches, tower.seen(looked.image.size), tower.grid,
                      dark=ui.dark()), key="foveal.taken", how_to_read=(
            "Dark green: patches of which the region covers half or more, or the one of which it covers most. Light "
            "green: those covered in part, which only the profile by share takes. Faded: cut away by preprocessing."))
        if refused is not None:
            panels.error_panel(refused)
    return region


def region_of(boxes: str, outlines: str, looked: Looked) -> Region | None:
    """What lines of boxes and of outlines say; outlines, with the boxes beside them, become a mask.

    Raises
    ------
    ShapeError
        If a line cannot be read, or what it says does not lie in the picture.
    """
    width, height = looked.image.size
    found, drawn = read_boxes(boxes), read_outlines(outlines)
    for box in found:
        box.within(width, height)
    if not drawn:
        return Region(found) if found else None
    mask = filled(drawn, found, width, height)
    if not mask.any():
        raise ShapeError(f"an outline that holds a pixel of the picture of {width} x {height}", "one that holds none")
    return Region(mask=mask)


def solids_of(looked: Looked) -> dict[str, Box]:
    """The solids that are seen in a picture of the built-in world, with their boxes in it."""
    scene = looked.scene
    assert scene is not None
    boxes = cached.results().of(fingerprint("solids", scene.fingerprint), lambda: _boxes(scene))
    scale = np.array([*looked.image.size, *looked.image.size]) / SIDE
    return {name: Box(*(box * scale).tolist()) for name, box in zip(names_of(scene.solids), boxes)
            if np.isfinite(box).all()}


def _boxes(scene: Scene) -> np.ndarray:
    return render([scene], SIDE).boxes[0]


def _begin_anew(looked: Looked) -> None:
    """On another picture than in the run before, nothing is drawn yet; an address brings its own."""
    before, st.session_state["foveal.looked"] = st.session_state.get("foveal.looked"), looked.content
    if before in (None, looked.content) or BOXES not in st.session_state:
        return
    for key in (AT, BOXES, OUTLINES):
        st.session_state.pop(key, None)
        state.kept().pop(key, None)
        state.write_url(key, None)


def _draw(looked: Looked, said: str) -> None:
    """The picture to draw on. It stays the same while one draws, so that a second box is added with Shift; what is
    typed or picked instead clears what was drawn."""
    if st.session_state.get("foveal.drawn") != said:
        st.session_state["foveal.drawn"], st.session_state["foveal.sheet"] = said, said
    key = f"foveal.canvas.{fingerprint(looked.content, st.session_state['foveal.sheet'])[:12]}"
    figure = canvas(looked.image, dark=ui.dark())
    st.plotly_chart(figure, key=key, theme=None, width="stretch", selection_mode=("box", "lasso"),
                    on_select=lambda: _take(key, looked),
                    config={"displaylogo": False, "displayModeBar": True, "modeBarButtons": [["select2d", "lasso2d"]]})


def _take(key: str, looked: Looked) -> None:
    """What was drawn, as numbers."""
    chosen: Any = st.session_state.get(key)
    selection = chosen.get("selection", {}) if chosen else {}
    width, height = looked.image.size

    def inside(place: float, end: int) -> float:
        return min(max(float(place), 0.0), float(end))

    boxes = [Box(*(inside(min(b["x"]), width), inside(min(b["y"]), height),
                   inside(max(b["x"]), width), inside(max(b["y"]), height)))
             for b in selection.get("box", ())][:MOST_BOXES]
    outlines: list[Outline] = [simplified(tuple(zip(map(float, o["x"]), map(float, o["y"]))))
                               for o in selection.get("lasso", ())][:MOST_OUTLINES]
    if not boxes and not outlines:
        return
    st.session_state[AT] = DRAWN
    st.session_state[BOXES], st.session_state[OUTLINES] = write_boxes(boxes), write_outlines(outlines)
    st.session_state["foveal.drawn"] = fingerprint(st.session_state[BOXES], st.session_state[OUTLINES], "")


def look_at_box(box: Box) -> None:
    """From now on this box of the picture is the region, as if it had been typed; for a button's ``on_click``."""
    st.session_state[AT], st.session_state[BOXES], st.session_state[OUTLINES] = DRAWN, write_boxes([box]), ""


def _of_a_file(looked: Looked) -> Region | None:
    """What a file marks in the picture: its only region, or the one of the picture's name."""
    upload = st.file_uploader("Where a mask is light is looked at (PNG); or COCO instances (JSON) or boxes (CSV: name, "
                              "left, top, right, bottom), found by the picture's name", key="foveal.mask",
                              type=[ending.removeprefix(".") for ending in ENDINGS], max_upload_size=MOST_MEGABYTES)
    if (over := uploads.refusal()) is not None:
        raise over
    if upload is None:
        st.caption("A file stands in no address: whoever is sent this view brings it again.")
        return None
    found = open_regions([(upload.name, upload.getvalue())])
    name = next(iter(found.entries)) if len(found.entries) == 1 else looked.name
    return region_of_file(found.outline(name, *looked.image.size))
