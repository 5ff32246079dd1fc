"""A fragment asked for at the very end of a page's run, and what that run said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.script_data import ScriptData
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from core.streamlit_app import server

PAGE = """
import streamlit as st

@st.fragment
def clock():
    st.text("inside")

with st.container():
    st.text("before")
    clock()
    st.text("after")
"""
OF_THE_RUN = ["before", "after", "FINISHED_SUCCESSFULLY"]     # the fragment's own, not sent yet, comes anew
OF_THE_FRAGMENT = ["inside", "FINISHED_FRAGMENT_RUN_SUCCESSFULLY"]


def texts(messages: list[ForwardMsg]) -> list[str]:
    """The texts and the ends of runs among messages, in their order."""
    kinds = [m.WhichOneof("type") for m in messages]
    return [ForwardMsg.ScriptFinishedStatus.Name(m.script_finished) if kind == "script_finished"
            else m.delta.new_element.text.body for m, kind in zip(messages, kinds, strict=True)
            if kind == "script_finished" or m.delta.new_element.HasField("text")]


async def heard(page: Path) -> list[str]:
    """What a browser hears when the fragment is asked for between a run's end and the loop's next turn."""
    uploads = MemoryUploadedFileManager("")
    Runtime(RuntimeConfig(str(page), MemoryMediaFileStorage(""), uploads))
    session = AppSession(ScriptData(str(page), False), uploads, ScriptCache(), None, {})

    async def over() -> None:
        while session._scriptrunner is not None:
            await asyncio.sleep(0.01)

    session.request_rerun(ClientState())
    await over()
    fragment = next(iter(session._fragment_storage._fragments))     # type: ignore[attr-defined]
    session.flush_browser_queue()
    session.request_rerun(ClientState())
    ended = session._scriptrunner
    assert ended is not None and ended._script_thread is not None
    ended._script_thread.join()
    session.request_rerun(ClientState(fragment_id=fragment))
    while session._scriptrunner is ended:
        await asyncio.sleep(0.01)
    await over()
    said = texts(session.flush_browser_queue())
    session.shutdown()
    return said


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(Runtime, "_instance", None)
    path = tmp_path / "page.py"
    path.write_text(PAGE)
    return path


def test_a_run_is_heard_to_its_end_when_a_fragment_is_asked_for_there(page: Path) -> None:
    async def served() -> list[str]:
        async with server._running(None):
            return await heard(page)

    assert asyncio.run(served()) == OF_THE_RUN + OF_THE_FRAGMENT


def test_streamlit_alone_still_loses_it(page: Path) -> None:
    """Where this fails, Streamlit has mended it, and the server's own way can go."""
    assert asyncio.run(heard(page)) == OF_THE_FRAGMENT
