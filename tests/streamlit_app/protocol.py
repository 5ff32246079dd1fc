"""A visitor without a browser: Streamlit's own protocol over its web socket and its route for uploads."""

from __future__ import annotations

import json
import re
import time
import uuid
from contextlib import ExitStack
from urllib.parse import parse_qsl, urlencode

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

LIMIT = 180.0
_WIDGET = re.compile(r'id: "(\$\$ID-[0-9a-f]+-[^"]+)"')


class Visitor:
    """One visit to a running server.

    Parameters
    ----------
    address : of the server.
    path : of the page, as it stands in the address.
    query : of the address.
    """

    def __init__(self, address: str, path: str = "", **query: str) -> None:
        self.address, self.path, self.query = address, path, query
        self.shown, self.session = "", ""
        self._ids: dict[str, None] = {}
        self._states: dict[str, object] = {}
        self._seen: dict[str, ForwardMsg] = {}
        self._http = requests.Session()
        self._http.get(f"{address}/_stcore/health", timeout=LIMIT)
        self.token = self._http.cookies["_streamlit_xsrf"]
        self._open = ExitStack()
        self._socket = self._open.enter_context(connect(
            f"ws{address.removeprefix('http')}/_stcore/stream", max_size=None, open_timeout=LIMIT, origin=address,
            subprotocols=["streamlit", self.token]))  # type: ignore[list-item]

    def run(self, **changed: object) -> Visitor:
        """Run the page, after widgets named by their key were set: to a text, uploaded files as a list of (name, id),
        or the state of a live view.

        ``True`` for a button is a click. What the page shows then stands in ``shown``.
        """
        self.ask(**changed)
        return self._listen()

    def ask(self, **changed: object) -> None:
        """Have the page run, and wait for nothing."""
        message = BackMsg()
        message.rerun_script.query_string = urlencode(self.query)
        message.rerun_script.page_name = self.path
        for key, value in changed.items():
            self._states[key] = value
        clicked = []
        for key, value in self._states.items():
            name = next((name for name in self._ids if name.endswith(f"-{key}")), None)
            if name is None:
                continue
            state = WidgetState(id=name)
            if isinstance(value, list):
                for file in value:
                    info = state.file_uploader_state_value.uploaded_file_info.add(name=file[0], size=1, file_id=file[1])
                    info.file_urls.upload_url = info.file_urls.delete_url = self._route(file[1])
            elif isinstance(value, dict):
                state.json_value = json.dumps(value)
            elif value is True:
                state.trigger_value = True
                clicked.append(key)
            else:
                state.string_value = str(value)
            message.rerun_script.widget_states.widgets.append(state)
        for key in clicked:
            del self._states[key]
        self.send(message)

    def settled(self, limit: float = LIMIT) -> Visitor:
        """Run the page until no work is on its way any more."""
        until = time.monotonic() + limit
        while "progress {" in self.shown and time.monotonic() < until:
            time.sleep(0.3)
            self.run()
        return self

    def send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def clear_cache(self) -> None:
        self.send(BackMsg(clear_cache=True))

    def put(self, data: bytes, name: str = "a.bin", *, session: str = "") -> tuple[int, str]:
        """Upload a file; gives the status of the answer and the id of the file."""
        file = str(uuid.uuid4())
        answer = self._http.put(self.address + self._route(file, session), files={"file": (name, data)}, timeout=LIMIT,
                                headers={"X-Xsrftoken": self.token})
        return answer.status_code, file

    def delete(self, file: str, *, session: str = "") -> int:
        return self._http.delete(self.address + self._route(file, session), timeout=LIMIT,
                                 headers={"X-Xsrftoken": self.token}).status_code

    def bring(self, key: str, *files: tuple[str, bytes]) -> Visitor:
        """Upload files into a field and run the page."""
        return self.run(**{key: [(name, self.put(data, name)[1]) for name, data in files]})

    def leave(self) -> None:
        """Close the tab."""
        self._open.close()
        self._http.close()

    def _route(self, file: str, session: str = "") -> str:
        return f"/_stcore/upload_file/{session or self.session}/{file}"

    def _listen(self) -> Visitor:
        shown = []
        while True:
            message = ForwardMsg.FromString(self._socket.recv(timeout=LIMIT))  # type: ignore[arg-type]
            if message.WhichOneof("type") == "ref_hash":
                message = self._seen[message.ref_hash]
            self._seen[message.hash] = message
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id or self.session
                shown.clear()
            elif kind == "delta":
                shown.append(str(message.delta))
            elif kind == "page_info_changed":
                self.query = dict(parse_qsl(message.page_info_changed.query_string, keep_blank_values=True))
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                break
        self.shown = "\n".join(shown)
        self._ids = dict.fromkeys(_WIDGET.findall(self.shown))
        return self
