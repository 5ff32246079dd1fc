"""The two towers: what depends on what, words that are not known, and where training starts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.learning.towers.model import TEMPERATURE, Towers, Vocabulary, turn_towards, unit, words_of
from core.learning.towers.setup import DIALS, Setup
from tests.learning.towers.made import COLOURS, blocks

TEXTS = [f"a {colour} {solid}" for colour in COLOURS for solid in ("cube", "cone")]


def pictures(texts: list[str]) -> torch.Tensor:
    return torch.from_numpy(blocks(texts).images).permute(0, 3, 1, 2)


def made(**dials: object) -> tuple[Towers, torch.Tensor, torch.Tensor]:
    vocabulary = Vocabulary(TEXTS)
    towers = Towers(Setup(**dials), vocabulary)
    seen, said = pictures(TEXTS), torch.from_numpy(vocabulary.numbers(TEXTS))
    towers.begin(seen, said)
    with torch.no_grad():
        return towers, towers.images(seen), towers.texts(said)


def test_words_are_letters_and_digits_without_capitals() -> None:
    assert words_of("A Red-cube, 2 dogs; überall.") == ["a", "red", "cube", "2", "dogs", "überall"]
    vocabulary = Vocabulary(["b a", "c a"], ["a zebra"])
    assert vocabulary.words == ("a", "b", "c", "zebra")
    assert vocabulary.numbers(["a zebra", "nothing", "", "C b C"]).tolist() == [[1, 4, 0], [0] * 3, [0] * 3, [3, 2, 3]]
    assert vocabulary.numbers([""]).shape == Vocabulary([]).numbers(["x", "y"])[:1].shape == (1, 1)


@pytest.mark.parametrize("tower", DIALS["tower"].choices)
@pytest.mark.parametrize("projection", DIALS["projection"].choices)
@pytest.mark.parametrize("dim", [2, 3, 16])
def test_features_are_unit_rows_of_that_dimension(tower: str, projection: str, dim: int) -> None:
    towers, x, y = made(tower=tower, projection=projection, dim=dim)
    assert x.shape == y.shape == (len(TEXTS), dim)
    for rows in (x, y):
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(TEXTS)))
    heads = [name for name, _ in towers.parts.named_parameters() if name.startswith("heads")]
    assert len(heads) == (2 if projection == "shared" else 4)


def test_euclidean_features_leave_the_sphere_but_not_their_directions() -> None:
    _, x, y = made(distance="euclidean")
    _, on_x, on_y = made()
    assert (x.norm(dim=1) - 1).abs().max() > 0.01
    torch.testing.assert_close(unit(x), on_x)
    torch.testing.assert_close(unit(y), on_y)


def test_a_seed_gives_its_weights_whatever_else_is_drawn_and_whichever_words_come_later() -> None:
    _, x, y = made(seed=4)
    torch.rand(3)
    _, again, _ = made(seed=4)
    assert torch.equal(x, again)
    more = Vocabulary(TEXTS, ["a thing of gold"])
    longer = Towers(Setup(seed=4), more)
    with torch.no_grad():
        assert torch.equal(longer.texts(torch.from_numpy(more.numbers(TEXTS))), y)
    assert not torch.equal(made(seed=5)[1], x)


def test_captions_without_known_words_are_one_point_and_the_order_of_words_is_not_seen() -> None:
    vocabulary = Vocabulary(TEXTS)
    towers = Towers(Setup(), vocabulary)
    said = torch.from_numpy(vocabulary.numbers(["dog", "", "red a cube", "a red cube"]))
    with torch.no_grad():
        y = towers.texts(said)
    assert torch.isfinite(y).all()
    assert torch.equal(y[0], y[1])
    torch.testing.assert_close(y[2], y[3])


@pytest.mark.parametrize("projection", DIALS["projection"].choices)
@pytest.mark.parametrize("dim", [2, 3, 16])
def test_starts_turn_and_close(dim: int, projection: str) -> None:
    turned = 0
    for seed in range(6):
        dials = {"dim": dim, "seed": seed, "projection": projection}
        _, x, free = made(**dials)
        _, same, y = made(**dials, start="turned")
        assert torch.equal(x, same), "the images stay"
        before, after = (math.degrees(float(torch.arccos(torch.cosine_similarity(x.mean(0), v.mean(0), dim=0))))
                         for v in (free, y))
        assert after == pytest.approx(min(before, 85), abs=0.05)
        turned += before > 85
        torch.testing.assert_close(y @ y.T, free @ free.T, atol=1e-5, rtol=0)
        _, _, closed = made(**dials, start="closed")
        gaps = [float((x.mean(0) - v.mean(0)).norm()) for v in (free, closed)]
        assert gaps[1] < (0.15 if dim == 2 else 0.02), "eight texts on a circle cannot have any mean"
    assert turned or projection == "shared"


def test_a_rotation_brings_one_direction_to_another() -> None:
    rng = np.random.default_rng(0)
    for d in (2, 3, 7):
        a, b = (torch.from_numpy(rng.normal(size=d)) for _ in range(2))
        for to in (b, -a, a):
            turn = turn_towards(a, to, 0.3)
            torch.testing.assert_close(turn @ turn.T, torch.eye(d, dtype=torch.float64))
            assert float(torch.linalg.det(turn)) == pytest.approx(1)
            angle = math.acos(min(1, float(torch.cosine_similarity(turn @ a, to, dim=0))))
            was = math.acos(max(-1, min(1, float(torch.cosine_similarity(a, to, dim=0)))))
            assert angle == pytest.approx(min(was, 0.3), abs=1e-6)
    assert torch.equal(turn_towards(torch.zeros(3), torch.ones(3), 0.0), torch.eye(3))


def test_temperature_is_learned_from_the_papers_value_or_fixed() -> None:
    learned, fixed = made()[0], made(temperature=0.3, loss="sigmoid")[0]
    assert float(learned.scale.detach()) == pytest.approx(1 / TEMPERATURE, rel=1e-6)
    assert float(fixed.scale) == pytest.approx(1 / 0.3, rel=1e-6)
    assert any(p is learned.log_scale for p in learned.parameters())
    assert not any(p is learned.bias for p in learned.parameters())
    assert any(p is fixed.bias for p in fixed.parameters())
    assert not any(p is fixed.log_scale for p in fixed.parameters())
    with torch.no_grad():
        learned.log_scale.fill_(9)
    assert float(learned.scale.detach()) == 100
