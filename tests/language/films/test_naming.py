"""Names of islands: the prompt that is its own, whatever each prompt is near to on the whole; and no name by force."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.films.islands import Islands, islands
from core.geometry.films.trajectory import Trajectory
from core.language.films.naming import name_by_likeness, name_islands
from tests.geometry.films.made_places import D, walk


def made(places: list[int]) -> tuple[Trajectory, Islands, np.ndarray]:
    """A path, its islands, and a text vector for each place: far from all frames, pulled a little to its own."""
    path, _ = walk(places)
    found = islands(path, np.arange(0, len(path), 8))
    away = np.random.default_rng(9).normal(size=D)
    return path, found, unit(found.means + 3 * unit(away[None]))


def test_each_island_gets_its_own_prompt_even_where_one_prompt_is_near_to_all():
    path, found, texts = made([0, 1, 2, 0])
    near_to_all = unit(texts.mean(axis=0, keepdims=True) + 2 * unit(found.means.sum(axis=0)[None]))
    assert ((found.means @ near_to_all.T)[:, 0] > (found.means @ texts.T).max(axis=1)).all(), "by plain cosine it wins"
    names = name_islands(path, found, ["first", "second", "third", "anything"], np.concatenate([texts, near_to_all]))
    assert [n.name for n in names] == ["first", "second", "third"]
    assert all(n.percentile > 99 and n.lead > 0.75 and n.closeness > 0 and n.island == k for k, n in enumerate(names))


def test_no_name_is_given_by_force():
    path, found, texts = made([0, 1, 2])
    twins = name_islands(path, found, ["one", "the same"], np.repeat(texts[:1], 2, axis=0))
    assert twins[0].name == "not told apart" and "“one” and “the same” are as near" in twins[0].why
    assert twins[1].name == "not told apart" and "another island lies as near" in twins[1].why
    alone = made([0, 0])
    assert "no other island" in name_islands(alone[0], alone[1], ["it"], alone[2][:1])[0].why
    with pytest.raises(ShapeError, match="for each of 1 prompts"):
        name_islands(path, found, ["one"], texts)


def test_a_models_own_likeness_names_islands_as_cosines_do():
    path, found, texts = made([0, 1, 2, 0])
    prompts = ["first", "second", "third"]
    names = name_by_likeness(found, prompts, path.points @ texts.T)
    assert [n.name for n in names] == prompts
    with pytest.raises(ShapeError, match="likeness of"):
        name_by_likeness(found, prompts, np.zeros((3, 3)))
