"""Which box a sentence means, and where it points: scenes of known truth, bad boxes, intervals that cover."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.attention import prompts
from core.attention.foveal.captions import OTHERS, others_of, told
from core.attention.foveal.finding import Search, find, finding_report, look_through, windows_of
from core.attention.foveal.heads import sensitivity
from core.attention.foveal.referring import refer, score_boxes
from core.attention.foveal.scenes import world_references
from core.attention.foveal.steering import point_by_pixels
from core.attention.foveal.sweep import sweep
from core.attention.masks import Steering
from core.attention.regions import Box, Region, intersection_over_union
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ShapeError
from core.sources.foveal.boxed import MOST_BOXES, BoxedPictures, Reference
from core.sources.images.readers import UploadImages

SCENES = 24


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(load_model("builtin"))


@pytest.fixture(scope="module")
def scenes() -> BoxedPictures:
    return world_references(SCENES, 3, objects=3)


def boxed(sizes: list[tuple[int, int]], boxes: list[list[tuple[float, ...]]], references: list[Reference]
          ) -> BoxedPictures:
    """Plain pictures of these sizes with boxes."""
    images = []
    for i, size in enumerate(sizes):
        file = io.BytesIO()
        Image.new("RGB", size, (200, 30, 30)).save(file, "png")
        images.append((f"{i}.png", file.getvalue()))
    return BoxedPictures("made", tuple(name for name, _ in images), UploadImages(images),
                         tuple(np.array(b, dtype=np.float64).reshape(-1, 4) for b in boxes), tuple(references))


def test_scenes_are_what_they_say(scenes):
    assert len(scenes.references) == 3 * SCENES and len(scenes.images) == SCENES
    for rows in scenes.of_picture:
        said = [scenes.references[r] for r in rows]
        assert len({r.sentence for r in said}) == 3 and [r.gold for r in said] == [0, 1, 2]
    assert all(len(b) == 3 and np.isfinite(b).all() and (b[:, 2:] - b[:, :2]).min() >= 8 for b in scenes.boxes)
    fewer = world_references(5, 3, objects=3)
    assert [r.sentence for r in fewer.references] == [r.sentence for r in scenes.references[:15]]
    named = world_references(5, 3, objects=2, by_name=True)
    assert all(len(r.sentence.split()) == 2 for r in named.references)
    with pytest.raises(ShapeError, match="2 or 3 objects"):
        world_references(5, 3, objects=4)


def test_the_mask_finds_what_a_crop_finds_and_none_finds_nothing(tower, scenes):
    report = refer(tower, scenes, ("foveal", "crop", "none", "red_ellipse"))
    for method, floor in (("foveal", 0.85), ("crop", 0.85)):
        number = report.accuracy[method, True]
        assert number.value >= floor and number.low < number.value <= number.high and number.n == 3 * SCENES
        assert number.null == pytest.approx(1 / 3)
    assert report.accuracy["none", False].value == report.accuracy["none", True].value == pytest.approx(1 / 3)
    assert report.over["none", True].change.value > 0.4 and report.over["none", True].p < 0.01
    assert report.over["red_ellipse", True].change.low > 0, "the model reads red as a colour of what is in the box"
    assert report.gain["foveal"].change.value == pytest.approx(
        report.accuracy["foveal", True].value - report.accuracy["foveal", False].value)
    right = report.hits["foveal", True] == 1
    gold = np.array([scenes.references[r].gold for r in report.rows])
    assert (report.chosen["foveal", True][right] == gold[right]).all()


def test_twenty_boxes_are_one_batch(tower, scenes, monkeypatch):
    batches, encode = [], tower.encode
    monkeypatch.setattr(tower, "encode", lambda pixels, *rest: batches.append(len(pixels)) or encode(pixels, *rest))
    boxes = [Box(5 * i, 10, 5 * i + 30, 70) for i in range(20)]
    assert score_boxes(tower, scenes.images.decode(0), boxes, ["a red cube"], "foveal").raw.shape == (1, 20)
    assert batches == [20]


def test_one_picture_is_as_in_the_whole(tower, scenes):
    report = refer(tower, scenes, ("foveal",))
    said = [scenes.references[r].sentence for r in scenes.of_picture[2]]
    found = score_boxes(tower, scenes.images.decode(2), [Box(*b) for b in scenes.boxes[2].tolist()], said, "foveal")
    assert found.raw.shape == found.subtracted.shape == (3, 3)
    np.testing.assert_array_equal(found.subtracted.argmax(axis=1), report.chosen["foveal", True][6:9])
    alone = score_boxes(tower, scenes.images.decode(2), [Box(*b) for b in scenes.boxes[2].tolist()], said[:1], "foveal",
                        others=[said[1:]])
    np.testing.assert_allclose(alone.subtracted[0], found.subtracted[0], atol=1e-6)
    nothing = score_boxes(tower, scenes.images.decode(2), [Box(*b) for b in scenes.boxes[2].tolist()], said, "foveal",
                          steering=Steering(alpha=0.0))
    assert np.ptp(nothing.raw, axis=1).max() < 1e-6
    with pytest.raises(ShapeError, match="boxes to choose from and a sentence"):
        score_boxes(tower, scenes.images.decode(2), [], said, "foveal")


def test_bad_boxes_and_pictures_are_listed_and_the_rest_goes_on(tower):
    many = [(i % 50, i // 50, i % 50 + 3, i // 50 + 3) for i in range(MOST_BOXES)]
    data = boxed([(60, 60), (1, 50), (60, 60), (60, 60)],
                 [[(0, 0, 30, 30), (70, 70, 90, 90), (30, 30, 99, 99)], [(0, 0, 1, 25), (0, 25, 1, 50)], [(0, 0, 9, 9)],
                  many],
                 [Reference(0, "a", 0), Reference(0, "b", 1), Reference(1, "c", 1), Reference(2, "d", 0),
                  Reference(3, "e", 7)])
    report = refer(tower, data, ("foveal", "crop", "blur", "none"))
    assert report.rows.tolist() == [0, 2, 4] and report.boxes.tolist() == [2, 2, MOST_BOXES]
    assert report.accuracy["none", False].value == pytest.approx((1 / 2 + 1 / 2 + 1 / MOST_BOXES) / 3)
    said = "\n".join(f"{r.name}: {r.reason}" for r in report.refused)
    assert "0.png, box 2: expected a box that lies in the picture of 60 x 60 pixels" in said
    assert '0.png, "b": its own box cannot be used' in said and "2.png: it has one box: nothing to choose from" in said
    broken = BoxedPictures("broken", ("x.png",), UploadImages([("x.png", b"\x89PNG\r\n\x1a\n")]),
                           (np.array([[0, 0, 9, 9], [9, 9, 20, 20.0]]),), (Reference(0, "a", 0),))
    with pytest.raises(ShapeError, match=r"none in broken: x\.png: "):
        refer(tower, broken, ("foveal",))
    with pytest.raises(ChoiceError):
        refer(tower, data, ("foveal", "squint"))


def test_other_captions_are_of_the_picture_else_of_the_file_else_of_the_list():
    data = boxed([(9, 9)] * 3, [[(0, 0, 4, 4), (4, 4, 9, 9)]] * 3,
                 [Reference(0, "a", 0), Reference(0, "b", 1), Reference(0, "a", 1), Reference(1, "c", 0)])
    assert others_of(data) == [["b"], ["a"], ["b"], ["a", "b"]]
    assert others_of(data, ["a", "z"]) == [["z"], ["a", "z"], ["z"], ["a", "z"]]
    alone = boxed([(9, 9)], [[(0, 0, 4, 4), (4, 4, 9, 9)]], [Reference(0, "a", 0)])
    assert others_of(alone) == [list(OTHERS)]
    assert told("a cat", "a photo of {}") == "a photo of a cat"
    with pytest.raises(ShapeError, match=r"a template with \{\}"):
        told("a cat", "a photo")


def test_windows_and_their_chance():
    windows = windows_of((4, 4), Search(sides=(0.5,), steps=0.5))
    assert sorted(map(tuple, windows.tolist())) == [(0, 0, 2, 2), (0, 2, 2, 4), (2, 0, 4, 2), (2, 2, 4, 4)]
    assert len(windows_of((14, 14))) < 600
    assert all((w[:, 2:] <= 7).all() and (w[:, 2:] > w[:, :2]).all() for w in [windows_of((7, 5))])
    for bad in ({"sides": ()}, {"sides": (1.5,)}, {"steps": 0.0}, {"longest": 0.5}, {"threshold": 1.5}):
        with pytest.raises(ShapeError):
            Search(**bad)


def test_a_sentence_points_at_its_solid(tower):
    some = world_references(8, 3, objects=3)
    report = finding_report(tower, some, ("foveal",))
    number = report.iou["foveal"]
    assert number.n == 24 and number.low < number.value < number.high and number.low > 2 * number.null
    assert number.value > report.iou["centre"].value
    views = look_through(tower, some.images.decode(0))
    truth = Box(*some.boxes[0][0].tolist())
    every = [intersection_over_union(box, truth) for box in views.boxes]
    said = [some.references[r].sentence for r in some.of_picture[0]]
    found = find(tower, views, said[0], said[1:], truth=truth)
    assert found.chance == pytest.approx(np.mean(every)) == report.chance[0]
    assert found.iou == pytest.approx(report.ious["foveal"][0]) and found.iou in every
    assert found.heat.shape == tower.grid and np.isfinite(found.heat).all()
    inside = found.heat[found.window[0]:found.window[2], found.window[1]:found.window[3]]
    assert inside.mean() > found.heat.mean()
    highest = find(tower, views, said[0], said[1:], search=Search(threshold=None))
    assert highest.box == views.boxes[int(highest.scores.argmax())] and highest.iou is None
    sparse = look_through(tower, some.images.decode(0), search=Search(sides=(0.125,), steps=0.5))
    holes = find(tower, sparse, said[0], [])
    assert np.isnan(holes.heat).any() and np.isfinite(holes.scores).all() and holes.box.area > 0


def test_a_sweep_turns_one_dial_at_a_time(tower):
    found = sweep(tower, world_references(8, 4, objects=3), Steering(alpha=2.0))
    alphas = found.of("alpha")
    assert alphas[0].steering.alpha == 0 and alphas[0].subtracted.value == pytest.approx(1 / 3)
    assert {t.dial for t in found.turns} == {"alpha", "sigma", "layers", "rows", "profile"}
    for turn in found.turns:
        if turn.dial != "profile":
            changed = [f for f, v in vars(turn.steering).items() if v != vars(found.about)[f]]
            assert changed in ([], [turn.dial])
        if turn.steering == found.about:
            assert turn.off.change.value == 0


def test_a_stop_comes_before_a_sentence_is_read(tower, scenes, monkeypatch):
    monkeypatch.setattr(tower.encoder, "encode_texts", None)
    for score in (refer, finding_report):
        with pytest.raises(Cancelled, match="0 of "):
            score(tower, scenes, ("foveal",), should_stop=lambda: True)


def test_few_large_pictures_are_held_at_once_and_score_as_many(tower, scenes, monkeypatch):
    image, region = scenes.images.decode(0), Region((Box(*scenes.boxes[0][0].tolist()),))
    methods = ("foveal", "crop", "grey")

    def all_of_it() -> list[np.ndarray]:
        return [*(refer(tower, scenes, methods).hits[m, True] for m in methods),
                *point_by_pixels(tower, image, [region] * 3).values(),
                sensitivity(tower, [image], [region], "grey").moved]

    held, preprocess = [], tower.encoder.preprocess
    monkeypatch.setattr(tower.encoder, "preprocess", lambda images: held.append(len(images)) or preprocess(images))
    before = all_of_it()
    assert max(held) > 10
    held.clear()
    monkeypatch.setattr(prompts, "MOST_PIXELS", 3 * image.width * image.height)
    for x, y in zip(before, all_of_it(), strict=True):
        np.testing.assert_allclose(x, y, atol=2e-5)
    assert max(held) == 3
