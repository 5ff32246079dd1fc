"""Correlation with signals: calibrated on series that have memory, and silent where they have too much of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import spearmanr

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.correlation import correlation, correlation_report, seconds_of_shots
from core.geometry.films.paths import path_report
from tests.geometry.films.made_paths import noise


def with_memory(memory: float, n: int, rng: np.random.Generator) -> np.ndarray:
    return lfilter([1.0], [1.0, -memory], rng.normal(size=n + 300))[300:]


def test_false_alarms_on_independent_series_with_memory_are_as_many_as_allowed() -> None:
    """At 5 %, of 600 pairs no more than 5 % and what chance adds to it, 2.1 points in 99 of 100 cases."""
    rng, p = np.random.default_rng(1), []
    for memory, n in ((0.0, 60), (0.5, 60), (0.8, 120), (0.8, 600), (0.9, 240), (0.9, 2400)):
        p += [correlation(with_memory(memory, n, rng), with_memory(memory, n, rng)).p for _ in range(100)]
    known = np.array([v for v in p if v is not None])
    assert len(known) > 580 and np.mean(known <= 0.05) <= 0.071 and np.mean(known <= 0.01) <= 0.02
    assert 0.45 < known.mean() < 0.6


def test_what_moves_together_is_told() -> None:
    rng = np.random.default_rng(2)
    shared = with_memory(0.7, 600, rng)
    found = correlation(shared + 0.7 * rng.normal(size=600), np.exp(shared), measure="speed", signal="motion")
    assert found.p < 1e-4 and found.difference.verdict is Verdict.HIGHER
    assert found.freedom > 60 and found.shifts == 601 - 2 * found.lag
    assert found.words.startswith("speed rises with motion (Spearman 0.8")
    assert abs(found.low) < found.number.value and found.high < found.number.value


def test_the_correlation_is_spearmans_over_the_frames_that_have_both() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=80), rng.integers(0, 5, 80).astype(float)
    assert correlation(x, y).number.value == pytest.approx(spearmanr(x, y).statistic)
    y[:30] = math.nan
    x[:30] = math.nan
    found = correlation(x, y)
    assert found.number.value == pytest.approx(spearmanr(x[30:], y[30:]).statistic) and found.number.n == 50


def test_what_has_too_few_independent_shifts_is_not_measurable() -> None:
    ramp = np.linspace(0, 1, 100)
    found = correlation(ramp, ramp**2, measure="speed", signal="brightness")
    assert found.p is None and "shifts go beyond the autocorrelation" in found.words
    assert found.number.value == pytest.approx(1)


def test_the_length_of_its_shot_is_a_signal_of_each_frame() -> None:
    found = seconds_of_shots(np.arange(6) / 2, np.array([0, 1, 4]))
    assert found.tolist() == [0.5, 1.5, 1.5, 1.5, 1.0, 1.0]


def test_reports_hold_all_pairs_and_say_what_is_missing() -> None:
    path = noise(240)
    rng = np.random.default_rng(4)
    report = path_report(path)
    speed = np.r_[math.nan, report.speed]
    signals = {"motion": speed + 0.1 * rng.normal(size=240), "loudness": np.full(240, math.nan),
               "brightness": np.ones(240), "broken": np.where(np.arange(240) % 7 == 0, math.inf, rng.random(240))}
    found = correlation_report(report, signals).table
    assert set(found) == {(m, s) for m in ("speed", "turning") for s in signals}
    assert found["speed", "motion"].difference.verdict is Verdict.HIGHER
    assert found["speed", "loudness"].why == "loudness has no values"
    assert found["turning", "brightness"].why == "one of both does not vary"
    assert found["speed", "broken"].number.n == 205 and found["speed", "broken"].p is not None
    alone = correlation(*(report_measure for report_measure in (speed, signals["motion"])))
    assert found["speed", "motion"].p == pytest.approx(4 * alone.p), "corrected for the four that are measurable"
    with pytest.raises(ShapeError, match="240 values of short"):
        correlation_report(report, {"short": np.ones(3)})
    two = correlation_report(path_report(noise(2)), {"x": np.arange(2.0)}).table
    assert all(test.p is None for test in two.values())
