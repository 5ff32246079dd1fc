"""Where on the sphere each way of pointing takes the picture, among the pictures of what is open and the prompts."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st
from PIL.Image import Image

from core.attention.foveal.steering import Effects
from core.attention.prompts import TITLES
from core.figures.foveal.where import in_order, where
from core.figures.scenes.embedding import fidelity_in_words
from core.geometry.directions import angle
from core.geometry.maps.registry import MAPS, FittedMap, available, fit_map
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.embedding import ensure_embedded
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.types import fingerprint

POINT, CAMERA, VIEW = "foveal_point", "foveal_camera", "foveal.sphere"


def show(settings: Settings, data: FovealData, found: Effects, target: int, thumbs: Mapping[str, Image],
         code: Callable[[Ready, str], str]) -> None:
    """The live sphere with an arrow to each method, and the card of the point that was clicked.

    ``code`` gives the lines of Python that draw it, of what is open on a map.
    """
    st.subheader("Where on the sphere", anchor=False)
    ready = what_is_shown(ensure_embedded(settings.model_id, data.opened))
    images = ready.images
    if images is None:
        return
    left, right = st.columns([2.1, 1], gap="medium")
    with right:
        possible = [key for key in available(ready.vectors.shape[1], both=ready.has_both) if MAPS[key].needs != "axes"]
        first = "pca_centred_each" if ready.has_both else "pca_centred"
        method = state.pick_option("Map", {key: MAPS[key].title for key in possible}, key="foveal_map", default=first,
                                   help="\n".join(f"- **{MAPS[k].title}**: {MAPS[k].explanation}" for k in possible))
        if MAPS[method].warning and ready.has_both:
            panels.notice(MAPS[method].warning, "warning", one_line=True)
    with left:
        placed = _fitted(settings, ready, method)
    encoder = data.tower.encoder
    prompts = cached.prompt_vectors(encoder.spec.fingerprint, found.prompts, settings.model_id)
    n, p, m = len(images), len(found.prompts), len(found.methods)
    methods_at = placed.place(found.vectors, np.zeros(m, dtype=bool))
    prompts_at = placed.place(prompts, np.ones(p, dtype=bool))
    pictures = ready.pictures.beside({n + p + i: _webp(thumbs[name]) for i, name in enumerate(found.methods)})
    on_map = np.degrees(angle(methods_at, methods_at[0]))
    note = f"Map: {MAPS[method].title}. {fidelity_in_words(placed.map)} {in_order(found, on_map)}".strip()
    key = fingerprint("where", ready.key, data.opened.key, placed.map.fingerprint, found.vectors, found.probabilities,
                      found.methods, found.prompts, target, pictures.key)
    scene = cached.scene(key, lambda: where(found, methods_at, prompts_at, placed.map.coords[:n], images.ids,
                                            target=target, note=note, thumbnails=pictures))
    picked = _picked(found, ready)
    with left:
        events = sphere_view(scene, key=VIEW, height=560, picked=picked, dark=ui.dark(), facing=methods_at[0],
                             data=fingerprint(ready.key, data.key), camera=st.query_params.get(CAMERA) or None)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption("Arrows: from the picture as it is to each way of pointing. Click a point to read it; drag to "
                       "turn.")
            ui.copy_as_python(code(ready, method))
    with right, st.container(key="foveal.card"):
        if picked is None:
            st.caption("No point is picked. Click one on the sphere: how far it lies is read here.")
        else:
            _card(ready, found, picked, target, thumbs, on_map, prompts)
    if events.camera:
        state.write_url(CAMERA, events.camera)
    if events.clicked is not None and events.clicked != picked and events.clicked < len(scene):
        _pick(found, ready, events.clicked)
        st.rerun()


def _fitted(settings: Settings, ready: Ready, method: str) -> FittedMap:
    """The map that the Embedding Sphere has of the same vectors; made once."""
    vectors, texts = ready.vectors, ready.are_texts

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(vectors, method, texts=texts, seed=settings.seed, on_progress=on_progress,
                       should_stop=should_stop)

    found: FittedMap = work.result_of(fingerprint("map", ready.key, method, settings.seed, None), fit)
    return found


def _webp(picture: Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=85)
    return out.getvalue()


def _picked(found: Effects, ready: Ready) -> int | None:
    """The point that was picked, by its name, here or in a link."""
    assert ready.images is not None
    kind, _, name = str(st.query_params.get(POINT) or "").partition(":")
    n, p = len(ready.images), len(found.prompts)
    if kind == "method" and name in found.methods:
        return n + p + found.methods.index(name)
    if kind == "prompt" and name in found.prompts:
        return n + found.prompts.index(name)
    return ready.images.ids.index(name) if kind == "image" and name in ready.images.ids else None


def _pick(found: Effects, ready: Ready, row: int) -> None:
    assert ready.images is not None
    n, p = len(ready.images), len(found.prompts)
    state.write_url(POINT, f"image:{ready.images.ids[row]}" if row < n else f"prompt:{found.prompts[row - n]}"
                    if row < n + p else f"method:{found.methods[row - n - p]}")


def _card(ready: Ready, found: Effects, row: int, target: int, thumbs: Mapping[str, Image], on_map: np.ndarray,
          prompts: np.ndarray) -> None:
    """What a point is, and how far it lies from the picture as it is."""
    images = ready.images
    assert images is not None
    n, p = len(images), len(found.prompts)
    if row >= n + p:
        i = row - n - p
        name = found.methods[i]
        st.image(thumbs[name])
        st.html(f'<div class="orrery-h">{panels.text_html(TITLES[name])}</div>')
        panels.facts([("moved", f"{found.angles[i]:.1f}° of the true sphere"), ("on the map", f"{on_map[i]:.1f}°"),
                      (f"“{found.prompts[target]}”", f"{100 * found.probabilities[i, target]:.1f} %, cosine "
                                                     f"{found.cosines[i, target]:.3f}"),
                      ("raw norm", f"{found.norms[i]:.3f}")])
        return
    vector = images.vectors[row] if row < n else prompts[row - n]
    if row < n:
        picture = ready.pictures.small(row)
        if picture is not None:
            st.image(picture)
    said = images.ids[row] if row < n else f"Prompt: {found.prompts[row - n]}"
    st.html(f'<div class="orrery-h">{panels.text_html(said)}</div>')
    apart = np.degrees(angle(found.vectors, vector))
    panels.facts([(TITLES[name] if i else "as it is", f"{apart[i]:.1f}° away") for i, name in
                  enumerate(found.methods)])
