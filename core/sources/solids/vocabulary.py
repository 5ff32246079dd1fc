"""What the built-in world consists of, by name; the first word of each tuple is the canonical one."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

SOLIDS: dict[str, tuple[str, ...]] = {
    "sphere": ("sphere", "ball"),
    "cube": ("cube", "box"),
    "cone": ("cone",),
    "cylinder": ("cylinder", "drum"),
    "torus": ("torus", "ring", "donut"),
    "pyramid": ("pyramid",),
    "octahedron": ("octahedron", "diamond"),
    "star": ("star",),
    "heart": ("heart",),
    "cross": ("cross", "plus"),
}
FLAT_SOLIDS = ("torus", "star", "heart", "cross")

COLOURS: dict[str, tuple[str, ...]] = {
    name: (name,) for name in ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown")
}
COLOURS["purple"] = ("purple", "violet")
RGB: dict[str, tuple[float, float, float]] = {
    "red": (0.84, 0.07, 0.09),
    "orange": (0.98, 0.48, 0.03),
    "yellow": (0.96, 0.85, 0.06),
    "green": (0.09, 0.60, 0.15),
    "turquoise": (0.10, 0.80, 0.78),
    "blue": (0.09, 0.20, 0.86),
    "purple": (0.48, 0.11, 0.70),
    "pink": (0.98, 0.48, 0.73),
    "brown": (0.40, 0.20, 0.07),
}

TEXTURES: dict[str, tuple[str, ...]] = {
    "plain": ("plain",),
    "striped": ("striped", "banded"),
    "dotted": ("dotted", "spotted"),
    "checkered": ("checkered", "chequered"),
    "dipped": ("dipped",),
}

STYLES: dict[str, tuple[str, ...]] = {
    "photo": ("a photo", "a photograph"),
    "cartoon": ("a cartoon", "a comic drawing"),
    "neon": ("a neon picture", "a neon sign"),
    "sketch": ("a pencil sketch", "a pencil drawing"),
    "pixel": ("pixel art", "a pixel picture"),
}

SETTINGS: dict[str, tuple[str, ...]] = {
    "meadow": ("in a meadow", "on the grass"),
    "sea": ("on the sea", "on the water"),
    "desert": ("in the desert", "on the sand"),
    "snow": ("in the snow", "on a snowfield"),
    "brick wall": ("in front of a brick wall", "by a brick wall"),
    "studio": ("in a studio", "on a studio backdrop"),
}

SIZES: dict[str, tuple[str, ...]] = {"small": ("small", "little"), "large": ("large", "big")}
COUNTS = {1: "one", 2: "two", 3: "three"}

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "solid": tuple(SOLIDS),
    "colour": tuple(COLOURS),
    "texture": tuple(TEXTURES),
    "style": tuple(STYLES),
    "setting": tuple(SETTINGS),
    "size": tuple(SIZES),
}

HELD_OUT_SHARE = 0.2
HELD_OUT_SEED = 2026


@cache
def held_out_combinations() -> frozenset[tuple[str, str, str]]:
    """The (solid, colour, style) combinations that are never shown in training: a seeded fifth of all of them."""
    combinations = list(product(SOLIDS, COLOURS, STYLES))
    rng = np.random.default_rng(HELD_OUT_SEED)
    chosen = rng.permutation(len(combinations))[: round(HELD_OUT_SHARE * len(combinations))]
    return frozenset(combinations[i] for i in chosen)
