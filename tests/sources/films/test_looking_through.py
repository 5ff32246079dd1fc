"""What is made of a film besides vectors: thumbnails, signals, proxies and an mp4."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import Cancelled, SourceError
from core.settings import settings
from core.sources.films import proxies
from core.sources.films.file import look_at, open_file
from core.sources.films.film import Film
from core.sources.films.made import world_film
from core.sources.films.probing import probe
from core.sources.films.proxies import plays, proxy, proxy_path
from core.sources.films.sampling import Sampling
from core.sources.films.signals import signals, strip_and_signals
from core.sources.films.soundtrack import soundtrack
from core.sources.films.thumbnails import strip
from core.sources.mp4 import write_mp4
from core.sources.solids.films import make_film
from tests.sources.films.filming import ffmpeg, film, number_of, numbered

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")


def opened(path: Path, sampling: Sampling | None = None) -> Film:
    return look_at(open_file(path, path.name), sampling or Sampling("all"))


def picture_of(data: bytes) -> Image.Image:
    import io

    return Image.open(io.BytesIO(data))


def test_thumbnails_are_those_of_their_frames(tmp_path: Path) -> None:
    looked = opened(film(tmp_path / "a.mp4", 100, *H264), Sampling(per_second=5))
    made = strip(looked)
    assert len(made.pictures) == len(looked) and made.height == 72 and made.width == 120 and not made.unread
    assert [number_of(picture_of(p)) for p in made.pictures] == [round(t * 25) for t in looked.times]
    assert {picture_of(p).size for p in made.pictures} == {(120, 72)}
    again, measured = strip_and_signals(looked)
    assert [number_of(picture_of(p)) for p in again.pictures] == [round(t * 25) for t in looked.times]
    np.testing.assert_allclose(measured.brightness, signals(looked).brightness)
    tall = opened(film(tmp_path / "tall.mp4", 3, *H264, size=(80, 160)))
    assert picture_of(strip(tall).pictures[0]).size == (36, 72)
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        strip(looked, should_stop=lambda: next(asked, True))


def test_signals_measure_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "signals.mp4"
    # Two seconds black and silent, then a bright disc that moves 40 pixels a second, with a tone of amplitude 1/2.
    ffmpeg("-f", "lavfi", "-i", "color=black:s=160x96:r=10:d=4", "-f", "lavfi", "-i",
           "aevalsrc='if(gte(t,2),0.5*sin(2*PI*440*t),0)':s=8000:d=4", "-vf",
           "geq=lum='if(gte(T,2),if(lt(hypot(X-40-40*(T-2),Y-48),30),235,16),16)':cb=128:cr='if(gte(T,2),200,128)'",
           *H264, "-crf", "12", "-c:a", "pcm_s16le", "-f", "mov", str(path))
    told: list[float] = []
    found = signals(opened(path, Sampling(per_second=10)), on_progress=lambda share, _: told.append(share))
    before, after = found.times < 1.85, found.times > 2.15
    np.testing.assert_allclose(found.brightness[before], 0, atol=0.02)
    assert (found.brightness[after] > 0.1).all()
    assert (found.colourfulness[before] < 2).all() and (found.colourfulness[after] > 30).all()
    np.testing.assert_allclose(found.loudness[before], -120)
    np.testing.assert_allclose(found.loudness[after], 20 * np.log10(0.5 / np.sqrt(2)), atol=0.2)
    moving = np.nanmedian(found.motion[after])
    disc = np.pi * 30**2 / (160 * 96)
    assert 0.3 * disc * 40 / 96 < moving < 3 * 40 / 96
    assert np.nanmax(found.motion[before]) < 0.01 and np.isnan(found.motion[0])
    assert told == sorted(told) and told[-1] == 1 and set(found.named()) == {
        "brightness", "colourfulness", "motion", "loudness"}


def test_sound_that_ends_or_fails_is_not_known(tmp_path: Path, reference: Path) -> None:
    path = tmp_path / "short.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:r=5:d=3", "-f", "lavfi", "-i", "sine=d=1", *H264, "-c:a", "mp2",
           str(path))
    found = signals(opened(path, Sampling(per_second=5)))
    assert np.isfinite(found.loudness[found.times < 0.9]).all() and np.isnan(found.loudness[found.times > 1.2]).all()
    whole = tmp_path / "whole.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:r=5:d=3", "-f", "lavfi", "-i", "anoisesrc=d=3", *H264, "-c:a", "aac",
           str(whole))
    data = bytearray(whole.read_bytes())
    index = data.rindex(b"moov")
    data[index // 2:index - 16] = b"\xff" * (index - 16 - index // 2)    # the sound's second half, not its index
    (tmp_path / "bad.mp4").write_bytes(data)
    broken = signals(opened(tmp_path / "bad.mp4", Sampling(per_second=5)))
    assert any("sound" in said for said in broken.notices) and np.isfinite(broken.loudness[:4]).all()
    failing = signals(opened(reference / "videos" / "video_with_failing_audio.mp4"))
    assert np.isfinite(failing.brightness).all() and len(failing.loudness) == 280
    silent = signals(world_film(make_film("orbit", 48), 64))
    assert np.isnan(silent.loudness).all() and np.isfinite(silent.brightness).all() and not silent.notices


@pytest.mark.parametrize(("name", "options", "expected"), [
    ("a.mp4", H264, True), ("a.webm", ("-c:v", "libvpx"), True), ("a.avi", H264, False), ("a.mkv", H264, False),
    ("a.gif", (), False), ("ten.mp4", ("-c:v", "libx264", "-pix_fmt", "yuv420p10le"), False),
    ("five.mp4", ("-c:v", "libx265", "-x265-params", "log-level=error"), False)])
def test_what_browsers_play(name: str, options: tuple[str, ...], expected: bool, tmp_path: Path) -> None:
    assert plays(opened(film(tmp_path / name, 5, *options))) is expected


def test_a_proxy_has_the_times_of_its_film(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    film(tmp_path / "plain.mp4", 50, *H264, size=(1280, 768))
    ffmpeg("-i", str(tmp_path / "plain.mp4"), "-f", "lavfi", "-i", "sine=d=2", "-c:v", "mpeg4", "-q:v", "2", str(path))
    looked = opened(path, Sampling(per_second=2))
    told: list[float] = []
    made = proxy(looked, on_progress=lambda share, _: told.append(share))
    assert made == proxy_path(looked) and made.is_relative_to(settings().cache)
    again = opened(made)
    assert plays(again) and again.has_sound and again.frames.header.height == 480  # type: ignore[attr-defined]
    np.testing.assert_allclose(again.times, opened(path).times, atol=2e-3)
    assert [number_of(again.frames.decode(i)) for i in range(0, 50, 7)] == list(range(0, 50, 7))
    stamp = made.stat().st_ino
    assert proxy(opened(path)).stat().st_ino == stamp, "it is made once"
    other = replace(opened(film(tmp_path / "b.avi", 300, "-c:v", "mpeg4", "-q:v", "2")))
    with pytest.raises(Cancelled):
        proxy(other, should_stop=lambda: True)
    assert not proxy_path(other).exists()
    assert not list(proxy_path(other).parent.glob(".making*"))


def test_pictures_and_odd_films_become_playable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = opened(proxy(world_film(make_film("drift", 48), 65)))
    assert plays(made) and len(made) == 48 and made.duration == pytest.approx(4, abs=0.05)
    clear = tmp_path / "clear.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=red@0.0:s=63x61:r=5:d=1,format=yuva420p", "-c:v", "libvpx-vp9",
           "-auto-alt-ref", "0", str(clear))
    assert np.asarray(opened(proxy(opened(clear))).frames.decode(0)).min() > 225, "transparency is white there too"
    one = film(tmp_path / "one.avi", 1, "-c:v", "mpeg4", size=(3, 3))
    assert len(opened(proxy(opened(one)))) == 1
    monkeypatch.setattr(proxies, "MOST_BYTES", 1)
    last = proxy(opened(film(tmp_path / "last.gif", 10)))
    assert list(last.parent.glob("*.webm")) == [last], "the oldest go when they are too many"


def test_an_mp4_opens_again(tmp_path: Path) -> None:
    with_sound = tmp_path / "sound.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:r=5:d=3", "-f", "lavfi", "-i", "sine=d=3", *H264, str(with_sound))
    told: list[float] = []
    frames = numbered(50, 161, 97)
    path = write_mp4(iter(frames), (161, 97), 25, tmp_path / "-a film é.mp4", count=50,
                     sound=soundtrack(with_sound, seconds=2), on_progress=lambda share, _: told.append(share))
    header = probe(path, path.name)
    assert (header.width, header.height, header.codec, header.pixels) == (162, 98, "h264", "yuv420p")
    assert len(header.pts) == 50 and header.duration == pytest.approx(2) and header.sound == "aac"
    again = opened(path)
    assert [number_of(again.frames.decode(i)) for i in range(0, 50, 7)] == list(range(0, 50, 7)) and told[-1] == 1
    with pytest.raises(SourceError, match="at least one frame"):
        write_mp4(iter(()), (64, 64), 25, tmp_path / "none.mp4")
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        write_mp4(iter(frames), (161, 97), 25, path, should_stop=lambda: next(asked, True))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["-a film é.mp4", "sound.mp4"]
    assert len(opened(path)) == 50, "what was there stays"
