"""Messages between a process and one that trains for it: JSON with arrays behind it, and nothing that can run."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from core.errors import ShapeError
from core.learning.towers.pairs import Lesson, SmallPairs

MOST_BYTES = 512 * 1024**2
_HEAD = struct.Struct("<II")
_SETS = ("train", "probe")

Message = tuple[dict[str, Any], dict[str, np.ndarray]]


def write(sink: IO[bytes], said: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> None:
    """Send one message; arrays hold numbers, or strings, but no objects."""
    buffer = io.BytesIO()
    if arrays:
        if any(array.dtype == object for array in arrays.values()):
            raise ShapeError("arrays of numbers or strings to send", "an array of objects")
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
    text = json.dumps(dict(said)).encode()
    for part in (_HEAD.pack(len(text), buffer.tell()), text, buffer.getvalue()):
        view = memoryview(part)
        while view:
            view = view[sink.write(view):]
    sink.flush()


def read(source: IO[bytes]) -> Message:
    """The next message.

    Raises
    ------
    EOFError
        If the other side is gone, or says what cannot be read.
    """
    sizes = _HEAD.unpack(_exactly(source, _HEAD.size))
    if sum(sizes) > MOST_BYTES:
        raise EOFError("a message that is too long")
    try:
        said = json.loads(_exactly(source, sizes[0]))
        blob = _exactly(source, sizes[1])
        if not blob:
            return said, {}
        with np.load(io.BytesIO(blob), allow_pickle=False) as kept:
            return said, {name: kept[name] for name in kept.files}
    except (ValueError, OSError) as error:
        raise EOFError(str(error)) from error


def _exactly(source: IO[bytes], n: int) -> bytes:
    out = bytearray(n)
    view = memoryview(out)
    while view:
        got = source.readinto(view)  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other side is gone")
        view = view[got:]
    return bytes(out)


def packed(lesson: Lesson) -> Message:
    """A lesson as a message."""
    said: dict[str, Any] = {"name": lesson.name, "world": lesson.world}
    arrays = {}
    for part in _SETS:
        pairs: SmallPairs = getattr(lesson, part)
        said[part] = [list(pairs.texts), list(pairs.labels), list(pairs.ids)]
        arrays[part] = pairs.images
    return said, arrays


def unpacked(said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Lesson:
    """The lesson that `packed` sent."""
    train, probe = (SmallPairs(arrays[part], *(tuple(column) for column in said[part])) for part in _SETS)
    return Lesson(said["name"], train, probe, said["world"])
