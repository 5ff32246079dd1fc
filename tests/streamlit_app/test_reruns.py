"""What Streamlit's sessions lose beside parts of a page, with and without the mends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from core.streamlit_app import reruns

PAGE = """
import streamlit as st

@st.fragment
def part():
    st.button("inside", on_click=lambda: clicked("inside"))
    st.text("part")

def clicked(name):
    st.session_state[name] = st.session_state.get(name, 0) + 1

st.text("before")
st.button("outside", on_click=lambda: clicked("outside"))
degrees = st.slider("degrees", 0, 90, 0)
if degrees == 90:
    st.stop()
with st.container():
    part()
st.text(f"after {degrees}")
"""
WHOLE, PART = "FINISHED_SUCCESSFULLY", "FINISHED_FRAGMENT_RUN_SUCCESSFULLY"
MENDED = [pytest.param(False, id="Streamlit alone"), pytest.param(True, id="mended")]
"""Where a case of Streamlit alone fails, Streamlit has mended it, and the mend can go."""


def texts(messages: list[ForwardMsg]) -> list[str]:
    """The texts and the ends of runs among messages, in their order."""
    return [ForwardMsg.ScriptFinishedStatus.Name(m.script_finished) if m.WhichOneof("type") == "script_finished"
            else m.delta.new_element.text.body for m in messages
            if m.WhichOneof("type") == "script_finished" or m.delta.new_element.HasField("text")]


class Visit:
    """A session of a page with one part, as a browser speaks to it."""

    def __init__(self, page: Path) -> None:
        uploads = MemoryUploadedFileManager("")
        Runtime(RuntimeConfig(str(page), MemoryMediaFileStorage(""), uploads))
        self.session = AppSession(ScriptData(str(page), False), uploads, ScriptCache(), None, {})
        self.part, self.ids = "", {"": ""}

    def ask(self, part: str = "", click: str | None = None, degrees: int = 0, clock: bool = False) -> None:
        widgets = [WidgetState(id=self.ids[click], trigger_value=True)] if click else []
        if "degrees" in self.ids:
            widgets.append(WidgetState(id=self.ids["degrees"], double_array_value={"data": [degrees]}))
        self.session.request_rerun(ClientState(fragment_id=part, is_auto_rerun=clock,
                                               widget_states=WidgetStates(widgets=widgets)))

    async def said(self) -> list[str]:
        while self.session._scriptrunner is not None:
            await asyncio.sleep(0.01)
        return texts(self.session.flush_browser_queue())

    async def first(self) -> None:
        self.ask()
        while self.session._scriptrunner is not None:
            await asyncio.sleep(0.01)
        for m in self.session.flush_browser_queue():
            self.part = m.delta.fragment_id or self.part
            found = m.delta.new_element
            for widget in (found.button, found.slider):
                self.ids[widget.label] = widget.id

    def clicks(self, name: str) -> int:
        return dict(self.session._session_state.filtered_state).get(name, 0)


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """``seen(what, mended)``: what a browser hears of a page that has run once."""
    monkeypatch.setattr(Runtime, "_instance", None)
    page = tmp_path / "page.py"
    page.write_text(PAGE)

    async def walk(what: Callable[[Visit], Awaitable[list[str]]], mended: bool) -> list[str]:
        with reruns.nothing_lost() if mended else nullcontext():
            visit = Visit(page)
            await visit.first()
            said = await what(visit)
            visit.session.shutdown()
            return said

    def apart(what: Callable[[Visit], Awaitable[list[str]]], mended: bool) -> list[str]:
        with ThreadPoolExecutor(1) as own:      # a browser's driver may have a loop at work in this thread
            return own.submit(asyncio.run, walk(what, mended)).result()

    return apart


@pytest.mark.parametrize("mended", MENDED)
def test_a_run_is_heard_to_its_end_when_a_part_is_asked_for_there(seen: Callable[..., list[str]], mended: bool) -> None:
    async def at_its_end(visit: Visit) -> list[str]:
        visit.ask()
        ended = visit.session._scriptrunner
        assert ended is not None and ended._script_thread is not None
        ended._script_thread.join()         # all that it said waits for this loop
        visit.ask(visit.part)
        while visit.session._scriptrunner is ended:
            await asyncio.sleep(0.01)
        return await visit.said()

    of_the_page = ["before", "after 0", WHOLE]      # the part's own, not sent yet, comes anew
    assert seen(at_its_end, mended) == [*(of_the_page if mended else []), "part", PART]


@pytest.mark.parametrize("mended", MENDED)
def test_a_part_of_a_page_that_was_stopped_before_it_is_not_drawn(seen: Callable[..., list[str]], mended: bool) -> None:
    async def stopped(visit: Visit) -> list[str]:
        visit.ask(degrees=90)
        first = await visit.said()
        visit.ask(visit.part, degrees=90)
        return first + await visit.said()

    assert seen(stopped, mended) == ["before", WHOLE, *([] if mended else ["part", PART])]


@pytest.mark.parametrize("mended", MENDED)
def test_a_click_elsewhere_that_came_with_a_part_is_followed(seen: Callable[..., list[str]], mended: bool) -> None:
    async def clicked(visit: Visit) -> list[str]:
        visit.ask(visit.part, click="outside")
        return await visit.said()

    assert seen(clicked, mended) == (["before", "part", "after 0", WHOLE] if mended else ["part", PART])


@pytest.mark.parametrize("mended", MENDED)
def test_a_choice_elsewhere_that_came_with_a_part_is_followed(seen: Callable[..., list[str]], mended: bool) -> None:
    async def chosen(visit: Visit) -> list[str]:
        visit.ask(visit.part)
        first = await visit.said()
        visit.ask(visit.part, degrees=30)
        return first + await visit.said()

    assert seen(chosen, mended) == ["part", PART, *(["before", "part", "after 30", WHOLE] if mended
                                                    else ["part", PART])]


@pytest.mark.parametrize("mended", MENDED)
def test_a_click_inside_a_part_draws_that_part_alone(seen: Callable[..., list[str]], mended: bool) -> None:
    async def clicked(visit: Visit) -> list[str]:
        visit.ask(visit.part, click="inside")
        said = await visit.said()
        return [*said, str(visit.clicks("inside"))]

    assert seen(clicked, mended) == ["part", PART, "1"]


@pytest.mark.parametrize("mended", MENDED)
def test_a_click_that_a_clock_brings_before_it_counts_once(seen: Callable[..., list[str]], mended: bool) -> None:
    async def clicked(visit: Visit) -> list[str]:
        visit.ask(visit.part, click="outside", clock=True)
        said = await visit.said()
        visit.ask(click="outside")
        return [*said, *await visit.said(), str(visit.clicks("outside"))]

    assert seen(clicked, mended) == ["part", PART, "before", "part", "after 0", WHOLE, "1" if mended else "2"]
