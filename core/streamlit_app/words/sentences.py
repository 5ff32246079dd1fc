"""Sentence paths: the vector of a sentence word by word, as curves and on the live sphere."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.scenes.embedding import fidelity_in_words
from core.figures.words import growing as figures
from core.geometry.maps.registry import MAPS, FittedMap, available, fit_map
from core.language.words.sentences import MOST_SENTENCES, SHUFFLES, SentencePath, sentence_paths
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.streamlit_app.words.data import pick_image
from core.streamlit_app.words.typed import lines_of, say_unread
from core.types import fingerprint

BUILT_IN = "a photo of a large red cube in a meadow\na blue star on the sea"
OTHER = "a photo of a dog on a beach\na man riding a horse"
POINT, CAMERA = "sentences_point", "sentences_camera"


def show(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    """Sentences typed, their paths, and what their order is worth."""
    left, right = st.columns([2, 1], gap="medium")
    with left:
        typed = state.pick_text(f"Sentences, one a line, at most {MOST_SENTENCES}", key="sentences_typed", lines=4,
                                default=BUILT_IN if ready.opened.built_in else OTHER)
    sentences, row = lines_of(typed), None
    with right:
        if ready.images is not None and state.pick_flag("Beside an image", key="sentences_image", default=True):
            row = pick_image(ready)
    if not sentences:
        panels.notice("Type a sentence to see its path.")
        return
    if len(sentences) > MOST_SENTENCES:
        panels.notice(f"The first {MOST_SENTENCES} of {len(sentences):,} sentences are shown.", "warning")
    sentences = sentences[:MOST_SENTENCES]
    say_unread(encoder, sentences)
    image = None if row is None or ready.images is None else ready.images.vectors[row]
    key = fingerprint("sentences", encoder.spec.fingerprint, sentences, image, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[SentencePath, ...]:
        return sentence_paths(encoder, sentences, image, seed=settings.seed, on_progress=on_progress,
                              should_stop=should_stop)

    paths: tuple[SentencePath, ...] = work.result_of(key, measure)
    ui.show(figures.growing(paths, dark=ui.dark()), key="texts.growing", how_to_read=figures.CAPTION,
            table=lambda: figures.growing_table(paths))
    imports, lines = points_lines(settings, ready)
    model = "" if any(line.startswith("model =") for line in lines) else f"model = load_model({settings.model_id!r})\n"
    beside = "" if row is None else f", points.images.vectors[{row}]"
    ui.copy_as_python(as_code(
        [*imports, "from core.encoding.models import load_model", "from core.figures.words.growing import growing",
         "from core.language.words.sentences import sentence_paths"],
        [*lines, f"{model}paths = sentence_paths(model, {list(sentences)!r}{beside}, shuffles={SHUFFLES}, "
                 f"seed={settings.seed})",
         "print(paths[0].to_whole, paths[0].order)", "growing(paths).show()"]))
    _sphere(settings, ready, paths, row, key)


def _sphere(settings: Settings, ready: Ready, paths: tuple[SentencePath, ...], row: int | None, key: str) -> None:
    st.subheader("On the sphere", anchor=False)
    possible = [name for name in available(ready.vectors.shape[1], both=ready.has_both) if MAPS[name].needs != "axes"]
    method = state.pick_option("Map", {name: MAPS[name].title for name in possible}, key="sentences_map",
                               default="pca_centred_each" if ready.has_both else "pca_centred")
    if MAPS[method].warning and ready.has_both:
        panels.notice(MAPS[method].warning, "warning", one_line=True)

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(ready.vectors, method, texts=ready.are_texts, seed=settings.seed, on_progress=on_progress,
                       should_stop=should_stop)

    fitted: FittedMap = work.result_of(fingerprint("map", ready.key, method, settings.seed, None), fit)
    places = [fitted.place(path.points, np.ones(len(path.points), dtype=bool)) for path in paths]
    labels = (*(() if ready.images is None else ready.images.ids), *ready.captions)
    note = f"Map: {MAPS[method].title}. {fidelity_in_words(fitted.map)}"
    scene = cached.scene(fingerprint("growing", key, fitted.map.fingerprint, row, ready.pictures.key), lambda:
                         figures.growing_scene(paths, places, fitted.map.coords, ready.are_texts.astype(np.uint8),
                                               labels, image=row, note=note, thumbnails=ready.pictures.beside({})))
    asked = state.value_of(POINT, "")
    picked = int(asked) if asked.isdecimal() and int(asked) < len(scene) else None
    events = sphere_view(scene, key="texts.sphere", height=560, picked=picked, dark=ui.dark(), facing=places[0][-1],
                         data=fingerprint(ready.key, method), camera=st.query_params.get(CAMERA) or None)
    st.caption("Each line is a sentence from its first word to its last, placed on the map of what is open. Click a "
               "point to read it; drag to turn." if picked is None else panels.plain(scene.labels[picked]))
    if events.camera:
        state.write_url(CAMERA, events.camera)
    if events.clicked is not None and events.clicked != picked and events.clicked < len(scene):
        state.write_url(POINT, str(events.clicked))
        st.rerun()
