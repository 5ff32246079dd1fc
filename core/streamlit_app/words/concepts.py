"""Concept words."""

from __future__ import annotations

from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings


def show(settings: Settings, ready: Ready) -> None:
    """Concept words."""
