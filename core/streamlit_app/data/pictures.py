"""Small pictures of what is open, each made when it is asked for; and how the live sphere asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.errors import OrreryError
from core.streamlit_app.live.packing import frame
from core.types import fingerprint

if TYPE_CHECKING:
    from core.types import Images

SIDE = 96
MOST_AT_ONCE = 64
SECONDS_AT_ONCE = 0.25
_HERE = Path(__file__).parents[1] / "live"


class Pictures(Mapping[int, bytes]):
    """Small pictures (WebP, at most 96 px a side) by row; made when they are looked up, and kept on disk by content.

    Attributes
    ----------
    key : no other pictures have it.
    """

    def __init__(self, images: Images | None = None, places: Sequence[int] | np.ndarray = (), key: str = "",
                 extra: Mapping[int, bytes] | None = None) -> None:
        self._images, self._places = images, np.asarray(places, dtype=np.int64)
        self._extra = dict(extra or {})
        self._base = key
        self.key = fingerprint("pictures", key, self._places, sorted(self._extra), *self._extra.values())

    def __getitem__(self, row: int) -> bytes:
        """The picture of a row; KeyError where there is none or its file cannot be read any more."""
        from core.sources.images.thumbnails import thumbnail_bytes

        if row in self._extra:
            return self._extra[row]
        if self._images is None or not 0 <= row < len(self._places):
            raise KeyError(row)
        try:
            return thumbnail_bytes(self._images, int(self._places[row]), SIDE)
        except OrreryError as error:
            raise KeyError(row) from error

    def __contains__(self, row: object) -> bool:
        return isinstance(row, int) and (0 <= row < len(self._places) or row in self._extra)

    def __iter__(self) -> Iterator[int]:
        yield from range(len(self._places))
        yield from self._extra

    def __len__(self) -> int:
        return len(self._places) + len(self._extra)

    def of(self, rows: np.ndarray) -> Pictures:
        """Those of some rows, in the order given."""
        return Pictures(self._images, self._places[rows] if len(self._places) else (), self._base)

    def beside(self, extra: Mapping[int, bytes]) -> Pictures:
        """These, and others at rows of their own."""
        return Pictures(self._images, self._places, self._base, {**self._extra, **extra})


def key_of(pictures: Mapping[int, bytes]) -> str:
    """A name that no other pictures have."""
    if isinstance(pictures, Pictures):
        return pictures.key
    return fingerprint("pictures", sorted(pictures), *(pictures[row] for row in sorted(pictures)))


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
    _component()(key=name, data=answer(pictures, key, view, asked), height="content",
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


@lru_cache(maxsize=1)
def _component() -> Callable[..., Any]:
    return st.components.v2.component("orrery_pictures", html='<span class="orrery-pictures"></span>',
                                      js=(_HERE / "pictures.js").read_text(encoding="utf-8"))
