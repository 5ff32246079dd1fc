"""How a page sends arrays to its views in the browser, in one run of bytes, and files that they fetch when needed."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
import streamlit as st

T = TypeVar("T")


class Same(Generic[T]):
    """A thing as a cache key, equal only to itself: what holds the same thing shares the files made of it."""

    def __init__(self, thing: T) -> None:
        self.thing = thing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.thing is other.thing

    def __hash__(self) -> int:
        return id(self.thing)


def frame(header: Mapping[str, object], arrays: Sequence[np.ndarray]) -> bytes:
    """A header as JSON and arrays in one run of bytes, each array at a multiple of four."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays:
        raw = np.ascontiguousarray(array).tobytes()
        parts += [raw, b"\0" * (-len(raw) % 4)]
    return b"".join(parts)


def serve(blob: bytes, coordinates: str) -> str:
    """Where the browser fetches a file from; ``coordinates`` name its place in the visit, one file a place."""
    from streamlit.runtime import get_instance

    url = get_instance().media_file_mgr.add(blob, "application/octet-stream", coordinates)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{url}" if base else url
