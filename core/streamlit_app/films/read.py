"""Read the path: speed, turning and themes over the film's time, its measures beside their nulls, and recurrence."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.figures.films import measures as measure_figures
from core.figures.films import recurrence as recurrence_figures
from core.figures.films import themes as theme_figures
from core.figures.films import timeline as time_figures
from core.figures.films.timeline import Span
from core.geometry.directions import angle
from core.geometry.films.nulls import NullsReport, nulls_report
from core.geometry.films.paths import path_report
from core.geometry.films.recurrence import RecurrenceReport, recurrence_report
from core.geometry.films.themes import LEADING, ThemesReport, themes_by_likeness
from core.sources.films.film import clock
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.selections import keep
from core.streamlit_app.films import player, python
from core.streamlit_app.films.data import FilmsData, likeness, once, pick_film
from core.streamlit_app.state import Settings
from core.types import fingerprint

LEAST = 3
FASTEST = 0.9


def show(settings: Settings, data: FilmsData) -> None:
    """The player, all that runs along the path on one time axis, the measures, and what comes back."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_film(data)
        method = player.pick_map()
        degrees = state.pick_number("A place is all within", 5, 60, key="dwell_cap", default=20, unit="°",
                                    help="Radius of the caps in which dwelling and coming back are counted.")
    prompts = player.prompts_of(settings, data)
    path = data.paths[number]
    if len(path) < LEAST:
        panels.notice(f"{len(path)} frames are too few for a path; look at more frames a second, or at all of them.")
        return
    player.play(settings, data, player.placed(settings, data, [number], method, prompts=prompts), height=380)
    radius, starts = float(np.radians(degrees)), data.starts(number)
    report = once(("path", path.fingerprint, degrees), lambda: path_report(path, radius=radius))

    def against(on_progress: work.Progress, should_stop: work.Stop) -> NullsReport:
        on_progress(0.1, "The same measures on shuffled frames, shuffled shots and random walks")
        return nulls_report(path, starts, radius=radius, seed=settings.seed)

    nulls: NullsReport | None = work.result_beside(fingerprint("nulls", path.fingerprint, starts, degrees,
                                                               settings.seed),
                                                   against)
    themes = _themes_of(settings, data, number, prompts) if prompts else None
    curves = {} if themes is None else themes.curves
    frame = ui.show(
        time_figures.timeline(report, nulls=nulls, prompts=curves, cuts=starts,
                              likeness="cosine" if themes is None else themes.unit,
                              percentiles=None if themes is None else dict(zip(prompts, themes.percentiles)),
                              spans=({} if themes is None else {"leading prompt": theme_figures.leads_as_spans(themes)})
                              | {"islands": island_spans(data, number)}, lines=said(data, number), dark=ui.dark()),
        key="films.timeline", how_to_read=time_figures.CAPTION, clicks=True,
        table=lambda: time_figures.table(report, prompts=curves))
    jump(data, number, frame)
    _keep_fast(data, number, report.speed)
    if themes is not None:
        _themes(themes)
    _recurrence(settings, data, number)
    if nulls is not None:
        ui.show(measure_figures.measures(nulls, dark=ui.dark()), key="films.measures",
                how_to_read=measure_figures.CAPTION, table=lambda: measure_figures.table(nulls))
        with st.expander("All measures of the path", icon=":material/table:"):
            st.dataframe(measure_figures.summary(report), hide_index=True, height="content", key="films.summary")
    ui.copy_as_python(python.read(settings, data, number, degrees))


def _themes_of(settings: Settings, data: FilmsData, number: int, prompts: tuple[str, ...]) -> ThemesReport:
    """The prompts along the film; their percentiles are among the frames of the other films, where there are some."""
    path, starts = data.paths[number], data.starts(number)
    like, unit = likeness(settings, data, number, prompts)
    others = [likeness(settings, data, i, prompts)[0].T for i in range(len(data.names)) if i != number]
    reference = np.concatenate(others, axis=1) if others else None
    found: ThemesReport = once(
        ("themes", path.fingerprint, starts, prompts, settings.model_id, settings.seed, reference),
        lambda: themes_by_likeness(path, prompts, like.T, starts, unit=unit, reference=reference,
                                   among="frames of the other films", seed=settings.seed))
    return found


def _themes(report: ThemesReport) -> None:
    """Which prompt leads for how long, beside shuffled prompts and shots; how like the film is to each."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = state.pick_option("Leads", {key: of.title for key, of in LEADING.items()}, key="leads")
    ui.show(theme_figures.leads(report, measure=measure, dark=ui.dark()), key="films.themes",
            how_to_read=theme_figures.CAPTION, table=lambda: theme_figures.table(report))
    st.dataframe(theme_figures.table(report), hide_index=True, height="content", key="films.themes.table")


def _recurrence(settings: Settings, data: FilmsData, number: int) -> None:
    """What comes back when; a click shows both frames."""
    path, starts = data.paths[number], data.starts(number)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> RecurrenceReport:
        on_progress(0.1, "What comes back, beside shuffled shots and frames")
        return recurrence_report(path, starts, seed=settings.seed)

    try:
        report: RecurrenceReport | None = work.result_beside(fingerprint("recurrence", path.fingerprint, settings.seed),
                                                             measure)
    except ShapeError as error:
        panels.notice(str(error))
        return
    if report is None:
        return
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        pair = ui.show(recurrence_figures.recurrence(report, dark=ui.dark()), key="films.recurrence", clicks=True,
                       how_to_read=recurrence_figures.CAPTION, table=lambda: recurrence_figures.pairs_table(report))
    if isinstance(pair, list | tuple) and len(pair) >= 2:
        st.session_state["films.pair"] = (path.fingerprint, int(pair[0]), int(pair[1]))
    known = st.session_state.get("films.pair")
    with right:
        if known is None or known[0] != path.fingerprint:
            panels.notice("Click a point of the plot: both of its frames appear here.")
        else:
            _pair(data, number, known[1:])
    ui.show(recurrence_figures.recurrence_measures(report, dark=ui.dark()), key="films.recurrences",
            how_to_read=measure_figures.CAPTION, table=lambda: recurrence_figures.table(report))


def _pair(data: FilmsData, number: int, frames: tuple[int, int]) -> None:
    """Two frames side by side, and the player at the first."""
    path = data.paths[number]
    degrees = float(np.degrees(angle(*(path.points[i] for i in frames))))
    panels.gallery([(data.ready.pictures.whole(int(data.rows[number][i])), f"{clock(path.times[i])}",
                     f"frame {i}") for i in frames], key="films.pair")
    st.caption(f"These two frames are {degrees:.1f}° apart.")
    if st.button("Play from the first", key="films.pair.play", icon=":material/play_arrow:"):
        jump(data, number, min(frames))


def jump(data: FilmsData, number: int, frame: object) -> None:
    """A click on a figure takes the player there."""
    frame = frame[0] if isinstance(frame, list | tuple) and frame else frame
    if isinstance(frame, int | float) and 0 <= int(frame) < len(data.paths[number]):
        player.seek(data.names[number], float(data.paths[number].times[int(frame)]))
        st.rerun()


def island_spans(data: FilmsData, number: int) -> list[Span]:
    """The stays on islands, as bars."""
    return [Span(visit.start, visit.start + visit.seconds, f"island {visit.island + 1}", visit.island)
            for visit in data.islands(number).visits]


def said(data: FilmsData, number: int) -> list[Span]:
    """The subtitles, as bars."""
    film = data.film(number)
    return [] if film is None else [Span(line.start, line.end, line.text, -1) for line in film.lines]


def _keep_fast(data: FilmsData, number: int, speed: np.ndarray) -> None:
    """The frames to which the path leaps, kept as a selection."""
    fast = np.flatnonzero(speed > np.quantile(speed, FASTEST)) + 1
    if len(fast) and st.button("Keep the fastest tenth as a selection", icon=":material/bookmark_add:",
                               key="films.keep.fast"):
        ids = [data.images.ids[row] for row in data.rows[number][fast].tolist()]
        keep(data.ready, f"fast frames of {data.names[number]}", ids,
             f"frames of {data.names[number]} to which the path moves fastest, a tenth of all")
