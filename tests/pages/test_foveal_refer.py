"""Sections Refer and Find without a browser: odd boxes and sentences, empty states, their lines of Python."""

from __future__ import annotations

import json

import pytest

from core.figures.frame import percent, spoken
from core.sources.foveal.boxed import as_dataset
from tests.pages.test_foveal import PAGE, page, png, titles
from tests.pages.test_pages import button, finished, with_images, words
from tests.pages.test_quality import alerts


def code_of(at, part: str) -> str:
    return next(block.value for block in at.code if part in block.value)


def ran(code: str) -> dict[str, object]:
    said: dict[str, object] = {}
    exec("\n".join(line for line in code.splitlines() if not line.endswith(".show()")), said)
    return said


def test_boxes_that_are_typed_are_chosen_from_and_the_python_gives_the_score_that_is_shown():
    at = page(foveal="refer", at="drawn", boxes="0, 0, 60, 128\n60, 0, 128, 128", refer_boxes="region",
              sentences="a red sphere\na yellow cone", refer_by="blur", refer_sentence="a yellow cone")
    assert not alerts(at)
    said = ran(code_of(at, "score_boxes"))
    scores = said["found"].subtracted[0]
    best = int(scores.argmax())
    assert f"“a yellow cone” is box {best + 1}: {scores[best]:.3f}" in titles(at)
    assert "7 methods" in titles(at) or "of 7 methods name" in titles(at)
    assert "Subtracted: the mean score of a red sphere" in words(at).replace("\\", "")


@pytest.mark.parametrize(("boxes", "said"), [
    ("0, 0, 60, 128", "there is nothing to choose from"),
    ("", "Draw two boxes or more"),
    ("\n".join(f"{i % 16 * 8}, {i // 16 * 6}, {i % 16 * 8 + 8}, {i // 16 * 6 + 6}" for i in range(150)), "box 150"),
])
def test_one_box_none_and_hundreds(boxes: str, said: str):
    at = page(foveal="refer", at="drawn", boxes=boxes, refer_boxes="region", sentences="a red sphere")
    assert not alerts(at)
    tables = "\n".join(frame.value.to_string() for frame in at.dataframe)
    assert said in words(at) + tables


@pytest.mark.parametrize("boxes", ["300, 300, 400, 400", "20, 20, 20, 90", "1, 2, 3", "\n".join(["1, 1, 9, 9"] * 401)])
@pytest.mark.parametrize("section", ["refer", "find"])
def test_boxes_that_are_none_are_refused_in_words(boxes: str, section: str):
    at = page(foveal=section, at="drawn", boxes=boxes)
    assert len(at.get("plotly_chart")) >= 1 and not at.exception
    assert "Expected" in alerts(at)


def test_a_template_without_a_place_and_own_other_captions():
    assert "Expected {} in the prompt" in words(page(foveal="refer", refer_template="a photo"))
    at = page(foveal="refer", refer_others="a tree\na dog", refer_template="a photo of {}")
    assert "a tree; a dog" in words(at).replace("\\", "") and not alerts(at)
    assert "template='a photo of {}'" in code_of(at, "score_boxes")
    assert "never seen: tree, dog" in words(at)
    assert "never seen: zebra" in words(page(foveal="find", find="a zebra"))


def test_windows_are_chosen_and_the_python_finds_the_same_box():
    at = page(foveal="find", find_by="crop", find_sides="0.5", find_step="0.25")
    said = ran(code_of(at, "look_through"))
    box, iou = said["found"].box, said["found"].iou
    assert f"is found at {box.left:.0f}, {box.top:.0f} to" in titles(at)
    assert f"intersection over union {iou:.2f} (a window at random" in titles(at)
    assert "Choose a size" in words(page(foveal="find", find_sides=""))


def test_own_pictures_have_no_truth_and_a_picture_one_pixel_wide_is_no_error():
    at = with_images(PAGE, {"thin.png": png(1, 90), "p.png": png(70, 50)}, foveal="find", picture="1")
    assert "is found at" in titles(at) and "union" not in titles(at) and not at.exception
    at = with_images(PAGE, {"thin.png": png(1, 90), "p.png": png(70, 50)}, foveal="refer", picture="p.png",
                    boxes="5, 5, 30, 30\n30, 5, 60, 40", at="drawn")
    assert "1 of 2 boxes" in titles(at) and not at.exception


def test_many_scenes_the_python_gives_their_accuracy_and_what_is_wrong_is_kept():
    at = page(foveal="refer", refer_scenes="10", refer_objects="2", refer_wrong="red_ellipse")
    at = finished(button(at, "Score all methods").click().run())
    said = ran(code_of(at, "report = refer"))
    number = said["report"].accuracy["foveal", True]
    assert f"Foveal mask finds {spoken(percent(number), 1).split()[0]} %" in titles(at) and "20 sentences" in titles(at)
    chosen = said["report"].chosen["red_ellipse", True]
    wrong = [row for row, (at_box, r) in enumerate(zip(chosen, said["pictures"].references)) if at_box != r.gold]
    at = finished(button(at, f"Keep the {len(wrong)} wrong").click().run())
    kept = at.session_state["selections"]["Wrong by red ellipse"]
    opened = as_dataset(said["pictures"])
    assert list(kept.text_ids) == [opened.text_ids[row] for row in wrong]
    assert set(kept.image_ids) == {opened.image_ids[i] for i, row in opened.links.tolist() if row in wrong}


def brought(files: list[tuple[str, bytes]], **query: str):
    """The section, with a file of boxes and sentences opened on it."""
    at = page(foveal="refer", **query)
    at.file_uploader(key="refs.upload").set_value([(name, data, "application/octet-stream") for name, data in files])
    return finished(button(at.run(), "Open the file").click().run())


def row(picture: str, gold: int, *boxes: tuple[float, ...], sentence: str = "a red sphere") -> dict[str, object]:
    return {"file_name": picture, "ann_id": gold, "sentences": [sentence],
            "anns": [{"id": i, "bbox": list(box)} for i, box in enumerate(boxes)]}


def test_a_file_for_the_pictures_that_are_open_lists_its_bad_rows_and_gives_the_page_its_boxes():
    good = [row("scene 00", k, (0, 30, 60, 70), (70, 44, 50, 64), sentence=f"thing {k}") for k in (0, 1)]
    lines = [*map(json.dumps, good), "{broken", json.dumps(row("nowhere", 0, (1, 1, 9, 9), (2, 2, 9, 9))),
             json.dumps(row("scene 01", 1, (1, 1, 30, 30), (5, 5, 0, 9)))]
    at = brought([("refs.jsonl", "\n".join(lines).encode())], picture="0")
    assert "2 sentences about 2 boxes of 1 picture" in words(at) and not alerts(at)
    reasons = "\n".join(frame.value.to_string() for frame in at.dataframe)
    for part in ("line 3", "not JSON", "nowhere", "no image of this name", "no area"):
        assert part in reasons, part
    assert "“thing 0” is box" in titles(at) and ("which is right" in titles(at) or "is meant" in titles(at))
    at = finished(button(at, "Score all methods").click().run())
    assert "2 sentences" in titles(at) and "by chance 50" in titles(at)
    said = code_of(at, "open_boxed")
    assert 'open_boxed("refs.json", dataset)' in said and "open_world(100" in said
    at = finished(button(at, "Close").click().run())
    assert "Open the file" not in [b.label for b in at.button] and "2 sentences about" not in words(at)


@pytest.mark.parametrize(("name", "data", "said"), [
    ("refs(unc).p", b"\x80\x04]", "a pickle"), ("notes.json", b"[1, 2]", "JSON of another kind"),
    ("photo.png", png(8, 8), "a file of boxes and sentences"),
    ("refs.jsonl", json.dumps(row("nowhere", 0, (1, 1, 9, 9), (2, 2, 9, 9))).encode(), "no image of this name"),
])
def test_a_file_that_is_none_is_refused_in_words_and_the_page_goes_on(name: str, data: bytes, said: str):
    at = brought([(name, data)])
    assert said in alerts(at) and "of 7 methods name" in titles(at)
