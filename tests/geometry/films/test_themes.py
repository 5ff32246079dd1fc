"""Prompts along a film: who leads, for how long, and what chance gives."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.films.themes import themes_report
from tests.geometry.films.made_paths import noise, shots_of, trajectory

PROMPTS = ("a cat", "a dog", "a car")


def led(letters: str, frames: int = 6):
    """A film of which each shot is most like one prompt."""
    rng = np.random.default_rng(0)
    x = np.concatenate([np.eye(8)["abc".index(c)] + 0.05 * rng.normal(size=(frames, 8)) for c in letters])
    return trajectory(x), np.arange(len(letters)) * frames


def test_who_leads_how_long_and_how_sure() -> None:
    path, starts = led("aaaaaaaaab")
    report = themes_report(path, PROMPTS, np.eye(8, dtype=np.float32)[:3], starts)
    assert report.leader.tolist() == [0] * 54 + [1] * 6
    share = report.tests[0, "share"]
    assert share.value.value == pytest.approx(0.9) and share.value.null == pytest.approx(1 / 3, abs=0.03)
    assert share.difference.verdict is Verdict.HIGHER and "prompts shuffled within each shot" in share.words
    assert report.tests[0, "longest"].value.value == pytest.approx(27)
    assert report.tests[2, "longest"].p is None and report.tests[2, "longest"].why == "it is not defined on this path"
    path, starts = led("aaaaaabbbbbb")
    gathered = themes_report(path, PROMPTS[:2], np.eye(8, dtype=np.float32)[:2], starts)
    alone = gathered.tests[0, "mean"]
    assert alone.value.value == pytest.approx(18) and alone.difference.verdict is Verdict.HIGHER


def test_prompts_that_have_nothing_to_do_with_a_film_seldom_lead_more_than_chance() -> None:
    alarms = []
    for seed in range(40):
        path, starts = shots_of("ABCDEFGHIJ", frames=4, seed=seed)
        vectors = unit(np.random.default_rng(1000 + seed).normal(size=(3, 16))).astype(np.float32)
        found = themes_report(path, PROMPTS, vectors, starts).tests
        alarms.append(any(t.p is not None and t.p <= 0.05 for t in found.values()))
    assert np.mean(alarms) <= 0.15


def test_percentiles_are_among_unmatched_images_or_the_film() -> None:
    path, starts = led("abcab")
    vectors = np.eye(8, dtype=np.float32)[:3]
    reference = unit(np.random.default_rng(1).normal(size=(500, 8)))
    report = themes_report(path, PROMPTS, vectors, starts, reference=reference)
    assert report.compared_with == 500 and report.among == "unmatched images"
    assert report.percentiles[0, 0] == 100 * (reference @ vectors[0] < report.likeness[0, 0]).mean()
    assert report.scores[0].null == pytest.approx((reference @ vectors[0]).mean())
    within = themes_report(path, PROMPTS, vectors, starts)
    np.testing.assert_allclose(within.percentiles.mean(axis=1), 50)
    assert within.scores[0].null is None and list(within.curves) == list(PROMPTS)


def test_many_prompts_have_draws_enough_to_differ_after_correction() -> None:
    path, starts = led("abcab")
    prompts = tuple(f"prompt {i}" for i in range(24))
    vectors = unit(np.random.default_rng(2).normal(size=(24, 8))).astype(np.float32)
    assert themes_report(path, prompts, vectors, starts).draws == 24 * 50
    assert themes_report(path, prompts[:3], vectors[:3], starts).draws == 499


def test_one_prompt_few_shots_and_wrong_vectors() -> None:
    path, starts = led("abcab")
    one = themes_report(path, PROMPTS[:1], np.eye(8, dtype=np.float32)[:1], starts)
    assert {test.why for test in one.tests.values()} == {"one prompt always leads"}
    few = themes_report(path, PROMPTS, np.eye(8, dtype=np.float32)[:3], np.array([0]))
    assert all(test.p is None for test in few.tests.values())
    frame = themes_report(noise(1, 8), PROMPTS, np.eye(8, dtype=np.float32)[:3], np.array([0]))
    assert frame.leader.shape == (1,)
    for prompts, vectors in ((PROMPTS, np.eye(8)[:2]), (("a", "a"), np.eye(8)[:2]), (PROMPTS, np.eye(7)[:3])):
        with pytest.raises(ShapeError, match="different prompts in 8 dimensions"):
            themes_report(path, prompts, vectors, starts)
