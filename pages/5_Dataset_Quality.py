"""Dataset quality: what is wrong with a dataset, what acting on it changes, and how two datasets differ."""

from core.streamlit_app import ui
from core.streamlit_app.data.selections import pick_selection
from core.streamlit_app.quality.page import show_quality
from core.streamlit_app.quality.planted import pick_faults, with_faults

settings = ui.begin_page("quality")
opened = ui.pick_dataset(settings)

with ui.friendly_errors():
    if opened is not None:
        if opened.built_in:
            opened = with_faults(opened, pick_faults("faults"))
        ready = ui.ensure_embedded(settings.model_id, opened)
        ui.refused_panel(ready.refused, ready.unread)
        show_quality(settings, pick_selection(ready))
