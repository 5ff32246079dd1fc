"""Which column of a table holds what, where the guess from names and cells is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import OrreryError
from core.streamlit_app import panels

if TYPE_CHECKING:
    from core.sources.tables.columns import Roles

_NONE = "(none)"
_WITHOUT = "(none: leave the images out)"
_AS_IT_SAYS = "(as the file says)"
_TITLES = {"image": "Image names", "label": "Label", "split": "Split", "language": "Language of the caption",
           "id": "Id of the row"}


@dataclass(frozen=True)
class TableSource:
    """A table that was uploaded, with the images beside it.

    Attributes
    ----------
    table : (name, bytes).
    images : rows (name, bytes).
    mark : tells this upload from any other.
    files : what was uploaded, by name.
    """

    table: tuple[str, bytes]
    images: tuple[tuple[str, bytes], ...]
    mark: object
    files: str = ""


def chosen_roles(mark: object) -> Roles | None:
    """What the visitor said of the columns of this table; None leaves it to the guess."""
    said = st.session_state.get("roles")
    return said[1] if said and said[0] == mark else None


def pick_roles(mark: object, read: Callable[[], tuple[tuple[str, ...], Roles]]) -> bool:
    """A panel to say which column holds what; True where that has just changed.

    Parameters
    ----------
    mark
        Tells this table from any other.
    read
        Gives its columns and what they were taken for; called when the panel is open.
    """
    panel = st.expander("Which column holds what", icon=":material/view_column:", key="columns", on_change="rerun")
    if not panel.open:
        return False
    with panel, panels.friendly_errors():
        columns, guessed = _read_once(mark, read)
        return _form(mark, columns, chosen_roles(mark) or guessed)
    return False


def ask_for_images(mark: object, read: Callable[[], tuple[tuple[str, ...], Roles]]) -> bool:
    """Ask which column names the images that came with a table, where none is taken for that; True until it is said.

    ``mark`` and ``read`` are those of `pick_roles`.
    """
    if chosen_roles(mark) is not None:
        return False
    try:
        columns, guessed = _read_once(mark, read)
    except OrreryError:     # said where the table is opened
        return False
    if guessed.image is not None:
        return False
    panels.notice("Images came with this table, but no column of it looks like their names. Which one names them?",
                  "warning")
    with st.form("columns.images.form", border=False):
        image = st.selectbox(_TITLES["image"], [*columns, _WITHOUT], key="columns.images")
        if st.form_submit_button("Open the table so", type="primary", icon=":material/check:"):
            named = None if image == _WITHOUT else image
            st.session_state["roles"] = mark, replace(guessed, image=named, captions=tuple(
                column for column in guessed.captions if column != named))
            st.rerun()
    return True


def _read_once(mark: object, read: Callable[[], tuple[tuple[str, ...], Roles]]) -> tuple[tuple[str, ...], Roles]:
    """What ``read`` gives, kept for as long as the table is the same."""
    known = st.session_state.get("columns.read")
    if known is None or known[0] != mark:
        known = st.session_state["columns.read"] = mark, read()
    return known[1]


def _form(mark: object, columns: tuple[str, ...], roles: Roles) -> bool:
    from core.sources.tables.columns import Roles
    from core.sources.text import ENCODINGS

    def one(role: str) -> str | None:
        options = [_NONE, *columns]
        current = getattr(roles, role)
        value = st.selectbox(_TITLES[role], options, index=options.index(current) if current in options else 0,
                             key=f"columns.{role}")
        return None if value == _NONE else value

    with st.form("columns.form", border=False):
        left, right = st.columns(2)
        with left:
            image = one("image")
            captions = st.multiselect("Captions (several columns: several captions an image)", columns,
                                      default=[c for c in roles.captions if c in columns], key="columns.captions")
            label = one("label")
        with right:
            split, language, name = one("split"), one("language"), one("id")
            encodings = {_AS_IT_SAYS: _AS_IT_SAYS, **ENCODINGS}
            encoding = st.selectbox("Letters are written in", list(encodings), format_func=encodings.__getitem__,
                                    index=list(encodings).index(roles.encoding or _AS_IT_SAYS), key="columns.encoding")
        if not st.form_submit_button("Open it so", type="primary", icon=":material/check:"):
            return False
    chosen = Roles(image, tuple(captions), label, split, language, name,
                   None if encoding == _AS_IT_SAYS else encoding)
    if chosen == roles:
        return False
    st.session_state["roles"] = mark, chosen
    return True
