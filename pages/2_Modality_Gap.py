"""Modality gap: how far images and texts lie apart, why, and what closing it does."""

from core.streamlit_app import gap_page, selections, ui

settings = ui.begin_page("Modality Gap", "Images and texts of one model lie in two clouds. How far apart, why, and "
                                         "what does closing the gap do?")
opened = ui.pick_dataset()

with ui.friendly_errors():
    if opened is not None:
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused)
        gap_page.show_gap(settings, selections.pick_selection(ready))
