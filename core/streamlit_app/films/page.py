"""The frame of the Video Trajectories page: what is brought, which frames are looked at, and the sections."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.streamlit_app import models, panels, state, ui
from core.streamlit_app.data.beside import note
from core.streamlit_app.data.embedding import ensure_embedded
from core.streamlit_app.data.fit import say_misfit
from core.streamlit_app.films import (
    compare,
    correlate,
    genres,
    islands,
    perturb,
    read,
    through_models,
    watch,
)
from core.streamlit_app.films.bring import pick_films
from core.streamlit_app.films.data import FilmsData, data_of, with_cuts
from core.streamlit_app.state import Settings

SECTIONS: dict[str, tuple[str, Callable[[Settings, FilmsData], None]]] = {
    "watch": ("Watch", watch.show),
    "read": ("Read the path", read.show),
    "islands": ("Islands", islands.show),
    "correlate": ("Correlate", correlate.show),
    "models": ("Through models", through_models.show),
    "compare": ("Compare films", compare.show),
    "genres": ("Genres", genres.show),
    "perturb": ("Change an image", perturb.show),
}


def show_films(settings: Settings) -> None:
    """Bring films, embed the frames that are looked at, and show one section at a time."""
    with st.sidebar:
        models.show_state(settings.model_id)
    brought = pick_films()
    if brought is None:
        return
    section = state.pick_option("Section", {key: title for key, (title, _) in SECTIONS.items()}, key="films_at",
                                widget="segments", label_visible=False)
    say_misfit(settings.model_id, brought.opened)
    ready = ensure_embedded(settings.model_id, brought.opened)
    ui.refused_panel(ready.refused[len(brought.opened.refused):])
    note("films", ready, "film")
    with panels.friendly_errors():
        SECTIONS[section][1](settings, with_cuts(data_of(brought, ready)))
