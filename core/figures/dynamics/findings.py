"""An experiment as a figure: every training, the means over seeds with their intervals, and what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.figures.dynamics.doses import response
from core.learning.towers.evaluation import TowersEvaluation
from core.learning.towers.experiments import Found
from core.learning.towers.setup import DIALS

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Each small point is one training; the mean over seeds has Student's 95 % interval. Where trainings are "
           "compared, it is each seed with itself.")


def finding(found: Found, *, dark: bool = False) -> go.Figure:
    """What an experiment measured, a panel a kind of measure, over what differs.

    Parameters
    ----------
    found
        An experiment that was done.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure as `core.figures.dynamics.doses.response` makes it; its title is the answer.
    """
    return response(found.response, axis=found.experiment.axis, measures=found.experiment.measures,
                    title=title(found), dark=dark)


def title(found: Found) -> str:
    """The answer up to its first semicolon."""
    return found.reading.sentence.split(";")[0].rstrip(".").replace(". ", ": ", 1)


def numbers_and_differences(found: Found) -> pd.DataFrame:
    """One row a number or difference: value, interval, chance, n, and of differences p (Holm) and verdict."""
    rows = [{"number": name, "value": one.value, "low": one.low, "high": one.high, "by chance": one.null, "n": one.n}
            for name, one in found.reading.numbers.items()]
    rows += [{"number": name, "value": one.change.value, "low": one.change.low, "high": one.change.high,
              "by chance": 0.0, "n": one.change.n, "p (Holm)": one.p, "verdict": one.verdict.value}
             for name, one in found.reading.differences.items()]
    return pd.DataFrame(rows)


def trainings_table(found: Found) -> pd.DataFrame:
    """One row a training: level, all dials, all measures before and after, why it ended, seconds."""
    return found.response.table


def faults_table(found: TowersEvaluation) -> pd.DataFrame:
    """One row a fault: R@1 at each dose from the first to the last, and the last less the first with p (Holm)."""
    rows = []
    for fault, doses in found.doses.items():
        over = found.over[fault]
        rows.append({"fault": DIALS[fault].title, "doses": " → ".join(f"{level:.3g}" for level in doses.levels),
                     "R@1": " → ".join(f"{n.value:.3f}" for n in doses.numbers("r1")), "change": over.change.value,
                     "low": over.change.low, "high": over.change.high, "p (Holm)": over.p,
                     "verdict": over.verdict.value, "seeds": over.change.n})
    return pd.DataFrame(rows)
