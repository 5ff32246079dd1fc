"""Look: where the model looks before and after the foveal mask, and what the prompts get."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.attention.foveal.looking import Attended, attend, inside, moved, shares_inside
from core.attention.foveal.places import places_of
from core.attention.masks import Steering
from core.attention.prompts import encode_prompted
from core.attention.towers import ImageTower
from core.figures.foveal import attention as figures
from core.figures.foveal.prompted import probabilities, probabilities_table
from core.geometry.directions import angles, unit
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.foveal import python
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import pick_steering
from core.streamlit_app.state import Settings
from core.types import fingerprint

LARGE, TOKEN, KIND = "large", "token", "kind"
ROLLOUT, MEAN = "rollout", "mean"


def show(settings: Settings, data: FovealData) -> None:
    """Probabilities of the prompts, shares inside the region, and attention by layer and head, before and after."""
    steering = pick_steering(data.tower)
    if data.region is None:
        panels.notice("Nothing is masked yet: draw a box on the picture, or pick a region.")
    patch = _patch(data.tower)
    before = _attended(data, None, steering, patch)
    after = None if data.region is None or steering.idle else _attended(data, data.region, steering, patch)
    left, right = st.columns(2, gap="large")
    with left:
        _prompts(settings, data, steering, before, after)
    with right:
        _within(data, before, after)
    _maps(data, before, after, patch)
    ui.copy_as_python(python.look(settings, data, steering, patch))


def _attended(data: FovealData, masked: object, steering: Steering, patch: tuple[int, int] | None) -> Attended:
    """Attention with the mask or without it; kept for all who look at the same."""
    region = None if masked is None else data.region
    key = fingerprint("attended", data.of_the_picture if region is None else data.key,
                      "" if region is None else repr(steering), patch)
    return work.result_of(key, lambda _progress, _stop: attend(  # type: ignore[no-any-return]
        data.tower, data.image, region, steering, patch=patch))


def _prompts(settings: Settings, data: FovealData, steering: Steering, before: Attended,
             after: Attended | None) -> None:
    """What each prompt gets, beside the same mask elsewhere."""
    others = None if after is None else _elsewhere(settings, data, steering)
    vectors = np.stack([before.vector, *([] if after is None else [after.vector]), *(() if others is None else others)])
    encoder = data.tower.encoder
    found: np.ndarray = cached.results().of(
        fingerprint("prompted", encoder.spec.fingerprint, vectors, data.prompts),
        lambda: encoder.probabilities(vectors, np.ones(len(vectors), dtype=np.float32), data.prompts))
    turned = 0.0 if after is None else float(np.degrees(angles(vectors[:1], vectors[1:2])[0, 0]))
    turned_elsewhere = None if others is None else np.degrees(angles(vectors[:1], others)[0])
    parts = found[0], None if after is None else found[1], None if others is None else found[2:]
    figure = probabilities(data.prompts, *parts, turned=turned, turned_elsewhere=turned_elsewhere, dark=ui.dark())
    each = "each prompt by itself (a sigmoid)" if encoder.model.config.model_type == "siglip" else (
        f"by chance {100 / len(data.prompts):.0f} % each")
    ui.show(figure, key="foveal.prompts", table=lambda: probabilities_table(data.prompts, *parts), how_to_read=(
        f"One picture, {len(data.prompts)} prompts, at the model's own temperature; {each}. Diamonds: the same mask "
        "moved to other places, the mean and from lowest to highest. What rises only where the region is comes from "
        "the region."))


def _elsewhere(settings: Settings, data: FovealData, steering: Steering) -> np.ndarray | None:
    """(k, d) unit vectors with the same mask on other places; None where the region fills what is seen, and until they
    are there."""
    tower, image, region = data.tower, data.image, data.region
    assert region is not None
    places = places_of(tower, image, region, seed=settings.seed)
    if not places:
        return None
    return work.result_beside(
        fingerprint("elsewhere", data.key, repr(steering), settings.seed),
        lambda on_progress, should_stop: unit(encode_prompted(
            tower, [image] * len(places), places, "foveal", steering, on_progress=on_progress,
            should_stop=should_stop)))


def _within(data: FovealData, before: Attended, after: Attended | None) -> None:
    """What falls into the region, layer by layer."""
    if data.region is None:
        return
    patches = inside(data.region, data.image, data.tower)
    parts = (shares_inside(before.pooling, patches),
             None if after is None else shares_inside(after.pooling, patches), float(patches.mean()))
    whose = "class token" if data.tower.cls else "pooling probe"
    ui.show(figures.within(*parts, whose=whose, dark=ui.dark()), key="foveal.within",
            table=lambda: figures.within_table(*parts), how_to_read=(
        f"Of the attention that the {whose} pays to patches, what falls on the {int(patches.sum())} patches that the "
        "region covers. By share, the mask also lets through patches that are covered in part. Small dots: single "
        "heads; the line: their mean. Dotted: attention that is the same everywhere."))


def _maps(data: FovealData, before: Attended, after: Attended | None, patch: tuple[int, int] | None) -> None:
    """The mosaic of all heads, and one map of it over the picture, before, after and changed."""
    tower = data.tower
    even = float(np.prod(tower.grid))
    layers = before.rows.shape[0]
    kinds = {"after": "with the mask", "before": "without the mask", "change": "the change"}
    st.subheader("Where it looks", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="foveal.maps"):
        kind = "before" if after is None else state.pick_option("Show", kinds, key=KIND, widget="segments")
        with st.container(width=260):
            large = state.pick_option("Large", _choices(layers, tower.heads), key=LARGE, help=(
                "Rollout joins all layers; a head can also be clicked in the mosaic."))
        if patch is not None and st.button("Back to the class token" if tower.cls else "Back to the pooling probe",
                                           icon=":material/undo:", key="foveal.token"):
            _to(TOKEN, "")
            st.rerun()
    rows = {"before": before.rows * even}
    if after is not None:
        rows |= {"after": after.rows * even, "change": (after.rows - before.rows) * even}
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        chosen = _head(large)
        clicked = ui.show(
            figures.mosaic(rows[kind], _finding(tower, patch, kind, before, after), change=kind == "change",
                           chosen=chosen, dark=ui.dark()),
            key="foveal.mosaic", clicks=True,
            table=lambda: figures.mosaic_table(before.rows, None if after is None else after.rows), how_to_read=(
                f"A square a head, {tower.grid[0]} x {tower.grid[1]} patches each; 1 is attention that is the same "
                "everywhere. Click a head to see it large."))
        if clicked is not None:
            _to(LARGE, f"{int(clicked[0]) + 1}.{int(clicked[1]) + 1}")
            st.rerun()
    with right:
        _large(data, large, rows, before, after, even, kind, patch)


def _large(data: FovealData, large: str, rows: dict[str, np.ndarray], before: Attended, after: Attended | None,
           even: float, kind: str, patch: tuple[int, int] | None) -> None:
    if large == ROLLOUT:
        maps = {"before": before.rolled * even}
        if after is not None:
            maps |= {"after": after.rolled * even, "change": (after.rolled - before.rolled) * even}
    else:
        maps = {name: one_map(values, large) for name, values in rows.items()}
    end = None if kind == "change" else max(float(values.max()) for name, values in maps.items() if name != "change")
    of = figures.KINDS[kind]
    title = f"{_in_words(large)}, {of}: " + _peak(maps[kind], kind == "change")
    clicked = ui.show(
        figures.over(data.image, maps[kind], data.seen, title, change=kind == "change", end=end,
                     token=None if large == ROLLOUT else patch, dark=ui.dark()),
        key="foveal.large", clicks=True, table=lambda: figures.over_table(maps), how_to_read=(
            "With and without the mask the colours mean the same. Click a patch to see where it looks itself, in all "
            "heads."))
    if clicked is not None:
        _to(TOKEN, f"{int(clicked[0]) + 1}.{int(clicked[1]) + 1}")
        st.rerun()


def one_map(rows: np.ndarray, large: str) -> np.ndarray:
    """(rows, columns) of (layers, heads, rows, columns): one head "layer.head", or the mean of a layer "mean.layer"."""
    head = _head(large)
    return rows[head] if head is not None else rows[int(large.removeprefix(f"{MEAN}.")) - 1].mean(axis=0)


def _choices(layers: int, heads: int) -> dict[str, str]:
    names = {ROLLOUT: "Rollout, all layers"}
    names |= {f"{MEAN}.{layer + 1}": f"Layer {layer + 1}, mean of its heads" for layer in range(layers)}
    return names | {f"{layer + 1}.{head + 1}": f"Layer {layer + 1}, head {head + 1}"
                    for layer in range(layers) for head in range(heads)}


def _head(large: str) -> tuple[int, int] | None:
    layer, _, head = large.partition(".")
    return (int(layer) - 1, int(head) - 1) if layer.isdigit() else None


def _in_words(large: str) -> str:
    head = _head(large)
    if large == ROLLOUT:
        return "Rollout"
    return f"Layer {large.removeprefix(f'{MEAN}.')}" if head is None else f"Layer {head[0] + 1}, head {head[1] + 1}"


def _peak(values: np.ndarray, change: bool) -> str:
    row, column = np.unravel_index(int((np.abs(values) if change else values).argmax()), values.shape)
    said = f"{values[row, column]:+.1f}" if change else f"{values[row, column]:.1f}"
    return f"most at row {row + 1}, column {column + 1}: {said} times even"


def _finding(tower: ImageTower, patch: tuple[int, int] | None, kind: str, before: Attended,
             after: Attended | None) -> str:
    """What the mosaic shows, of the class token or of what is asked for in its place."""
    if patch is not None:
        whose = f"The patch in row {patch[0] + 1}, column {patch[1] + 1}"
    else:
        whose = "The class token" if tower.cls else "The pooling probe, after the last layer,"
    if kind == "change":
        assert after is not None
        share = moved(before.rows, after.rows)
        layer, head = np.unravel_index(int(share.argmax()), share.shape)
        return (f"{whose} looks elsewhere with {100 * share.mean():.0f} % of its attention (mean of {share.size} "
                f"heads), most in layer {layer + 1}, head {head + 1} ({100 * share.max():.0f} %)")
    rows = before.rows if kind == "before" or after is None else after.rows
    layer, head, row, column = np.unravel_index(int(rows.argmax()), rows.shape)
    return (f"{whose} looks most narrowly in layer {layer + 1}, head {head + 1}: {100 * rows.max():.0f} % at row "
            f"{row + 1}, column {column + 1}, {figures.KINDS[kind]} ({rows.shape[0] * rows.shape[1]} heads)")


def _patch(tower: ImageTower) -> tuple[int, int] | None:
    """The patch of the address whose attention is shown; None for the class token."""
    row, _, column = state.value_of(TOKEN, "").partition(".")
    if not (row.isascii() and row.isdigit() and column.isascii() and column.isdigit() and len(row + column) < 8):
        return None
    patch = int(row) - 1, int(column) - 1
    return patch if 0 <= patch[0] < tower.grid[0] and 0 <= patch[1] < tower.grid[1] else None


def _to(key: str, value: str) -> None:
    """Set what stands in the address, and the widget of it if there is one."""
    state.kept()[key] = value
    state.write_url(key, value or None)
    if key in st.session_state:
        st.session_state.pop(key)
