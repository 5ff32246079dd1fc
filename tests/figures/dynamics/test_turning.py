"""What turning removes and leaves, as drawn: the same numbers as in the report, in degrees and with chance."""

from __future__ import annotations

import numpy as np

from core.figures.dynamics import turning
from core.learning.records.aligned import aligned
from tests.learning.records.test_aligned import turning as a_turning_record
from tests.learning.records.test_file import a_record


def test_the_figure_shows_the_report() -> None:
    report = aligned(a_turning_record(noise=0.05))
    figure = turning.turning(report)
    drawn = {trace.name: np.array(trace.y, float) for trace in figure.data}
    np.testing.assert_allclose(drawn["left after turning"], report.residuals)
    np.testing.assert_allclose(drawn["as it is"], report.before)
    np.testing.assert_allclose(drawn["left by chance"], report.chance)
    np.testing.assert_allclose(drawn["features, on average"], np.degrees(report.turned))
    title = figure.layout.title.text.replace("<br>", " ")
    assert f"leaves {report.residuals[0]:.2f} of {report.before[0]:.2f} distance to step 30" in title
    assert "n = 40 images and 12 texts" in title
    assert "1 step needs a reflection" in title
    assert turning.table(report)["step"].tolist() == [0, 10, 20, 30]


def test_one_step_alone_is_said() -> None:
    assert "One step alone" in turning.finding(aligned(a_record(s=1)))
