"""Numbers of a report as a table: one row a number, with its interval, what chance gives, n and unit."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.figures.frame import percent
from core.types import Number


def numbers_table(numbers: Mapping[str, Number], titles: Mapping[str, str]) -> pd.DataFrame:
    """One row a number that has a title, in the order of the titles; shares in %; what is not known is None."""
    rows = []
    for key, title in titles.items():
        if key not in numbers:
            continue
        number = percent(numbers[key]) if numbers[key].unit == "share" else numbers[key]
        rows.append({"measure": title, "value": number.value, "unit": number.unit, "low": number.low,
                     "high": number.high, "by chance": number.null, "n": number.n})
    return pd.DataFrame(rows, columns=["measure", "value", "unit", "low", "high", "by chance", "n"])
