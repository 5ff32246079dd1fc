"""The health sheet: every finding in a line, one of them with its evidence, and what is measured of the whole."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from core.figures.quality import beside
from core.geometry.quality.finding import Finding
from core.language.quality.evaluation import QualityEvaluation, evaluate_quality
from core.language.quality.evidence import KINDS, possible
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.quality import flagged, whole
from core.streamlit_app.quality.data import QualityData, find_all, found_so_far, threshold_of
from core.streamlit_app.quality.planted import caught_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

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
        st.dataframe(table, hide_index=True, height="content", key="quality.sheet", column_config={
            "finding": st.column_config.Column(width=170), "95 % interval": st.column_config.Column(width=130),
            "chance is": st.column_config.Column(width=300)})
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Flagged at the threshold of each finding, which can be moved below. By chance: the share that "
                       "the same threshold flags of what the next column names.")
            ui.download_table(lambda: table, "quality-sheet", label="Sheet")
    lacking = [f"{kind.title}: {kind.lacks(data.looked)}" for key, kind in KINDS.items() if key not in keys]
    if lacking:
        panels.notice("Not looked for. " + " ".join(lacking), one_line=True)
    with panels.friendly_errors():
        if not find_all(settings, data, keys) and len(found) < len(found_so_far(settings, data)):
            st.rerun()      # the last came while the sheet was drawn
    if found:
        _one(settings, data, found)
    if data.ready.has_gap and (data.ready.opened.built_in or data.ready.opened.in_world):
        _evaluation(settings)


def _one(settings: Settings, data: QualityData, found: dict[str, Finding]) -> None:
    """The finding that is chosen."""
    with st.container(width=420):
        key = state.pick_option("Look at", {key: KINDS[key].title for key in found}, key="finding")
    flagged.show(settings, data, key)


def _evaluation(settings: Settings) -> None:
    """What `python -m core evaluate quality` prints, run here when asked for."""
    st.subheader("How much of what is planted is found", anchor=False)
    st.caption("Faults of known truth, each planted alone into three sets of 300 scenes of the built-in world: how "
               "well each finding ranks them, beside the obvious way of finding them. The same as "
               "`python -m core evaluate quality`; thresholds were chosen on other seeds than those scored.")
    key = fingerprint("evaluate quality", settings.model_id, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> QualityEvaluation:
        return evaluate_quality(cached.encoder(settings.model_id), cached.store(), seed=settings.seed,
                                on_progress=on_progress, should_stop=should_stop)

    found: QualityEvaluation | None = work.result_when_asked(
        key, "Run it (a minute or two)", "quality.evaluate", measure)
    if found is None:
        return
    ui.show(beside.beside(found, dark=ui.dark()), key="quality.beside", how_to_read=beside.CAPTION,
            table=lambda: beside.beside_table(found))
    table = panels.numbers_table(found.figures())
    st.dataframe(table, hide_index=True, height=460, key="quality.evaluated")
    ui.download_table(lambda: table, "quality-evaluated", label="Scores")
    st.json(found.chosen(), expanded=False)


def sheet(data: QualityData, found: dict[str, Finding]) -> pd.DataFrame:
    """A line a finding: how many it flags, their share with interval and chance; of planted faults how many."""
    rows = []
    for key, one in found.items():
        at = threshold_of(one)
        rows_flagged = one.flagged(at)
        share = one.share(at)
        got = caught_of(data.ready, one, at)
        rows.append({
            "finding": KINDS[key].title, "flagged": f"{len(rows_flagged):,}", "of": f"{share.n:,} {one.of}s",
            "planted": "" if got is None else f"{got.planted:,}",
            "of these flagged": "" if got is None else f"{got.found:,}",
            "share": _percent(share.value),
            "95 % interval": "" if share.low is None else f"{_percent(share.low)} to {_percent(share.high)}",
            "by chance": "" if share.null is None else _percent(share.null), "chance is": one.chance,
            "threshold": f"{at:.4g}", "score": one.unit})
    table = pd.DataFrame(rows)
    return table.drop(columns=[c for c in ("planted", "of these flagged") if not table[c].any()])


def _percent(value: float | None) -> str:
    return "" if value is None or value != value else f"{100 * value:.1f} %"
