"""Class vectors, on prompts laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.language.zero_shot import class_vectors


def circle(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_class_vectors_point_between_their_prompts() -> None:
    both = class_vectors([circle(10, 50), circle(180)])
    assert np.allclose(both, circle(30, 180), atol=1e-6)


def test_prompts_that_cancel_out_are_told() -> None:
    with pytest.raises(ShapeError, match="vectors with a direction; got 1 rows of length zero"):
        class_vectors([circle(0), circle(90, -90, 0, 180)[:2] * np.float32(0)])
