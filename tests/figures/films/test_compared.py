"""Figures of films compared say what their reports say: coordinates, intervals, nulls, titles, clicks and tables."""

from __future__ import annotations

import html
from functools import lru_cache

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.figures.films import between as drawn
from core.figures.films import features as strips
from core.figures.films import genres as told
from core.geometry.films.alignment import Alignment, align
from core.geometry.films.between import FilmDistances, film_distances
from core.geometry.films.carriers import Carriers, families, what_carries
from core.geometry.films.classified import Classified
from core.geometry.films.differing import FeatureDifferences, features_differ
from core.geometry.films.feature_names import FEATURES, PATH_FEATURES
from core.geometry.films.features import feature_table, order_free_features, path_features
from core.geometry.films.genres import classify, told_apart
from core.geometry.films.many_labels import ManyClassified, classify_many
from tests.geometry.films.kinds import films
from tests.geometry.films.test_many_labels import example

MADE = films(6, noise=0.15)
KINDS = [m.kind for m in MADE]
NAMES = [m.path.name for m in MADE]
KEYS = list(PATH_FEATURES)


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


def trace(figure, name: str):
    found = [t for t in figure.data if t.name == name]
    assert len(found) == 1, [t.name for t in figure.data]
    return found[0]


@lru_cache(maxsize=1)
def distances() -> FilmDistances:
    return film_distances([m.path for m in MADE[:5]], [m.starts for m in MADE[:5]], frames=40, draws=39)


@lru_cache(maxsize=1)
def aligned() -> Alignment:
    return align(MADE[0].path, MADE[3].path, frames=50)


def features() -> np.ndarray:
    return feature_table([path_features(m.path, m.starts, m.of_frames) for m in MADE])


@lru_cache(maxsize=1)
def differing() -> FeatureDifferences:
    return features_differ(features(), KEYS, KINDS)


@lru_cache(maxsize=1)
def classified() -> dict[str, Classified]:
    free = feature_table([order_free_features(m.path, m.starts, m.of_frames) for m in MADE])
    return {"path": classify(features(), KINDS, permutations=99), "order forgotten": classify(free, KINDS),
            "prompts": classify(free[:3], KINDS[:3])}


@lru_cache(maxsize=1)
def carried() -> Carriers:
    return what_carries(features(), KINDS, families(KEYS), permutations=99)


@lru_cache(maxsize=1)
def several() -> ManyClassified:
    x, labels = example(24, strength=3)
    return classify_many(x, [{"every"} | row for row in labels], permutations=99)


def test_the_matrix_stands_in_the_order_of_its_tree():
    report = distances()
    arranged = report.arranged["warped"]
    figure = drawn.distance_matrix(report)
    heat, cells, tree = figure.data
    by_hand = np.degrees(report.distances["warped"])[np.ix_(arranged.leaves, arranged.leaves)]
    np.testing.assert_allclose(heat.z, by_hand)
    for (i, j), x, y in zip(cells.customdata, cells.x, cells.y):
        assert np.degrees(report.distances["warped"])[i, j] == pytest.approx(heat.z[y][x])
    heights = np.array([v for v in tree.x if v is not None])
    assert heights.max() == pytest.approx(np.degrees(arranged.tree[-1, 2]))
    ends = {y for x, y in zip(tree.x, tree.y) if x == 0}
    assert ends == {0, 1, 2, 3, 4}, "leaves of the tree stand at the rows"
    flat = by_hand[np.triu_indices(5, 1)]
    for part in (f"{flat.min():.1f}°, nearest", f"{flat.max():.1f}°, farthest", "by chance", "10 pairs"):
        assert part in title(figure)
    assert list(figure.layout.yaxis.ticktext) == [report.names[i] for i in arranged.leaves]
    with pytest.raises(ChoiceError, match="distance of films"):
        drawn.distance_matrix(report, measure="far")


def test_the_map_has_films_where_the_report_has_them():
    report = distances()
    figure = drawn.film_map(report, KINDS[:5], measure="order_free")
    assert [t.name for t in figure.data] == ["arch", "duets", "loop"]
    for points in figure.data:
        rows = np.array(points.customdata)
        np.testing.assert_allclose(np.stack([points.x, points.y], 1),
                                   np.degrees(report.arranged["order_free"].coords[rows]))
        assert {KINDS[i] for i in rows} == {points.name}
    assert f"{report.arranged['order_free'].map_fidelity.value:.2f} (by chance" in title(figure)
    with pytest.raises(ShapeError, match="5 labels"):
        drawn.film_map(report, KINDS)


def test_the_alignment_runs_over_seconds_of_both_films():
    report = aligned()
    heat, way = drawn.alignment(report).data
    np.testing.assert_allclose(heat.z, np.degrees(report.cost))
    assert (list(way.y), list(way.x)) == (report.times[0][report.way[:, 0]].tolist(),
                                          report.times[1][report.way[:, 1]].tolist())
    frames = np.array(way.customdata)
    np.testing.assert_array_equal(MADE[0].path.times[frames[:, 0]], way.y)
    figure = drawn.alignment(report)
    assert f"{np.degrees(report.warped):.1f}° a pair" in title(figure)
    assert figure.layout.yaxis.title.text == f"{NAMES[0]} (s)"


def test_order_stands_beside_shuffled_shots():
    report = distances()
    figure = drawn.order_adds(report)
    dots = trace(figure, "as they are")
    ends = [v for v in trace(figure, "shots shuffled, middle 95 %").x if v is not None]
    by_pair = {o.pair: o for o in report.order}
    for k, (pair, x) in enumerate(zip(dots.customdata, dots.x)):
        found = by_pair[tuple(pair)]
        assert x == pytest.approx(np.degrees(found.warped))
        assert ends[2 * k:2 * k + 2] == pytest.approx(np.degrees([found.shuffled.low, found.shuffled.high]).tolist())
    assert len(dots.x) == 10 and f"p {report.order_p:.3f}, 10 pairs" in title(figure)
    whole = film_distances([m.path for m in MADE[:2]], [np.array([0])] * 2, frames=10, draws=19)
    low, high = drawn.order_adds(whole).layout.xaxis.range
    assert high - low == pytest.approx(2) and low < np.degrees(whole.order[0].warped) < high
    with pytest.raises(ShapeError, match="Find shots first"):
        drawn.order_adds(film_distances([m.path for m in MADE[:2]], frames=10))


def test_features_are_drawn_in_standard_deviations_by_genre():
    report = differing()
    figure = strips.by_genre(report, NAMES, most=5)
    order = sorted(range(len(KEYS)), key=lambda k: -np.nan_to_num(report.between[k].value))[:5]
    assert figure.layout.yaxis.ticktext[0] == FEATURES[KEYS[order[0]]].title
    for c, kind in enumerate(report.classes):
        points, means = trace(figure, kind), trace(figure, f"mean, {kind}")
        rows = np.array(points.customdata)
        feature = np.round(np.array(points.y)).astype(int)
        np.testing.assert_allclose(points.x, report.scores[rows, np.array(order)[feature]])
        assert {KINDS[i] for i in rows} == {kind}
        np.testing.assert_allclose(means.x, report.scores[report.labels == c][:, order].mean(axis=0), atol=1e-12)
    differ = sum(p is not None and p <= 0.05 for p in report.p)
    assert differ > 5 and title(figure).startswith(f"{differ} of ")


def test_features_that_differ_are_found_and_shuffled_labels_are_not():
    report = differing()
    k = KEYS.index("seen_4")
    values = report.values[:, k]
    groups = [values[np.array(KINDS) == kind] for kind in report.classes]
    between = sum(len(g) * (g.mean() - values.mean()) ** 2 for g in groups) / ((values - values.mean()) ** 2).sum()
    assert report.between[k].value == pytest.approx(between)
    assert report.between[k].null == pytest.approx(2 / 17, abs=0.04)
    constant = KEYS.index("seen_1")
    assert report.p[constant] is None and np.isnan(report.between[constant].value)
    rng = np.random.default_rng(0)
    found = [features_differ(rng.normal(size=(18, 4)), KEYS[:4], KINDS, permutations=99, seed=i) for i in range(60)]
    assert np.mean([min(f.p) <= 0.05 for f in found]) <= 0.13
    alone = features_differ(features(), KEYS)
    np.testing.assert_array_equal(alone.scores, report.scores)
    assert "films have no genres" in title(strips.by_genre(alone))
    assert list(strips.features_table(alone, NAMES))[:2] == ["film", FEATURES[KEYS[0]].title]
    none = features_differ(np.ones((3, 2)), KEYS[:2], KINDS[:3])
    assert "fewer than 6" in none.reason and "fewer than 6" in title(strips.by_genre(none))


def test_accuracies_stand_beside_their_own_chance():
    found = classified()
    figure = told.accuracies(found)
    dots, chance = trace(figure, "told right"), trace(figure, "labels shuffled, middle 95 %")
    reports = [found["path"], found["order forgotten"]]
    assert list(dots.x) == pytest.approx([100 * r.balanced.value for r in reports])
    for x, more, less, report in zip(dots.x, dots.error_x.array, dots.error_x.arrayminus, reports):
        assert (x - less, x + more) == pytest.approx((100 * report.balanced.low, 100 * report.balanced.high))
    assert [v for v in chance.x if v is not None] == pytest.approx([100 * v for r in reports for v in r.by_chance])
    assert [n.text for n in figure.layout.annotations][2] == "not measurable: 3 films, fewer than 6"
    assert "3 genres of 18 films told above chance by path 100 %; not told from chance by order forgotten" in title(
        figure)
    change = {("order forgotten", "path"): told_apart(found["order forgotten"], found["path"])}
    assert told.differences_sentence(change).startswith("Path tells more films than order forgotten (p 0.00")
    change = {("prompts", "path"): told_apart(found["prompts"], found["path"])}
    assert told.differences_sentence(change) == "Path: not comparable with prompts."
    assert told.accuracies({"prompts": found["prompts"]}).layout.title.text.startswith("Genres: not measurable")


def test_the_confusion_counts_films():
    report = classified()["order forgotten"]
    figure = told.confusion(report)
    np.testing.assert_array_equal(figure.data[0].customdata, report.confusion)
    written = np.array([int(n.text) for n in figure.layout.annotations]).reshape(3, 3)
    np.testing.assert_array_equal(written, report.confusion)
    assert f"{int(report.hits.sum())} of 18 films told right" in title(figure)
    worst = (report.confusion - np.diag(np.diag(report.confusion))).max()
    assert f"{worst} of 6" in title(figure)
    assert "not measurable" in title(told.confusion(classified()["prompts"]))


def test_carriers_show_what_is_told_alone_and_what_is_lost():
    report = carried()
    figure = told.carriers(report)
    alone, lost = trace(figure, "alone"), trace(figure, "lost")
    assert list(alone.x) == pytest.approx([100 * part.alone.balanced.value for part in report.parts])
    assert list(lost.x) == pytest.approx([100 * part.lost.change.value for part in report.parts])
    assert f"of {len(report.parts)} families of features tell genres alone" in title(figure)


def test_several_genres_are_drawn_with_what_cannot_be_measured():
    report = several()
    figure = told.many(report)
    values = {label.name: label.precision for label in report.labels if label.p is not None}
    assert sorted(trace(figure, "average precision").x) == pytest.approx(sorted(n.value for n in values.values()))
    assert sorted(trace(figure, "labels shuffled, mean").x) == pytest.approx(sorted(n.null for n in values.values()))
    assert [n.text for n in figure.layout.annotations] == ["0 lack it, fewer than 2"]
    assert f"{report.mean_precision.value:.2f} (shuffled {report.mean_precision.null:.2f}" in title(figure)


def test_tables_hold_every_number():
    pairs = drawn.distances_table(distances())
    assert len(pairs) == 10 and pairs["p"].notna().all()
    np.testing.assert_allclose(pairs["dynamic time warping (degrees)"],
                               np.degrees(distances().distances["warped"][np.triu_indices(5, 1)]))
    assert "p" not in drawn.distances_table(film_distances([m.path for m in MADE[:2]], frames=10))
    assert len(drawn.map_table(distances(), KINDS[:5])) == 5
    assert drawn.alignment_table(aligned())["angle (degrees)"].mean() == pytest.approx(np.degrees(aligned().warped),
                                                                                      rel=1e-5)
    table = strips.features_table(differing(), NAMES)
    assert table.shape == (18, 2 + len(KEYS)) and table["seen 4 shots before (share)"].tolist()[:3] == [1, 0, 0.5]
    assert len(strips.differences_table(differing())) == len(KEYS)
    rows = told.accuracies_table(classified())
    assert rows["by"].tolist() == list(classified()) and rows["accuracy"][0] == 1 and rows["p"].isna()[2]
    predicted = told.predictions_table({"path": classified()["path"]}, NAMES)
    assert predicted["genre"].tolist() == KINDS == predicted["told by path"].tolist()
    assert told.confusion_table(classified()["path"]).iloc[0].tolist() == ["arch", 6, 0, 0]
    assert told.carriers_table(carried())["number of features"].sum() == len(KEYS)
    assert told.many_table(several())["not measurable"].tolist()[1] == "0 lack it, fewer than 2"


@pytest.mark.parametrize("dark", [False, True])
def test_figures_of_both_themes_take_names_with_marks(dark):
    """Names of films and genres are shown as they are, whatever stands in them."""
    marked = [f"<b>{kind}</b>" for kind in KINDS]
    figures = [told.confusion(classify(features(), marked, permutations=9), dark=dark),
               drawn.film_map(distances(), marked[:5], dark=dark), drawn.distance_matrix(distances(), dark=dark),
               drawn.alignment(aligned(), dark=dark), drawn.order_adds(distances(), dark=dark),
               told.accuracies({"<b>": classified()["path"]}, dark=dark), told.carriers(carried(), dark=dark),
               told.many(several(), dark=dark), strips.by_genre(differing(), NAMES, dark=dark)]
    for figure in figures:
        assert "<b>" not in figure.to_json()
        assert figure.layout.title.text and figure.layout.template.layout.font.color
