"""Measure the gap: every measure with its interval and chance, the dimensions that carry it, conformity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.gap import explained as figures
from core.geometry.differences import Difference, holm
from core.geometry.gap.measures import MEASURES, gap_dimensions, gap_measures
from core.geometry.gap.paired import models_differ
from core.geometry.gap.profiles import conformity
from core.geometry.gap.reports import Conformity
from core.geometry.pairs import Pairs
from core.streamlit_app import panels, ui, work
from core.streamlit_app.gap import python
from core.streamlit_app.gap.data import GapData
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint


def measured(key: str, pairs: Pairs, seed: int, *, about: str = "") -> dict[str, Number]:
    """All measures of pairs, made once; ``key`` is the pairs' fingerprint, ``about`` says whose, for the progress."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, Number]:
        return gap_measures(pairs, seed=seed, should_stop=should_stop,
                            on_progress=lambda share, text: on_progress(share, f"{about}{text}"))

    found: dict[str, Number] = work.result_of(f"gap.measures:{key}:{seed}", measure)
    return found


def differences(first: tuple[str, Pairs], others: Mapping[str, tuple[str, Pairs]],
                seed: int) -> dict[str, dict[str, Difference]]:
    """Gap and R@1 of each of ``others`` less those of ``first``, on the same items, all corrected for each other.

    Parameters
    ----------
    first, others : fingerprint and pairs; others by name.
    """

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, dict[str, Difference]]:
        found: dict[tuple[str, str], Difference] = {}
        for done, (name, (_, pairs)) in enumerate(others.items()):
            on_progress(done / len(others), f"{name}, item by item")
            found |= {(name, key): d for key, d in models_differ(first[1], pairs, seed=seed).items()}
        out: dict[str, dict[str, Difference]] = {name: {} for name in others}
        for (name, key), difference in holm(found).items():
            out[name][key] = difference
        return out

    key = fingerprint("gap.differences", first[0], [[name, of] for name, (of, _) in others.items()], seed)
    done: dict[str, dict[str, Difference]] = work.result_of(key, measure)
    return done


def measures_table(numbers: Mapping[str, Number]) -> pd.DataFrame:
    """Measures with their units, as text: value, interval, chance and what chance is here, n, explanation."""
    titles = {key: ", ".join(part for part in (MEASURES[key].title, MEASURES[key].unit) if part) for key in numbers}
    table = panels.numbers_table({titles[key]: replace(number, unit="") for key, number in numbers.items()})
    table.insert(list(table.columns).index("by chance") + 1, "chance is",
                 [MEASURES[key].null if number.null is not None else "" for key, number in numbers.items()])
    table["what it says"] = [MEASURES[key].explanation for key in numbers]
    return table


def show(settings: Settings, data: GapData) -> None:
    """The table, then which dimensions carry the gap and how typical points are of their modality."""
    numbers = measured(data.ready.key, data.pairs, settings.seed)
    table = measures_table(numbers)
    panels.wrapped_table(table)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Intervals leave out each image with its texts in turn (shares: Wilson's over queries; the "
                   "gallery is kept, so that they tell of other queries in it, not of another gallery). Counts of "
                   "dimensions and hubs have none: none was found that covers. By chance: the same number after what "
                   "the next column says; a value means something only beside it.")
        ui.download_table(lambda: table, "gap-measures")
        ui.copy_as_python(python.measure(settings, data))
    left, right = st.columns(2, gap="medium")
    with left:
        _dimensions(data)
    with right:
        _conformity(settings, data)


def _dimensions(data: GapData) -> None:
    shares = gap_dimensions(data.pairs)
    if not np.any(shares):
        panels.notice("The means are one point: no dimension carries a gap.")
        return
    ui.show(figures.dimensions(shares, dark=ui.dark()), key="gap.dimensions",
            how_to_read="Coordinates of the model's own space, largest share first, beside those of a random "
                        "direction. A steep start means that a few coordinates hold the gap.",
            table=lambda: figures.dimensions_table(shares))


def _conformity(settings: Settings, data: GapData) -> None:
    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Conformity:
        on_progress(0.1, "Conformity")
        return conformity(data.pairs, seed=settings.seed)

    report: Conformity = work.result_of(f"gap.conformity:{data.ready.key}:{settings.seed}", measure)
    ui.show(figures.conformity(report, dark=ui.dark()), key="gap.conformity",
            how_to_read="Conformity: mean cosine of a point to the others of its modality. Below: how far the two "
                        "distributions are apart when α of its mean is taken from every point.",
            table=lambda: figures.conformity_table(report))
