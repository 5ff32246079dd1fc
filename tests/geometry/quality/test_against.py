"""A against B: naive references, published numbers, laws, levels, linked and shared items, and sets that are hardly
any."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.kernels import median_distance, squared_mmd
from core.geometry.quality.against import STATISTICS, compare
from core.geometry.quality.distances import distances_from_whole, kernel_distances
from core.geometry.quality.manifolds import overlaps
from core.geometry.quality.relabelled import chance_of, dealt, halved, in_random_order, one_of_each
from core.geometry.quality.shared import against_random, shared_items
from core.geometry.quality.told_apart import accuracies

SPECTRUM = np.arange(1, 33) ** -0.5


def made_up(n: int, *, seed: int = 0, apart: float = 0.0, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = spread * rng.normal(size=(n, 32)) * SPECTRUM
    x[:, 0] += 2
    x[:, 5] += apart
    return unit(x.astype(np.float32))


@pytest.fixture(scope="module")
def coco(reference) -> tuple[np.ndarray, np.ndarray]:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(data["image"]), unit(data["text"])


def naive_cmmd(x: np.ndarray, y: np.ndarray) -> float:
    """As in the code of its authors: biased, bandwidth 10, times 1000."""
    x, y = x.astype(np.float64), y.astype(np.float64)

    def kernel(u, v):
        return np.mean([[math.exp(-((p - q) @ (p - q)) / (2 * 10**2)) for q in v] for p in u])

    return 1000 * (kernel(x, x) + kernel(y, y) - 2 * kernel(x, y))


def naive_kid(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of the cubic kernel over all items."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    n, m, d = len(x), len(y), x.shape[1]
    inside = [sum((u[i] @ u[j] / d + 1) ** 3 for i in range(len(u)) for j in range(len(u)) if i != j) for u in (x, y)]
    across = sum((p @ q / d + 1) ** 3 for p in x for q in y)
    return inside[0] / (n * (n - 1)) + inside[1] / (m * (m - 1)) - 2 * across / (n * m)


def naive_overlaps(real: np.ndarray, made: np.ndarray, k: int) -> dict[str, float]:
    """As in the code of Naeem et al., from the matrices of all distances."""
    def distances(u, v):
        return np.array([[np.linalg.norm(p - q) for q in v] for p in u.astype(np.float64)])

    across = distances(real, made)
    edge_real, edge_made = (np.sort(distances(u, u), axis=1)[:, k] for u in (real, made))
    return {"precision": float((across < edge_real[:, None]).any(axis=0).mean()),
            "recall": float((across < edge_made[None]).any(axis=1).mean()),
            "density": float((across < edge_real[:, None]).sum(axis=0).mean() / k),
            "coverage": float((across.min(axis=1) < edge_real).mean())}


def labellings(n: int, seed: int = 0) -> np.ndarray:
    first = np.arange(2 * n) < n
    return np.concatenate([first[None], dealt(first, None, 3, np.random.default_rng(seed))])


def test_kernel_distances_are_those_of_naive_loops_under_every_labelling():
    z, sides = np.concatenate([made_up(40), made_up(40, seed=1, apart=0.6)]), labellings(40)
    found = kernel_distances(z, sides, median_distance(z)).values
    for i, side in enumerate(sides):
        x, y = z[side], z[~side]
        assert found["cmmd"][i] == pytest.approx(naive_cmmd(x, y), rel=1e-4, abs=1e-7)
        assert found["kid"][i] == pytest.approx(naive_kid(x, y), rel=1e-4, abs=1e-9)
        assert found["mmd"][i] == pytest.approx(squared_mmd(x, y, bandwidth=median_distance(z)), rel=1e-4, abs=1e-7)


def test_blocks_do_not_change_kernel_distances(monkeypatch):
    z, sides = np.concatenate([made_up(50), made_up(50, seed=1)]), labellings(50)
    whole = kernel_distances(z, sides, 1.0)
    monkeypatch.setattr("core.geometry.quality.distances._TILE", 17)
    for key, values in kernel_distances(z, sides, 1.0).values.items():
        assert values == pytest.approx(whole.values[key], rel=1e-4, abs=1e-7)


def test_intervals_of_kernel_distances_are_the_jackknife_of_both_sides():
    x, y = made_up(30), made_up(30, seed=1, apart=0.5)
    z = np.concatenate([x, y])
    half = kernel_distances(z, labellings(30)[:1], 0.9).half_widths
    variance = 0.0
    for which in (0, 1):
        left = []
        for i in range(30):
            pair = [np.delete(u, i, axis=0) if side == which else u for side, u in enumerate((x, y))]
            left.append(squared_mmd(*pair, bandwidth=0.9))
        variance += 29 / 30 * float(((np.array(left) - np.mean(left)) ** 2).sum())
    assert half["mmd"] == pytest.approx(2.0017 * math.sqrt(variance), rel=1e-3)


@pytest.mark.parametrize(("of", "published"), [(0, 0.036), (1, 0.044)])
def test_published_cmmd_of_halves_of_coco500(coco, of, published):
    found = compare(coco[of][:250], coco[of][250:], n=250, permutations=19)
    assert round(found.statistics["cmmd"].number.value, 3) == published
    assert found.n == 250 and found.halves_of == () and found.statistics["cmmd"].of_halves is None


def test_published_cmmd_of_images_against_texts_of_coco500_and_that_kid_is_the_same_number(coco):
    found = compare(*coco, n=500, permutations=19)
    gap = coco[0].mean(axis=0, dtype=np.float64) - coco[1].mean(axis=0, dtype=np.float64)
    assert round(found.statistics["cmmd"].number.value, 2) == 7.20
    assert found.statistics["kid"].number.value == pytest.approx(3 / 512 * float(gap @ gap), rel=0.01)
    assert "CMMD and KID are one number" in found.notes[0] and "(7.25)" in found.notes[0] and "3/512" in found.notes[0]
    assert found.statistics["accuracy"].number.value == 1.0
    assert found.statistics["coverage"].number.value == 0.0


@pytest.mark.parametrize(("apart", "spread"), [(0.0, 1.0), (0.5, 1.0), (0.3, 0.4)])
def test_overlaps_are_those_of_naive_matrices_under_every_labelling(apart, spread):
    z = np.concatenate([made_up(60), made_up(60, seed=1, apart=apart, spread=spread)])
    sides = labellings(60)
    found = overlaps(z, sides)
    for i, side in enumerate(sides):
        for key, value in naive_overlaps(z[side], z[~side], 5).items():
            assert found[key][i] == pytest.approx(value), key


def test_overlaps_where_the_nearest_of_one_side_are_far_down_the_list():
    tight, wide = made_up(80, seed=1, spread=0.05), made_up(80, spread=0.6)
    found = overlaps(np.concatenate([wide, tight]), labellings(80)[:1])
    for key, value in naive_overlaps(wide, tight, 5).items():
        assert found[key][0] == pytest.approx(value), key
    assert found["density"][0] > 2


def test_a_classifier_tells_what_is_apart_and_nothing_else():
    z = np.concatenate([made_up(200), made_up(200, seed=1, apart=1.0)])
    found = accuracies(z, labellings(200))
    assert found[0] > 0.75
    assert np.abs(found[1:] - 0.5).max() < 0.1
    assert accuracies(np.concatenate([z[:1]] * 20), labellings(10)) == pytest.approx(0.5)


def test_two_sets_apart_are_told_apart_beside_halves_that_are_not():
    found = compare(made_up(300), made_up(300, seed=1, apart=0.6), seed=3)
    assert (found.n, found.sizes, found.halves_of) == (150, (300, 300), ("A", "B"))
    assert list(found.statistics) == list(STATISTICS)
    for key in ("cmmd", "kid", "mmd", "accuracy"):
        statistic = found.statistics[key]
        assert statistic.told_apart and statistic.p >= statistic.p_alone == pytest.approx(1 / 201)
        assert len(statistic.halves) == 20 and statistic.of_halves.high < statistic.number.value
        assert statistic.number.null == pytest.approx(statistic.by_chance.mean()) and statistic.number.n == 150
    again = compare(made_up(300), made_up(300, seed=1, apart=0.6), seed=3)
    assert all(again.statistics[key].number == s.number for key, s in found.statistics.items())
    one = compare(made_up(300), made_up(200, seed=1), permutations=19, halves=4)
    assert (one.n, one.halves_of, len(one.statistics["mmd"].halves)) == (150, ("A",), 4)
    assert compare(made_up(30), made_up(30, seed=1), permutations=19, halves=0).halves_of == ()


def test_halves_of_one_set_are_seldom_told_apart():
    """Of 40, at 5 % each, more than 6 have a chance of 0.4 %."""
    told = []
    for seed in range(40):
        z = made_up(120, seed=100 + seed)
        told.append(compare(z[:60], z[60:], n=60, permutations=199, halves=0, seed=seed))
    assert sum(any(s.told_apart for s in found.statistics.values()) for found in told) <= 6
    for key in STATISTICS:
        assert sum(found.statistics[key].p_alone <= 0.05 for found in told) <= 6, key


def test_items_that_belong_together_are_dealt_together():
    """Five captions of one image are one image: as single items halves of one set would be told apart."""
    rng = np.random.default_rng(0)
    said = [unit((np.repeat(made_up(40, seed=s), 5, axis=0) + 0.05 * rng.normal(size=(200, 32))).astype(np.float32))
            for s in (1, 2)]
    groups = np.repeat(np.arange(40), 5), 40 + np.repeat(np.arange(40), 5)
    apart, together = (compare(*said, n=200, permutations=199, together=t) for t in (None, groups))
    assert apart.statistics["mmd"].told_apart
    assert not any(s.told_apart for s in together.statistics.values())
    assert together.statistics["mmd"].number.low is None
    assert any("80 groups" in note for note in together.notes)


def test_where_groups_of_a_and_b_differ_in_size_one_of_each_is_compared():
    """Five captions an image in A, one in B: no group of A can change places with one of B."""
    a, b = np.repeat(made_up(60, seed=1), 5, axis=0), made_up(150, seed=2)
    groups = np.repeat(np.arange(60), 5), 60 + np.arange(150)
    alike, apart = (compare(a, other, together=groups) for other in (b, made_up(150, seed=2, apart=1.0)))
    assert alike.n == 60 and any("one of each group" in note for note in alike.notes)
    assert not any(s.told_apart for s in alike.statistics.values()) and apart.statistics["mmd"].told_apart
    assert one_of_each((groups[0], groups[0] + 60), np.random.default_rng(0)) is None
    rows = one_of_each(groups, np.random.default_rng(0))
    assert sorted(groups[0][rows[0]]) == list(range(60)) and len(rows[1]) == 150


def test_labels_are_dealt_to_whole_groups_and_as_many_as_there_were():
    together = np.array([0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 6, 6])
    first = np.array([1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1], dtype=bool)
    drawn = dealt(first, together, 200, np.random.default_rng(0))
    assert (drawn.sum(axis=1) == first.sum()).all()
    pairs = drawn[:, :6].reshape(200, 3, 2).sum(axis=2)
    assert (np.sort(pairs, axis=1) == [0, 1, 2]).all() and len(np.unique(pairs, axis=0)) == 6
    assert (drawn[:, 9:] == first[9:]).all()
    assert (drawn[:, 6:9].sum(axis=1) == 1).all()


def test_a_cut_and_a_half_split_at_most_one_group():
    together = np.repeat(np.arange(30), 3)
    rng = np.random.default_rng(0)
    for n in (10, 45):
        counts = np.bincount(together[in_random_order(90, together, rng)[:n]], minlength=30)
        assert np.isin(counts, (0, 3)).sum() >= 29
    assert (halved(90, together, 5, rng).sum(axis=1) == 45).all()


def test_p_counts_the_seen_as_one_draw_and_equal_values_as_large():
    drawn = np.array([1.0, 2, 3, 3])
    assert chance_of(3.0, drawn, "high") == pytest.approx(3 / 5)
    assert chance_of(9.0, drawn, "high") == pytest.approx(1 / 5)
    assert chance_of(-1.0, drawn, "both") == pytest.approx(1 / 5)
    assert math.isnan(chance_of(math.nan, drawn, "high"))


@pytest.mark.parametrize(("n_a", "n_b"), [(0, 0), (0, 50), (1, 50), (3, 3), (50, 3), (6, 6)])
def test_hardly_any_items_are_a_reason_and_no_error(n_a, n_b):
    found = compare(made_up(n_a), made_up(n_b, seed=1))
    assert found.statistics == {} and f"A has {n_a}" in found.reason


@pytest.mark.parametrize(("a", "b"), [
    (made_up(12), made_up(6, seed=1)),
    (made_up(2000), made_up(7, seed=1)),
    (made_up(40), made_up(40)),
    (np.repeat(made_up(3), 20, axis=0), np.repeat(made_up(3), 20, axis=0)),
    (unit(np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)),) * 2,
], ids=["few", "unequal", "identical", "copies", "two dimensions"])
def test_odd_sets_have_finite_numbers_and_are_not_told_apart(a, b):
    found = compare(a, b, permutations=39)
    assert found.reason == ""
    for statistic in found.statistics.values():
        assert math.isfinite(statistic.number.value) and not statistic.told_apart
        assert np.isfinite(statistic.by_chance).all() and np.isfinite(statistic.halves).all()


def test_one_point_many_times_is_not_measurable():
    one = np.repeat(made_up(1), 40, axis=0)
    assert compare(one, one).reason == "all items are one point"
    told = compare(one, np.repeat(made_up(1, seed=1), 40, axis=0), permutations=199)
    assert told.statistics["cmmd"].told_apart and told.statistics["accuracy"].number.value == 1.0


def test_errors_say_what_is_wrong_and_work_can_be_stopped():
    with pytest.raises(ShapeError, match="32 and 16 dimensions"):
        compare(made_up(20), unit(made_up(20)[:, :16]))
    with pytest.raises(ShapeError, match="6 to 20 items of each set; got 21"):
        compare(made_up(20), made_up(20), n=21)
    with pytest.raises(ShapeError, match="a group of each item"):
        compare(made_up(20), made_up(20), together=(np.arange(19), np.arange(20)))
    with pytest.raises(ShapeError, match="at least 19 dealt labels"):
        compare(made_up(20), made_up(20), permutations=9)
    with pytest.raises(Cancelled):
        compare(made_up(20), made_up(20), should_stop=lambda: True)
    said = []
    compare(made_up(40), made_up(40, seed=1), permutations=19, on_progress=lambda share, text: said.append(share))
    assert said == sorted(said) and said[0] == 0 and said[-1] == pytest.approx(1)


def test_shared_items_make_a_comparison_meaningless_unless_they_are_very_few():
    whole = [f"hash {i}" for i in range(1000)]
    found = shared_items(whole, whole[:700])
    assert (found.count, found.of_a, found.of_b, found.meaningless) == (700, 0.7, 1.0, True)
    assert "dropped" in found.reason and "random subsets" in found.reason
    assert not shared_items(whole, [*whole[:5], *map(str, range(995))]).meaningless
    assert shared_items([], whole).meaningless is False


def test_distances_from_the_whole_are_those_of_naive_means():
    z, rng = made_up(50), np.random.default_rng(0)
    kept = halved(50, None, 3, rng)
    found = distances_from_whole(z, kept, 0.8)
    for i, mask in enumerate(kept):
        assert found["cmmd"][i] == pytest.approx(naive_cmmd(z[mask], z), rel=1e-3)
        assert found["mmd"][i] == pytest.approx(squared_mmd(z[mask], z, bandwidth=0.8, unbiased=False), rel=1e-3)


def test_kept_at_random_is_as_random_subsets_and_kept_by_place_is_not():
    z = made_up(600)
    at_random = against_random(np.random.default_rng(1).random(600) < 0.7, z)
    assert not any(s.told_apart for s in at_random.statistics.values())
    by_place = against_random(z[:, 5] < np.quantile(z[:, 5], 0.7), z)
    assert by_place.kept == 420 and by_place.draws == 200
    assert by_place.statistics["mmd"].told_apart and by_place.statistics["coverage"].told_apart
    assert by_place.statistics["coverage"].number.value < by_place.statistics["coverage"].number.null
    for kept, reason in ((np.ones(600, bool), "nothing was dropped"), (np.zeros(600, bool), "nothing was kept")):
        assert against_random(kept, z).reason == reason
    assert "at least 10" in against_random(np.ones(3, bool), made_up(3)).reason
    assert against_random(np.arange(20) < 10, np.repeat(made_up(1), 20, axis=0)).reason == "all items are one point"
