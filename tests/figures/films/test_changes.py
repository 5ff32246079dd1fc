"""The path of one image under a change: angles, rates and jumps as the report has them."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.films import changes
from core.geometry.films.changes import change_report
from tests.figures.films.made_reports import title
from tests.geometry.films.made_paths import great_circle, trajectory


def test_angles_rates_and_jumps_are_drawn_at_their_strengths() -> None:
    at = 0.04 * np.arange(20) + 0.5 * (np.arange(20) >= 8)
    path = trajectory(np.stack([np.cos(at), np.sin(at), 0 * at], axis=1))
    report = change_report(path, again=path.points)
    figure = changes.changes(report, unit="blur <px>")
    by_name = {t.name: t for t in figure.data if t.yaxis == "y"}
    np.testing.assert_allclose(by_name["from the first image"].y, np.degrees(report.from_start))
    assert list(by_name["jump"].x) == [report.strengths[8]] and list(by_name["jump"].customdata) == [8]
    rate = next(t for t in figure.data if t.name == "rate")
    np.testing.assert_allclose(rate.y, np.degrees(report.rates))
    assert list(rate.customdata) == list(range(1, 20))
    assert figure.layout.xaxis2.title.text == "blur &lt;px&gt;"
    said = title(figure)
    assert "jumps 1 time (to 4)" in said and "straightness 1.00" in said and "two encodings differ by 0°" in said
    table = changes.table(report)
    assert len(table) == 20 and table["jump"].sum() == 1 and table["jump"][8]
    assert table["step (degrees)"][8] == pytest.approx(np.degrees(0.54), abs=1e-3)


def test_smooth_and_still_images_are_said_to_be_so() -> None:
    assert "jumps nowhere" in title(changes.changes(change_report(great_circle(12, 0.02)), dark=True))
    still = changes.changes(change_report(trajectory(np.tile([1.0, 0, 0], (5, 1)))))
    assert "moves nothing: 5 images lie at one place" in title(still)
