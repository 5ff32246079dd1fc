"""Statistics on the sphere: the published numbers, naive loops, laws, intervals that cover, bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry import statistics as st
from core.geometry.directions import unit
from core.geometry.jackknife import student
from core.geometry.samples import spread_sample
from core.geometry.spectrum import ROWS_A_DIMENSION, effective_rank


@pytest.fixture(scope="module")
def coco(reference):
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(data["image"].astype(np.float32)), unit(data["text"].astype(np.float32))


def pairs(n: int) -> np.ndarray:
    return np.stack([np.arange(n), np.arange(n)], axis=1)


def small(seed: int = 0, n: int = 40, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, d))
    x = base + 1.0 + 0.5 * rng.normal(size=(n, d))
    y = base - 0.5 + 0.5 * rng.normal(size=(n, d))
    return unit(x), unit(y)


@pytest.mark.parametrize(("key", "published", "digits"), [
    ("gap", 0.8514, 4), ("angle_of_means", 72.0, 1), ("norm_image", 0.7297, 4), ("norm_text", 0.7184, 4),
    ("kappa_image", 798, 0), ("kappa_text", 760, -1), ("cosine_image", 0.5315, 4), ("cosine_text", 0.5152, 4),
    ("cosine_paired", 0.3099, 4), ("cosine_unpaired", 0.1616, 4), ("alignment", 1.3802, 4),
    ("uniformity_image", -1.7945, 4), ("uniformity_text", -1.8409, 4), ("uniformity_joint", -2.3120, 4),
    ("rmg", 0.5915, 4), ("effective_rank_image", 104.6, 1), ("effective_rank_text", 96.9, 1)])
def test_published_numbers_of_coco500(coco, key, published, digits):
    number = st.sphere_statistics(*coco, pairs(500))[key]
    assert round(number.value, digits) == pytest.approx(published)
    if key.startswith("effective_rank"):   # of 500 rows in 512 dimensions
        assert number.low is None and number.high is None
    else:
        assert number.low < number.value < number.high


def test_least_cosines_of_coco500(coco):
    assert [round(st.lowest_cosine(x), 3) for x in coco] == [0.161, 0.088]


def naive(x: np.ndarray, y: np.ndarray, links: np.ndarray) -> dict[str, float]:
    def within(v):
        return np.mean([a @ b for a, b in itertools.combinations(v, 2)])

    def uniform(v):
        return np.log(np.mean([np.exp(-2 * ((a - b) ** 2).sum()) for a, b in itertools.combinations(v, 2)]))

    def across(v, w):
        return np.mean([np.exp(-2 * ((a - b) ** 2).sum()) for a in v for b in w])

    linked = {tuple(link) for link in links}
    unpaired = [x[i] @ y[j] for i in range(len(x)) for j in range(len(y)) if (i, j) not in linked]
    matched = np.mean([x[i] @ y[j] for i, j in links])
    a, b, m = (1 - (c + 1) / 2 for c in (within(x), within(y), matched))
    mx, my = x.mean(0), y.mean(0)
    out = {"gap": np.linalg.norm(mx - my), "cosine_unpaired": np.mean(unpaired), "cosine_paired": matched,
           "angle_of_means": np.degrees(np.arccos(mx @ my / np.linalg.norm(mx) / np.linalg.norm(my))),
           "alignment": np.mean([((x[i] - y[j]) ** 2).sum() for i, j in links]), "rmg": m / (m + (a + b) / 2),
           "uniformity_joint": np.log((np.exp(uniform(x)) + np.exp(uniform(y)) + 2 * across(x, y)) / 4)}
    for name, v in (("image", x), ("text", y)):
        at_equal_n = v[spread_sample(v, min(len(x), len(y)))]
        s = np.linalg.svd(at_equal_n - at_equal_n.mean(0), compute_uv=False) ** 2
        p = s[s > 1e-12] / s.sum()
        r = np.linalg.norm(v.mean(0))
        out |= {f"cosine_{name}": within(v), f"norm_{name}": r, f"uniformity_{name}": uniform(v),
                f"kappa_{name}": r * (v.shape[1] - r**2) / (1 - r**2),
                f"effective_rank_{name}": np.exp(-(p * np.log(p)).sum())}
    return out


@pytest.mark.parametrize("several", [False, True])
def test_values_equal_naive_loops(several):
    x, y = small()
    links = pairs(40)
    if several:   # two texts an image, some of neither
        x, links = x[:25], np.array([[i // 2, i] for i in range(36)])
    found = st.sphere_statistics(x, y, links)
    expected = naive(x, y, links)
    assert set(found) == set(expected) == set(st.STATISTICS)
    for key, value in expected.items():
        assert found[key].value == pytest.approx(value, abs=1e-9), key


@pytest.mark.parametrize("several", [False, True])
def test_intervals_equal_a_naive_jackknife_over_clusters(several):
    x, y = small(n=24)
    links = np.array([[i // 2, i] for i in range(24)]) if several else pairs(24)
    if several:
        x = x[:12]
    found = st.sphere_statistics(x, y, links)
    left_out = []
    for i in range(len(x)):
        images = np.delete(np.arange(len(x)), i)
        texts = np.flatnonzero(links[:, 0] != i)
        rows = [(list(images).index(a), list(texts).index(b)) for a, b in links if a != i]
        left_out.append(naive(x[images], y[texts], np.array(rows)))
    n = len(x)
    for key in st.STATISTICS:
        if key.startswith("effective_rank"):   # to first order only
            continue
        values = np.array([one[key] for one in left_out])
        half = student(n - 1) * np.sqrt((n - 1) / n * ((values - values.mean()) ** 2).sum())
        got = found[key]
        assert got.value - got.low == pytest.approx(half, rel=1e-6) or got.low in (-1, 0, -8), key


def test_the_interval_of_the_effective_rank_is_that_of_a_full_jackknife_to_a_sixth():
    x, _ = small(n=150, d=12)
    values = np.array([effective_rank(np.delete(x, i, axis=0)) for i in range(150)])
    full = student(149) * np.sqrt(149 / 150 * ((values - values.mean()) ** 2).sum())
    number = st.sphere_statistics(x, None)["effective_rank_image"]
    assert number.high - number.value == pytest.approx(full, rel=1 / 6)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    keys = ("cosine_image", "uniformity_image", "gap", "cosine_unpaired", "rmg")

    def draw(n):
        z = rng.normal(size=(n, 10))
        return (unit(z + 1 + rng.normal(size=(n, 10))), unit(z - 0.3 + rng.normal(size=(n, 10))))

    truth = {k: v.value for k, v in st.sphere_statistics(*draw(2900), pairs(2900)).items()}
    hits = dict.fromkeys(keys, 0)
    for _ in range(150):
        found = st.sphere_statistics(*draw(60), pairs(60))
        for key in keys:
            hits[key] += found[key].low <= truth[key] <= found[key].high
    assert all(0.87 <= count / 150 <= 1.0 for count in hits.values()), hits


def test_student_is_that_of_the_tables():
    for freedom, published in ((1, 12.7062), (2, 4.3027), (3, 3.1824), (19, 2.0930), (199, 1.9720)):
        assert student(freedom) == pytest.approx(published, abs=5e-5)


def test_effective_rank_is_compared_at_equal_n_and_named_for_it(coco):
    images, texts = coco
    few = st.sphere_statistics(images, texts[:60], None)
    rank = {name: few[f"effective_rank_{name}"] for name in ("image", "text")}
    assert (rank["image"].n, rank["text"].n) == (60, 60)
    assert few["cosine_image"].n == 500
    rng = np.random.default_rng(0)
    drawn = [effective_rank(images[rng.choice(500, 60, replace=False)]) for _ in range(12)]
    assert rank["image"].value == pytest.approx(np.mean(drawn), abs=3 * np.std(drawn))
    assert rank["image"].value < 0.5 * effective_rank(images)
    assert all("at this n" in st.STATISTICS[f"effective_rank_{name}"].title for name in rank)


def test_the_interval_of_the_effective_rank_covers_where_it_is_shown():
    rng = np.random.default_rng(8)
    d = 16

    def draw(n: int) -> np.ndarray:
        return unit(rng.normal(size=(n, d)) / np.sqrt(1 + np.arange(d)) + 0.3)

    assert st.sphere_statistics(draw(ROWS_A_DIMENSION * d - 1), None)["effective_rank_image"].low is None
    found = [st.sphere_statistics(draw(ROWS_A_DIMENSION * d), None)["effective_rank_image"] for _ in range(300)]
    mean = np.mean([number.value for number in found])
    assert 0.92 <= np.mean([number.low <= mean <= number.high for number in found]) <= 0.995


def test_joint_uniformity_weighs_the_modalities_alike_whatever_their_numbers():
    x, y = small(n=300)
    whole = st.sphere_statistics(x, y)["uniformity_joint"]
    few = st.sphere_statistics(x, y[:100])["uniformity_joint"]
    assert whole.low < few.value < whole.high
    twice = st.sphere_statistics(x, np.repeat(y, 5, axis=0))["uniformity_joint"]
    assert twice.value == pytest.approx(whole.value, abs=0.02)


def test_neither_a_rotation_nor_another_order_changes_anything():
    x, y = small(n=60, d=16)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))
    order = np.random.default_rng(2).permutation(60)
    back = np.argsort(order)
    first = st.sphere_statistics(x, y, pairs(60))
    turned = st.sphere_statistics(unit(x @ turn), unit(y @ turn), pairs(60))
    shuffled = st.sphere_statistics(x[order], y, np.stack([back, np.arange(60)], axis=1))
    for other in (turned, shuffled):
        for key, number in first.items():
            assert (other[key].value, other[key].low, other[key].high) == pytest.approx(
                (number.value, number.low, number.high), abs=1e-8), key


def test_nulls_are_what_random_directions_give():
    rng = np.random.default_rng(3)
    runs = []
    for _ in range(8):
        x, y = (unit(rng.normal(size=(400, 32))) for _ in range(2))
        runs.append(st.sphere_statistics(x, y, pairs(400)))
    for key in st.STATISTICS:
        null = runs[0][key].null
        mean = np.mean([run[key].value for run in runs])
        spread = np.std([run[key].value for run in runs]) / np.sqrt(8)
        assert mean == pytest.approx(null, rel=0.03, abs=4 * spread + 1e-4), key


def test_a_large_set_is_sampled_for_pairs_and_says_so():
    rng = np.random.default_rng(4)
    x = unit(rng.normal(size=(st.MOST_FOR_PAIRS + 500, 8)).astype(np.float32) + 0.5)
    found = st.sphere_statistics(x, None)
    assert found["uniformity_image"].n == st.MOST_FOR_PAIRS
    assert found["cosine_image"].n == len(x)
    exact = np.log((np.exp(4 * (x @ x.T) - 4).sum() - len(x)) / (len(x) * (len(x) - 1)))
    assert found["uniformity_image"].value == pytest.approx(exact, abs=0.01)


def test_one_modality_few_points_and_equal_points():
    x, y = small()
    assert not any("text" in key or key == "gap" for key in st.sphere_statistics(x, None))
    assert "cosine_paired" not in st.sphere_statistics(x, y)
    assert st.sphere_statistics(x[:1], None) == {}
    two = st.sphere_statistics(x[:2], None)["cosine_image"]
    assert two.low is None
    assert two.value == pytest.approx(x[0] @ x[1])
    same = st.sphere_statistics(np.repeat(x[:1], 9, axis=0), y[:9], pairs(9))
    assert same["uniformity_image"].value == pytest.approx(0, abs=1e-9)
    assert same["kappa_image"].value > 1e10
    assert "effective_rank_image" not in same


def test_by_hand_in_two_dimensions():
    x, y = np.array([[1.0, 0], [0, 1.0]]), np.array([[0, 1.0], [-1.0, 0]])
    found = st.sphere_statistics(x, y, pairs(2))
    assert found["alignment"].value == pytest.approx(2)
    assert found["gap"].value == pytest.approx(1)
    assert found["angle_of_means"].value == pytest.approx(90)
    assert found["cosine_unpaired"].value == pytest.approx(0)
    assert found["uniformity_image"].value == pytest.approx(-4)


def test_errors_say_what_is_wrong():
    x, y = small()
    with pytest.raises(ShapeError, match="links between the images and texts at hand; got an index outside them"):
        st.sphere_statistics(x, y, [[0, 40]])
    with pytest.raises(ShapeError, match="unit rows"):
        st.sphere_statistics(2 * x, None)
    x[3, 0] = np.nan
    with pytest.raises(ShapeError, match="the first at row 3"):
        st.sphere_statistics(x, None)
