"""Sets of solids seen from all round: what each row shows, what a seed changes, and what is kept."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.encoding.models import load_model
from core.encoding.store import Store
from core.errors import ChoiceError
from core.geometry.directions import unit
from core.language.objects.world import KINDS, solid_prompts, solid_scenes, solid_views
from core.sources.solids.vocabulary import SOLIDS, STYLES
from core.sources.solids.world import SceneImages


def test_rows_say_what_their_scenes_show(tmp_path):
    model, store = load_model("builtin"), Store(tmp_path)
    views, scenes = solid_views("hard", model, store, seed=4, views=2), solid_scenes("hard", 4, 2)
    assert [views.names[k] for k in views.objects] == [s.solids[0].shape for s in scenes]
    assert [views.style_names[k] for k in views.styles] == [s.style for s in scenes]
    np.testing.assert_allclose(views.views * math.pi, [s.camera.yaw for s in scenes])
    rows = [0, 37, 99]
    pictures = SceneImages(scenes, 128)
    fresh = unit(model.encode_images([pictures.decode(i, alone=True) for i in rows]))
    np.testing.assert_allclose(views.vectors[rows], fresh, atol=1e-4)
    count = store.count()
    again = solid_views("hard", model, store, seed=4, views=2)
    assert store.count() == count
    np.testing.assert_array_equal(again.vectors, views.vectors)


def test_hard_solids_are_of_one_colour_and_easy_ones_are_not():
    hard, easy = (solid_scenes(kind, 0, 1) for kind in ("hard", "easy"))
    assert {(s.solids[0].colour, s.solids[0].texture) for s in hard} == {("green", "plain")}
    assert len({(s.solids[0].colour, s.solids[0].texture) for s in easy}) == 10
    assert {s.solids[0].yaw for s in hard} != {s.solids[0].yaw for s in solid_scenes("hard", 1, 1)}
    with pytest.raises(ChoiceError, match="a kind of set to be one of hard, easy"):
        solid_scenes("other")
    assert set(KINDS) == {"hard", "easy"}


def test_there_is_a_prompt_for_each_solid_and_style():
    solids, styles = solid_prompts(load_model("builtin"))
    assert (len(solids), len(styles)) == (len(SOLIDS), len(STYLES))
    np.testing.assert_allclose(np.linalg.norm(styles, axis=1), 1, atol=1e-5)
