"""What is pointed at in each picture of a set: the world's solids, a visitor's file, or the page's region for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.attention.foveal.classifying import RegionOf
from core.attention.foveal.foregrounds import of_all, of_file, of_world
from core.errors import OrreryError
from core.sources.foveal.masks import ENDINGS, RegionFile, open_regions
from core.sources.solids.world import SceneImages
from core.streamlit_app import panels, state, uploads
from core.streamlit_app.foveal.data import FovealData
from core.types import fingerprint

OF_WORLD = {"box": "Labelled solid: its box", "pixels": "Labelled solid: its pixels", "all boxes": "All solids"}
FILE, ALL = "file", "all"
MOST_MEGABYTES = 100


@dataclass(frozen=True)
class Foregrounds:
    """A region of each picture.

    Attributes
    ----------
    source : of OF_WORLD, FILE or ALL.
    key : no other regions of the same pictures have it.
    file : what a visitor brought, for FILE.
    data : what is open, and the page's own region.
    """

    source: str
    key: str
    file: RegionFile | None
    data: FovealData

    def of(self, rows: list[int]) -> RegionOf:
        """The regions, when just these rows are asked in this order."""
        dataset = self.data.opened.dataset
        assert dataset is not None
        if self.file is not None:
            return of_file(self.file, dataset.image_ids)
        if self.source == ALL:
            assert self.data.region is not None
            return of_all(self.data.region, self.data.image.size)
        assert isinstance(dataset.images, SceneImages)
        return of_world(dataset.images.scenes, dataset.image_ids, self.source, rows=rows, size=dataset.images.size)

    @property
    def python(self) -> tuple[list[str], list[str]]:
        """Imports and lines that make ``region``, given ``dataset``, ``rows`` and, for one region of all, ``image``
        and ``region``; a visitor's own file has a made-up name in them."""
        room = "from core.attention.foveal.foregrounds import"
        if self.file is not None:
            return [f"{room} of_file", "from core.sources.foveal.masks import open_regions_path"], [
                'region = of_file(open_regions_path("masks.zip"), dataset.image_ids)']
        if self.source == ALL:
            return [f"{room} of_all"], ["region = of_all(region, image.size)"]
        return [f"{room} of_world"], [
            f"region = of_world(dataset.images.scenes, dataset.image_ids, {self.source!r}, rows=rows, "
            "size=dataset.images.size)"]


def pick_foregrounds(data: FovealData) -> Foregrounds | None:
    """Where the regions come from; None until there are any."""
    dataset = data.opened.dataset
    assert dataset is not None
    options = OF_WORLD if isinstance(dataset.images, SceneImages) else {}
    options = {**options, FILE: "A file of regions"} | (
        {ALL: "The region above, in every picture"} if data.region is not None else {})
    source = state.pick_option("Foreground", options, key="classify_region")
    if source == FILE:
        found = _brought(dataset.image_ids)
        return None if found is None else Foregrounds(source, found.key, found, data)
    key = source if source != ALL else fingerprint(data.key, data.image.size)
    return Foregrounds(source, key, None, data)


def _brought(images: Sequence[str]) -> RegionFile | None:
    """A visitor's file of regions of these images, read once; None without one. What cannot be used is listed."""
    files = st.file_uploader("Mask pictures (PNG, or a zip of them), COCO instances (JSON), or boxes (CSV: name, left, "
                             "top, right, bottom)", type=[ending.removeprefix(".") for ending in ENDINGS],
                             accept_multiple_files=True, key="classify.file", max_upload_size=MOST_MEGABYTES,
                             help="Matched to the pictures by name without ending. A mask of another size is scaled.")
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
        return None
    if not files:
        st.session_state.pop("classify.regions", None)
        st.caption("A file stands in no address: whoever is sent this view brings it again.")
        return None
    mark = tuple(file.file_id for file in files)
    held: tuple[object, RegionFile | OrreryError] | None = st.session_state.get("classify.regions")
    if held is None or held[0] != mark:
        try:
            held = mark, open_regions([(file.name, file.getvalue()) for file in files])
        except OrreryError as error:
            held = mark, error
        st.session_state["classify.regions"] = held
    found = held[1]
    if isinstance(found, OrreryError):
        panels.error_panel(found)
        return None
    for said in found.notices:
        panels.notice(said, one_line=True)
    if strangers := found.strangers(images):
        panels.notice(f"{len(strangers):,} of {len(found.entries):,} regions go by the name of no picture that is "
                      f"open, such as {strangers[0][:80]}.", one_line=True)
    panels.refused_panel(found.refused, key="classify.unread")
    return found
