"""The figure of islands through models: bars at their times, colours that go on, fates and agreement in words."""

from __future__ import annotations

import html

import numpy as np

from core.figures.films import across_models as draw
from core.geometry.films.across_models import across_models
from core.geometry.films.trajectory import Trajectory
from tests.geometry.films.made_places import walk


def test_islands_keep_their_colour_where_they_go_on():
    paths = [walk(places, 4, step=0.001)[0] for places in ([0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 0, 1])]
    named = [Trajectory(path.points, path.times, name) for path, name in zip(paths, ("step <1>", "step 2"))]
    found = across_models(named, starts=np.arange(0, 24, 4))
    figure = draw.across_models(found)
    first, second = figure.data
    assert list(first.base) == [0, 1, 2, 3, 4, 5] and list(second.base) == [0, 1, 2, 4, 5]
    assert list(second.x) == [1, 1, 2, 1, 1] and list(second.customdata) == [0, 4, 8, 16, 20]
    a, b = list(first.marker.color), list(second.marker.color)
    assert a[:2] == a[4:] == b[:2] == b[3:] and len(set(a)) == 4 and b[2] in a[2:4]
    title = html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")
    assert title.startswith("4 → 3 islands through 2 models: 2 kept, 1 merged; adjusted Rand 0.8")
    assert title.endswith("(6 shots)") and f"p {found.steps[0].agreement.p:.3f}" in title
    assert "2 kept, 1 merged<br>agreement 0.8" in figure.layout.annotations[0].text
    by_chance = found.counts[0].value.null
    assert figure.layout.yaxis.ticktext[0] == f"step &lt;1&gt;<br>4 islands<br>by chance {by_chance:.1f}"
    assert first.hovertext[2] == "island 3 of 4, merged as 3 below<br>2.00 to 3.00 s"
    assert second.hovertext[2] == "island 3 of 3, merged from 3 and 4 above<br>2.00 to 4.00 s"
    rows = draw.table(found)
    assert rows["fate"].tolist().count("merged") == 1 and rows["islands before"].tolist()[0] == "3 4"
    models = draw.models_table(found)
    assert models["islands"].tolist() == [4, 3] and models["by chance"][0] == by_chance


def test_few_shots_have_no_chance():
    path, _ = walk([0, 1, 0], 4, step=0.001)
    found = across_models([path, path])
    figure = draw.across_models(found, dark=True)
    assert list(figure.layout.yaxis.ticktext) == [f"model {k}<br>2 islands<br>chance not measurable" for k in (1, 2)]
    title = html.unescape(figure.layout.title.text.replace("<br>", " "))
    assert "not measurable against whole shots shuffled: 3 of the 5 shots" in title and "(3 shots of model 2)" in title
