"""Captions: scores as a naive loop gives them, laws, what is planted is found, and odd data."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled
from core.geometry.directions import unit
from core.geometry.quality import captions
from core.geometry.quality.captions import clip_scores, mismatched
from core.geometry.quality.items import Items
from core.geometry.quality.threshold import mirrored


def rows(n: int) -> np.ndarray:
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def made(n: int, d: int = 24, *, apart: float = 0.7, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return unit(x.astype(np.float32)), unit((x + apart * rng.normal(size=(n, d))).astype(np.float32))


@pytest.fixture(scope="module")
def coco(reference):
    found = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(found["image"]), unit(found["text"])


def naive(items: Items) -> np.ndarray:
    cosines, linked = items.images.astype(float) @ items.texts.T.astype(float), set(map(tuple, items.links.tolist()))
    texts_of = {i: [t for j, t in sorted(linked) if j == i] for i in range(items.n_images)}
    images_of = {t: [i for i, u in sorted(linked) if u == t] for t in range(items.n_texts)}

    def level(values: list[float]) -> list[float]:
        return [np.mean(sorted(values)[-10:])] if values else []

    out = np.full(items.n_texts, np.nan)
    for t, images in images_of.items():
        scores = []
        for i in images:
            near = level([cosines[i, u] for u in range(items.n_texts) if u not in texts_of[i]])
            near += level([cosines[j, t] for j in range(items.n_images) if j not in images])
            scores.append(cosines[i, t] - (np.mean(near) if near else 0) / 2)
        if scores:
            out[t] = np.mean(scores)
    return out


def test_scores_are_those_of_a_naive_loop_with_several_captions_an_image_and_several_images_a_caption():
    x, y = made(30)
    links = np.concatenate([rows(30)[:20], [[0, 20], [0, 21], [5, 1], [6, 1]]])
    items = Items(x, y, links)
    found = mismatched(items)
    np.testing.assert_allclose(found.scores, naive(items), atol=1e-6)
    assert np.isnan(found.scores[22:]).all() and found.evidence[25] == "belongs to no image"
    of_one = (x[[1, 5, 6]] @ y[1])
    assert found.cosines[1] == pytest.approx(of_one.mean(), abs=1e-6) and "with its 3 images" in found.evidence[1]
    assert found.partners[1] == (1, 5, 6)[int(of_one.argmin())], "the image that it fits worst"
    others = np.delete(x @ y[3], 3)
    assert found.percentiles[3] == pytest.approx(100 * (others < found.cosines[3]).mean(), abs=1e-4)


def test_order_and_rotation_change_nothing():
    x, y = made(60)
    found = mismatched(Items(x, y, rows(60))).scores
    order = np.random.default_rng(1).permutation(60)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(24, 24)))[0]
    moved = Items(unit((x @ turn).astype(np.float32)), unit((y @ turn).astype(np.float32))[order],
                  np.stack([order, np.arange(60)], 1))
    np.testing.assert_allclose(mismatched(moved).scores, found[order], atol=1e-5)


def test_captions_dealt_to_other_images_are_found_and_few_right_ones_are_flagged(coco):
    x, y = coco
    right = mismatched(Items(x, y, rows(500)))
    assert right.share().value < 0.03 and np.median(right.by_chance) < right.threshold < np.median(right.scores)
    swapped = np.random.default_rng(0).permutation(500)[:100]
    wrong = y.copy()
    wrong[swapped] = y[np.roll(swapped, 1)]
    found, bad = mismatched(Items(x, wrong, rows(500))), np.isin(np.arange(500), swapped)
    above = (found.scores[bad][:, None] < found.scores[~bad]).mean()
    by_cosine = (found.cosines[bad][:, None] < found.cosines[~bad]).mean()
    assert above > 0.98 and above > by_cosine
    flagged = np.isin(np.arange(500), found.flagged())
    assert flagged[bad].mean() > 0.85 and bad[flagged].mean() > 0.85
    assert found.share().null > 0.85, "captions dealt to other images are flagged"


def test_what_many_captions_say_is_not_held_against_each():
    x, y = made(300)
    same = y.copy()
    same[:200] = y[0]
    x = x.copy()
    x[:200] = unit(y[0] + 0.8 * (x[:200] - x[:200].mean(axis=0)))
    found = mismatched(Items(x, same, rows(300)))
    apart = np.array([mismatched(Items(x[[i, *range(200, 300)]], same[[i, *range(200, 300)]], rows(101))).scores[0]
                      for i in (1, 50, 199)])
    np.testing.assert_allclose(found.scores[[1, 50, 199]], apart, atol=0.02)
    assert found.share().value < 0.1


def test_more_than_are_compared_with_gives_nearly_the_same(monkeypatch):
    x, y = made(800)
    whole = mismatched(Items(x, y, rows(800)))
    monkeypatch.setattr(captions, "BANK", 300)
    part = mismatched(Items(x, y, rows(800)))
    assert (whole.compared, part.compared) == (799, 300)
    assert np.corrcoef(whole.scores, part.scores)[0, 1] > 0.98
    assert mismatched(Items(x, y, rows(800)), seed=1).scores.tobytes() != part.scores.tobytes()
    assert mismatched(Items(x, y, rows(800))).scores.tobytes() == part.scores.tobytes()


def test_odd_data_have_findings_too():
    x, y = made(3)
    for items in (Items(None, None, np.zeros((0, 2))), Items(x, None, np.zeros((0, 2))),
                  Items(x, y, np.zeros((0, 2))), Items(x[:0], y[:0], np.zeros((0, 2)))):
        found = mismatched(items)
        assert np.isnan(found.scores).all() and len(found.scores) == items.n_texts and not len(found.flagged())
        assert clip_scores(items).numbers == {}
    for n in (1, 2, 3):
        found = mismatched(Items(x[:n], y[:n], rows(n)))
        assert np.isfinite(found.scores).all() and not len(found.flagged()), "too few to be unlike the others"
        assert clip_scores(Items(x[:n], y[:n], rows(n))).numbers["mean"].n == n
    alike = mismatched(Items(np.repeat(x[:1], 40, 0), np.repeat(y[:1], 40, 0), rows(40)))
    assert not len(alike.by_chance) and np.isnan(alike.percentiles).all(), "no other image, no other caption"
    np.testing.assert_allclose(alike.scores, alike.cosines)
    with pytest.raises(Cancelled):
        mismatched(Items(x, y, rows(3)), should_stop=lambda: True)
    told: list[float] = []
    mismatched(Items(x, y, rows(3)), on_progress=lambda share, _: told.append(share))
    assert told == sorted(told) and told[-1] == 1


def test_clip_scores_are_by_hand_what_they_are_called():
    x = np.eye(4, dtype=np.float32)[[0, 1, 2]]
    y = unit(np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, -1, 0]], dtype=np.float32))
    numbers = clip_scores(Items(x, y, rows(3))).numbers
    assert numbers["mean"].value == pytest.approx(2.5 * (np.sqrt(0.5) + 1 + 0) / 3), "none below 0"
    assert numbers["kept"].value == pytest.approx(2 / 3) and numbers["kept"].null == 0
    assert numbers["told"].value == pytest.approx((1 + 1 + 0) / 3) and numbers["p50"].unit == "CLIPScore"


def test_clip_scores_of_real_pairs_and_captions_of_one_image_count_together(coco):
    x, y = coco
    report = clip_scores(Items(x, y, rows(500)))
    numbers = report.numbers
    assert numbers["mean"].value == pytest.approx(2.5 * 0.3099, abs=5e-4)
    assert numbers["mean"].null == pytest.approx(2.5 * 0.1616, abs=0.01)
    assert (report.matched >= numbers["top"].value).mean() == pytest.approx(0.3, abs=2e-3)
    assert numbers["p5"].low < numbers["p5"].value < numbers["p5"].high < numbers["p50"].low
    assert numbers["told"].value > 0.98 and numbers["told"].null == 0.5
    five = clip_scores(Items(x, np.repeat(y, 5, axis=0), np.stack([np.repeat(np.arange(500), 5), np.arange(2500)], 1)))
    for key in ("mean", "p50", "kept"):
        once, often = numbers[key], five.numbers[key]
        assert often.n == 2500 and often.high - often.low == pytest.approx(once.high - once.low, rel=0.1), key


def test_a_threshold_mirrors_the_good_side_of_the_commonest_score():
    rng = np.random.default_rng(0)
    good = rng.normal(0, 1, 4000)
    for share in (0, 0.1, 0.4):
        n = int(share * 4000)
        scores = np.concatenate([good[n:], rng.normal(-6, 1, n)])
        assert -3.2 < mirrored(scores, "low") < -2.0, "wrong ones on the bad side do not move it"
        assert mirrored(-scores, "high") == pytest.approx(-mirrored(scores, "low"), abs=0.1)
    assert mirrored(np.full(50, 0.3), "low") == pytest.approx(0.3) and mirrored(np.full(4, np.nan), "low") == 0
    few = np.array([1.0, 2.0, np.nan], dtype=np.float32)
    assert mirrored(few, "low") < 1 and mirrored(few, "high") > 2
