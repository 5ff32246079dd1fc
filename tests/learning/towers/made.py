"""Small lessons that tests make by hand: blocks of colour, with captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.learning.towers.pairs import SIDE, Lesson, SmallPairs

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 50), "blue": (30, 50, 220), "white": (240, 240, 240)}


def blocks(texts: Sequence[str], labels: Sequence[str] = (), *, seed: int = 0, prefix: str = "i") -> SmallPairs:
    """A noisy picture for each caption, of the colour that it names, or grey."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (len(texts), SIDE, SIDE, 3))
    for image, text in zip(images, texts):
        colour = next((rgb for name, rgb in COLOURS.items() if name in text), (110, 110, 110))
        image += (np.array(colour) * 0.75).astype(int)
    return SmallPairs(images.clip(0, 255).astype(np.uint8), tuple(texts), tuple(labels or texts),
                      tuple(f"{prefix}{i}" for i in range(len(texts))))


def lesson_of(train: Sequence[str], probe: Sequence[str], *, labels: tuple[Sequence[str], Sequence[str]] = ((), ()),
              world: bool = False) -> Lesson:
    """A lesson of such blocks."""
    return Lesson("blocks", blocks(train, labels[0], prefix="t"), blocks(probe, labels[1], seed=1, prefix="p"), world)


def cubes(each: int = 10, probe: int = 3) -> Lesson:
    """Four colours of cubes, as captions of the built-in world say them."""
    texts = [f"a {colour} cube" for colour in COLOURS if colour != "white"]
    return lesson_of(texts * each, texts * probe, world=True)
