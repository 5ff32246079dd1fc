"""Files that are sent piece by piece: the right bytes, to whoever has the secret, for as long as the visit lasts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import requests

from core.streamlit_app.serving import SHELF, serve_file
from tests.streamlit_app.protocol import LIMIT, Visitor

DATA = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
LARGE_MB = 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    (folder / "film.mp4").write_bytes(DATA)
    (folder / "-odd ñame #1.mp4").write_bytes(DATA[:1000])
    (folder / "empty.mp4").write_bytes(b"")
    with (folder / "large.mp4").open("wb") as large:
        large.truncate(LARGE_MB * 2**20)
        large.seek(-5, 2)
        large.write(b"THEND")
    return folder


@pytest.fixture
def address(streamlit_server: Callable[..., str], folder: Path) -> str:
    return streamlit_server(Path(__file__).parent / "serving_app.py", FILES=str(folder))


def url_of(visitor: Visitor) -> str:
    found = re.search(r"url<([^>]*)>", visitor.shown)
    assert found is not None, visitor.shown
    return visitor.address + found[1]


def get(url: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, url, headers=headers, timeout=LIMIT)


def test_a_film_is_sent_whole_or_in_the_parts_asked_for(address: str) -> None:
    visitor = Visitor(address, file="film.mp4").run()
    url = url_of(visitor)
    whole = get(url)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, DATA, "video/mp4")
    assert whole.headers["accept-ranges"] == "bytes" and whole.headers["x-content-type-options"] == "nosniff"
    head = get(url, "HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(DATA)))
    for asked, part, said in (("bytes=0-9", DATA[:10], "bytes 0-9/300000"),
                              ("bytes=299990-", DATA[-10:], "bytes 299990-299999/300000"),
                              ("bytes=-7", DATA[-7:], "bytes 299993-299999/300000"),
                              ("bytes=100-9999999", DATA[100:], "bytes 100-299999/300000")):
        answer = get(url, Range=asked)
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, part, said)
    several = get(url, Range="bytes=0-3,50-59")
    assert several.status_code == 206 and several.headers["content-type"].startswith("multipart/byteranges")
    assert DATA[:4] in several.content and DATA[50:60] in several.content
    beyond = get(url, Range="bytes=300000-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */300000")
    since = whole.headers["etag"]
    assert get(url, **{"Range": "bytes=0-9", "If-Range": since}).status_code == 206
    assert get(url, **{"Range": "bytes=0-9", "If-Range": '"other"'}).content == DATA
    assert get(url, "POST").status_code == 405
    visitor.leave()


def test_odd_names_and_kinds_do_no_harm_and_the_address_names_no_path(address: str, folder: Path) -> None:
    for name, size in (("-odd ñame #1.mp4", 1000), ("empty.mp4", 0)):
        visitor = Visitor(address, file=name, type="text/html").run()
        url = url_of(visitor)
        answer = get(url)
        assert (answer.status_code, answer.content) == (200, DATA[:size])
        assert answer.headers["content-type"] == "application/octet-stream", "nothing that a browser would run"
        assert re.fullmatch(r".*/_orrery/file/[\w-]{43}", url)
        assert folder.name not in str(answer.headers)
        visitor.leave()


def test_who_does_not_have_the_secret_learns_nothing(address: str, folder: Path) -> None:
    mine, other = (Visitor(address, file="film.mp4").run() for _ in range(2))
    assert url_of(mine) != url_of(other)
    assert url_of(mine.run()) == url_of(mine), "the same address at every run: a player goes on"
    route = f"{address}/_orrery/file/"
    guesses = ["", "x" * 43, "film.mp4", "..%2Ffilm.mp4", "%2e%2e/%2e%2e/etc/passwd", "..%5cfilm.mp4", "a%0Ab",
               str(folder / "film.mp4").strip("/"), url_of(mine).rsplit("/", 1)[1][:-1]]
    for guess in guesses:
        answer = get(route + guess)
        assert DATA[:50] not in answer.content and b"root:" not in answer.content
        if "%2e" not in guess:      # which leads out of the route
            assert (answer.status_code, answer.content) == (404, b""), guess
    missing = Visitor(address, file="nowhere.mp4").run()
    gone, folder_itself = get(url_of(missing)), Visitor(address, file=".").run()
    assert (gone.status_code, gone.content) == (404, b"")
    assert get(url_of(folder_itself)).status_code == 404
    for visitor in (mine, other, missing, folder_itself):
        visitor.leave()


def test_an_address_ends_with_its_visit_or_when_the_film_is_closed(address: str) -> None:
    mine, other = (Visitor(address, file="film.mp4").run() for _ in range(2))
    of_mine, of_other = url_of(mine), url_of(other)
    mine.query["close"] = "1"
    mine.run()
    assert (get(of_mine).status_code, get(of_other).status_code) == (404, 200)
    del mine.query["close"]
    again = url_of(mine.run())
    assert again != of_mine and get(again).status_code == 200
    mine.leave()
    until = time.monotonic() + LIMIT
    while get(again, "HEAD").status_code != 404:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert get(of_other).status_code == 200
    other.leave()


def test_a_large_film_is_never_in_memory(address: str) -> None:
    visitor = Visitor(address, file="large.mp4").run()
    url, before = url_of(visitor), get(f"{address}/held").json()["MB"]
    assert get(url, Range="bytes=-5").content == b"THEND"
    seen = 0
    with requests.get(url, stream=True, timeout=LIMIT) as answer:
        for piece in answer.iter_content(2**20):
            seen += len(piece)
    assert seen == LARGE_MB * 2**20
    assert get(f"{address}/held").json()["MB"] - before < 100
    visitor.leave()


def test_without_our_server_or_a_visit_there_is_no_address(folder: Path) -> None:
    assert serve_file(folder / "film.mp4", "video/mp4") == ""


def test_below_a_base_path_the_route_is_found(folder: Path) -> None:
    from starlette.testclient import TestClient

    from core.streamlit_app.server import Bounds

    async def inner(scope, receive, send) -> None:
        raise AssertionError("nobody else is asked")

    answered = SHELF.answered
    token = SHELF.put("a visit", folder / "film.mp4", "video/mp4")
    try:
        client = TestClient(Bounds(inner))
        answer = client.get(f"/some/base/_orrery/file/{token}", headers={"Range": "bytes=5-9"})
        assert (answer.status_code, answer.content) == (206, DATA[5:10])
        SHELF.take("a visit", folder / "film.mp4")
        assert client.get(f"/some/base/_orrery/file/{token}").status_code == 404
        assert "a visit" not in SHELF.visits()
    finally:
        SHELF.take("a visit")
        SHELF.answered = answered
