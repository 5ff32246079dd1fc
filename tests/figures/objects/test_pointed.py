"""Figures of what an object is called under a foveal mask, read back beside the scores."""

from __future__ import annotations

import numpy as np
import pytest

from core.figures.objects import pointed as figures
from core.geometry.objects.votes import PoseSweep
from core.language.objects.classes import ClassScores
from core.language.objects.known import KnownShapes

NAMES = ("cat", "dog", "cow")


def scores(*values: float) -> ClassScores:
    drawn = np.zeros((2, 4, 4), bool)
    drawn[:, 1:3, 1:3] = True
    return ClassScores(np.full((2, 4, 4, 3), 200, np.uint8), np.array([values, values]), np.array(values), drawn)


@pytest.mark.parametrize("dark", [False, True])
def test_without_and_with_the_mask_stand_side_by_side(dark: bool) -> None:
    before, after = scores(0.30, 0.28, 0.1), scores(0.28, 0.33, 0.1)
    figure = figures.beside("toy", NAMES, before, after, 50.0, dark=dark)
    title = figure.layout.title.text.replace("<br>", " ").replace("\u00a0", " ")
    assert "toy goes from “cat” to “dog” under the mask" in title
    order = ["dog", "cat", "cow"]
    assert list(figure.layout.yaxis.ticktext) == order
    for trace, found in zip(figure.data[1:], (before, after)):
        assert list(trace.x) == pytest.approx([100 * found.probabilities(50.0)[NAMES.index(n)] for n in order])
    table = figures.beside_table(NAMES, before, after, 50.0).set_index("class")
    assert table.loc["dog", "change of the cosine"] == pytest.approx(0.05)
    assert table["change"].sum() == pytest.approx(0)
    tinted = np.asarray(figures.under_mask(before.pictures[0], before.drawn[0], dark=dark))
    assert (tinted[0] == 200).all() and (tinted[1, 1] != 200).any()


def test_words_tell_poses_and_known_shapes_with_their_n() -> None:
    def sweep(winners: list[int]) -> PoseSweep:
        most = int(np.bincount(winners).argmax())
        return PoseSweep(NAMES, np.arange(4.0), np.zeros((4, 3)), np.array(winners), most,
                         winners.count(most) / 4)

    said = figures.poses_in_words(sweep([0, 0, 0, 1]), sweep([0, 1, 1, 1]))
    assert "same class comes first in 2 of 4 poses" in said and "“cat” wins 3" in said and "with it “dog” 3" in said
    hits = np.zeros((10, 4), bool)
    hits[:7, :2] = True
    told = figures.known_in_words(KnownShapes(tuple("abcdefghij"), hits, np.ones((10, 4), bool)))
    assert "10 built-in solids in 4 poses" in told and "35 % (" in told and "100 %" in told and "is above" in told
    assert figures.known_table(KnownShapes(tuple("abcdefghij"), hits, hits))["right"].sum() == 14
