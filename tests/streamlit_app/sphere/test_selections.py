"""What the page says of two selections: items counted once, and a p that is circular where places were chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.geometry.directions import unit
from core.language.difference import tell_apart
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.sphere.selections import _circular, _features, _items
from core.types import EmbeddingSet, ModelSpec, Selection
from tests.pages.test_pages import SPHERE, finished, opened, words


def some(modality: str, n: int, label: list[str]) -> EmbeddingSet:
    vectors = unit(np.random.default_rng(n).normal(size=(n, 5)))
    return EmbeddingSet(vectors, np.ones(n), tuple(f"{modality} {i}" for i in range(n)), modality,
                        pd.DataFrame({"label": label}), ModelSpec("m", "0", 5, "0"))


@pytest.fixture(scope="module")
def ready() -> Ready:
    """Four images with two captions each, and a text of no image."""
    links = np.array([[i // 2, i] for i in range(8)])
    return Ready(Opened("my photos", "key"), some("image", 4, ["cat", "cat", "dog", "dog"]), some("text", 9, [""] * 9),
                 links, ("a grey cat", "a cat sleeps", "cat", "cat", "a dog", "dog", "dog", "dog", "nothing"))


def test_an_image_and_its_captions_are_one_item(ready):
    whole = Selection("a", ("image 0",), ("text 0", "text 1"), "here")
    assert _items(ready, whole) == _items(ready, Selection("a", (), ("text 1",), "here")) == _items(
        ready, Selection("a", ("image 0",), (), "here"))
    assert len(_items(ready, whole)) == 1
    assert len(_items(ready, Selection("b", ("image 2",), ("text 8", "text 4", "gone"), "here"))) == 2
    features = _features(ready, _items(ready, whole))[_items(ready, whole)[0]]
    assert {"word “grey”", "word “sleeps”", "label = cat"} <= features


def test_shares_are_of_items_whichever_part_of_them_was_selected(ready):
    images = Selection("a", ("image 0", "image 1"), (), "here")
    texts = Selection("b", (), ("text 4", "text 6", "text 7"), "here")
    items = [_items(ready, s) for s in (images, texts)]
    found = tell_apart(_features(ready, [*items[0], *items[1]]), *items).set_index("feature")
    assert (found.loc["label = cat", "share_a"], found.loc["label = cat", "share_b"]) == (1, 0)
    assert (found.loc["word “dog”", "share_a"], found.loc["word “dog”", "share_b"]) == (0, 1)


@pytest.mark.parametrize(("sources", "start"), [
    (("x: within 30° on the map, true angles up to 40°", "x: by a lasso on the flat view of x"), "Both were chosen"),
    (("x: within 30° on the map, true angles up to 40°", "my own list"), "a was chosen by place"),
    (("my own list", "x: by a lasso on the flat view of x"), "b was chosen by place"),
    (("my own list", "another"), "")])
def test_the_p_of_what_was_chosen_by_place_is_said_to_be_circular(sources, start):
    said = _circular(*(Selection(name, ("i",), (), source) for name, source in zip("ab", sources)))
    assert said.startswith(start)
    assert ("circular" in said) == bool(start)


def test_the_page_says_that_the_p_of_two_caps_is_circular():
    at = opened(SPHERE, scenes="100", point="image:scene 07", cap="30")
    finished(next(b for b in at.button if b.label == "Keep").click().run())
    at.query_params["point"] = "image:scene 20"
    finished(at.run())
    finished(next(b for b in at.button if b.label == "Keep").click().run())
    said = words(at)
    assert "Both were chosen by place and are tested by place, so this p" in said
    assert "circular" in said
    assert "an image and its captions are one item" in said
