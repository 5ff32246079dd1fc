"""Figures of the gap: what is drawn is what the report says."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures import theme
from core.figures.frame import spoken
from core.figures.gap import explained, shift
from core.geometry.intervals import decimals
from tests.figures.gap import reports as made


def title(figure) -> str:
    return " ".join(html.unescape(figure.layout.title.text).replace("<br>", " ").replace("\u00a0", " ").split())


def heights(trace, edges: np.ndarray) -> np.ndarray:
    """Share (%) at the middle of each bin, read off an outline; 0 where it was not drawn."""
    middles = (edges[:-1] + edges[1:]) / 2
    x, y = np.asarray(trace.x), np.asarray(trace.y)
    flats = [(x[i], x[i + 1], y[i]) for i in range(len(x) - 1) if x[i + 1] > x[i] and y[i] == y[i + 1]]
    return np.array([next((h for a, b, h in flats if a < m < b), 0.0) for m in middles])


@pytest.mark.parametrize("after", [False, True])
def test_each_outline_is_the_histogram_of_its_kind(after):
    before, closed = made.histograms(), made.histograms(0.5)
    figure = shift.histograms(before, closed if after else None)
    for kind, words in shift.KINDS.items():
        for report, when in ((before, " before" if after else ""), *([(closed, " after")] if after else [])):
            (trace,) = [t for t in figure.data if t.name.startswith(f"{words}{when}, mean")]
            np.testing.assert_allclose(heights(trace, report.edges), 100 * report.shares[kind], atol=1e-12)
            assert trace.name.endswith(f"mean {mean(report, kind)}")
            assert trace.yaxis == ("y" if kind in ("images", "texts") else "y2")
            assert (trace.fill == "tozeroy") is (when != " before")
            assert ("% of" if report.counts[kind] > 99 else "of") + f" {report.counts[kind]:,} pairs" in \
                trace.hovertemplate
            assert f"mean {spoken(replace(report.mean.numbers[kind], null=None))}" in trace.hovertemplate


def test_the_title_of_histograms_tells_means_and_what_a_shift_does():
    before, closed = made.histograms(), made.histograms(0.5)
    for kind, words in shift.KINDS.items():
        assert f"{words} {mean(before, kind)}" in title(shift.histograms(before))
        assert f"{words} {mean(before, kind)} → {mean(closed, kind)}" in title(shift.histograms(before, closed))
    assert f"n = {made.N} pairs" in title(shift.histograms(before))
    unpaired = made.histograms(linked=False)
    assert "matched" not in unpaired.shares
    assert f"n = {made.N} images and {made.N} texts" in title(shift.histograms(unpaired))
    table = shift.histograms_table(before)
    for kind in shift.KINDS:
        of_kind, number = table[table["kind"] == kind].iloc[0], before.mean.numbers[kind]
        assert (of_kind["mean low"], of_kind["mean high"], of_kind["n"]) == (number.low, number.high, number.n)


def mean(report, kind: str) -> str:
    number = report.mean.numbers[kind]
    return f"{number.value:.{decimals(number)}f}"


def test_the_table_of_histograms_adds_up():
    table = shift.histograms_table(made.histograms(), made.histograms(0.5))
    sums = table.groupby(["when", "kind"])["share"].sum()
    np.testing.assert_allclose(sums, 1)
    assert len(sums) == 8
    assert table["pairs"].min() >= made.N


def test_the_landscape_draws_each_curve_its_lowest_loss_and_the_shift_now():
    report = made.along()
    figure = shift.landscape(report, at=0.25)
    named = {t.name: t for t in figure.data}
    for tau, curve in report.losses.items():
        np.testing.assert_allclose(named[f"loss, temperature {tau:g}"].y, curve.values)
        band = named[f"loss, temperature {tau:g}, 95 %"]
        np.testing.assert_allclose(band.y, [*curve.high, *curve.low[::-1]])
    lowest = {(t.x[0], t.y[0]) for t in figure.data if t.name == "lowest"}
    assert lowest == {(report.shifts[c.values.argmin()], c.values.min()) for c in report.losses.values()}
    np.testing.assert_allclose(named["R@1 image to text"].y, 100 * report.retrieval["r1_image_to_text"].values)
    np.testing.assert_allclose(named["R@5 text to image"].y, 100 * report.retrieval["r5_text_to_image"].values)
    np.testing.assert_allclose(named["zero-shot accuracy"].y, 100 * report.accuracy.values)
    np.testing.assert_allclose(named["gap"].y, report.gap.values)
    for name in ("R@1 image to text", "gap"):
        np.testing.assert_allclose(named[name].x, report.shifts)
    kinds = theme.palette().kinds
    assert named["R@1 image to text"].line.color == kinds["image"]
    assert named["R@1 text to image"].line.color == kinds["text"]
    assert {named[n].yaxis for n in ("loss, temperature 1", "R@1 image to text", "gap")} == {"y", "y2", "y3"}
    marked = [s for s in figure.layout.shapes if s.x0 == s.x1]
    assert len(marked) == 3 and {s.x0 for s in marked} == {0.25}


def test_the_landscape_says_where_the_loss_is_lowest_and_what_it_is_now():
    report = made.along()
    tau = min(report.losses)
    curve = report.losses[tau]
    low = int(curve.values.argmin())
    said = title(shift.landscape(report, at=1.0))
    least, last = (spoken(replace(curve.at(i), null=None)) for i in (low, -1))
    assert f"temperature {tau:g} is lowest at shift {report.shifts[low]:.3g}: {least}, not told apart from 0" in said
    assert f"; {last} at 1" in said
    assert f"n = {made.N} pairs" in said


@pytest.mark.parametrize(("smallest", "log"), [(0.5, False), (0.0005, True)])
def test_losses_that_lie_far_apart_are_drawn_on_a_logarithmic_axis(smallest, log):
    report = made.along()
    tau = min(report.losses)
    curve = report.losses[tau]
    small = replace(curve, values=np.linspace(smallest, 3, 13), low=np.zeros(13), high=np.linspace(smallest, 3, 13) * 2)
    figure = shift.landscape(replace(report, losses={**report.losses, tau: small}), at=0.0)
    assert (figure.layout.yaxis.type == "log") is log
    if log:
        low, high = 10 ** np.array(figure.layout.yaxis.range)
        assert low < 0.0005 and high > max(c.values.max() for c in report.losses.values())
        assert min(min(t.y) for t in figure.data if t.fill == "toself" and t.yaxis == "y") > 0
        assert f"lowest at shift {report.shifts[0]:.3g}: 0.0005 (0.0000 to 0.0010)" in title(figure)


def test_an_unpaired_set_has_a_landscape_of_its_gap():
    report = made.along(False)
    figure = shift.landscape(report, at=0.5)
    assert {t.name for t in figure.data} == {"gap", "gap, 95 %"}
    assert f"Gap {spoken(report.gap.at(4))} as it is" in title(figure)
    assert "no pairs are known" in title(figure)
    assert list(shift.landscape_table(report)["gap"]) == report.gap.values.tolist()


def test_the_table_of_the_landscape_has_each_curve_with_its_interval():
    report = made.along()
    table = shift.landscape_table(report)
    assert table["shift"].tolist() == report.shifts.tolist()
    np.testing.assert_allclose(table["loss at 0.01 low"], report.losses[0.01].low)
    np.testing.assert_allclose(table["r1_text_to_image"], report.retrieval["r1_text_to_image"].values)
    np.testing.assert_allclose(table["zero-shot accuracy high"], report.accuracy.high)


def test_conformity_is_drawn_with_the_distance_and_its_null():
    report = made.typical()
    figure = explained.conformity(report)
    images, texts = (next(t for t in figure.data if t.name.startswith(name)) for name in ("images", "texts"))
    edges = np.unique(images.x)
    for trace, values in ((images, report.images), (texts, report.texts)):
        np.testing.assert_allclose(heights(trace, edges), 100 * np.histogram(values, edges)[0] / len(values))
    named = {t.name: t for t in figure.data}
    np.testing.assert_allclose(named["distance"].x, report.alphas)
    np.testing.assert_allclose(named["distance"].y, report.distances.values)
    assert np.array_equal(named["two halves of one modality"].y, report.distances.null)
    best = int(report.distances.values.argmin())
    near = report.alphas[report.distances.values <= report.distances.null[best]]
    assert f"at α from {near[0]:.2g} to {near[-1]:.2g} ({report.distances.values[best]:.2f} SD apart" in title(figure)
    assert f"Conformity {spoken(replace(report.mean_images, null=None))} of images" in title(figure)
    table = explained.conformity_table(report)
    assert table["mean low"].iloc[0] == report.mean_images.low
    np.testing.assert_allclose(table.loc[table["modality"] == "text", "conformity"], report.texts)
    no_null = replace(report, distances=replace(report.distances, null=None))
    assert "two halves" not in title(explained.conformity(no_null))


def test_dimensions_are_ranked_beside_a_random_direction():
    shares = made.shares()
    figure = explained.dimensions(shares)
    own = [t for t in figure.data if t.name == "gap"]
    np.testing.assert_allclose(own[0].y, 100 * np.sort(shares)[::-1])
    np.testing.assert_allclose(own[1].y, 100 * np.cumsum(np.sort(shares)[::-1]))
    assert [t.split()[-1] for t in own[0].hovertext] == [str(i) for i in np.argsort(-shares)]
    two = np.sort(shares)[-2:].sum()
    first, second = np.argsort(-shares)[:2]
    assert f"Dimensions {first} and {second} carry {100 * two:.1f} %" in title(figure)
    half = next(k for k in range(1, 17) if np.sort(shares)[::-1][:k].sum() >= 0.5)
    assert f"half of it lies in {half} of 16" in title(figure)


def test_the_random_direction_is_that_of_chance():
    table = explained.dimensions_table(np.full(512, 1 / 512))
    drawn = np.random.default_rng(0).normal(size=(400, 512)) ** 2
    expected = np.sort(drawn / drawn.sum(axis=1, keepdims=True), axis=1)[:, ::-1].mean(axis=0)
    np.testing.assert_allclose(table["share by chance"][:100], expected[:100], rtol=0.06)
    assert table["sum by chance"].iloc[-1] == pytest.approx(1)
    with pytest.raises(ShapeError, match=r"one a dimension; got shape \(2, 2\)\. A gap of no length"):
        explained.dimensions(np.ones((2, 2)))
    with pytest.raises(ShapeError, match="shares of the squared gap"):
        explained.dimensions(np.array([np.nan, 1]))


def test_the_parts_of_a_cosine_follow_each_other_to_its_value():
    parts = made.parts()
    figure = explained.explained(parts, image="a cat", text="a dog")
    bars = figure.data[0]
    values = [parts.parts[k] for k in ("means", "image", "text", "both")]
    np.testing.assert_allclose(bars.x, [*values, parts.cosine])
    np.testing.assert_allclose(bars.base, [*(np.cumsum(values) - values), 0], atol=1e-12)
    assert np.cumsum(values)[-1] == pytest.approx(parts.cosine, abs=1e-6)
    kinds = theme.palette().kinds
    assert bars.marker.color[1:3] == (kinds["image"], kinds["text"])
    places = figure.data[2]
    np.testing.assert_allclose(places.x, [parts.percentile, parts.percentile_matched])
    assert f"{parts.n_unmatched:,} unmatched" in places.y[0].replace("<br>", " ")
    low, high = figure.layout.xaxis.range
    assert low <= min(0, *np.cumsum(values)) and high > parts.cosine
    said = title(figure)
    assert f"Cosine {parts.cosine:.2f} of “a cat” and “a dog”: {values[0]:.2f} of it lies between the two means" in said
    assert f"above {parts.percentile:.1f} % of {parts.n_unmatched:,} unmatched pairs" in said
    table = explained.explained_table(parts)
    assert table["value"].tolist() == [*values, parts.cosine]


def test_two_texts_are_not_called_an_image_and_a_text():
    figure = explained.explained(made.parts(), image="a cat", text="a dog", texts_only=True)
    assert not any("image" in label for label in figure.data[0].y)
    assert set(figure.data[0].marker.color[1:3]) == {theme.palette().kinds["text"]}
    assert "of it lies in the mean of texts" in title(figure)


def test_a_cosine_without_known_pairs_has_one_percentile():
    parts = replace(made.parts(), percentile_matched=float("nan"), n_matched=0)
    assert len(explained.explained(parts).data[2].x) == 1
