"""Gradient steps of many points on a sphere, for the maps that iterate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_FITTING = threading.Lock()


def step_on_sphere(y: torch.Tensor, gradient: torch.Tensor, first: torch.Tensor, second: torch.Tensor, step: int,
                   rate: float) -> torch.Tensor:
    """One Riemannian Adam step: along the gradient in the tangent plane, then back onto the sphere.

    Parameters
    ----------
    y, gradient
        (n, d), unit rows and their slopes.
    first, second
        (n, d) and (n, 1), the moments, zero before the first step; changed in place.
    step, rate
        Number of the step from 0, and its length in radians.

    References
    ----------
    Becigneul and Ganea, ICLR 2019, arXiv:1810.00760.
    """
    import torch

    gradient = gradient - y * (gradient * y).sum(1, keepdim=True)
    first.mul_(0.9).add_(gradient, alpha=0.1)
    second.mul_(0.999).add_((gradient * gradient).sum(1, keepdim=True), alpha=0.001)
    move = (first / (1 - 0.9 ** (step + 1))) / ((second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-12)
    return torch.nn.functional.normalize(y - rate * move, dim=1)


@contextmanager
def one_thread() -> Iterator[None]:
    """One fit at a time, on one thread.

    Its steps are many and small: on a busy machine threads would wait for each other longer than they work.
    """
    import torch

    with _FITTING:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
