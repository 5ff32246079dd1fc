"""Classification with the foreground pointed at, against one picture at a time, on scenes whose places are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.attention.foveal.classifying import CLASSIFIED, Classified, as_method, classify, region_of
from core.attention.masks import Steering
from core.attention.prompts import encode_prompted
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.encoding.models import load_model
from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict, hits_differ, holm
from core.geometry.directions import unit
from core.sources.foveal.outlines import Outline
from core.sources.solids.captions import prompt
from core.sources.solids.render import render
from core.sources.solids.seen import solids_seen
from core.sources.solids.vocabulary import COLOURS
from core.sources.solids.world import open_world

N = 60
NAMES = tuple(COLOURS)


@pytest.fixture(scope="module")
def tower() -> ImageTower:
    return ImageTower(load_model("builtin"))


@pytest.fixture(scope="module")
def asked(tower: ImageTower) -> dict[str, object]:
    """Scenes of two solids, the colour of one of which is asked."""
    world = open_world(N, seed=11, size=64, count=2)
    which, boxes = solids_seen(world.images.scenes, 64)
    truth = np.array([NAMES.index(colour) for colour in world.image_table["colour"]])
    truth[7] = -1
    boxes[9, 0] = np.nan

    def region(row: int, picture: object) -> Region:
        return region_of(Outline((tuple(boxes[row, 0].tolist()),)))

    return {"tower": tower, "images": world.images, "ids": world.image_ids, "region": region, "classes": NAMES,
            "vectors": unit(tower.encoder.encode_texts([prompt(colour=name) for name in NAMES])), "truth": truth,
            "which": which}


def ask(asked: dict[str, object], **more: object) -> Classified:
    return classify(**{name: value for name, value in asked.items() if name != "which"} | more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found(asked: dict[str, object]) -> Classified:
    return ask(asked)


def test_solids_are_seen_where_the_renderer_draws_them() -> None:
    scenes = open_world(40, seed=3).images.scenes
    which, boxes = solids_seen(scenes, 96)
    assert np.array_equal(boxes, render(scenes, 96).boxes, equal_nan=True)
    for mask, own in zip(which, boxes):
        for solid, box in enumerate(own, 1):
            rows, columns = np.nonzero(mask == solid)
            assert np.isnan(box).all() if not len(rows) else box.tolist() == [
                columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert solids_seen([], 64)[0].shape == (0, 64, 64)


def test_it_equals_one_picture_at_a_time_and_leaves_out_what_has_no_region(
        tower: ImageTower, asked: dict[str, object], found: Classified) -> None:
    rows = [row for row in range(N) if row not in (7, 9)]
    assert found.ids == tuple(asked["ids"][row] for row in rows) and found.methods == CLASSIFIED
    assert [refused.name for refused in found.refused] == [asked["ids"][7], asked["ids"][9]]
    assert "none of the classes" in found.refused[0].reason and "nan" in found.refused[1].reason
    for place in (0, 30, len(rows) - 1):
        picture = asked["images"].decode(rows[place])
        for m, method in enumerate(CLASSIFIED):
            x = encode_prompted(tower, [picture], [asked["region"](rows[place], picture)], method)
            assert np.allclose(found.cosines[m, place], unit(x)[0] @ asked["vectors"].T, atol=1e-5)
    for m, method in enumerate(CLASSIFIED):
        right = found.cosines[m].argmax(axis=1) == found.truth
        assert np.array_equal(found.hits[m], right)
        assert found.accuracy[method].value == pytest.approx(right.mean())
        assert np.array_equal(found.confusion(method).sum(axis=1), np.bincount(found.truth, minlength=len(NAMES)))
        assert np.diag(found.confusion(method)).sum() == right.sum()
        assert sum(n.value * n.n for n in found.by_class(method) if n.n) == pytest.approx(right.sum())
    assert found.chance == 1 / len(NAMES)
    assert found.largest == np.bincount(found.truth).max() / len(rows)
    assert (found.shares > 0).all() and (found.shares < 1).all()


def test_pointing_at_one_of_two_solids_tells_its_colour(found: Classified) -> None:
    family = {method: hits_differ(found.hits[0], hits) for method, hits in zip(CLASSIFIED[1:], found.hits[1:])}
    assert found.differences == holm(family)
    assert found.differences["foveal"].verdict is Verdict.HIGHER
    assert found.differences["foveal"].change.value > 0.2
    gained, lost = set(found.gained("foveal").tolist()), set(found.lost("foveal").tolist())
    assert len(gained) - len(lost) == round(found.differences["foveal"].change.value * len(found.ids))
    assert not gained & lost and not len(found.gained("none"))


def test_a_mask_that_changes_nothing_and_one_that_sees_all_are_as_none(asked: dict[str, object]) -> None:
    still = ask(asked, methods=("foveal",), steering=Steering(alpha=0.0), rows=range(20))
    assert np.array_equal(still.cosines[0], still.cosines[1])
    assert still.differences["foveal"].p == 1.0 and still.differences["foveal"].change.value == 0
    whole = ask(asked, methods=("crop", "grey"), region=lambda row, picture: Region((Box(0, 0, 64, 64),)),
                rows=range(20))
    assert np.allclose(whole.cosines, whole.cosines[:1], atol=1e-6)
    pixels = ask(asked, methods=("hard_mask",), rows=range(20),
                 region=lambda row, picture: Region(mask=asked["which"][row] == 1))
    assert len(pixels.ids) == 19 and not np.allclose(*pixels.cosines, atol=1e-3)


def test_each_method_keeps_what_makes_it_itself() -> None:
    dials = Steering(alpha=2.0, hard=True, unleash=3, layers=(1,))
    assert as_method("foveal", dials) == Steering(alpha=2.0, layers=(1,))
    assert as_method("hard_mask", Steering(layers=(1,))) == Steering(layers=(1,), hard=True)
    assert as_method("unleash", dials) == Steering(alpha=2.0, unleash=3, layers=(1,))
    assert as_method("crop", dials) is None


def test_what_cannot_be_asked_is_said_and_a_stop_stops(asked: dict[str, object]) -> None:
    with pytest.raises(ShapeError, match="each class once"):
        ask(asked, classes=("red", *NAMES[1:-1], NAMES[1]))
    with pytest.raises(ShapeError, match="a picture with a class and a region"):
        ask(asked, truth=np.full(N, -1))
    with pytest.raises(ShapeError, match="lies in the picture"):
        ask(asked, region=lambda row, picture: Region((Box(900, 900, 910, 910),)))
    said: list[float] = []
    with pytest.raises(Cancelled):
        ask(asked, on_progress=lambda share, text: said.append(share), should_stop=lambda: len(said) > 0,
            rows=[*range(N), *range(N)])
    assert said == [0.0]
