"""The sphere that is shown, as the few lines of core calls that make it."""

from __future__ import annotations

from core.figures.sphere.colourings import CLUSTERS
from core.geometry.maps.registry import MAPS
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.sphere.choices import Choices
from core.streamlit_app.state import Settings


def python_of(settings: Settings, ready: Ready, choices: Choices, picked: int | None = None) -> str:
    """Lines that draw the same points on the same map, in the same colours; ``picked`` is the point with a card."""
    imports, lines = points_lines(settings, ready)
    imports += ["from core.figures.scenes.embedding import embedding_scene",
                "from core.figures.scenes.globe import sphere", "from core.geometry.maps.registry import fit_map"]
    axes = ""
    if choices.method == "prompt_axes":
        imports.append("from core.geometry.directions import unit")
        lines.append(f"axes = unit(model.encode_texts({list(choices.axes)!r}))")
    elif choices.method == "label_axes":
        imports.append("from core.geometry.maps.linear import label_axes")
        lines.append(f'labels = points.table[{choices.axis_column!r}].astype(str).to_numpy()')
        lines.append(f"axes = label_axes(points.vectors(), labels, {choices.axes!r})")
        lines.append(f"sizes = [int((labels == name).sum()) for name in {choices.axes!r}]")
    if MAPS[choices.method].needs == "axes":
        axes = ", axes=axes" if choices.method == "prompt_axes" else ", axes=axes, axis_sizes=sizes"
    texts = ", texts=points.kinds() == 1" if ready.has_both else ""
    lines.append(f"fitted = fit_map(points.vectors(), {choices.method!r}, seed={settings.seed}{texts}{axes})")
    placed = ""
    if choices.prompts:
        imports += ["from core.geometry.directions import unit", "from dataclasses import replace"]
        lines += _prompt_lines(choices, imports)
        typed = ""
        if MAPS[choices.method].needs == "both modalities":
            imports.append("import numpy as np")
            typed = f", np.arange({len(choices.prompts)}) < {len(choices.prompts) - (choices.image is not None)}"
        placed = f", fitted.place(vectors{typed})"
    colour, towards = _colour_lines(choices, picked, imports,
                                   own=not ready.has_gap)
    lines += colour
    colours = ", colouring=colouring" if colour else ""
    shown = f"arcs={choices.arcs}, means={choices.means}"
    lines += [f"scene = embedding_scene(points, fitted.map{placed}{colours}, {shown})"]
    if choices.heat:
        imports.append("from core.figures.sphere.colourings import with_heat")
        lines.append(f"scene = with_heat(scene, points{towards})")
    lines += ["figure = sphere(scene)", "figure.show()"]
    return as_code(imports, lines)


def _colour_lines(choices: Choices, picked: int | None, imports: list[str], *, own: bool) -> tuple[list[str], str]:
    """Lines that make ``colouring``, none where colours tell images from texts, and the vector that heat is about."""
    kind, _, name = choices.colour.partition(":")
    call, towards = "", ""
    if kind == "column":
        call = f"column_colouring(points, {name!r})"
    elif kind == "prompt" and own and int(name) < len(choices.prompts) - (choices.image is not None):
        said = choices.prompts[int(name)]
        scores = f"model.scores(points.images.vectors, points.images.norms, [{said!r}])[:, 0]"
        call = f"score_colouring(points, {scores}, {f'probability of {said}'!r})"
        towards = f", vectors[{name}]"
    elif kind == "prompt":
        towards = f", vectors[{name}]"
        call = f"similarity_colouring(points{towards}, {choices.prompts[int(name)]!r})"
    elif kind == "picked" and picked is not None:
        towards = f", points.vector({picked})"
        call = f"similarity_colouring(points{towards}, 'the point picked')"
    elif kind in CLUSTERS:
        call = f"cluster_colouring(points, {kind!r}, {choices.groups})"
    elif kind == "distortion":
        call = "distortion_colouring(points, fitted.map.coords)"
    elif kind in ("density", "norm"):
        call = f"{kind}_colouring(points)"
    if not call:
        return [], ""
    imports.append(f"from core.figures.sphere.colourings import {call.split('(')[0]}")
    return [f"colouring = {call}"], towards


def _prompt_lines(choices: Choices, imports: list[str]) -> list[str]:
    """Lines that add what was typed, and an image that is searched with, to the points; adds to the imports."""
    typed = list(choices.prompts if choices.image is None else choices.prompts[:-1])
    lines = [f"vectors = unit(model.encode_texts({typed!r}))"] if typed else []
    if choices.image is not None:
        imports.append("from PIL import Image")
        lines.append('picture = unit(model.encode_images([Image.open("picture.jpg").convert("RGB")]))')
        if typed:
            imports.append("import numpy as np")
        lines.append("vectors = np.concatenate([vectors, picture])" if typed else "vectors = picture")
    return [*lines, f"points = replace(points, prompts={choices.prompts!r}, prompt_vectors=vectors)"]
