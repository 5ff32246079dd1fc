"""Thresholds for low-quality pictures: what is planted is flagged, what is usual in a set is not."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.quality.pixels import NUMBERS, RULES, Measures, findings_of, measures_table
from core.types import Refusal

USUAL = {"width": 640.0, "height": 480.0, "edges": .8, "brightness": .5, "highlights": .9, "contrast": .8,
         "colourfulness": 40.0}
SPREAD = {"edges": .15, "brightness": .1, "highlights": .04, "contrast": .08, "colourfulness": 12.0}
BAD = {"blur": {"edges": 4.0}, "dark": {"highlights": .2}, "bright": {"brightness": .96},
       "low_information": {"contrast": .05}, "grey": {"colourfulness": .5}, "odd_size": {"width": 64.0, "height": 48.0},
       "odd_aspect": {"width": 2000.0, "height": 200.0}}


def measures(n: int, seed: int = 0, **given: float | np.ndarray) -> Measures:
    """Of n ordinary pictures, but for what is given."""
    rng = np.random.default_rng(seed)
    columns = {name: np.full(n, USUAL[name], np.float32) for name in NUMBERS}
    for name, spread in SPREAD.items():
        columns[name] = (columns[name] + rng.normal(0, spread, n)).clip(.1 * USUAL[name], None).astype(np.float32)
    for name, value in given.items():
        columns[name] = np.broadcast_to(np.asarray(value, np.float32), n).copy()
    return Measures(tuple(f"{i}.png" for i in range(n)), **columns)


def with_bad(n: int, rows: np.ndarray, key: str) -> Measures:
    good = measures(n)
    changed = {name: getattr(good, name).copy() for name in NUMBERS}
    for name, value in BAD[key].items():
        changed[name][rows] = value
    return Measures(good.ids, **changed)


@pytest.mark.parametrize("share", [.02, .4])
@pytest.mark.parametrize("key", RULES)
def test_planted_faults_are_flagged_and_little_else(key: str, share: float) -> None:
    rows = np.arange(round(500 * share))
    found = findings_of(with_bad(500, rows, key))[key]
    assert set(rows) <= set(found.flagged().tolist())
    assert len(found.flagged()) <= len(rows) + 5
    assert found.beyond(np.asarray(found.scores[rows]), found.threshold).all()
    assert len(findings_of(measures(500))[key].flagged()) <= 5


@pytest.mark.parametrize(("key", "given"), [
    ("blur", {"edges": 5.0}), ("dark", {"highlights": .2}), ("bright", {"brightness": .93}),
    ("low_information", {"contrast": .1}), ("grey", {"colourfulness": 0.0}),
    ("odd_size", {"width": 8.0, "height": 8.0}), ("odd_aspect", {"width": 3000.0, "height": 300.0})])
def test_what_all_pictures_of_a_set_are_is_not_odd_in_it(key: str, given: dict[str, float]) -> None:
    assert len(findings_of(measures(60, **given))[key].flagged()) == 0


def test_pictures_of_which_nothing_can_be_seen_are_flagged_even_where_all_are_so() -> None:
    black = findings_of(measures(40, highlights=0, brightness=0, contrast=0))
    assert len(black["dark"].flagged()) == len(black["low_information"].flagged()) == 40
    assert len(findings_of(measures(40, brightness=1))["bright"].flagged()) == 40


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_pictures_have_the_plain_bounds(n: int) -> None:
    for key, found in findings_of(measures(n)).items():
        assert found.threshold == RULES[key].bad and len(found.flagged()) == 0
    if n:
        given = {name: value for name, value in BAD["dark"].items()}
        assert len(findings_of(measures(n, **given))["dark"].flagged()) == n


def test_what_could_not_be_read_has_no_score() -> None:
    gone = Measures(("a.png", "b.png"), **{name: np.full(2, np.nan, np.float32) for name in NUMBERS},
                    refused=(Refusal("b.png", "the file is empty"),))
    for found in findings_of(gone).values():
        assert np.isnan(found.scores).all() and len(found.flagged()) == 0
        assert np.isfinite(found.threshold)


def test_the_share_by_chance_is_that_of_a_set_without_blurred_pictures() -> None:
    clean = np.exp(np.random.default_rng(1).normal(np.log(.8), .3, 4_000))
    found = findings_of(measures(4_000, edges=clean))["blur"]
    for threshold in (1.0, 1.2):
        share = found.share(threshold)
        assert share.null == pytest.approx(float((clean >= threshold).mean()), abs=.03)


def test_a_table_has_a_row_a_picture_and_tells_what_was_refused() -> None:
    some = measures(4)
    some = Measures(some.ids, **{name: getattr(some, name) for name in NUMBERS},
                    refused=(Refusal("2.png", "the file is empty"),))
    table = measures_table(some)
    assert list(table.columns) == ["id", "width_px", "height_px", "edges_px", "brightness", "highlights", "contrast",
                                   "colourfulness", "refused"]
    assert list(table["refused"]) == ["", "", "the file is empty", ""]
    taken = some.take([2, 0])
    assert taken.ids == ("2.png", "0.png")
    assert np.array_equal(taken.edges, some.edges[[2, 0]])


def test_measures_of_another_length_are_refused() -> None:
    columns = {name: np.zeros(2, np.float32) for name in NUMBERS}
    with pytest.raises(ShapeError, match="3 numbers of width"):
        Measures(("a", "b", "c"), **columns)
