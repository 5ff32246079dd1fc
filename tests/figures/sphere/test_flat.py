"""The flat sphere: plotted places are the equal-area picture, rows are those of the scene."""

from __future__ import annotations

import json

import numpy as np

from core.figures.sphere.flat import flat_sphere
from core.geometry.directions import equal_area
from core.scene import SphereScene


def scene(n: int = 40) -> SphereScene:
    x = np.random.default_rng(0).normal(size=(n, 3))
    coords = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    kinds = np.arange(n) % 3
    return SphereScene(coords, kinds, tuple(f"<b>{i}</b>" for i in range(n)), title="<i>title</i>")


def test_every_point_is_plotted_where_the_equal_area_picture_puts_it():
    drawn, centre = scene(), np.array([0.0, 0.6, 0.8])
    figure = flat_sphere(drawn, centre=centre)
    plane = equal_area(drawn.coords, centre)
    seen = []
    points = [trace for trace in figure.data if trace.mode == "markers"]
    for trace in points:
        rows = np.asarray(trace.customdata)
        np.testing.assert_allclose(np.stack([trace.x, trace.y], 1), plane[rows])
        seen += rows.tolist()
    assert sorted(seen) == list(range(40))
    assert [trace.name for trace in points] == ["images", "texts", "prompts"]


def test_text_is_text_and_the_plane_keeps_its_shape():
    spec = json.loads(flat_sphere(scene(), dark=True).to_json())
    assert "<b>" not in json.dumps(spec["data"])
    assert spec["layout"]["title"]["text"] == "&lt;i&gt;title&lt;/i&gt;"
    assert spec["layout"]["yaxis"]["scaleanchor"] == "x"
    assert spec["layout"]["dragmode"] == "lasso"
