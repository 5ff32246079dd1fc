"""Modality gap: how far images and texts lie apart, why, and what closing it does."""

from core.streamlit_app import ui
from core.streamlit_app.data.selections import pick_selection
from core.streamlit_app.gap.page import show_gap

settings = ui.begin_page("gap")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused, ready.unread)
        show_gap(settings, pick_selection(ready))
