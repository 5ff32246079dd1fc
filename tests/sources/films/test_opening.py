"""Films as people bring them: uploads, folders, archives, numbered pictures, with labels and subtitles beside them."""

from __future__ import annotations

import gc
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.encoding.models import load_model
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import Cancelled, OrreryError, SourceError
from core.settings import settings
from core.sources.films.film import films_dataset
from core.sources.films.made import world_file, world_film
from core.sources.films.opening import look, open_film_files, open_film_path, open_films, open_path_files
from core.sources.films.sampling import Sampling, choose
from core.sources.solids.films import frames, make_film
from tests.sources.films.filming import film, number_of, numbered

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")
SRT = b"1\n00:00:00,100 --> 00:00:01,000\nhello\n"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return film(tmp_path_factory.mktemp("clip") / "a.mp4", 30, *H264).read_bytes()


def png(i: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(numbered(i + 1)[i]).save(held, "PNG")
    return held.getvalue()


def test_uploads_with_a_table_subtitles_and_a_bad_one(clip: bytes) -> None:
    table = b"file;genres\nalbum/one.mp4;drama | old\nTWO;comedy\nnone.mp4;x\n"
    brought = open_films([("two.mp4", clip), ("one.mp4", clip), ("bad.mp4", clip[:200]), ("empty.webm", b""),
                          ("one.en.srt", SRT), ("lost.srt", SRT), ("films.csv", table), ("notes.docx", b"x"),
                          ("..\\-odd name \u00e9.mp4", clip)], Sampling(per_second=5))
    assert [f.name for f in brought.films] == ["-odd name \u00e9", "one", "two"]
    assert [f.labels for f in brought.films] == [(), ("drama", "old"), ("comedy",)]
    assert brought.films[1].lines[0].text == "hello" and not brought.films[2].lines
    assert {r.name for r in brought.refused} == {"bad.mp4", "empty.webm"}
    assert {r.name for r in brought.left_out} == {"lost.srt", "notes.docx"}
    assert films_dataset(brought.films).image_table["label"].tolist() == [""] * 6 + ["drama"] * 6 + ["comedy"] * 6
    paths = [f.path for f in brought.films]
    assert all(p is not None and p.stat().st_mode & 0o077 == 0 for p in paths)
    del brought
    gc.collect()
    assert not any(p.exists() for p in paths if p is not None), "an upload goes with its film"


def test_other_frames_of_a_film_cost_no_second_reading(clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_film_files([("a.mp4", clip)])
    monkeypatch.setattr("core.sources.films.file.probe", None)
    monkeypatch.setattr("core.sources.films.file.hashlib", None)
    first, second = look(opened, Sampling("all")).films[0], look(opened, Sampling(per_second=3, start=0.5)).films[0]
    assert first.path == second.path and len(first) == 30 and len(second) == 3
    assert [number_of(second.frames.decode(i)) for i in range(3)] == [round(t * 25) for t in second.times]


def test_folders_and_archives_are_genres(clip: bytes, tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("drama/a.mp4", "drama/-b.mp4", "comedy/c d.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(clip)
    for i in range(3, 12):
        (root / "comedy" / "shots").mkdir(exist_ok=True)
        (root / "comedy" / "shots" / f"shot {i}.png").write_bytes(png(i))
    (root / "comedy" / "poster.png").write_bytes(png(0))
    (root / "drama" / "a.srt").write_bytes(SRT)
    (root / "loop").symlink_to(root)
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                archive.write(path, path.relative_to(root))
    one_level = [("shots", "comedy"), ("c d", "comedy"), ("-b", "drama"), ("a", "drama")]
    for brought in (open_film_path(root, Sampling("all"), fps=10), open_film_path(packed, Sampling("all"), fps=10),
                    open_films([("set.zip", packed.read_bytes())], Sampling("all"), fps=10)):
        assert sorted((f.name, f.labels[0]) for f in brought.films) == sorted(one_level)
        shots = next(f for f in brought.films if f.name == "shots")
        assert [number_of(shots.frames.decode(i)) for i in range(9)] == list(range(3, 12)), "2 comes before 10"
        np.testing.assert_allclose(shots.times, np.arange(9) / 10)
        assert shots.path is None and [f.lines[0].text for f in brought.films if f.lines] == ["hello"]
        assert [r.name for r in brought.left_out] == ["comedy/poster.png"]
    bare = tmp_path / "bare.set"
    bare.mkdir()
    for i in range(3):
        (bare / f"{i:04d}.png").write_bytes(png(i))
    (pictures,) = open_film_path(bare).films
    assert pictures.name == "bare" and "3 pictures" in pictures.notices[0]
    alone = open_film_path(root / "drama" / "a.mp4")
    assert [f.name for f in alone.films] == ["a"] and alone.films[0].lines
    assert alone.films[0].path == root / "drama" / "a.mp4", "a film on this machine is not copied"


def test_moving_pictures_are_films(tmp_path: Path) -> None:
    for name, options in (("a.gif", ()), ("b.webp", ()), ("c.png", ("-f", "apng"))):
        film(tmp_path / name, 12, *options)
    brought = open_film_path(tmp_path, Sampling("all"))
    assert [(f.name, len(f)) for f in brought.films] == [("a", 12), ("b", 12), ("c", 12)]


def test_sampling_says_what_it_leaves_out() -> None:
    times = np.arange(100) / 10
    chosen, notices = choose(Sampling("all", most=7), times, "x")
    assert len(chosen) == 7 and chosen[[0, -1]].tolist() == [0, 99] and "7 of 100 frames" in notices[0]
    assert choose(Sampling(per_second=1000), times, "x")[0].tolist() == list(range(100))
    assert choose(Sampling(per_second=0.001), times, "x")[0].tolist() == [0]
    assert choose(Sampling(start=9.95), times, "x")[0].tolist() == [99], "the last frame is still shown"
    assert choose(Sampling("scenes"), times, "x", [0, 10, 50])[0].tolist() == [0, 5, 10, 30, 50, 75]
    assert choose(Sampling("scenes", start=2, end=6), times, "x", [0, 10, 50])[0].tolist() == [20, 35, 50, 55]
    lumpy = np.asarray([0, 0.01, 0.02, 5.0, 9.0])
    assert choose(Sampling(per_second=1), lumpy, "x")[0].tolist() == [0, 2, 3, 4]
    for bad in ({"start": 11.0}, {"start": float("nan")}, {"end": 0.0}, {"per_second": 0}, {"per_second": 1e9},
                {"how": "never"}, {"size": 5}, {"most": 0}):
        with pytest.raises(OrreryError):
            choose(Sampling(**bad), times, "x")  # type: ignore[arg-type]
    assert Sampling().fingerprint != Sampling(per_second=3).fingerprint
    assert Sampling("all").fingerprint == Sampling("all", per_second=3).fingerprint


def test_scenes_are_found_in_files_and_in_pictures(tmp_path: Path) -> None:
    # The stripes of 0, 1023, 0, ... are black, white, black: each run of 12 frames a scene.
    values = np.repeat([20, 235, 20], 12)
    pictures = np.broadcast_to(values[:, None, None, None], (36, 48, 64, 3)).astype(np.uint8)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    from core.sources.mp4 import write_mp4

    path = write_mp4(iter(pictures), (64, 48), 12, tmp_path / "a.mp4")
    for brought in (open_film_path(path, Sampling("scenes")), open_film_path(tmp_path, Sampling("scenes"))):
        for found in brought.films:
            np.testing.assert_allclose(found.times * 12, [0, 6, 12, 18, 24, 30], atol=1e-6)


def test_films_of_the_world_are_their_frames() -> None:
    solids = make_film("fades", 60, seed=3)
    truth = list(frames(solids, 64))
    made = world_film(solids, 64)
    assert made.labels == ("fades",) and len(made) == 60 and made.path is None
    for i in (0, 59, 3, 31, 30):
        np.testing.assert_array_equal(np.asarray(made.frames.decode(i)), truth[i])
    again = look_some(solids)
    assert again.frames.content_hash(2) == made.frames.content_hash(round(float(again.times[2]) * 12))
    assert world_film(make_film("fades", 60, seed=4), 64).fingerprint != made.fingerprint


def look_some(solids: object) -> object:
    from core.sources.films.file import look_at

    return look_at(world_file(solids, 64), Sampling(per_second=3))  # type: ignore[arg-type]


def test_a_film_becomes_vectors_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", 400, *H264)
    film_ = open_film_path(path, Sampling(per_second=12, size=96)).films[0]
    model, store = load_model("builtin", device="cpu", dtype="float32"), Store(tmp_path / "store")
    whole = embed(films_dataset([film_]), model, Store(tmp_path / "other"), batch_size=16)
    seen: list[float] = []
    with pytest.raises(Cancelled):
        embed(films_dataset([film_]), model, store, batch_size=16, on_progress=lambda share, _: seen.append(share),
              should_stop=lambda: bool(seen and seen[-1] > 0.4))
    resumed = embed(films_dataset([film_]), model, store, batch_size=16)
    assert 0 < resumed.encoded < len(film_) and whole.images is not None and resumed.images is not None
    np.testing.assert_allclose(resumed.images.vectors, whole.images.vectors, atol=1e-5)
    assert not resumed.refused and resumed.images.table["time"].tolist() == film_.times.tolist()


def test_what_is_no_film_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: bytes) -> None:
    for files in ([], [("a.txt", b"x")], [("a.zip", b"PK"), ("b.mp4", clip)], [("one.png", png(1))]):
        with pytest.raises(SourceError):
            open_films(files)
    with pytest.raises(SourceError, match="not there"):
        open_film_path(tmp_path / "none")
    with pytest.raises(Cancelled):
        open_film_files([("a.mp4", clip)], should_stop=lambda: True)
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    try:
        with pytest.raises(SourceError, match="upload") as caught:
            open_path_files(tmp_path)
        assert str(tmp_path) not in str(caught.value)
        assert len(open_films([("a.mp4", clip)]).films) == 1
    finally:
        monkeypatch.undo()
        settings.cache_clear()
