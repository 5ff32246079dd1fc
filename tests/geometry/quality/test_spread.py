"""Outliers, diversity and coverage against formulas written out, known shapes, and what the literature's data give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import betainc

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.quality.coverage import coverage, log_area
from core.geometry.quality.diversity import diversity
from core.geometry.quality.neighbours import nearest_others
from core.geometry.quality.outliers import outlying, whitened
from core.geometry.quality.structureless import nearest_by_chance, structureless


def cloud(n: int, d: int = 24, seed: int = 0, clumps: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.arange(1, d + 1) ** -0.5
    x = rng.normal(size=(n, d)) * spread + 2 * np.eye(d)[0]
    if clumps:
        x += 2 * (rng.normal(size=(clumps, d)) * spread)[rng.integers(0, clumps, n)] - 0.8 * (x - 2 * np.eye(d)[0])
    return unit(x.astype(np.float32))


def test_the_odder_of_the_plain_angle_and_the_one_between_whitened_vectors_tells():
    x = cloud(120)
    found, scores = outlying(x, k=7), []
    for rows in (x.astype(float), whitened(x).astype(float)):
        angles = np.sort(np.degrees(np.arccos(np.clip(rows @ rows.T, -1, 1))), axis=1)[:, 7]
        low, middle, high = np.quantile(angles, [0.25, 0.5, 0.75])
        scores.append((angles - middle) / (high - low))
    np.testing.assert_allclose(found.scores, np.maximum(*scores), atol=1e-3)
    assert "to the 7th nearest" in found.evidence[0]
    assert outlying(x, neighbours=nearest_others(x, 1)).partners.tolist() == nearest_others(x, 1).rows[:, 0].tolist()
    even = np.linalg.eigvalsh(np.cov(whitened(cloud(5000)).T))
    assert even.max() / even.min() < 4 < np.divide(*np.linalg.eigvalsh(np.cov(cloud(5000).T))[[-1, 0]])


def test_a_few_alike_from_elsewhere_are_outliers_and_structureless_data_have_hardly_any():
    x = cloud(800)
    strange = unit(np.random.default_rng(5).normal(size=24) + 0.05 * np.random.default_rng(6).normal(size=(6, 24)))
    found = outlying(np.concatenate([x, -np.abs(strange)]).astype(np.float32))
    assert set(range(800, 806)) <= set(found.flagged().tolist())
    plain = outlying(x)
    assert plain.share().value < 0.06 and plain.share().null == pytest.approx(plain.share().value, abs=0.02)
    assert np.median(plain.by_chance) == pytest.approx(np.median(plain.scores), abs=0.1)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_items_have_no_outliers(n):
    found = outlying(np.eye(4, dtype=np.float32)[:n])
    assert len(found.flagged()) == 0 and len(found.scores) == n
    assert np.isnan(found.scores).all() == (n < 2)


def test_structureless_data_have_the_mean_and_covariance_and_nothing_else():
    x = cloud(3000, clumps=5)
    drawn = np.concatenate(list(structureless(x, 20_000, np.random.default_rng(0))))
    np.testing.assert_allclose(drawn.mean(axis=0), x.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-5)
    assert np.corrcoef(np.cov(drawn.T).ravel(), np.cov(x.T).ravel())[0, 1] > 0.97
    near = nearest_by_chance(x, 3)
    assert near.shape == (1000, 3) and (np.diff(near, axis=1) <= 0).all()
    assert np.median(near[:, 0]) < np.median(nearest_others(x, 1).cosines)
    np.testing.assert_array_equal(near, nearest_by_chance(x, 3))


def test_diversity_is_that_of_the_formula_and_of_the_reference(reference):
    x = cloud(60)
    values = np.linalg.eigvalsh(x.astype(float) @ x.T / 60)
    shares = values[values > 1e-12]
    assert diversity(x)["vendi"].value == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-4)
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    found = [diversity(unit(data[name].astype(np.float32))) for name in ("image", "text")]
    assert [round(f["vendi"].value, 1) for f in found] == [17.2, 17.8]
    assert [round(f["effective_rank"].value, 1) for f in found] == [104.6, 96.9]
    assert found[0]["vendi"].low is None, "500 rows in 512 dimensions have no interval that covers"


def test_diversity_grows_with_n_so_that_n_can_be_said():
    x = cloud(2000)
    whole, part = diversity(x), diversity(x, n=100)
    drawn = [diversity(x[np.random.default_rng(i).permutation(2000)[:100]]) for i in range(8)]
    for key, number in part.items():
        values = [d[key].value for d in drawn]
        assert number.n == 100 and number.value == pytest.approx(np.mean(values), abs=4 * np.std(values))
        assert whole[key].low < whole[key].value < whole[key].high and whole[key].value < whole[key].null
    assert part["effective_rank"].value < whole["effective_rank"].value


def test_the_interval_of_the_vendi_score_covers():
    found = [diversity(cloud(100, d=12, seed=i))["vendi"] for i in range(200)]
    truth = np.mean([f.value for f in found])
    assert 0.9 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.995


def test_diversity_of_next_to_nothing():
    assert diversity(np.zeros((0, 3), np.float32)) == {}
    same = diversity(np.repeat(np.eye(4, dtype=np.float32)[:1], 50, axis=0))
    assert same["vendi"].value == pytest.approx(1) and "effective_rank" not in same
    assert diversity(np.eye(4, dtype=np.float32)[:3])["vendi"].value == pytest.approx(3)
    with pytest.raises(ShapeError, match="at least 1 item"):
        diversity(cloud(5), n=0)


@pytest.mark.parametrize("d", [2, 3, 64])
@pytest.mark.parametrize("radius", [0.1, 1.0, 1.57, 2.5])
def test_the_area_of_a_cap_is_that_of_the_beta_function(d, radius):
    half = betainc((d - 1) / 2, 0.5, np.sin(radius) ** 2) / 2
    assert log_area(radius, d) == pytest.approx(np.log10(half if radius < np.pi / 2 else 1 - half), abs=1e-9)


def test_the_area_of_a_cap_goes_on_where_floats_end():
    assert log_area(np.pi / 2, 512) == pytest.approx(np.log10(0.5)) and log_area(np.pi, 512) == pytest.approx(0)
    from scipy.integrate import quad

    scaled, _ = quad(lambda t: (np.sin(t) / np.sin(0.1)) ** 510, 0, 0.1, points=[0.09])
    whole, _ = quad(lambda t: np.sin(t) ** 510, 0, np.pi, points=[np.pi / 2])
    assert log_area(0.1, 512) == pytest.approx(510 * np.log10(np.sin(0.1)) + np.log10(scaled / whole), abs=1e-6)
    areas = [log_area(r, 512) for r in np.linspace(0.05, 3.1, 200)]
    assert np.isfinite(areas).all() and (np.diff(areas) >= 0).all()


def test_clumps_leave_cells_empty_and_random_vectors_do_not():
    even, clumped = coverage(cloud(1500)), coverage(cloud(1500, clumps=12))
    assert even.numbers["cells"].low <= even.numbers["cells"].null <= even.numbers["cells"].high
    assert clumped.numbers["cells"].high < clumped.numbers["cells"].null - 0.1
    assert clumped.numbers["fullest"].value > clumped.numbers["fullest"].null + 0.1
    assert clumped.numbers["holes"].value > clumped.numbers["holes"].null
    fullest = int(clumped.counts.argmax())
    assert len(clumped.members(fullest)) == clumped.counts[fullest] and clumped.counts.sum() == 1500
    np.testing.assert_array_equal(clumped.counts, coverage(cloud(1500, clumps=12)).counts)


def test_the_cone_holds_95_percent_and_a_part_covers_less_of_the_whole():
    x = cloud(1000)
    cone = coverage(x).numbers["cone"]
    about = x.mean(axis=0) / np.linalg.norm(x.mean(axis=0))
    assert (np.degrees(np.arccos(x @ about)) <= cone.value).mean() == pytest.approx(0.95, abs=0.002)
    assert cone.low < cone.value < cone.high < cone.null
    half = x[x[:, 1] > 0]
    whole, part = (coverage(y, reference=x, cells=200, n=400).numbers["cells"] for y in (x, half))
    assert part.value < whole.value - 0.1 and (part.n, whole.n) == (400, 400)


@pytest.mark.parametrize("x", [np.zeros((0, 3)), np.eye(3)[:1], np.eye(3)[:2], np.eye(3), np.eye(3)[[0] * 9],
                               np.array([[1.0, 0], [-1, 0]])], ids=["0", "1", "2", "3", "identical", "opposite"])
def test_coverage_of_next_to_nothing(x):
    numbers = coverage(x.astype(np.float32)).numbers
    assert all(np.isfinite(n.value) for n in numbers.values())
    assert bool(numbers) == bool(len(x))
