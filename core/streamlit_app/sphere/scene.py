"""From what is open and what was chosen to the scene on the sphere: the map, the colours, the selected cap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.figures.scenes.embedding import Points, embedding_scene
from core.figures.sphere.colourings import (
    cluster_colouring,
    column_colouring,
    density_colouring,
    distortion_colouring,
    norm_colouring,
    score_colouring,
    similarity_colouring,
    with_heat,
    without_value,
)
from core.geometry import directions as s2
from core.geometry.maps.linear import label_axes
from core.geometry.maps.registry import MAPS, FittedMap, fit_map
from core.scene import Cap, Colouring, SphereScene
from core.streamlit_app import cached, work
from core.streamlit_app.data.pictures import Pictures
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.sphere.choices import Choices, labels_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

ON_SPHERE = 60
BY_CAP, BY_LASSO = "within", "by a lasso on"   # how the words of a selection by place begin


@dataclass(frozen=True, eq=False)
class Selected:
    """The points inside a cap or a lasso.

    Attributes
    ----------
    mask : (n,) bool over images, texts and prompts.
    words : how it was selected, for a user.
    label : what a cap says on the sphere, with its angle on the map and in truth.
    centre, radius : of the cap, in map coordinates and radians; None and 0 for a lasso.
    """

    mask: np.ndarray
    words: str
    label: str = ""
    centre: np.ndarray | None = None
    radius: float = 0.0


def points_of(ready: Ready, choices: Choices) -> Points:
    """Images, texts and prompts in one row; one value for as long as nothing of it changes."""
    vectors = choices.prompt_vectors
    key = fingerprint("points", ready.key, ready.opened.key, choices.prompts, choices.image is not None,
                      None if vectors is None else vectors)
    return cached.points(key, lambda: Points(ready.images, ready.texts, ready.captions, ready.links, choices.prompts,
                                             vectors, int(choices.image is not None), ready.has_gap))


def pictures_of(ready: Ready, choices: Choices) -> Pictures:
    """Small pictures by point: of the images, and of an image that is searched with, the last point."""
    if choices.image is None:
        return ready.pictures
    return ready.pictures.beside({len(points_of(ready, choices)) - 1: choices.image.picture})


def fitted(settings: Settings, ready: Ready, choices: Choices) -> FittedMap:
    """The chosen map of what is open; made once, as long work with a progress bar.

    Raises
    ------
    ShapeError
        If the map needs three axes that are not there.
    """
    axes = _axes(settings, ready, choices)
    key = fingerprint("map", ready.key, choices.method, settings.seed, axes)
    vectors, texts, sizes = ready.vectors, ready.are_texts, _axis_sizes(ready, choices)

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(vectors, choices.method, texts=texts, seed=settings.seed, axes=axes, axis_sizes=sizes,
                       on_progress=on_progress, should_stop=should_stop)

    found: FittedMap = work.result_of(key, fit)
    return found


def _axes(settings: Settings, ready: Ready, choices: Choices) -> np.ndarray | None:
    if MAPS[choices.method].needs != "axes":
        return None
    if len(choices.axes) != 3:
        raise ShapeError("three different axes", str(len(choices.axes)),
                         "Give three prompts or labels beside the sphere.")
    if choices.method == "prompt_axes":
        encoder = cached.encoder(settings.model_id)
        return cached.prompt_vectors(encoder.spec.fingerprint, choices.axes, settings.model_id)
    first, second, third = choices.axes
    return label_axes(ready.vectors, labels_of(ready, choices.axis_column), (first, second, third))


def _axis_sizes(ready: Ready, choices: Choices) -> list[int] | None:
    """How many points carry each label that is an axis; None where labels are not the axes."""
    if choices.method != "label_axes":
        return None
    labels = labels_of(ready, choices.axis_column)
    return [int((labels == name).sum()) for name in choices.axes]


def select_cap(points: Points, coords: np.ndarray, row: int, degrees: float) -> Selected:
    """The points within some degrees, on the map, of one of them.

    Parameters
    ----------
    points
        What is shown.
    coords
        (n, 3) where it lies, prompts included.
    row
        The point in the middle.
    degrees
        Radius of the cap on the map.
    """
    inside = s2.inside_cap(coords, coords[row], np.radians(degrees))
    true = np.degrees(s2.angle(points.vectors()[inside], points.vector(row)))
    words = f"{BY_CAP} {degrees:.0f}° on the map, true angles up to {true.max():.0f}°"
    label = f"{inside.sum():,} selected: {degrees:.0f}° on the map, up to {true.max():.0f}° true"
    return Selected(inside, words, label, coords[row], float(np.radians(degrees)))


def all_coords(placed: FittedMap, choices: Choices) -> np.ndarray:
    """(n, 3) places of images, texts and prompts."""
    if choices.prompt_vectors is None:
        return placed.map.coords
    return np.concatenate([placed.map.coords, _prompt_coords(placed, choices)])


def _prompt_coords(placed: FittedMap, choices: Choices) -> np.ndarray:
    """(p, 3) places of what was typed, and of the image that is searched with, the last."""
    assert choices.prompt_vectors is not None
    typed = np.arange(len(choices.prompt_vectors)) < len(choices.prompt_vectors) - (choices.image is not None)
    return placed.place(choices.prompt_vectors, typed)


def scene_of(ready: Ready, choices: Choices, placed: FittedMap, selected: Selected | None,
             picked: int | None) -> SphereScene:
    """What the sphere shows."""
    points = points_of(ready, choices)
    towards = _towards(points, choices, picked)
    colouring, pictures = _colouring(ready, choices, placed, towards), pictures_of(ready, choices)
    key = fingerprint("sphere", ready.key, ready.opened.key, placed.map.fingerprint, choices.colour, choices.arcs,
                      choices.means, choices.pictures, choices.heat, choices.groups, choices.prompts, choices.axes,
                      None if choices.prompt_vectors is None else choices.prompt_vectors, pictures.key,
                      None if towards is None else towards)
    scene = cached.scene(key, lambda: _make_scene(ready, choices, placed, towards, colouring, pictures))
    if selected is None:
        return scene
    caps = scene.caps
    if selected.centre is not None:
        caps += (Cap(selected.centre, selected.radius, selected.label, "prompt"),)
    return replace(scene, selected=selected.mask, caps=caps)


def _towards(points: Points, choices: Choices, picked: int | None) -> np.ndarray | None:
    """The vector that colours and heat measure the cosine to, if any."""
    kind, _, name = choices.colour.partition(":")
    if kind == "prompt" and choices.prompt_vectors is not None:
        return choices.prompt_vectors[int(name)]
    return points.vector(picked) if kind == "picked" and picked is not None else None


def _colouring(ready: Ready, choices: Choices, placed: FittedMap, towards: np.ndarray | None) -> Colouring | None:
    """What the colours say; None tells images from texts. What takes its time is made once, as long work."""
    points = points_of(ready, choices)
    kind, _, name = choices.colour.partition(":")
    if kind == "column":
        return column_colouring(points, name)
    own = cached.own_scores(ready, (choices.prompts[int(name)],)) if _is_typed(choices) else None
    if own is not None:
        return score_colouring(points, own[:, 0], f"probability of “{choices.prompts[int(name)][:40]}”")
    if towards is not None:
        what = f"“{choices.prompts[int(name)][:40]}”" if kind == "prompt" else "the point picked"
        return similarity_colouring(points, towards, what)
    if kind == "norm":
        return norm_colouring(points)
    slow: dict[str, Callable[[Points], Colouring]] = {
        "density": density_colouring, "distortion": lambda own: distortion_colouring(own, placed.map.coords),
        "kmeans": lambda own: cluster_colouring(own, kind, choices.groups),
        "hdbscan": lambda own: cluster_colouring(own, kind)}
    if kind not in slow:
        return None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Colouring:
        on_progress(0.1, f"Colours: {kind}")
        return slow[kind](Points(ready.images, ready.texts, ready.captions))

    key = fingerprint("colours", ready.key, kind, choices.groups,
                      placed.map.fingerprint if kind == "distortion" else "")
    found: Colouring = work.result_of(key, measure)
    return without_value(found, len(choices.prompts))


def _is_typed(choices: Choices) -> bool:
    """Whether colours show a score for a prompt that was typed, not for an image that is searched with."""
    kind, _, name = choices.colour.partition(":")
    return kind == "prompt" and int(name) < len(choices.prompts) - (choices.image is not None)


def _make_scene(ready: Ready, choices: Choices, placed: FittedMap, towards: np.ndarray | None,
                colouring: Colouring | None, pictures: Pictures) -> SphereScene:
    points = points_of(ready, choices)
    coords = None if choices.prompt_vectors is None else _prompt_coords(placed, choices)
    note = f"Map: {MAPS[choices.method].title}"
    note += f" ({', '.join(choices.axes)})." if choices.axes else "."
    scene = embedding_scene(points, placed.map, coords, colouring=colouring, pictures=pictures,
                            on_sphere=ON_SPHERE if choices.pictures else 0, arcs=choices.arcs, means=choices.means,
                            note=note)
    return with_heat(scene, points, towards) if choices.heat else scene


def table_of(ready: Ready, choices: Choices, placed: FittedMap) -> pd.DataFrame:
    """The points with their places on the map."""
    table = points_of(ready, choices).table.copy()
    if ready.truncated:
        table.insert(3, "end not seen", table["id"].isin(ready.truncated) & (table["modality"] == "text"))
    coords = all_coords(placed, choices)
    return table.assign(x=coords[:, 0], y=coords[:, 1], z=coords[:, 2])
