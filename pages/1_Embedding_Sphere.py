"""Embedding sphere: images and texts of one model as points on one sphere, to turn, to click and to search."""

from core.streamlit_app import ui
from core.streamlit_app.data.selections import pick_selection
from core.streamlit_app.sphere.page import show_sphere

settings = ui.begin_page("sphere")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused, ready.unread)
        show_sphere(settings, pick_selection(ready))
