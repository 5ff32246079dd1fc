"""The parts of Home: what is here, one picture a page, and the state of model and data."""

from __future__ import annotations

import html
from pathlib import Path

import streamlit as st

from core.encoding.registry import PHOTO
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, ui
from core.streamlit_app.pages import SUBJECTS
from core.streamlit_app.state import Settings


def welcome() -> None:
    """What Orrery is, in two sentences."""
    st.html('<div class="orrery-welcome"><h1>Orrery</h1><p>See how CLIP learns and perceives. Every image and every '
            'text becomes a unit vector: a point on a sphere. Here you turn that sphere, ask it questions, and see how '
            'far each answer can be trusted.</p></div>')


def rooms() -> None:
    """One picture and one sentence for each page, two in a row; how to begin in the place left over, or below."""
    places = [place for _ in range(0, len(SUBJECTS), 2) for place in st.columns(2, gap="large")]
    for column, page in zip(places, SUBJECTS):
        picture = page.picture(dark=ui.dark())
        with column, st.container(border=True, key=f"room.{Path(page.path).stem}"):
            if picture.is_file():
                st.image(str(picture), width="stretch", alt=page.title)
            st.page_link(page.path, label=f"**{page.title}**", icon=":material/arrow_forward:")
            st.caption(page.sentence)
    with places[-1] if len(SUBJECTS) < len(places) else st.container():
        start()


def start() -> None:
    """How to begin."""
    st.html("""<div class="orrery-start"><h4>How to start</h4><ol>
<li><b>Look round the built-in world.</b> Open the sphere: a few hundred rendered scenes and their captions are embedded
in seconds by a small CLIP that was trained on that world. Nothing is downloaded.</li>
<li><b>Bring your own.</b> Photos, a zip, a folder, a caption table, vectors made elsewhere; meshes and films on their
pages.</li>
<li><b>Take a model for real photos.</b> In the sidebar: a CLIP that is on this machine; else the photo
model, an ImageNet classifier that needs no download; or a CLIP to download, each with its size, training data and
licence.</li></ol></div>""")


def state_of_things(settings: Settings) -> None:
    """What is loaded, which model, where it runs, what it knows, and how much is kept."""
    st.subheader("What you look at", anchor=False)
    opened = ui.pick_dataset(settings)
    if opened is not None and opened.built_in:
        st.caption(f"{ui.counts(opened)}, rendered here. All pages show the data chosen here or on any of them.")
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Model", anchor=False)
        _model(settings.model_id)
    with right:
        st.subheader("Kept on this machine", anchor=False)
        store = cached.store()
        panels.facts([("Vectors", ui.vectors_in_store()), ("At most", f"{process_settings().cache_gb:,.0f} GB"),
                      *([] if process_settings().hosted else [("Folder", str(store.folder))])])
        st.caption("An image is encoded once, whichever dataset it appears in.")


@st.fragment(run_every=1.0)
def _model_loading(model_id: str) -> None:
    if cached.model_state(model_id).finished.is_set():
        st.rerun()
    st.caption("Loading the model …")


def _model(model_id: str) -> None:
    from core.encoding.registry import MODELS

    state = cached.model_state(model_id)
    entry = MODELS.get(model_id)
    if not state.finished.is_set():
        _model_loading(model_id)
        return
    if state.error is not None:
        panels.error_panel(state.error)
        return
    panels.facts([("Name", entry.title if entry else model_id),
                  *([("Trained on", entry.training_data), ("Licence", entry.licence)] if entry else []),
                  *((name.capitalize(), value) for name, value in state.facts.items())])
    words = cached.encoder(model_id).known_words
    if words:
        chips = "".join(f"<span>{html.escape(word)}</span>" for word in words)
        what = "names" if model_id == PHOTO else "words"
        with st.expander(f"The {len(words):,} {what} it knows", icon=":material/dictionary:"):
            st.html(f'<div class="orrery-chips">{chips}</div>')
            st.caption("And the nouns above them: dog, bird, vehicle, food. A prompt or caption without any of these "
                       "is left out, and said." if model_id == PHOTO else
                       "Other words are letters without meaning to it; prompts on the pages mark them.")
