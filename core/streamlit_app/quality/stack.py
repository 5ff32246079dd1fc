"""The actions of the what-if, as they stand in the address and in this visit, with the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from core.errors import OrreryError
from core.language.quality.actions import Action
from core.language.quality.recipe import actions_as_text, actions_of_text
from core.streamlit_app import panels, state

KEY = "actions"
LONGEST = 1_800
_UNDO, _REDO, _VERSION = "quality.steps.back", "quality.steps.forth", "quality.steps.version"


def actions() -> tuple[Action, ...]:
    """Those of this visit, or of the address it came with; none, and a word, where that cannot be read."""
    text = state.value_of(KEY, "")
    if not text:
        return ()
    try:
        return actions_of_text(text)
    except OrreryError as error:
        panels.error_panel(error)
        return ()


def put(new: Sequence[Action]) -> None:
    """These from now on; the way back leads to those before."""
    _history(_UNDO).append(state.value_of(KEY, ""))
    _history(_REDO).clear()
    _set(actions_as_text(new))


def push(action: Action) -> None:
    """One more, at the end; said in a toast."""
    put((*actions(), action))
    st.toast(panels.plain(f"Added to the what-if: {action.words}."), icon=":material/filter_alt:")


def change(place: int, alter: Callable[[Action], Action | None]) -> None:
    """One becomes another, or goes where there is none."""
    known = list(actions())
    if not 0 <= place < len(known):
        return
    new = alter(known[place])
    put([*known[:place], *([] if new is None else [new]), *known[place + 1:]])


def switch(place: int, on: bool) -> None:
    """Carry one out, or not."""
    change(place, lambda action: replace(action, on=on))


def can_go(way: int) -> bool:
    """Whether there is a step back (-1) or forth (1)."""
    return bool(_history(_UNDO if way < 0 else _REDO))


def go(way: int) -> None:
    """A step back (-1) or forth (1)."""
    here, there = (_UNDO, _REDO) if way < 0 else (_REDO, _UNDO)
    if _history(here):
        _history(there).append(state.value_of(KEY, ""))
        _set(_history(here).pop())


def version() -> int:
    """Another number after each change: for keys of widgets, which then never have the value of an earlier one."""
    return st.session_state.get(_VERSION, 0)


def fits_the_address() -> bool:
    """Whether the address of the page carries the actions."""
    return len(state.value_of(KEY, "")) <= LONGEST


def _history(name: str) -> list[str]:
    return st.session_state.setdefault(name, [])


def _set(text: str) -> None:
    st.session_state[_VERSION] = version() + 1
    state.kept()[KEY] = text
    state.write_url(KEY, text if 0 < len(text) <= LONGEST else None)
