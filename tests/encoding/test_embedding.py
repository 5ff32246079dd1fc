"""From the id of a model to vectors: what it costs, the work, and the part that is finished."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoding import embedding
from core.encoding.embedding import cost_of, embed_with, finished_part
from core.encoding.models import load_model
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import Cancelled, ModelError
from core.sources.sampling import take
from core.sources.solids.world import open_world


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def test_what_it_costs_then_the_work_then_nothing_is_left(store, monkeypatch):
    monkeypatch.setattr(embedding, "seconds_each", {})
    data = open_world(60, seed=71)
    assert cost_of("builtin", data, store, measure=False).seconds == 0.0
    cost = cost_of("builtin", data, store)
    assert cost.items == len(set(data.texts)) + 60
    assert cost.seconds_each > 0.02 and cost.seconds == cost.items * cost.seconds_each
    said: list[tuple[float, str]] = []
    done = embed_with("builtin", data, store, on_progress=lambda *told: said.append(told))
    assert said[0] == (0.0, "Loading the model") and said[-1][0] == 1.0
    assert done.encoded == cost.items
    assert done.captions == data.texts and done.model.id == "builtin"
    assert embedding.seconds_each["builtin"] > 0
    assert cost_of("builtin", data, store).items == 0


def test_it_is_the_work_of_the_pipeline(store, tmp_path):
    data = open_world(20, seed=72)
    ours = embed_with("builtin", data, store)
    theirs = embed(data, load_model("builtin"), Store(tmp_path / "other"))
    np.testing.assert_array_equal(ours.images.vectors, theirs.images.vectors)
    np.testing.assert_array_equal(ours.links, theirs.links)


def test_the_finished_part_holds_what_has_vectors_with_its_texts(store):
    data = open_world(30, seed=73)
    assert finished_part("builtin", data, store) is None
    embed_with("builtin", take(data, range(10)), store)
    part = finished_part("builtin", data, store)
    assert part.image_ids == data.image_ids[:10]
    assert set(part.texts) >= set(data.texts[:10])
    assert embed_with("builtin", part, store).encoded == 0


def test_an_unknown_model_and_a_stop_are_told(store):
    with pytest.raises(ModelError, match="on this machine"):
        embed_with("nobody/nothing", open_world(4, seed=74), store)
    with pytest.raises(Cancelled):
        cost_of("builtin", open_world(600, seed=74), store, should_stop=lambda: True)
