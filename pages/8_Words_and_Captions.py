"""Words and captions: what a model says of images and finds for texts, and what its text side does not see."""

from core.streamlit_app import ui
from core.streamlit_app.data.selections import pick_selection
from core.streamlit_app.words.page import show_words

settings = ui.begin_page("words")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused, ready.unread)
        show_words(settings, pick_selection(ready))
