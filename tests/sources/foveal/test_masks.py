"""Regions out of files: mask pictures of every kind, COCO's instances and boxes, by the names of pictures."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import SourceError, UnreadableItem
from core.settings import Settings
from core.sources.foveal import masks
from core.sources.foveal.masks import RegionFile, open_regions, open_regions_path
from core.sources.foveal.outlines import from_runs, run_lengths

MARKED = np.zeros((12, 20), dtype=bool)
MARKED[3:9, 5:11] = True
MARKED[4, 6] = False


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def palette(colours: list[int], index: np.ndarray) -> Image.Image:
    picture = Image.new("P", index.shape[::-1])
    picture.putdata(index.astype(np.uint8).reshape(-1).tolist())
    picture.putpalette(colours)
    return picture


def rgba(mask: np.ndarray) -> Image.Image:
    return Image.merge("RGBA", [Image.new("L", mask.shape[::-1], 30)] * 3 + [Image.fromarray(mask * np.uint8(255))])


def packed(counts: list[int]) -> str:
    """COCO's own way of writing run lengths (rleToString of maskApi.c)."""
    out = ""
    for i, count in enumerate(counts):
        x, more = count - (counts[i - 2] if i > 2 else 0), True
        while more:
            c, x = x & 0x1F, x >> 5
            more = x != -1 if c & 0x10 else x != 0
            out += chr((c | 0x20 if more else c) + 48)
    return out


def runs_of(mask: np.ndarray) -> list[int]:
    flat = mask.T.reshape(-1)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    return [0, *counts] if flat[0] else counts


@pytest.mark.parametrize("picture", [
    Image.fromarray(MARKED * np.uint8(255)), Image.fromarray(MARKED), Image.fromarray(MARKED.astype(np.uint8)),
    Image.fromarray(MARKED.astype(np.uint16) * 40_000), rgba(MARKED),
    palette([255, 255, 255, 0, 0, 0], ~MARKED), palette([0, 0, 0, 128, 0, 0, 0, 128, 0], MARKED * 2),
    palette([0, 0, 0, 128, 0, 0] + [224, 224, 192] * 254, np.where(np.eye(12, 20, 12, dtype=bool), 255, MARKED)),
], ids=["white", "one bit", "zero and one", "sixteen bits", "alpha", "palette, white first", "palette", "void"])
def test_a_mask_picture_marks_what_one_sees_in_it(picture: Image.Image) -> None:
    found = open_regions([("cat.png", png(picture))])
    assert np.array_equal(found.outline("photos/Cat.JPG", 20, 12).mask, MARKED)
    twice = found.outline("cat.jpg", 40, 24).mask
    assert np.array_equal(twice, MARKED.repeat(2, axis=0).repeat(2, axis=1))
    assert found.outline("cat.jpg", 2, 2).mask.any(), "scaled down it does not vanish"


def test_an_archive_of_masks_goes_by_name_and_bad_ones_stop_no_others(tmp_path: Path) -> None:
    good = png(Image.fromarray(MARKED))
    files = {"a/1.png": good, "b/1.png": png(Image.fromarray(~MARKED)), "2.png": good, "dark.png":
             png(Image.new("L", (4, 4))), "cut.png": good[:60], "bomb.png": png(Image.new("1", (30_000, 1_000), 1)),
             "notes.txt": b"hello"}
    found = open_regions([("masks.zip", zipped(files))])
    assert np.array_equal(found.outline("a/1.jpg", 20, 12).mask, MARKED)
    assert np.array_equal(found.outline("b/1.jpg", 20, 12).mask, ~MARKED)
    assert np.array_equal(found.outline("deep/2.webp", 20, 12).mask, MARKED)
    assert [r.name for r in found.refused] == ["notes.txt"]
    for name, reason in (("1.jpg", "2 regions"), ("none.jpg", "none of the name none"), ("dark.jpg", "marks nothing"),
                         ("cut.jpg", "truncated|damaged"), ("bomb.jpg", "megapixels")):
        with pytest.raises(UnreadableItem, match=reason):
            found.outline(name, 20, 12)
    strangers = found.strangers(["a/1.jpg", "2.jpg", "none.jpg"])
    assert set(strangers) == set(found.entries) - {found.entry_of("a/1.jpg"), found.entry_of("2.jpg")}
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    folder = open_regions_path(tmp_path)
    assert set(folder.entries) == set(found.entries)
    assert np.array_equal(folder.outline("b/1.jpg", 20, 12).mask, ~MARKED)


def coco(annotations: list[object]) -> RegionFile:
    images = [{"id": i, "file_name": f"{name}.jpg", "width": 20, "height": 12}
              for i, name in enumerate(("box", "polygon", "runs", "packed", "both", "out", "odd", "many"))]
    return open_regions([("instances.json", json.dumps({"images": [*images, {"id": 99}],
                                                       "annotations": annotations}).encode())])


def test_instances_of_coco_in_all_their_ways_of_writing() -> None:
    runs = runs_of(MARKED)
    found = coco([
        {"id": 1, "image_id": 0, "bbox": [5, 3, 6, 5]}, {"id": 2, "image_id": 0, "bbox": [0, 0, 2, 2]},
        {"id": 3, "image_id": 1, "segmentation": [[5, 3, 10, 3, 10, 8, 5, 8]], "bbox": [5, 3, 5, 5]},
        {"id": 4, "image_id": 2, "segmentation": {"size": [12, 20], "counts": runs}, "iscrowd": 1},
        {"id": 5, "image_id": 3, "segmentation": {"size": [12, 20], "counts": packed(runs)}},
        {"id": 6, "image_id": 4, "bbox": [0, 0, 2, 2]},
        {"id": 7, "image_id": 4, "segmentation": {"size": [12, 20], "counts": runs}},
        {"id": 8, "image_id": 5, "bbox": [50, 50, 4, 4]},
        {"id": 9, "image_id": 6, "segmentation": {"size": [12, 20], "counts": [3, 4]}},
        {"id": 10, "image_id": 0, "bbox": [1, 1, 0, 4]}, {"id": 11, "image_id": 77, "bbox": [1, 1, 4, 4]}, "nothing",
        {"id": 12, "image_id": [1], "bbox": [1, 1, 4, 4]},
        *({"id": 100 + i, "image_id": 7, "bbox": [1, 1, 4, 4]} for i in range(401)),
    ])
    assert found.outline("box.png", 40, 24).boxes == ((10, 6, 22, 16), (0, 0, 4, 4)), "at twice the size"
    inside = np.zeros((12, 20), dtype=bool)
    inside[3:9, 5:11] = True
    assert np.array_equal(found.outline("polygon.png", 20, 12).mask, inside)
    for name in ("runs", "packed"):
        assert np.array_equal(found.outline(f"{name}.png", 20, 12).mask, MARKED)
    both = MARKED.copy()
    both[:2, :2] = True
    assert np.array_equal(found.outline("both.jpg", 20, 12).mask, both)
    for name, reason in (("out", "out of the picture"), ("odd", "do not add up"),
                         ("many", "401 instances")):
        with pytest.raises(UnreadableItem, match=reason):
            found.outline(f"{name}.jpg", 20, 12)
    assert [r.reason.split(" ", 2)[-1][:14] for r in found.refused] == [
        "an id or a fil", "has no area", "is not among t", "is not among t", "is not among t"]


def test_instances_that_ask_for_too_much_are_refused_and_stop_no_others() -> None:
    far = 2**63 - 1
    star = [c for i in range(9_000) for c in (i % 20, 12 * (i % 2))]
    found = coco([
        {"id": 1, "image_id": 0, "bbox": [1, 1, 4, 4]},
        {"id": 2, "image_id": 1, "segmentation": [star + star + star]},
        {"id": 3, "image_id": 2, "segmentation": {"size": [12, 20], "counts": [far, far, 2 + 12 * 20]}},
        {"id": 4, "image_id": 3, "segmentation": {"size": [5000, 5000], "counts": [5000 * 5000]}},
        {"id": "\ud800", "image_id": 5, "bbox": [10**400, 1, 4, 4]},
        {"id": 7, "image_id": 6, "segmentation": [star]},
    ])
    assert found.outline("box.jpg", 20, 12).boxes == ((1, 1, 5, 5),)
    assert [r.reason for r in found.refused if "out.jpg" in r.name] == [
        "it has neither a segmentation nor a bbox of four numbers"]
    assert "\ufffd" in "".join(r.name for r in found.refused), "half a letter goes into no page"
    for name, reason, side in (("polygon", "27,000 corners", 12), ("runs", "do not add up", 12),
                               ("packed", "out of the picture", 12), ("odd", "zigzag", 1200)):
        with pytest.raises(UnreadableItem, match=reason):
            found.outline(f"{name}.jpg", 20, side)


@pytest.mark.parametrize("seed", range(4))
def test_packed_run_lengths_are_those_of_coco(seed: int) -> None:
    mask = np.random.default_rng(seed).random((37, 53)) < (0.5, 0.02, 0.98, 0.3)[seed]
    assert run_lengths(packed(runs_of(mask))) == runs_of(mask)
    assert np.array_equal(from_runs(run_lengths(packed(runs_of(mask))), 37, 53), mask)
    assert run_lengths("T3") == [100]
    for broken in ("T", "\x7f", "T3 "):
        with pytest.raises(ValueError):
            run_lengths(broken)


def test_a_table_of_boxes_keeps_its_good_rows() -> None:
    rows = ["name,left,top,right,bottom", "cat.jpg,1,2,5,6", "cat.jpg,0,0,2,2", "dog.jpg,1,x,5,6", ",1,2,3,4",
            "cow.jpg,5,2,1,6", "sheep.jpg,1,1,nan,6", "far.jpg,100,100,120,120"]
    found = open_regions([("boxes.csv", "\n".join(rows).encode())])
    assert found.outline("cat.png", 20, 12).boxes == ((1, 2, 5, 6), (0, 0, 2, 2))
    assert [r.name.split(" of ")[0] for r in found.refused] == ["row 3", "row 4", "row 5", "row 6"]
    with pytest.raises(UnreadableItem, match="out of the picture of 20 x 12"):
        found.outline("far.jpg", 20, 12)


@pytest.mark.parametrize(("name", "data", "said"), [
    ("masks.zip", b"PK nothing", "zip archive"), ("masks.zip", zipped({"a.txt": b"x"}), "without a region"),
    ("a.json", b"[1", "COCO instances"), ("a.json", b"[" * 100_000, "COCO instances"), ("a.json", b"{}", "images"),
    ("a.json", b'{"images": [], "annotations": []}', "without a region"),
    ("a.csv", b"name,x,y\na,1,2\n", "without left"), ("a.pkl", b"x", "ends in .pkl"), ("a.csv", b"", "table"),
])
def test_other_files_are_refused_in_words(name: str, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_regions([(name, data)])


def test_no_file_and_no_path_of_a_public_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="no file"):
        open_regions([])
    with pytest.raises(SourceError, match="Check the path"):
        open_regions_path(tmp_path / "not there")
    hosted = Settings(tmp_path, None, None, True, 1.0)
    monkeypatch.setattr("core.sources.images.opening.settings", lambda: hosted)
    monkeypatch.setattr(masks, "settings", lambda: hosted)
    with pytest.raises(SourceError, match="public server"):
        open_regions_path(tmp_path)
    with pytest.raises(SourceError, match="at most 100 MB"):
        open_regions([("a.json", b" " * (101 * 1024**2))])
