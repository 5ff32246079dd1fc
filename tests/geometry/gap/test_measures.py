"""Measures of the gap: the published numbers, naive loops, laws, traps, and sets that are not one text an image."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.gap import measures as ms
from core.geometry.gap.orders import kendall_tau
from core.geometry.gap.parts import at_most, cluster_labels, for_retrieval, one_text_each
from core.geometry.gap.two_samples import mmd, separability
from core.geometry.hubs import hubness
from core.geometry.jackknife import student
from core.geometry.kernels import median_distance, squared_mmd
from core.geometry.pairs import Classes, Pairs
from core.geometry.retrieval import recall_at
from core.geometry.shift import gap_vector, shifted
from core.learning.history import builtin_history

ON_AXES = {"dims_for_half", "two_dimensions"}


@pytest.fixture(scope="module")
def coco(reference) -> Pairs:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return Pairs.row_by_row(unit(data["image"]), unit(data["text"]))


@pytest.fixture(scope="module")
def of_coco(coco):
    return ms.gap_measures(coco)


def made_up(n: int = 60, d: int = 8, *, seed: int = 0, apart: float = 0.8, noise: float = 0.5) -> Pairs:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, d))
    offset = apart * np.eye(d)[0] * math.sqrt(d)
    x, y = (unit((base + noise * rng.normal(size=(n, d)) + side * offset).astype(np.float32)) for side in (1, -1))
    return Pairs.row_by_row(x, y)


def several(n: int = 30, each: int = 3, *, seed: int = 0) -> Pairs:
    """So many texts an image, and two texts of none."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8)) + 1
    y = np.repeat(x, each, axis=0) + 0.5 * rng.normal(size=(n * each, 8)) - 1.5
    loose = rng.normal(size=(2, 8))
    links = np.stack([np.arange(n * each) // each, np.arange(n * each)], axis=1)
    return Pairs(unit(x.astype(np.float32)), unit(np.concatenate([y, loose]).astype(np.float32)), links)


def jackknife_half(values: np.ndarray) -> float:
    c = len(values)
    return student(c - 1) * math.sqrt((c - 1) / c * float(((values - values.mean()) ** 2).sum()))


def without(pairs: Pairs, images: list[int], texts: list[int]) -> Pairs:
    return pairs.part(np.delete(np.arange(len(pairs.images)), images), np.delete(np.arange(len(pairs.texts)), texts))


@pytest.mark.parametrize(("key", "published", "digits"), [
    ("centroid_gap", 0.8514, 4), ("angle_of_means", 72.0, 1), ("rmg", 0.5915, 4), ("alignment", 1.3802, 4),
    ("cosine_paired", 0.3099, 4), ("cosine_unpaired", 0.1616, 4), ("uniformity_image", -1.7945, 4),
    ("uniformity_text", -1.8409, 4), ("r1_image_to_text", 0.552, 3), ("r1_text_to_image", 0.506, 3),
    ("two_dimensions", 0.686, 3), ("hubness_image_to_text", 1.65, 2)])
def test_published_numbers_of_coco500(of_coco, key, published, digits):
    number = of_coco[key]
    assert round(number.value, digits) == pytest.approx(published)
    assert number.n == 500


def test_every_measure_of_coco500_has_null_and_unit_and_all_but_counts_and_skews_an_interval(of_coco):
    assert list(of_coco) == list(ms.MEASURES)
    for key, number in of_coco.items():
        if key == "dims_for_half" or key.startswith("hubness"):
            assert number.low is number.high is None, key
        else:
            assert number.low < number.high and number.low <= number.value <= number.high, key
        assert number.null is not None and math.isfinite(number.null), key
        assert number.unit == ms.MEASURES[key].unit
    assert of_coco["separability"].value == 1.0
    assert of_coco["centroid_gap"].low > 10 * of_coco["centroid_gap"].null


def test_two_dimensions_of_coco500_hold_68_percent_of_the_squared_gap(coco):
    shares = ms.gap_dimensions(coco)
    assert np.argsort(-shares)[:2].tolist() == [442, 362]
    assert shares[[442, 362]].sum() == pytest.approx(0.686, abs=5e-4)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize(("lam", "published"), [(0, 0.566), (-1 / 8, 0.590), (1 / 8, 0.612), (1 / 2, 1.586)])
def test_published_losses_of_coco500(coco, lam, published):
    number = ms.loss_at(shifted(coco, lam), 0.01)
    assert round(number.value, 3) == published
    assert number.null == pytest.approx(math.log(50))
    assert number.low < number.value < number.high


def test_the_shift_of_coco500_closes_the_gap_and_opens_it_again(coco):
    assert round(float(np.linalg.norm(gap_vector(shifted(coco, 1)))), 3) == 0.849
    closed = shifted(coco, 0.5)
    assert np.linalg.norm(gap_vector(closed)) < 0.01
    assert recall_at(closed.images, closed.texts).value == 0.358


def test_cmmd_of_coco500_is_ten_times_the_squared_gap_but_for_a_hair(coco):
    def cmmd(a, b):
        return 1000 * squared_mmd(a, b, bandwidth=10, unbiased=False)

    x, y = coco.images, coco.texts
    assert round(cmmd(x, y), 2) == 7.20
    assert round(10 * float(gap_vector(coco) @ gap_vector(coco)), 2) == 7.25
    assert round(cmmd(x[:250], x[250:]), 3) == 0.036
    assert round(cmmd(y[:250], y[250:]), 3) == 0.044
    assert abs(1000 * squared_mmd(x[:250], x[250:], bandwidth=10)) < 0.005   # without the floor of the biased estimate


def test_copies_of_rows_corrupt_retrieval_so_its_interval_is_over_queries(coco, of_coco):
    """The trap: copies of a pair compete with it, so a bootstrap over rows misses its own estimate."""
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(40):
        rows = rng.integers(0, 500, 500)
        draws.append(recall_at(coco.images[rows], coco.texts[rows]).value)
    low, high = np.quantile(draws, (0.025, 0.975))
    assert 0.35 < low < high < 0.42
    assert of_coco["r1_image_to_text"].low > high


def test_mmd_sees_more_than_means():
    rng = np.random.default_rng(0)
    x = unit(rng.normal(size=(300, 3)))
    y = unit(rng.normal(size=(300, 3)) * [1, 1, 0.1])
    pairs = Pairs(x, y, np.zeros((0, 2)))
    found = ms.gap_measures(pairs)
    assert found["centroid_gap"].low < 2 * found["centroid_gap"].null
    halves = mmd(Pairs(x[:150], x[150:], np.zeros((0, 2))))
    assert halves.low < 0 < halves.high < found["mmd"].value
    assert found["mmd"].low > 0


def naive_mmd(x: np.ndarray, y: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, bandwidth: float) -> float:
    """Over all pairs of points of two clusters."""
    def between(a, b, of_a, of_b):
        return np.mean([math.exp(-float(((u - v) ** 2).sum()) / (2 * bandwidth**2))
                        for u, i in zip(a, of_a) for v, j in zip(b, of_b) if i != j])

    return between(x, x, of_x, of_x) + between(y, y, of_y, of_y) - 2 * between(x, y, of_x, of_y)


@pytest.mark.parametrize("pairs", [made_up(12), several(6, 2)], ids=["pairs", "several"])
def test_mmd_and_its_interval_equal_naive_loops(pairs, monkeypatch):
    x, y = pairs.images.astype(np.float64), pairs.texts.astype(np.float64)
    distances = [float(np.linalg.norm(u - v)) for u, v in itertools.combinations(np.concatenate([x, y]), 2)]
    bandwidth = median_distance(pairs.images, pairs.texts)
    assert bandwidth == pytest.approx(np.sqrt(np.median(np.square(distances))), abs=1e-6)
    of_x, of_y, c = cluster_labels(pairs)
    number = mmd(pairs)
    assert number.value == pytest.approx(naive_mmd(x, y, of_x, of_y, bandwidth), abs=1e-6)
    loose = squared_mmd(pairs.images, pairs.texts, bandwidth=bandwidth)
    alone = np.arange(len(x)), len(x) + np.arange(len(y))
    assert loose == pytest.approx(naive_mmd(x, y, *alone, bandwidth), abs=1e-6)
    assert mmd(Pairs(pairs.images, pairs.texts, [])).value == pytest.approx(loose, abs=1e-6)
    left = [naive_mmd(x[of_x != i], y[of_y != i], of_x[of_x != i], of_y[of_y != i],
                      median_distance(x[of_x != i], y[of_y != i])) for i in range(c)]
    assert number.high - number.value == pytest.approx(jackknife_half(np.array(left)), rel=0.1)


def test_mmd_of_coco500(of_coco):
    assert round(of_coco["mmd"].value, 4) == 0.3250


def test_mmd_of_the_built_in_model_on_its_probe_scenes():
    history = builtin_history()
    assert round(mmd(history.pairs(len(history) - 1)).value, 4) == 0.1997


@pytest.mark.parametrize("each", [1, 5], ids=["one text", "five texts"])
@pytest.mark.parametrize("n", [20, 50, 100, 300])
def test_mmd_of_pairs_of_one_distribution_is_zero_on_average(n, each):
    """An image and its texts are alike, and only that: counted across, they gave -0.035 at n 20, -0.0023 at n 300."""
    rng, values, links = np.random.default_rng(n), [], np.stack([np.arange(n * each) // each, np.arange(n * each)], 1)
    for _ in range(200 if n * each < 500 else 40):
        source = rng.normal(size=(n, 1, 64)).astype(np.float32)
        z = unit((source + 0.35 * rng.normal(size=(n, 1 + each, 64)).astype(np.float32)).reshape(-1, 64))
        z = z.reshape(n, 1 + each, 64)
        values.append(mmd(Pairs(z[:, 0], z[:, 1:].reshape(-1, 64), links)).value)
    assert abs(np.mean(values)) < 1e-4


def test_mmd_of_one_distribution_is_around_zero():
    rng = np.random.default_rng(1)
    values = [mmd(Pairs(unit(rng.normal(size=(40, 5)) + 1), unit(rng.normal(size=(60, 5)) + 1), np.zeros((0, 2))))
              for _ in range(60)]
    assert abs(np.mean([v.value for v in values])) < 3 * np.std([v.value for v in values]) / math.sqrt(60)
    assert 0.25 < np.mean([v.value > 0 for v in values]) < 0.75


def test_nulls_of_what_pairs_share_are_those_of_shuffled_pairs():
    found = ms.gap_measures(made_up(30))
    x, y = made_up(30).images.astype(float), made_up(30).texts.astype(float)
    others = (x @ y.T)[~np.eye(30, dtype=bool)]
    assert found["cosine_paired"].null == pytest.approx(others.mean(), abs=1e-6)
    assert found["alignment"].null == pytest.approx((2 - 2 * others).mean(), abs=1e-6)
    assert found["rmg"].null == 0.5


def test_distance_in_pairs_its_interval_and_its_null_equal_loops():
    pairs = several(8, 2)
    number = ms.gap_measures(pairs)["l2i"]
    distance = np.array([np.linalg.norm(pairs.images[i] - pairs.texts[j]) for i, j in pairs.links])
    assert number.value == pytest.approx(distance.mean(), abs=1e-6)
    left = [distance[pairs.links[:, 0] != i].mean() for i in range(8)]
    assert number.high - number.value == pytest.approx(jackknife_half(np.array(left)), rel=1e-4)
    linked = set(map(tuple, pairs.links.tolist()))
    others = [np.linalg.norm(pairs.images[i] - pairs.texts[j]) for i in range(8) for j in range(18)
              if (i, j) not in linked]
    assert number.null == pytest.approx(np.mean(others), abs=1e-5)


def naive_tau(pairs: Pairs) -> float:
    x, y = (z.astype(np.float64) @ z.T.astype(np.float64) for z in (pairs.images, pairs.texts))
    return float(np.mean([kendalltau(np.delete(x[i], i), np.delete(y[i], i)).statistic for i in range(len(x))]))


def test_neighbour_orders_equal_scipy_and_their_interval_a_naive_jackknife():
    pairs = made_up(14)
    number = kendall_tau(pairs)
    assert number.value == pytest.approx(naive_tau(pairs), abs=1e-9)
    left = [naive_tau(without(pairs, [i], [i])) for i in range(14)]
    assert number.high - number.value == pytest.approx(jackknife_half(np.array(left)), rel=1e-6)
    assert number.null == 0


def test_neighbour_orders_at_both_ends():
    pairs = made_up(200)
    assert kendall_tau(Pairs.row_by_row(pairs.images, pairs.images)).value == pytest.approx(1, abs=0.01)
    turned = np.roll(pairs.texts, 7, axis=0)
    assert kendall_tau(Pairs.row_by_row(pairs.images, turned)).low < 0 < kendall_tau(pairs).low
    same = kendall_tau(Pairs.row_by_row(pairs.images, np.repeat(pairs.texts[:1], 200, axis=0)))
    assert same.value == 0   # one caption for all says nothing of who is near
    rng = np.random.default_rng(0)
    almost = unit(np.repeat(pairs.texts[:1], 200, axis=0) + rng.normal(size=(200, 8)).astype(np.float32) * 1e-8)
    assert kendall_tau(Pairs.row_by_row(pairs.images, almost)).value == 0


def test_separability_is_held_out():
    rng = np.random.default_rng(0)
    x, y = (unit(rng.normal(size=(50, 200))) for _ in range(2))   # fewer points than dimensions: any labels fit
    none = separability(Pairs.row_by_row(x, y))
    assert none.low < 0.5 < none.high
    assert none.null == 0.5
    some = separability(made_up(400, apart=0.3))
    assert none.high < some.low < some.high < 1
    assert separability(made_up(400, apart=3)).value == 1


def test_separability_weighs_both_modalities_the_same():
    rng = np.random.default_rng(0)
    x, y = unit(rng.normal(size=(900, 5))), unit(rng.normal(size=(60, 5)))
    number = separability(Pairs(x, y, np.zeros((0, 2))))
    assert 0.38 < number.value < 0.62   # always saying "image" would be right for 94 % of the points
    assert number.n == 60


def naive_separability(pairs: Pairs) -> float:
    of_x, of_y, c = cluster_labels(pairs)
    fold = np.random.default_rng(0).permutation(c) % 5
    z = np.concatenate([pairs.images, pairs.texts]).astype(np.float64)
    n, m = len(pairs.images), len(pairs.texts)
    side, folds = np.repeat([1.0, -1.0], [n, m]), np.concatenate([fold[of_x], fold[of_y]])
    weight = np.repeat([1 / n, 1 / m], [n, m])
    right = np.zeros(n + m)
    for f in range(5):
        w = weight[folds != f] / weight[folds != f].sum()
        a, b = z[folds != f], side[folds != f]
        a0, b0 = a - w @ a, b - w @ b
        scatter = (a0 * w[:, None]).T @ a0
        ridge = 1e-3 * np.trace(scatter) / z.shape[1]
        slope = np.linalg.solve(scatter + ridge * np.eye(z.shape[1]), (a0 * w[:, None]).T @ b0)
        right[folds == f] = np.sign((z[folds == f] - w @ a) @ slope + w @ b) == side[folds == f]
    return (right[:n].mean() + right[n:].mean()) / 2


@pytest.mark.parametrize("pairs", [made_up(60, apart=0.2), several(40, 3), made_up(60, apart=0.1).part(
    np.arange(60), np.arange(17))], ids=["pairs", "several", "unequal"])
def test_separability_equals_a_naive_ridge_on_centred_points(pairs):
    number = separability(pairs)
    assert 0.4 < number.value < 0.995
    assert number.value == pytest.approx(naive_separability(pairs), abs=1e-9)


def naive_loss(pairs: Pairs, temperature: float, batch: int) -> float:
    links = one_text_each(pairs)
    total, counted = 0.0, 0
    for start in range(0, len(links), batch):
        last = min(start + batch, len(links))
        rows = links[max(last - batch, 0):last] if last == len(links) else links[start:last]
        x, y = (pairs.images[rows[:, 0]].astype(float), pairs.texts[rows[:, 1]].astype(float))
        logits = x @ y.T / temperature
        for i in range(len(rows)):
            if max(last - batch, 0) + i < start:
                continue
            own = logits[i, i]
            total += (np.log(np.exp(logits[i] - own).sum()) + np.log(np.exp(logits[:, i] - own).sum())) / 2
            counted += 1
    assert counted == len(links)
    return total / counted


@pytest.mark.parametrize("n", [9, 10, 23, 30])
def test_loss_equals_a_loop_and_counts_each_pair_once(n):
    pairs = made_up(n)
    for temperature in (0.05, 1.0):
        number = ms.loss_at(pairs, temperature, batch=10)
        assert number.value == pytest.approx(naive_loss(pairs, temperature, 10), rel=1e-6)
        assert number.n == n
        assert number.null == pytest.approx(math.log(min(n, 10)))


def test_loss_takes_the_first_text_of_an_image_and_leaves_out_images_without():
    pairs = several(20, 3)
    first = Pairs.row_by_row(pairs.images[:19], pairs.texts[:57:3])
    assert ms.loss_at(Pairs(pairs.images, pairs.texts, pairs.links[:57]), 0.1).value == pytest.approx(
        ms.loss_at(first, 0.1).value)
    assert ms.loss_at(pairs, 0.1).n == 20


def test_loss_at_a_very_low_temperature_is_finite_and_one_caption_for_all_is_chance():
    pairs = made_up(20)
    assert math.isfinite(ms.loss_at(pairs, 1e-4).value)
    same = Pairs(pairs.images, pairs.texts[:1], np.stack([np.arange(20), np.zeros(20, int)], axis=1))
    number = ms.loss_at(same, 0.01)
    rows, columns = math.log(20), ms.loss_at(same, 0.01).value * 2 - math.log(20)
    assert number.value > rows and columns > rows   # a text that all share tells no image from another


def test_the_interval_of_the_loss_is_over_batches():
    pairs = made_up(60)
    each = np.array([ms.loss_at(pairs.part(np.arange(i, i + 10), np.arange(i, i + 10)), 0.1, batch=10).value
                     for i in range(0, 60, 10)])
    number = ms.loss_at(pairs, 0.1, batch=10)
    assert number.value == pytest.approx(each.mean())
    assert number.high - number.value == pytest.approx(student(5) * each.std(ddof=1) / math.sqrt(6), rel=1e-6)
    assert ms.loss_at(pairs, 0.1, batch=30).low is None


def test_dimensions_by_hand_and_their_interval_by_a_naive_jackknife():
    x = np.array([[0.8, 0.6, 0, 0], [0.6, 0.8, 0, 0]], dtype=np.float32)
    y = np.array([[0, 0, 0.6, 0.8], [0, 0, 0.6, 0.8]], dtype=np.float32)
    shares = np.array([0.49, 0.49, 0.36, 0.64]) / 1.98
    assert ms.gap_dimensions(Pairs.row_by_row(x, y)) == pytest.approx(shares, abs=1e-6)
    found = ms.gap_measures(Pairs.row_by_row(x, y))
    assert (found["two_dimensions"].value, found["dims_for_half"].value) == (pytest.approx(1.13 / 1.98), 2)
    for pairs in (made_up(40, apart=0.5), several(20, 2)):
        number = ms.gap_measures(pairs)["two_dimensions"]
        of_x, of_y, c = cluster_labels(pairs)
        left = []
        for i in range(c):
            squares = (pairs.images[of_x != i].mean(axis=0) - pairs.texts[of_y != i].mean(axis=0)) ** 2
            left.append(np.sort(squares)[-2:].sum() / squares.sum())
        half = jackknife_half(np.array(left))
        assert number.value - number.low == pytest.approx(half, rel=1e-3)


def test_the_count_of_dimensions_has_that_of_random_directions_as_null_and_no_interval():
    number = ms.gap_measures(made_up(80, d=40, apart=0.05))["dims_for_half"]
    assert number.low is None
    directions = np.random.default_rng(0).normal(size=(2000, 40))
    carried = np.cumsum(np.sort(directions**2)[:, ::-1], axis=1) / (directions**2).sum(axis=1, keepdims=True)
    assert number.null == pytest.approx(((carried < 0.5).sum(axis=1) + 1).mean(), rel=0.03)


def close(one, other, tolerance=2e-4):
    for part in ("value", "low", "high", "null"):
        a, b = getattr(one, part), getattr(other, part)
        assert (a is None) == (b is None)
        if a is not None:
            assert a == pytest.approx(b, abs=tolerance), part


@pytest.mark.parametrize("pairs", [made_up(150), several(130, 2)], ids=["pairs", "several"])
def test_measures_stay_under_a_rotation_and_any_order_of_the_rows(pairs):
    found = ms.gap_measures(pairs)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0].astype(np.float32)
    turned = ms.gap_measures(pairs.moved(unit(pairs.images @ turn), unit(pairs.texts @ turn)))
    rng = np.random.default_rng(4)
    mixed = ms.gap_measures(pairs.part(rng.permutation(len(pairs.images)), rng.permutation(len(pairs.texts))))
    assert list(found) == list(turned) == list(mixed) == list(ms.MEASURES)
    for key in found:
        if key != "kendall_tau" or len(pairs.images) == len(pairs.texts):   # the first text of an image stands for it
            close(mixed[key], found[key], 2e-3)
        if key not in ON_AXES:
            close(turned[key], found[key], 2e-3)


def test_unpaired_sets_leave_out_what_needs_pairs():
    pairs = made_up(60)
    found = ms.gap_measures(Pairs(pairs.images, pairs.texts[:35], np.zeros((0, 2))))
    assert set(ms.MEASURES) - set(found) == {
        "l2i", "alignment", "cosine_paired", "rmg", "kendall_tau", "r1_image_to_text", "r1_text_to_image",
        "r5_image_to_text", "r5_text_to_image"}
    assert found["centroid_gap"].n == 35


def test_several_captions_an_image():
    found = ms.gap_measures(several(30, 3))
    assert list(found) == list(ms.MEASURES)
    assert found["r1_image_to_text"].n == 30
    assert found["r1_text_to_image"].n == 90
    assert found["r1_image_to_text"].null == pytest.approx(3 / 92)
    assert found["kendall_tau"].n == 30
    assert found["l2i"].n == 90


@pytest.mark.filterwarnings("error")
def test_one_caption_for_all_images():
    pairs = made_up(60)
    one_row = ms.gap_measures(Pairs(pairs.images, pairs.texts[:1], np.stack([np.arange(60), np.zeros(60, int)], 1)))
    assert one_row["r1_image_to_text"].value == one_row["r1_image_to_text"].null == 1
    assert "mmd" not in one_row and "uniformity_text" not in one_row and "cosine_unpaired" not in one_row
    rows = ms.gap_measures(Pairs.row_by_row(pairs.images, np.repeat(pairs.texts[:1], 60, axis=0)))
    for way in ("r1_image_to_text", "r1_text_to_image"):
        assert rows[way].value == pytest.approx(1 / 60)
    assert "hubness_image_to_text" not in rows
    for found in (one_row, rows):
        assert all(math.isfinite(number.value) for number in found.values())


def test_pairs_given_twice():
    pairs = made_up(130, noise=0.05)
    twice = np.tile(np.arange(130), 2)
    one = ms.gap_measures(pairs)
    two = ms.gap_measures(Pairs.row_by_row(pairs.images[twice], pairs.texts[twice]))
    for key in ("centroid_gap", "l2i", "alignment"):
        assert two[key].value == pytest.approx(one[key].value, abs=1e-6)
    assert two["r1_image_to_text"].value == pytest.approx(one["r1_image_to_text"].value / 2, abs=0.03)
    assert two["hubness_image_to_text"].value == pytest.approx(
        hubness(pairs.images, pairs.texts, k=5).value, abs=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", ["one image", "one of each", "two pairs", "all equal", "all one point"])
def test_few_or_equal_points_give_no_nan(case):
    pairs = made_up(30)
    same_x, same_y = (np.repeat(z[:1], 30, axis=0) for z in (pairs.images, pairs.texts))
    pairs = {"one image": Pairs(pairs.images[:1], pairs.texts, [[0, 0], [0, 1]]),
             "one of each": Pairs.row_by_row(pairs.images[:1], pairs.texts[:1]),
             "two pairs": Pairs.row_by_row(pairs.images[:2], pairs.texts[:2]),
             "all equal": Pairs.row_by_row(same_x, same_y),
             "all one point": Pairs.row_by_row(same_x, same_x)}[case]
    found = ms.gap_measures(pairs)
    assert {"centroid_gap", "r1_image_to_text"} <= set(found)
    for key, number in found.items():
        for part in (number.value, number.low, number.high, number.null):
            assert part is None or math.isfinite(part), key
    if case == "all one point":
        assert found["centroid_gap"].value == pytest.approx(0, abs=1e-6)
        assert not ON_AXES & set(found) and "mmd" not in found
        assert not ms.gap_dimensions(pairs).any()
    if case == "all equal":
        assert found["r1_image_to_text"].value == pytest.approx(1 / 30)


def test_large_sets_are_sampled_with_their_pairs_and_say_so(monkeypatch):
    monkeypatch.setattr(ms, "MOST", 100)
    monkeypatch.setattr("core.geometry.gap.parts.MOST_COSINES", 150 * 150)
    monkeypatch.setattr("core.geometry.gap.orders.MOST_FOR_ORDERS", 80)
    found = ms.gap_measures(made_up(400))
    assert found["centroid_gap"].n == found["l2i"].n == found["two_dimensions"].n == 400
    assert found["separability"].n == found["mmd"].n == found["hubness_text_to_image"].n == 100
    assert found["r1_image_to_text"].n == 150
    assert found["r1_image_to_text"].null == pytest.approx(1 / 150)
    assert found["kendall_tau"].n == 80
    assert ms.gap_measures(several(90, 3))["kendall_tau"].n == 80   # the others' texts are not counted


def test_retrieval_looks_at_all_of_five_thousand_images_with_five_texts_each(monkeypatch):
    pairs = several(20, 5)
    monkeypatch.setattr("core.geometry.gap.parts.MOST_COSINES", 20 * 102)
    assert for_retrieval(pairs) is pairs
    monkeypatch.setattr("core.geometry.gap.parts.MOST_COSINES", 10 * 51)
    half = for_retrieval(pairs)
    assert len(half.images) == 10 and len(half.images) * len(half.texts) <= 10 * 51


def test_samples_keep_an_image_with_all_its_texts():
    pairs = several(100, 5)   # 502 texts, 2 of none
    some = at_most(pairs, 250, seed=1)
    assert len(some.texts) <= 250 and len(some.images) == 50
    assert (np.bincount(some.links[:, 0]) == 5).all()
    assert len(some.links) == 250
    for i, j in some.links[::17]:
        row = np.flatnonzero((pairs.images == some.images[i]).all(axis=1))[0]
        own = pairs.links[pairs.links[:, 0] == row, 1]
        assert (pairs.texts[own] == some.texts[j]).all(axis=1).any()
    assert at_most(pairs, 502) is pairs
    loose = at_most(Pairs(pairs.images, pairs.texts, np.zeros((0, 2))), 60)
    assert (len(loose.images), len(loose.texts), len(loose.links)) == (60, 60, 0)
    one = at_most(Pairs(pairs.images, pairs.texts[:1], np.stack([np.arange(100), np.zeros(100, int)], 1)), 30)
    assert (len(one.images), len(one.texts), len(one.links)) == (30, 1, 30)


def test_an_image_with_more_texts_than_the_sample_holds_keeps_some_of_them():
    pairs = several(2, 60)
    some = at_most(pairs, 50)
    assert (len(some.images), len(some.texts), len(some.links)) == (1, 50, 50)


def test_samples_do_not_depend_on_the_order_of_the_rows():
    pairs = several(100, 3)
    rng = np.random.default_rng(0)
    mixed = pairs.part(rng.permutation(100), rng.permutation(302))
    rows = [sorted(map(tuple, at_most(p, 60).images.tolist())) for p in (pairs, mixed)]
    assert rows[0] == rows[1]


def test_clusters_are_numbered_from_least_to_most_typical_whatever_the_order():
    pairs = several(40, 2)
    rng = np.random.default_rng(0)
    images, texts = rng.permutation(40), rng.permutation(82)
    of_x, of_y, c = cluster_labels(pairs)
    mixed_x, mixed_y, _ = cluster_labels(pairs.part(images, texts))
    assert c == 42
    assert np.array_equal(mixed_x, of_x[images]) and np.array_equal(mixed_y, of_y[texts])
    assert np.array_equal(of_y[pairs.links[:, 1]], of_x[pairs.links[:, 0]])


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    truth = ms.gap_measures(made_up(3000, seed=99, apart=0.4))
    keys = ("l2i", "mmd", "kendall_tau", "centroid_gap")
    inside = {key: 0 for key in keys}
    for seed in range(80):
        pairs = made_up(50, seed=seed, apart=0.4)
        found = ms._means(pairs) | {"mmd": mmd(pairs), "kendall_tau": kendall_tau(pairs)}
        for key in keys:
            inside[key] += found[key].low <= truth[key].value <= found[key].high
    assert all(69 <= count <= 80 for key, count in inside.items() if key != "centroid_gap"), inside


def test_work_is_told_and_can_be_stopped():
    pairs, told = made_up(30), []
    ms.gap_measures(pairs, on_progress=lambda share, text: told.append((share, text)))
    assert told[0] == (0.0, "Means and uniformity") and told[-1][0] == 1.0
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    with pytest.raises(Cancelled, match="2 of 7 steps of the measures"):
        ms.gap_measures(pairs, should_stop=iter([False, False, True]).__next__)


def test_errors_say_what_is_wrong():
    pairs = made_up(5)
    with pytest.raises(ShapeError, match="a temperature above 0; got 0"):
        ms.loss_at(pairs, 0)
    with pytest.raises(ShapeError, match="batches of at least 2 pairs; got 1"):
        ms.loss_at(pairs, 1, batch=1)
    with pytest.raises(ShapeError, match=r"at least 2 pairs; got 0\. The loss needs pairs"):
        ms.loss_at(Pairs(pairs.images, pairs.texts, []), 1)
    with pytest.raises(ShapeError, match="a bandwidth above 0; got 0"):
        squared_mmd(pairs.images, pairs.texts, bandwidth=0)
    with pytest.raises(ShapeError, match="at least 2 vectors; got 1"):
        squared_mmd(pairs.images[:1], pairs.texts, bandwidth=1)


def test_moving_along_the_gap():
    pairs = made_up(40)
    with_classes = Pairs(pairs.images, pairs.texts, pairs.links, Classes(("a",), pairs.texts[:1], np.zeros(40, int)))
    assert shifted(pairs, 0) is pairs
    there = shifted(with_classes, 0.3)
    gap = pairs.images.mean(axis=0) - pairs.texts.mean(axis=0)
    for i in (0, 7):
        expected = [v / np.linalg.norm(v) for v in (pairs.images[i] - 0.3 * gap, pairs.texts[i] + 0.3 * gap)]
        assert there.images[i] == pytest.approx(expected[0], abs=1e-6)
        assert there.texts[i] == pytest.approx(expected[1], abs=1e-6)
    assert there.classes.vectors[0] == pytest.approx(there.texts[0], abs=1e-6)
    assert there.images.dtype == there.texts.dtype == np.float32
    opposite = np.tile(np.float32([1, 0]), (3, 1))
    with pytest.raises(ShapeError, match=r"a shift that leaves every vector a direction; got 3 vectors of length zero "
                                         r"at a shift of 0\.5\. Choose another shift"):
        shifted(Pairs.row_by_row(opposite, -opposite), 0.5)
