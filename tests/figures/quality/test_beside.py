"""Findings beside the obvious ways: what is drawn is what was measured, and every way has its words."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.quality.beside import TITLES, WAYS, beside, beside_table
from core.geometry.scores import roc_auc
from core.language.quality.evaluation import BESIDE, QualityEvaluation, differences


def made() -> QualityEvaluation:
    rng = np.random.default_rng(0)
    wrong = np.arange(300) < 40
    scores = {}
    for name, ways in BESIDE.items():
        if name == "mislabel_ap":
            continue
        scores[name] = roc_auc(rng.normal(size=300) + 3 * wrong, wrong)
        scores |= {f"{name}_{way}": roc_auc(rng.normal(size=300) + wrong, wrong) for way in ways}
    return QualityEvaluation(scores, differences(scores), {}, {"": 0.95}, (1,), (2,), 300)


def test_every_way_has_a_title() -> None:
    assert list(TITLES) == list(BESIDE) and {way for ways in BESIDE.values() for way in ways} == set(WAYS)


@pytest.mark.parametrize("dark", [False, True])
def test_what_is_drawn_is_what_was_measured(dark: bool) -> None:
    found = made()
    chance, obvious, finding = beside(found, dark=dark).data
    rows = [name for name in TITLES if name != "mislabel_ap"]
    assert list(finding.x) == [found.scores[name].value for name in rows]
    assert finding.x[0] + finding.error_x.array[0] == pytest.approx(found.scores[rows[0]].number.high)
    assert list(obvious.x) == [found.scores[f"{name}_{way}"].value for name in rows for way in BESIDE[name]]
    assert set(chance.x) == {0.5} and list(finding.y) == list(range(len(rows)))
    n = sum(len(BESIDE[name]) for name in rows)
    assert f"higher than {n} of {n} obvious ways" in beside(found).layout.title.text


def test_the_table_has_a_row_for_each_way() -> None:
    found = made()
    table = beside_table(found)
    assert len(table) == len(found.scores) and (table["way"] == "the finding").sum() == len(BESIDE) - 1
    gained = table["the finding over it"].dropna()
    assert len(gained) == len(found.over) and (gained > 0).all() and (table["p (Holm)"].dropna() < 0.05).all()
