"""A finding without scores, and what goes with an item that is dropped."""

from __future__ import annotations

import numpy as np

from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items, Kept


def test_a_share_of_items_without_scores_is_not_a_number():
    none = Finding("blur", "image", np.full(3, np.nan, np.float32), "high", 1.0, "px",
                   by_chance=np.array([0.0, 2.0], np.float32))
    share = none.share()
    assert np.isnan(share.value) and share.n == 0 and share.null == 0.5 and share.low is None


def test_what_goes_with_what_is_dropped():
    x = np.eye(4, dtype=np.float32)
    items = Items(x, x, np.array([[0, 0], [0, 1], [1, 1], [2, 2]]))
    whole = Kept.all_of(items)
    without = whole.without(items, images=np.array([0]))
    assert without.images.tolist() == [False, True, True, True]
    assert without.texts.tolist() == [False, True, True, True], "a text of another image too stays"
    bare = whole.without(items, texts=np.array([2]))
    assert bare.images.tolist() == [True, True, False, True], "an image that never had a text stays"
    assert bare.texts.tolist() == [True, True, False, True]
