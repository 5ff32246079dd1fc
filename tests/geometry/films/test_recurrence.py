"""The recurrence plot: its lines are those that a slow count finds, and shuffled shots tell order from content."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.recurrence import RECURRENCE, recurrence_report
from tests.geometry.films.made_paths import noise, shots_of, trajectory


def runs(line: np.ndarray) -> list[int]:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, line, False].astype(int)))
    return (edges[1::2] - edges[::2]).tolist()


def test_lines_are_those_that_a_slow_count_finds() -> None:
    path, starts = shots_of("ABCABCBA", frames=5, drift=0.15)
    report = recurrence_report(path, starts, threshold=math.radians(45), window=2)
    recurs, m = report.recurs, len(path)
    diagonal = [r for k in range(-m + 1, m) for r in runs(np.diagonal(recurs, k))]
    vertical = [r for column in recurs.T for r in runs(column)]
    numbers = report.numbers
    assert numbers["rate"].value == pytest.approx(recurs.sum() / (m * (m - 1) - 2 * (m - 1) - 2 * (m - 2)))
    assert numbers["rate"].n == (m - 3) * (m - 2) // 2
    for share, length, found in (("determinism", "diagonal", diagonal), ("laminarity", "vertical", vertical)):
        lines = [r for r in found if r >= 2]
        assert numbers[share].value == pytest.approx(sum(lines) / recurs.sum())
        assert numbers[length].value == pytest.approx(np.mean(lines) / 2)
    assert numbers["longest"].value == max(diagonal) / 2


def test_scenes_in_the_same_order_repeat_themselves_for_longer_than_shuffled_shots() -> None:
    loop, starts = shots_of("ABCDEFABCDEF", frames=6)
    report = recurrence_report(loop, starts, threshold=math.radians(30))
    assert report.window == 6 and not report.chosen
    assert report.tests["shots", "longest"].difference.verdict is Verdict.HIGHER
    assert report.tests["shots", "longest"].value.value == pytest.approx(18, abs=0.5)
    assert "has a longer passage that happens again than whole shots shuffled" in report.tests["shots", "longest"].words
    back, _ = shots_of("ABCDEFFEDCBA", frames=6)
    assert recurrence_report(back, starts, threshold=math.radians(30)).tests["shots", "longest"].p > 0.2
    assert report.tests["frames", "determinism"].difference.verdict is Verdict.HIGHER
    assert report.tests["frames", "rate"].value.n == 72


def test_the_threshold_is_the_lowest_tenth_when_none_is_given_and_long_paths_are_thinned() -> None:
    report = recurrence_report(noise(900, 5), np.arange(0, 900, 9))
    assert len(report.rows) == 300 and set(np.diff(report.rows)) == {3} and report.of == 900
    assert report.chosen and report.numbers["rate"].value == pytest.approx(0.1, abs=1e-3)
    assert all(report.tests[null, "rate"].why == "the threshold was chosen by it" for null in ("shots", "frames"))
    assert report.tests["frames", "determinism"].p > 0.01, "noise is no different when shuffled"


def test_recurrences_of_paths_that_are_hardly_any() -> None:
    still = recurrence_report(trajectory(np.tile([1.0, 0, 0], (9, 1))), np.array([0]))
    assert all(test.p is None for test in still.tests.values())
    never = recurrence_report(noise(12, 40), np.arange(12), threshold=0.1)
    assert never.numbers["rate"].value == 0 and math.isnan(never.numbers["determinism"].value)
    assert set(key for _, key in never.tests) == set(RECURRENCE)
    with pytest.raises(ShapeError, match="at least 4 frames"):
        recurrence_report(noise(3), np.array([0]))
    with pytest.raises(ShapeError, match="a window of 0 to 10"):
        recurrence_report(noise(12), np.array([0]), window=11)
