"""Genres told by prompts and by the nearest film: against hands and loops, with the null of shuffled labels."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.geometry.directions import unit
from core.geometry.films.between import film_distances
from core.geometry.films.trajectory import Trajectory
from core.geometry.films.unfitted import by_nearest, from_scores, prompt_scores
from tests.geometry.films.kinds import ORDERS, D, made


def test_scores_of_prompts_are_cosines_and_mean_probabilities():
    prompts = unit(np.random.default_rng(0).normal(size=(3, D)))
    paths = [made("loop", 1).path, made("arch", 2).path]
    for i, path in enumerate(paths):
        mean = path.points.mean(axis=0)
        cosines = [float(mean @ p / np.linalg.norm(mean)) for p in prompts]
        np.testing.assert_allclose(prompt_scores(paths, prompts)[i], cosines, atol=1e-6)
        weights = np.exp(20 * path.points @ prompts.T)
        by_hand = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
        np.testing.assert_allclose(prompt_scores(paths, prompts, way="frames", scale=20)[i], by_hand, atol=1e-5)
    with pytest.raises(ShapeError, match=f"films of 3 dimensions, as the prompts; got {D}"):
        prompt_scores(paths, np.eye(3))
    with pytest.raises(ChoiceError, match="way to ask prompts"):
        prompt_scores(paths, prompts, way="best")


def test_the_highest_score_wins_and_chance_shuffles_labels():
    labels = list("aabbcc" * 2)
    scores = np.array([[c == label for c in "cab"] for label in labels], dtype=float)
    scores[0] = np.nan
    found = from_scores(scores, list("cab"), labels)
    assert found.classes == ("a", "b", "c") and found.p < 0.01
    assert found.accuracy.value == 1, "what is not defined is a tie, and the first class is right"
    assert found.accuracy.null == pytest.approx(1 / 3, abs=0.03)
    assert found.features == 0
    with pytest.raises(ShapeError, match="labels d"):
        from_scores(scores, list("cab"), list("d" * 12))
    with pytest.raises(ShapeError, match="different classes"):
        from_scores(scores, list("caa"), labels)
    assert from_scores(scores[:2], list("cab"), labels[:2]).reason == "not measurable: 2 films, fewer than 6"
    assert from_scores(scores, list("cab"), ["a"] * 12).reason == "not measurable: all films are of one genre"


def test_the_nearest_film_of_another_source_gives_its_genre():
    rng = np.random.default_rng(1)
    places = rng.normal(size=(14, 2))
    labels = np.where(places[:, 0] > 0, "right", "left").tolist()
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    found = by_nearest(distances, labels)
    told = [labels[min((j for j in range(14) if j != i), key=lambda j, i=i: distances[i, j])] for i in range(14)]
    assert [found.classes[c] for c in found.predictions] == told
    assert (found.scores.argmax(axis=1) == found.predictions).all()
    groups = (np.arange(14) // 2).tolist()
    other = by_nearest(distances, labels, groups=groups)
    told = [labels[min((j for j in range(14) if groups[j] != groups[i]), key=lambda j, i=i: distances[i, j])]
            for i in range(14)]
    assert [other.classes[c] for c in other.predictions] == told
    assert by_nearest(np.zeros((14, 14)), labels).reason == "not measurable: all films are equally far apart"
    with pytest.raises(ShapeError, match="distances of 14 films"):
        by_nearest(distances[:3], labels)


def test_warping_tells_the_order_of_shared_places_and_transport_does_not():
    places, films, labels = unit(np.random.default_rng(5).normal(size=(4, D))), [], []
    for seed in range(8):
        for kind, order in ORDERS.items():
            rng = np.random.default_rng((seed, len(labels)))
            x = np.concatenate([places[p] + 0.1 * rng.normal(size=(int(rng.integers(6, 9)), D)) for p in order])
            films.append(Trajectory(unit(x), np.arange(len(x))))
            labels.append(kind)
    distances = film_distances(films, frames=50).distances
    warped, free = (by_nearest(distances[key], labels) for key in ("warped", "order_free"))
    assert warped.accuracy.value > 0.9 and warped.p == 0.001
    assert free.accuracy.value < 0.6 and free.p > 0.05
