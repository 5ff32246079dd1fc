"""What a caption is asked of: an image, a selection, a class, a film or the views of an object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.language.words.scored import Target
from core.streamlit_app import state
from core.streamlit_app.data import beside
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import kept
from core.streamlit_app.state import Settings
from core.streamlit_app.words.data import pick_image

TITLES = {"image": "One image", "selection": "A kept selection", "class": "A class of a column",
          "films": "A film (of Video Trajectories)", "objects": "An object's views (of Object Subspaces)"}
MOST_SHOWN = 8


@dataclass(frozen=True, eq=False)
class What:
    """What is captioned.

    Attributes
    ----------
    ready : among what it lies.
    rows : of its images.
    name : what it is called.
    others : images of what else is open, that captions are held against too.
    seed : of the references.
    """

    ready: Ready
    rows: tuple[int, ...]
    name: str
    others: np.ndarray
    seed: int

    @property
    def images(self) -> np.ndarray:
        """(n, d) unit rows, those of ``ready`` first."""
        assert self.ready.images is not None
        own = self.ready.images.vectors
        return np.concatenate([own, self.others]) if len(self.others) else own

    @cached_property
    def target(self) -> Target:
        """The images, beside others."""
        return Target.among(self.images, self.rows, seed=self.seed)

    @property
    def own(self) -> str:
        """The caption that the image came with; "" for several, or where it has none."""
        return own_captions(self.ready, self.rows)[0] if len(self.rows) == 1 else ""


def own_captions(ready: Ready, rows: tuple[int, ...] | range) -> list[str]:
    """The first caption that each image came with; "" where it has none."""
    first: dict[int, int] = {}
    for image, text in ready.links.tolist():
        first.setdefault(image, text)
    return [ready.captions[first[row]] if row in first else "" for row in rows]


def pick_what(settings: Settings, ready: Ready) -> What:
    """The widgets that choose it, with its pictures.

    Raises
    ------
    ShapeError
        If there is nothing else to hold a caption against.
    """
    assert ready.images is not None
    n, place = len(ready.images), {name: row for row, name in enumerate(ready.images.ids)}
    chosen = {name: [place[i] for i in found.image_ids if i in place] for name, found in kept().items()}
    chosen = {name: rows for name, rows in chosen.items() if 0 < len(rows) < n}
    columns = label_columns(ready)
    noted = beside.noted(settings.model_id)
    there = {"image": True, "selection": bool(chosen), "class": bool(columns)} | {page: True for page in noted}
    kind = state.pick_option("Caption of", {key: TITLES[key] for key in TITLES if there.get(key)}, key="caption_of")
    of, rows, name, others = ready, [0], "", ready.images.vectors[:0]
    if kind == "image":
        rows = [pick_image(ready)]
        name = ready.images.ids[rows[0]]
    elif kind == "selection":
        name = state.pick_option("Selection to caption", {key: key for key in chosen}, key="caption_selection")
        rows = chosen[name]
    elif kind == "class":
        column = state.pick_option("Column", {key: key for key in columns}, key="caption_column")
        labels = labels_of(ready, column)
        name = state.pick_option("Class", {key: key for key in sorted(set(labels) - {""})}, key="caption_class")
        rows = [row for row, label in enumerate(labels) if label == name]
    else:
        of, groups = noted[kind]
        others = ready.images.vectors
        name = state.pick_option("Which", {key: key for key in groups}, key=f"caption_{kind}")
        rows = groups[name]
    if n < 2 and not len(others):
        raise ShapeError("two images or more: a caption is held against others too", "one", "Open more images.")
    if kind != "image":
        _pictures(of, rows)
    return What(of, tuple(rows), name, others, settings.seed)


def _pictures(ready: Ready, rows: list[int]) -> None:
    some = [ready.pictures.small(row) for row in rows[:: max(1, len(rows) // MOST_SHOWN)][:MOST_SHOWN]]
    st.image([picture for picture in some if picture is not None], width=64)
    st.caption(f"{len(rows):,} images; the score is the mean over them.")
