"""The sphere of Retrieve: everything that is open by its score, the hits, and where the marks moved the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.figures.scenes.embedding import Points, fidelity_in_words
from core.figures.words.found import found
from core.geometry.directions import angle
from core.geometry.maps.registry import MAPS, FittedMap, available, fit_map
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.card import image_card, point_card
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval.query import Query, View
from core.types import Modality, fingerprint

POINT, CAMERA, VIEW = "retrieve_point", "retrieve_camera", "retrieve.sphere"


def show(settings: Settings, view: View, query: Query, of: Modality, scores: np.ndarray, measure: str,
         steps: np.ndarray, hits: Sequence[int], said: Callable[[int], str]) -> None:
    """The live sphere with the query's path, and the card of the point that was clicked; ``said`` is a row's score."""
    ready, vectors = view.ready, view.vectors
    st.subheader("On the sphere", anchor=False)
    left, right = st.columns([2.1, 1], gap="medium")
    with right:
        possible = [key for key in available(vectors.shape[1], both=False) if MAPS[key].needs != "axes"]
        method = state.pick_option("Map", {key: MAPS[key].title for key in possible}, key="retrieve_map",
                                   help="\n".join(f"- **{MAPS[k].title}**: {MAPS[k].explanation}" for k in possible))
        heat = state.pick_flag("Heat: where the best fifth lies", key="retrieve_heat")
    with left:
        placed = _fitted(settings, view, method)
    coords, n, start = placed.map.coords, len(vectors), view.first(of)
    places = placed.place(steps)
    names = ["the query" if len(steps) == 1 else "as asked", *(f"round {i}" for i in range(1, len(steps)))]
    values = np.full(n, np.nan)
    values[start:start + len(scores)] = scores
    points = Points(ready.images, ready.texts, ready.captions, ready.links, names, steps, 0, ready.has_gap)
    title = _finding(query, steps, places)
    note = f"Map: {MAPS[method].title}. {fidelity_in_words(placed.map)}"
    rows = [start + row for row in hits]
    key = fingerprint("hits on the sphere", view.key, ready.opened.key, placed.map.fingerprint, steps, values, rows,
                      heat, title, measure, ready.pictures.key)
    scene = cached.scene(key, lambda: found(
        coords, points.kinds()[:n], points.labels()[:n], values, places, rows, measure=f"{measure} to the query",
        names=names, title=title, note=note, heat=heat, thumbnails=ready.pictures))
    picked = _picked(len(scene))
    with left:
        events = sphere_view(scene, key=VIEW, height=560, picked=picked, dark=ui.dark(), facing=places[-1],
                             data=fingerprint(view.key, method), camera=st.query_params.get(CAMERA) or None)
        st.caption("Colour: how near each is to the query as it is now. Numbers: the first hits. Arrows: from where "
                   "the query was asked to where each round of marks moved it. Click a point to see it; drag to turn.")
    with right, st.container(key="retrieve.card"):
        if picked is None:
            st.caption("No point is picked. Click one on the sphere to see it.")
        else:
            _card(view, points, picked, measure, steps, n,
                  said(picked - start) if picked < n and np.isfinite(values[picked]) else "")
    if events.camera:
        state.write_url(CAMERA, events.camera)
    if events.clicked is not None and events.clicked != picked and events.clicked < len(scene):
        state.write_url(POINT, str(events.clicked))
        st.rerun()


def _fitted(settings: Settings, view: View, method: str) -> FittedMap:
    """The map that the Embedding Sphere has of the same vectors; made once."""
    vectors, texts = view.vectors, view.ready.are_texts

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(vectors, method, texts=texts, seed=settings.seed, on_progress=on_progress,
                       should_stop=should_stop)

    made: FittedMap = work.result_of(fingerprint("map", view.key, method, settings.seed, None), fit)
    return made


def _finding(query: Query, steps: np.ndarray, places: np.ndarray) -> str:
    if len(steps) == 1:
        return f"Where {query.said} points, and what it finds"
    true, seen = (np.degrees(float(angle(at[0], at[-1]))) for at in (steps, places))
    n = len(steps) - 1
    return (f"{n} round{'s' * (n != 1)} of marks moved the query by {true:.0f}° of the true sphere, {seen:.0f}° on "
            "this map")


def _picked(n: int) -> int | None:
    raw = str(st.query_params.get(POINT) or "")
    return int(raw) if raw.isdecimal() and len(raw) < 10 and int(raw) < n else None


def _card(view: View, points: Points, row: int, measure: str, steps: np.ndarray, n: int, said: str) -> None:
    if row >= n:
        step = row - n
        st.html(f'<div class="orrery-h">{panels.text_html(points.prompts[step])}</div>')
        apart = np.degrees(angle(steps, steps[step]))
        panels.facts([(f"to {points.prompts[i]}", f"{apart[i]:.1f}° of the true sphere") for i in range(len(steps))
                      if i != step])
        return
    if points.images is not None and row < len(points.images):
        image_card(view.ready, row, points.images.ids[row])
        panels.facts([("id", points.images.ids[row])])
    else:
        point_card(view.ready, points, row, view.ready.pictures)
    if said:
        panels.facts([(f"{measure} to the query", said)])
