"""Figures of objects say what their reports say: plotted coordinates, intervals, nulls, titles and tables."""

from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.objects import angles, equivariance, poses, recognition, styles, subspaces
from core.geometry.objects.profiles import LEFT_OUT, OTHER_OBJECTS
from tests.figures.objects import reports as made


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


def trace(figure, name: str, **also):
    found = [t for t in figure.data if t.name == name and all(getattr(t, k) == v for k, v in also.items())]
    assert len(found) == 1, [t.name for t in figure.data]
    return found[0]


def band(figure, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edge of the band of a curve."""
    y = np.array(next(t for t in figure.data if t.fill == "toself" and t.name.startswith(name)).y)
    return y[len(y) // 2:][::-1], y[:len(y) // 2]


def test_energies_and_those_of_random_directions():
    reports = made.energies()
    figure = subspaces.energies(reports, most=10)
    for report in reports:
        span, variation = [t for t in figure.data if t.name == report.name]
        np.testing.assert_allclose(span.y, 100 * report.span.values[:10])
        np.testing.assert_allclose(variation.y, 100 * report.variation.values[:10])
        assert list(span.x) == list(range(1, 11))
    null = next(t for t in figure.data if t.name == "random directions")
    np.testing.assert_allclose(null.y, 100 * reports[0].span.null[:10])
    numbers = reports[0].span_dimensions[0.95]
    assert f"lies in {numbers.value:.0f} directions (random: {numbers.null:.0f})" in title(figure)
    assert "n = 24 views, first of 3 objects" in title(figure)
    table = subspaces.energies_table(reports)
    assert set(table["object"]) == {"object 0", "object 1", "object 2"}
    np.testing.assert_allclose(table[table["object"] == "object 1"]["span"], reports[1].span.values)
    with pytest.raises(ShapeError, match="1 to 12 objects; got 13"):
        subspaces.energies(reports[:1] * 13)


def test_memberships_stand_beside_random_directions_and_other_objects():
    report = made.memberships()
    figure = subspaces.memberships(report)
    bar, null = figure.data
    np.testing.assert_allclose(bar.x, [n.value for n in report.rows.values()])
    np.testing.assert_allclose(null.x, [n.null for n in report.rows.values()])
    for mean, more, less, (name, values) in zip(bar.x, bar.error_x.array, bar.error_x.arrayminus,
                                                report.values.items()):
        low, high = np.quantile(values, (0.25, 0.75))
        assert (mean + more, mean - less) == pytest.approx((max(high, mean), min(low, mean))), name
    colours = dict(zip(report.rows, bar.marker.color))
    assert len(set(colours.values())) == 2 and list(colours.values()).count(colours[OTHER_OBJECTS]) == 1
    assert f"membership {report.rows[LEFT_OUT].value:.2f} in its 4 directions" in title(figure)
    table = subspaces.memberships_table(report)
    assert len(table) == sum(n.n for n in report.rows.values())
    assert table.groupby("vectors")["membership"].mean()["captions"] == pytest.approx(report.rows["captions"].value)


def test_the_matrix_and_the_map_show_the_distances():
    report = made.angles()
    figure = angles.matrix(report)
    np.testing.assert_allclose(figure.data[0].z, report.distances)
    written = {(n.y, n.x): n.text for n in figure.layout.annotations}
    assert written["object 1", "object 3"] == f"{report.distances[1, 3]:.1f}"
    near = report.distances[np.triu_indices(5, 1)].min()
    assert f"Grassmann distance {near:.2f} radians" in title(figure)
    assert f"random subspaces {report.by_chance:.2f} (rank 3)" in title(figure)
    np.testing.assert_allclose(angles.matrix(report, measure="smallest").data[0].z, np.degrees(report.smallest))
    placed = angles.distance_map(report)
    np.testing.assert_allclose(np.stack([placed.data[0].x, placed.data[0].y], axis=1), report.coords)
    assert placed.layout.yaxis.scaleanchor == "x"
    assert f"{report.fidelity.value:.2f} (by chance {report.fidelity.null:.2f})" in title(placed)
    table = angles.angles_table(report)
    assert len(table) == 10
    row = table[(table["object"] == "object 1") & (table["other"] == "object 3")].iloc[0]
    assert row["grassmann distance"] == report.distances[1, 3]
    assert (row["x of other"], row["y of other"]) == tuple(report.coords[3])


def test_recognition_over_views_has_bands_and_chance():
    report = made.recognition()
    figure = recognition.by_views(report)
    for key, curve in report.by_views.items():
        np.testing.assert_allclose(trace(figure, report.titles[key]).y, 100 * curve.values)
        np.testing.assert_array_equal(trace(figure, report.titles[key]).x, report.n_views)
        low, high = band(figure, report.titles[key])
        np.testing.assert_allclose([low, high], [100 * curve.low, 100 * curve.high])
    assert set(trace(figure, "chance 20 %").y) == {20}
    assert f"subspace of the views {100 * report.numbers['subspace'][7].value:.1f} %" in title(figure)
    assert "120 views of 5 objects" in title(figure)
    assert "told" in title(figure) or "above" in title(figure) or "below" in title(figure)


def test_recognition_over_rank_shows_few_and_many_views():
    report = made.recognition()
    figure = recognition.by_rank(report)
    assert set(report.by_rank) == {4, 7}
    for n, curve in report.by_rank.items():
        np.testing.assert_allclose(trace(figure, f"subspace of {n} views").y, 100 * curve.values)
    assert set(trace(figure, "nearest mean of 7 views").y) == {100 * report.numbers["mean"][7].value}
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "4", "8"]
    table = recognition.recognition_table(report)
    assert len(table) == 4 * 4 + 2 * 4
    given = table[(table["rank is"] == "given") & (table["fitted views"] == 7)]
    np.testing.assert_allclose(given["told right"].astype(float), report.by_rank[7].values)


def test_pairs_of_views_stand_at_their_two_angles():
    report = made.views()
    figure = equivariance.equivariance(report, name="<b>", views=[f"view <i>{i}" for i in range(24)])
    alike, others = trace(figure, "far apart, yet alike"), trace(figure, "pairs of views")
    np.testing.assert_allclose(alike.x, np.degrees(report.camera[report.alike]))
    np.testing.assert_allclose(alike.y, np.degrees(report.embedding[report.alike]))
    assert len(alike.x) + len(others.x) == len(report.pairs)
    assert alike.hovertext[0].startswith("view &lt;i&gt;")
    np.testing.assert_allclose(trace(figure, "mean with 95 %").y, np.degrees(report.curve.values))
    np.testing.assert_allclose(trace(figure, "shuffled views").y, np.degrees(report.embedding.mean()))
    known = np.isfinite(report.curve.low)
    np.testing.assert_allclose(band(figure, "mean, 95 %")[0], np.degrees(report.curve.low[known]))
    assert f"{100 * report.symmetric.value:.0f} % of {report.symmetric.n:,} far pairs look alike" in title(figure)
    assert "other objects" in title(figure)
    table = equivariance.equivariance_table(report)
    assert table["alike"].sum() == report.alike.sum()
    assert table["neighbours"].sum() == len(report.steps)
    assert table["jump"].sum() == report.jumps.sum()


def test_a_ring_of_views_has_no_band():
    report = made.views(False)
    figure = equivariance.equivariance(report)
    assert not [t for t in figure.data if t.fill]
    np.testing.assert_allclose(trace(figure, "mean").y, np.degrees(report.curve.values))
    assert " to " not in title(figure)


def test_steps_that_jump_stand_out():
    report = made.views(False)
    torn = replace(report, jumps=np.arange(len(report.steps)) == 3)
    found = trace(equivariance.equivariance(torn), "neighbours that jump")
    assert np.array_equal(found.customdata, report.steps[3:4])


@pytest.mark.parametrize("change", [False, True])
def test_success_stands_at_its_share_with_interval_and_chance(change):
    report = made.styles(change)
    figure = styles.success(report)
    rows = sorted(report.rows, key=lambda row: -row.right.value)
    for name, part in (("object and style", "right"), ("object", "kept"), ("style", "taken")):
        np.testing.assert_allclose(trace(figure, name).x, [100 * getattr(r, part).value for r in rows])
    right = trace(figure, "object and style")
    np.testing.assert_allclose(right.x + np.array(right.error_x.array), [100 * r.right.high for r in rows])
    np.testing.assert_allclose(right.x - np.array(right.error_x.arrayminus), [100 * r.right.low for r in rows])
    assert figure.layout.shapes[0].x0 == pytest.approx(100 * report.chance)
    assert len(set(right.y)) == len(rows), "a row a method"
    assert f"({report.n:,} cases, chance {100 * report.chance:.1f} %)" in title(figure)
    assert title(figure).startswith("This object" if change else "Another object")
    at = next(i for i, r in enumerate(rows) if r.name == "subspace")
    assert "rank 4, alpha 1" in right.hovertext[at]
    assert "length outside the subspaces" in right.hovertext[at]


def test_success_over_the_rank():
    report = made.styles()
    figure = styles.over_rank(report)
    for name, key in (("subspaces of residuals", "subspace"), ("subspaces as written", "subspace_published")):
        np.testing.assert_allclose(trace(figure, name).y, 100 * report.over_rank[key].values)
    means = next(r.right.value for r in report.rows if r.name == "arithmetic")
    assert set(trace(figure, "style means").y) == {100 * means}
    with pytest.raises(ShapeError, match="a report with success over the rank"):
        styles.over_rank(replace(report, over_rank={}))
    table = styles.over_rank_table(report)
    np.testing.assert_allclose(table[table["method"] == "subspace"]["right"], report.over_rank["subspace"].values)


def test_the_table_of_success_has_every_number():
    report = made.styles()
    table = styles.success_table([report, made.styles(True)]).set_index(["task", "method"])
    row = next(r for r in report.rows if r.name == "subspace")
    line = table.loc["transfer", "subspace"]
    assert (line["rank"], line["alpha"]) == (4, 1)
    assert line["object and style"] == row.right.value
    assert line["object and style by chance"] == pytest.approx(report.chance)
    assert line["zero-shot style"] == row.zero_shot["style"].value
    assert line["residual"] == row.residual.value
    assert line["over style means"] == row.change.change.value
    assert len(table) == 2 * len(report.rows)


def test_texts_are_drawn_over_the_turn_and_winners_stand_out():
    report = made.poses()
    figure = poses.poses(report)
    for k, name in enumerate(report.names):
        drawn = trace(figure, name)
        np.testing.assert_allclose(drawn.y, report.scores[:, k])
        np.testing.assert_array_equal(np.array(drawn.marker.size) > 5, report.winners == k)
    np.testing.assert_allclose(trace(figure, "mean of all texts").y, report.scores.mean(axis=1))
    assert f"wins at {100 * report.share:.0f} % of 15 poses (by chance 20 %)" in title(figure)
    table = poses.poses_table(report)
    assert (len(table), table["wins"].sum()) == (75, 15)
