"""Measures of what is kept, against formulas written out; and what random drops say of a change."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import Cancelled
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.quality.at_random import Beside, beside_random, drops_at_random, in_words
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items, Kept
from core.geometry.quality.measures import MOST_FOR_PAIRS, sheet, values_of
from core.geometry.spectrum import effective_rank
from tests.geometry.quality.made_items import flags, made_items


class Groups(Finding):
    """Two groups of copies."""

    def groups(self, threshold: float | None = None) -> list[np.ndarray]:
        return [np.array([0, 1, 2]), np.array([5, 9])]


def test_each_measure_is_its_formula() -> None:
    items = made_items(12, 2)
    assert items.images is not None
    assert items.texts is not None
    near = np.argsort(-(items.images @ items.images.T - 2 * np.eye(12)), axis=1)
    copies = Groups("copies", "image", np.zeros(12, np.float32), "high", 0.5, "cosine")
    of = sheet(items, {"copies": copies, "blur": flags([0, 3, 4], 12), "short": flags([0, 1, 23], 24, "text")},
               near=near)
    kept = Kept.all_of(items).without(items, images=np.array([1, 3, 9]), texts=np.array([0]))
    rows, texts = np.array([0, 2, 4, 5, 6, 7, 8, 10, 11]), np.flatnonzero(kept.texts)
    x, y = items.images[rows].astype(float), items.texts[texts].astype(float)
    pairs = [(i, t) for i, t in items.links if kept.images[i] and kept.texts[t]]
    cosines = np.array([items.images[i] @ items.texts[t] for i, t in pairs])
    counts = np.array([list(np.array(items.labels)[rows]).count(c) for c in sorted(set(items.labels))])
    shares = counts / counts.sum()
    expected = {
        "images": 9, "texts": 17, "clip_score": 2.5 * np.maximum(cosines, 0).mean(), "above": (cosines >= 0.28).mean(),
        "share_copies": 2 / 9, "share_blur": 2 / 9, "share_short": 2 / 17,
        "classes": math.exp(-sum(s * math.log(s) for s in shares)), "imbalance": counts.max() / counts.min(),
        "coverage": np.mean([kept.images[i] or kept.images[near[i, :5]].any() for i in range(12)]),
        "gap": np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)),
        "vendi_image": vendi(x), "rank_image": effective_rank(x), "uniformity_image": log_mean_potential(x),
        "vendi_text": vendi(y), "rank_text": effective_rank(y), "uniformity_text": log_mean_potential(y),
    }
    found = values_of(of, [Kept.all_of(items), kept], (9, 17))
    assert list(found) == list(of.measures)
    assert {key: values[1] for key, values in found.items()} == pytest.approx(expected, rel=1e-4)
    assert found["share_copies"][0] == pytest.approx(5 / 12)
    assert found["coverage"][0] == 1


def vendi(x: np.ndarray) -> float:
    values = np.linalg.eigvalsh(x @ x.T / len(x))
    values = values[values > 1e-12]
    return math.exp(-float((values * np.log(values)).sum()))


def log_mean_potential(x: np.ndarray) -> float:
    pairs = [np.exp(-2 * ((x[i] - x[j]) ** 2).sum()) for i in range(len(x)) for j in range(i)]
    return math.log(np.mean(pairs))


@pytest.mark.parametrize("each", [1, 3])
def test_random_drops_are_of_as_many_images_and_texts(each: int) -> None:
    items = made_items(40, each)
    kept = Kept.all_of(items).without(items, images=np.arange(0, 30, 3))
    if each > 1:
        kept = kept.without(items, texts=np.array([3, 4, 6, 100]))
    drawn = drops_at_random(items, kept, 6, seed=1)
    for state in drawn:
        assert state.images.sum() == kept.images.sum()
        assert state.texts.sum() == kept.texts.sum()
        left = items.links[state.images[items.links[:, 0]] & state.texts[items.links[:, 1]]]
        assert set(left[:, 0]) == set(np.flatnonzero(state.images)), "each image keeps a caption"
    assert len({state.images.tobytes() for state in drawn}) == 6
    again = drops_at_random(items, kept, 6, seed=1)
    assert all((a.images == b.images).all() and (a.texts == b.texts).all() for a, b in zip(drawn, again))


def test_what_is_aimed_at_is_told_and_what_is_not_is_not() -> None:
    items, rng = made_items(200), np.random.default_rng(3)
    bad = rng.permutation(200)[:30]
    of = sheet(items, {"blur": flags(bad, 200), "dark": flags(rng.permutation(200)[:40], 200)},
               titles={"blur": "Blurred images"})
    report = beside_random(of, Kept.all_of(items).without(items, images=bad))
    assert report.after["share_blur"].value == 0
    assert report.before["share_blur"].value == pytest.approx(0.15)
    change = report.differences["share_blur"]
    assert change.verdict is Verdict.LOWER
    assert change.change.value == pytest.approx(-0.15, abs=0.01)
    assert change.change.low < -0.13 < -0.12 < change.change.high + 0.05  # type: ignore[operator]
    assert in_words(change, report.measures["share_blur"]) == "lower (better)"
    assert report.differences["share_dark"].verdict is Verdict.NOT_TOLD_APART
    assert report.dropped == (30, 30)
    one_class = np.flatnonzero(np.arange(200) % 4 == 0)[:40]
    report = beside_random(of, Kept.all_of(items).without(items, images=one_class))
    assert report.differences["classes"].verdict is Verdict.LOWER
    assert report.differences["imbalance"].verdict is Verdict.HIGHER
    lowest = np.argsort(items.cosines)[:40]
    report = beside_random(of, Kept.all_of(items).without(items, images=lowest))
    assert in_words(report.differences["clip_score"], report.measures["clip_score"]) == "higher (better)"


def test_a_random_drop_is_seldom_told_from_dropping_at_random() -> None:
    items, rng = made_items(120, 2), np.random.default_rng(0)
    of = sheet(items, {"blur": flags(rng.permutation(120)[:12], 120),
                       "short": flags(rng.permutation(240)[:5], 240, "text")})
    told = [any(d.verdict in (Verdict.HIGHER, Verdict.LOWER) for d in beside_random(
        of, Kept.all_of(items).without(items, images=rng.permutation(120)[:20]), draws=20, seed=i).differences.values())
        for i in range(40)]
    assert sum(told) <= 7, "5 % of 40 are 2; 8 or more have a chance of 0.1 %"


def test_what_needs_all_pairs_is_of_equally_many_and_says_so() -> None:
    items = made_items(MOST_FOR_PAIRS + 100)
    kept = Kept.all_of(items).without(items, images=np.arange(50))
    report = beside_random(sheet(items), kept, draws=10)
    assert report.n == (MOST_FOR_PAIRS, MOST_FOR_PAIRS)
    assert report.before["vendi_image"].n == report.after["vendi_image"].n == MOST_FOR_PAIRS
    fewer = beside_random(sheet(items), Kept.all_of(items).without(items, images=np.arange(60, 500)), draws=10)
    assert fewer.n == (60, 60)
    assert fewer.before["vendi_image"].n == 60
    assert fewer.before["vendi_image"].value < report.before["vendi_image"].value, "it grows with n"


def numbers(report: Beside) -> tuple[set[str], set[str]]:
    return set(report.before), set(report.after)


def test_nothing_dropped_changes_nothing() -> None:
    items = made_items(30)
    report = beside_random(sheet(items), Kept.all_of(items))
    assert {key: n.value for key, n in report.before.items()} == {key: n.value for key, n in report.after.items()}
    assert all(d.verdict is Verdict.NOT_MEASURABLE for d in report.differences.values())


def test_edges() -> None:
    items = made_items(10)
    empty = beside_random(sheet(items, {"blur": flags([1], 10)}, near=np.zeros((10, 1), int)),
                          Kept.all_of(items).without(items, images=np.arange(10)))
    assert set(empty.after) == {"images", "texts", "coverage"}
    assert empty.after["images"].value == empty.after["coverage"].value == 0
    assert "vendi_image" not in empty.before, "no equal n"
    none = beside_random(sheet(Items(None, None, np.zeros((0, 2)))), Kept.all_of(Items(None, None, np.zeros((0, 2)))))
    assert numbers(none) == ({"images", "texts"},) * 2
    three = made_items(3, classes=1)
    report = beside_random(sheet(three), Kept.all_of(three).without(three, images=np.array([0])))
    assert report.after["classes"].value == pytest.approx(1)
    assert report.after["imbalance"].value == 1
    x = np.tile(unit(np.ones((1, 4), np.float32)), (20, 1))
    alike = Items(x, None, np.zeros((0, 2)))
    report = beside_random(sheet(alike), Kept.all_of(alike).without(alike, images=np.arange(5)))
    assert report.after["vendi_image"].value == pytest.approx(1, abs=1e-3)
    assert report.after["uniformity_image"].value == pytest.approx(0, abs=1e-5)
    assert "rank_image" not in report.after, "one point spans nothing"
    assert all(d.verdict is not Verdict.HIGHER for d in report.differences.values())
    texts = Items(None, x, np.zeros((0, 2)))
    report = beside_random(sheet(texts), Kept.all_of(texts).without(texts, texts=np.arange(5)))
    assert set(report.after) == {"images", "texts", "vendi_text", "uniformity_text"}
    assert report.random["texts"].tolist() == [15] * 40


def test_it_stops_when_asked() -> None:
    items = made_items(20)
    with pytest.raises(Cancelled):
        beside_random(sheet(items), Kept.all_of(items), should_stop=lambda: True)
