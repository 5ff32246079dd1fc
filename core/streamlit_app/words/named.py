"""How many images are called by their class, which classes are confused, and the images that are called wrong."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures.confusion import CAPTION as CONFUSED
from core.figures.confusion import MOST_CLASSES
from core.figures.words import named as figures
from core.geometry.classification import probabilities
from core.streamlit_app import panels, ui
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import Asked

TILES = 24


def show(settings: Settings, ready: Ready, asked: Asked) -> None:
    """Accuracy with chance, by class, confusions, wrong images, and what each image is called."""
    named = asked.named
    first, among = named.accuracy(), named.accuracy(5)
    if len(named.classes) == 1:
        panels.notice("There is one class: every image is called by it, and nothing is told. Write two or more.",
                      "warning")
    if first is None or among is None:
        panels.notice(f"No image has a label among the {len(named.classes):,} classes: there is no accuracy. What "
                      "each is called stands below.")
    else:
        _counts(asked)
        numbers = {"class comes first": first} | ({"class is among the first 5": among} if len(named.classes) > 5
                                                  else {})
        panels.wrapped_table(panels.numbers_table(numbers))
        left, right = st.columns(2, gap="medium")
        with left:
            ui.show(figures.by_class(named, dark=ui.dark()), key="zero.by_class", how_to_read=figures.CAPTION,
                    table=lambda: figures.class_table(named))
        with right:
            few = len(named.classes) <= MOST_CLASSES
            ui.show(figures.confusion(named, dark=ui.dark()), key="zero.confusion",
                    how_to_read=CONFUSED if few else figures.CAPTION_OF_PAIRS,
                    table=lambda: figures.confusion_table(named))
        _wrong(ready, asked)
    _called(ready, asked)
    ui.copy_as_python(as_code([*asked.imports, "from core.figures.words.named import by_class, confusion"], [
        *asked.lines, "print(named.accuracy(), named.accuracy(5))", *(
            ["by_class(named).show()", "confusion(named).show()"] if first is not None else
            ["print([named.classes[k] for k in named.guesses])"])]))


def _counts(asked: Asked) -> None:
    """Images without a class, and classes without an image."""
    named = asked.named
    without = len(named.truth) - len(named.known)
    empty = len(named.classes) - len(set(named.truth[named.known].tolist()))
    said = [f"{without:,} image{'s have' if without != 1 else ' has'} no label among the classes and "
            f"{'are' if without != 1 else 'is'} left out"] if without else []
    said += [f"{empty:,} of {len(named.classes):,} classes have no image; they are wrong answers all the same"
             ] if empty else []
    if said:
        st.caption("; ".join(said).capitalize() + ".")


def _wrong(ready: Ready, asked: Asked) -> None:
    named, rows = asked.named, asked.named.wrong
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"##### Called wrong: {len(rows):,} of {len(named.known):,}")
        if st.button(f"Keep the {len(rows):,} wrong as a selection", icon=":material/bookmark_add:",
                     disabled=not len(rows), key="zero.keep"):
            keep(ready, f"Called wrong, {asked.column}"[:60], [asked.images.ids[row] for row in rows.tolist()],
                 f"called wrong by zero-shot, {asked.column}")
    shown = rows[:TILES]
    if not len(shown):
        st.caption("No image.")
        return
    given = probabilities(named.logits[shown])
    panels.gallery([(ready.pictures.small(int(asked.rows[row])), named.classes[named.truth[row]],
                     f"called {named.classes[named.guesses[row]]}, {100 * p:.0f} %; {asked.images.ids[row]}")
                    for row, p in zip(shown.tolist(), given.max(axis=1))], key="zero.wrong")
    if len(rows) > TILES:
        st.caption(f"The {TILES} surest mistakes are shown.")


def _called(ready: Ready, asked: Asked) -> None:
    """What each image is called, as a table to download; without labels a gallery of it."""
    named = asked.named
    if not len(named.known):
        some = np.arange(min(len(named.truth), TILES))
        given = probabilities(named.logits[some])
        panels.gallery([(ready.pictures.small(int(asked.rows[row])), named.classes[named.guesses[row]],
                         f"{100 * given[row].max():.3g} %; {asked.images.ids[row]}") for row in some.tolist()],
                       key="zero.called")
    ui.download_table(lambda: figures.items_table(named, asked.images.ids, probabilities(named.logits)), "zero-images",
                      label="What each image is called")
