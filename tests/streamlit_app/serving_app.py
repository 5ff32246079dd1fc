"""A page that serves the file named in its address from the folder FILES; its visits are over soon after they end."""

import os
from pathlib import Path

import streamlit as st
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import App, runtime

FOLDER = Path(os.environ.get("FILES", "."))

if not runtime.exists():
    from core.streamlit_app import server
    from core.streamlit_app.serving import SHELF

    server.GRACE_SECONDS = 0.5

    def _held(_: object) -> JSONResponse:
        lines = Path("/proc/self/status").read_text().splitlines()
        memory = next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
        return JSONResponse({"visits": len(SHELF.visits()), "MB": memory})

    app = App(__file__, routes=[Route("/held", _held)], **server.BOUNDS)
else:
    from core.streamlit_app import visits
    from core.streamlit_app.serving import close_file, serve_file

    visits.visitor()
    path = FOLDER / st.query_params["file"]
    st.text(f"url<{serve_file(path, st.query_params.get('type', 'video/mp4'))}>")
    if "close" in st.query_params:
        close_file(path)
