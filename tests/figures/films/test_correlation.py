"""Correlations beside their nulls, and one pair as points."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError
from core.figures.films import correlation
from core.geometry.films.correlation import correlation_report
from core.geometry.films.paths import path_report
from tests.figures.films.made_reports import title
from tests.geometry.films.made_paths import noise


@pytest.fixture(scope="module")
def report():
    path = path_report(noise(300))
    rng = np.random.default_rng(0)
    return correlation_report(path, {"motion <b>": np.r_[np.nan, path.speed] + 0.1 * rng.random(300),
                                     "ramp": np.arange(300.0), "loudness": np.full(300, np.nan)})


def test_dots_bars_and_title_are_those_of_the_report(report) -> None:
    figure = correlation.correlations(report)
    dots = {t.name: t for t in figure.data if t.mode == "markers"}
    assert list(dots["speed"].customdata) == ["motion <b>", "ramp", "loudness"]
    assert dots["speed"].x[0] == report.table["speed", "motion <b>"].number.value
    assert list(dots["speed"].marker.symbol) == ["circle", "circle-open", "circle-open"]
    bars = next(t for t in figure.data if t.mode == "lines")
    test = report.table["speed", "motion <b>"]
    assert list(bars.x) == [test.low, test.high, None], "the ramp and the loudness have no null"
    assert figure.layout.yaxis.ticktext[0] == "motion &lt;b&gt;"
    assert "speed rises with motion <b> (Spearman" in title(figure) and "p < 0.001" in title(figure)
    assert "of 2 that can be told" in title(figure)
    table = correlation.table(report)
    assert len(table) == 6 and table["p (Holm)"].notna().sum() == 2


def test_points_tell_frames_and_a_wrong_name_is_refused(report) -> None:
    figure = correlation.scatter(report, "speed", "motion <b>", dark=True)
    assert list(figure.data[0].customdata) == list(range(1, 300))
    np.testing.assert_array_equal(figure.data[0].y, report.measures["speed"][1:])
    assert figure.layout.yaxis.title.text == "speed (degrees/s)"
    empty = correlation.scatter(report, "turning", "loudness")
    assert len(empty.data[0].x) == 0 and "loudness has no values" in title(empty)
    with pytest.raises(ChoiceError, match="a signal to be one of"):
        correlation.scatter(report, "speed", "smell")
