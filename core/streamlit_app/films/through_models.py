"""Through models: the islands of one film as several models see it; which are born, merged, split and lost."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import Cancelled, OrreryError
from core.figures.films import across_models as figures
from core.geometry.films.across_models import AcrossModels, across_models
from core.geometry.films.trajectory import Trajectory
from core.sources.films.film import clock
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.checkpoints import pick_checkpoints
from core.streamlit_app.data.other_models import MOST, UNTRAINED, images_by, pick_models, title_of
from core.streamlit_app.data.selections import restricted
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData, pick_film
from core.streamlit_app.state import Settings
from core.types import Refusal, Selection, fingerprint


def show(settings: Settings, data: FilmsData) -> None:
    """One film through the models chosen, a row a model."""
    if data.ready.opened.dataset is None:
        panels.notice("Vectors made elsewhere: only their own model has seen these frames.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_film(data)
        degrees = state.pick_number("Islands lie apart by", 5, 90, key="island_cut", default=30, unit="°",
                                    help="Mean angle above which groups of shots stay apart.")
    chosen = _pick(settings)
    if len(chosen) < 2:
        panels.notice("Choose at least two models. Checkpoints of a training are models too: give their folder above.")
        return
    ids = tuple(data.images.ids[row] for row in data.rows[number].tolist())
    part = restricted(data.ready, Selection(data.names[number], ids, (), ""))
    times = data.paths[number].times
    found, refused = {}, []
    for model in chosen:
        try:
            found[model] = Trajectory(images_by(model, settings, part).vectors, times, title_of(model))
        except Cancelled:
            raise
        except OrreryError as error:
            refused.append(Refusal(title_of(model), str(error)))
    panels.refused_panel(refused, key="films.models.refused")
    if len(found) < 2:
        panels.notice("Fewer than two of these models can see the film; choose others.", "warning")
        return
    paths = list(found.values())

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> AcrossModels:
        return across_models(paths, cut=float(np.radians(degrees)), seed=settings.seed, on_progress=on_progress,
                             should_stop=should_stop)

    report: AcrossModels = work.result_of(
        fingerprint("through models", [path.fingerprint for path in paths], degrees, settings.seed), measure)
    frame = ui.show(figures.across_models(report, dark=ui.dark()), key="films.models", how_to_read=figures.CAPTION,
                    table=lambda: figures.table(report), clicks=True)
    if isinstance(frame, int | float) and 0 <= int(frame) < len(times):
        panels.gallery([(part.pictures.whole(int(frame)), clock(times[int(frame)]), data.names[number])],
                       key="films.models.frame")
    st.dataframe(figures.models_table(report), hide_index=True, height="content", key="films.models.table")
    ui.copy_as_python(python.through_models(settings, data, number, tuple(found)))


def _pick(settings: Settings) -> tuple[str, ...]:
    """Models on this machine; where a folder of checkpoints is given these first, in the order of their steps."""
    folder, steps, _ = pick_checkpoints(key="films.checkpoints")
    if not steps:
        return pick_models(settings, (UNTRAINED + settings.model_id, settings.model_id), {}, key="film_models",
                           photos=True)
    some = sorted({round(i) for i in np.linspace(0, len(steps) - 1, MOST)})
    titles = {one.model_id: f"Step {one.step:,} ({one.name})" for one in steps}
    return pick_models(settings, [steps[i].model_id for i in some], titles,
                       key=f"film_steps_{fingerprint(folder)[:6]}", photos=True)
