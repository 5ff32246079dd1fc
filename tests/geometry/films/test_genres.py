"""Telling genres: against a loop that fits each film's model anew, with honest chance, and silence where it is due."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.classified import shuffled
from core.geometry.films.features import (
    content_features,
    feature_table,
    mean_step,
    order_free_features,
    path_features,
)
from core.geometry.films.genres import all_told_apart, classify, told_apart
from core.geometry.films.left_out import shrinkage
from tests.geometry.films.kinds import films


def naive(features: np.ndarray, labels: list[str]) -> list[str]:
    """Each film by the nearest mean of the others, in the metric of their shrunken covariance."""
    told = []
    for i in range(len(labels)):
        rest = np.arange(len(labels)) != i
        x, y = features[rest], np.array(labels)[rest]
        mean = np.nanmean(x, axis=0)
        x = np.where(np.isnan(x), mean, x)
        scale = x.std(axis=0)
        z = (x - mean) / scale
        own = (np.where(np.isnan(features[i]), mean, features[i]) - mean) / scale
        weight, p = shrinkage(z), z.shape[1]
        covariance = (1 - weight) * z.T @ z / len(z) + weight * np.trace(z.T @ z) / len(z) / p * np.eye(p)
        classes = sorted(set(labels))
        away = [own - z[y == c].mean(axis=0) for c in classes]
        told.append(classes[int(np.argmin([a @ np.linalg.solve(covariance, a) for a in away]))])
    return told


@pytest.mark.parametrize("p", [3, 40])
def test_predictions_are_those_of_a_model_fitted_anew(p):
    rng = np.random.default_rng(p)
    labels = list("aaaaaabbbbbbbbccccc")
    means = (1.2 if p == 3 else 0.4) * rng.normal(size=(3, p))
    x = rng.normal(size=(19, p)) + means[["abc".index(c) for c in labels]]
    x[2, 0] = x[9, 1] = np.nan
    found = classify(x, labels, permutations=19)
    assert [found.classes[i] for i in found.predictions] == naive(x, labels)
    assert 0.4 < found.accuracy.value < 1
    assert found.undefined == 2
    assert found.confusion.sum(axis=1).tolist() == [6, 8, 5]
    assert found.balanced.value == pytest.approx((np.diag(found.confusion) / [6, 8, 5]).mean())
    assert found.accuracy.value == pytest.approx(np.diag(found.confusion).sum() / 19)


def test_shrinkage_is_that_of_scikit_learn():
    from sklearn.covariance import ledoit_wolf_shrinkage

    for shape in ((30, 5), (12, 40)):
        z = np.random.default_rng(1).normal(size=shape) * np.linspace(1, 3, shape[1])
        z -= z.mean(axis=0)
        assert shrinkage(z) == pytest.approx(ledoit_wolf_shrinkage(z, assume_centered=True))


def test_the_order_of_shots_tells_the_kind_and_what_forgets_it_does_not():
    made = films(10, noise=0.1)
    kinds = [m.kind for m in made]
    path = classify(feature_table([path_features(m.path, m.starts, m.of_frames) for m in made]), kinds)
    free = classify(feature_table([order_free_features(m.path, m.starts, m.of_frames) for m in made]), kinds)
    step = classify(np.array([[mean_step(m.path)] for m in made]), kinds)
    content = classify(np.array([content_features(m.path) for m in made]), kinds)
    assert path.accuracy.value >= 0.9 and path.p == 0.001
    assert path.accuracy.null == pytest.approx(1 / 3, abs=0.03)
    for other in (free, step, content):
        assert other.accuracy.value <= 0.5 and other.p > 0.05
        assert told_apart(other, path).verdict is Verdict.HIGHER
    apart = all_told_apart({"free": free, "step": step, "path": path})
    assert list(apart) == [("free", "step"), ("free", "path"), ("step", "path")]
    assert apart["free", "step"].verdict is Verdict.NOT_TOLD_APART
    assert apart["free", "path"].p >= 2 * told_apart(free, path).p > 0
    assert free.undefined == 0 and free.constant == 2


def test_p_is_uniform_and_the_null_is_right_where_labels_say_nothing():
    rng = np.random.default_rng(0)
    labels = ["a"] * 8 + ["b"] * 4
    found = [classify(rng.normal(size=(12, 4)), labels, permutations=39, seed=i) for i in range(120)]
    p = np.array([f.p for f in found])
    for level in (0.05, 0.25, 0.5, 0.75):
        assert (p <= level).mean() <= level + 2.6 * np.sqrt(level * (1 - level) / 120)
    assert np.mean([f.balanced.value for f in found]) == pytest.approx(np.mean([f.balanced.null for f in found]),
                                                                      abs=0.05)


def test_intervals_hold_the_accuracy_that_such_films_have():
    rng, labels = np.random.default_rng(4), list("abc" * 8)
    at = 0.8 * np.eye(3, 5)[["abc".index(c) for c in labels]]
    found = [classify(rng.normal(size=(24, 5)) + at, labels, permutations=39, seed=i).accuracy for i in range(80)]
    usual = np.mean([f.value for f in found])
    assert np.mean([f.low <= usual <= f.high for f in found]) >= 0.86


def test_films_of_one_source_are_left_out_together():
    """Each source has its own mark: it gives the genre away as long as a film of the source is fitted."""
    rng = np.random.default_rng(2)
    sources = np.repeat(np.arange(10), 3)
    labels = [str(s % 2) for s in sources]
    x = 3 * rng.normal(size=(10, 12))[sources] + 0.1 * rng.normal(size=(30, 12))
    alone, together = classify(x, labels), classify(x, labels, groups=sources.tolist())
    assert alone.accuracy.value > 0.95
    assert together.accuracy.value <= 0.8 and together.p > 0.05
    assert together.accuracy.high - together.accuracy.low > 0.4, "ten sources, not thirty films"
    rng = np.random.default_rng(0)
    moved = shuffled(np.array(labels), sources, rng)
    assert (moved.reshape(10, 3) == moved.reshape(10, 3)[:, :1]).all() and (moved != labels).any()
    mixed = np.tile([0, 1, 1], 10)
    np.testing.assert_array_equal(np.sort(shuffled(mixed, sources, rng).reshape(10, 3), axis=1), [[0, 1, 1]] * 10)


@pytest.mark.parametrize(("labels", "groups", "said"), [
    ("abaab", None, "5 films, fewer than 6"), ("aaaaaaa", None, "all films are of one genre"),
    ("aaaaaab", None, "“b” has 1 film, fewer than 2"),
    ("aaaabbb", "1234555", "“b” has 1 source, fewer than 2"), ("", None, "0 films, fewer than 6")])
def test_too_few_films_are_not_measurable(labels, groups, said):
    x = np.random.default_rng(0).normal(size=(len(labels), 3))
    found = classify(x, list(labels), groups=groups)
    assert found.reason == f"not measurable: {said}"
    assert found.p is None and np.isnan(found.accuracy.value) and found.confusion.sum() == 0
    assert told_apart(found, found).verdict is Verdict.NOT_MEASURABLE


def test_constant_undefined_and_infinite_features_do_no_harm():
    rng = np.random.default_rng(1)
    labels = list("aabbab" * 3)
    x = rng.normal(size=(18, 3)) + (np.array(labels) == "a")[:, None] * 3
    bad = np.column_stack([x, np.full(18, 7.1), np.full(18, np.nan), np.full(18, 1e300)])
    bad[3, 0] = np.inf
    one, other = classify(x, labels), classify(bad, labels)
    assert (other.constant, other.undefined) == (3, 19)
    assert other.accuracy.value == pytest.approx(one.accuracy.value, abs=0.12) and other.p < 0.01
    assert classify(np.ones((18, 2)), labels).reason == "not measurable: no feature differs among the films"
    assert "no feature differs" in classify(np.empty((18, 0)), labels).reason


def test_work_can_be_followed_and_stopped():
    x, labels, said = np.random.default_rng(0).normal(size=(12, 3)), list("ab" * 6), []
    classify(x, labels, permutations=9, on_progress=lambda f, t: said.append(f))
    assert said == sorted(said) and said[-1] == 1
    with pytest.raises(Cancelled, match="0 of 12 films"):
        classify(x, labels, should_stop=lambda: True)
    with pytest.raises(ShapeError, match="1 permutation or more"):
        classify(x, labels, permutations=0)
    with pytest.raises(ShapeError, match="each of 12 labels"):
        classify(x[:5], labels)
