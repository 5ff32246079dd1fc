"""What a visit started and opened ends with it; what clears everyone's caches leaves the work alone."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from tests.sources.films.filming import film
from tests.streamlit_app.protocol import LIMIT, Visitor

Held = dict[str, object]


@pytest.fixture
def hasty(streamlit_server: Callable[..., str]) -> str:
    return streamlit_server(Path(__file__).parent / "hasty_app.py", ORRERY_HOSTED="1")


def held(address: str) -> Held:
    return requests.get(f"{address}/held", timeout=LIMIT).json()


def held_when(address: str, condition: Callable[[Held], bool]) -> Held:
    until = time.monotonic() + LIMIT
    while not condition(found := held(address)):
        assert time.monotonic() < until, found
        time.sleep(0.2)
    return found


def nothing(found: Held) -> bool:
    at_work = any("ScriptRunner" in name for name in found["threads"])      # type: ignore[attr-defined]
    return not (at_work or found["jobs"] or found["visits"] or found["uploads"] or found["shared"]
                or found["looked"] or found["trainings"])


def vectors(n: int, seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.random.default_rng(seed).random((n, 128), dtype=np.float32) - 0.5)
    return buffer.getvalue()


def leave_while_opening(address: str) -> Held:
    visitor = Visitor(address, "Embedding_Sphere", data="vectors").run()
    file = visitor.put(vectors(180_000), "v.npy")[1]        # 92 MB
    visitor.ask(**{"vectors.upload": [("v.npy", file)]})
    visitor.leave()
    return held_when(address, nothing)


def test_a_tab_closed_in_the_middle_of_anything_leaves_nothing(hasty: str) -> None:
    held(hasty)
    first, second = (Visitor(hasty, "Embedding_Sphere", scenes="2500", sample="7") for _ in range(2))
    for visitor in (first, second):
        visitor.run()
    encoding = held_when(hasty, lambda found: bool(found["jobs"]))
    assert encoding["jobs"] == ["embed:builtin:world-2500-7"]
    first.leave()
    left = held_when(hasty, lambda found: found["visits"] == 1)
    assert left["jobs"] == encoding["jobs"], "another visit waits for it"
    second.leave()
    held_when(hasty, nothing)

    measuring = Visitor(hasty, "Modality_Gap", data="vectors").run()
    measuring.bring("vectors.upload", ("image.npy", vectors(10_000)), ("text.npy", vectors(10_000)))
    held_when(hasty, lambda found: bool(found["jobs"]))
    measuring.leave()
    held_when(hasty, nothing)

    before, _, after = (leave_while_opening(hasty) for _ in range(3))
    assert set(after["threads"]) <= {*before["threads"], "orrery-job"}, after   # type: ignore[misc]
    assert after["MB"] < before["MB"] + 90, "less than one of what was opened"    # type: ignore[operator]


def test_no_visitor_stops_the_work_of_another_nor_by_clearing_the_caches(hasty: str) -> None:
    held(hasty)
    worker, other = (Visitor(hasty, "Embedding_Sphere", scenes="2400", sample="8"), Visitor(hasty))
    worker.run()
    other.run()
    begun = held_when(hasty, lambda found: bool(found["jobs"]))
    for _ in range(10):
        other.clear_cache()
        other.run()
    other._ids = {**other._ids, **worker._ids}      # as if it had seen the button of the other
    other.run(**{"stop.embed:builtin:world-2400-8": True})
    after = held(hasty)
    assert after["jobs"] == begun["jobs"] == ["embed:builtin:world-2400-8"]
    assert sum(name.startswith("orrery") for name in after["threads"]) <= 2        # type: ignore[attr-defined]
    for visitor in (worker, other):
        visitor.leave()
    held_when(hasty, nothing)


def test_films_of_a_visit_are_seen_by_no_other_and_go_with_it(streamlit_server: Callable[..., str], tmp_path: Path
                                                              ) -> None:
    (tmp_path / "tmp").mkdir()
    address = streamlit_server(Path(__file__).parent / "hasty_app.py", ORRERY_HOSTED="1", TMPDIR=str(tmp_path / "tmp"),
                               ORRERY_CACHE=str(tmp_path / "cache"))
    held(address)
    clip = film(tmp_path / "clip.avi", 40, "-c:v", "mjpeg").read_bytes()
    spoken = b"1\n00:00:00,100 --> 00:00:01,000\nwords of the first\n"
    first = Visitor(address, "Video_Trajectories", films="files", per_second="10", films_at="read").run()
    first.bring("films.upload", ("zebra.avi", clip), ("zebra.srt", spoken), ("notes of the first.doc", b"x")).settled()
    assert "words of the first" in first.shown and "notes of the first" in first.shown

    same = Visitor(address, "Video_Trajectories", films="files", per_second="10", films_at="read").run()
    same.bring("films.upload", ("zebra.avi", clip)).settled()
    assert "of the first" not in same.shown and "A second" in same.shown
    renamed = Visitor(address, "Video_Trajectories", films="files", per_second="10", films_at="read").run()
    renamed.bring("films.upload", ("mine.avi", clip)).settled()
    assert "zebra" not in renamed.shown and "mine" in renamed.shown

    addresses = [re.findall(r"/_orrery/file/[\w-]{40,}", visitor.run().shown)[0] for visitor in (first, same)]
    assert addresses[0] != addresses[1]
    assert all(requests.get(address + url, timeout=LIMIT).content[:4] == b"\x1aE\xdf\xa3" for url in addresses)
    first.leave()
    held_when(address, lambda found: found["visits"] == 2)
    assert [requests.get(address + url, timeout=LIMIT).status_code for url in addresses] == [404, 200]
    held_when(address, lambda _: len(list((tmp_path / "tmp").glob("orrery-film-*"))) == 2)
    for visitor in (same, renamed):
        visitor.leave()
    held_when(address, nothing)
    held_when(address, lambda _: not [*(tmp_path / "tmp").glob("orrery-film-*"), *tmp_path.rglob("*.webm")])


def pictures(words: str, n: int = 12) -> bytes:
    """A zip of the same pictures, under names and with captions that hold these words."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        rows = ["image,caption,label"]
        for i in range(n):
            picture = io.BytesIO()
            pixels = np.random.default_rng(i % (n - 2)).integers(0, 255, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((48, 48)).save(picture, "PNG")
            archive.writestr(f"{words} {i}.png", picture.getvalue())
            rows.append(f"{words} {i}.png,a {('red', 'blue')[i % 2]} cube of {words},{words} {'ab'[i % 2]}")
        archive.writestr("captions.csv", "\n".join(rows))
    return packed.getvalue()


def test_what_is_found_in_the_data_of_a_visit_is_seen_by_no_other_and_goes_with_it(hasty: str) -> None:
    held(hasty)
    drop = json.dumps([{"do": "drop"}, {"do": "prompt", "prompt": "a cube of ice", "cosine": -1}])
    sections = ({"finding": "copies"}, {"finding": "labels"}, {"quality": "what_if", "actions": drop},
                {"quality": "against", "with": "column"}, {"quality": "against", "with": "files"})
    visits = []
    for words in ("walrus", "narwhal"):
        for query in sections:
            visit = Visitor(hasty, "Dataset_Quality", data="images", **query).run()
            visit.bring("images.upload", (f"{words}.zip", pictures(words))).settled()
            if query.get("with") == "files":
                visit.bring("other.upload", (f"other {words}.zip", pictures(f"other {words}"))).settled()
            visits.append((words, query, visit))
    for words, query, visit in visits:
        other = "narwhal" if words == "walrus" else "walrus"
        shown = visit.run().settled().shown
        assert 'role=\\"alert' not in shown and "Traceback" not in shown, query
        assert words in shown, query
        assert other not in shown, query
    assert held(hasty)["looked"]
    for _, _, visit in visits:
        visit.leave()
    held_when(hasty, nothing)


def test_findings_stop_when_their_visit_is_over(hasty: str) -> None:
    held(hasty)
    for query in ({}, {"quality": "what_if"}, {"quality": "against", "with": "files"}):
        visit = Visitor(hasty, "Dataset_Quality", data="vectors", **query).run()
        visit.bring("vectors.upload", ("v.npy", vectors(22_000)))
        if query.get("with"):
            visit.bring("other.upload", ("w.npy", vectors(21_000, seed=1)))
        held_when(hasty, lambda found: bool(found["jobs"]))
        visit.leave()
        held_when(hasty, nothing)


def masked(seed: int, rows: slice) -> tuple[bytes, bytes]:
    """A zip with a picture, and a mask of it."""
    found = []
    mask = np.zeros((96, 96), dtype=np.uint8)
    mask[rows, 10:70] = 255
    for pixels in (np.random.default_rng(seed).integers(0, 255, (96, 96, 3), dtype=np.uint8), mask):
        picture = io.BytesIO()
        Image.fromarray(pixels).save(picture, "PNG")
        found.append(picture.getvalue())
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("same.png", found[0])
    return packed.getvalue(), found[1]


def test_pictures_and_masks_of_a_visit_stay_apart_on_the_model_that_all_share(hasty: str) -> None:
    held(hasty)
    files = {"walrus": masked(0, slice(0, 40)), "narwhal": masked(1, slice(60, 96))}

    def visit(words: str) -> Visitor:
        visit = Visitor(hasty, "Foveal_Attention", data="images", at="mask", foveal="steer",
                        asked=f"a red cube\na {words}").run()
        visit.bring("images.upload", ("same.zip", files[words][0])).settled()
        visit.ask(**{"foveal.mask": [("same.png", visit.put(files[words][1], "same.png")[1])]})
        return visit

    def told(visit: Visitor, words: str) -> list[str]:
        """What the figures state."""
        shown = visit.run().settled().shown
        assert 'role=\\"alert' not in shown and "Traceback" not in shown
        assert words in shown and ({*files} - {words}).pop() not in shown
        return re.findall(r'\\"title\\":\{.{0,200}?\\"text\\":\\"(.*?)\\"', shown)

    alone = {}
    for words in files:
        one = visit(words)
        alone[words] = told(one, words)
        one.leave()
        held_when(hasty, nothing)
    assert alone["walrus"] != alone["narwhal"] and len(alone["walrus"]) > 1
    together = {words: visit(words) for words in files}
    assert {words: told(one, words) for words, one in together.items()} == alone
    for one in together.values():
        one.leave()
    held_when(hasty, nothing)
