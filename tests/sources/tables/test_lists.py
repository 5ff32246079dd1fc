"""Lists of classes in each form that people keep them in."""

from __future__ import annotations

import pytest

from core.errors import SourceError
from core.sources.tables.lists import read_list


@pytest.mark.parametrize(("name", "text", "rows"), [
    ("a.txt", "cat\n\n dog, big \r\nowl", ("cat", "dog, big", "owl")),
    ("a.txt", "n01, cat\nn02, dog", ("n01, cat", "n02, dog")),
    ("a.csv", "cat\ndog\nowl\n", ("cat", "dog", "owl")),
    ("a.csv", "name\ncat\ndog\n", ("cat", "dog")),
    ("a.csv", "id,label\n1,cat\n2,\n3,dog\n", ("cat", "dog")),
    ("a.csv", "label;called\ncat;a small cat\ndog;\n", ("cat = a small cat", "dog")),
    ("a.json", '["cat", "dog, big", "猫"]', ("cat", "dog, big", "猫")),
    ("a.json", '{"0": "tench", "1": "goldfish"}', ("tench", "goldfish")),
    ("a.json", '{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}', ("tench", "goldfish")),
    ("a.json", '[{"name": "cat", "prompt": "a cat"}]', ("cat = a cat",)),
    ("a.txt", "\ufeffчёрный кот\n", ("чёрный кот",)),
])
def test_a_list_is_read(name, text, rows):
    assert read_list(text.encode(), name).rows == rows


@pytest.mark.parametrize(("name", "data"), [
    ("a.txt", b"  \n\n"), ("a.csv", b""), ("a.json", b"{"), ("a.png", b"\x89PNG\r\n\x1a\n"),
    ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), ("a.txt", bytes(range(256)) * 4), ("a.txt", b"red\0blue\n"),
])
def test_what_is_no_list_is_refused(name, data):
    with pytest.raises(SourceError):
        read_list(data, name)
