"""Histograms of cosines, conformity, and a cosine in parts: published numbers, loops, laws, few and equal points."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.gap import profiles as pr
from core.geometry.gap.explain import explain_cosine
from core.geometry.pairs import Pairs


@pytest.fixture(scope="module")
def coco(reference) -> Pairs:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return Pairs.row_by_row(unit(data["image"]), unit(data["text"]))


def made_up(n: int = 40, d: int = 8, *, seed: int = 0, wide: float = 1.0) -> Pairs:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, d))
    x, y = base + np.eye(d)[0] * 2, wide * base - np.eye(d)[0] * 2 + 0.5 * rng.normal(size=(n, d))
    return Pairs.row_by_row(unit(x.astype(np.float32)), unit(y.astype(np.float32)))


def by_hand(pairs: Pairs) -> dict[str, list[float]]:
    x, y = pairs.images.astype(float), pairs.texts.astype(float)
    linked = set(map(tuple, pairs.links.tolist()))
    across = list(itertools.product(range(len(x)), range(len(y))))
    return {"matched": [x[i] @ y[j] for i, j in pairs.links],
            "unmatched": [x[i] @ y[j] for i, j in across if (i, j) not in linked],
            "images": [a @ b for a, b in itertools.combinations(x, 2)],
            "texts": [a @ b for a, b in itertools.combinations(y, 2)]}


def test_published_mean_cosines_of_coco500(coco):
    report = pr.cosine_histograms(coco)
    for kind, mean, count in (("images", 0.5315, 124_750), ("texts", 0.5152, 124_750), ("matched", 0.3099, 500),
                              ("unmatched", 0.1616, 249_500)):
        assert round(report.mean.numbers[kind].value, 4) == mean
        assert report.counts[kind] == count
        middles = (report.edges[:-1] + report.edges[1:]) / 2
        assert float(report.shares[kind] @ middles) == pytest.approx(mean, abs=0.005)


def test_cosines_and_their_histograms_equal_loops():
    base = made_up(20)
    pairs = Pairs(base.images, base.texts[:15], [[0, 0], [0, 1], [1, 2], [2, 2], [7, 3]])
    expected = by_hand(pairs)
    found = pr.cosines_by_kind(pairs)
    report = pr.cosine_histograms(pairs, bins=13)
    assert set(found) == set(expected)
    for kind, values in expected.items():
        assert np.sort(found[kind]) == pytest.approx(np.sort(values), abs=1e-6)
        assert report.counts[kind] == len(values)
        assert report.mean.numbers[kind].value == pytest.approx(np.mean(values), abs=1e-6)
        assert report.shares[kind] == pytest.approx(np.histogram(values, report.edges)[0] / len(values))
    assert np.allclose(np.diff(report.edges), np.diff(report.edges)[0])
    every = np.concatenate([*expected.values()])
    assert report.edges[0] <= every.min() < every.max() <= report.edges[-1]
    assert (report.edges[[0, -1]] * 20) == pytest.approx((report.edges[[0, -1]] * 20).round())


def test_many_points_are_sampled_from_the_most_to_the_least_typical(monkeypatch):
    pairs = made_up(400)
    whole = pr.cosine_histograms(pairs)
    monkeypatch.setattr(pr, "MOST_FOR_COSINES", 100)
    monkeypatch.setattr(pr, "MOST_MATCHED", 150)
    some = pr.cosine_histograms(pairs)
    assert some.counts["images"] == 4950 and some.counts["matched"] == 150
    assert 9900 <= some.counts["unmatched"] < 10_000
    for kind, share in some.shares.items():
        middles = (some.edges[:-1] + some.edges[1:]) / 2
        assert share @ middles == pytest.approx(whole.mean.numbers[kind].value, abs=0.03)
        assert np.array_equal(share, pr.cosine_histograms(pairs).shares[kind])
    assert some.mean.numbers == whole.mean.numbers
    assert not np.array_equal(some.shares["matched"], pr.cosine_histograms(pairs, seed=1).shares["matched"])


def test_kinds_of_which_there_are_none_are_left_out():
    pairs = made_up(5)
    assert set(pr.cosine_histograms(Pairs(pairs.images, pairs.texts, [])).shares) == {"unmatched", "images", "texts"}
    one = pr.cosine_histograms(Pairs(pairs.images, pairs.texts[:1], [[i, 0] for i in range(5)]))
    assert set(one.shares) == {"matched", "images"}
    equal = pr.cosine_histograms(Pairs.row_by_row(np.repeat(pairs.images[:1], 5, axis=0), pairs.texts))
    assert equal.mean.numbers["images"].value == pytest.approx(1)
    assert equal.shares["images"][-1] == 1
    assert all(share.sum() == pytest.approx(1) for share in equal.shares.values())
    with pytest.raises(ShapeError, match="at least 1 bin; got 0"):
        pr.cosine_histograms(pairs, bins=0)


def test_conformity_is_the_mean_cosine_to_the_others():
    x = made_up(12).images
    expected = [np.mean([x[i] @ x[j] for j in range(12) if j != i]) for i in range(12)]
    assert pr.mean_cosines(x) == pytest.approx(np.array(expected), abs=1e-6)


def test_conformity_goes_with_the_cosine_to_the_mean_by_identity(coco):
    """The trap: a correlation of the two is no finding, n |m| / (n - 1) cos(m, v) - 1 / (n - 1) holds exactly."""
    for x in (coco.images, coco.texts):
        n, mean = len(x), x.mean(axis=0, dtype=np.float64)
        length = np.linalg.norm(mean)
        identity = n * length / (n - 1) * (x @ mean / length) - 1 / (n - 1)
        assert pr.mean_cosines(x) == pytest.approx(identity, abs=1e-6)
    report = pr.conformity(coco, alphas=np.array([0.0]))
    assert report.images.mean() == pytest.approx(0.5315, abs=5e-5)
    assert report.texts.mean() == pytest.approx(0.5152, abs=5e-5)


def apart_by_hand(x: np.ndarray, y: np.ndarray, alpha: float) -> float:
    sides = []
    for z in (x.astype(float), y.astype(float)):
        v = z - alpha * z.mean(axis=0)
        v /= np.linalg.norm(v, axis=1, keepdims=True)
        sides.append(np.array([np.mean([a @ b for j, b in enumerate(v) if j != i]) for i, a in enumerate(v)]))
    return wasserstein_distance(*sides) / math.sqrt((sides[0].var() + sides[1].var()) / 2)


def test_distances_of_conformity_equal_loops():
    base = made_up(70, wide=0.5)
    pairs = Pairs(base.images, base.texts[:64], base.links[:64])
    alphas = np.array([-0.3, 0.0, 0.7])
    report = pr.conformity(pairs, alphas=alphas)
    for alpha, value in zip(alphas, report.distances.values):
        assert value == pytest.approx(apart_by_hand(pairs.images, pairs.texts, alpha), rel=1e-4)
    assert (report.distances.unit, report.distances.low) == ("standard deviations", None)

def test_of_many_points_all_have_a_conformity_and_some_are_compared(monkeypatch):
    pairs = made_up(400, wide=0.5)
    whole = pr.conformity(pairs, alphas=np.array([0.0]))
    monkeypatch.setattr(pr, "MOST_FOR_DISTANCES", 150)
    some = pr.conformity(pairs, alphas=np.array([0.0]))
    assert np.array_equal(some.images, whole.images) and len(some.texts) == 400
    assert some.distances.values[0] != whole.distances.values[0]
    assert some.distances.values[0] == pytest.approx(whole.distances.values[0], rel=0.2)


def test_two_halves_of_one_modality_are_as_far_apart_as_the_null_says():
    pairs = made_up(400)
    halves = Pairs(pairs.images[:200], pairs.images[200:], np.zeros((0, 2)))
    report = pr.conformity(halves, alphas=np.array([0.0]))
    whole = pr.conformity(pairs, alphas=np.array([0.0]))
    assert report.distances.values[0] < 3 * whole.distances.null[0]
    wide = pr.conformity(made_up(400, wide=0.4), alphas=np.array([0.0])).distances
    assert wide.values[0] > 3 * wide.null[0]


def test_drawing_all_conformities_together_does_not_pass_for_a_match(coco):
    """In cosines the distance is least where the means are gone and all conformities are near 0; in deviations not."""
    report = pr.conformity(coco)
    best = report.alphas[report.distances.values.argmin()]
    assert 0.6 < best < 0.9
    at = {round(float(a), 2): i for i, a in enumerate(report.alphas)}
    assert report.distances.values[at[1.0]] > 1.5 * report.distances.values.min()
    narrow = [z - z.mean(axis=0) for z in (coco.images, coco.texts)]
    narrow = [pr.mean_cosines(unit(z)) for z in narrow]
    assert wasserstein_distance(*narrow) < 0.1 * wasserstein_distance(report.images, report.texts)


def test_conformity_stays_under_a_rotation_and_any_order_of_the_rows():
    pairs = made_up(90)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0].astype(np.float32)
    order = np.random.default_rng(4).permutation(90)
    one = pr.conformity(pairs)
    for other in (pr.conformity(pairs.moved(unit(pairs.images @ turn), unit(pairs.texts @ turn))),
                  pr.conformity(pairs.part(order, order))):
        assert one.distances.values == pytest.approx(other.distances.values, abs=1e-3)
        assert one.distances.null == pytest.approx(other.distances.null, abs=1e-4)


@pytest.mark.filterwarnings("error")
def test_few_or_equal_points_are_told():
    pairs = made_up(30)
    with pytest.raises(ShapeError, match=r"at least 2 texts; got 1\. Conformity is a mean cosine to the others"):
        pr.conformity(Pairs(pairs.images, pairs.texts[:1], []))
    same = np.repeat(pairs.images[:1], 9, axis=0)
    for few in (Pairs.row_by_row(same, same), Pairs.row_by_row(pairs.images[:2], pairs.texts[:2])):
        with pytest.raises(ShapeError, match="points of which some are more typical than others; got points that are"):
            pr.conformity(few)
    one_side = pr.conformity(Pairs.row_by_row(pairs.images[:9], same), alphas=np.array([0.0, 1.0]))
    assert one_side.alphas.tolist() == [0.0]
    assert np.isfinite(one_side.distances.values).all() and np.isfinite(one_side.distances.null).all()


@pytest.mark.parametrize(("n", "m"), [(30, 30), (30, 11), (2, 40)])
def test_wasserstein_equals_scipy(n, m):
    rng = np.random.default_rng(n + m)
    a, b = rng.normal(size=n).round(1), rng.normal(size=m).round(1) + 0.3
    assert pr.wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b))


def test_a_cosine_is_the_sum_of_its_parts(coco):
    image, text = coco.images[3], coco.texts[3]
    parts = explain_cosine(image, text, coco)
    assert sum(parts.parts.values()) == pytest.approx(parts.cosine, abs=1e-9)
    assert parts.cosine == pytest.approx(float(image.astype(float) @ text.astype(float)), abs=1e-9)
    mean_x, mean_y = coco.images.mean(axis=0, dtype=np.float64), coco.texts.mean(axis=0, dtype=np.float64)
    assert parts.parts["means"] == pytest.approx(mean_x @ mean_y)
    assert parts.parts["image"] == pytest.approx((image - mean_x) @ mean_y)
    assert parts.parts["text"] == pytest.approx(mean_x @ (text - mean_y))
    assert parts.parts["both"] == pytest.approx((image - mean_x) @ (text - mean_y))
    assert parts.n_unmatched == 249_500 and parts.n_matched == 500
    every = coco.images @ coco.texts.T
    others = every[~np.eye(500, dtype=bool)]
    assert parts.percentile == pytest.approx(100 * np.mean(others < parts.cosine), abs=0.01)
    assert parts.percentile_matched == pytest.approx(100 * np.mean(np.diag(every) < parts.cosine), abs=0.21)


def test_why_a_right_pair_has_a_cosine_of_a_quarter(coco):
    """About half of it is what any image has with any text."""
    parts = [explain_cosine(coco.images[i], coco.texts[i], coco) for i in range(0, 500, 25)]
    assert np.mean([p.parts["means"] / p.cosine for p in parts]) == pytest.approx(0.53, abs=0.1)
    assert np.median([p.percentile for p in parts]) > 97


def test_a_pair_from_outside_and_sets_without_pairs():
    pairs = made_up(30)
    parts = explain_cosine(pairs.images[0], -pairs.images[0], pairs)
    assert parts.cosine == pytest.approx(-1) and parts.percentile == 0
    loose = explain_cosine(pairs.images[0], pairs.texts[0], Pairs(pairs.images, pairs.texts, []))
    assert math.isnan(loose.percentile_matched) and loose.n_matched == 0
    with pytest.raises(ShapeError, match=r"an image of 8 dimensions; got shape \(7,\)"):
        explain_cosine(pairs.images[0][:7], pairs.texts[0], pairs)
    with pytest.raises(ShapeError, match="a text with unit rows"):
        explain_cosine(pairs.images[0], 2 * pairs.texts[0], pairs)
