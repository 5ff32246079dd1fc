"""The model in the sidebar: which one, whether it is on this machine, how it comes here, where it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.encoding.classifier import HOW_TO_GET
from core.encoding.hub import offered
from core.encoding.registry import BUILTIN, MODELS, PHOTO, ModelEntry
from core.errors import OrreryError
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, state, work

if TYPE_CHECKING:
    from core.sources.vectors.opening import VectorSource

OTHER = "other"


def pick_model() -> str:
    """Widgets in the sidebar; the id of a model that is on this machine (the built-in one where the chosen is not)."""
    from core.encoding.models import is_on_disk

    hosted = process_settings().hosted
    titles = {name: MODELS[name].title if name in MODELS else name for name in offered()}
    if not hosted:
        titles[OTHER] = "Another model …"
    elif st.query_params.get("model", BUILTIN) not in titles:
        panels.notice("The address names a model that this server does not offer; the built-in one is used.")
    chosen = state.pick_option("Model", titles, key="model")
    if chosen == OTHER:
        chosen = state.pick_text("Hub id, or a folder on this machine", key="model_id",
                                 placeholder="org/name@commit").strip()
        if not chosen:
            return "builtin"
    try:
        here = is_on_disk(chosen)
    except OrreryError as error:
        panels.error_panel(error)
        return "builtin"
    if not here:
        _offer(chosen)
        return "builtin"
    return chosen


def _offer(model_id: str) -> None:
    """What a model that is not here would cost, and a button that fetches it."""
    entry = MODELS.get(model_id)
    _describe(entry)
    if model_id == PHOTO:
        panels.notice(f"Its weights are not installed. {HOW_TO_GET}. Until they are, the built-in model is used.")
        return
    size = f" ({entry.size_mb:,} MB)" if entry else ""

    def fetch(on_progress: work.Progress, should_stop: work.Stop) -> object:
        from core.encoding.models import download

        return download(model_id, on_progress=on_progress, should_stop=should_stop)

    job = work.running(f"download:{model_id}")
    if job is None and st.button(f"Download{size}", icon=":material/download:", width="stretch", type="primary"):
        job = work.start(f"download:{model_id}", fetch)
    if job is None:
        panels.notice("Not on this machine yet. Until it is, the built-in model is used.")
        return
    if not job.over:
        work.watch(job)
        st.caption("The built-in model is used meanwhile.")
    elif job.error is not None:
        panels.error_panel(work.as_error(job.error))
        if st.button("Try again", icon=":material/refresh:", width="stretch"):
            work.forget(f"download:{model_id}")
            st.rerun()
        st.caption("The built-in model goes on working.")
    else:
        work.forget(f"download:{model_id}")
        st.rerun()


def _describe(entry: ModelEntry | None) -> None:
    if entry is None:
        return
    panels.facts([("Trained on", entry.training_data), ("Space", f"{entry.dim} dimensions"),
                  ("Licence", entry.licence)] + ([("Note", entry.note)] if entry.note else []))


def show_their_model(vectors: VectorSource) -> None:
    """What is known of the model behind vectors made elsewhere, for which no model here is used."""
    spec = next(part.model for part in (vectors.images, vectors.texts) if part is not None)
    shown = [f"made elsewhere: {spec.id.removeprefix('precomputed: ')}", f"{spec.dim:,} dimensions"]
    st.caption("The vectors that are open come from their own model. The one above is not used for them.")
    _chips(shown)


def show_state(model_id: str) -> None:
    """Where the model runs and in which numbers; while it loads, that it does."""
    model = cached.model_state(model_id)
    if model.finished.is_set():
        _facts(model)
    else:
        _await(model)


def _facts(model: cached.ModelState) -> None:
    if model.error is not None:
        panels.error_panel(model.error)
        return
    shown = [model.facts[name] for name in ("device", "dtype")] + [f"{model.facts['dimensions']} dimensions"]
    _chips(shown)


def _chips(facts: Sequence[str]) -> None:
    chips = "".join(f"<span>{panels.text_html(fact, 80)}</span>" for fact in facts)
    st.html(f'<div class="orrery-chips">{chips}</div>')


@st.fragment(run_every=0.7)
def _await(model: cached.ModelState) -> None:
    if model.finished.is_set():
        _facts(model)
        return
    st.caption("Loading the model …")
