"""Correlate: speed and turning of the path beside what can be measured of the film without a model."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures.films import correlation as figures
from core.figures.films import timeline as time_figures
from core.geometry.films.correlation import CorrelationReport, correlation_report, per_frame, seconds_of_shots
from core.geometry.films.paths import path_report
from core.sources.films.film import Film
from core.sources.films.signals import UNITS, Signals, signals
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.films import player, python
from core.streamlit_app.films.data import FilmsData, likeness, once, pick_film, readable, takes_prompts
from core.streamlit_app.films.read import LEAST, jump, said
from core.streamlit_app.state import Settings
from core.types import fingerprint

SHOT_LENGTH = "shot length (s)"
SPOKEN, LIKENESS = "letters spoken a second", "likeness to what is said"


def show(settings: Settings, data: FilmsData) -> None:
    """The player with the subtitles beside the path, the signals on its time axis, and the table of correlations."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_film(data)
        method = player.pick_map()
    path, film = data.paths[number], data.film(number)
    if len(path) < LEAST:
        panels.notice(f"{len(path)} frames are too few; look at more frames a second, or at all of them.")
        return
    player.play(settings, data, player.placed(settings, data, [number], method, subtitles=True), height=380)
    starts = data.starts(number)
    found = {SHOT_LENGTH: seconds_of_shots(path.times, starts)}
    if film is None:
        panels.notice("Vectors made elsewhere have no pictures and no sound: the shot length alone is left.")
    else:
        found |= _measured(data, number, film)
        found |= _spoken(settings, data, number, film)
    report = once(("path", path.fingerprint, 20), lambda: path_report(path, radius=float(np.radians(20))))
    key = ("correlations", path.fingerprint, [part for name in found for part in (name, np.nan_to_num(found[name]))])
    correlations: CorrelationReport = once(key, lambda: correlation_report(report, found))
    ui.show(figures.correlations(correlations, dark=ui.dark()), key="films.correlations", how_to_read=figures.CAPTION,
            table=lambda: figures.table(correlations))
    best = max(correlations.table.values(), key=lambda c: -1.0 if c.difference.p is None else abs(c.number.value))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = state.pick_option("Of the path", {name: name for name in per_frame(report)}, key="correlated",
                                    default=best.measure)
        signal = state.pick_option("beside", {name: name for name in found}, key="signal", default=best.signal)
    frame = ui.show(figures.scatter(correlations, measure, signal, dark=ui.dark()), key="films.scatter", clicks=True,
                    how_to_read="A dot is a frame. Click one, and the player goes there.",
                    table=lambda: time_figures.table(report, signals=found))
    jump(data, number, frame)
    frame = ui.show(time_figures.timeline(report, signals=found, cuts=starts, lines=said(data, number),
                                          dark=ui.dark()), key="films.signals", how_to_read=time_figures.CAPTION,
                    clicks=True, table=lambda: time_figures.table(report, signals=found))
    jump(data, number, frame)
    ui.copy_as_python(python.correlate(settings, data, number))


def _measured(data: FilmsData, number: int, film: Film) -> dict[str, np.ndarray]:
    """Brightness, colourfulness, motion, loudness at the frames that have a vector; as long work."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Signals:
        return signals(film, on_progress=on_progress, should_stop=should_stop)

    found: Signals = work.result_of(fingerprint("signals", film.fingerprint), measure)
    for notice in found.notices:
        panels.notice(notice)
    rows = np.searchsorted(film.times, data.paths[number].times)
    named = {f"{name} ({UNITS[name]})": values[rows] for name, values in found.named().items()}
    return {name: values for name, values in named.items() if np.isfinite(values).any()}


def _spoken(settings: Settings, data: FilmsData, number: int, film: Film) -> dict[str, np.ndarray]:
    """How much is said at each frame, and how like the frame is to it; nothing without subtitles."""
    path = data.paths[number]
    lines = [line for line in film.lines if line.end > path.times[0] and line.start <= path.times[-1]]
    if not lines:
        return {}
    rate, like, unit = np.zeros(len(path)), np.full(len(path), np.nan), ""
    known = readable(settings, [line.text for line in lines]) if takes_prompts(settings, data) else {}
    said_so = np.zeros((len(path), 0))
    if known:
        said_so, unit = likeness(settings, data, number, tuple(known.values()))
    places = {i: column for column, i in enumerate(known)}
    for i, line in enumerate(lines):
        now = (path.times >= line.start) & (path.times < line.end)
        rate[now] += len(line.text) / max(line.end - line.start, 0.1)
        if i in places:
            like[now] = said_so[now, places[i]]
    return {SPOKEN: rate} | ({f"{LIKENESS} ({unit})": like} if np.isfinite(like).any() else {})
