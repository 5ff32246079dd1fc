"""Repairs of hubness against their formulae, on planted hubs, and on real pairs."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.hub_repairs import REPAIRS, repaired
from core.geometry.hub_scoring import score_repairs
from core.geometry.retrieval import median_rank, recall_at


@pytest.fixture(scope="module")
def coco(reference) -> tuple[np.ndarray, np.ndarray]:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(data["image"]), unit(data["text"])


def test_each_repair_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    queries, gallery, bank = (unit(rng.normal(size=(n, 5))) for n in (7, 12, 30))
    cosines, of_bank = queries @ gallery.T, bank @ gallery.T
    share = np.exp(20 * cosines) / np.exp(20 * of_bank).sum(axis=0)        # as published
    found = repaired("inverted_softmax", cosines, of_bank)
    assert (np.argsort(found, axis=1) == np.argsort(share, axis=1)).all()
    hubs = set(of_bank.argmax(axis=1).tolist())
    dynamic = repaired("dynamic", cosines, of_bank)
    touched = [int(row.argmax()) in hubs for row in cosines]
    np.testing.assert_allclose(dynamic[touched], found[touched])
    np.testing.assert_allclose(dynamic[np.logical_not(touched)], cosines[np.logical_not(touched)])
    for i in range(7):
        for j in range(12):
            near_query, near_item = np.sort(cosines[i])[-10:], np.sort(of_bank[:, j])[-10:]
            assert repaired("csls", cosines, of_bank)[i, j] == pytest.approx(
                2 * cosines[i, j] - near_query.mean() - near_item.mean())
            scales = np.sqrt((2 - 2 * near_query[0]) * (2 - 2 * near_item[0]))
            assert repaired("local_scaling", cosines, of_bank)[i, j] == pytest.approx(
                -(2 - 2 * cosines[i, j]) / scales)
    with pytest.raises(ChoiceError):
        repaired("prayer", cosines, of_bank)
    with pytest.raises(ShapeError, match="to one gallery"):
        repaired("csls", cosines, of_bank[:, :5])


def test_a_planted_hub_goes_and_its_neighbours_are_found_again() -> None:
    rng = np.random.default_rng(3)
    answers = unit(rng.normal(size=(200, 12)) + 1.5)
    queries = unit(answers + 0.4 * unit(rng.normal(size=(200, 12))))
    gallery = np.concatenate([answers, unit(answers.mean(axis=0)[None]).repeat(2, axis=0)])   # one in each half
    links = np.repeat(np.arange(200)[:, None], 2, axis=1)
    report = score_repairs(queries, gallery, links, seed=1)
    plain = report.rows[0]
    assert plain.method == "plain" and plain.change is None and len(report.rows) == len(REPAIRS)
    for row in report.rows[1:]:
        assert row.hubness.value < plain.hubness.value
        assert row.change.change.value == pytest.approx(row.recall.value - plain.recall.value)
    assert (report.bank, report.gallery) == (100, 101)
    with pytest.raises(ShapeError, match="at least 4 groups"):
        score_repairs(queries, gallery, links[:3])
    with pytest.raises(Cancelled):
        score_repairs(queries, gallery, links, should_stop=lambda: True)


def test_published_recalls_of_coco500_and_what_repairs_do_to_its_texts(coco) -> None:
    images, texts = coco
    assert (round(recall_at(images, texts).value, 3), round(recall_at(texts, images).value, 3)) == (0.552, 0.506)
    assert median_rank(images, texts).value == 1 and median_rank(texts, images).null == 250
    links = np.repeat(np.arange(500)[:, None], 2, axis=1)
    rows = {row.method: row for row in score_repairs(texts, images, links).rows}
    assert rows["plain"].hubness.value > 4 * rows["plain"].hubness.null
    assert rows["csls"].change.verdict is Verdict.HIGHER
    assert rows["inverted_softmax"].hubness.value < 0.5 * rows["plain"].hubness.value


def test_median_rank_by_hand_and_its_interval_holds_the_median() -> None:
    scores = np.array([[3.0, 2, 1], [1, 3, 2], [2, 2, 2], [3, 2, 1.0]])
    links = np.array([[0, 0], [1, 0], [2, 1], [3, 2]])
    number = median_rank(scores, scores.T, links, scores=scores)
    assert number.value == 2.5 and number.low is None      # places 1, 3, 2, 3; two queries share an answer
    assert number.null == 2
    rng, held = np.random.default_rng(0), 0
    many = rng.normal(size=(20_000, 41))
    truth = np.median(1 + (many[:, 1:] > many[:, :1] + 1.2).sum(axis=1))
    for _ in range(200):
        noise = rng.normal(size=(41, 41)) + 1.2 * np.eye(41)
        found = median_rank(noise, noise, scores=noise)
        held += found.low <= truth <= found.high
    assert held >= 0.93 * 200
