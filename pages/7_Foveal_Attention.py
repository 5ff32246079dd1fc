"""Foveal attention: what an image tower looks at, and how a mask on its attention turns its eye to a region."""

from core.streamlit_app import ui
from core.streamlit_app.foveal.page import show_foveal

settings = ui.begin_page("foveal")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        show_foveal(settings, opened)
