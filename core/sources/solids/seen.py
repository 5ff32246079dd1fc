"""Where the solids of scenes are seen: each pixel's solid, and their boxes, without painting a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.sources.solids.render import camera_view, draw_solids, drawn_chunks, empty_layers
from core.sources.solids.scene import Scene


def solids_seen(scenes: Sequence[Scene], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where solids are seen.

    Parameters
    ----------
    scenes : n scenes.
    size : of the pictures, px, 64 to 512.

    Returns
    -------
    (n, size, size) uint8, the solid that each pixel shows, from 1 in the order of ``Scene.solids``, 0 for none; and
    (n, 3, 4) float32 boxes, as `core.sources.solids.render.Rendered` has them.

    Raises
    ------
    ShapeError
        If the size is out of range.
    """
    import torch

    def draw(piece: Sequence[Scene]) -> tuple[np.ndarray, np.ndarray]:
        view = camera_view(piece, size)
        layers = empty_layers(view.eye, len(piece), size)
        boxes = draw_solids(piece, view, layers)
        return layers.which.reshape(-1, size, size).to(torch.uint8).numpy(), boxes.numpy()

    found = list(drawn_chunks(scenes, size, draw))
    if not found:
        return np.empty((0, size, size), np.uint8), np.empty((0, 3, 4), np.float32)
    which, boxes = zip(*found)
    return np.concatenate(which), np.concatenate(boxes)
