"""A memory on disk gives back what it was told, and never what was damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.sources.memory import FLUSH_EVERY, Memory


def test_values_are_there_at_once_and_in_another_session(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "cache" / "m.sqlite", 10_000)
    for i in range(FLUSH_EVERY + 700):
        memory.remember(f"k{i}", b"%d" % i)
    keys = [f"k{i}" for i in range(FLUSH_EVERY + 900)]
    expected = {f"k{i}": b"%d" % i for i in range(FLUSH_EVERY + 700)}
    assert memory.recall(keys) == expected
    memory.flush()
    assert Memory(tmp_path / "cache" / "m.sqlite", 10_000).recall(keys) == expected


@pytest.mark.parametrize("damage", ["value", "pages", "other table"])
def test_a_damaged_memory_is_thrown_away(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    memory = Memory(path, 10_000)
    for i in range(2_000):
        memory.remember(f"k{i}", b"value %d" % i)
    memory.flush()
    if damage == "pages":
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        path.write_bytes(data)
    else:
        with closing(sqlite3.connect(path)) as base, base:
            base.execute("UPDATE kept SET value = X'00' WHERE key = 'k7'" if damage == "value" else
                         "ALTER TABLE kept RENAME TO gone")
    memory.remember("new", b"1")
    assert memory.recall(["new", *(f"k{i}" for i in range(2_000))]) == {"new": b"1"}
    memory.flush()
    assert Memory(path, 10_000).recall(["new", "k1"]) == {"new": b"1"}


def test_a_memory_that_grew_too_large_begins_anew(tmp_path: Path) -> None:
    for n in range(2):
        memory = Memory(tmp_path / "m.sqlite", 100)
        for i in range(80):
            memory.remember(f"{n} {i}", b"x")
        memory.flush()
    assert Memory(tmp_path / "m.sqlite", 100).recall(["0 1", "1 1"]) == {}
