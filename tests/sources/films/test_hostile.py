"""Files that are broken or mean harm: a refusal in plain words, never a hang, never another file."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, OrreryError, SourceError, UnreadableItem
from core.settings import HOSTED, settings
from core.sources.films.file import look_at, open_file
from core.sources.films.probing import probe
from core.sources.films.sampling import Sampling
from tests.sources.films.filming import ffmpeg, film, numbered

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-bf", "2", "-g", "10")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "a.mp4", 40, *H264)


def check_says_no_place(error: OrreryError, path: Path) -> None:
    assert "/tmp" not in str(error) and str(path.parent) not in str(error)


def read_all(path: Path, name: str) -> int:
    """How many frames a film gives; only errors of the family may come out."""
    try:
        looked = look_at(open_file(path, name), Sampling(per_second=5, size=32))
    except OrreryError as error:
        check_says_no_place(error, path)
        return 0
    good = 0
    for i in range(len(looked)):
        try:
            looked.frames.decode(i)
            good += 1
        except UnreadableItem as error:
            check_says_no_place(error, path)
    looked.frames.close()  # type: ignore[attr-defined]
    return good


@pytest.mark.parametrize(("name", "said"), [
    ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:{clip}\n#EXT-X-ENDLIST\n"),
    ("remote.m3u8", "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n"),
    ("list.ffconcat", "ffconcat version 1.0\nfile '{clip}'\n"),
    ("a.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
    ("dash.mpd", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet>'
                 '<Representation id="0" mimeType="video/mp4"><BaseURL>file:{clip}</BaseURL></Representation>'
                 "</AdaptationSet></Period></MPD>"),
    ("words.txt", "just words\n" * 100), ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nhello\n")])
def test_a_list_of_other_files_is_no_film(name: str, said: str, clip: Path, tmp_path: Path) -> None:
    for called in ("film.mp4", name):
        path = tmp_path / called
        path.write_text(said.format(clip=clip))
        with pytest.raises(SourceError, match="a film in") as caught:
            probe(path, called)
        assert str(tmp_path) not in str(caught.value) and "Invalid data" not in str(caught.value)


def test_a_header_that_lies_of_its_size_is_refused(clip: Path, tmp_path: Path) -> None:
    data = bytearray(clip.read_bytes())
    at = data.rindex(b"avc1", 0, data.rindex(b"avcC"))
    data[at + 28:at + 32] = struct.pack(">HH", 65535, 65535)
    (tmp_path / "lies.mp4").write_bytes(data)
    with pytest.raises(SourceError, match="at most 100 megapixels"):
        probe(tmp_path / "lies.mp4", "lies.mp4")
    # Truly large: raw pictures whose header says 65,535 x 65,535.
    film(tmp_path / "raw.mkv", 2, "-c:v", "rawvideo", "-pix_fmt", "yuv420p", size=(320, 288))
    raw = (tmp_path / "raw.mkv").read_bytes().replace(b"\xb0\x82\x01\x40", b"\xb0\x82\xff\xff")
    (tmp_path / "raw.mkv").write_bytes(raw.replace(b"\xba\x82\x01\x20", b"\xba\x82\xff\xff"))
    with pytest.raises(SourceError, match="at most 100 megapixels"):
        probe(tmp_path / "raw.mkv", "raw.mkv")


def test_cut_and_mutated_films_give_frames_or_a_refusal(clip: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ways = {"a.mp4": clip, "a.mkv": tmp_path / "whole.mkv", "a.avi": tmp_path / "whole.avi",
            "a.webm": tmp_path / "whole.webm", "a.gif": tmp_path / "whole.gif"}
    ffmpeg("-i", str(clip), "-c", "copy", str(ways["a.mkv"]))
    ffmpeg("-i", str(clip), "-c", "copy", str(ways["a.avi"]))
    film(ways["a.webm"], 20, "-c:v", "libvpx", "-deadline", "realtime")
    film(ways["a.gif"], 20)
    gave = 0
    for name, source in ways.items():
        whole = source.read_bytes()
        for k in range(24):
            bad = bytearray(whole)
            if k < 6:
                bad = bad[:len(bad) * (k + 1) // 7]
            else:
                places = rng.integers(min(len(bad), 2000) if k % 2 else len(bad), size=int(rng.integers(1, 40)))
                for at in places:
                    bad[at] = rng.integers(256)
            path = tmp_path / name
            path.write_bytes(bad)
            gave += read_all(path, name) > 0
    assert gave > 20, "most of them still give something"


def test_films_without_pictures_or_with_one(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", str(tmp_path / "sound.mp4"))
    with pytest.raises(SourceError, match="no pictures"):
        probe(tmp_path / "sound.mp4", "sound.mp4")
    film(tmp_path / "cover.png", 1)
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", "-i", str(tmp_path / "cover.png"), "-map", "0", "-map", "1", "-c:v", "png",
           "-disposition:v", "attached_pic", str(tmp_path / "album.mp4"))
    with pytest.raises(SourceError, match="no pictures"):
        probe(tmp_path / "album.mp4", "album.mp4")
    one = film(tmp_path / "one.mp4", 1, *H264, size=(16, 16))
    looked = look_at(open_file(one, "one.mp4"), Sampling())
    assert len(looked) == 1 and looked.frames.decode(0).size == (16, 16)
    odd = film(tmp_path / "odd.mkv", 3, "-c:v", "ffv1", "-pix_fmt", "bgr0", size=(33, 17))
    picture = look_at(open_file(odd, "odd.mkv"), Sampling("all")).frames.decode(1)
    np.testing.assert_allclose(np.asarray(picture, dtype=float), numbered(2, 33, 17)[1], atol=3)


def test_every_odd_film_beside_the_project_gives_frames_or_a_refusal(reference: Path, tmp_path: Path) -> None:
    gave = {}
    for path in sorted((reference / "videos").iterdir()):
        copy = tmp_path / f"-{path.stem} \u00e9\u4e2d .{path.suffix[1:]}"
        shutil.copy(path, copy)
        copy.chmod(0o600)
        gave[path.name] = read_all(copy, path.name)
    assert gave.pop("empty.webm") == 0
    assert all(n > 3 for n in gave.values()), gave


def test_reading_is_stopped_when_it_is_asked_to(clip: Path) -> None:
    with pytest.raises(Cancelled):
        probe(clip, "a.mp4", should_stop=lambda: True)
    with pytest.raises(Cancelled):
        look_at(open_file(clip, "a.mp4"), Sampling("scenes"), should_stop=lambda: True)


def test_a_public_server_keeps_to_its_budget(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limits, said in (({"film_frames": 39}, "at most 39 frames"), ({"film_gigapixels": 0}, "gigapixels"),
                         ({"megapixels": 0}, "megapixels")):
        monkeypatch.setattr("core.settings.HOSTED", replace(HOSTED, **limits))
        monkeypatch.setenv("ORRERY_HOSTED", "1")
        settings.cache_clear()
        try:
            with pytest.raises(SourceError, match=said):
                open_file(clip.read_bytes(), "a.mp4")
        finally:
            monkeypatch.undo()
            settings.cache_clear()
    assert read_all(clip, "a.mp4") > 3
