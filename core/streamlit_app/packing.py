"""How a page sends arrays to its views in the browser: a header as JSON, then the arrays, in one run of bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np


def frame(header: Mapping[str, object], arrays: Sequence[np.ndarray]) -> bytes:
    """A header as JSON and arrays in one run of bytes, each array at a multiple of four."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    parts = [struct.pack("<I", len(text)), text]
    for array in arrays:
        raw = np.ascontiguousarray(array).tobytes()
        parts += [raw, b"\0" * (-len(raw) % 4)]
    return b"".join(parts)
