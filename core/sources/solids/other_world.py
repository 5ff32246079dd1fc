"""Pictures of another world than that of the solids: fractals, clouds, pages of curves, and coloured cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw


def _palette(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values in [0, 1] as colours between three at random: (h, w, 3) in [0, 255]."""
    stops = rng.uniform(0, 255, (3, 3))
    return np.stack([np.interp(values, (0, 0.5, 1), stops[:, c]) for c in range(3)], axis=-1)


def _grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return np.meshgrid(np.linspace(-1.5, 1.5, size[0]), np.linspace(-1.5, 1.5, size[1]))


def _fractal(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A Julia set, coloured by how soon a point escapes."""
    x, y = _grid(size)
    z = x + 1j * y
    angle = rng.uniform(0, 2 * np.pi)
    c = 0.7885 * np.exp(1j * angle)
    steps, inside = np.zeros(z.shape), np.ones(z.shape, bool)
    for _ in range(40):
        z[inside] = z[inside] ** 2 + c
        inside &= np.abs(z) < 4
        steps += inside
    return _palette(np.sqrt(steps / 40), rng)


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise whose amplitude falls with its frequency."""
    across, down = np.fft.fftfreq(size[0]), np.fft.fftfreq(size[1])
    frequency = np.hypot(across[None], down[:, None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.fft2(rng.normal(size=size[::-1])) / frequency ** rng.uniform(1.2, 2.2)
    waves = np.real(np.fft.ifft2(spectrum))
    return _palette((waves - waves.min()) / max(np.ptp(waves), 1e-9), rng)


def _page(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A white page with axes and a few curves."""
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    width, height = size
    x = np.linspace(0.12, 0.95, 80)
    draw.line([(0.1 * width, 0.05 * height), (0.1 * width, 0.9 * height), (0.97 * width, 0.9 * height)], "black", 2)
    for _ in range(int(rng.integers(2, 5))):
        y = 0.5 + np.cumsum(rng.normal(0, 0.03, 80))
        colour = tuple(rng.integers(0, 200, 3).tolist())
        draw.line(list(zip((x * width).tolist(), (y.clip(0.06, 0.88) * height).tolist())), colour, 2)
    return np.asarray(page, np.float64)


def _cells(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The regions nearest to each of some points, a colour each."""
    x, y = _grid(size)
    points = rng.uniform(-1.5, 1.5, (int(rng.integers(12, 60)), 2))
    nearest = np.argmin((x[..., None] - points[:, 0]) ** 2 + (y[..., None] - points[:, 1]) ** 2, axis=-1)
    return rng.uniform(0, 255, (len(points), 3))[nearest]


FAMILIES: dict[str, Callable[[tuple[int, int], np.random.Generator], np.ndarray]] = {
    "fractal": _fractal, "clouds": _clouds, "page": _page, "cells": _cells}


def draw_other(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A picture in which none of the solids' world is seen.

    Parameters
    ----------
    size : width and height in px.
    rng : source of family, shapes and colours.
    """
    family = FAMILIES[list(FAMILIES)[int(rng.integers(len(FAMILIES)))]]
    return Image.fromarray(family(size, rng).round().clip(0, 255).astype(np.uint8))
