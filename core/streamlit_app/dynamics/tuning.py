"""Fine-tuning of the chosen model on what is open, begun by a button that says what it costs."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.encoding.registry import PHOTO
from core.jobs import about
from core.learning.records.adapting import WAYS
from core.learning.records.fine_tuning import MOST_PAIRS, MOST_PAIRS_HOSTED, fine_tune, seconds_of
from core.learning.records.record import Record
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, state, work
from core.streamlit_app.data.other_models import title_of
from core.streamlit_app.data.python import dataset_lines
from core.streamlit_app.dynamics.data import DynamicsData
from core.streamlit_app.state import Settings
from core.types import fingerprint

_SLOT = "dynamics.tune"
_RATES = {"0.0001": "0.0001", "0.0003": "0.0003", "0.001": "0.001", "0.003": "0.003", "0.01": "0.01"}
_LOOKS = 10
BATCH = 32
MOST_SECONDS_HOSTED = 900.0


def tuned(settings: Settings, data: DynamicsData) -> tuple[Record | None, list[str]]:
    """The widgets, the button, and what was recorded last; with lines that do the same in Python."""
    dataset = data.opened.dataset
    if dataset is None or dataset.images is None or not len(dataset.links):
        panels.notice("Open images with captions: the model is trained on these.", "warning")
        return None, []
    if settings.model_id == PHOTO:
        panels.notice("The photo model is a classifier; choose a CLIP in the sidebar.", "warning")
        return None, []
    with st.container(horizontal=True, vertical_alignment="bottom", key="dynamics.tune"):
        with st.container(width=340):
            how = state.pick_option("What learns", WAYS, key="tune_how")
        with st.container(width=200):
            steps = state.pick_number("Steps", 10, 500, key="tune_steps", default=100, step=10)
        with st.container(width=160):
            rate = float(state.pick_option("Learning rate", _RATES, key="tune_rate", default="0.001"))
        folder = "" if process_settings().hosted else state.pick_text(
            "Save the model as", key="tune_folder", placeholder="a folder (optional)", max_chars=1000,
            help="A folder on this machine, which can then be opened as a model in the sidebar.").strip()
    n = min(MOST_PAIRS_HOSTED if process_settings().hosted else MOST_PAIRS, len(np.unique(dataset.links[:, 0])))
    every = max(1, steps // _LOOKS)
    st.caption(panels.plain(
        f"{title_of(settings.model_id)} is trained further on {n:,} images of {data.opened.name} and their captions; a "
        "quarter of them, at most 200, are held out and looked at. CLIP's loss (SigLIP's for a SigLIP), equal captions "
        "are no negatives; AdamW; the temperature learns too.", 600))
    key = fingerprint("tune", settings.model_id, data.opened.key, how, steps, rate, folder, settings.seed)
    seconds = cached.results().of(
        fingerprint("tune seconds", settings.model_id, n, steps),
        lambda: seconds_of(settings.model_id, n, steps=steps, every=every, batch=BATCH))
    if process_settings().hosted and seconds > MOST_SECONDS_HOSTED:
        panels.notice(f"On a public server a fine-tuning may take {about(MOST_SECONDS_HOSTED)}, and this one would "
                      f"take {about(seconds)}: take fewer steps or a smaller model, or run Orrery on your own machine.",
                      "warning")
        return None, []
    if st.button(f"Fine-tune ({about(seconds)})", icon=":material/play_arrow:", key="dynamics.tune.run"):
        work.forget_here(_SLOT)
        st.session_state[f"{_SLOT}.asked"] = key
    if st.session_state.get(f"{_SLOT}.asked") != key:
        return None, []

    def train(on_progress: work.Progress, should_stop: work.Stop) -> Record:
        return fine_tune(settings.model_id, dataset, how=how, steps=steps, every=every, learning_rate=rate,
                         batch=BATCH, seed=settings.seed, save_to=folder or None, on_progress=on_progress,
                         should_stop=should_stop)

    try:
        record: Record | None = work.result_here(_SLOT, key, train, long=True)
    except Exception:
        del st.session_state[f"{_SLOT}.asked"]
        raise
    if record is not None and folder:
        panels.notice(f"The model lies in {folder}: “Another model …” in the sidebar opens it.")
    more = f", save_to={folder!r}" if folder else ""
    imports, lines = dataset_lines(data.opened)
    return record, [*imports, *lines, "from core.learning.records.fine_tuning import fine_tune",
                    f"record = fine_tune({settings.model_id!r}, dataset, how={how!r}, steps={steps}, every={every}, "
                    f"learning_rate={rate:g}, batch={BATCH}, seed={settings.seed}{more})"]
