"""Telling objects from left-out views: against naive loops, with the rank chosen inside the fitted views."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.objects.recognition import METHODS, recognise, recognition_report
from core.geometry.objects.views import ObjectViews
from tests.geometry.objects.made import D, objects, rotation, turned

RANKS = (1, 2, 3, 4, 6)


def naive(views: ObjectViews, method: str, rank: int = 0) -> np.ndarray:
    """Hits of each left-out view when all others are fitted, one after the other."""
    hits = []
    for label in range(views.views.max() + 1):
        for row in np.flatnonzero(views.views == label):
            scores = []
            for k in range(len(views.names)):
                x = views.vectors[(views.objects == k) & (views.views != label)]
                v = views.vectors[row]
                if method == "mean":
                    scores.append(v @ x.mean(axis=0) / np.linalg.norm(x.mean(axis=0)))
                elif method == "nearest":
                    scores.append((x @ v).max())
                else:
                    basis = np.linalg.svd(x)[2][:rank]
                    scores.append(np.linalg.norm(basis @ v))
            hits.append(float(np.argmax(scores) == views.objects[row]))
    return np.array(hits)


@pytest.fixture(scope="module")
def views() -> ObjectViews:
    return objects(n=5, styles=2, views=6, rank=4, spread=1.0, noise=1.0)


def test_hits_are_those_of_a_naive_loop(views):
    found = recognise(views, 5, ranks=RANKS)
    np.testing.assert_array_equal(found.hits["mean"], naive(views, "mean"))
    np.testing.assert_array_equal(found.hits["nearest"], naive(views, "nearest"))
    for i, rank in enumerate(RANKS):
        np.testing.assert_array_equal(found.hits_at_rank[i], naive(views, "subspace", rank))
    assert 0 < found.hits["mean"].mean() < 1
    assert found.chance == 0.2


def test_the_chosen_rank_knows_nothing_of_the_left_out_view(views):
    """What is asked may become anything: the rank that the fitted views choose stays the same."""
    rng = np.random.default_rng(0)
    odd = np.where((views.views == 2)[:, None], unit(rng.normal(size=views.vectors.shape)), views.vectors)
    before, after = (recognise(v, 5, ranks=RANKS) for v in (views, replace(views, vectors=odd)))
    assert before.chosen[2] == after.chosen[2]
    assert set(before.chosen.tolist()) <= set(RANKS)


def test_objects_that_differ_in_their_variation_alone_are_told_by_subspaces():
    """All objects share one mean: nothing but the span tells them apart."""
    rng = np.random.default_rng(4)
    n, views = 5, 10
    ways = np.stack([np.linalg.qr(rng.normal(size=(D, 3)))[0].T for _ in range(n)])
    at = rng.normal(size=(n, views, 3))
    x = unit((np.eye(D)[0] + np.einsum("ovr,ord->ovd", at, ways)).reshape(-1, D))
    index = np.indices((n, views)).reshape(2, -1)
    found = recognise(ObjectViews(x, index[0], index[1], np.zeros(n * views, int), tuple("abcde")), 9)
    assert found.hits["subspace"].mean() > 0.95
    assert found.hits["mean"].mean() < 0.8
    assert np.median(found.chosen) in (3, 4)


def test_prompts_fit_nothing_and_turning_changes_nothing(views):
    prompts, by = unit(np.random.default_rng(1).normal(size=(5, D))), rotation()
    few, many = (recognise(views, n, prompts=prompts) for n in (1, 5))
    np.testing.assert_array_equal(few.hits["zero_shot"], many.hits["zero_shot"])
    assert set(few.hits) == set(METHODS)
    again = recognise(turned(views, by), 5, prompts=prompts @ by)
    for key in METHODS:
        np.testing.assert_array_equal(again.hits[key], many.hits[key])


def test_shuffled_labels_are_recognised_by_chance():
    views = objects(n=5, styles=1, views=12)
    rng = np.random.default_rng(0)
    hits = [recognise(replace(views, objects=rng.permutation(views.objects)), 8, ranks=(1, 3)).hits
            for _ in range(6)]
    for key in ("subspace", "mean", "nearest"):
        assert np.mean([h[key].mean() for h in hits]) == pytest.approx(0.2, abs=0.1)


def test_the_report_has_curves_with_intervals_and_paired_differences(views):
    other = objects(n=5, styles=2, views=6, rank=4, spread=1.0, noise=1.0, seed=1)
    said: list[float] = []
    report = recognition_report([views, other], n_views=(1, 2, 4, 50), ranks=RANKS,
                                on_progress=lambda f, t: said.append(f))
    assert report.n_views.tolist() == [1, 2, 4, 5]
    assert (report.n, report.objects, report.styles, report.seeds) == (120, 5, 2, 2)
    for key, curve in report.by_views.items():
        assert len(curve.values) == 4
        assert ((curve.low <= curve.values) & (curve.values <= curve.high)).all()
        assert curve.values[-1] == report.numbers[key][5].value
    by_hand = np.mean([*naive(views, "mean"), *naive(other, "mean")])
    assert report.numbers["mean"][5].value == pytest.approx(by_hand)
    assert set(report.by_rank) == {4, 5}
    at_best = report.by_rank[5].values.max()
    assert report.numbers["subspace"][5].value <= at_best
    gain = report.change["subspace", 5].change.value
    assert gain == pytest.approx(report.numbers["subspace"][5].value - by_hand)
    assert said == sorted(said)


@pytest.mark.parametrize(("n", "left", "said"), [(1, 3, "at least 2 objects to tell apart; got 1"),
                                                (3, 0, "1 to 5 fitted views; got 0"), (3, 6, "1 to 5 fitted views")])
def test_too_little_is_refused(n, left, said):
    with pytest.raises(ShapeError, match=said):
        recognise(objects(n=n, views=6), left)
