"""Watch: films played beside the sphere on which their paths lie, and what can be taken from here."""

from __future__ import annotations

import streamlit as st

from core.streamlit_app import panels, state
from core.streamlit_app.films import player, take
from core.streamlit_app.films.data import FilmsData, takes_prompts
from core.streamlit_app.state import Settings

MOST = 12
COLOURS = {"time": "Time", "film": "Film"}


def show(settings: Settings, data: FilmsData) -> None:
    """The films chosen, on one sphere with what is said and typed."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = state.pick_several("Films on the sphere", {name: name for name in data.names}, key="on_sphere",
                                   default=data.names[:1], most=MOST) if len(data.names) > 1 else data.names
        method = player.pick_map()
        colour = state.pick_option("Colour", COLOURS, key="path_colour") if len(names) > 1 else "time"
        with st.popover("Texts", icon=":material/subtitles:"):
            prompts = player.prompts_of(settings, data)
            subtitles = state.pick_flag("Subtitles as points", key="subtitles", default=True) \
                if takes_prompts(settings, data) else False
            if not takes_prompts(settings, data):
                st.caption("These vectors were made by another model than the one at hand: it has no texts for them.")
    if not names:
        panels.notice("Choose a film or two.")
        return
    numbers = [data.names.index(name) for name in names]
    shown = player.placed(settings, data, numbers, method, prompts=prompts, subtitles=subtitles)
    events = player.play(settings, data, shown, by_film=colour == "film")
    st.caption("Each point is a frame; the line joins frames that follow each other, faint where a shot ends. Play, "
               "and the ringed point moves; click on the path, a point or the strip, and the player goes there. How "
               "far angles on the sphere can be trusted stands under it.")
    take.show(settings, data, shown, min(events.film, len(numbers) - 1), events.camera)
