"""How a live view asks for small pictures, and what it is sent."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.streamlit_app.live.packing import frame
from core.streamlit_app.live.scripts import component

MOST_AT_ONCE = 64
SECONDS_AT_ONCE = 0.25
_HTML = '<span class="orrery-pictures"></span>'


@st.fragment
def answer_view(pictures: Mapping[int, bytes], key: str, view: str) -> None:
    """Send the view of name ``view`` the pictures that it asked for last, without drawing it anew.

    Parameters
    ----------
    pictures
        By point.
    key
        Of the pictures; what is asked of others is not answered.
    view
        Key of the sphere view.
    """
    name = f"{view}-pictures"
    asked = (st.session_state.get(name) or {}).get("wanted")
    component("pictures", _HTML)(key=name, data=answer(pictures, key, view, asked), height="content",
                 on_wanted_change=lambda: None)


def answer(pictures: Mapping[int, bytes], key: str, view: str, asked: object) -> bytes:
    """The pictures asked for, as many as a quarter of a second allows, the first of them in any case.

    Parameters
    ----------
    pictures, key, view
        As in `answer_view`.
    asked
        What the browser sent: ``{"of": key, "points": [...], "number": n}``; anything else asks for nothing.

    Returns
    -------
    A frame: view, key, number, points and the size in bytes of the picture of each (0 where there is none), then
    the pictures one after another.
    """
    asked = asked if isinstance(asked, Mapping) and asked.get("of") == key else {}
    points = asked.get("points")
    wanted = [p for p in points if type(p) is int and p in pictures] if isinstance(points, list) else []
    until = time.monotonic() + SECONDS_AT_ONCE
    found: dict[int, bytes] = {}
    for point in wanted[:MOST_AT_ONCE]:
        if found and time.monotonic() > until:
            break
        found[point] = pictures.get(point) or b""
    header = {"view": view, "of": key, "number": asked.get("number", 0), "points": list(found),
              "sizes": [len(blob) for blob in found.values()]}
    return frame(header, [np.frombuffer(b"".join(found.values()), dtype=np.uint8)])
