"""The sweep that chose the mask's first setting, on scenes that are scored nowhere else."""

from __future__ import annotations

import streamlit as st

from core.attention.foveal.scenes import world_references
from core.attention.foveal.sweep import SWEPT_SEEDS, Sweep, sweep
from core.figures.foveal import sweep as figures
from core.streamlit_app import panels, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.state import Settings
from core.types import fingerprint

SEED, SCENES, OBJECTS = SWEPT_SEEDS[0], 100, 3


def show(settings: Settings, data: FovealData) -> None:
    """Accuracy over each dial of the mask, once asked for."""
    st.subheader("Why these dials", anchor=False)
    panels.notice(f"The first setting of the mask was chosen on scenes of their own: this turns one dial at a time on "
                  f"{SCENES} scenes of {OBJECTS} solids (seed {SEED}), about a minute of work.", one_line=True)
    key = fingerprint("sweep", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, SEED, SCENES, OBJECTS,
                      settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Sweep:
        return sweep(data.tower, world_references(SCENES, SEED, objects=OBJECTS), seed=settings.seed,
                     on_progress=on_progress, should_stop=should_stop)

    found: Sweep | None = work.result_when_asked(key, "Turn the dials", "foveal.sweep.run", measure)
    if found is None:
        return
    ui.show(figures.sweep(found, dark=ui.dark()), key="foveal.sweep", how_to_read=figures.CAPTION,
            table=lambda: figures.sweep_table(found))
    ui.copy_as_python(as_code(
        ["from core.attention.foveal.scenes import world_references", "from core.attention.foveal.sweep import sweep",
         "from core.attention.towers import ImageTower", "from core.encoding.models import load_model",
         "from core.figures.foveal import sweep as figures"],
        [f"tower = ImageTower(load_model({settings.model_id!r}))",
         f"found = sweep(tower, world_references({SCENES}, {SEED}, objects={OBJECTS}), seed={settings.seed})",
         "figures.sweep(found).show()"]))
