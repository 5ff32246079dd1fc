"""One picture turned into a continuous change: blur, noise, rotation, shift, zoom, or a fade to another picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.errors import SourceError, check_choice
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

VERSION, LARGEST, MOST_STEPS = 1, 512, 1000


@dataclass(frozen=True)
class Kind:
    """A kind of change.

    Attributes
    ----------
    title : how a user reads it.
    unit : of its strength.
    most : the strength at which it ends unless another is asked for.
    limit : the largest that can be asked for.
    apply : (pixels (h, w, 3) float32 0-255, strength, target (h, w, 3) float32) -> pixels; the target is the noise, or
        the other picture.
    """

    title: str
    unit: str
    most: float
    limit: float
    apply: Callable[[np.ndarray, float, np.ndarray], np.ndarray]


def _blur(pixels: np.ndarray, strength: float, _: np.ndarray) -> np.ndarray:
    import cv2

    sigma = strength / 100 * min(pixels.shape[:2])
    return cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REFLECT) if sigma > 1e-3 else pixels


def _noise(pixels: np.ndarray, strength: float, field: np.ndarray) -> np.ndarray:
    return pixels + 255 * strength * field


def _warped(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    import cv2

    height, width = pixels.shape[:2]
    return cv2.warpAffine(pixels, matrix.astype(np.float64), (width, height),
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)


def _rotation(pixels: np.ndarray, strength: float, _: np.ndarray) -> np.ndarray:
    angle = np.deg2rad(strength)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1]) / 2
    return _warped(pixels, np.column_stack([turn, centre - turn @ centre]))


def _shift(pixels: np.ndarray, strength: float, _: np.ndarray) -> np.ndarray:
    return _warped(pixels, np.array([[1, 0, strength / 100 * pixels.shape[1]], [0, 1, 0]]))


def _zoom(pixels: np.ndarray, strength: float, _: np.ndarray) -> np.ndarray:
    scale = 1 / (1 + strength / 100)
    centre = np.array([pixels.shape[1] - 1, pixels.shape[0] - 1]) / 2
    return _warped(pixels, np.column_stack([np.eye(2) * scale, centre * (1 - scale)]))


def _fade(pixels: np.ndarray, strength: float, other: np.ndarray) -> np.ndarray:
    return pixels + strength / 100 * (other - pixels)


CHANGES: dict[str, Kind] = {
    "blur": Kind("Blur", "% of the shorter side (sigma)", 8.0, 50.0, _blur),
    "noise": Kind("Noise", "of the range of brightness (sigma)", 0.5, 5.0, _noise),
    "rotation": Kind("Rotation", "degrees", 180.0, 360.0, _rotation),
    "shift": Kind("Shift to the side", "% of the width", 50.0, 200.0, _shift),
    "zoom": Kind("Zoom", "% larger", 200.0, 2000.0, _zoom),
    "fade": Kind("Fade to another image", "% of the other image", 100.0, 100.0, _fade),
}


class ChangedImages:
    """A picture at rising strengths of one change, made when they are read."""

    def __init__(self, kind: str, pixels: np.ndarray, target: np.ndarray, strengths: np.ndarray) -> None:
        self._kind, self._pixels, self._target, self._strengths = kind, pixels, target, strengths

    def __len__(self) -> int:
        return len(self._strengths)

    @cached_property
    def content(self) -> str:
        """Hash of the picture and of what it changes to."""
        return fingerprint("change", VERSION, self._kind, self._pixels, self._target)

    def content_hash(self, index: int) -> str:
        """Hash of the picture, the change and its strength."""
        strength = float(self._strengths[index])
        if strength == 0:
            return fingerprint("unchanged", VERSION, self._pixels)
        return fingerprint("changed", self.content, strength)

    def decode(self, index: int) -> Image:
        """The picture at this strength."""
        from PIL import Image

        strength = float(self._strengths[index])
        if strength == 0:
            return Image.fromarray(self._pixels)
        changed = CHANGES[self._kind].apply(self._pixels.astype(np.float32), strength,
                                            self._target.astype(np.float32))
        return Image.fromarray((changed + 0.5).clip(0, 255).astype(np.uint8))


@dataclass(frozen=True, eq=False)
class Change:
    """A picture that changes step by step.

    Attributes
    ----------
    kind : a key of CHANGES.
    frames : the pictures, the first unchanged.
    strengths : (steps,) float64, rising from 0.
    unit : of the strengths.
    fingerprint : of pictures and strengths.
    """

    kind: str
    frames: ChangedImages
    strengths: np.ndarray
    unit: str
    fingerprint: str

    def __len__(self) -> int:
        return len(self.strengths)


def changed(image: Image, kind: str, steps: int = 60, most: float | None = None, *, other: Image | None = None,
            seed: int = 0) -> Change:
    """A picture turned into a continuous change.

    Where a change looks beyond the picture's edge it sees the picture mirrored, so that no border comes in. Noise is
    one field that grows.

    Parameters
    ----------
    image
        At most 512 pixels of its shorter side are used.
    kind
        A key of CHANGES.
    steps
        Pictures, 2 to 1,000, at even distances of strength.
    most
        The strength of the last one; that of the kind by default.
    other
        The picture to fade to, scaled and cut to the size of the first.
    seed
        Of the noise.

    Raises
    ------
    ChoiceError, SourceError
        If the kind is not known, steps or strength are out of range, or the other picture is missing.
    """
    check_choice("kind of change", kind, CHANGES)
    how = CHANGES[kind]
    last = how.most if most is None else most
    if not 2 <= steps <= MOST_STEPS:
        raise SourceError(f"2 to {MOST_STEPS:,} steps of a change", str(steps))
    if not (np.isfinite(last) and 0 < last <= how.limit):
        raise SourceError(f"a strength above 0 and at most {how.limit:g} {how.unit}", f"{last:g}")
    if kind == "fade" and other is None:
        raise SourceError("another image to fade to", "none", "Choose a second image.")
    pixels = np.asarray(_small(image))
    target = np.zeros((1, 1, 3), np.uint8)
    if kind == "fade" and other is not None:
        target = np.asarray(_fitted(other, (pixels.shape[1], pixels.shape[0])))
    elif kind == "noise":
        target = np.random.default_rng(seed).standard_normal(pixels.shape).astype(np.float32)
    strengths = np.linspace(0, last, steps)
    frames = ChangedImages(kind, pixels, target, strengths)
    return Change(kind, frames, strengths, how.unit, fingerprint("change of a picture", frames.content, strengths))


def _small(image: Image) -> Image:
    from PIL import Image as Pictures

    scale = LARGEST / min(image.size)
    picture = image.convert("RGB")
    if scale < 1:
        picture = picture.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))),
                                 Pictures.Resampling.BICUBIC)
    return picture


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    from PIL import ImageOps

    return ImageOps.fit(image.convert("RGB"), size)
