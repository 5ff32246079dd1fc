"""Measures of pictures: the width of an edge, what is told of photographs and of flat scenes, hostile files, stops."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from core.errors import Cancelled
from core.geometry.quality.pixels import NUMBERS, Measures, findings_of
from core.sources.images.opening import open_folder
from core.sources.images.readers import ChosenImages, UploadImages
from core.sources.memory import Memory
from core.sources.quality.pixels import measure_pixels, numbers_of
from core.sources.solids.world import open_world
from core.types import Refusal

EDGES = NUMBERS.index("edges")
Change = Callable[[Image.Image], Image.Image]


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "pixels.sqlite", 10_000)


def file_of(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def blurred(share: float) -> Change:
    return lambda picture: picture.filter(ImageFilter.GaussianBlur(share * max(picture.size)))


def moved(share: float) -> Change:
    """Blurred along one side alone, as by a camera that moves."""
    def move(picture: Image.Image) -> Image.Image:
        wide = max(3, round(2 * share * max(picture.size)))
        values = np.asarray(picture, np.float32)
        summed = np.cumsum(np.pad(values, ((0, 0), (wide, 0), (0, 0)), "edge"), axis=1)
        return Image.fromarray(((summed[:, wide:] - summed[:, :-wide]) / wide).astype(np.uint8))

    return move


def darkened(picture: Image.Image) -> Image.Image:
    return picture.point(lambda v: v * .15)


def set_on_grey(picture: Image.Image) -> Image.Image:
    """A small sharp thing before a plain wall."""
    side = max(picture.size)
    out = Image.new("RGB", (side, side), (200, 205, 210))
    out.paste(picture.resize((picture.width * 3 // 10, picture.height * 3 // 10)), (side // 3, side // 3))
    return out


def balls(n: int) -> list[Image.Image]:
    """Smooth spheres in smooth light before a plain wall, with sharp rims."""
    rng, out = np.random.default_rng(0), []
    y, x = np.mgrid[:256, :256]
    for radius in np.linspace(12, 90, n):
        across, down = rng.uniform(100, 156, 2)
        square = ((x - across) ** 2 + (y - down) ** 2) / radius**2
        shade = np.where(square < 1, np.sqrt(np.clip(1 - square, 0, 1)) * 120 + 90, 60).astype(np.uint8)
        out.append(Image.fromarray(shade).convert("RGB").filter(ImageFilter.GaussianBlur(.5)))
    return out


def edges(pictures: Sequence[Image.Image], *changes: Change) -> np.ndarray:
    out = []
    for picture in pictures:
        for change in changes:
            picture = change(picture)
        out.append(numbers_of(picture)[EDGES])
    return np.array(out)


def auc(sharp: np.ndarray, blurry: np.ndarray) -> float:
    return float((sharp[:, None] < blurry).mean() + (sharp[:, None] == blurry).mean() / 2)


@pytest.mark.parametrize("size", [(256, 256), (1000, 400), (128, 120)])
@pytest.mark.parametrize("height", [60, 200])
@pytest.mark.parametrize(("width", "error"), [(1.5, .15), (3.0, .15), (6.0, .35)])
def test_the_width_of_a_step_is_told_whatever_its_height_and_the_size(width: float, error: float, height: int,
                                                                      size: tuple[int, int]) -> None:
    import cv2

    picture = Image.new("L", size, 30)
    ImageDraw.Draw(picture).rectangle((size[0] // 3, size[1] // 4, size[0], size[1]), fill=30 + height)
    values = cv2.GaussianBlur(np.asarray(picture, np.float32), (0, 0), width * max(size) / 256)
    told = numbers_of(Image.fromarray(values.round().astype(np.uint8)).convert("RGB"))[EDGES]
    assert told == pytest.approx(width, rel=error)


def test_blurred_photographs_are_told_apart_whatever_their_size(reference: Path) -> None:
    photos = open_folder(reference / "photos").images
    assert photos is not None
    pictures = [photos.decode(i) for i in range(len(photos))]
    sharp = edges(pictures)
    assert auc(sharp, edges(pictures, blurred(.005))) > .9
    for share in (.01, .02, .03):
        assert auc(sharp, edges(pictures, blurred(share))) > .99
    sizes = np.random.default_rng(0).choice([160, 256, 400, 700], len(pictures))
    mixed = [p.resize((round(p.width * s / max(p.size)), round(p.height * s / max(p.size)))) if s < max(p.size) else p
             for p, s in zip(pictures, sizes.tolist(), strict=True)]
    assert auc(edges(mixed), edges(mixed, blurred(.01))) > .99
    assert auc(sharp, edges(pictures, moved(.02))) > .95
    for flat in (edges(pictures, set_on_grey), edges(pictures, darkened), edges(balls(16))):
        assert auc(flat, edges(pictures, blurred(.01))) > .95
    rows = [numbers_of(p) for p in (*pictures, *balls(16), *map(set_on_grey, pictures))]
    rows += [numbers_of(blurred(.02)(p)) for p in pictures]
    columns = dict(zip(NUMBERS, np.array(rows).T, strict=True))
    found = findings_of(Measures(tuple(map(str, range(len(rows)))), **columns))
    assert found["blur"].flagged().min() >= 3 * 16, "sharp pictures of smooth things are not called blurred"
    assert len(found["blur"].flagged()) == 16


def test_the_world_is_measured_and_its_sharp_scenes_are_not_flagged(memory: Memory) -> None:
    world = open_world(64, 5)
    measures = measure_pixels(world.images, world.image_ids, memory=memory)
    assert measures.refused == () and set(measures.width) == {128} and not np.isnan(measures.edges).any()
    assert len(findings_of(measures)["blur"].flagged()) == 0


ODD = {
    "one pixel": file_of(Image.new("RGB", (1, 1), "red")),
    "a line": file_of(Image.fromarray(np.arange(10_000, dtype=np.uint32)[None].astype(np.uint8)).convert("RGB")),
    "black": file_of(Image.new("L", (300, 200))),
    "white": file_of(Image.new("RGB", (300, 200), "white")),
    "clear": file_of(Image.new("RGBA", (40, 30))),
    "16 bits": file_of(Image.fromarray(np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16))),
    "cmyk": file_of(Image.new("CMYK", (50, 60), (0, 255, 255, 0)), "JPEG"),
    "animated": file_of(Image.new("P", (30, 20)), "GIF", save_all=True,
                        append_images=[Image.new("P", (30, 20), i) for i in range(1, 5)]),
}
SIZES = {"one pixel": (1, 1), "a line": (10_000, 1), "clear": (40, 30), "16 bits": (64, 64), "cmyk": (50, 60),
         "animated": (30, 20)}


def test_odd_pictures_are_measured_and_broken_ones_told(memory: Memory) -> None:
    broken = {"empty": b"", "text": b"no picture", "cut": file_of(Image.new("RGB", (99, 99), "red"))[:60]}
    files = {**ODD, **broken}
    measures = measure_pixels(UploadImages(list(files.items())), list(files), memory=memory)
    assert [refusal.name for refusal in measures.refused] == list(broken)
    assert all(refusal.reason for refusal in measures.refused)
    row = {name: i for i, name in enumerate(measures.ids)}
    assert {n: (measures.width[row[n]], measures.height[row[n]]) for n in SIZES} == SIZES
    assert measures.highlights[row["black"]] == measures.contrast[row["black"]] == 0
    assert measures.brightness[[row["white"], row["clear"]]] == pytest.approx(1)
    assert np.isnan(measures.edges[[row["black"], row["white"], row["one pixel"]]]).all(), "no edge to tell by"
    assert measures.colourfulness[row["cmyk"]] > 50 and measures.colourfulness[row["16 bits"]] == 0
    found = findings_of(measures)
    assert row["black"] in found["dark"].flagged() and row["white"] in found["bright"].flagged()
    assert row["a line"] in found["odd_aspect"].flagged()
    assert not any(row[name] in f.flagged() for f in found.values() for name in broken)


def test_every_broken_file_is_measured_or_told(reference: Path, memory: Memory) -> None:
    dataset = open_folder(reference / "broken_images")
    measures = measure_pixels(dataset.images, dataset.image_ids, memory=memory)
    told = {refusal.name for refusal in measures.refused}
    assert 10 < len(told) < len(measures)
    assert told == {i for i, width in zip(measures.ids, measures.width.tolist(), strict=True) if np.isnan(width)}


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_or_equal_pictures(n: int, memory: Memory) -> None:
    images = UploadImages([("same.png", ODD["black"])] * n)
    measures = measure_pixels(images if n else None, [f"{i}" for i in range(n)], memory=memory)
    assert len(measures) == n and set(measures.width) <= {300}
    assert len(findings_of(measures)["dark"].flagged()) == n


class Counted(UploadImages):
    """Uploads that count how often each is decoded."""

    def __init__(self, uploads: Sequence[tuple[str, bytes]]) -> None:
        super().__init__(uploads)
        self.decoded: list[str] = []

    def decode(self, index: int, **how: object) -> Image.Image:
        self.decoded.append(self.names[index])
        return super().decode(index, **how)  # type: ignore[arg-type]


def test_what_the_disk_says_names_no_file_of_the_server(memory: Memory) -> None:
    class Gone(UploadImages):
        def content_hash(self, index: int) -> str:
            if index == 1:
                raise PermissionError(13, "denied", "/srv/secret/b.png")
            return super().content_hash(index)

        def decode(self, index: int, **how: object) -> Image.Image:
            if index == 0:
                raise FileNotFoundError(2, "gone", "/srv/secret/a.png")
            return super().decode(index, **how)  # type: ignore[arg-type]

    files = [(name, ODD[name]) for name in ("cmyk", "black", "white")]
    measures = measure_pixels(Gone(files), ["a", "b", "c"], memory=memory)
    assert measures.refused == (Refusal("a", "the file is not there"),
                                Refusal("b", "the file may not be read by this user"))
    assert np.isnan(measures.width).tolist() == [True, True, False]


def test_stopped_work_goes_on_and_nothing_is_measured_twice(tmp_path: Path) -> None:
    path = tmp_path / "pixels.sqlite"
    uploads = [(f"{i}.png", file_of(Image.new("RGB", (20 + i, 20), (i, 90, 30)))) for i in range(150)]
    images, told = Counted([*uploads, ("again.png", uploads[3][1])]), []
    ids = list(images.names)
    with pytest.raises(Cancelled, match="64 of 150 pictures"):
        measure_pixels(images, ids, memory=Memory(path, 10_000), on_progress=lambda f, text: told.append((f, text)),
                       should_stop=lambda: len(images.decoded) >= 64)
    assert len(images.decoded) == 64 and told[-1] == (64 / 150, "64 of 150 pictures measured")
    measures = measure_pixels(ChosenImages([(images, i) for i in range(151)]), ids, memory=Memory(path, 10_000))
    assert sorted(images.decoded) == sorted(name for name, _ in uploads)
    assert measures.width.tolist() == [*range(20, 170), 23] and measures.refused == ()
    other = Counted(uploads[:20])
    again = measure_pixels(other, ids[:20], memory=Memory(path, 10_000))
    assert other.decoded == [] and np.array_equal(again.brightness, measures.brightness[:20])


def test_the_memory_holds_no_name_and_a_damaged_one_is_measured_anew(tmp_path: Path, memory: Memory) -> None:
    folder = tmp_path / "secret folder"
    folder.mkdir()
    (folder / "secret name.png").write_bytes(ODD["white"])
    dataset = open_folder(folder)
    first = measure_pixels(dataset.images, dataset.image_ids, memory=memory)
    path = tmp_path / "pixels.sqlite"
    assert b"secret" not in path.read_bytes()
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE kept SET value = zeroblob(28)")
    again = measure_pixels(dataset.images, dataset.image_ids, memory=Memory(path, 10_000))
    assert again.width.tolist() == first.width.tolist() == [300]


def test_a_large_photograph_is_measured_small(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = np.add.outer(np.arange(5_000) // 20, np.arange(8_000) // 32).astype(np.uint8)
    data = file_of(Image.fromarray(ramp).convert("RGB"), "JPEG", quality=80)
    images, sides = UploadImages([("large.jpg", data)]), []
    whole = UploadImages.decode
    monkeypatch.setattr(UploadImages, "decode", lambda self, i, **how: sides.append(p := whole(self, i, **how)) or p)
    measures = measure_pixels(images, ["large.jpg"], memory=memory)
    assert (measures.width[0], measures.height[0]) == (8_000, 5_000)
    assert [max(p.size) for p in sides] == [256]
