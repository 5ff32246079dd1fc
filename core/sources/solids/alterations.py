"""Pictures made worse, or almost the same, when they are read: each a function of the picture, an amount and a seed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from core.sources.solids.other_world import draw_other
from core.sources.solids.world import SceneImages
from core.types import Images, fingerprint

Alter = Callable[[Image.Image, float, np.random.Generator], Image.Image]


@dataclass(frozen=True)
class Alteration:
    """What is done to one picture: key of ALTERATIONS, amount in its own unit, seed."""

    kind: str
    amount: float
    seed: int


class AlteredImages:
    """Images of a dataset in an order of their own, some of them altered when they are read.

    Parameters
    ----------
    base : the images as they are.
    order : (n,) int, row of ``base`` that each image shows; rows may repeat.
    alter : what is done to an image, by index; equal alterations of equal pictures give equal pictures.
    """

    def __init__(self, base: Images, order: np.ndarray, alter: Mapping[int, Alteration]) -> None:
        self.base, self.order, self.alter = base, order, dict(alter)

    def __len__(self) -> int:
        return len(self.order)

    def content_hash(self, index: int) -> str:
        base = self.base.content_hash(int(self.order[index]))
        done = self.alter.get(index)
        return fingerprint(base, done.kind, done.amount, done.seed) if done else base

    def decode(self, index: int, *, alone: bool = False) -> Image.Image:
        """The picture; the scenes after it are rendered with it, unless it is wanted ``alone``."""
        of, done = int(self.order[index]), self.alter.get(index)
        can_be_alone = isinstance(self.base, SceneImages | AlteredImages)
        picture = self.base.decode(of, alone=alone) if can_be_alone else self.base.decode(of)  # type: ignore[call-arg]
        if done is None:
            return picture
        rng = np.random.default_rng((done.seed, int(self.base.content_hash(of)[:12], 16)))
        return ALTERATIONS[done.kind](picture, done.amount, rng)


def _blur(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Gaussian, its radius a share of the longer side."""
    return picture.filter(ImageFilter.GaussianBlur(amount * max(picture.size)))


def _noise(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Normal noise on each value, its deviation a share of the full range."""
    values = np.asarray(picture, np.float32) + rng.normal(0, 255 * amount, (*picture.size[::-1], 3))
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def _dark(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """What is left of the light, as a share."""
    return picture.point(lambda v: v * amount)


def _bright(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """What is left of the distance to white, as a share."""
    return picture.point(lambda v: 255 - (255 - v) * amount)


def _flat(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """What is left of the distance to the mean colour, as a share."""
    values = np.asarray(picture, np.float32)
    mean = values.mean(axis=(0, 1))
    return Image.fromarray((mean + (values - mean) * amount).round().clip(0, 255).astype(np.uint8))


def _grey(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    return picture.convert("L").convert("RGB")


def _tiny(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Both sides that share of what they were."""
    return picture.resize(_scaled(picture, amount, amount), Image.Resampling.BICUBIC)


def _strip(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """The middle of the picture, so high a share of it."""
    width, height = picture.size
    cut = round(height * (1 - amount) / 2)
    return picture.crop((0, cut, width, max(height - cut, cut + 1)))


def _jpeg(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Packed as JPEG of that quality and unpacked."""
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=round(amount))
    return Image.open(packed).convert("RGB")


def _crop(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """A random window whose sides are that share of the picture's, at the picture's size."""
    width, height = picture.size
    w, h = _scaled(picture, amount, amount)
    left, top = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
    return picture.crop((left, top, left + w, top + h)).resize(picture.size, Image.Resampling.BICUBIC)


def _turn(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    """Turned by that many degrees to either side, the corners cut off."""
    turned = picture.rotate(float(rng.choice([-1, 1])) * amount, Image.Resampling.BICUBIC)
    inside = 1 / (np.cos(np.radians(amount)) + np.sin(np.radians(amount)))
    width, height = picture.size
    w, h = _scaled(picture, inside, inside)
    left, top = (width - w) // 2, (height - h) // 2
    return turned.crop((left, top, left + w, top + h)).resize(picture.size, Image.Resampling.BICUBIC)


def _mirror(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(picture)


def _other_world(picture: Image.Image, amount: float, rng: np.random.Generator) -> Image.Image:
    return draw_other(picture.size, rng)


def _scaled(picture: Image.Image, across: float, down: float) -> tuple[int, int]:
    width, height = picture.size
    return max(1, round(width * across)), max(1, round(height * down))


ALTERATIONS: dict[str, Alter] = {
    "blur": _blur, "noise": _noise, "dark": _dark, "bright": _bright, "flat": _flat, "grey": _grey, "tiny": _tiny,
    "strip": _strip, "jpeg": _jpeg, "crop": _crop, "rescale": _tiny, "turn": _turn, "mirror": _mirror,
    "other world": _other_world,
}
