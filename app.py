"""Home: what is here, what is loaded, how to start; and the server that `streamlit run` starts, which shows it."""

from streamlit import App, runtime

if not runtime.exists():
    from core.streamlit_app.server import BOUNDS

    app = App(__file__, **BOUNDS)
else:
    from core.streamlit_app import home, ui

    settings = ui.begin_page("home")
    home.welcome()
    home.rooms()
    with ui.friendly_errors():
        home.state_of_things(settings)
