"""The health sheet: every finding in a line, one of them with its evidence, and what is measured of the whole."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.geometry.quality.finding import Finding
from core.language.quality.evidence import KINDS, possible
from core.streamlit_app import panels, state, ui
from core.streamlit_app.quality import flagged, whole
from core.streamlit_app.quality.data import QualityData, find_all, found_so_far, threshold_of
from core.streamlit_app.quality.planted import truth
from core.streamlit_app.state import Settings
from core.types import Number

PARTS: dict[str, tuple[str, Callable[[Settings, QualityData], None] | None]] = {
    "findings": ("Findings", None), "scores": ("CLIPScore", whole.scores), "classes": ("Classes", whole.classes),
    "words": ("Captions", whole.words), "spread": ("Coverage and diversity", whole.spread),
}


def show(settings: Settings, data: QualityData) -> None:
    """The sheet, then a finding or a part of the whole."""
    part = state.pick_option("Part", {key: title for key, (title, _) in PARTS.items()}, key="health",
                             widget="segments", label_visible=False)
    show_part = PARTS[part][1]
    if show_part is not None:
        show_part(settings, data)
        return
    keys = possible(data.looked)
    if not keys:
        panels.notice("There is nothing here in which anything could be found: " +
                      " ".join(dict.fromkeys(kind.lacks(data.looked) for kind in KINDS.values())))
        return
    found = found_so_far(settings, data)
    if found:
        table = sheet(data, found)
        st.dataframe(table, hide_index=True, height="content", key="quality.sheet")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Flagged at the threshold of each finding, which can be moved below. By chance: the share that "
                       "the same threshold flags of what the last column names.")
            ui.download_table(lambda: table, "quality-sheet", label="Sheet")
    lacking = [f"{kind.title}: {kind.lacks(data.looked)}" for key, kind in KINDS.items() if key not in keys]
    if lacking:
        panels.notice("Not looked for. " + " ".join(lacking), one_line=True)
    with panels.friendly_errors():
        find_all(settings, data, keys)
    if found:
        key = state.pick_option("Look at", {key: KINDS[key].title for key in found}, key="finding")
        flagged.show(settings, data, key)


def sheet(data: QualityData, found: dict[str, Finding]) -> pd.DataFrame:
    """A line a finding: how many it flags, their share with interval and chance; of planted faults how many."""
    rows = []
    for key, one in found.items():
        at = threshold_of(one)
        rows_flagged = one.flagged(at)
        share = one.share(at) if len(one.scores) and (one.scores == one.scores).any() else Number(float("nan"), n=0)
        planted = truth(data.ready, one.of, key)
        rows.append({
            "finding": KINDS[key].title, "flagged": f"{len(rows_flagged):,}", "of": f"{share.n:,} {one.of}s",
            "planted": "" if planted is None else f"{int(planted.sum()):,}",
            "of these flagged": "" if planted is None else f"{int(planted[rows_flagged].sum()):,}",
            "share": _percent(share.value),
            "95 % interval": "" if share.low is None else f"{_percent(share.low)} to {_percent(share.high)}",
            "by chance": "" if share.null is None else _percent(share.null),
            "threshold": f"{at:.4g}", "score": one.unit, "chance is": one.chance})
    table = pd.DataFrame(rows)
    return table.drop(columns=[c for c in ("planted", "of these flagged") if not table[c].any()])


def _percent(value: float | None) -> str:
    return "" if value is None or value != value else f"{100 * value:.1f} %"
