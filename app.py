"""Home: what is here, what is loaded, how to start."""

from core.streamlit_app import home, ui

settings = ui.begin_page("home")
home.welcome()
home.rooms()
with ui.friendly_errors():
    home.state_of_things(settings)
