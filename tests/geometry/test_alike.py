"""Mean cosines by kind, their intervals and differences, against loops and the statistics of the sphere."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry import alike
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.jackknife import student
from core.geometry.statistics import sphere_statistics

RNG = np.random.default_rng(0)
N, TEXTS, D = 14, 2, 6
SHOWN = RNG.normal(size=(N, D)) + 1
IMAGES = unit(SHOWN + 0.3 * RNG.normal(size=(N, D)))
OF = np.repeat(np.arange(N), TEXTS)
SAID = unit(SHOWN[OF] + 0.3 * RNG.normal(size=(N * TEXTS, D)) - 0.6)
LINKS = np.stack([OF, np.arange(N * TEXTS)], axis=1)


def by_hand(x: np.ndarray, y: np.ndarray, of: np.ndarray) -> dict[str, float]:
    across, own = x @ y.T, of == np.arange(len(x))[:, None]
    inside = [(z @ z.T)[np.triu_indices(len(z), 1)].mean() for z in (x, y)]
    return {"images": inside[0], "texts": inside[1], "matched": across[own].mean(), "unmatched": across[~own].mean()}


def test_each_kind_and_each_difference_is_a_jackknife_over_images_with_their_texts():
    found, whole = alike.by_kind(IMAGES, SAID, LINKS), by_hand(IMAGES, SAID, OF)
    left = [by_hand(np.delete(IMAGES, i, 0), SAID[i != OF], np.repeat(np.arange(N - 1), TEXTS)) for i in range(N)]

    def half(values: np.ndarray) -> float:
        return student(N - 1) * np.sqrt((N - 1) / N * ((values - values.mean()) ** 2).sum())

    for kind, value in whole.items():
        number = found.numbers[kind]
        assert number.value == pytest.approx(value, abs=1e-6)
        assert number.high - number.value == pytest.approx(half(np.array([one[kind] for one in left])), rel=1e-3)
    lead = found.over("matched", "unmatched")
    assert lead.change.value == pytest.approx(whole["matched"] - whole["unmatched"], abs=1e-6)
    expected = half(np.array([one["matched"] - one["unmatched"] for one in left]))
    assert lead.change.high - lead.change.value == pytest.approx(expected, rel=1e-3)
    assert lead.verdict is Verdict.HIGHER


def test_they_are_those_of_the_sphere():
    found, known = alike.by_kind(IMAGES, SAID, LINKS), sphere_statistics(IMAGES, SAID, LINKS)
    for kind, key in (("images", "cosine_image"), ("texts", "cosine_text"), ("matched", "cosine_paired"),
                      ("unmatched", "cosine_unpaired")):
        assert found.numbers[kind].value == pytest.approx(known[key].value)
        assert found.numbers[kind].low == pytest.approx(known[key].low)
    assert (found.gap.value, found.gap.low, found.gap.null) == (known["gap"].value, known["gap"].low, known["gap"].null)


def test_the_same_items_by_another_model_differ_by_the_jackknife_of_the_difference():
    before, same = (alike.by_kind(IMAGES, SAID, LINKS) for _ in range(2))
    assert same.since(before, "images").verdict is Verdict.NOT_TOLD_APART
    narrow = alike.by_kind(unit(IMAGES + 2 * IMAGES.mean(axis=0)), SAID, LINKS)
    assert narrow.since(before, "images").verdict is Verdict.HIGHER
    assert before.since(narrow, "images").verdict is Verdict.LOWER


@pytest.mark.filterwarnings("error")
def test_what_is_not_there_or_too_few_is_not_measurable():
    without = alike.by_kind(IMAGES, SAID, np.zeros((0, 2), dtype=np.int64))
    assert set(without.numbers) == {"images", "texts", "unmatched"}
    assert without.over("matched", "unmatched").verdict is Verdict.NOT_MEASURABLE
    two = alike.by_kind(IMAGES[:2], SAID[:2], np.array([[0, 0], [1, 1]]))
    assert two.numbers["images"].low is None
    assert two.over("matched", "unmatched").verdict is Verdict.NOT_MEASURABLE
    one = alike.by_kind(IMAGES[:1], SAID[:1], np.array([[0, 0]]))
    assert set(one.numbers) == {"matched"}
