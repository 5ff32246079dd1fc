"""The parts of the Embedding Sphere page: choices, the live sphere with the card of a point, fidelity, the table."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.encoding.registry import FIRST_CHOICE_FOR_PHOTOS, MODELS
from core.figures.embedding_scene import FIDELITY, Points, column_colouring, embedding_scene, similarity_colouring
from core.geometry.maps import MAPS, FittedMap
from core.scene import Colouring, SphereScene
from core.streamlit_app import cached, panels, state, ui
from core.streamlit_app.card import kind_of, point_card, point_neighbours
from core.streamlit_app.embedding import Ready
from core.streamlit_app.sphere_view import sphere_view
from core.streamlit_app.state import Settings
from core.types import fingerprint

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from core.encoding.clip import DualEncoder

MOST_PROMPTS = 12
_SKIPPED_COLUMNS = ("id", "text", "norm", "modality")
VIEW = "sphere"
DRAWN = "sphere.drawn"


@dataclass(frozen=True)
class Choices:
    """What the visitor chose for the sphere."""

    method: str = "pca"
    colour: str = "modality"
    arcs: bool = False
    means: bool = True
    pictures: bool = True
    prompts: tuple[str, ...] = ()
    prompt_vectors: np.ndarray | None = field(default=None, compare=False)


def pick_choices(settings: Settings, ready: Ready) -> Choices:
    """The widgets beside the sphere; each stands in the URL."""
    dim = ready.vectors().shape[1]
    maps = {key: m.title for key, m in MAPS.items() if not m.needs or (m.needs == "3-d vectors" and dim == 3)}
    left, right = st.columns(2)
    with left:
        method = state.pick_option("Map", maps, key="map",
                                   help="\n".join(f"- **{MAPS[k].title}**: {MAPS[k].explanation}" for k in maps))
    with right:
        colour = state.pick_option("Colour by", _colours(ready), key="colour")
    with st.container(horizontal=True, gap="small", key="sphere.bar"):
        with st.popover("Show", icon=":material/layers:"):
            means = state.pick_flag("Means, caps and gap", key="means", default=True,
                                    help="Each cap holds half of its modality.")
            arcs = state.pick_flag("Arcs between pairs", key="arcs", disabled=not len(ready.links))
            pictures = state.pick_flag("Pictures on the sphere", key="pictures", default=True)
        prompts, vectors = _pick_prompts(settings, ready)
    if MAPS[method].centred:
        panels.notice("This map subtracts the mean first: it destroys the modality gap.", "warning")
    return Choices(method, colour, arcs, means, pictures, prompts, vectors)


def _say_what_is_odd(settings: Settings, ready: Ready) -> None:
    if ready.truncated:
        n = len(ready.truncated)
        panels.notice(f"{n:,} {'text is' if n == 1 else 'texts are'} longer than the model reads: "
                      f"the end was not seen. The table marks them.", "warning")
    if settings.model_id == "builtin" and not ready.opened.built_in and ready.opened.vectors is None:
        better = MODELS[FIRST_CHOICE_FOR_PHOTOS].title
        panels.notice("The built-in model has only ever seen rendered solids: your items get places, but little "
                      f"meaning. For real photos choose {better} in the sidebar.", "warning")


def _colours(ready: Ready) -> dict[str, str]:
    options = {"modality": "modality", "norm": "norm of the raw vector", "distortion": "distortion by the map"}
    tables = [part.table for part in (ready.images, ready.texts) if part is not None]
    columns = dict.fromkeys(str(c) for table in tables for c in table.columns if str(c) not in _SKIPPED_COLUMNS)
    options |= {f"column:{column}": column for column in columns}
    options["prompt"] = "cosine to the first prompt"
    return options


def _pick_prompts(settings: Settings, ready: Ready) -> tuple[tuple[str, ...], np.ndarray | None]:
    """Prompts typed in, one a line, with their unit vectors; words the model never saw are marked."""
    if ready.opened.vectors is not None:
        return (), None
    with st.popover("Your prompts", icon=":material/edit_note:"):
        typed = state.pick_text("One prompt a line; each becomes a point", key="prompts", lines=4,
                                placeholder="a photo of a red cube\na pencil sketch of a star")
        prompts = tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
        if len(prompts) > MOST_PROMPTS:
            panels.notice(f"The first {MOST_PROMPTS} prompts are shown.", "warning")
            prompts = prompts[:MOST_PROMPTS]
    if not prompts:
        return (), None
    encoder = cached.encoder(settings.model_id)
    _say_prompts(encoder, prompts)
    return prompts, cached.prompt_vectors(encoder.spec.fingerprint, prompts, settings.model_id)


def _say_prompts(encoder: DualEncoder, prompts: tuple[str, ...]) -> None:
    """The prompts, words the model never saw underlined, and what of them it does not see."""
    chips, strange = [], False
    for prompt in prompts:
        unknown = set(encoder.unknown_words(prompt))
        strange |= bool(unknown)
        words = (html.escape(part) for part in re.split(r"(\W+)", prompt[:200]))
        chips.append("<span>" + "".join(f"<u>{w}</u>" if w.lower() in unknown else w for w in words) + "</span>")
    st.html(f'<div class="orrery-chips">{"".join(chips)}</div>')
    if strange:
        st.caption("Underlined: words this model has never seen. They are letters without meaning to it.")
    n = int(encoder.truncated(prompts).sum())
    if n:
        panels.notice(f"{n} of your prompts {'is' if n == 1 else 'are'} longer than the model reads "
                      f"({encoder.context_length} tokens): the end is not seen.", "warning")


def points_of(ready: Ready, choices: Choices) -> Points:
    """Images, texts and prompts in one row."""
    return Points(ready.images, ready.texts, ready.captions, ready.links, choices.prompts, choices.prompt_vectors)


def fitted(ready: Ready, choices: Choices) -> FittedMap:
    """The chosen map of what is open."""
    return cached.fitted_map(ready.key, choices.method, 0, "", ready.vectors())


def scene_of(ready: Ready, choices: Choices) -> SphereScene:
    """What the sphere shows."""
    placed = fitted(ready, choices)
    key = fingerprint("sphere", ready.key, ready.opened.name, placed.map.fingerprint, choices.colour, choices.arcs,
                      choices.means, choices.pictures, choices.prompts, sorted(ready.pictures))
    return cached.scene(key, partial(_make_scene, ready, choices, placed))


def _make_scene(ready: Ready, choices: Choices, placed: FittedMap) -> SphereScene:
    points = points_of(ready, choices)
    coords = None if choices.prompt_vectors is None else placed.place(choices.prompt_vectors)
    note = f"Map: {MAPS[choices.method].title}."
    total = points.n_images
    if 0 < len(ready.pictures) < total:
        note += f" Pictures for {len(ready.pictures):,} of {total:,} images."
    return embedding_scene(points, placed.map, coords, colouring=_colouring(ready, points, choices, placed),
                           pictures=ready.pictures, on_sphere=60 if choices.pictures else 0, arcs=choices.arcs,
                           means=choices.means, note=note)


def _colouring(ready: Ready, points: Points, choices: Choices, placed: FittedMap) -> Colouring | None:
    if choices.colour.startswith("column:"):
        return column_colouring(points, choices.colour.removeprefix("column:"))
    extra = np.full(len(choices.prompts), np.nan)
    if choices.colour == "norm":
        norms = [part.norms for part in (ready.images, ready.texts) if part is not None]
        return Colouring("norm of the raw vector", values=np.concatenate([*norms, extra]).astype(np.float64))
    if choices.colour == "distortion":
        own = cached.distortion(placed.map.fingerprint, ready.vectors(), placed.map.coords)
        return Colouring("distortion by the map (0: neighbours kept, 0.5: random)",
                         values=np.concatenate([own.astype(np.float64), extra]))
    if choices.colour == "prompt" and choices.prompt_vectors is not None:
        return similarity_colouring(points, choices.prompt_vectors[0], f"“{choices.prompts[0][:40]}”")
    return None


def show_sphere(settings: Settings, ready: Ready) -> None:
    """The live sphere with its widgets and the card of the point that was clicked; then the points."""
    _say_what_is_odd(settings, ready)
    _live(settings, ready)
    choices: Choices = st.session_state[DRAWN]
    _show_table(ready, choices)


@st.fragment
def _live(settings: Settings, ready: Ready) -> None:
    """Clicks, turns and choices redraw this part alone; the table below follows when it must."""
    left, right = st.columns([2.1, 1], gap="medium")
    with right:
        choices = pick_choices(settings, ready)
    points = points_of(ready, choices)
    picked = _picked(points)
    with left:
        events = sphere_view(scene_of(ready, choices), key=VIEW, height=620, picked=picked, camera=_camera(),
                             dark=ui.dark())
        _show_fidelity(ready, choices)
    if events.camera:
        state.kept()["camera"] = events.camera
        state.write_url("camera", events.camera)
    if events.clicked is not None and events.clicked != picked and events.clicked < len(points):
        _pick(points, events.clicked)
        st.rerun(scope="fragment")
    with right, st.container(key="card"):
        if picked is None:
            _invitation()
        else:
            if st.button("Close", icon=":material/close:", type="tertiary", key="card.close"):
                _pick(points, None)
                st.rerun(scope="fragment")
            point_card(ready, points, picked)
    if picked is not None:
        point_neighbours(ready, points, picked)
    before = st.session_state.get(DRAWN)
    st.session_state[DRAWN] = choices
    if before is not None and (before.method, before.prompts) != (choices.method, choices.prompts):
        st.rerun()


def _camera() -> str | None:
    """Where the camera was: of a link, or of this visit."""
    return st.query_params.get("camera") or (str(state.kept()["camera"]) if "camera" in state.kept() else None)


def _name(points: Points, row: int) -> str:
    return f"{kind_of(points, row)}:{points.table()['id'].iloc[row]}"


def _picked(points: Points) -> int | None:
    """The point that was picked, by its name, here or in a link."""
    name = st.query_params.get("point") or state.kept().get("point")
    if not name:
        return None
    kind, _, item = str(name).partition(":")
    if kind == "prompt":
        number = item.removeprefix("prompt ")
        row = int(number) - 1 if number.isdecimal() else -1
        return points.n_images + points.n_texts + row if 0 <= row < len(points.prompts) else None
    part, start = (points.images, 0) if kind == "image" else (points.texts, points.n_images)
    if part is None or item not in part.ids:
        return None
    return start + part.ids.index(item)


def _pick(points: Points, row: int | None) -> None:
    if row is None:
        state.kept().pop("point", None)
        state.write_url("point", None)
    else:
        state.kept()["point"] = _name(points, row)
        state.write_url("point", _name(points, row))


def _invitation() -> None:
    st.subheader("How to read this", anchor=False)
    st.markdown(
        "- **Drag** to turn, **scroll** to come nearer, **hover** for a picture, **click** a point for its card.\n"
        "- Near points have a high cosine, as far as the map can show it: its fidelity stands below.\n"
        "- A **cap** holds half of a modality round its mean; the **gap** is the arc between the means.\n"
        "- The address of this page holds the view: copy it to share what you see.")


def _show_fidelity(ready: Ready, choices: Choices) -> None:
    """How far the map can be trusted, and the lines of code that make the figure."""
    placed = fitted(ready, choices)
    rows = []
    for name, title in FIDELITY.items():
        number = placed.map.fidelity.get(name)
        if number is None:
            continue
        interval = "" if number.low is None or number.high is None else f"{number.low:.2f} to {number.high:.2f}"
        rows.append((title, f"{number.value:.2f}", interval, "" if number.null is None else f"{number.null:.2f}"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sphere.foot"):
        with st.popover("How far to trust this map", icon=":material/verified:"):
            st.dataframe(pd.DataFrame(rows, columns=["", "value", "95 % interval", "by chance"]), hide_index=True)
            st.caption("Spearman: do cosines keep their order? Overlap, trustworthiness, continuity: do neighbours "
                       "stay neighbours? Variance: how much of the length do three directions hold?")
        ui.copy_as_python(_code(ready, choices))
        with st.popover("Download", icon=":material/download:"):
            ui.download_figure(partial(_figure, ready, choices), "sphere")
            ui.download_table(lambda: table_of(ready, choices), "sphere-points")


def _figure(ready: Ready, choices: Choices) -> go.Figure:
    from core.figures.sphere import sphere

    return sphere(scene_of(ready, choices), ui.dark())


def _code(ready: Ready, choices: Choices) -> str:
    return (
        "from core.encoding.models import load_model\n"
        "from core.encoding.pipeline import embed\n"
        "from core.encoding.store import Store\n"
        "from core.figures.embedding_scene import FIDELITY, Points, embedding_scene\n"
        "from core.figures.sphere import sphere\n"
        "from core.geometry.maps import fit_map\n"
        "from core.sources.solids.world import open_world\n\n"
        "dataset = open_world(n=300)          # or open_folder, open_zip, open_table\n"
        'found = embed(dataset, load_model("builtin"), Store())\n'
        "points = Points(found.images, found.texts, dataset.texts, found.links)\n"
        f'fitted = fit_map(points.vectors(), "{choices.method}")\n'
        "sphere(embedding_scene(points, fitted.map)).show()\n")


def _show_table(ready: Ready, choices: Choices) -> None:
    """One row a point, to sort, to search and to download."""
    st.subheader("The points", anchor=False)
    table = table_of(ready, choices)
    st.dataframe(table, hide_index=True, height=340, key="sphere.table")


def table_of(ready: Ready, choices: Choices) -> pd.DataFrame:
    """The points with their places on the map."""
    points, placed = points_of(ready, choices), fitted(ready, choices)
    table = points.table()
    if ready.truncated:
        table.insert(3, "end not seen", table["id"].isin(ready.truncated) & (table["modality"] == "text"))
    coords = placed.map.coords
    if choices.prompt_vectors is not None:
        coords = np.concatenate([coords, placed.place(choices.prompt_vectors)])
    return table.assign(x=coords[:, 0], y=coords[:, 1], z=coords[:, 2])
