"""What a browser asks for reaches the page, and what the page says reaches the browser.

Beside parts of a page that are drawn anew by themselves (fragments), Streamlit 1.67 loses some of both:

- Changes of one moment are sent as one, as those of a part if any of them belongs to it: a click elsewhere is lost.
- A part that runs by a clock sends a click that is about to be sent, too: it counts twice.
- A part of a page that was stopped before it (`st.stop`) can still be asked for: the browser cannot place it any more.
- What is on its way from a run that has ended is dropped when a part is asked for at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.scriptrunner import ScriptRunner, ScriptRunnerEvent

_TRIGGERS = {"trigger_value", "string_trigger_value", "chat_input_value", "json_trigger_value"}
_values: WeakKeyDictionary[AppSession, dict[str, int]] = WeakKeyDictionary()
_before: WeakKeyDictionary[ScriptRunner, int] = WeakKeyDictionary()


@contextmanager
def nothing_lost() -> Iterator[None]:
    """Streamlit's sessions with the four faults mended, while this holds."""
    kept = {name: getattr(AppSession, name) for name in _WAYS}
    for name, way in _WAYS.items():
        setattr(AppSession, name, way(kept[name]))
    try:
        yield
    finally:
        for name, own in kept.items():
            setattr(AppSession, name, own)


def _asked_for_whole(ask: Callable[..., None]) -> Callable[..., None]:
    """The page is drawn as a whole where a change elsewhere came with a part; a clock carries no clicks."""
    def asked(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is None:
            ask(session, None)
            return
        widgets = client_state.widget_states.widgets
        clicks = {w.id for w in widgets if w.WhichOneof("value") in _TRIGGERS}
        if client_state.is_auto_rerun:
            kept = [w for w in widgets if w.id not in clicks]
            del widgets[:]
            widgets.extend(kept)
        else:
            before = _values.get(session, {})
            now = _values[session] = {w.id: hash(w.SerializeToString()) for w in widgets if w.id not in clicks}
            changed = clicks | {name for name, value in now.items() if before.get(name, value) != value}
            if client_state.fragment_id and not all(_within(session, w, client_state.fragment_id) for w in changed):
                client_state.fragment_id = ""
        ask(session, client_state)

    return asked


def _within(session: AppSession, widget: str, fragment: str) -> bool:
    """Whether a widget stands in a part of the page; one that is not known any more does."""
    known = session._session_state._new_widget_state.widget_metadata.get(widget)
    return known is None or known.fragment_id == fragment or (
        known.fragment_id is not None and session._fragment_storage.has_ancestor_in(known.fragment_id, {fragment}))


def _begun_in_turn(begin: Callable[..., None]) -> Callable[..., None]:
    """A run begins when all that the run before it said has been heard."""
    def begun(session: AppSession, asked: Any) -> None:
        if session._scriptrunner is None:
            begin(session, asked)
            return

        def once_heard() -> None:
            now = session._scriptrunner
            if session._state != AppSessionState.SHUTDOWN_REQUESTED and not (now and now.request_rerun(asked)):
                begin(session, asked)

        session._call_soon_on_event_loop(once_heard)

    return begun


def _forgetting_parts(tell: Callable[..., None]) -> Callable[..., None]:
    """When a page has run, also to a stop, it has the parts that it drew, and no others."""
    def told(session: AppSession, sender: ScriptRunner | None, event: ScriptRunnerEvent, **said: Any) -> None:
        parts = session._fragment_storage
        if sender is not None and event == ScriptRunnerEvent.SCRIPT_STARTED and not said.get("fragment_ids_this_run"):
            _before[sender] = parts.registration_sequence()
        elif (sender is not None and sender is session._scriptrunner and sender in _before
              and event == ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS):
            parts.clear(parts.ids_registered_after(_before.pop(sender)))
        tell(session, sender, event, **said)

    return told


_WAYS = {"request_rerun": _asked_for_whole, "_create_scriptrunner": _begun_in_turn,
         "_on_scriptrunner_event": _forgetting_parts}
