"""From a colouring to the colour of each point and the legend that explains it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from core.figures import theme
from core.scene import POINT_KINDS, SphereScene

KIND_TITLES = {"image": "images", "text": "texts", "prompt": "prompts"}
NO_VALUE = 255


@dataclass(frozen=True)
class Legend:
    """What the colours mean.

    Attributes
    ----------
    title : of the quantity; empty where colours tell the kind.
    names, counts : of the groups, one for each row of ``table``; empty where values speak.
    index : (n,) uint8, row of ``table`` for each point.
    table : (k, 3) uint8, red, green, blue; for values 256 rows, of which the last is for points without one.
    values, low, high : the values and the ends of their colour scale, or None, 0 and 1.
    """

    title: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    index: np.ndarray
    table: np.ndarray
    values: np.ndarray | None = None
    low: float = 0.0
    high: float = 1.0


def legend(scene: SphereScene, dark: bool = False) -> Legend:
    """Colours of a scene's points.

    Groups beyond the twelve largest share one grey entry; values are spread between their 1st and 99th percentile,
    or over all of them where the colouring says so; points without value or group are grey.
    """
    p = theme.palette(dark)
    colouring = scene.colouring
    if colouring is not None and colouring.values is not None:
        return _by_value(colouring.title, np.asarray(colouring.values, dtype=np.float64), colouring.whole, dark)
    if colouring is not None and colouring.groups is not None:
        return _by_group(colouring.title, colouring.groups, p)
    present = [code for code in range(len(POINT_KINDS)) if (scene.kinds == code).any()]
    lookup = np.zeros(len(POINT_KINDS), dtype=np.uint8)
    lookup[present] = np.arange(len(present))
    names = tuple(KIND_TITLES[POINT_KINDS[code]] for code in present)
    counts = tuple(int((scene.kinds == code).sum()) for code in present)
    return Legend("", names, counts, lookup[scene.kinds], _table([p.kinds[POINT_KINDS[code]] for code in present]))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorting key that puts "cluster 2" before "cluster 10"."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)


def _by_group(title: str, groups: tuple[str, ...], p: theme.Palette) -> Legend:
    counts = Counter(g for g in groups if g)
    ranked = sorted(counts, key=lambda g: (-counts[g], natural(g)))
    names = sorted(ranked[:len(p.categories)], key=natural)
    code_of = {g: i for i, g in enumerate(names)}
    index = np.array([code_of.get(g, len(names)) for g in groups], dtype=np.uint8)
    sizes, colours = [counts[g] for g in names], list(p.categories[:len(names)])
    rest = int((index == len(names)).sum())
    if rest:
        more = len(counts) - len(names)
        names, sizes = [*names, f"{more} more" if more else "none"], [*sizes, rest]
        colours.append(p.unselected)
    return Legend(title, tuple(names), tuple(sizes), index, _table(colours))


def _by_value(title: str, values: np.ndarray, whole: bool, dark: bool) -> Legend:
    known = np.isfinite(values)
    low, high = np.percentile(values[known], [0, 100] if whole else [1, 99]) if known.any() else (0.0, 1.0)
    if high <= low:
        high = low + 1
    share = np.clip((np.where(known, values, low) - low) / (high - low), 0, 1)
    index = np.where(known, np.round(share * (NO_VALUE - 1)), NO_VALUE).astype(np.uint8)
    table = np.concatenate([theme.sequence(dark, steps=NO_VALUE), _table([theme.palette(dark).unselected])])
    return Legend(title if known.all() else f"{title} (grey: none)", (), (), index, table, values,
                  float(low), float(high))


def _table(colours: list[str]) -> np.ndarray:
    return np.array([theme.rgb(c) for c in colours], dtype=np.uint8).reshape(-1, 3)
