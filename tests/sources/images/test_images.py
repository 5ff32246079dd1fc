"""Folders, zips and uploads: stable ids, labels from folders, captions beside images, hostile archives refused."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core import settings as settings_module
from core.errors import Cancelled, SourceError, UnreadableItem
from core.settings import Settings
from core.sources import archives, gate, tars
from core.sources.archives import Archive, clean, natural
from core.sources.images import hashes, opening, readers, thumbnails
from core.sources.images.folders import labels_from_folders
from core.sources.images.opening import open_folder, open_uploads, open_zip
from core.sources.images.readers import (
    ChosenImages,
    FileImages,
    UploadImages,
    content_hashes,
    decode_image,
    decode_small,
)
from core.sources.tars import TarArchive
from core.types import Images


def png(colour: str = "red", size: tuple[int, int] = (8, 6)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def laid_out(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


FILES = {
    "train/cat/10.png": png("red"), "train/cat/2.png": png("lime"), "val/dog/1.png": png("blue"),
    "val/dog/1.txt": b"ein Hund\n\n a dog \n", "train/cat/.hidden.png": png(), "__MACOSX/train/cat/2.png": b"x",
    "train/cat/Thumbs.db": b"x", "notes.md": b"words", "empty.png": b"", "photo.heic": b"....ftypheic",
}
IDS = ("train/cat/2.png", "train/cat/10.png", "val/dog/1.png")


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    local = settings_module.settings()
    public = Settings(local.cache, None, None, True, 1.0)
    for module in (opening, gate):
        monkeypatch.setattr(module, "settings", lambda: public)


def test_folder_zip_and_uploads_agree(tmp_path: Path) -> None:
    folder = open_folder(laid_out(tmp_path / "pets", FILES))
    (tmp_path / "pets.zip").write_bytes(zipped(FILES))
    datasets = [folder, open_zip(tmp_path / "pets.zip"), open_zip(zipped(FILES), "pets.zip"),
                open_uploads(list(FILES.items()))]
    for dataset in datasets:
        assert dataset.image_ids == IDS
        assert dataset.texts == ("ein Hund", "a dog")
        assert dataset.text_ids == ("val/dog/1.png/0", "val/dog/1.png/1")
        assert dataset.links.tolist() == [[2, 0], [2, 1]]
        assert dataset.image_table.to_dict("list") == {"split": ["train", "train", "validation"],
                                                       "label": ["cat", "cat", "dog"]}
        assert {r.name: r.reason for r in dataset.refused if not r.name.startswith("__")} == {
            "empty.png": "the file is empty", "photo.heic": "it is a HEIC photo, which is not read as an image"}
        assert isinstance(dataset.images, Images)
        assert [dataset.images.decode(i).getpixel((0, 0)) for i in range(3)] == [(0, 255, 0), (255, 0, 0), (0, 0, 255)]
        assert dataset.images.content_hash(0) == hashlib.sha256(FILES[IDS[0]]).hexdigest()
        assert dataset.fingerprint == folder.fingerprint
    assert [d.name for d in datasets[:3]] == ["pets"] * 3


def test_labels_from_folders() -> None:
    def table(*names: str) -> dict[str, list[str]]:
        return labels_from_folders(names).to_dict("list")

    assert table("a.png", "b.png") == {}
    assert table("photos/a.png", "photos/b.png") == {}
    assert table("x/cat/a.png", "x/dog/b.png") == {"label": ["cat", "dog"]}
    assert table("animals/cat/a.png", "plants/b.png", "c.png") == {
        "label": ["animals/cat", "plants", ""], "folder_1": ["animals", "plants", ""], "folder_2": ["cat", "", ""]}
    assert table("Test/a.png", "Test/b.png") == {"split": ["test", "test"]}
    assert table("00000/000000001.jpg", "00001/000010001.jpg") == {}
    assert len(labels_from_folders([])) == 0


def test_natural_order_and_clean_names() -> None:
    assert sorted(["10.png", "9.png", "a10b2", "a10b10", "009.png", "x" * 9000 + "9" * 9000], key=natural) == [
        "009.png", "9.png", "10.png", "a10b2", "a10b10", "x" * 9000 + "9" * 9000]
    assert clean("../../etc/./passwd.png") == "etc/passwd.png"
    assert clean("C:\\Users\\me\\photo.png") == "Users/me/photo.png"
    assert clean("/") == "unnamed"


def test_a_folder_that_loops_and_one_that_is_closed(tmp_path: Path) -> None:
    laid_out(tmp_path, {"a/x.png": png()})
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    dataset = open_folder(tmp_path)
    assert dataset.image_ids == ("a/x.png",)


def test_errors_of_folders(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the path of a folder; got /nope, which is not there. Check the path"):
        open_folder("/nope")
    laid_out(tmp_path, {"f.txt": b"x"})
    with pytest.raises(SourceError, match="which is a file"):
        open_folder(tmp_path / "f.txt")
    with pytest.raises(SourceError, match=r"images in .*; got 1 other files \(.txt\). Image files end in .apng"):
        open_folder(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(SourceError, match="got an empty folder"):
        open_folder(tmp_path / "none")
    laid_out(tmp_path / "bad", {"a.png": b""})
    with pytest.raises(SourceError, match=r"none that can be read \(1 refused; a.png: the file is empty\)"):
        open_folder(tmp_path / "bad")


def test_no_path_of_the_server_is_opened(hosted: None, tmp_path: Path) -> None:
    laid_out(tmp_path, {"a.png": png()})
    said = "an uploaded folder; got a path on the server. This is a public server: upload the files"
    with pytest.raises(SourceError, match=said):
        open_folder(tmp_path)
    with pytest.raises(SourceError, match="an uploaded zip"):
        open_zip(tmp_path / "a.zip")
    assert open_zip(zipped({"a.png": png()}), "a.zip").image_ids == ("a.png",)


def test_a_table_among_the_images_brings_captions_and_columns() -> None:
    files = {"images/a.png": png("red"), "images/b.png": png("blue"), "images/c.png": png("lime"),
             "metadata.jsonl": b'{"file_name": "images/b.png", "text": "a blue one", "size": 3}\n'
                               b'{"file_name": "images/a.png", "text": ["a red one", "red"], "size": 4}\n'
                               b'{"file_name": "images/z.png", "text": "lost"}\n'}
    dataset = open_zip(zipped(files), "set.zip")
    assert dataset.image_ids == ("images/a.png", "images/b.png", "images/c.png")
    assert dataset.texts == ("a blue one", "a red one", "red", "lost")
    assert dataset.links.tolist() == [[1, 0], [0, 1], [0, 2]]
    assert dataset.image_table["size"].tolist()[:2] == [4, 3]
    assert pd.isna(dataset.image_table["size"][2])
    assert [(r.name, r.reason) for r in dataset.refused] == [("images/z.png", "no image of this name in set")]


def test_flickr_s_captions_file(tmp_path: Path) -> None:
    files = {"Images/1.jpg": png(), "Images/2.jpg": png("blue"),
             "captions.txt": b"image,caption\n1.jpg,A child , in a dress .\n1.jpg,A girl .\n2.jpg,Two dogs .\n"}
    dataset = open_folder(laid_out(tmp_path, files))
    assert dataset.texts == ("A child , in a dress .", "A girl .", "Two dogs .")
    assert dataset.links.tolist() == [[0, 0], [0, 1], [1, 2]]


def test_a_table_of_something_else_is_named_and_passed_over() -> None:
    dataset = open_zip(zipped({"a.png": png(), "prices.csv": b"item,price\nx,1\ny,2\n"}), "a.zip")
    assert dataset.texts == ()
    assert [(r.name, r.reason) for r in dataset.refused] == [
        ("prices.csv", "no column of it names images (item, price)")]
    dataset = open_zip(zipped({"a.png": png(), "metadata.parquet": b"PAR1"}), "a.zip")
    assert dataset.refused[0].name == "metadata.parquet"
    assert "cannot be read as one" in dataset.refused[0].reason


def test_hostile_zips() -> None:
    names = {"../../../evil.png": png(), "/abs/a.png": png("blue"), "C:\\x\\b.png": png("lime")}
    dataset = open_zip(zipped(names), "evil.zip")
    assert dataset.image_ids == ("abs/a.png", "evil.png", "x/b.png")
    assert dataset.images is not None
    assert dataset.images.decode(1).getpixel((0, 0)) == (255, 0, 0)
    with pytest.raises(SourceError, match=r"at most 200 times their size; got 0.png, which unpacks to 1,0.. times"):
        open_zip(zipped({f"{i}.png": bytes(100 * 1024**2) for i in range(3)}), "bomb.zip")
    with pytest.raises(SourceError, match=r"a zip archive in x.zip; got a file that cannot be opened as one"):
        open_zip(b"no zip at all", "x.zip")
    with pytest.raises(SourceError, match=r"got an empty file. Upload it again"):
        open_zip(b"", "x.zip")
    with pytest.raises(SourceError, match=r"the path of a zip archive; got gone.zip, which is not there"):
        open_zip("/nowhere/gone.zip")
    sound = zipped({"a.png": png()})
    with pytest.raises(SourceError, match="may be cut off"):
        open_zip(sound[:len(sound) - 30], "cut.zip")


def tarred(files: dict[str, bytes], kind: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=kind) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


def test_a_webdataset_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{i:09d}{ending}": data for i in range(3) for ending, data in
             ((".png", png(size=(8, i + 1))), (".txt", f"caption {i}".encode()), (".json", b'{"caption": "again"}'))}
    (tmp_path / "00000.tar").write_bytes(tarred(files))
    for source, name in ((tmp_path / "00000.tar", None), (tarred(files), "00000.tar")):
        dataset = open_zip(source, name)
        assert dataset.name == "00000"
        assert dataset.image_ids == ("000000000.png", "000000001.png", "000000002.png")
        assert dataset.texts == ("caption 0", "caption 1", "caption 2")
        assert dataset.images is not None
        assert [dataset.images.decode(i).size for i in (2, 0)] == [(8, 3), (8, 1)]
    twice = open_zip(tarred({"../a.png": png(), "a.png": png("blue")}), "x.tar")
    assert len(twice.image_ids) == 2
    shard = TarArchive(tmp_path / "00000.tar", "c.tar")
    (tmp_path / "00000.tar").write_bytes(tarred(files)[:1000])
    with pytest.raises(UnreadableItem, match=r"000000002.png; got its part of c.tar is cut off"):
        shard.read("000000002.png")
    with pytest.raises(UnreadableItem, match=r"x.png; got c.tar holds no such file"):
        shard.read("x.png")
    with pytest.raises(SourceError, match=r"a tar archive in 00000.tar; got a file that cannot be opened"):
        open_zip(tmp_path / "00000.tar")
    assert open_zip(tarred(files, "w:gz"), "x.tar.gz").image_ids == dataset.image_ids
    for data in (tarred(files, "w:gz")[:300], b"no tar at all" * 100):
        with pytest.raises(SourceError, match=r"a tar archive in x.tar; got a file that cannot be opened as one"):
            open_zip(data, "x.tar")
    with pytest.raises(SourceError, match=r"the path of a tar archive; got gone.tar: the file is not there"):
        open_zip("/nowhere/gone.tar")
    monkeypatch.setattr(tars, "MAX_FILE_BYTES", 10)
    assert TarArchive(tarred({"a.png": png()}), "x").refused[0].reason.startswith("the file has 0 MB")
    with pytest.raises(SourceError, match=r"at most 0 MB unpacked in x; got 0 MB. Unpack it once with gunzip"):
        TarArchive(tarred({"a.png": png()}, "w:gz"), "x")


def lie_about_size(data: bytes, size: int) -> bytes:
    """The same archive, but its list of contents states another unpacked size."""
    at = data.rindex(b"PK\x01\x02")
    return data[:at + 24] + struct.pack("<I", size) + data[at + 28:]


def test_zips_that_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).bytes(10_000)
    data = zipped({f"{i}.png": noise for i in range(20)})
    for at in [i for i in range(len(data)) if data.startswith(b"PK\x01\x02", i)]:
        data = data[:at + 24] + struct.pack("<I", 2**32 - 2) + data[at + 28:]
    with pytest.raises(SourceError, match=r"at most 65,536 MB unpacked in big.zip; got 81,920 MB. Split it"):
        open_zip(data, "big.zip")
    short = Archive(lie_about_size(zipped({"a.png": noise}), 10), "short.zip")
    with pytest.raises(UnreadableItem, match=r"its part of short.zip is damaged"):
        short.read("a.png")
    with pytest.raises(UnreadableItem, match=r"a.zip holds no such file"):
        Archive(zipped({"a.png": noise}), "a.zip").read("b.png")
    monkeypatch.setattr(gate, "_MOST_OF_A_DIRECTORY", 1e-6)
    with pytest.raises(SourceError, match=r"at most 0 MB of a list of contents in x.zip; got 0 MB"):
        Archive(zipped({"a.png": noise}), "x.zip")


def test_damaged_locked_and_oddly_packed_members() -> None:
    data = bytearray(zipped({"a.png": png(), "b.png": png("blue", (50, 50))}, zipfile.ZIP_STORED))
    at = data.index(b"IDAT")
    data[at + 8] ^= 0xff
    dataset = open_zip(bytes(data), "d.zip")
    assert dataset.images is not None
    with pytest.raises(UnreadableItem, match=r"a readable image in a.png; got its part of d.zip is damaged"):
        dataset.images.decode(0)
    assert dataset.images.decode(1).size == (50, 50)
    assert dataset.images.content_hash(0) != dataset.images.content_hash(1)

    locked = bytearray(zipped({"a.png": png()}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + offset] |= 1
    with pytest.raises(SourceError, match=r"a zip archive without a password in l.zip; got 1 locked files"):
        open_zip(bytes(locked), "l.zip")
    half = bytearray(zipped({"a.png": png(), "b.png": png()}))
    half[half.rindex(b"PK\x01\x02") + 8] |= 1
    dataset = open_zip(bytes(half), "h.zip")
    assert [(r.name, r.reason) for r in dataset.refused] == [("b.png", "it is locked with a password")]

    odd = bytearray(zipped({"a.png": png()}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        odd[odd.index(mark) + offset:odd.index(mark) + offset + 2] = struct.pack("<H", 97)
    dataset = open_zip(bytes(odd), "o.zip")
    assert dataset.images is not None
    with pytest.raises(UnreadableItem, match=r"o.zip is packed in a way that is not read here"):
        dataset.images.decode(0)


def test_members_of_one_name_and_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", png("red"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", png("blue"))
    twice = Archive(buffer.getvalue(), "t.zip")
    assert len(twice.members) == 2
    assert {twice.read(m) for m in twice.members} == {png("red"), png("blue")}
    assert twice.size(twice.members[0]) == len(png())
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 20)
    assert [r.reason for r in Archive(zipped({"a.png": png(), "b.txt": b"x"}), "x").refused] == [
        "the file has 0 MB; the limit is 256 MB"]


def test_uploads_of_one_name_are_all_kept() -> None:
    dataset = open_uploads([("IMG_1.png", png("red")), ("IMG_1.png", png("blue")), ("IMG_1.png", png("lime"))])
    assert dataset.image_ids == ("IMG_1.png", "IMG_1~2.png", "IMG_1~3.png")
    assert dataset.images is not None
    assert [dataset.images.decode(i).getpixel((0, 0)) for i in range(3)] == [(255, 0, 0), (0, 0, 255), (0, 255, 0)]


def test_a_zip_is_read_by_many_threads_at_once() -> None:
    files = {f"{i}.png": png(size=(8, i + 1)) for i in range(64)}
    archive = Archive(zipped(files), "x.zip")
    wrong = []

    def read_all() -> None:
        wrong.extend(name for name in archive.members if archive.read(name) != files[name])

    threads = [threading.Thread(target=read_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_files_that_change_or_vanish(tmp_path: Path) -> None:
    laid_out(tmp_path, {"a.png": png("red"), "b.png": png("blue")})
    reader = FileImages([tmp_path / "a.png", tmp_path / "b.png"])
    before = reader.content_hash(0)
    (tmp_path / "a.png").write_bytes(png("lime"))
    (tmp_path / "b.png").unlink()
    with pytest.raises(UnreadableItem, match="the file has changed since it was opened; open the folder again"):
        reader.decode(0)
    with pytest.raises(UnreadableItem, match=r"a readable image in b.png; got the file is not there"):
        reader.decode(1)
    fresh = FileImages([tmp_path / "a.png"])
    assert fresh.content_hash(0) == hashlib.sha256(png("lime")).hexdigest() != before
    assert fresh.decode(0).getpixel((0, 0)) == (0, 255, 0)


def test_why_a_file_cannot_be_opened() -> None:
    assert readers.why_not(FileNotFoundError()) == "the file is not there"
    assert readers.why_not(PermissionError()) == "the file may not be read by this user"
    assert readers.why_not(IsADirectoryError()) == "it is a folder"
    assert readers.why_not(OSError(5, "Input/output error")) == "the disk says: Input/output error"


def test_hashes_are_remembered_between_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = hashes.HashMemory(tmp_path / "cache" / "hashes.sqlite")
    monkeypatch.setattr(readers, "hash_memory", lambda: memory)
    laid_out(tmp_path / "set", {f"{i}.png": png(size=(i + 1, 3)) for i in range(600)})
    first = open_folder(tmp_path / "set").images
    assert first is not None
    known = content_hashes(first)
    assert known == [hashlib.sha256(png(size=(i + 1, 3))).hexdigest() for i in range(600)]

    reads = []
    monkeypatch.setattr(FileImages, "read", lambda self, index: reads.append(index) or b"")
    second = open_folder(tmp_path / "set").images
    assert second is not None
    assert [second.content_hash(i) for i in range(600)] == known
    assert reads == []

    (tmp_path / "set" / "5.png").write_bytes(png("blue", (6, 3)))
    third = open_folder(tmp_path / "set").images
    assert third is not None
    third.content_hash(5)
    assert reads == [5]


def test_a_damaged_or_impossible_memory_of_hashes_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "h.sqlite").write_bytes(b"no database at all" * 100)
    memory = hashes.HashMemory(tmp_path / "h.sqlite")
    assert memory.recall(["x"]) == {}
    memory.remember("x", b"stamp", b"digest")
    memory.flush()
    assert memory.recall(["x", "y"]) == {"x": (b"stamp", b"digest")}
    (tmp_path / "file").write_bytes(b"")
    nowhere = hashes.HashMemory(tmp_path / "file" / "h.sqlite")
    nowhere.remember("x", b"stamp", b"digest")
    nowhere.flush()
    assert nowhere.recall(["x"]) == {}


def test_hashing_reports_and_stops() -> None:
    reader = UploadImages([(f"{i}.png", bytes([i % 256, i // 256])) for i in range(700)])
    seen: list[tuple[float, str]] = []
    got = content_hashes(reader, on_progress=lambda f, t: seen.append((f, t)))
    assert got == [hashlib.sha256(bytes([i % 256, i // 256])).hexdigest() for i in range(700)]
    assert [f for f, _ in seen] == [256 / 700, 512 / 700, 1.0]
    assert seen[-1][1] == "700 of 700 files read"
    with pytest.raises(Cancelled, match="256 of 700 files were read"):
        content_hashes(reader, on_progress=lambda f, t: seen.append((f, t)), should_stop=lambda: len(seen) > 3)


def test_chosen_and_small_images() -> None:
    reader = UploadImages([("a.png", png("red", (100, 50))), ("b.png", png("blue", (60, 90)))])
    chosen = ChosenImages([(reader, 1), (reader, 0), (reader, 1)])
    assert len(chosen) == 3
    assert [chosen.decode(i).size for i in range(3)] == [(60, 90), (100, 50), (60, 90)]
    assert chosen.content_hash(1) == reader.content_hash(0)
    assert decode_small(chosen, 1, 20).size == (20, 10)

    class Rendered:
        def __len__(self) -> int:
            return 1

        def content_hash(self, index: int) -> str:
            return "rendered"

        def decode(self, index: int) -> Image.Image:
            return kept

    kept = Image.new("RGB", (100, 50))
    assert decode_small(Rendered(), 0, 20).size == (20, 10)
    assert kept.size == (100, 50)
    with pytest.raises(UnreadableItem, match=r"a readable image in q.png; got the file is empty"):
        decode_image(b"", "q.png")


def test_nothing_is_decoded_or_read_at_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out(tmp_path, {f"{i % 10}/{i}.png": b"x" for i in range(1000)})
    monkeypatch.setattr(readers, "decode_image", None)
    monkeypatch.setattr(FileImages, "read", None)
    assert len(open_folder(tmp_path).image_ids) == 1000


def test_a_hundred_thousand_files_in_one_folder_open_quickly(tmp_path: Path) -> None:
    source = tmp_path / "0.png"
    source.write_bytes(png())
    for i in range(1, 20_000):
        os.link(source, tmp_path / f"{i}.png")
    start = time.process_time()
    dataset = open_folder(tmp_path)
    opened = time.process_time()
    sorted((path.stat().st_size, path) for path in tmp_path.rglob("*") if path.is_file())
    walked = time.process_time()
    assert len(dataset.image_ids) == 20_000
    assert dataset.image_ids[2] == "2.png"
    assert opened - start < 6 * (walked - opened), "as a walk that asks each file for its size"


def test_thumbnails_are_made_once_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "_folder", lambda: tmp_path / "thumbs")
    reader = UploadImages([(f"{i}.png", png("red", (200 + i, 100))) for i in range(5)])
    first = thumbnails.thumbnail(reader, 0, 96)
    assert (first.mode, first.size) == ("RGB", (96, 48))
    monkeypatch.setattr(thumbnails, "decode_small", None)
    again = thumbnails.thumbnail(reader, 0, 96)
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert thumbnails.thumbnail_bytes(reader, 0, 96)[:4] == b"RIFF"
    monkeypatch.undo()
    monkeypatch.setattr(thumbnails, "_folder", lambda: tmp_path / "thumbs")
    kept = next((tmp_path / "thumbs").iterdir())
    kept.write_bytes(kept.read_bytes()[:20])
    assert thumbnails.thumbnail(reader, 0, 96).size == (96, 48)
    for i in range(1, 5):
        thumbnails.thumbnail(reader, i, 96)
        os.utime(tmp_path / "thumbs" / f"{reader.content_hash(i)}-96.webp", (i, i))
    size = kept.stat().st_size
    assert thumbnails.drop_oldest(3 * size) <= 3 * size
    left = {p.name.split("-")[0] for p in (tmp_path / "thumbs").iterdir()}
    assert reader.content_hash(0) in left, "the one used last stays"
    assert reader.content_hash(1) not in left
    assert thumbnails.drop_oldest(10**9) > 0


def test_thumbnails_on_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(thumbnails, "_folder", lambda: tmp_path / "file")
    assert thumbnails.thumbnail(UploadImages([("a.png", png())]), 0).size == (8, 6)
    assert thumbnails.drop_oldest(0) == 0


def test_the_atlas_has_each_image_in_its_place() -> None:
    colours = ["red", "lime", "blue", "white", "black", "yellow"]
    reader = UploadImages([(c, png(c, (90, 40))) for c in colours] + [("broken.png", b"nothing")])
    atlas = thumbnails.thumbnail_atlas(reader, [5, 0, 6, 2, 1], size=16)
    assert (atlas.columns, atlas.size, atlas.image.size) == (3, 16, (48, 32))
    for place, index in enumerate([5, 0, None, 2, 1]):
        middle = (place % 3 * 16 + 8, place // 3 * 16 + 8)
        got = atlas.image.getpixel(middle)
        if index is None:
            assert got == (200, 200, 200)
        else:
            want = Image.new("RGB", (1, 1), colours[index]).getpixel((0, 0))
            assert np.abs(np.subtract(got, want)).max() < 12  # type: ignore[arg-type]
    assert [(r.name, r.reason.split(" (")[0]) for r in atlas.refused] == [
        ("6", "it is not an image of a known format")]
    assert thumbnails.thumbnail_atlas(reader, []).image.size == (64, 64)


def test_the_reference_photos_open_alike_from_a_folder_and_a_zip(reference: Path) -> None:
    photos = reference / "photos"
    names = [p.relative_to(photos).as_posix() for p in photos.rglob("*") if p.is_file()]
    folder = open_folder(photos)
    packed = open_zip(zipped({n: (photos / n).read_bytes() for n in names}, zipfile.ZIP_STORED), "photos.zip")
    assert len(folder.image_ids) == 16
    assert folder.fingerprint == packed.fingerprint
    assert set(folder.image_table["label"]) == {"clip_retrieval", "coral"}
    assert folder.images is not None
    image = folder.images.decode(folder.image_ids.index("coral/parrot.jpg"))
    own = np.asarray(Image.open(photos / "coral/parrot.jpg").convert("RGB"))
    assert np.array_equal(np.asarray(image), own)
