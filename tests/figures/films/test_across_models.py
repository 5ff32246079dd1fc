"""The figure of islands through models: bars at their times, colours that go on, fates and agreement in words."""

from __future__ import annotations

import html

import numpy as np

from core.figures.films import across_models as draw
from core.geometry.films.across_models import across_models
from core.geometry.films.islands import islands
from tests.geometry.films.made_places import walk


def test_islands_keep_their_colour_where_they_go_on():
    paths = [walk(places, 4, step=0.001)[0] for places in ([0, 1, 2, 3, 0, 1], [0, 1, 2, 2, 0, 1])]
    found = across_models([islands(path, np.arange(0, 24, 4)) for path in paths], ["step <1>", "step 2"])
    figure = draw.across_models(found, paths[0].times)
    first, second = figure.data
    assert list(first.base) == [0, 1, 2, 3, 4, 5] and list(second.base) == [0, 1, 2, 4, 5]
    assert list(second.x) == [1, 1, 2, 1, 1] and list(second.customdata) == [0, 4, 8, 16, 20]
    a, b = list(first.marker.color), list(second.marker.color)
    assert a[:2] == a[4:] == b[:2] == b[3:] and len(set(a)) == 4 and b[2] in a[2:4]
    title = html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")
    assert title.startswith("4 → 3 islands through 2 models: 2 kept, 1 merged; ")
    assert "2 kept, 1 merged; agreement 0.8" in figure.layout.annotations[0].text
    assert figure.layout.yaxis.ticktext[0] == "step &lt;1&gt;<br>4 islands"
    rows = draw.table(found)
    assert rows["fate"].tolist().count("merged") == 1 and rows["islands before"].tolist()[0] == "3 4"
