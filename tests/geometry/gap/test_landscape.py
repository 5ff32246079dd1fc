"""The landscape along the gap: the published numbers, and moving every vector and multiplying anew at each shift."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.geometry.gap import landscape as ls
from core.geometry.gap.measures import loss_at
from core.geometry.gap.parts import for_retrieval
from core.geometry.jackknife import student
from core.geometry.pairs import Classes, Pairs
from core.geometry.retrieval import accuracy, recalls
from core.geometry.shift import gap_vector, shifted
from core.geometry.swaps import gap_by_chance


def made_up(n: int = 60, d: int = 8, *, seed: int = 0, each: int = 1, noise: float = 0.7) -> Pairs:
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 4, n)
    centres = rng.normal(size=(4, d))
    base = rng.normal(size=(n, d)) + np.where(truth[:, None] < 0, 0, centres[truth])
    towards = 2 * np.eye(d)[0]
    x = base + noise * rng.normal(size=(n, d)) + towards
    y = np.repeat(base, each, axis=0) + noise * rng.normal(size=(n * each, d)) - towards
    classes = Classes(tuple("abcd"), unit((centres - towards).astype(np.float32)), truth)
    links = np.stack([np.arange(n * each) // each, np.arange(n * each)], axis=1)
    return Pairs(unit(x.astype(np.float32)), unit(y.astype(np.float32)), links, classes)


def with_nothing_paired(pairs: Pairs) -> Pairs:
    return Pairs(pairs.images, pairs.texts[:40], np.zeros((0, 2)))


@pytest.fixture(scope="module")
def coco(reference) -> Pairs:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return Pairs.row_by_row(unit(data["image"]), unit(data["text"]))


def test_published_landscape_of_coco500(coco):
    found = ls.landscape(coco)
    at = {round(float(lam), 6): i for i, lam in enumerate(found.shifts)}
    assert {0.0, 0.5, -0.5, 1.0, 0.125, -0.125} <= set(at) and len(found.shifts) == 61
    loss = found.losses[0.01].values
    for lam, published in ((0, 0.566), (-0.125, 0.590), (0.125, 0.612), (0.5, 1.586)):
        assert round(float(loss[at[lam]]), 3) == published
    assert abs(found.shifts[loss.argmin()]) <= 0.05   # at this temperature the gap is where the loss is least
    assert found.shifts[found.losses[1.0].values.argmin()] > 0.25
    assert found.retrieval["r1_image_to_text"].values[[at[0], at[0.5]]].tolist() == [0.552, 0.358]
    assert found.retrieval["r1_text_to_image"].values[at[0]] == 0.506
    gap = found.gap.values
    assert [round(float(gap[at[lam]]), 3) for lam in (0, 1)] == [0.851, 0.849]
    assert gap[at[0.5]] < 0.01 and found.shifts[gap.argmin()] == 0.5
    assert (found.batch, found.n, found.accuracy) == (50, 500, None)


@pytest.mark.parametrize("pairs", [made_up(), made_up(40, each=3)], ids=["pairs", "several"])
def test_the_landscape_is_what_moving_every_vector_gives(pairs):
    shifts = np.array([-0.4, 0.0, 0.3, 0.5, 0.9])
    found = ls.landscape(pairs, shifts=shifts, temperatures=(0.1, 1.0), batch=16)
    for i, lam in enumerate(shifts):
        there = shifted(pairs, float(lam))
        for t in (0.1, 1.0):
            expected = loss_at(there, t, batch=16)
            assert found.losses[t].values[i] == pytest.approx(expected.value, abs=2e-5)
            assert found.losses[t].low[i] == pytest.approx(expected.low, abs=1e-4)
        ways = {"image_to_text": recalls(there.images, there.texts, there.links),
                "text_to_image": recalls(there.texts, there.images, there.links[:, ::-1])}
        for way, numbers in ways.items():
            for k, number in numbers.items():
                curve = found.retrieval[f"r{k}_{way}"]
                assert (curve.values[i], curve.low[i], curve.high[i]) == pytest.approx(
                    (number.value, number.low, number.high))
                assert curve.null[i] == pytest.approx(number.null)
        right = accuracy(there.images, there.classes.vectors, there.classes.truth)
        assert (found.accuracy.values[i], found.accuracy.low[i], found.accuracy.high[i]) == pytest.approx(
            (right.value, right.low, right.high))
        assert found.gap.values[i] == pytest.approx(np.linalg.norm(gap_vector(there)), abs=1e-6)
        assert found.gap.null[i] == pytest.approx(gap_by_chance(there.images, there.texts, there.links)[0], rel=1e-4)
    assert (found.accuracy.null == 0.25).all()
    assert found.losses[0.1].null == pytest.approx(math.log(16))
    assert len(set(np.round(found.retrieval["r1_image_to_text"].values, 9))) > 2   # something does change


@pytest.mark.parametrize("lam", [0.0, 0.2, 0.8, -0.5])
def test_the_interval_of_the_gap_is_that_of_leaving_out_each_pair_and_moving_anew(lam):
    pairs = made_up(200)
    found = ls.landscape(pairs, shifts=np.array([lam])).gap
    left = []
    for i in range(200):
        rows = np.delete(np.arange(200), i)
        left.append(np.linalg.norm(gap_vector(shifted(Pairs.row_by_row(pairs.images[rows], pairs.texts[rows]), lam))))
    half = student(199) * math.sqrt(199 / 200 * ((np.array(left) - np.mean(left)) ** 2).sum())
    assert found.high[0] - found.values[0] == pytest.approx(half, rel=0.015)


def test_ties_are_in_random_order_at_every_shift():
    pairs = made_up()
    same = Pairs.row_by_row(pairs.images, np.repeat(pairs.texts[:1], 60, axis=0))
    found = ls.landscape(same, shifts=np.array([0.0, 0.2, 0.7]))
    for way in ("image_to_text", "text_to_image"):
        assert found.retrieval[f"r1_{way}"].values == pytest.approx(np.full(3, 1 / 60))
        assert found.retrieval[f"r5_{way}"].values == pytest.approx(np.full(3, 5 / 60))
    twice = np.tile(np.arange(30), 2)
    shifts, both = np.array([0.0, 0.2]), made_up(30, noise=0.01)
    one = ls.landscape(Pairs.row_by_row(both.images, both.texts), shifts=shifts)
    two = ls.landscape(Pairs.row_by_row(both.images[twice], both.texts[twice]), shifts=shifts)
    assert two.retrieval["r1_image_to_text"].values == pytest.approx(one.retrieval["r1_image_to_text"].values / 2)


def test_blocks_do_not_matter_and_many_are_sampled(monkeypatch):
    pairs = made_up(600, noise=20)   # many are found behind more than 255 others
    one = ls.landscape(pairs, shifts=np.array([0.3]))
    assert one.retrieval["r5_image_to_text"].values[0] == pytest.approx(5 / 600, abs=0.012)
    for cells in (600 * 7, 600 * 1000):
        monkeypatch.setattr(ls, "CELLS", cells)
        other = ls.landscape(pairs, shifts=np.array([0.3]))
        for name, curve in one.retrieval.items():
            assert np.array_equal(curve.values, other.retrieval[name].values)
    pairs = made_up(300)
    one = ls.landscape(pairs, shifts=np.array([0.3]))
    monkeypatch.setattr("core.geometry.gap.parts.MOST_COSINES", 50 * 50)
    some = ls.landscape(pairs, shifts=np.array([0.3]))
    assert (one.n, some.n) == (300, 50)
    assert some.retrieval["r1_image_to_text"].null == pytest.approx(1 / 50)
    assert some.gap.values == pytest.approx(one.gap.values)   # the gap and the shift are those of all
    there = shifted(pairs, 0.3)
    rows = [np.flatnonzero((pairs.images == v).all(axis=1))[0] for v in for_retrieval(pairs).images]
    expected = recalls(there.images[rows], there.texts[rows])[5].value
    assert some.retrieval["r5_image_to_text"].values[0] == pytest.approx(expected)


def test_sets_without_pairs_or_classes_have_what_can_be_known():
    found = ls.landscape(with_nothing_paired(made_up()))
    assert (dict(found.losses), dict(found.retrieval), found.accuracy, found.n) == ({}, {}, None, 0)
    assert len(found.gap.values) == len(found.shifts) == 61
    pairs = made_up()
    nobody = Classes(("a", "b"), pairs.texts[:2], np.full(60, -1))
    assert ls.landscape(Pairs(pairs.images, pairs.texts, [], nobody), shifts=np.array([0.0])).accuracy is None
    one = ls.landscape(Pairs(pairs.images, pairs.texts, [[3, 4]]), shifts=np.array([0.0, 0.5]))
    assert dict(one.losses) == {} and one.retrieval["r1_image_to_text"].values.shape == (2,)


@pytest.mark.filterwarnings("error")
def test_few_or_equal_points_give_no_nan_and_shifts_without_a_direction_are_left_out():
    opposite = np.tile(np.float32([1, 0]), (4, 1))
    found = ls.landscape(Pairs.row_by_row(opposite, -opposite))
    assert 0.5 not in found.shifts and len(found.shifts) == 60
    single = ls.landscape(Pairs.row_by_row(opposite[:1], np.float32([[0, 1]])))
    flat = ls.landscape(Pairs.row_by_row(opposite, opposite))
    for report in (found, single, flat):
        for curve in (*report.losses.values(), *report.retrieval.values(), report.gap):
            for part in (curve.values, curve.low, curve.high):
                assert part is None or np.isfinite(part).all()
    assert flat.gap.values == pytest.approx(np.zeros(61), abs=1e-6)
    assert flat.retrieval["r1_image_to_text"].values == pytest.approx(np.full(61, 0.25))


def test_the_landscape_stays_under_a_rotation_and_all_but_the_loss_under_any_order_of_the_rows():
    pairs = made_up(80)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0].astype(np.float32)
    order = np.random.default_rng(4).permutation(80)
    plain = Pairs(pairs.images, pairs.texts, pairs.links)
    one = ls.landscape(plain)
    turned = ls.landscape(plain.moved(unit(plain.images @ turn), unit(plain.texts @ turn)))
    mixed = ls.landscape(plain.part(order, order))
    for other in (turned, mixed):
        assert other.gap.values == pytest.approx(one.gap.values, abs=1e-5)
        for name, curve in one.retrieval.items():
            assert other.retrieval[name].values == pytest.approx(curve.values, abs=1.5 / 80)
            assert np.mean(other.retrieval[name].values == pytest.approx(curve.values, abs=1e-9)) > 0
    assert turned.losses[0.01].values == pytest.approx(one.losses[0.01].values, abs=1e-3)
    assert not np.allclose(mixed.losses[0.01].values, one.losses[0.01].values, atol=1e-3)


def test_work_is_told_and_can_be_stopped(monkeypatch):
    pairs, told = made_up(), []
    monkeypatch.setattr(ls, "CELLS", 60 * 20)
    ls.landscape(pairs, on_progress=lambda share, text: told.append((share, text)))
    assert told[-1] == (1.0, "Done")
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert {"Image to text", "Text to image", "Accuracy"} <= {text for _, text in told}
    with pytest.raises(Cancelled, match="1 of 3 curves of the landscape"):
        ls.landscape(pairs, should_stop=iter([False] * 3 + [True]).__next__)


def test_errors_say_what_is_wrong():
    with pytest.raises(ShapeError, match="a temperature above 0; got -1"):
        ls.landscape(made_up(), temperatures=(-1.0,))
    with pytest.raises(ShapeError, match="batches of at least 2 pairs; got 0"):
        ls.landscape(made_up(), batch=0)
