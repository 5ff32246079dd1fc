"""Video trajectories: a film as a path on the sphere, and what its order adds."""

from core.streamlit_app import ui
from core.streamlit_app.films.page import show_films

settings = ui.begin_page("films")

with ui.friendly_errors():
    show_films(settings)
