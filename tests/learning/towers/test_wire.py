"""Messages between processes: what is sent comes out the same, and nothing that is broken is taken for one."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from core.errors import ShapeError
from core.learning.towers import wire
from core.learning.towers.pairs import Lesson, SmallPairs


def made(n: int, seed: int) -> SmallPairs:
    rng = np.random.default_rng(seed)
    return SmallPairs(rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8),
                      tuple(f"a “näme” {i % 3}" for i in range(n)), tuple("ab"[i % 2] for i in range(n)),
                      tuple(f"{seed}-{i}" for i in range(n)))


def test_a_lesson_and_numbers_come_out_as_they_went_in() -> None:
    lesson = Lesson("mine", made(5, 0), made(3, 1), world=True)
    pipe = io.BytesIO()
    wire.write(pipe, *wire.packed(lesson))
    wire.write(pipe, {"step": 3, "loss": 0.1 + 0.2}, {"images": np.arange(6, dtype=np.float32).reshape(2, 3)})
    wire.write(pipe, {"ask": "nothing"})
    pipe.seek(0)
    got = wire.unpacked(*wire.read(pipe))
    assert got.fingerprint == lesson.fingerprint and (got.name, got.world) == ("mine", True)
    said, arrays = wire.read(pipe)
    assert said == {"step": 3, "loss": 0.1 + 0.2} and arrays["images"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert wire.read(pipe) == ({"ask": "nothing"}, {})
    with pytest.raises(EOFError):
        wire.read(pipe)


@pytest.mark.parametrize("broken", [
    b"", struct.pack("<II", 4, 0) + b"no", struct.pack("<II", 4, 0) + b"oops", struct.pack("<II", 2, 4) + b"{}junk",
    struct.pack("<II", 2**31, 2**31)], ids=["nothing", "cut short", "no JSON", "no arrays", "too long"])
def test_what_is_no_message_is_the_end(broken: bytes) -> None:
    with pytest.raises(EOFError):
        wire.read(io.BytesIO(broken))


def test_objects_are_neither_sent_nor_read() -> None:
    objects = np.array([{}, []], dtype=object)
    with pytest.raises(ShapeError):
        wire.write(io.BytesIO(), {}, {"x": objects})
    buffer, pipe = io.BytesIO(), io.BytesIO()
    np.savez(buffer, x=objects)
    pipe.write(struct.pack("<II", 2, buffer.tell()) + b"{}" + buffer.getvalue())
    pipe.seek(0)
    with pytest.raises(EOFError):
        wire.read(pipe)
