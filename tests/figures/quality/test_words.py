"""CLIPScore, classes and words as figures: what is drawn is what the reports say."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.quality import balance as of_balance
from core.figures.quality import scores as of_scores
from core.figures.quality import texts as of_texts
from core.geometry.directions import unit
from core.geometry.quality.balance import balance
from core.geometry.quality.captions import clip_scores
from core.geometry.quality.items import Items
from core.language.quality.texts import vocabulary


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 16))
    y = unit((x + 2 * rng.normal(size=x.shape)).astype(np.float32))
    return clip_scores(Items(unit(x.astype(np.float32)), y, np.repeat(np.arange(300)[:, None], 2, 1)))


def title(figure) -> str:
    return figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("dark", [False, True])
def test_scores_are_drawn_beside_pairs_that_do_not_belong_together(report, dark):
    figure = of_scores.scores(report, dark=dark)
    others, own, bar, top = figure.data[:4]
    for trace, cosines in ((others, report.unmatched), (own, report.matched)):
        assert sum(trace.y) == pytest.approx(100) and f"({len(cosines):,})" in trace.name
        first = trace.customdata[0]
        assert trace.y[0] == pytest.approx(100 * (cosines <= first).mean(), abs=0.4)
    assert bar.x == (0.28, 0.28) and top.x[0] == report.numbers["top"].value
    second = figure.layout.xaxis2
    assert tuple(second.range) == tuple(figure.layout.xaxis.range) and second.title.text == "CLIPScore"
    assert [2.5 * t for t in second.tickvals] == pytest.approx([float(t) for t in second.ticktext])
    assert title(figure).startswith("CLIPScore ") and "300 pairs" in title(figure)
    table = of_scores.scores_table(report).set_index("measure")
    assert len(table) == len(report.numbers) and table.loc["CLIPScore, 1st percentile", "n"] == 300
    assert table.loc["pairs with a cosine of 0.28 or more", "value"] == 100 * report.numbers["kept"].value


def test_classes_are_drawn_by_size_beside_even_ones():
    labels = ["big"] * 70 + ["<b>odd</b>"] * 25 + ["small"] * 5 + [""]
    figure = of_balance.balance(balance(labels))
    many, few, even = figure.data
    assert tuple(many.customdata) == ("big", "<b>odd</b>") and tuple(few.customdata) == ("small",)
    assert tuple(many.y) == (70, 25) and tuple(few.y) == (5,) and few.x[0] == 2
    assert sum(even.y) == pytest.approx(100) and figure.layout.yaxis.type == "linear"
    assert "&lt;b&gt;" in figure.layout.xaxis.ticktext[1] and "1 images have no label" not in title(figure)
    assert "3 classes are worth" in title(figure) and "1 image has no label" in title(figure)
    steep = of_balance.balance(balance([f"c{i}" for i in range(60)] + ["big"] * 100))
    assert steep.layout.yaxis.type == "log" and steep.layout.xaxis.title.text == "classes, the largest first"
    table = of_balance.counts_table(balance(labels))
    assert table["images"].tolist() == [70, 25, 5] and table["share (%)"].sum() == pytest.approx(100)


def test_words_are_drawn_by_length_and_rank():
    texts = ["a red cube on a hill"] * 3 + ["a ball", "cone"] + ["word " * 200]
    told = vocabulary(texts)
    figure = of_texts.lengths(told)
    (bars,) = figure.data
    assert sum(bars.y) == 6 and bars.y[0] == 2, "captions of up to 3 words stand in one bar"
    assert "2 have at most 2 words" in title(figure) and "6 captions" in title(figure)
    ranks = of_texts.ranks(told)
    points, line = ranks.data
    assert tuple(points.customdata) == told.words and tuple(points.y) == tuple(told.counts)
    slope = np.polyfit(np.log(line.x), np.log(line.y), 1)[0]
    assert slope == pytest.approx(-told.numbers["zipf"].value)
    assert f"among {told.at:,}" in title(ranks) and ranks.layout.xaxis.type == ranks.layout.yaxis.type == "log"
    words = of_texts.words_table(told)
    assert words["times said"].sum() == told.at and words["word"][0] == "word"
    many = of_texts.ranks(vocabulary([f"w{i}" for i in range(5000)]))
    assert len(many.data[0].x) <= of_texts.MOST_WORDS and many.data[0].x[-1] == 5000
    assert set(of_texts.texts_table(told)["measure"]) == set(of_texts.TITLES.values())


def test_nothing_is_drawn_of_nothing():
    empty = clip_scores(Items(None, None, np.zeros((0, 2))))
    for figure in (of_scores.scores(empty), of_balance.balance(balance(["", ""])), of_texts.lengths(vocabulary([])),
                   of_texts.ranks(vocabulary(["🙂"]))):
        assert not figure.data and len(figure.layout.annotations) == 1 and not figure.layout.xaxis.visible
    assert not len(of_scores.scores_table(empty)) and not len(of_texts.words_table(vocabulary([])))
    one = balance(["a"])
    assert title(of_balance.balance(one)) == "One class, a: 1 image"
    lone = np.eye(2, dtype=np.float32)
    assert len(of_scores.scores(clip_scores(Items(lone[:1], lone[:1], np.array([[0, 0]])))).data) >= 3
