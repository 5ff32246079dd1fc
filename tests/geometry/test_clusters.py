"""Groups on the sphere: found where they are planted, against a naive loop, in bad input."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry import clusters
from core.geometry.directions import unit


def planted(sizes: tuple[int, ...] = (60, 40, 20), d: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x = unit(unit(rng.normal(size=(len(sizes), d)))[labels] + 0.08 * rng.normal(size=(len(labels), d)))
    order = rng.permutation(len(labels))
    return x[order].astype(np.float32), labels[order]


def test_k_means_finds_planted_groups_largest_first():
    x, truth = planted()
    labels, centres = clusters.spherical_kmeans(x, 3)
    np.testing.assert_array_equal(labels, truth)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1)


def test_k_means_ends_where_no_point_and_no_centre_would_move():
    x = unit(np.random.default_rng(1).normal(size=(150, 6)))
    labels, centres = clusters.spherical_kmeans(x, 5, steps=500)
    for i, row in enumerate(x):
        assert labels[i] == max(range(5), key=lambda c: row @ centres[c])
    for c in range(5):
        np.testing.assert_allclose(centres[c], unit(x[labels == c].mean(axis=0, keepdims=True))[0], atol=1e-9)


def test_k_means_repeats_itself_and_takes_equal_points():
    x, _ = planted()
    first, again = (clusters.spherical_kmeans(x, 4, seed=3)[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    labels, _ = clusters.spherical_kmeans(np.repeat(x[:1], 6, axis=0), 2)
    assert set(labels) <= {0, 1}
    assert set(clusters.spherical_kmeans(x[:3], 3)[0]) == {0, 1, 2}


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_shuffled_rows_give_the_same_groups(kind):
    rng = np.random.default_rng(11)
    x = unit(rng.normal(size=(240, 24)).astype(kind))   # no groups are there: every start ends elsewhere
    x[200:] = x[:40]
    labels, centres = clusters.spherical_kmeans(x, 7)
    for _ in range(5):
        order = rng.permutation(len(x))
        shuffled, again = clusters.spherical_kmeans(x[order], 7)
        np.testing.assert_array_equal(shuffled, labels[order])
        np.testing.assert_array_equal(again, centres)


def test_hdbscan_finds_planted_groups_and_leaves_noise_out():
    x, truth = planted()
    noise = unit(np.random.default_rng(5).normal(size=(25, 16)).astype(np.float32))
    labels = clusters.hdbscan(np.concatenate([x, noise]), smallest=10)
    np.testing.assert_array_equal(labels[:120], truth)
    assert (labels[120:] == -1).mean() > 0.9


def test_hdbscan_of_many_points_fits_a_sample(monkeypatch):
    monkeypatch.setattr(clusters, "MOST_FITTED", 60)
    x, truth = planted()
    assert (clusters.hdbscan(x, smallest=5) == truth).mean() > 0.95


def test_hdbscan_of_few_points_finds_none():
    x, _ = planted()
    assert clusters.hdbscan(x[:3]).tolist() == [-1, -1, -1]


def test_names():
    assert clusters.group_names(np.array([0, -1, 11])) == ("group 1", "", "group 12")


def test_errors_say_what_is_wrong():
    x, _ = planted()
    with pytest.raises(ShapeError, match="between 1 and 120 groups; got 121"):
        clusters.spherical_kmeans(x, 121)
    with pytest.raises(ShapeError, match="unit rows"):
        clusters.hdbscan(2 * x)
