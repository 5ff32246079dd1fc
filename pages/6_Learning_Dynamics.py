"""Learning dynamics: training as a flow of images and texts on the sphere, and what data do to it."""

from core.streamlit_app import ui
from core.streamlit_app.dynamics.page import show_dynamics

settings = ui.begin_page("dynamics")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        show_dynamics(settings, opened)
