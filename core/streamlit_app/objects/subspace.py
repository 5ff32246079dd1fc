"""The subspace of one object: its energies, its sheet on the sphere beside the cameras, a prompt as heat."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import OrreryError, ShapeError
from core.figures.objects import equivariance as turning
from core.figures.objects import subspaces as figures
from core.figures.objects.cameras import camera_scene, sheet_scene
from core.geometry.maps.registry import MAPS, FittedMap, fit_map
from core.geometry.objects.equivariance import Equivariance, equivariance, view_neighbours
from core.geometry.objects.profiles import energy_report
from core.geometry.objects.reports import EnergyReport
from core.geometry.objects.sheet import LEAST_VIEWS, DirectionHeat, heat_of_text, sheet_dimension
from core.scene import Colouring
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.selections import keep
from core.streamlit_app.live.sphere_view import sphere_view
from core.streamlit_app.objects import python
from core.streamlit_app.objects.data import ObjectsData, pick_object, pick_style, takes_prompts, vectors_of
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint

SHEETS = ("pca_centred", "geodesic_mds", "pca", "umap")
LEAST = 4
PAIRS_SHOWN = 4


def show(settings: Settings, data: ObjectsData) -> None:
    """One object in one style: two linked spheres, then its energies, then how it turns."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number, style = pick_object(data), pick_style(data)
        method = state.pick_option("Map of the views", {key: MAPS[key].title for key in SHEETS}, key="sheet")
        text = state.pick_text("From where does it look like …", key="looks_like",
                               placeholder="a photo of a chair").strip() if takes_prompts(settings) else ""
    rows = data.rows(number, style)
    if len(rows) < LEAST:
        panels.notice(f"{len(rows)} views are too few for a subspace; take {LEAST} or more.")
        return
    name = data.views.names[number]
    if data.rendering is None:
        panels.notice("Of photos nobody knows where they were taken from: what needs the directions is left out.")
    else:
        _spheres(settings, data, rows, name, method, text)
    _energies(settings, data, rows, name)
    if data.rendering is not None:
        _turning(settings, data, rows, name)


def _spheres(settings: Settings, data: ObjectsData, rows: np.ndarray, name: str, method: str, text: str) -> None:
    """The cameras and the sheet, linked in the browser; a prompt as heat over the directions."""
    assert data.ready.images is not None
    x, directions = data.views.vectors[rows], data.directions[rows]
    labels = [data.ready.images.ids[i] for i in rows.tolist()]
    pictures = data.ready.pictures.of(rows)

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        return fit_map(x, method, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    placed: FittedMap = work.result_of(fingerprint("sheet", data.key, rows, method, settings.seed), fit)
    found = _heat(settings, x, directions, text) if text else None
    colouring = None if found is None else Colouring(f"cosine to “{text[:40]}”", found.cosines)
    fidelity = placed.map.fidelity.get("spearman_images") or placed.map.fidelity.get("spearman")
    trust = "" if fidelity is None else f" Spearman {fidelity.value:.2f}" + (
        f", by chance {fidelity.null:.2f}." if fidelity.null is not None else ".")
    pairs = view_neighbours(directions)
    left, right = st.columns(2, gap="medium")
    with left:
        sphere_view(camera_scene(directions, labels, pictures=pictures, colouring=colouring, pairs=pairs,
                                 title=_heat_title(found, text) or f"Where the cameras of {name} stand",
                                 heat=None if found is None else found.heat,
                                 heat_title="" if found is None else
                                 f"smoothed: {found.ends[0]:.2f} to {found.ends[1]:.2f}",
                                 on_sphere=24 if found is None else 0),
                    key="objects.cameras", height=480, dark=ui.dark(), linked="objects")
    with right:
        sphere_view(sheet_scene(placed.map, directions, labels, pictures=pictures, colouring=colouring, pairs=pairs,
                                title=f"Where the model puts the views of {name}",
                                note=f"Map: {MAPS[method].title}.{trust}", on_sphere=24),
                    key="objects.sheet", height=480, dark=ui.dark(), linked="objects")
    st.caption("Left each view stands where its camera stood, right where the model puts it; lines join neighbouring "
               "cameras, and both turn together. Hover over one: the same view lights up on the other. Where lines "
               "are short on the right, the model finds neighbouring views alike; where they are long, it jumps.")
    if found is not None:
        st.caption(f"Over the views the smoothed cosine to “{panels.plain(text, 60)}” varies by "
                   f"{found.spread.value:.3f}; with the views shuffled by {found.spread.null or 0:.3f} "
                   f"(p = {found.p:.3f}, {len(rows)} views).")


def _heat(settings: Settings, x: np.ndarray, directions: np.ndarray, text: str) -> DirectionHeat:
    from core.figures.objects.cameras import with_z_up

    return heat_of_text(x, with_z_up(directions), vectors_of(settings, (text,))[0], seed=settings.seed)


def _heat_title(found: DirectionHeat | None, text: str) -> str:
    if found is None:
        return ""
    if found.p > 0.05:
        return f"No side looks more like “{text[:40]}” than another would by chance (p = {found.p:.2f})"
    return f"It looks like “{text[:40]}” from some sides: cosine {found.ends[0]:.2f} to {found.ends[1]:.2f}"


def _energies(settings: Settings, data: ObjectsData, rows: np.ndarray, name: str) -> None:
    part = data.views.part(rows)
    report: EnergyReport = work.result_of(
        fingerprint("energies", data.key, rows, settings.seed),
        lambda on_progress, should_stop: energy_report(part, int(part.objects[0]), seed=settings.seed))
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        ui.show(figures.energies([report], dark=ui.dark()), key="objects.energies",
                how_to_read="Share of the energy in the first directions: about the origin (span) and about the mean "
                            "view (variation), beside as many random directions.",
                table=lambda: figures.energies_table([report]))
    with right:
        numbers: dict[str, Number] = {}
        for what, found in (("Span", report.span_dimensions), ("Variation", report.variation_dimensions)):
            numbers |= {f"{what}: dimension at {share:.0%}": number for share, number in found.items()}
        numbers |= _sheet_numbers(data, rows)
        st.dataframe(panels.numbers_table(numbers).drop(columns=["n", "unit"]), hide_index=True, height="content",
                     key="objects.dimensions")
        st.caption(f"In dimensions, {len(rows)} views. By chance: as many random directions in as many "
                   "dimensions. They grow with the number of views: compare objects at equal numbers.")
        ui.copy_as_python(python.subspace(settings, data, name))


def _sheet_numbers(data: ObjectsData, rows: np.ndarray) -> dict[str, Number]:
    """Intrinsic dimension, where the directions are random; why it is not there otherwise."""
    if data.rendering is None:
        return {}
    if data.rendering.cameras != "random" or len(rows) < LEAST_VIEWS:
        st.caption(f"The intrinsic dimension of the sheet needs {LEAST_VIEWS} views or more from random directions: "
                   "on a lattice of cameras it reads far too high.")
        return {}
    try:
        of_views, of_directions = sheet_dimension(data.views.vectors[rows], data.directions[rows])
    except OrreryError as error:
        st.caption(panels.plain(str(error)))
        return {}
    return {"Intrinsic dimension (TwoNN)": of_views,
            "The same of the directions": of_directions}


def _turning(settings: Settings, data: ObjectsData, rows: np.ndarray, name: str) -> None:
    """Embedding angle against camera angle, views found alike, and where it jumps."""
    x, directions = data.views.vectors[rows], data.directions[rows]
    style = int(data.views.styles[rows[0]])
    others = np.flatnonzero((data.views.styles == style) & (data.views.objects != data.views.objects[rows[0]]))

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Equivariance:
        on_progress(0.1, "How the view moves as the camera turns")
        return equivariance(x, directions, data.views.vectors[others] if len(others) else None, seed=settings.seed)

    try:
        found: Equivariance = work.result_of(fingerprint("turning", data.key, rows, settings.seed), measure)
    except ShapeError as error:
        panels.notice(str(error))
        return
    names = [f"view {view}" for view in data.views.views[rows]]
    ui.show(turning.equivariance(found, name=name, views=names, dark=ui.dark()), key="objects.turning",
            how_to_read="Each point is a pair of views: how far the camera turned, and how far the model moved. A "
                        "model that ignored the camera would give a level curve; far right and low lie views that the "
                        "model cannot tell apart though the camera went far: a symmetry of the object.",
            table=lambda: turning.equivariance_table(found))
    _alike(data, rows, found, name)


def _alike(data: ObjectsData, rows: np.ndarray, found: Equivariance, name: str) -> None:
    """The pairs that are found alike and the steps that jump, as pictures; each can be kept."""
    far = found.pairs[found.alike]
    order = np.argsort(found.embedding[found.alike])[:PAIRS_SHOWN]
    jumps = found.steps[found.jumps]
    fastest = jumps[np.argsort(-found.rates[found.jumps])][:PAIRS_SHOWN]
    for title, pairs, whole, key in (("Far apart, yet alike", far[order], far, "alike"),
                                     ("Where it jumps", fastest, jumps, "jumps")):
        st.html(f'<div class="orrery-h">{title}: {len(whole):,} pairs of views</div>')
        if not len(whole):
            continue
        tiles = []
        for pair in pairs.tolist():
            cosine = float(data.views.vectors[rows[pair[0]]] @ data.views.vectors[rows[pair[1]]])
            for i in pair:
                tiles.append((data.ready.pictures.whole(int(rows[i])), f"view {int(data.views.views[rows[i]])}",
                              f"cosine {cosine:.3f}"))
        panels.gallery(tiles, key=f"objects.{key}")
        ids = [data.ready.images.ids[i] for i in rows[np.unique(whole)].tolist()] if data.ready.images else []
        if st.button("Keep these views as a selection", key=f"objects.keep.{key}", icon=":material/bookmark_add:"):
            keep(data.ready, f"{name}: {title.lower()}", ids, f"views of {name}, {title.lower()}")
