"""What a visitor says of images and vectors where the guess is wrong, and pictures that are added to vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.streamlit_app import panels, uploads
from core.streamlit_app.data.uploading import Brought, refuse, say_refused, take, upload

if TYPE_CHECKING:
    from core.sources.vectors.choosing import Array

MOST_ARRAYS = 24
_AS_IT_SAYS = "(as the files say)"


@dataclass(frozen=True)
class Said:
    """What was said of one thing that is open.

    Attributes
    ----------
    encoding : of names and texts that do not say how their letters are written; None leaves it to a guess.
    parts : rows (array, "image", "text" or "neither").
    pictures : of vectors: rows (name, bytes) of uploads, or a path; empty where there are none.
    """

    encoding: str | None = None
    parts: tuple[tuple[str, str], ...] = ()
    pictures: tuple[tuple[str, bytes], ...] | str = ()


def said_of(mark: object) -> Said:
    """What was said of what is open; ``mark`` tells it from anything else."""
    return st.session_state.setdefault("said", {}).get(mark, Said())


def _say(mark: object, said: Said) -> None:
    st.session_state.setdefault("said", {})[mark] = said


def forget(mark: object) -> None:
    """What was said of what is closed now, and pictures that were added to it, are gone."""
    said = st.session_state.setdefault("said", {}).pop(mark, Said())
    if said.pictures:
        uploads.close("pictures")


def pick_letters(mark: object) -> bool:
    """A panel to say how letters are written where files do not say it; True where that has just changed."""
    from core.sources.text import ENCODINGS

    panel = st.expander("How names and texts are written", icon=":material/translate:", key="letters",
                        on_change="rerun")
    if not panel.open:
        return False
    said, titles = said_of(mark), {_AS_IT_SAYS: _AS_IT_SAYS, **ENCODINGS}
    with panel, st.form("letters.form", border=False):
        chosen = st.selectbox("Letters of files that do not say it are written in", list(titles),
                              format_func=titles.__getitem__, index=list(titles).index(said.encoding or _AS_IT_SAYS),
                              key="letters.encoding")
        if not st.form_submit_button("Read it so", type="primary", icon=":material/check:"):
            return False
    encoding = None if chosen == _AS_IT_SAYS else chosen
    _say(mark, replace(said, encoding=encoding))
    return encoding != said.encoding


def pick_arrays(mark: object, read: Callable[[], Sequence[Array]]) -> bool:
    """A panel to say which array holds what; True where that has just changed.

    Parameters
    ----------
    mark
        Tells what is open from anything else.
    read
        Gives the arrays and what they are taken for; called when the panel is open.
    """
    panel = st.expander("Which array holds what", icon=":material/view_column:", key="arrays", on_change="rerun")
    if not panel.open:
        return False
    with panel, panels.friendly_errors():
        known = st.session_state.get("arrays.read")
        if known is None or known[0] != mark:
            known = st.session_state["arrays.read"] = mark, read()
        return _form(mark, known[1])
    return False


def _form(mark: object, arrays: Sequence[Array]) -> bool:
    from core.sources.vectors.choosing import PARTS

    said = said_of(mark)
    parts = {}
    with st.form("arrays.form", border=False):
        for i, array in enumerate(arrays[:MOST_ARRAYS]):
            options = [*PARTS, *([array.part] if array.part not in PARTS else [])]
            now = dict(said.parts).get(array.name, array.part)
            chosen = st.selectbox(f"{panels.plain(array.name, 120)}: {array.rows:,} x {array.width:,}, {array.kind}"
                                  f"{', a guess' if array.guessed and array.name not in dict(said.parts) else ''}",
                                  options, index=options.index(now), key=f"arrays.{i}")
            if chosen != array.part or array.name in dict(said.parts):
                parts[array.name] = chosen
        if len(arrays) > MOST_ARRAYS:
            st.caption(f"{len(arrays) - MOST_ARRAYS:,} more arrays are taken as they are.")
        if not st.form_submit_button("Open it so", type="primary", icon=":material/check:"):
            return False
    found = tuple((name, part) for name, part in parts.items() if part in PARTS)
    _say(mark, replace(said, parts=found))
    return found != said.parts


def pick_pictures(mark: object, opening: Callable[[Said], None], *, by_path: bool) -> bool:
    """A panel to add pictures to vectors, which cards and hovers show; True where they have just changed.

    Parameters
    ----------
    mark
        Tells what is open from anything else.
    opening
        Opens it with what was said; what it raises is shown, and the pictures are not taken.
    by_path
        Whether they lie on this machine, or are uploaded.
    """
    panel = st.expander("Pictures of these vectors", icon=":material/image:", key="attached", on_change="rerun")
    if not panel.open:
        return False
    said = said_of(mark)
    with panel:
        if said.pictures:
            there = said.pictures if isinstance(said.pictures, str) else f"{len(said.pictures):,} uploaded"
            st.text(f"Pictures: {there}")
            if not st.button("Take them away", key="attached.away", icon=":material/close:", type="tertiary"):
                return False
            uploads.close("pictures")
            _say(mark, replace(said, pictures=()))
            return True
        say_refused("pictures")
        files = [] if by_path else upload("A zip, a tar, or the files, called like the ids of the images", None,
                                          "pictures.upload", several=True)
        path = _asked_path() if by_path else ""
        if not files and not path:
            return False
        said = replace(said, pictures=path or Brought.of(files).files)
        try:
            with st.spinner("Opening …"):
                opening(said)
        except Exception as error:
            if by_path:
                panels.error_panel(panels.in_words(error))
                return False
            refuse("pictures", files, error)
        else:
            take("pictures", files)
            _say(mark, said)
        return True


def _asked_path() -> str:
    """The path of a folder or archive of pictures that was just typed; "" without."""
    with st.form("attached.form", border=False):
        path = st.text_input("A folder, zip or tar with pictures that are called like the ids of the images",
                             key="attached.path")
        asked = st.form_submit_button("Add them", type="primary", icon=":material/check:")
    return path.strip() if asked else ""
