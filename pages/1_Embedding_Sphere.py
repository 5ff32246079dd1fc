"""Embedding sphere: images and texts of one model as points on one sphere, to turn, to click and to search."""

from core.streamlit_app import selections, sphere_page, ui

settings = ui.begin_page("Embedding Sphere", "Images and texts of one model are unit vectors: points on one sphere.")
opened = ui.pick_dataset()

with ui.friendly_errors():
    if opened is not None:
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused)
        sphere_page.show_sphere(settings, selections.pick_selection(ready))
