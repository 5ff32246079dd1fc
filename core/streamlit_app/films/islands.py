"""Islands: the places that a film dwells in and comes back to, what they are called, and where it goes from each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import OrreryError
from core.figures.films import islands as figures
from core.figures.films import shots as shot_figures
from core.figures.films import transitions as transition_figures
from core.figures.films.scenes import island_colouring
from core.geometry.films.islands import Islands
from core.geometry.films.transitions import Transitions, transitions
from core.language.films.naming import IslandName, name_by_likeness, name_islands
from core.sources.films.detectors import DETECTORS, detected_starts
from core.sources.films.film import Film, clock
from core.sources.films.thumbnails import small_frames
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.concepts import Direction, show_below
from core.streamlit_app.data.selections import keep
from core.streamlit_app.films import player, python
from core.streamlit_app.films.data import FilmsData, likeness, once, pick_film, vectors_of
from core.streamlit_app.films.read import jump
from core.streamlit_app.state import Settings
from core.types import fingerprint

DETECTED_HEIGHT = 128
MOST_TILES = 24


def show(settings: Settings, data: FilmsData) -> None:
    """The player coloured by island, the islands with their frames and names, their timeline, moves, and the shots."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_film(data)
        method = player.pick_map()
        degrees = state.pick_number("Islands lie apart by", 5, 90, key="island_cut", default=30, unit="°",
                                    help="Mean angle above which groups of shots stay apart.")
    prompts = player.prompts_of(settings, data)
    path, found = data.paths[number], data.islands(number, degrees)
    said = _names(settings, data, number, found, prompts)
    given = ["" if own.why else own.prompt for own in said] or None
    names = figures.titles(found, given)
    colouring = island_colouring([found.of_frames], names, 0)
    player.play(settings, data, player.placed(settings, data, [number], method, colouring=colouring,
                                              colouring_key=(degrees, names)), height=380)
    _islands(settings, data, number, found, names, said)
    frame = ui.show(figures.islands(found, names=given, dark=ui.dark()), key="films.islands", clicks=True,
                    how_to_read=figures.CAPTION, table=lambda: figures.table(found, given))
    jump(data, number, frame)
    moves: Transitions = once(("moves", path.fingerprint, degrees, found.starts, settings.seed),
                              lambda: transitions(found, seed=settings.seed))
    left, right = st.columns(2, gap="medium")
    with left:
        ui.show(transition_figures.transitions(moves, names=given, dark=ui.dark()), key="films.moves",
                how_to_read=transition_figures.CAPTION, table=lambda: transition_figures.table(moves, given))
    with right:
        ui.show(transition_figures.graph(moves, found.dwell, names=given, dark=ui.dark()), key="films.graph",
                how_to_read=transition_figures.GRAPH_CAPTION,
                table=lambda: transition_figures.table(moves, given))
    _shots(data, number)
    ui.copy_as_python(python.islands(settings, data, number, degrees))


def _names(settings: Settings, data: FilmsData, number: int, found: Islands, prompts: tuple[str, ...]
           ) -> tuple[IslandName, ...]:
    """The prompt nearest to each island; nothing without prompts."""
    path = data.paths[number]
    if not prompts:
        return ()
    named: tuple[IslandName, ...] = once(
        ("names", path.fingerprint, found.cut, found.starts, prompts, settings.model_id),
        lambda: name_islands(path, found, prompts, vectors_of(settings, prompts)) if data.ready.has_gap else
        name_by_likeness(found, prompts, likeness(settings, data, number, prompts)[0]))
    return named


def _islands(settings: Settings, data: FilmsData, number: int, found: Islands, names: Sequence[str],
             said: tuple[IslandName, ...]) -> None:
    """The medoid of each island, a button that keeps the frames of one, and what it is in words."""
    tiles = []
    for i in range(min(len(found), MOST_TILES)):
        visits = int(found.counts[i])
        tiles.append((data.ready.pictures.whole(int(data.rows[number][found.medoids[i]])), names[i],
                      f"{found.dwell[i]:.1f} s, {visits} visit{'s' * (visits != 1)}"))
    panels.gallery(tiles, key="films.medoids")
    if len(found) > MOST_TILES:
        st.caption(f"{MOST_TILES} of {len(found):,} islands, by their order in the film.")
    if said:
        st.caption(f"{sum(not own.why for own in said)} of {len(found)} islands are told from the others by a prompt. "
                   "An island has a name where 95 % of the frames of other islands lie farther from that prompt, and "
                   "three quarters of its own prefer it to the next one.")
        with st.expander("Names of the islands", icon=":material/table:"):
            st.dataframe(pd.DataFrame([{
                "island": f"island {own.island + 1}", "nearest prompt": own.prompt, "the next": own.second,
                "likeness above the mean island": own.closeness, "percentile among frames elsewhere": own.percentile,
                "frames that prefer it (%)": 100 * own.lead, "not told apart because": own.why} for own in said]),
                hide_index=True, key="films.names")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = state.pick_option("Island", {str(i): name for i, name in enumerate(names)}, key="island")
        if st.button("Keep its frames as a selection", icon=":material/bookmark_add:", key="films.keep.island"):
            rows = data.rows[number][found.of_frames == int(chosen)]
            keep(data.ready, f"{data.names[number]}, {names[int(chosen)]}",
                 [data.images.ids[row] for row in rows.tolist()], f"{names[int(chosen)]} of {data.names[number]}")
        if st.button("Play from its first visit", icon=":material/play_arrow:", key="films.play.island"):
            jump(data, number, next(visit.first for visit in found.visits if visit.island == int(chosen)))
    frames = data.images.vectors[data.rows[number]]
    show_below(settings, data.ready, lambda: Direction((names[int(chosen)],), frames[found.of_frames == int(chosen)],
                                                       frames), key="films_island", label="This island in words")


def _shots(data: FilmsData, number: int) -> None:
    """The cuts by the path, and by PySceneDetect once it is asked for."""
    path, film = data.paths[number], data.film(number)
    shots = data.shots(number)
    others: dict[str, np.ndarray] = {}
    if number in data.cuts:
        panels.notice("The frames lie so far apart that cuts cannot be told from going on along the path. The shots of "
                      "this film are those that ffmpeg sees in all of its pictures; more frames a second would let the "
                      "path tell.")
        others["ffmpeg, all pictures"] = data.cuts[number]
    elif shots.sparse:
        panels.notice("The frames lie so far apart that cuts cannot be told from going on: look at more frames.",
                      "warning")
    if film is not None and state.pick_flag("Beside PySceneDetect, on the same frames", key="detect"):
        with panels.friendly_errors():
            others |= _detected(film, path.times)
    frame = ui.show(shot_figures.shots(shots, path.times, others=others, dark=ui.dark()), key="films.shots",
                    clicks=True, how_to_read=shot_figures.CAPTION,
                    table=lambda: shot_figures.table(shots, path.times))
    jump(data, number, frame)


def _detected(film: Film, times: np.ndarray) -> dict[str, np.ndarray]:
    """Frames of the path at which PySceneDetect's detectors begin a shot; as long work."""

    def detect(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, np.ndarray]:
        frames, n = small_frames(film, DETECTED_HEIGHT), len(film)

        def looked_at() -> object:
            for i in range(n):
                if should_stop():
                    raise OrreryError("the detectors to run to their end", "a stop", "Switch them on again.")
                on_progress(i / n, f"{clock(film.times[i])} looked at by PySceneDetect")
                yield np.asarray(frames.decode(i))

        fps = (n - 1) / max(float(film.times[-1] - film.times[0]), 1e-9) if n > 1 else 1.0
        return detected_starts(looked_at(), fps)  # type: ignore[arg-type]

    found: dict[str, np.ndarray] = work.result_of(fingerprint("detected", film.fingerprint), detect)
    rows = np.searchsorted(times, film.times)
    return {DETECTORS[key].title: np.unique(rows[starts]) for key, starts in found.items()}
