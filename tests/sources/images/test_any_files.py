"""Folders, archives and uploads of files of every kind: no error but a friendly one, and every file accounted for."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import OrreryError
from core.sources.archives import is_hidden
from core.sources.images.opening import open_folder, open_uploads, open_zip
from core.types import Dataset
from tests.sources.images.test_images import png

STEMS = st.sampled_from(["a", "b.input", "caf\u00e9", "cafe\u0301", "\u732b", "\u0444\u043e\u0442\u043e", "0001", "A",
                         "meta data", "metadata"])
FOLDERS = st.sampled_from(["", "train/", "train/cats/", "\u72d7/", "00000/", ".git/", "__MACOSX/"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "cp1251", "gb18030", "shift_jis"])
WORDS = st.sampled_from(["ein gr\u00fcner W\u00fcrfel", "\u043a\u0440\u0430\u0441\u043d\u044b\u0439 \u043a\u0443\u0431",
                         "a plain red box", "\u7ea2\u8272\u7684\u76d2\u5b50", "\u8d64\u3044\u7bb1", ""])
PICTURES = {name: png(name) for name in ("red", "blue")}


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """Names and contents of files, of which some are pictures, some speak of pictures, and some are neither."""
    found: dict[str, bytes] = {}
    for _ in range(draw(st.integers(1, 9))):
        name = draw(FOLDERS) + draw(STEMS)
        words = draw(WORDS).encode(draw(ENCODINGS), "replace")
        contents = {
            ".png": PICTURES[draw(st.sampled_from(sorted(PICTURES)))], ".jpg": b"\xff\xd8\xff half a picture", "":
            PICTURES["red"], ".txt": words, ".caption": words, ".cls": b"3", ".json": draw(st.sampled_from(
                [json.dumps({"caption": "a box"}).encode(), b"[1]", b"{", json.dumps({"a.png": "a dog"}).encode()])),
            ".csv": f"image,caption\na.png,{draw(WORDS)}\nlost.png,b\n".encode(draw(ENCODINGS), "replace"),
            ".jsonl": b'{"file_name": "a.png", "text": "one"}\nno json\n', ".heic": b"\0\0\0\x18ftypheic",
            ".md": b"words", ".bin": bytes(range(9)), ".parquet": b"PAR1 cut"}
        ending = draw(st.sampled_from(sorted(contents)))
        found[name + ending] = contents[ending]
    return found


def accounted(dataset: Dataset, brought: Mapping[str, bytes]) -> None:
    """Each file is an image, is named with its reason, or said something of an image."""
    named = {r.name for r in (*dataset.refused, *dataset.left_out)}
    for name, data in brought.items():
        if is_hidden(name) or name in dataset.image_ids or name in named:
            continue
        assert name.endswith((".txt", ".caption", ".cls", ".json", ".csv", ".jsonl")), name
        if name.endswith((".csv", ".jsonl")):
            assert ("lost.png" if name.endswith(".csv") else "line 2") in named
        else:
            stem = name.rpartition("/")[2].split(".", 1)[0]
            assert any(i.rpartition("/")[2].startswith(stem) for i in dataset.image_ids) or data.startswith(b'{"a.png')
    assert len({*dataset.image_ids}) == len(dataset.image_ids)


def zipped(brought: Mapping[str, bytes], encoding: str | None = None) -> bytes:
    """A zip; with an encoding, one whose names are written in it and do not say so."""

    class Old(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self.filename.encode(encoding or "utf-8", "replace"), self.flag_bits & ~0x800

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in brought.items():
            archive.writestr(Old(name) if encoding else name, data)
    return buffer.getvalue()


def tarred(brought: Mapping[str, bytes], kind: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=kind) as archive:  # type: ignore[call-overload]
        for name, data in brought.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def in_folder(brought: Mapping[str, bytes]) -> Dataset:
    root = Path(tempfile.mkdtemp())
    try:
        for name, data in brought.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)
        return open_folder(root)
    finally:
        shutil.rmtree(root)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(files())
def test_the_same_of_every_way(brought: dict[str, bytes]) -> None:
    ways = {"folder": lambda: in_folder(brought), "zip": lambda: open_zip(zipped(brought), "x.zip"),
            "tar": lambda: open_zip(tarred(brought, "w"), "x.tar"),
            "tar.gz": lambda: open_zip(tarred(brought, "w:gz"), "x.tar.gz"),
            "uploads": lambda: open_uploads(list(brought.items()))}
    found: dict[str, Dataset | None] = {}
    for way, opening in ways.items():
        try:
            found[way] = opening()
        except OrreryError:
            found[way] = None
    first = found["zip"]
    pictures = [name for name in brought if name.endswith((".png", ".jpg")) and not is_hidden(name)]
    assert first is not None or not pictures
    for way, dataset in found.items():
        assert (dataset is None) == (first is None), way
        if dataset is not None and first is not None:
            accounted(dataset, brought)
            assert (dataset.image_ids, dataset.texts, dataset.links.tolist()) == (
                first.image_ids, first.texts, first.links.tolist()), way
            assert dataset.notices == first.notices


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["caf\u00e9", "\u732b", "\u56fe\u7247", "\u0444\u043e\u0442\u043e", "plain", "b"]),
                min_size=1, max_size=6, unique=True), st.sampled_from(["utf-8", "cp1251", "gb18030", "shift_jis"]))
def test_names_of_zips_that_do_not_say_their_letters(stems: list[str], encoding: str) -> None:
    brought = {f"{stem}.png": PICTURES["red"] for stem in stems}
    dataset = open_zip(zipped(brought, encoding), "x.zip")
    assert len(dataset.image_ids) == len(brought)
    assert dataset.refused == ()
    chosen = open_zip(zipped(brought, encoding), "x.zip", encoding=encoding)
    assert len(chosen.image_ids) == len(brought)
    assert not any("does not say" in notice for notice in chosen.notices)
    if dataset.notices and all(stem.encode(encoding, "replace").decode(encoding) == stem for stem in stems):
        assert set(chosen.image_ids) == set(brought)


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.integers(0, 300), st.sampled_from(["x.zip", "x.tar", "x.tar.gz"]))
def test_damaged_archives(noise: bytes, at: int, name: str) -> None:
    good = {"a.png": PICTURES["red"], "a.txt": b"words"}
    whole = zipped(good) if name == "x.zip" else tarred(good, "w:gz" if name.endswith("gz") else "w")
    data = whole[:at] + noise + whole[at + len(noise):]
    try:
        dataset = open_zip(data, name)
    except OrreryError:
        return
    assert len(dataset.image_ids) >= 1


def test_an_account_that_does_not_add_up_would_be_seen() -> None:
    dataset = open_uploads([("a.png", PICTURES["red"])])
    with pytest.raises(AssertionError):
        accounted(dataset, {"a.png": b"", "lost.png": b""})
