"""Where an image tower looks in one picture, with or without a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from core.attention.masks import FOVEAL, Steering, foveal_weights
from core.attention.regions import Region
from core.attention.rollout import rollout
from core.attention.towers import Attention, ImageTower
from core.errors import ShapeError
from core.geometry.directions import unit


@dataclass(frozen=True, eq=False)
class Attended:
    """Where the tower looks in one picture.

    Attributes
    ----------
    vector : (d,) float32, unit: the embedding.
    pooling : (layers, heads, rows, columns) float32, attention of the class token to each patch; with what it pays to
        itself it sums to 1. Of a tower without one, (1, heads, rows, columns) of the pooling probe.
    rows : the same of the token that was asked for; ``pooling`` itself where that is the class token.
    rolled : (rows, columns) float32, attention rollout.
    """

    vector: np.ndarray
    pooling: np.ndarray
    rows: np.ndarray
    rolled: np.ndarray


def attend(tower: ImageTower, image: Image, region: Region | None = None, steering: Steering = FOVEAL, *,
           patch: tuple[int, int] | None = None) -> Attended:
    """Attention of one picture, all layers and heads.

    Parameters
    ----------
    tower : whose.
    image : upright, RGB.
    region, steering : what a mask turns it to; nothing without a region.
    patch : (row, column) of the token whose attention is wanted; None for the class token.

    Raises
    ------
    ShapeError
        As `ImageTower.bias`, or if there is no such patch.
    """
    rows, columns = tower.grid
    if patch is not None and not (0 <= patch[0] < rows and 0 <= patch[1] < columns):
        raise ShapeError(f"a patch of {rows} rows and {columns} columns, from 0", f"row {patch[0]}, column {patch[1]}")
    pixels = tower.encoder.preprocess([image])
    bias = None if region is None else tower.bias([image], [region], steering)
    found = tower.attention(pixels, bias, steering)
    pooling = pooling_rows(found)[0]
    asked = pooling
    if patch is not None:
        token = int(found.cls) + patch[0] * columns + patch[1]
        asked = found.layers[0, :, :, token, int(found.cls):].reshape(-1, tower.heads, rows, columns).copy()
    return Attended(unit(found.vectors)[0], pooling, asked, rollout(found)[0])


def pooling_rows(attention: Attention) -> np.ndarray:
    """(n, layers, heads, rows, columns) float32: attention to each patch of what becomes the embedding.

    That is the class token, or, in a tower without one, the pooling probe as its only layer.
    """
    if attention.pooled is None:
        rows = attention.layers[:, :, :, 0, 1:]
    else:
        rows = attention.pooled[:, None]
    return rows.reshape(*rows.shape[:3], *attention.grid).copy()


def inside(region: Region, image: Image, tower: ImageTower) -> np.ndarray:
    """(rows, columns) bool: the patches that a mask takes for a region.

    Raises
    ------
    ShapeError
        As `core.attention.regions.shares`.
    """
    return foveal_weights(tower.shares(region, image.size), Steering(hard=True)) == 0


def shares_inside(pooling: np.ndarray, patches: np.ndarray) -> np.ndarray:
    """Of the attention that goes to patches, what goes into a region.

    Parameters
    ----------
    pooling : (layers, heads, rows, columns).
    patches : (rows, columns) bool, the region; its share of all patches is what even attention gives.

    Returns
    -------
    (layers, heads) float64 in [0, 1].
    """
    whole = pooling.astype(np.float64)
    return whole[:, :, patches].sum(axis=-1) / whole.sum(axis=(-2, -1))


def moved(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What share of attention goes elsewhere than before.

    Parameters
    ----------
    before, after : (layers, heads, rows, columns), attention to patches; what is left to 1 goes to the class token.

    Returns
    -------
    (layers, heads) float64 in [0, 1]: half of the absolute changes, the class token's among them.
    """
    change = after.astype(np.float64) - before
    return (np.abs(change).sum(axis=(-2, -1)) + np.abs(change.sum(axis=(-2, -1)))) / 2
