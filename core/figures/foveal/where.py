"""Where each way of pointing takes a picture on the sphere: the pictures of a dataset, prompts, and the ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.attention.prompts import STEERED, TITLES
from core.figures.frame import shortened
from core.geometry.directions import angle
from core.scene import Colouring, Mark, SphereScene

if TYPE_CHECKING:
    from core.attention.foveal.steering import Effects

PICTURES, PROMPTS, THIS = "pictures", "prompts", "this picture, pointed at"
MOST_MARKED = 6
_SHORTEST = np.radians(0.05)


def where(found: Effects, coords: np.ndarray, prompts: np.ndarray, pictures: np.ndarray, names: Sequence[str], *,
          target: int = 0, note: str = "", thumbnails: Mapping[int, bytes] | None = None) -> SphereScene:
    """A sphere on which a picture moves as it is pointed at.

    Parameters
    ----------
    found
        What each of m methods does, of p prompts.
    coords, prompts, pictures
        (m, 3), (p, 3) and (n, 3), unit rows: places of the methods' vectors, the prompts and the pictures, on one map.
    names
        Of the n pictures.
    target
        The prompt that is marked in any case.
    note
        The map and its fidelity.
    thumbnails
        Encoded small pictures by point: the n pictures, the p prompts, then the m methods.

    Returns
    -------
    SphereScene with an arrow from the picture as it is to each method that moves it on the map.
    """
    n, p, m = len(pictures), len(found.prompts), len(found.methods)
    on_map = np.degrees(angle(coords, coords[0]))
    told = [f"{TITLES[method]}: moved by {found.angles[i]:.1f}°, {on_map[i]:.1f}° on the map" if i else
            "this picture as it is" for i, method in enumerate(found.methods)]
    shown = {target, *np.argsort(-found.probabilities.max(axis=0), kind="stable")[:MOST_MARKED - 1].tolist()}
    marks = [Mark(prompts[j], shortened(found.prompts[j]), "prompt") for j in sorted(shown)]
    marks += [Mark(coords[i], TITLES[method] if i else "as it is",
                   "text" if method in STEERED else "plain" if i else "image")
              for i, method in enumerate(found.methods)]
    moving = [i for i in range(1, m) if np.radians(on_map[i]) > _SHORTEST]
    arrows = np.stack([np.repeat(coords[:1], len(moving), axis=0), coords[moving]], axis=1) if moving else \
        np.zeros((0, 2, 3))
    return SphereScene(
        coords=np.concatenate([pictures, prompts, coords]), title=finding(found, on_map), note=note,
        kinds=np.repeat(np.array([0, 2, 0], dtype=np.uint8), (n, p, m)),
        labels=(*map(str, names), *(f"Prompt: {prompt}" for prompt in found.prompts), *told),
        colouring=Colouring("what is shown", groups=(PICTURES,) * n + (PROMPTS,) * p + (THIS,) * m),
        marks=tuple(marks), arrows=arrows.astype(np.float32), thumbnails=thumbnails or {})


def in_order(found: Effects, on_map: np.ndarray) -> str:
    """How far the map keeps the order in which methods move the picture, in words; "" where nothing moves.

    Parameters
    ----------
    found
        What each of m methods does.
    on_map
        (m,) degrees moved on the map.
    """
    from scipy.stats import spearmanr

    true, seen = found.angles[1:], on_map[1:]
    if len(true) < 3 or not np.ptp(true) > 0 or not np.ptp(seen) > 0:
        return ""
    return f"Angles moved, on the map against the true ones: Spearman {spearmanr(true, seen).statistic:.2f} " \
           f"(n = {len(true)} methods, by chance 0)."


def finding(found: Effects, on_map: np.ndarray) -> str:
    """Which method goes farthest, in words."""
    far = int(found.angles.argmax())
    return f"{TITLES[found.methods[far]]} moves the picture farthest: {found.angles[far]:.0f}° of the true sphere, " \
           f"{on_map[far]:.0f}° on this map".capitalize()
