"""A folder of one's own checkpoints, which is chosen once for all pages; on one's own machine alone."""

from __future__ import annotations

import streamlit as st

from core.learning.records.checkpoints import Checkpoint, checkpoints_in
from core.settings import settings as process_settings
from core.streamlit_app import panels, state
from core.streamlit_app.data.links import wanted
from core.types import Refusal


def pick_checkpoints(*, key: str) -> tuple[str, tuple[Checkpoint, ...], tuple[Refusal, ...]]:
    """A folder, its checkpoints in the order of their steps, and what in it is none; no field on a public server.

    The folder is the same on all pages. What is no checkpoint is listed with its reason; ``key`` tells lists apart.
    """
    if process_settings().hosted:
        return "", (), ()
    folder = state.pick_text("Folder of checkpoints on this machine", key="checkpoints", max_chars=1000,
                             placeholder="holds checkpoint-500, checkpoint-1000, …",
                             help="Subfolders in the layout of transformers with a number in their names, as a Trainer "
                                  "writes them.").strip()
    if not folder:
        st.session_state["checkpoints.seen"] = ""
        return "", (), ()
    if not wanted("checkpoints", folder):
        return "", (), ()
    found: tuple[Checkpoint, ...] = ()
    refused: tuple[Refusal, ...] = ()
    with panels.friendly_errors():
        found, refused = checkpoints_in(folder)
        panels.refused_panel(refused, key=f"{key}.refused")
    return folder, found, refused
