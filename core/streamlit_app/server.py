"""The server before Streamlit's own: it reads no upload that is over a limit, sends films piece by piece, and ends
what a visit leaves behind.

`BOUNDS` are the arguments of `streamlit.App` in app.py.
"""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.middleware import Middleware
from streamlit import config, runtime

from core.encoding.allocator import give_back_freed_memory
from core.settings import MB, settings
from core.streamlit_app import reruns, serving, visits
from core.streamlit_app.serving import SHELF
from core.streamlit_app.uploads import LEDGER

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

GRACE_SECONDS = 30.0     # a visit may be away before it is over: a lost connection is taken up again
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_FILE = re.compile(re.escape(serving.ROUTE) + r"(.*)$", re.DOTALL)
_TAKEN, _IN_USE = 204, 409


class Bounds:
    """An application behind which no upload is read that is over a limit, and no work outlives its visit."""

    def __init__(self, app: Application) -> None:
        self._app = app
        SHELF.answered = True

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            try:
                await self._app(scope, receive, send)
            finally:
                asyncio.get_running_loop().call_later(GRACE_SECONDS, _end, _away())
            return
        file_asked = _FILE.search(scope["path"]) if scope["type"] == "http" else None
        if file_asked is not None:
            await serving.answer(file_asked[1], scope, receive, send)
            return
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" else None
        if upload is None:
            await self._app(scope, receive, send)
            return
        visit, file = upload.groups()
        if scope["method"] == "PUT" and runtime.get_instance().is_active_session(visit):
            await self._put(visit, file, scope, receive, send)
        elif scope["method"] == "DELETE" and LEDGER.is_kept(visit, file):
            await _answer(send, _TAKEN)
        elif await _passed(self._app, scope, receive, send) == _TAKEN and scope["method"] == "DELETE":
            LEDGER.drop(visit, file)

    async def _put(self, visit: str, file: str, scope: Message, receive: Receive, send: Send) -> None:
        most = settings().budget.upload_mb * MB
        said = dict(scope["headers"]).get(b"content-length", b"")
        n_bytes = int(said) if said.isdigit() else most
        if n_bytes > most:
            await self._app(scope, receive, send)    # which refuses it by this length
        elif LEDGER.is_kept(visit, file):
            await _answer(send, _IN_USE)
        elif not LEDGER.take(visit, file, n_bytes):
            while (await receive()).get("more_body"):
                pass
            await _answer(send, _TAKEN)     # the page says what became of it
        else:
            answer = 0
            try:
                answer = await _passed(self._app, scope, receive, send)
            finally:
                if answer != _TAKEN:
                    LEDGER.drop(visit, file)


def _away() -> set[str]:
    """Sessions that hold something and have no connection."""
    known = visits.sessions() | set(LEDGER.visits()) | SHELF.visits()
    return {session for session in known if not runtime.get_instance().is_active_session(session)}


def _end(away: set[str]) -> None:
    """The visits of these sessions are over, unless they are back."""
    from core.streamlit_app import cached  # whose caches are Streamlit's, which has to run first

    over = away & _away()
    for session in over:
        for name in visits.leave(session):
            cached.leave(name)
        LEDGER.leave(session)
        SHELF.take(session)
        known = runtime.get_instance()._session_mgr.get_session_info(session)
        runtime.get_instance().close_session(session)
        if known is not None:   # Streamlit itself holds on to the last session until another comes
            known.session.session_state.clear()
            known.session._fragment_storage.clear()
    if over:
        _CLEANER.ask()


class _Cleaner:
    """Frees what visits left, those of a while together: nobody is answered meanwhile, and many may leave at once."""

    def __init__(self) -> None:
        self._asked, self._took = False, 0.0

    def ask(self) -> None:
        """Soon, and for at most a tenth of the time."""
        if not self._asked:
            self._asked = True
            asyncio.get_running_loop().call_later(max(0.5, 10 * self._took), self._clean)

    def _clean(self) -> None:
        self._asked, began = False, time.monotonic()
        gc.collect()    # a session and its state hold each other
        give_back_freed_memory()
        self._took = time.monotonic() - began


_CLEANER = _Cleaner()


async def _passed(app: Application, scope: Message, receive: Receive, send: Send) -> int:
    """Let an application answer; gives the status of its answer, 0 without one."""
    status = 0

    async def watched(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)
        await send(message)

    await app(scope, receive, watched)
    return status


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def _running(app: Any) -> AsyncIterator[None]:
    """What is set before the first visitor comes."""
    config.set_option("server.maxUploadSize", settings().budget.upload_mb)
    with reruns.nothing_lost():
        yield


BOUNDS: dict[str, Any] = {"middleware": [Middleware(Bounds)], "lifespan": _running}
