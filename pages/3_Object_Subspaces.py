"""Object subspaces: one object seen from everywhere, and what its views span."""

from core.streamlit_app import ui
from core.streamlit_app.objects.page import show_objects

settings = ui.begin_page("objects")

with ui.friendly_errors():
    show_objects(settings)
