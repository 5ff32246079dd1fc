"""Small pictures: made when they are asked for, never before; what the view asks for and what it gets."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableItem
from core.streamlit_app.data.pictures import SIDE, Pictures, key_of
from core.streamlit_app.live import pictures as answers
from core.streamlit_app.live.pictures import MOST_AT_ONCE, answer


class Counted:
    """Images of one colour each that count how often they are decoded; number 3 cannot be read."""

    def __init__(self, n: int, name: str = "") -> None:
        self.n, self.name, self.decoded = n, name, []

    def __len__(self) -> int:
        return self.n

    def content_hash(self, index: int) -> str:
        return f"counted-{self.name}-{index}"

    def decode(self, index: int) -> Image.Image:
        if index == 3:
            raise UnreadableItem("a picture", "none")
        self.decoded.append(index)
        return Image.new("RGB", (200, 100), (index % 256, 0, 0))


@pytest.fixture
def images(request) -> Counted:
    return Counted(1000, request.node.name)


def unpacked(raw: bytes) -> tuple[dict, dict[int, bytes]]:
    (length,) = struct.unpack_from("<I", raw)
    header, at, found = json.loads(raw[4:4 + length]), 4 + length, {}
    for point, size in zip(header["points"], header["sizes"]):
        found[point] = raw[at:at + size]
        at += size
    return header, found


def test_a_picture_is_made_when_it_is_looked_up(images):
    shown = Pictures(images, [5, 4, 3, 2], "key")
    assert (len(shown), list(shown), 3 in shown, 4 in shown, -1 in shown) == (4, [0, 1, 2, 3], True, False, False)
    assert images.decoded == []
    with Image.open(io.BytesIO(shown[1])) as small:
        assert (small.format, max(small.size)) == ("WEBP", SIDE)
    assert images.decoded == [4]
    assert shown.get(2) is None
    with pytest.raises(KeyError):
        shown[4]
    assert len(Pictures()) == 0
    assert 0 not in Pictures()


def test_some_rows_and_others_beside_them(images):
    shown = Pictures(images, [5, 4, 3, 2], "key")
    part = shown.of(np.array([3, 0])).beside({7: b"mine"})
    assert [part[0], part[1], part[7]] == [shown[3], shown[0], b"mine"]
    assert list(part) == [0, 1, 7]
    keys = [shown.key, part.key, shown.of(np.array([3, 0])).key, shown.beside({7: b"other"}).key,
            Pictures(images, [5, 4, 3, 2], "another").key]
    assert len(set(keys)) == 5
    assert shown.of(np.arange(4)).key == shown.key
    assert key_of({1: b"a"}) != key_of({1: b"b"})


def test_the_view_gets_what_it_asked_for_in_its_order(images):
    shown = Pictures(images, range(10), "key")
    header, found = unpacked(answer(shown, shown.key, "sphere", {"of": shown.key, "points": [7, 3, 1], "number": 8}))
    assert (header["view"], header["of"], header["number"]) == ("sphere", shown.key, 8)
    assert found == {7: shown[7], 3: b"", 1: shown[1]}
    assert images.decoded == [7, 1]


@pytest.mark.parametrize("asked", [None, {}, {"of": "other", "points": [1]}, {"points": [1]}, "nonsense", 7,
                                   {"of": "KEY", "points": "12"}, {"of": "KEY", "points": ["1", 1.0, None, -1, 10**9]},
                                   {"of": "KEY", "points": [True]}])
def test_what_was_not_asked_for_in_earnest_is_not_made(images, asked):
    shown = Pictures(images, range(10), "key")
    if isinstance(asked, dict) and asked.get("of") == "KEY":
        asked = {**asked, "of": shown.key}
    assert unpacked(answer(shown, shown.key, "sphere", asked))[1] == {}
    assert images.decoded == []


def test_an_answer_is_bounded_in_number_and_in_time(images, monkeypatch):
    shown = Pictures(images, range(1000), "key")
    asked = {"of": shown.key, "points": list(range(10, 500)), "number": 1}
    monkeypatch.setattr(answers, "SECONDS_AT_ONCE", 1e9)
    assert list(unpacked(answer(shown, shown.key, "sphere", asked))[1]) == list(range(10, 10 + MOST_AT_ONCE))
    monkeypatch.setattr(answers, "SECONDS_AT_ONCE", -1.0)
    assert list(unpacked(answer(shown, shown.key, "sphere", asked))[1]) == [10]


def test_rows_without_a_picture_have_none(images):
    shown = Pictures(images, [5, -1, 2], "key")
    assert (len(shown), list(shown), 1 in shown, shown.get(1), shown.whole(1)) == (2, [0, 2], False, None, None)
    whole = shown.whole(2)
    assert whole is not None
    assert whole.size == (200, 100)
    assert len(shown.of(np.array([1, 2]))) == 1
    header, found = unpacked(answer(shown, "key", "view", {"of": "key", "points": [0, 1, 2], "number": 1}))
    assert header["points"] == [0, 2]
    assert all(found.values())
