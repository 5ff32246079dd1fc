"""Several genres a film: against scikit-learn's average precision and a loop of ridge fits, with honest chance."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.films.left_out import shrinkage
from core.geometry.films.many_labels import average_precision, classify_many


def example(n: int = 30, *, seed: int = 0, strength: float = 1.5) -> tuple[np.ndarray, list[set[str]]]:
    """Films with two features that carry two genres, and a third genre that nothing carries."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < (0.5, 0.3, 0.4)
    x = rng.normal(size=(n, 5))
    x[:, :2] += strength * truth[:, :2]
    return x, [{name for name, has in zip(("chase", "love", "rain"), row) if has} for row in truth]


def test_average_precision_is_that_of_scikit_learn():
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    scores, truth = rng.normal(size=(4, 25, 3)).round(1), rng.random((4, 25, 3)) < 0.3
    found = average_precision(scores, truth)
    for i, c in np.ndindex(4, 3):
        assert found[i, c] == pytest.approx(average_precision_score(truth[i, :, c], scores[i, :, c]))
    assert average_precision(np.zeros((10, 1)), np.arange(10)[:, None] < 3)[0] == pytest.approx(0.3)
    assert average_precision(rng.normal(size=(10, 1)), np.zeros((10, 1), bool))[0] == 0


def test_scores_are_those_of_a_ridge_fit_without_the_film():
    x, labels = example()
    found = classify_many(x, labels, permutations=19)
    for i in (0, 7, 29):
        rest = np.arange(30) != i
        mean, scale = x[rest].mean(axis=0), x[rest].std(axis=0)
        z, own, y = (x[rest] - mean) / scale, (x[i] - mean) / scale, found.truth[rest].astype(float)
        weight, p = shrinkage(z), z.shape[1]
        metric = (1 - weight) * z.T @ z / 29 + weight * np.trace(z.T @ z) / 29 / p * np.eye(p)
        np.testing.assert_allclose(found.scores[i], own @ np.linalg.solve(metric, z.T @ (y - y.mean(axis=0))))


def test_genres_that_features_carry_stand_out_and_others_do_not():
    x, labels = example(60, strength=3.0)
    found = classify_many(x, labels)
    by_name = {f.name: f for f in found.labels}
    assert list(by_name) == ["chase", "love", "rain"] == list(found.classes)
    for name in ("chase", "love"):
        assert by_name[name].corrected < 0.05 and by_name[name].precision.value > by_name[name].precision.null + 0.2
    assert by_name["rain"].p > 0.05
    assert found.p == 0.001
    assert found.mean_precision.value == pytest.approx(np.mean([f.precision.value for f in found.labels]))
    assert found.mean_precision.null == pytest.approx(found.truth.mean(), abs=0.08)
    assert found.by_chance[0] < found.mean_precision.null < found.by_chance[1]


def test_p_is_uniform_where_labels_say_nothing():
    p = np.array([classify_many(*example(20, seed=i, strength=0), permutations=39, seed=i).p for i in range(150)])
    for level in (0.1, 0.5, 0.9):
        assert (p <= level).mean() == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 150))


def test_what_too_few_have_or_lack_is_not_measurable():
    x, labels = example(12)
    labels = [{"all"} | row | ({"once"} if i == 3 else set()) for i, row in enumerate(labels)]
    found = classify_many(x, labels, permutations=19)
    by_name = {f.name: f for f in found.labels}
    assert by_name["all"].reason == "0 lack it, fewer than 2" and by_name["all"].p is None
    assert by_name["once"].reason == "1 have it, fewer than 2"
    assert not found.reason
    kept = [f.precision.value for f in found.labels if not f.reason]
    assert found.mean_precision.value == pytest.approx(np.mean(kept))
    for few, said in (((x[:4], labels[:4]), "4 films, fewer than 6"),
                      ((x, [set()] * 12), "no genre that 2 films have"), ((x, ["one"] * 12), "no genre that 2 films"),
                      ((np.ones((12, 3)), labels), "no feature differs")):
        none = classify_many(*few, permutations=9)
        assert said in none.reason and none.p is None and np.isnan(none.mean_precision.value)
        assert all(f.reason for f in none.labels)


def test_sources_stay_together_and_work_can_be_stopped():
    x, labels = example(24)
    groups = (np.arange(24) // 3).tolist()
    alone, together = (classify_many(x, labels, permutations=19, groups=g) for g in (None, groups))
    assert np.abs(alone.scores - together.scores).max() > 1e-3
    with pytest.raises(Cancelled, match="0 of 19 shuffles"):
        classify_many(x, labels, permutations=19, should_stop=lambda: True)
    with pytest.raises(ShapeError, match="each of 23 labels"):
        classify_many(x, labels[:-1])
