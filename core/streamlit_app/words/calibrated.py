"""How sure the model is against how often it is right, at a temperature that is a dial, and the one that fits."""

from __future__ import annotations

import streamlit as st

from core.figures.words import reliability as figures
from core.geometry.calibration import LEAST, Reliability, Tempered, reliability, temperature_on_halves
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import Asked
from core.types import fingerprint


def show(settings: Settings, ready: Ready, asked: Asked) -> None:
    """Reliability at the chosen temperature; the fitted one, scored on the other half."""
    named, rows = asked.named, asked.named.known
    if len(named.classes) < 2 or not len(rows):
        panels.notice("Calibration needs two classes or more, and images with a label among them.")
        return
    factor = state.pick_number("Temperature, times that of the model", 0.1, 10.0, key="zero_factor", default=1.0,
                               step=0.05, help=f"The model's own is {asked.temperature:.4g}. Higher is less sure; "
                                               "which class comes first stays.")
    logits, truth = named.logits[rows], named.truth[rows]

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Reliability:
        on_progress(0.0, "Comparing with calibrated models")
        return reliability(logits, truth, factor, seed=settings.seed)

    found: Reliability = work.result_of(fingerprint("zero.reliability", asked.key, factor, settings.seed), measure)
    ui.show(figures.reliability(found, dark=ui.dark()), key="zero.reliability", how_to_read=figures.CAPTION,
            table=lambda: figures.reliability_table(found))
    panels.wrapped_table(panels.numbers_table({"ECE": found.ece, "Brier": found.brier, "NLL": found.nll}))
    st.markdown("##### The temperature that fits")
    fits = len(rows) >= LEAST
    if fits:
        def fit(on_progress: work.Progress, should_stop: work.Stop) -> Tempered:
            on_progress(0.0, "Fitting the temperature on one half")
            return temperature_on_halves(logits, truth, seed=settings.seed)

        tempered: Tempered = work.result_of(fingerprint("zero.tempered", asked.key, settings.seed), fit)
        st.markdown(panels.plain(figures.tempered_finding(tempered, asked.temperature), 600))
        panels.wrapped_table(figures.tempered_table(tempered))
    else:
        panels.notice(f"A temperature is fitted on one half and scored on the other of {LEAST} images or more; "
                      f"{len(rows)} have a label here.")
    ui.copy_as_python(as_code(
        [*asked.imports, "from core.figures.words.reliability import reliability as drawn",
         "from core.geometry.calibration import reliability, temperature_on_halves"],
        [*asked.lines, "known = named.known",
         f"report = reliability(named.logits[known], named.truth[known], {factor!r}, seed={settings.seed})",
         *([f"print(temperature_on_halves(named.logits[known], named.truth[known], seed={settings.seed}))"] if fits
           else []), "drawn(report).show()"]))
