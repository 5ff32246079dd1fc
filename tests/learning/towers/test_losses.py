"""Each loss with each distance against a double loop in float64, values and gradients, and what it must keep to."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.errors import ChoiceError
from core.learning.towers.losses import angle_of, pair_loss, similarity
from core.learning.towers.setup import DIALS

LOSSES, DISTANCES = tuple(DIALS["loss"].choices or ()), tuple(DIALS["distance"].choices or ())
CAPTIONS = (0, 1, 0, 2, 3, 1, 4, 5)


def features(n: int, d: int, seed: int, distance: str) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = (torch.randn(n, d, generator=generator, dtype=torch.float64) for _ in range(2))
    return on_sphere(x, distance), on_sphere(y, distance)


def on_sphere(x: Tensor, distance: str) -> Tensor:
    return x if distance == "euclidean" else x / x.norm(dim=1, keepdim=True)


def equal(captions: tuple[int, ...]) -> Tensor:
    of = torch.tensor(captions)
    return of[:, None] == of[None]


def near(a: Tensor, b: Tensor, distance: str) -> Tensor:
    if distance == "euclidean":
        return 1 - ((a - b) ** 2).sum() / 2
    return a @ b if distance == "cosine" else math.pi / 2 - torch.arccos(a @ b)


def far(a: Tensor, b: Tensor, distance: str) -> Tensor:
    if distance == "geodesic":
        return torch.arccos(a @ b) ** 2
    return ((a - b) ** 2).sum()


def by_loop(x: Tensor, y: Tensor, same: Tensor, loss: str, distance: str, scale: Tensor, bias: Tensor) -> Tensor:
    n = len(x)
    total = torch.zeros((), dtype=x.dtype)
    if loss == "info_nce":
        for i in range(n):
            own = torch.exp(scale * near(x[i], y[i], distance))
            row = column = own
            for j in range(n):
                if j != i and not same[i, j]:
                    row = row + torch.exp(scale * near(x[i], y[j], distance))
                    column = column + torch.exp(scale * near(x[j], y[i], distance))
            total = total - (torch.log(own / row) + torch.log(own / column)) / 2
        return total / n
    if loss == "sigmoid":
        for i in range(n):
            for j in range(n):
                if j == i or not same[i, j]:
                    logit = scale * near(x[i], y[j], distance) + bias
                    total = total + torch.log(1 + torch.exp(-logit if i == j else logit))
        return total / n
    potentials, count = [torch.zeros((), dtype=x.dtype)] * 2, 0
    for i in range(n):
        total = total + far(x[i], y[i], distance) / n
        for j in range(n):
            if j != i and not same[i, j]:
                count += 1
                potentials = [p + torch.exp(-2 * far(v[i], v[j], distance)) for p, v in zip(potentials, (x, y))]
    return total + sum(torch.log(p / count) for p in potentials) / 2


def gradients(loss: Callable[[], Tensor], of: list[Tensor]) -> list[np.ndarray]:
    return [g.numpy() for g in torch.autograd.grad(loss(), of, allow_unused=True, materialize_grads=True)]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_and_its_gradients_equal_a_loop(loss: str, distance: str) -> None:
    x, y = (v.requires_grad_() for v in features(len(CAPTIONS), 3, 0, distance))
    same = equal(CAPTIONS)
    scale, bias = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (3.0, -2.0))

    def fast() -> Tensor:
        a, b = on_sphere(x, distance), on_sphere(y, distance)
        return pair_loss(a, b, same, loss=loss, distance=distance, scale=scale, bias=bias)

    def slow() -> Tensor:
        return by_loop(on_sphere(x, distance), on_sphere(y, distance), same, loss, distance, scale, bias)

    assert float(fast().detach()) == pytest.approx(float(slow().detach()), abs=1e-12)
    parts = [x, y, scale, bias]
    for quick, looped in zip(gradients(fast, parts), gradients(slow, parts)):
        np.testing.assert_allclose(quick, looped, atol=1e-11)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(LOSSES), st.sampled_from(DISTANCES), st.integers(2, 6), st.data())
def test_a_loss_is_the_same_with_towers_swapped_pairs_in_another_order_and_all_turned(
        loss: str, distance: str, d: int, data: st.DataObject) -> None:
    captions = tuple(data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=9)))
    seed = data.draw(st.integers(0, 1000))
    x, y = features(len(captions), d, seed, distance)

    def value(a: Tensor, b: Tensor, said: tuple[int, ...]) -> float:
        return float(pair_loss(a, b, equal(said), loss=loss, distance=distance, scale=5.0, bias=-1.0))

    before = value(x, y, captions)
    assert math.isfinite(before)
    assert value(y, x, captions) == pytest.approx(before, abs=1e-9)
    order = np.random.default_rng(seed).permutation(len(captions))
    assert value(x[order], y[order], tuple(captions[i] for i in order)) == pytest.approx(before, abs=1e-9)
    turn = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))[0]
    assert value(x @ turn, y @ turn, captions) == pytest.approx(before, abs=1e-6)


def test_equal_captions_are_no_negatives() -> None:
    x, y = features(4, 3, 1, "cosine")
    for loss in LOSSES:
        told = [float(pair_loss(x, y, equal(said), loss=loss, distance="cosine", scale=4.0)) for said in (
            (0, 1, 2, 3), (0, 0, 2, 3))]
        assert told[0] != pytest.approx(told[1], abs=1e-3)
    alone = float(pair_loss(x, y, equal((0, 0, 0, 0)), loss="info_nce", distance="cosine", scale=4.0))
    assert alone == pytest.approx(0, abs=1e-12)
    together = float(pair_loss(x, y, equal((0, 0, 0, 0)), loss="alignment_uniformity", distance="cosine"))
    assert together == pytest.approx(float(((x - y) ** 2).sum(1).mean()), abs=1e-12)


def test_the_distances_agree_at_right_angles_and_the_euclidean_one_is_the_cosine_on_the_sphere() -> None:
    x = torch.tensor([[1.0, 0, 0]], dtype=torch.float64)
    y = torch.tensor([[0, 1.0, 0], [1e-4, 1, 0]], dtype=torch.float64)
    y = y / y.norm(dim=1, keepdim=True)
    told = torch.cat([similarity(x, y, distance) for distance in DISTANCES])
    assert told[:, 0].tolist() == pytest.approx([0, 0, 0], abs=1e-12)
    assert told[:, 1].tolist() == pytest.approx([1e-4] * 3, rel=1e-6)
    a, b = features(6, 4, 2, "cosine")
    torch.testing.assert_close(similarity(a, b, "euclidean"), similarity(a, b, "cosine"))


def test_an_angle_has_finite_slopes_at_both_ends() -> None:
    cosine = torch.tensor([1.0, -1.0, 0.5, 1 + 1e-7], requires_grad=True)
    angle = angle_of(cosine)
    angle.sum().backward()
    assert angle.detach().numpy() == pytest.approx([0, math.pi, math.pi / 3, 0], abs=2e-3)
    assert torch.isfinite(cosine.grad).all()


def test_an_unknown_loss_or_distance_is_said_with_the_known_ones() -> None:
    x, y = features(2, 2, 0, "cosine")
    with pytest.raises(ChoiceError, match="info_nce, sigmoid, alignment_uniformity"):
        pair_loss(x, y, equal((0, 1)), loss="hinge", distance="cosine")
    with pytest.raises(ChoiceError, match="cosine, geodesic, euclidean"):
        pair_loss(x, y, equal((0, 1)), loss="info_nce", distance="manhattan")
