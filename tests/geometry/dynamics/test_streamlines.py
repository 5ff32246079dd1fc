"""Streamlines: on the sphere, along the field, apart from each other, and only where something is known."""

from __future__ import annotations

import numpy as np

from core.geometry.directions import angle, fibonacci, unit
from core.geometry.dynamics.field import FEWEST, KernelField
from core.geometry.dynamics.flow import Flow
from core.geometry.dynamics.streamlines import streamlines


def turning(n: int = 300) -> KernelField:
    x = fibonacci(n)
    return KernelField(Flow(x, np.cross([0, 0, 0.3], x), np.arange(n)), 14)


def test_lines_of_a_rotation_are_circles_of_latitude_in_its_sense():
    lines = streamlines(turning())
    assert len(lines) > 20
    for line in lines:
        assert np.abs(np.linalg.norm(line, axis=1) - 1).max() < 1e-12
        if abs(line[:, 2]).max() < 0.9:
            assert np.ptp(line[:, 2]) < 0.02
            assert (np.cross(line[:-1], line[1:])[:, 2] > 0).all()
            np.testing.assert_allclose(np.degrees(angle(line[:-1], line[1:])), 2.5, atol=0.05)


def test_lines_stay_apart():
    lines = streamlines(turning(), apart=12)
    for i, line in enumerate(lines):
        for other in lines[:i]:
            assert np.degrees(angle(line[:, None], other[None])).min() >= 6 - 1e-9


def test_lines_end_where_nothing_is_known_and_still_points_have_none():
    x = unit(np.array([0, 0, 1.0]) + 0.25 * np.random.default_rng(0).normal(size=(80, 3)))
    field = KernelField(Flow(x, np.cross([0.3, 0, 0], x), np.arange(80)), 12)
    lines = streamlines(field)
    assert lines
    assert all((np.degrees(angle(line[:, None], x)) <= 12).sum(axis=1).min() >= FEWEST for line in lines)
    assert streamlines(KernelField(Flow(x, np.zeros_like(x), np.arange(80)), 12)) == []
    assert streamlines(KernelField(Flow(x[:2], np.zeros((2, 3)), np.arange(2)), 12)) == []
