"""Signed queries by hand, and what their cosines are compared with against a loop."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.geometry.directions import unit
from core.geometry.neighbours import unmatched_cosines as of_pairs
from core.geometry.queries import Part, centred, composed, leaning, unmatched_cosines

X, Y = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def test_parts_add_up_by_sign_and_weight() -> None:
    np.testing.assert_allclose(composed([Part(X, 2, "text")]), X)
    np.testing.assert_allclose(composed([Part(X, 3, "text"), Part(Y, -4, "image")]), [0.6, -0.8], atol=1e-7)
    assert composed([Part(X, 1, "text")]).dtype == np.float32
    with pytest.raises(ShapeError, match="parts that cancel out"):
        composed([Part(X, 1, "text"), Part(X, -1, "image")])
    with pytest.raises(ShapeError, match="one part or more"):
        composed([])
    with pytest.raises(ChoiceError):
        Part(X, 1, "sound")


def test_a_query_leans_to_the_modality_with_more_weight() -> None:
    assert leaning([Part(X, 1, "text"), Part(Y, -0.5, "image")]) == "text"
    assert leaning([Part(X, 1, "text"), Part(Y, -1, "image")]) == "image"


def test_centring_takes_the_mean_away_and_leaves_the_mean_itself() -> None:
    mean = np.array([0.6, 0.8]) / 2
    moved = centred(np.array([[1.0, 0.0]]), mean)
    np.testing.assert_allclose(moved, unit(np.array([[0.7, -0.4]])), atol=1e-6)
    np.testing.assert_allclose(centred(X[None], X), X[None])


def test_one_random_text_is_as_an_unmatched_pair_and_linked_items_are_not_drawn() -> None:
    rng = np.random.default_rng(0)
    images, texts = (unit(rng.normal(size=(40, 6))).astype(np.float32) for _ in range(2))
    texts[:] = images                          # pairs have cosine 1, so that one drawn would be seen
    links = np.repeat(np.arange(40)[:, None], 2, axis=1)
    sets = {"image": images, "text": texts}
    found = unmatched_cosines([Part(texts[0], -2.0, "text")], sets, "image", links)
    assert found.min() > -0.999 and np.all(np.diff(found) >= 0)
    among = -of_pairs(images, texts, links)[::-1]
    assert np.median(found) == pytest.approx(np.median(among), abs=0.03)
    assert len(unmatched_cosines([Part(texts[0], 1, "text")], {"image": images}, "image")) == 0
    alone = unmatched_cosines([Part(images[0], 1, "image")], {"image": images}, "image")
    assert alone.max() < 0.999                  # never an image and itself
    both = unmatched_cosines([Part(texts[0], 1, "text"), Part(images[1], -1, "image")], sets, "image", links, size=200)
    assert 150 < len(both) <= 200
