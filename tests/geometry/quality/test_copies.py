"""Copies in whole groups: exact, near, seen and unseen, chains, leaks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.quality import copies
from core.geometry.quality.copies import leaks, near_copies
from core.geometry.quality.likeness import SIDE, likeness
from core.geometry.quality.neighbours import nearest_others

SIZES = (2, 3, 10)


def apart(n: int, d: int = 64, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32))


def with_copies(sizes: tuple[int, ...], degrees: float, n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n different rows, of the first of which there are copies at an angle; which original each row is of."""
    rng, x = np.random.default_rng(seed + 100), apart(n, seed=seed)
    of = np.concatenate([np.arange(n), np.repeat(np.arange(len(sizes)), np.array(sizes) - 1)])
    moved = unit(rng.normal(size=(len(of) - n, x.shape[1])))
    copies = np.cos(np.radians(degrees)) * x[of[n:]] + np.sin(np.radians(degrees)) * moved
    return unit(np.concatenate([x, copies]).astype(np.float32)), of


def sets(groups: list[np.ndarray]) -> set[frozenset[int]]:
    return {frozenset(group.tolist()) for group in groups}


@pytest.mark.parametrize("degrees", [0.0, 2.0, 9.0])
def test_groups_are_found_whole(degrees):
    x, of = with_copies(SIZES * 4, degrees)
    found = near_copies(x)
    assert sets(found.groups()) == {frozenset(np.flatnonzero(of == i).tolist()) for i in range(12)}
    assert sorted(found.flagged().tolist()) == sorted(np.flatnonzero(np.bincount(of)[of] > 1).tolist())
    assert len(found.to_drop()) == sum(SIZES) * 4 - 12
    assert not set(found.to_drop().tolist()) & {group[0] for group in found.groups()}
    assert [len(group) for group in found.groups()] == sorted(SIZES * 4, reverse=True)
    assert found.share().value == len(found.flagged()) / len(x) and found.share().null == 0
    assert (x[found.partners] * x).sum(axis=1)[found.flagged()].min() > 0.95


def test_the_one_that_is_kept_is_the_one_in_the_middle_else_the_first():
    x, _ = with_copies((10,), 9.0)
    assert near_copies(x).groups()[0][0] == 0
    assert near_copies(np.repeat(apart(1), 30, axis=0)).groups()[0].tolist() == list(range(30))


def test_a_chain_does_not_join_what_is_unlike():
    steps = np.radians(5.0) * np.arange(40)
    x = unit(np.stack([np.cos(steps), np.sin(steps)], axis=1).astype(np.float32))
    found = near_copies(x)
    assert (found.scores > 0.99).all()
    for group in found.groups(0.99):
        assert (x[group] @ x[group[0]] >= 0.99 - 1e-6).all()
    assert max(map(len, found.groups(0.99))) <= 3
    assert 13 <= len(x) - len(found.to_drop(0.99)) <= 20


def test_two_clusters_that_touch_in_one_item_stay_two():
    rng, basis = np.random.default_rng(0), np.eye(64)[:2]
    middles = [np.cos(a) * basis[0] + np.sin(a) * basis[1] for a in np.radians([0.0, 16.0, 8.0])]
    x = np.concatenate([m + 0.001 * rng.normal(size=(size, 64)) for m, size in zip(middles, (25, 6, 1))])
    groups = near_copies(unit(x.astype(np.float32))).groups()
    assert [len(g) for g in groups] in ([26, 6], [25, 7])
    assert frozenset(range(25, 31)) <= set(groups[1].tolist()) and frozenset(range(25)) <= set(groups[0].tolist())


def test_the_same_content_is_one_group_whatever_the_vectors_and_the_threshold():
    x = apart(12)
    found = near_copies(x, hashes=["a", "b", "a", "", "", "c", "a", *"defgh"])
    assert sets(found.groups(1.0)) == {frozenset({0, 2, 6})}
    assert found.scores[[0, 2, 6]].tolist() == [1, 1, 1]
    assert sets(near_copies(np.repeat(x[:1], 3, axis=0), hashes=["", "", "x"]).groups(0.99)) == {frozenset({0, 1, 2})}


def test_many_exact_copies_do_not_hide_a_near_one():
    near, of = with_copies((2,), 5.0, n=40)
    x = np.concatenate([np.repeat(near[[0]], 15, axis=0), np.repeat(near[[40]], 15, axis=0), near[1:40]])
    assert sets(near_copies(x).groups()) == {frozenset(range(30))}
    assert of[40] == 0


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_different_items_have_no_copies(n):
    found = near_copies(np.eye(4, dtype=np.float32)[:n])
    assert found.groups() == [] and len(found.flagged()) == len(found.to_drop()) == 0
    assert len(leaks(found, [""] * n).flagged()) == 0
    assert np.isnan(found.scores).all() == (n < 2)


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Smooth grey pictures of one another unlike."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, size=(n, 6, 6))
    return np.kron(coarse, np.ones((1, 4, 4))).astype(np.float32)


def test_scenes_that_are_alike_to_the_model_alone_are_no_copies():
    x, of = with_copies(SIZES, 7.0, n=60)
    shown = pictures(60)[of] * 0.8 + 10
    wrong = unit(np.concatenate([x, x[[20, 21]] + 0.02 * apart(2, seed=5)]).astype(np.float32))
    looks = np.concatenate([shown, pictures(2, seed=8)])
    asked: list[int] = []

    def look(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return looks[rows]

    seen, unseen = near_copies(wrong, looks=look), near_copies(wrong)
    assert {20, len(x)} in map(set, unseen.groups()) and {20, len(x)} not in map(set, seen.groups())
    assert sets(seen.groups()) == {frozenset(np.flatnonzero(of == i).tolist()) for i in range(3)}
    assert len(asked) < 25, "only what may be a copy is looked at"
    blind = near_copies(wrong, looks=lambda rows: np.full((len(rows), SIDE, SIDE), np.nan, np.float32))
    np.testing.assert_allclose(blind.scores, unseen.scores, atol=1e-6)


def test_no_more_pictures_are_asked_for_than_the_most_alike(monkeypatch):
    x, of = with_copies((2,) * 30, 4.0, n=60)
    shown, asked = pictures(60)[of], []

    def look(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return shown[rows]

    whole = near_copies(x, looks=look)
    monkeypatch.setattr(copies, "MOST_SEEN", 21)
    asked.clear()
    part = near_copies(x, looks=look)
    assert len(whole.groups()) == 30 and len(asked) in (20, 21) and len(part.groups()) == 10
    assert part.likeness.min() >= np.sort(whole.likeness)[-10]


def test_likeness_sees_through_crops_mirrors_and_light():
    whole = np.random.default_rng(3).uniform(0, 255, size=(5, 5))
    large = np.kron(whole, np.ones((48, 48)))
    other = np.kron(np.random.default_rng(4).uniform(0, 255, size=(5, 5)), np.ones((48, 48)))

    def small(picture: np.ndarray) -> np.ndarray:
        rows, columns = (np.linspace(0, size, SIDE + 1).astype(int) for size in picture.shape)
        return np.array([[picture[a:b, c:d].mean() for c, d in itertools.pairwise(columns)]
                         for a, b in itertools.pairwise(rows)])

    shown = np.stack([small(p) for p in (large, large[:, ::-1], 0.3 * large + 5, large[:221, 19:], other,
                                         np.full((240, 240), 7.0), np.full((240, 240), 200.0))]).astype(np.float32)
    alike = likeness(shown, np.array([[0, 0], [0, 1], [0, 2], [0, 3], [3, 0], [0, 4], [0, 5], [5, 6]]))
    assert alike[:3].min() > 0.99 and alike[3:5].min() > 0.9 and alike[5] < 0.7
    assert alike[6] == pytest.approx(0, abs=1e-5) and alike[7] == pytest.approx(1, abs=1e-5)
    assert len(likeness(shown, np.zeros((0, 2), np.int64))) == 0


def test_leaks_are_what_stands_in_two_splits_and_the_larger_one_gives_way():
    x, of = with_copies((2, 2, 3), 5.0, n=50)
    splits = ["train"] * 50 + ["test", "train", "test", "test"]
    splits[9] = ""
    found = near_copies(x)
    leaking = leaks(found, splits)
    assert sorted(leaking.flagged().tolist()) == [0, 2, 50, 52, 53]
    assert leaking.to_drop().tolist() and set(leaking.to_drop().tolist()) == {0, 2}
    assert leaking.share().n == 53 and 0 < leaking.share().null < 1
    assert of[leaking.partners[[0, 2]]].tolist() == [0, 2]
    exact = leaks(near_copies(np.repeat(x[:1], 6, axis=0)), ["a", "a", "a", "a", "b", ""])
    assert sorted(exact.flagged(1.0).tolist()) == [0, 1, 2, 3, 4]
    assert sorted(exact.to_drop(1.0).tolist()) == [0, 1, 2, 3]


def test_what_does_not_fit_is_refused():
    x = apart(4)
    with pytest.raises(ShapeError, match="4 content hashes"):
        near_copies(x, hashes=["a"])
    with pytest.raises(ShapeError, match="4 splits"):
        leaks(near_copies(x), ["a"])
    with pytest.raises(ShapeError, match="neighbours of 4 rows"):
        near_copies(x, neighbours=nearest_others(x[:3]))
