"""Who is here: Streamlit's sessions, and the names under which their work is queued and what they use is kept."""

from __future__ import annotations

import threading
import uuid

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_lock = threading.Lock()
_names: dict[str, set[str]] = {}


def visitor() -> str:
    """The name of this visit; a visit whose state was cleared gets another one, and the first is not forgotten."""
    name: str = st.session_state.setdefault("visitor", uuid.uuid4().hex)
    context = get_script_run_ctx()
    if context is not None:
        with _lock:
            _names.setdefault(context.session_id, set()).add(name)
    return name


def sessions() -> set[str]:
    """Sessions that have run a page and have not left."""
    with _lock:
        return set(_names)


def leave(session: str) -> set[str]:
    """A session is over; gives all names it had."""
    with _lock:
        return _names.pop(session, set())
