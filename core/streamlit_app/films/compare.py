"""Compare films: how far their paths lie apart, what their order adds, as a tree and as a map; their features."""

from __future__ import annotations

import streamlit as st

from core.figures.films import between as figures
from core.figures.films import features as feature_figures
from core.geometry.films.alignment import FRAMES, align
from core.geometry.films.between import MEASURES, FilmDistances, film_distances
from core.geometry.films.differing import features_differ
from core.geometry.films.feature_names import ORDER_FREE_FEATURES, PATH_FEATURES
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.selections import keep
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData, once
from core.streamlit_app.films.genres import features_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

SHOWN = {"path": "Of the path", "order_free": "Of the frames in any order"}


def show(settings: Settings, data: FilmsData) -> None:
    """Matrix with its tree, map, what order adds, two films laid along each other, features."""
    n = len(data.names)
    if n < 2:
        panels.notice("One film: bring another to compare it with.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = state.pick_option("Distance", MEASURES, key="film_distance")
        frames = state.pick_number("Frames of each film that are compared", 20, 400, key="thinned", default=FRAMES,
                                   step=20)

    def compare(on_progress: work.Progress, should_stop: work.Stop) -> FilmDistances:
        return film_distances(data.paths, [data.starts(i) for i in range(n)], frames=frames, seed=settings.seed,
                              on_progress=on_progress, should_stop=should_stop)

    found: FilmDistances = work.result_of(fingerprint("film distances", data.key, frames, settings.seed), compare)
    labels = [own[0] if own else "" for own in data.labels()]
    left, right = st.columns(2, gap="medium")
    with left:
        ui.show(figures.distance_matrix(found, measure=measure, dark=ui.dark()), key="films.distances",
                how_to_read=figures.HOW_TO_READ["matrix"], table=lambda: figures.distances_table(found))
    with right:
        ui.show(figures.film_map(found, labels, measure=measure, dark=ui.dark()), key="films.film_map",
                how_to_read=figures.HOW_TO_READ["map"], table=lambda: figures.map_table(found, labels))
    ui.show(figures.order_adds(found, dark=ui.dark()), key="films.order", how_to_read=figures.HOW_TO_READ["order"],
            table=lambda: figures.distances_table(found))
    _two(settings, data, frames)
    _features(data, labels)
    ui.copy_as_python(python.compare(settings, data, frames))


def _two(settings: Settings, data: FilmsData, frames: int) -> None:
    """Two films laid along each other."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {name: name for name in data.names}
        first = data.names.index(state.pick_option("Lay", names, key="lay"))
        second = data.names.index(state.pick_option("along", names, key="along", default=data.names[1]))
    if first == second:
        panels.notice("Choose two different films.")
        return
    a, b = data.paths[first], data.paths[second]
    found = once(("align", a.fingerprint, b.fingerprint, frames), lambda: align(a, b, frames=frames))
    ui.show(figures.alignment(found, dark=ui.dark()), key="films.alignment",
            how_to_read=figures.HOW_TO_READ["alignment"], table=lambda: figures.alignment_table(found))


def _features(data: FilmsData, labels: list[str]) -> None:
    """What is told of each path in numbers, and the films of a label as a selection."""
    every = once(("features", data.key), lambda: features_of(data, range(len(data.names))))
    which = state.pick_option("Features", SHOWN, key="film_features", widget="segments")
    keys = tuple(PATH_FEATURES if which == "path" else ORDER_FREE_FEATURES)
    found = once(("differ", data.key, which, labels),
                 lambda: features_differ(every.tables[which], keys, [label or "no label" for label in labels]))
    ui.show(feature_figures.by_genre(found, data.names, dark=ui.dark()), key="films.features",
            how_to_read=feature_figures.HOW_TO_READ, table=lambda: feature_figures.features_table(found, data.names))
    with st.expander("How far each feature differs", icon=":material/table:"):
        st.dataframe(feature_figures.differences_table(found), hide_index=True, key="films.features.apart")
    with st.expander("Features of all films", icon=":material/table:"):
        st.dataframe(feature_figures.features_table(found, data.names), hide_index=True, key="films.features.table")
    chosen = state.pick_option("Film", {name: name for name in data.names}, key="kept_film")
    if st.button("Keep its frames as a selection", icon=":material/bookmark_add:", key="films.keep.film"):
        ids = [data.images.ids[row] for row in data.rows[data.names.index(chosen)].tolist()]
        keep(data.ready, f"frames of {chosen}", ids, f"all frames of {chosen}")
