"""Files of boxes and sentences: RefCOCO with its instances, JSON lines with boxes, instances alone; bad rows, traps."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import SourceError
from core.sources.foveal.boxed import MOST_BOXES
from core.sources.foveal.opening import MOST_OF_A_PICTURE, open_boxed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures, the third one pixel wide, under COCO's names."""
    root = tmp_path_factory.mktemp("pictures")
    for number, size in ((7, (60, 40)), (8, (40, 60)), (9, (1, 50))):
        Image.new("RGB", size, (40 * number % 256, 90, 20)).save(root / f"COCO_train2014_{number:012}.png")
    return root


def instances(**more: object) -> dict[str, object]:
    return {"images": [{"id": n, "file_name": f"COCO_train2014_{n:012}.png"} for n in (7, 8, 9)],
            "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
            "annotations": [
                {"id": 70, "image_id": 7, "category_id": 1, "bbox": [1, 2, 10, 20]},
                {"id": 71, "image_id": 7, "category_id": 2, "bbox": [20, 2, 30, 30.5]},
                {"id": 72, "image_id": 7, "category_id": 2, "bbox": [0, 0, 0, 5]},
                {"id": 73, "image_id": 7, "category_id": 2, "bbox": [0, 0, 60, 40], "iscrowd": 1},
                {"id": 80, "image_id": 8, "category_id": 1, "bbox": [0, 0, 20, 20]},
                {"id": 81, "image_id": 8, "category_id": 1, "bbox": [20, 20, 20, 20]},
                {"id": 90, "image_id": 9, "category_id": 1, "bbox": [0, 0, 1, 20]},
                {"id": 91, "image_id": 9, "category_id": 2, "bbox": [0, 20, 1, 20]},
                {"id": 99, "image_id": 77, "category_id": 2, "bbox": [0, 0, 6, 4]}], **more}


def reference(image: int, gold: int, *sentences: object, split: str = "val", **more: object) -> dict[str, object]:
    return {"ann_id": gold, "image_id": image, "file_name": f"COCO_train2014_{image:012}_{gold}.png", "split": split,
            "sentences": list(sentences), **more}


REFS = [reference(7, 70, {"sent": "left  cat", "raw": "Left cat."}, {"raw": "the cat"}),
        reference(7, 71, "the dog"), reference(8, 81, "lower cat", split="testA")]


def upload(value: object, name: str = "refs.json") -> tuple[str, bytes]:
    return name, json.dumps(value).encode()


def reasons(found: object) -> str:
    return "\n".join(f"{r.name}: {r.reason}" for r in found.refused)     # type: ignore[attr-defined]


def test_refcoco_with_its_instances(folder):
    found = open_boxed([upload(REFS), upload(instances(), "instances.json")], folder)
    assert [(r.picture, r.sentence, r.gold) for r in found.references] == [
        (0, "left cat", 0), (0, "the cat", 0), (0, "the dog", 1), (1, "lower cat", 1)]
    assert found.image_ids == ("COCO_train2014_000000000007.png", "COCO_train2014_000000000008.png")
    np.testing.assert_array_equal(found.boxes[0], [[1, 2, 11, 22], [20, 2, 50, 32.5]])
    assert found.images.decode(1).size == (40, 60)
    said = reasons(found)
    assert "annotation 3 of instances.json" in said and "no area: it is 0 wide and 5 high" in said
    assert "annotation 9 of instances.json: it lacks an id, or its image_id is not among the images" in said
    assert found.notices == ("1 crowds (iscrowd) are left out: none is a single thing.",)
    only = open_boxed([upload(REFS), upload(instances(), "instances.json")], folder, split="testA")
    assert [r.sentence for r in only.references] == ["lower cat"]
    with pytest.raises(SourceError, match=r"references of the split test; got splits testA, val"):
        open_boxed([upload(REFS), upload(instances(), "i.json")], folder, split="test")


def test_lines_that_carry_their_boxes_from_paths_and_a_zip(folder, tmp_path):
    anns = [{"id": 5, "bbox": [0, 0, 9, 9]}, {"id": 6, "bbox": [9, 9, 20, 20]}]
    rows = [reference(7, 6, "a", anns=anns), reference(7, 5, "b", anns=anns), reference(7, 5, "c", anns=anns[::-1]),
            {**reference(8, 5, "d", anns=anns), "file_name": "nothing.jpg"},
            {**reference(9, 5, "e", anns=anns), "image_id": None, "file_name": "gone.png"}]
    path = tmp_path / "refs.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), "{broken", "[1]"]))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for picture in folder.iterdir():
            archive.write(picture, f"train2014/{picture.name}")
    found = open_boxed(path, packed.getvalue())
    assert [(r.picture, r.sentence, r.gold) for r in found.references] == [
        (0, "a", 1), (0, "b", 0), (1, "c", 1), (2, "d", 0)], "a list in another order is another set of boxes"
    assert len(set(found.image_ids)) == 3 and found.image_ids[2].endswith("8.png"), "COCO's name of an image_id"
    said = reasons(found)
    assert "line 6 of refs.jsonl: it is not JSON" in said and "line 7 of refs.jsonl: it is list, no object" in said
    assert "gone.png: no image of this name" in said


def test_instances_alone_ask_for_categories_that_stand_alone(folder, tmp_path):
    path = folder / "instances.json"
    path.write_text(json.dumps(instances()))
    try:
        found = open_boxed(path)
    finally:
        path.unlink()
    assert [(found.image_ids[r.picture][-5], r.sentence, r.gold) for r in found.references] == [
        ("7", "cat", 0), ("7", "dog", 1), ("9", "cat", 0), ("9", "dog", 1)]


@pytest.mark.parametrize(("row", "reason"), [
    (3, "it is int, no object with named fields"),
    ({"ann_id": 1, "sentences": ["x"]}, "neither an image_id nor a file_name"),
    ({"image_id": 7, "sentences": ["x"]}, "it has no ann_id, which says the box that is meant"),
    (reference(7, 70), "it has no sentences"),
    (reference(7, 70, *["x"] * 1001), "1,001 sentences; at most 1,000"),
    (reference(7, 72, "x"), "the box that is meant, 72, cannot be used: its bbox has no area"),
    (reference(7, 73, "x"), "the box that is meant, 73, cannot be used: it is a crowd"),
    (reference(7, 12345, "x"), "12345, is not among those of its picture"),
    (reference(55, 1, "x"), "its image_id 55 is not among the instances"),
    (reference(7, 1, "x", anns=[{"id": 1, "bbox": [0, 0, float("nan"), 4]}, {"bbox": 3}]), "its bbox"),
    (reference(7, 1, "x", anns=[{"id": i, "bbox": [0, 0, 1, 1]} for i in range(MOST_BOXES + 1)]), "401 boxes; at most"),
])
def test_bad_rows_are_listed_and_the_rest_goes_on(folder, row, reason):
    found = open_boxed([upload([row, *REFS]), upload(instances(), "instances.json")], folder)
    assert len(found.references) == 4 and reason in reasons(found)


def test_half_a_letter_stops_no_row_and_goes_into_no_page(folder):
    odd = reference(7, 70, "a \ud800 cat"), reference(7, "\udfff", "the cat"), reference("\ud801", 71, "a dog")
    found = open_boxed([upload([*odd, *REFS]), upload(instances(), "instances.json")], folder)
    assert [r.sentence for r in found.references][:2] == ["a \ufffd cat", "left cat"]
    assert len(found.references) == 5
    (reasons(found) + "".join(found.notices)).encode()


def test_a_picture_has_as_many_sentences_as_can_be_compared(folder):
    rows = [reference(8, 81, f"cat {i}", f"the cat {i}") for i in range(MOST_OF_A_PICTURE)]
    found = open_boxed([upload([*rows, *REFS[:2]]), upload(instances(), "instances.json")], folder)
    assert [len(found.of_picture[i]) for i in range(2)] == [MOST_OF_A_PICTURE, 3]
    assert "over 400 sentences; no more are read" in reasons(found)


def test_files_that_are_none_say_what_to_do(folder):
    for name, data in (("refs(unc).p", pickle.dumps(REFS)), ("refs.json", pickle.dumps(REFS, 0))):
        with pytest.raises(SourceError, match=r"a pickle, which can run any program when it is opened.*json\.dump"):
            open_boxed((name, data), folder)
    for data, match in ((b"[" * 100_000, "nested too deeply"), (b"42", "JSON of another kind"),
                        (b"", "no line is a JSON object"), (b"[]", "JSON of another kind"),
                        (b"\x89PNG\r\n", "no line is a JSON object"), (b'{"images": 3}', "JSON of another kind"),
                        (json.dumps(REFS).encode(), "carries no boxes .anns., and no COCO instances")):
        with pytest.raises(SourceError, match=match):
            open_boxed(("refs.json", data), folder)
    with pytest.raises(SourceError, match="one file of COCO instances; got two"):
        open_boxed([upload(instances()), upload(instances())], folder)
    with pytest.raises(SourceError, match="the pictures that the file speaks of"):
        open_boxed(upload(REFS))


def test_a_file_that_is_all_wrong_has_a_short_list(folder):
    many = [3] * 5000
    found = open_boxed([upload([*many, *REFS]), upload(instances(), "instances.json")], folder)
    assert len(found.references) == 4 and len(found.refused) < 1_100
