"""What the fidelity of a map is by chance: figures of an independent audit, laws, what is kept."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled
from core.geometry.directions import unit
from core.geometry.maps import chance, fidelity
from core.geometry.maps.linear import label_axes
from core.geometry.maps.registry import MAPS, fit_map, measured

DIM = 512


def noise(n: int, d: int = DIM, seed: int = 1) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32))


@pytest.fixture(scope="module")
def coco(reference) -> np.ndarray:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(np.concatenate([data["image"], data["text"]]).astype(np.float32))


@pytest.mark.parametrize(("method", "name", "n", "expected", "off"), [
    ("pca", "spearman", 30, 0.51, 0.04), ("pca", "spearman", 100, 0.33, 0.02), ("pca", "spearman", 500, 0.19, 0.01),
    ("pca", "spearman", 1000, 0.15, 0.01), ("pca", "variance", 30, 0.14, 0.01), ("pca", "variance", 100, 0.06, 0.005),
    ("pca", "variance", 500, 0.02, 0.005), ("geodesic_mds", "spearman", 30, 0.52, 0.04),
    ("geodesic_mds", "spearman", 100, 0.34, 0.02), ("geodesic_mds", "spearman", 500, 0.19, 0.01),
    ("umap", "knn_overlap", 30, 0.52, 0.06), ("umap", "knn_overlap", 100, 0.36, 0.03)])
def test_chance_is_that_of_the_map_fitted_to_random_directions(method, name, n, expected, off):
    number = fit_map(noise(n), method).map.fidelity[name]
    assert number.null == pytest.approx(expected, abs=off)
    assert number.value == pytest.approx(number.null, abs=0.15 if n == 30 else 0.03)


def test_two_modalities_keep_their_means_in_what_is_chance(coco):
    found = fit_map(coco, "pca", texts=np.arange(1000) >= 500).map.fidelity
    assert found["spearman"].value == pytest.approx(0.872, abs=5e-4)
    assert found["spearman"].null == pytest.approx(0.864, abs=0.01)
    for part, value in (("images", 0.336), ("texts", 0.424), ("across", 0.597)):
        assert found[f"spearman_{part}"].value == pytest.approx(value, abs=5e-4)
    assert {name.partition("_")[2] for name in found if name.startswith("spearman_")} == {"images", "texts", "across"}
    assert found["spearman_images"].null < 0.1
    assert found["spearman_across"].null > found["spearman_across"].value


def test_the_parts_are_those_of_plain_loops():
    rng = np.random.default_rng(4)
    x = unit(rng.normal(size=(47, 9)) + 0.5)
    texts = rng.permutation(47) < 20
    coords = fit_map(x.astype(np.float32), with_fidelity=False).map.coords.astype(np.float64)
    found = fidelity.measure(x, coords, texts, k=4)
    from scipy.stats import spearmanr

    for part, sides in (("images", (~texts, ~texts)), ("texts", (texts, texts)), ("across", (~texts, texts))):
        first, second = (np.flatnonzero(side) for side in sides)
        pairs = [(i, j) for i in first for j in second if part == "across" or i < j]
        expected = spearmanr([x[i] @ x[j] for i, j in pairs], [coords[i] @ coords[j] for i, j in pairs])[0]
        assert found[f"spearman_{part}"].value == pytest.approx(expected, abs=1e-9)
        overlaps, trusts = [], []
        for queries, gallery in ((first, second), (second, first))[:2 if part == "across" else 1]:
            for i in queries:
                others = [j for j in gallery if j != i]
                near_x = sorted(others, key=lambda j: -(x[i] @ x[j]))
                near_y = sorted(others, key=lambda j: -(coords[i] @ coords[j]))[:4]
                overlaps.append(len(set(near_x[:4]) & set(near_y)) / 4)
                beyond = sum(max(near_x.index(j) + 1 - 4, 0) for j in near_y)
                trusts.append(1 - beyond / (4 * (2 * len(others) - 3 * 4 + 1) / 2))
        assert found[f"knn_overlap_{part}"].value == pytest.approx(np.mean(overlaps))
        assert found[f"trustworthiness_{part}"].value == pytest.approx(np.mean(trusts))


@pytest.mark.parametrize(("d", "length"), [(2, 0.6), (3, 0.2), (8, 0.58), (DIM, 0.73)])
def test_structureless_points_are_drawn_from_von_mises_and_fishers_distribution(d, length):
    from scipy.stats import kstest, vonmises_fisher

    rng, n = np.random.default_rng(0), 4000
    direction = unit(rng.normal(size=(1, d)))[0]
    points = chance.structureless(length * direction, n, rng).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(points.mean(axis=0)) == pytest.approx(length, abs=0.03)
    kappa = length * (d - length**2) / (1 - length**2)
    theirs = vonmises_fisher(np.eye(d)[0], kappa).rvs(1000, random_state=np.random.default_rng(1))[:, 0]
    assert kstest(points @ direction, theirs).pvalue > 1e-3
    across = unit(points - (points @ direction)[:, None] * direction)
    assert np.linalg.norm(across.mean(axis=0)) < 3 / np.sqrt(n)
    assert np.linalg.norm(chance.structureless(np.zeros(d), n, rng).mean(axis=0)) < 3 / np.sqrt(n)


def test_two_structureless_clouds_have_the_fidelity_of_their_chance():
    rng = np.random.default_rng(3)
    means = np.zeros((2, 64))
    means[0, 0], means[1, :2] = 0.5, (0.2, 0.6)
    sets = [np.concatenate([chance.structureless(mean, 150, rng) for mean in means]) for _ in range(6)]
    for key in ("pca", "pca_centred", "pca_centred_each"):
        found = [fit_map(x, key, texts=np.arange(300) >= 150, seed=seed).map.fidelity for seed, x in enumerate(sets)]
        for name in found[0]:
            beyond = np.mean([one[name].value - one[name].null for one in found])
            assert beyond == pytest.approx(0, abs=0.05), (key, name)


def test_chance_is_kept_and_is_that_of_2000_points_where_there_are_more(monkeypatch):
    fits: list[int] = []
    real = MAPS["pca"].fit

    def counted(x, **options):
        fits.append(len(x))
        return real(x, **options)

    monkeypatch.setitem(MAPS, "pca", type(MAPS["pca"])("pca", "", "", counted))
    monkeypatch.setattr(chance, "_kept", {})
    first = fit_map(noise(2100, 16), seed=3).map.fidelity
    assert fits == [2100, 2000]
    again = fit_map(noise(2100, 16, seed=2), seed=3).map.fidelity
    assert fits == [2100, 2000, 2100]
    assert {name: number.null for name, number in first.items()} == {n: number.null for n, number in again.items()}
    assert first["spearman"].unit.endswith("by chance: of 2,000 points, an upper bound")
    fit_map(noise(2100, 16), seed=4)
    fit_map(noise(2100, 17), seed=4)
    assert fits == [2100, 2000, 2100, 2100, 2000, 2100, 2000]


def test_a_sample_keeps_the_share_of_both_modalities():
    sizes = []

    def fit(points, are_texts, _):
        sizes.append((int((~are_texts).sum()), int(are_texts.sum())))
        return MAPS["pca"].fit(points)

    x = noise(6003, 8)
    chance.of_structureless_points("of this test", fit, x, np.arange(6003) >= 6000)
    assert sizes == [(1999, 3)]
    chance.of_structureless_points("of this test", fit, x, np.arange(6003) >= 2001)
    assert sizes[1] == (667, 1333)


def test_axes_are_compared_with_axes_that_have_nothing_to_do_with_the_points():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    x = unit((2 * np.eye(24)[labels] + rng.normal(size=(300, 24)) / 3 + 0.2).astype(np.float32))
    axes = label_axes(x, labels.astype(str), ("0", "1", "2"))
    by_prompts = fit_map(x, "prompt_axes", axes=axes).map.fidelity["spearman"]
    sizes = [100, 100, 100]
    by_labels = fit_map(x, "label_axes", axes=axes, axis_sizes=sizes).map.fidelity["spearman"]
    assert by_prompts.value == by_labels.value > 0.8

    def mean_of(draw):
        return np.mean([fidelity.spearman(x, fit_map(x, "prompt_axes", axes=unit(draw()), with_fidelity=False)
                                          .map.coords).value for _ in range(20)])

    assert by_prompts.null == pytest.approx(mean_of(lambda: rng.normal(size=(3, 24))), abs=0.15)
    assert by_labels.null == pytest.approx(
        mean_of(lambda: np.stack([x[part].mean(axis=0) for part in np.split(rng.permutation(300), 3)])), abs=0.15)
    assert by_prompts.null < 0.6 * by_prompts.value
    assert fit_map(x, "label_axes", axes=axes).map.fidelity["spearman"].null is None


def test_moved_points_on_the_map_of_the_others_have_a_chance_of_their_own(coco):
    texts = np.arange(1000) >= 500
    gap = coco[~texts].mean(axis=0) - coco[texts].mean(axis=0)
    moved = unit(coco + np.where(texts[:, None], 0.5, -0.5) * gap)
    same = chance.of_moved_points(lambda x, _: MAPS["pca"].fit(x), coco, coco, texts)
    fitted = fit_map(coco, texts=texts).map.fidelity
    assert same["spearman"] == pytest.approx(fitted["spearman"].null, abs=0.01)
    closed = chance.of_moved_points(lambda x, _: MAPS["pca"].fit(x), coco, moved, texts)
    assert closed["spearman"] < 0.5 < same["spearman"]


def test_vectors_of_three_dimensions_are_kept_by_chance_too():
    for method in ("pca", "precomputed"):
        assert fit_map(noise(60, 3), method).map.fidelity["spearman"].null == pytest.approx(1, abs=1e-6)


def test_points_without_chance_and_a_request_to_stop():
    for x in (noise(3), np.where(np.arange(12) % 2, 1.0, -1.0)[:, None]):
        assert all(number.null is None for number in fit_map(x).map.fidelity.values())
    calls = iter([False] * 70 + [True] * 1000)
    with pytest.raises(Cancelled):
        fit_map(noise(151, 8), "geodesic_mds", should_stop=lambda: next(calls))
    fitted = fit_map(noise(151, 8), "geodesic_mds", with_fidelity=False)
    with pytest.raises(Cancelled):
        measured(fitted, noise(151, 8), should_stop=lambda: True)
