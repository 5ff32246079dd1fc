"""Points on the surfaces of the built-in solids, as a scanner would give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.errors import check_choice
from core.sources.meshes.mesh import Cloud
from core.sources.solids.shapes import BOUND, DISTANCES

if TYPE_CHECKING:
    from torch import Tensor

_STEPS, _REACH, _NEAR = 12, 1e-3, 2e-3


def solid_cloud(shape: str, n: int = 4096, seed: int = 0) -> Cloud:
    """A solid as a cloud, y up: random points of a ball about it, moved along its distance's slope to its surface.

    Parameters
    ----------
    shape : a solid of the vocabulary.
    n : points; they are a little denser where the surface bends towards the ball.
    seed : of the points.

    Raises
    ------
    ChoiceError
        If the solid is unknown.
    """
    import torch

    check_choice("solid", shape, DISTANCES)
    distance, rng, found, held = DISTANCES[shape], np.random.default_rng(seed), list[np.ndarray](), 0
    while held < n:
        p = torch.from_numpy(rng.normal(size=(2 * n, 3)))
        p = p / p.norm(dim=1, keepdim=True) * BOUND[shape] * torch.from_numpy(rng.random((2 * n, 1))) ** (1 / 3)
        for _ in range(_STEPS):
            p = p - distance(*p.unbind(1))[:, None] * _slope(distance, p)
        points = p[distance(*p.unbind(1)).abs() < _NEAR].numpy()
        found.append(points)
        held += len(points)
    return Cloud(shape, np.concatenate(found)[:n])


def _slope(distance: Callable[[Tensor, Tensor, Tensor], Tensor], p: Tensor) -> Tensor:
    """(n, 3) unit gradients, by differences."""
    import torch

    steps = _REACH * torch.eye(3, dtype=p.dtype)
    slope = torch.stack([distance(*(p + step).unbind(1)) - distance(*(p - step).unbind(1)) for step in steps], dim=1)
    return slope / slope.norm(dim=1, keepdim=True).clamp(min=1e-9)
