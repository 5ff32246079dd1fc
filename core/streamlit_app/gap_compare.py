"""Compare models."""

from __future__ import annotations

from core.streamlit_app import panels
from core.streamlit_app.gap_data import GapData
from core.streamlit_app.state import Settings


def show(settings: Settings, data: GapData) -> None:
    """Not yet."""
    panels.notice("Soon.")
