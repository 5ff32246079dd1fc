"""Closings scored on pairs they were not fitted on: splits, intervals, and the traps that in-sample scores set."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.gap import scoring, splits
from core.geometry.gap.closing import CLOSINGS, FittedClosing, fit_closing
from core.geometry.gap.reports import ClosingReport, ClosingRow
from core.geometry.gap.scoring import over_splits, score_closings
from core.geometry.gap.splits import Splitter
from core.geometry.intervals import proportion
from core.geometry.pairs import Classes, Pairs
from core.types import Number
from tests.geometry.gap.test_closing import right, world

I2T, T2I = "r1_image_to_text", "r1_text_to_image"


def row(report: ClosingReport, key: str) -> ClosingRow:
    return next(r for r in report.rows if r.method == key)


def rows_of(pairs: Pairs, x: np.ndarray) -> set[bytes]:
    return {v.tobytes() for v in x}


@pytest.fixture(scope="module")
def coco(reference: Path) -> ClosingReport:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    pairs = Pairs.row_by_row(*(unit(data[name].astype(np.float32)) for name in ("image", "text")))
    return score_closings(pairs, methods=["procrustes", "translation", "centring", "csls", "euclid"])


def test_what_belongs_together_stays_on_one_side() -> None:
    """Images 0-3 share text 0, each other image has two texts, and some images and texts belong to nothing."""
    pairs = world(n=40, captions=2)
    links = [(i, 0) for i in range(4)] + [(i, 2 * i + k) for i in range(4, 30) for k in (0, 1)]
    pairs = Pairs(pairs.images, pairs.texts, np.array(links))
    splitter = Splitter(pairs, 0)
    assert (splitter.groups, splitter.n_fit, splitter.n_scored) == (27, 14, 13)
    seen = []
    for repeat in range(5):
        split = splitter.split(repeat)
        for side in ("images", "texts"):
            fit, scored, again = (rows_of(pairs, getattr(p, side)) for p in (split.fit, split.scored, split.again))
            assert not fit & scored
            assert again <= fit
        assert len(split.fit.links) + len(split.scored.links) == len(links)
        assert len(split.again.images) == pytest.approx(len(split.scored.images), abs=4)
        together = [bool({pairs.images[i].tobytes()} & rows_of(pairs, split.fit.images)) for i in range(4)]
        assert len(set(together)) == 1
        lone = [i for i in range(30, 40) if pairs.images[i].tobytes() in rows_of(pairs, split.scored.images)]
        assert len(lone) == 5
        seen.append(split.fit.images.tobytes())
    assert len(set(seen)) == 5
    assert Splitter(pairs, 0).split(3).fit.images.tobytes() == seen[3]
    assert Splitter(pairs, 1).split(3).fit.images.tobytes() != seen[3]


def test_links_of_a_part_join_what_they_joined() -> None:
    pairs = world(n=30, captions=3)
    joined = {(pairs.images[i].tobytes(), pairs.texts[t].tobytes()) for i, t in pairs.links}
    scored = Splitter(pairs, 0).split(0).scored
    assert len(scored.links) == 45
    assert all((scored.images[i].tobytes(), scored.texts[t].tobytes()) in joined for i, t in scored.links)


def test_a_smaller_fit_is_part_of_the_larger_and_the_scored_half_stays() -> None:
    splitter = Splitter(world(n=60), 0)
    whole, few = splitter.split(2), splitter.split(2, 7)
    assert len(few.fit.images) == 7
    assert rows_of(few.fit, few.fit.images) < rows_of(whole.fit, whole.fit.images)
    assert np.array_equal(few.scored.images, whole.scored.images)


def test_large_sets_are_scored_in_galleries_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "MOST_SCORES", 800)
    monkeypatch.setattr(splits, "MOST_FIT", 25)
    splitter = Splitter(world(n=100, captions=2), 0)
    assert (splitter.n_fit, splitter.n_scored, splitter.scores) == (25, 20, 800)
    split = splitter.split(0)
    assert [len(split.fit.images), len(split.scored.images), len(split.scored.texts)] == [25, 20, 40]
    assert [len(split.again.images), len(split.again.texts)] == [20, 40]
    assert not rows_of(split.fit, split.fit.images) & rows_of(split.scored, split.scored.images)
    fitted_on: list[int] = []

    def watched(key: str, pairs: Pairs, **more: int) -> FittedClosing:
        fitted_on.append(len(pairs.images))
        return fit_closing(key, pairs, **more)

    monkeypatch.setattr(scoring, "fit_closing", watched)
    report = score_closings(world(n=100, captions=2), methods=["centring"], repeats=2)
    assert fitted_on == [25] * 4
    assert (report.n_fit, report.n_scored) == (25, 20)


def test_fewer_splits_where_many_are_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "MOST_SCORES_IN_ALL", 800)
    pairs = world(n=20)
    assert score_closings(pairs, methods=[], repeats=20).repeats == 8
    assert score_closings(pairs, methods=[], repeats=3).repeats == 3
    assert score_closings(world(n=20, captions=4), methods=[], repeats=20).repeats == 5
    monkeypatch.setattr(scoring, "MOST_SCORES_IN_ALL", 10_000)
    assert score_closings(world(n=20, captions=4), methods=[], repeats=40).repeats == 25


def test_scores_against_a_loop_over_the_same_splits() -> None:
    pairs = world(n=40)
    report = score_closings(pairs, methods=["procrustes", "euclid"], repeats=4, seed=5)
    assert [r.method for r in report.rows] == ["untouched", "procrustes", "euclid"]
    assert (report.repeats, report.n_fit, report.n_scored) == (4, 20, 20)
    found: dict[str, list[float]] = {}
    for repeat in range(4):
        split = Splitter(pairs, 5).split(repeat)
        left, _, right_vectors = np.linalg.svd(split.fit.texts.T @ split.fit.images)
        turn = left @ right_vectors
        for name, part in (("held", split.scored), ("in", split.again)):
            turned = part.images @ (part.texts @ turn).T
            found.setdefault(f"plain {name}", []).append(right(part.images @ part.texts.T))
            found.setdefault(f"turned {name}", []).append(right(turned))
            found.setdefault(f"turned back {name}", []).append(right(turned.T))
        apart = split.scored.images.mean(axis=0) - (split.scored.texts @ turn).mean(axis=0)
        found.setdefault("gap", []).append(float(np.linalg.norm(apart)))
        hits = split.scored.images @ split.scored.texts[:1].T
        assert len(hits) == 20
    plain, turned = row(report, "untouched"), row(report, "procrustes")
    assert plain.held_out[I2T].value == pytest.approx(np.mean(found["plain held"]))
    assert plain.in_sample[I2T].value == pytest.approx(np.mean(found["plain in"]))
    assert turned.held_out[I2T].value == pytest.approx(np.mean(found["turned held"]))
    assert turned.held_out[T2I].value == pytest.approx(np.mean(found["turned back held"]))
    assert turned.in_sample[I2T].value == pytest.approx(np.mean(found["turned in"]))
    assert turned.in_sample[T2I].value == pytest.approx(np.mean(found["turned back in"]))
    assert turned.gap.value == pytest.approx(np.mean(found["gap"]), abs=1e-5)
    change = turned.change[I2T].change
    assert change.value == pytest.approx(np.mean(found["turned held"]) - np.mean(found["plain held"]))
    assert change.null == 0
    assert plain.change == {}
    assert row(report, "euclid").change[I2T].change.value == 0
    assert row(report, "euclid").change[I2T].verdict is Verdict.NOT_TOLD_APART
    assert row(report, "euclid").held_out == plain.held_out
    assert row(report, "euclid").gap == plain.gap
    for number, values, groups in ((turned.held_out[I2T], found["turned held"], 40),
                                   (turned.in_sample[T2I], found["turned back in"], 40)):
        meant = over_splits([Number(float(v)) for v in values], 0.5, groups)
        assert (number.low, number.high) == (pytest.approx(meant.low), pytest.approx(meant.high))
    assert plain.held_out[I2T].null == pytest.approx(1 / 20)
    assert plain.held_out[I2T].n == 20


def test_zero_shot_accuracy_is_that_of_held_out_images_with_a_class() -> None:
    pairs = world(n=60)
    truth = (pairs.images @ pairs.classes.vectors.T).argmax(axis=1)
    truth[::3] = -1
    truth[1::6] = (truth[1::6] + 1) % 3
    pairs = Pairs(pairs.images, pairs.texts, pairs.links, Classes(("a", "b", "c"), pairs.classes.vectors, truth))
    report = score_closings(pairs, methods=["centring", "csls"], repeats=3)
    found: dict[str, list[float]] = {"untouched": [], "centring": [], "csls": []}
    for repeat in range(3):
        split = Splitter(pairs, 0).split(repeat)
        known = split.scored.classes.truth >= 0
        for key, values in found.items():
            scores = fit_closing(key, split.fit).scores(split.scored.images, pairs.classes.vectors)
            values.append(float((scores.argmax(axis=1) == split.scored.classes.truth)[known].mean()))
    for key, values in found.items():
        accuracy = row(report, key).accuracy
        assert accuracy.value == pytest.approx(np.mean(values))
        assert accuracy.null == pytest.approx(1 / 3)
        assert accuracy.low <= accuracy.value <= accuracy.high
    assert np.mean(found["untouched"]) != np.mean(found["centring"])
    assert score_closings(Pairs.row_by_row(pairs.images, pairs.texts), methods=[]).rows[0].accuracy is None


def test_no_accuracy_where_no_held_out_image_has_a_class() -> None:
    pairs = world(n=20)
    classes = Classes(("a", "b"), pairs.classes.vectors[:2], np.full(20, -1))
    assert score_closings(Pairs(pairs.images, pairs.texts, pairs.links, classes), methods=[]).rows[0].accuracy is None


def test_several_texts_an_image_and_equal_texts() -> None:
    pairs = world(n=30, captions=3)
    report = score_closings(pairs, methods=["centring"], repeats=4)
    held = report.rows[0].held_out
    assert held[I2T].n == 15
    assert held[T2I].n == 45
    values = []
    for repeat in range(4):
        split = Splitter(pairs, 0).split(repeat)
        best = (split.scored.images @ split.scored.texts.T).argmax(axis=1)
        joined = {tuple(link) for link in split.scored.links}
        values.append(np.mean([(i, t) in joined for i, t in enumerate(best)]))
    assert held[I2T].value == pytest.approx(np.mean(values))
    same = np.repeat(pairs.texts[:1], 30, axis=0)
    chance = score_closings(Pairs.row_by_row(pairs.images, same), methods=["centring", "csls", "euclid"], repeats=4)
    for r in chance.rows:
        assert r.held_out[I2T].value == pytest.approx(1 / 15, abs=1e-6)


def test_without_links_only_what_needs_none() -> None:
    pairs = world(n=50)
    alone = Pairs(pairs.images, pairs.texts[:31], np.zeros((0, 2)), pairs.classes)
    report = score_closings(alone, repeats=3)
    assert {r.method for r in report.rows} == {k for k, m in CLOSINGS.items() if m.fits != "pairs"}
    assert report.rows[0].method == "untouched"
    assert report.by_fit_size == {}
    assert len(report.fit_sizes) == 0
    for r in report.rows:
        assert r.held_out == r.in_sample == {}
        assert set(r.change) == (set() if r.method == "untouched" else {"accuracy"})
        assert r.accuracy is not None
    assert row(report, "centring").gap.value < row(report, "untouched").gap.value - 0.3
    with pytest.raises(ShapeError, match="pairs of images and texts to fit Ridge map on"):
        score_closings(alone, methods=["ridge"])


def test_in_sample_flatters_what_is_fitted_on_pairs_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    x, y = (unit(rng.normal(size=(80, 64)).astype(np.float32)) for _ in range(2))
    report = score_closings(Pairs.row_by_row(x, y), methods=["procrustes", "centring"], repeats=6)
    turned = row(report, "procrustes")
    assert turned.in_sample[I2T].value > 0.9
    assert turned.held_out[I2T].low <= 1 / 40 <= turned.held_out[I2T].high
    assert row(report, "untouched").in_sample[I2T].value < 0.15
    assert row(report, "centring").in_sample[I2T].value < 0.2


def test_the_curve_ends_at_the_table_and_rises() -> None:
    pairs = world(n=120, d=48, noise=0.1)
    report = score_closings(pairs, methods=["procrustes", "ridge", "csls", "mahalanobis", "centring"], repeats=6)
    assert list(report.fit_sizes) == [16, 22, 31, 43, 60]
    assert set(report.by_fit_size) == {"procrustes", "ridge"}
    curve = report.by_fit_size["procrustes"]
    held = row(report, "procrustes").held_out[I2T]
    assert (curve.values[-1], curve.low[-1], curve.high[-1]) == (held.value, held.low, held.high)
    assert curve.values[0] < curve.values[-1] - 0.1
    assert curve.null == pytest.approx(1 / 60)
    split = Splitter(pairs, 0)
    values = []
    for repeat in range(5):
        fitted = fit_closing("procrustes", split.split(repeat, 22).fit)
        scored = split.split(repeat).scored
        values.append(right(fitted.scores(scored.images, scored.texts)))
    assert curve.values[1] == pytest.approx(np.mean(values))


def test_the_interval_over_splits_by_hand() -> None:
    """Values 0.5, 0.6, 0.7: S = 0.1; for halves the variance is (1/3 + 1) S^2; Student's point with 2 is 4.303."""
    numbers = [Number(v, null=0.1, n=10, unit="share") for v in (0.5, 0.6, 0.7)]
    found = over_splits(numbers, 0.5)
    half = 4.302653 * math.sqrt(4 / 3) * 0.1
    assert (found.value, found.null, found.n, found.unit) == (pytest.approx(0.6), pytest.approx(0.1), 10, "share")
    assert (found.low, found.high) == (pytest.approx(0.6 - half, abs=1e-5), pytest.approx(0.6 + half, abs=1e-5))
    fifth = over_splits(numbers, 0.2)
    assert fifth.high - 0.6 == pytest.approx(4.302653 * math.sqrt(1 / 3 + 1 / 4) * 0.1, abs=1e-5)
    shares = over_splits(numbers, 0.5, 1000)
    assert (shares.low, shares.high) == (found.low, 1.0)


def test_the_same_in_every_split_is_not_certain() -> None:
    one = over_splits([Number(1.0, n=20)] * 5, 0.5, 40)
    assert (one.value, one.high) == (1.0, 1.0)
    assert one.low == pytest.approx(proportion(40, 40).low)
    alone = over_splits([Number(0.3, n=20)], 0.5)
    assert alone.low is None
    assert alone.high is None
    assert over_splits([Number(0.3, n=20)], 0.5, 20).low == pytest.approx(proportion(6, 20).low)


def test_a_perfect_score_is_as_uncertain_as_that_many_groups_leave_it() -> None:
    x = world(n=40).images
    found = score_closings(Pairs.row_by_row(x, x), methods=[], repeats=4).rows[0]
    assert found.held_out[I2T].value == 1
    assert found.held_out[I2T].low == pytest.approx(proportion(40, 40).low)
    assert found.gap == Number(0.0, 0.0, 0.0, found.gap.null, 20)


def test_the_interval_of_a_gap_ends_at_zero() -> None:
    pairs = world(n=8)
    gaps = [score_closings(pairs, methods=["centring"], repeats=2, seed=seed).rows[1].gap for seed in range(8)]
    assert min(gap.low for gap in gaps) == 0
    assert all(gap.high > gap.value > gap.low for gap in gaps)


def test_the_interval_covers_and_one_that_forgets_the_overlap_does_not() -> None:
    """Shares of 60 items of which each split looks at a random half: the truth is 0.6."""
    rng = np.random.default_rng(0)
    covered, naive = 0, 0
    for _ in range(400):
        items = rng.random(60) < 0.6
        values = np.array([items[rng.permutation(60)[:30]].mean() for _ in range(10)])
        number = over_splits([Number(v, n=30) for v in values], 0.5)
        covered += number.low <= 0.6 <= number.high
        naive += abs(values.mean() - 0.6) <= 2.262 * values.std(ddof=1) / math.sqrt(10)
    assert covered / 400 > 0.9
    assert naive / 400 < 0.75


def test_the_gap_is_beside_what_shuffled_labels_would_give() -> None:
    rng = np.random.default_rng(0)
    both = unit(rng.normal(size=(200, 24)).astype(np.float32))
    gap = score_closings(Pairs.row_by_row(both[:100], both[100:]), methods=[], repeats=5).rows[0].gap
    assert gap.value == pytest.approx(gap.null, rel=0.2)
    assert 0 <= gap.low <= gap.value <= gap.high


def test_the_same_seed_gives_the_same_report() -> None:
    pairs = world(n=40)
    one, two, other = ([asdict(r) for r in score_closings(pairs, methods=["ridge", "learned"], repeats=3, seed=s).rows]
                       for s in (0, 0, 1))
    assert one == two
    assert one != other


def test_progress_and_stopping() -> None:
    pairs = world(n=40)
    said: list[tuple[float, str]] = []
    score_closings(pairs, methods=["ridge", "csls"], repeats=2, on_progress=lambda f, t: said.append((f, t)))
    shares = [f for f, _ in said]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert len(set(shares)) == len(shares)
    assert any("Ridge map, fitted on 16 pairs" in t for _, t in said)
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(Cancelled, match="a request to stop after 4 of"):
        score_closings(pairs, should_stop=stop)


def test_untouched_is_the_first_row_whoever_asks() -> None:
    pairs = world(n=20)
    for methods in ([], ["untouched"], ["csls", "untouched", "csls"]):
        report = score_closings(pairs, methods=methods, repeats=2)
        assert [r.method for r in report.rows] == ["untouched", *sorted({*methods} - {"untouched"})]


def captions(n: int) -> Pairs:
    """Sixty images with ``n`` captions between them."""
    pairs = world(n=60)
    return Pairs(pairs.images, pairs.texts[:n], np.stack([np.arange(60), np.arange(60) % n], axis=1))


@pytest.mark.parametrize(("pairs", "change", "error", "text"), [
    (captions(1), {}, ShapeError,
     "Expected at least 4 groups of images and texts that belong together, to fit on some and score on others; got 1. "
     "Images that share a text are one group."),
    (captions(3), {}, ShapeError, "Expected at least 4 groups"),
    (Pairs(world().images, world().texts[:2], np.zeros((0, 2))), {}, ShapeError,
     "Expected at least 4 images and texts, to fit on some and score on others; got 2. Add more of them."),
    (world(n=20), {"repeats": 0}, ShapeError, "Expected at least 1 split; got 0."),
    (world(n=20), {"methods": ["glue"]}, ChoiceError, "Expected a way of closing the gap to be one of"),
])
def test_errors_say_what_to_do(pairs: Pairs, change: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        score_closings(pairs, **change)
    assert str(caught.value).startswith(text)


def test_four_captions_are_enough() -> None:
    report = score_closings(captions(4), methods=["centring", "procrustes", "learned", "ridge"], repeats=3)
    assert (report.n_fit, report.n_scored) == (2, 2)
    assert report.rows[0].held_out[I2T].null == pytest.approx(0.5)
    assert list(report.fit_sizes) == [2]


def test_the_trap_of_coco(coco: ClosingReport) -> None:
    assert (coco.repeats, coco.n_fit, coco.n_scored) == (20, 250, 250)
    untouched, turned = row(coco, "untouched"), row(coco, "procrustes")
    assert 0.60 < untouched.held_out[I2T].value < 0.69
    assert 0.15 < turned.held_out[I2T].value < 0.22
    assert turned.in_sample[I2T].value > 0.95
    assert turned.change[I2T].change.high < -0.35
    assert turned.change[I2T].verdict is Verdict.LOWER
    assert turned.remembered[I2T].verdict is Verdict.HIGHER
    assert turned.gap.value < 0.1
    assert turned.held_out[I2T].high < untouched.held_out[I2T].low
    assert row(coco, "translation").change[I2T].change.high < -0.1
    assert row(coco, "centring").gap.value < 0.15
    assert row(coco, "csls").held_out[I2T].value > untouched.held_out[I2T].value
    assert row(coco, "euclid").held_out == untouched.held_out
    curve = coco.by_fit_size["procrustes"].values
    assert list(curve) == sorted(curve)
    assert curve[0] < 0.05
