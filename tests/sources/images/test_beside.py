"""What lies among images: pictures without a name that says so, links, samples of webdatasets; nothing in silence."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.sources.images.opening import open_folder, open_uploads, open_zip
from core.types import Dataset


def picture(kind: str = "PNG", colour: str = "red", mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8), colour).save(buffer, kind)
    return buffer.getvalue()


def as_folder(files: dict[str, bytes], place: Path) -> Dataset:
    for name, data in files.items():
        (place / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "set" / name).write_bytes(data)
    return open_folder(place / "set")


def as_zip(files: dict[str, bytes], _: Path) -> Dataset:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return open_zip(buffer.getvalue(), "set.zip")


def as_tar(files: dict[str, bytes], _: Path) -> Dataset:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return open_zip(buffer.getvalue(), "set.tar")


def as_uploads(files: dict[str, bytes], _: Path) -> Dataset:
    return open_uploads(list(files.items()))


every_way = pytest.mark.parametrize("bring", [as_folder, as_zip, as_tar, as_uploads])
Bring = Callable[[dict[str, bytes], Path], Dataset]


@every_way
def test_pictures_of_any_kind_are_read_or_named(bring: Bring, tmp_path: Path) -> None:
    files = {"a.dds": picture("DDS"), "b.tga": picture("TGA"), "c.pcx": picture("PCX"), "d.jp2": picture("JPEG2000"),
             "e.sgi": picture("SGI"), "noending": picture("JPEG"), "f.thumb": picture("PNG"), "g.0": picture("TIFF"),
             "h.jxl": b"\xff\x0a" + bytes(20), "jxlwithout": b"\xff\x0a" + bytes(20), "LICENSE": b"Python words",
             "model.bin2": bytes(range(40)), "empty": b"", "README.md": b"words", "lost.txt": b"a caption"}
    dataset = bring(files, tmp_path)
    assert set(dataset.image_ids) == {"a.dds", "b.tga", "c.pcx", "d.jp2", "e.sgi", "noending", "f.thumb", "g.0"}
    assert dataset.images is not None
    for i in range(len(dataset.images)):
        red, green, blue = dataset.images.decode(i).getpixel((4, 4))  # type: ignore[misc]
        assert red > 240
        assert max(green, blue) < 15
    jxl = "it is a JPEG XL image, which is not read as an image"
    assert {r.name: r.reason for r in dataset.refused} == {"h.jxl": jxl, "jxlwithout": jxl}
    unsaid = "neither its name nor its first bytes say that it is an image"
    assert {r.name: r.reason for r in dataset.left_out} == {
        "LICENSE": unsaid, "model.bin2": unsaid, "empty": "the file is empty", "lost.txt":
            "no image has its name, and it is no table of these images: no column of it names images (caption)",
        "README.md": "it is no image, no text of an image's name and no table"}


@every_way
def test_samples_named_as_webdatasets_name_them(bring: Bring, tmp_path: Path) -> None:
    files = {"0.input.png": picture(), "0.output.txt": b"one\n", "1.png": picture(), "1.0.txt": b"two", "1.1.txt": b"2",
             "2.png": picture(), "2.json": b'{"caption": "three", "url": "http://x", "n": 3, "box": [1, 2]}',
             "2.cls": b"7", "3.png": picture(), "3.txt": b"four", "3.json": b'{"caption": "four again", "n": 4}',
             "4.left.png": picture(), "4.right.png": picture(), "4.txt": b"whose?", "5.png": picture(),
             "5.json": b"{not json", "6.png": picture(), "6.json": b"[1]"}
    dataset = bring(files, tmp_path)
    owner = {dataset.texts[j]: dataset.image_ids[i] for i, j in dataset.links}
    assert owner == {"one": "0.input.png", "two": "1.png", "2": "1.png", "three": "2.png", "four": "3.png"}
    table = dataset.image_table.set_axis(list(dataset.image_ids), axis=0)
    assert table.loc["2.png", ["url", "n", "box", "label"]].tolist() == ["http://x", 3, "[1, 2]", 7]
    assert str(table["n"].dtype) == str(table["label"].dtype) == "Int64"
    assert table.loc["3.png", "n"] == 4
    assert {r.name: r.reason[:40] for r in dataset.refused} == {
        "4.txt": "2 images have this name up to its first ", "5.json": "it is not JSON (Expecting property name ",
        "6.json": "it is JSON, but no object with named fie"}
    assert dataset.left_out == ()


@pytest.mark.parametrize(("name", "texts"), [
    ("wds_dotted", [f"a box number {i} here" for i in range(3)]),
    ("wds_json", [f"a box number {i} here" for i in range(3)]),
    ("wds_several", [f"caption {k} of box number {i}" for i in range(3) for k in range(3)]), ("wds_cls", [])])
def test_shards_of_the_reference(reference: Path, name: str, texts: list[str]) -> None:
    dataset = open_zip(reference / "odd_data" / "tars" / f"{name}.tar")
    assert list(dataset.texts) == texts
    assert len(dataset.image_ids) == 3
    assert len(dataset.links) == len(texts)
    assert (dataset.refused, dataset.left_out) == ((), ())
    if name == "wds_cls":
        assert dataset.image_table["label"].tolist() == [0, 1, 2]
        assert dataset.image_table["label"].dtype == "int64"


def test_links_in_a_tar_lead_to_members_alone(reference: Path) -> None:
    dataset = open_zip(reference / "odd_data" / "tars" / "hardlink.tar")
    assert dataset.image_ids == ("cat/a.png", "cat/b.png", "dog/a_copy.png", "dog/b_copy.png", "dog/sym.png")
    assert dataset.images is not None
    hashes = [dataset.images.content_hash(i) for i in range(5)]
    assert hashes[2:] == [hashes[0], hashes[1], hashes[0]]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("x/a.png")
        info.size = len(picture())
        archive.addfile(info, io.BytesIO(picture()))
        for link, kind, target in (("b.png", tarfile.SYMTYPE, "x/a.png"), ("c.png", tarfile.SYMTYPE, "b.png"),
                                   ("d.png", tarfile.SYMTYPE, "/etc/passwd"), ("e.png", tarfile.LNKTYPE, "gone.png"),
                                   ("f.png", tarfile.SYMTYPE, "../../x/a.png"), ("g.png", tarfile.SYMTYPE, "h.png"),
                                   ("h.png", tarfile.SYMTYPE, "g.png"), ("x/i.png", tarfile.SYMTYPE, "../x/./a.png"),
                                   ("fifo.png", tarfile.FIFOTYPE, "")):
            info = tarfile.TarInfo(link)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    dataset = open_zip(buffer.getvalue(), "links.tar")
    assert dataset.image_ids == ("b.png", "c.png", "x/a.png", "x/i.png")
    assert {r.name: r.reason for r in dataset.refused} == {
        **{name: f"it is a link to {target}, which is no file of this archive" for name, target in (
            ("d.png", "/etc/passwd"), ("e.png", "gone.png"), ("f.png", "../../x/a.png"), ("g.png", "h.png"),
            ("h.png", "g.png"))}, "fifo.png": "it is a pipe, which is not read"}
