"""Files that a browser reads piece by piece, as a player reads a film: never whole in memory, each for one visit.

The address of a file is a secret of its visit, made by chance; it names no path and ends with the visit. The server
(`core.streamlit_app.server`) answers it.
"""

from __future__ import annotations

import secrets
import stat
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

ROUTE = "/_orrery/file/"
_HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin", "content-disposition": "inline"}
_PLAYED = ("video/", "audio/", "image/")
_NOT_PLAYED = "application/octet-stream"


@dataclass(frozen=True)
class _Served:
    path: Path
    mimetype: str


@dataclass
class Shelf:
    """Which secret stands for which file, by visit. Safe to call from any thread."""

    answered: bool = False     # whether there is a server that answers
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _by_token: dict[str, _Served] = field(default_factory=dict)
    _of_visit: dict[str, dict[_Served, str]] = field(default_factory=dict)

    def put(self, visit: str, path: Path, mimetype: str) -> str:
        """The secret of a file; the same one each time a visit asks for the same file."""
        served = _Served(path.resolve(), mimetype if mimetype.startswith(_PLAYED) else _NOT_PLAYED)
        with self._lock:
            mine = self._of_visit.setdefault(visit, {})
            if served not in mine:
                mine[served] = secrets.token_urlsafe(32)
                self._by_token[mine[served]] = served
            return mine[served]

    def find(self, token: str) -> _Served | None:
        with self._lock:
            return self._by_token.get(token)

    def take(self, visit: str, path: Path | None = None) -> None:
        """A file of a visit is closed, or all of them."""
        gone = None if path is None else path.resolve()
        with self._lock:
            mine = self._of_visit.get(visit, {})
            for served in [served for served in mine if gone is None or served.path == gone]:
                del self._by_token[mine.pop(served)]
            if not mine:
                self._of_visit.pop(visit, None)

    def visits(self) -> set[str]:
        """Visits that have a file here."""
        with self._lock:
            return set(self._of_visit)


SHELF = Shelf()


def serve_file(path: Path, mimetype: str) -> str:
    """Where this visitor's browser fetches a file, also in pieces; "" where no server of Orrery answers (in a test).

    Parameters
    ----------
    path : of the file; read as it is asked for, so it has to stay where it is.
    mimetype : of a video, sound or picture, as ``video/mp4``; anything else is sent as bytes that nothing opens.
    """
    context = get_script_run_ctx()
    if context is None or not SHELF.answered:
        return ""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return (f"/{base}" if base else "") + ROUTE + SHELF.put(context.session_id, path, mimetype)


def close_file(path: Path) -> None:
    """This visitor's address of a file is no longer answered."""
    context = get_script_run_ctx()
    if context is not None:
        SHELF.take(context.session_id, path)


async def answer(token: str, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]],
                 send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    """Send the file of a secret, or the part of it that is asked for; 404 without a word where there is none."""
    from starlette.responses import FileResponse, Response

    served = SHELF.find(token)
    try:
        found = None if served is None else served.path.stat()
    except OSError:
        found = None
    if served is None or found is None or not stat.S_ISREG(found.st_mode):
        await Response(status_code=404)(scope, receive, send)
    elif scope["method"] not in ("GET", "HEAD"):
        await Response(status_code=405, headers={"allow": "GET, HEAD"})(scope, receive, send)
    else:
        await FileResponse(served.path, headers=_HEADERS, media_type=served.mimetype, stat_result=found)(
            scope, receive, send)
