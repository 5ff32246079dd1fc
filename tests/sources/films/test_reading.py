"""Number and picture agree: films whose frames carry their number, read in every way."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnreadableItem
from core.sources.films import pipes
from core.sources.films.file import look_at, open_file
from core.sources.films.probing import probe
from core.sources.films.reading import FilmFrames
from core.sources.films.sampling import Sampling
from tests.sources.films.filming import ffmpeg, film, number_of

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-bf", "3", "-g", "40", "-crf", "20")
WAYS = {
    "b-frames.mp4": H264, "b-frames.mkv": H264, "b-frames.ts": H264, "b-frames.avi": H264,
    "open-gop.mp4": (*H264, "-x264-params", "open-gop=1:b-adapt=0"),
    "mpeg2.ts": ("-c:v", "mpeg2video", "-bf", "2", "-q:v", "3"),
    "vp8.webm": ("-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M", "-auto-alt-ref", "1", "-lag-in-frames", "16"),
    "moving.gif": (), "moving.webp": ("-quality", "80"), "moving.apng": ("-f", "apng"),
    "ten-bit.mkv": ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-preset", "ultrafast", "-x265-params",
                    "log-level=error"),
}
N = 600


def frames_of(path: Path, numbers: np.ndarray | None = None, size: int = 96) -> FilmFrames:
    header = probe(path, path.name)
    return FilmFrames(path, header, np.arange(len(header.pts)) if numbers is None else numbers, size=size,
                      content="content", name=path.name)


@pytest.mark.parametrize("name", WAYS)
def test_every_format_gives_each_number_its_picture(name: str, tmp_path: Path) -> None:
    n = N if name.startswith(("b-frames", "open")) else 60
    path = film(tmp_path / name, n, *WAYS[name])
    file = open_file(path, name)
    assert len(file.times) == n
    np.testing.assert_allclose(np.diff(file.times), 1 / 25, atol=2e-3 if n == N or "." in name else 0)
    everything = look_at(file, Sampling("all"))
    assert [number_of(everything.frames.decode(i)) for i in range(0, n, 7)] == list(range(0, n, 7))
    part = look_at(file, Sampling(per_second=2.3, start=0.7, end=n / 25 - 0.5))
    shown = [int(np.searchsorted(file.times, t)) for t in part.times]
    assert [number_of(part.frames.decode(i)) for i in range(len(part))] == shown
    for i in (len(part) - 1, 0, len(part) // 2):    # at random, each time by a new pipe
        part.frames.close()  # type: ignore[attr-defined]
        assert number_of(part.frames.decode(i)) == shown[i]


def test_a_varying_rate_shows_the_frame_of_the_moment(tmp_path: Path) -> None:
    # Frame i lasts twice as long from the 40th on.
    path = film(tmp_path / "vfr.mp4", 80, "-vf", "setpts='if(lt(N,40),N,40+2*(N-40))'", "-fps_mode", "passthrough",
                "-enc_time_base", "1:1000", *H264)
    film_ = look_at(open_file(path, "vfr.mp4"), Sampling(per_second=10))
    truth = np.where(np.arange(80) < 40, np.arange(80), 40 + 2 * (np.arange(80) - 40)) / 25
    moments = np.arange(0, truth[-1] + 1e-9, 0.1)
    expected = np.unique(np.searchsorted(truth, moments + 5e-4, side="right") - 1)
    np.testing.assert_allclose(film_.times, truth[expected], atol=1e-3)
    assert [number_of(film_.frames.decode(i)) for i in range(len(film_))] == expected.tolist()


def test_threads_that_ask_in_rising_order_share_one_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4", N, *H264)
    begun: list[float] = []
    real = pipes.TimedPipe

    def counted(wanted: pipes.Wanted, chosen: str, since: float) -> pipes.TimedPipe:
        begun.append(since)
        return real(wanted, chosen, since)

    monkeypatch.setattr(pipes, "TimedPipe", counted)
    frames = frames_of(path, np.arange(0, N, 3))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda i: number_of(frames.decode(i)), range(len(frames))))
    assert found == list(range(0, N, 3))
    assert len(begun) <= 4, "a pipe or two more where threads overtake each other at the beginning"
    resumed = frames_of(path, np.arange(0, N, 3))
    begun.clear()
    assert number_of(resumed.decode(150)) == 450
    assert begun == [pytest.approx(450 / 25)], "a run that is taken up begins near the first frame it wants"


def test_names_of_frames_cost_nothing_and_stay(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 50, *H264)
    file = open_file(path, "a.mp4")
    by_time, everything = look_at(file, Sampling(per_second=5)), look_at(file, Sampling("all"))
    again = look_at(open_file(path.read_bytes(), "b.mp4"), Sampling("all"))
    numbers = np.searchsorted(file.times, by_time.times)
    assert [by_time.frames.content_hash(i) for i in range(len(by_time))] == \
        [everything.frames.content_hash(int(i)) for i in numbers]
    assert again.frames.content_hash(7) == everything.frames.content_hash(7)
    assert look_at(file, Sampling("all", size=64)).frames.content_hash(7) != everything.frames.content_hash(7)
    assert len({everything.frames.content_hash(i) for i in range(50)}) == 50
    assert by_time.fingerprint != everything.fingerprint != look_at(file, Sampling("all", size=64)).fingerprint


def test_pipes_and_threads_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "IDLE_SECONDS", 0.2)
    path = film(tmp_path / "a.mp4", N, *H264)

    before = set(threading.enumerate())

    def ours() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name.startswith("ffmpeg") and t not in before]

    frames = frames_of(path)
    frames.decode(0)
    assert ours()
    waiting = threading.Event()
    for _ in range(300):
        if not ours():
            break
        waiting.wait(0.1)
    assert not ours(), "an idle pipe is closed"
    frames.decode(0)
    del frames
    gc.collect()
    assert not ours(), "a film that is forgotten closes its pipes"


@pytest.mark.parametrize(("turn", "aspect", "size"), [
    ("90", "1", (96, 160)), ("180", "1", (160, 96)), ("270", "1", (96, 160)), ("0", "4/3", (213, 96)),
    ("90", "4/3", (96, 213)), ("0", "1/2", (160, 192))])
def test_rotation_and_pixel_aspect_are_honoured(turn: str, aspect: str, size: tuple[int, int], tmp_path: Path) -> None:
    path = film(tmp_path / "plain.mp4", 5, "-vf", f"setsar={aspect}", *H264)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", turn, "-i", str(path), "-c", "copy", str(turned))
    frames = frames_of(turned, size=400)
    assert (frames.header.width, frames.header.height) == size
    picture = frames.decode(3)
    assert picture.size == size
    upright = {"0": picture, "90": picture.rotate(-90, expand=True), "180": picture.rotate(180),
               "270": picture.rotate(90, expand=True)}[turn]
    assert number_of(upright) == 3


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.webm"
    ffmpeg("-f", "lavfi", "-i", "color=red@0.0:s=64x64:r=5:d=1,format=yuva420p", "-c:v", "libvpx-vp9",
           "-auto-alt-ref", "0", str(path))
    assert np.asarray(frames_of(path).decode(2)).min() > 240


def test_a_film_that_changed_is_not_read_as_if_it_had_not(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 30, *H264)
    frames = look_at(open_file(path, "a.mp4"), Sampling("all")).frames
    film(path, 40, *H264)
    with pytest.raises(UnreadableItem, match="changed"):
        frames.decode(3)


def test_a_packet_without_a_picture_shows_the_frame_before_it(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 90, *H264)
    header = probe(path, path.name)
    between = (header.pts[50] + header.pts[51]) // 2
    pts = np.sort(np.append(header.pts, between))
    frames = FilmFrames(path, replace(header, pts=pts), np.arange(40, 60), size=96, content="c", name="a")
    assert [number_of(frames.decode(i)) for i in range(20)] == [*range(40, 51), 50, *range(51, 59)]
