"""From an upright RGB image to the pixel tensor a checkpoint was trained on.

The rules (sizes, filter, crop, mean, deviation) come from the checkpoint's own processor. Its PIL backend is asked for
always, whatever else is installed, since other backends resample differently. A quicker path takes the same steps
without the processor's copies: one resize in PIL, then one table look-up for rescaling and normalising.

One thing differs, for checkpoints in the manner of OpenAI's CLIP (known by its mean): the crop is centred as in the
preprocessing they were trained with (torchvision's, which rounds half a pixel to the even side), where transformers
rounds down. For one in four non-square images that is a shift of one pixel, towards what the checkpoint was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from core.errors import ModelError
from core.sources.images.framing import Framing
from core.types import fingerprint

if TYPE_CHECKING:
    import torch

VERSION = "pil2"
OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
_FLAGS = ("do_resize", "do_rescale", "do_normalize")


class Preprocessor:
    """The preprocessing of one checkpoint.

    Parameters
    ----------
    processor : an image processor of transformers with the PIL backend.

    Attributes
    ----------
    version : what the pixels depend on, for the fingerprint of vectors.
    size : (height, width) of the tensors, in pixels.
    framing : the resize and the cut, which a worker that decodes may do at once; None where the processor does more.

    Raises
    ------
    ModelError
        If the processor is of another backend, or does not give tensors of one size.
    """

    def __init__(self, processor: Any) -> None:
        backend = getattr(processor, "backend", None)
        if backend != "pil":
            raise ModelError("an image processor with the PIL backend",
                             f"{type(processor).__name__} with backend {backend!r}",
                             "Load it with AutoImageProcessor.from_pretrained(folder, backend='pil').")
        self.processor = processor
        rules = {k: v for k, v in processor.to_dict().items() if not k.startswith("_") and k != "processor_class"}
        self.version = f"{VERSION}-{fingerprint('pixels', json.dumps(rules, sort_keys=True, default=str))[:12]}"
        self.crop = _pair(processor.crop_size) if getattr(processor, "do_center_crop", False) else None
        target = self.crop or _pair(processor.size)
        if target is None:
            raise ModelError("an image processor that gives tensors of one size", f"size {processor.size}",
                             "Models with a variable number of patches (NaFlex) are not supported.")
        self.size = target
        self.framing = self._framing() if self._is_plain() else None
        self._table = None if self.framing is None else self._look_up_table()
        try:
            shape = self.one(Image.new("RGB", (8, 8))).shape
        except Exception as error:
            raise ModelError("an image processor that works", f"{type(error).__name__}: {str(error)[:200]}",
                             "Its file may be damaged: take preprocessor_config.json anew.") from error
        if shape != (3, *self.size):
            raise ModelError(f"an image processor that gives 3 x {self.size[0]} x {self.size[1]} numbers an image",
                             f"one that gives {' x '.join(map(str, shape))}", "Take another preprocessor_config.json.")

    def __call__(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """Pixel tensors of RGB images.

        Parameters
        ----------
        images : sequence of PIL images
            n upright images of any size from 1 x 1.

        Returns
        -------
        (n, 3, height, width) float32, normalised by the checkpoint's mean and deviation.
        """
        import torch

        if not images:
            return torch.empty((0, 3, *self.size))
        return torch.from_numpy(np.stack([self.one(image) for image in images]))

    def one(self, image: Image.Image) -> np.ndarray:
        """(3, height, width) float32 of one image."""
        if self.framing is None:
            return np.asarray(self.processor([image], return_tensors="np")["pixel_values"][0], dtype=np.float32)
        return self.normalised(self.framing.apply(image if image.mode == "RGB" else image.convert("RGB")))

    def normalised(self, framed: Image.Image) -> np.ndarray:
        """(3, height, width) float32 of an RGB image that ``framing`` was applied to."""
        assert self._table is not None
        grey = np.asarray(framed)
        out = np.empty((3, *grey.shape[:2]), dtype=np.float32)
        for channel in range(3):
            np.take(self._table[channel], grey[..., channel], out=out[channel], mode="clip")
        return out

    def _framing(self) -> Framing:
        as_trained = np.allclose(getattr(self.processor, "image_mean", None) or 0, OPENAI_MEAN)
        scaled = _pair(self.processor.size) or (self._edge(), 0)
        return Framing(*self.size, *scaled, resample=int(self.processor.resample), half_to_even=bool(as_trained))

    def _edge(self) -> int:
        return int(self.processor.size["shortest_edge"])

    def _is_plain(self) -> bool:
        """Whether the processor does nothing but resize, crop, rescale and normalise."""
        from transformers.image_processing_backends import PilBackend

        p = self.processor
        own = any(getattr(type(p), name) is not getattr(PilBackend, name)
                  for name in ("_preprocess", "resize", "center_crop", "rescale", "normalize", "process_image"))
        if own or not all(getattr(p, flag, False) for flag in _FLAGS) or getattr(p, "do_pad", False):
            return False
        if len(p.image_mean) != 3 or len(p.image_std) != 3:
            return False
        if _pair(p.size) is not None:
            resized = _pair(p.size)
        elif set(_set_keys(p.size)) == {"shortest_edge"}:
            resized = (self._edge(), self._edge())
        else:
            return False
        return self.crop is None or (resized is not None and resized[0] >= self.crop[0] and resized[1] >= self.crop[1])

    def _look_up_table(self) -> np.ndarray:
        """(3, 256) float32: what each grey level of each channel becomes, by the processor's own arithmetic."""
        p = self.processor
        scaled = (np.arange(256, dtype=np.float64) * p.rescale_factor).astype(np.float32)
        mean, std = (np.asarray(v, dtype=np.float32)[:, None] for v in (p.image_mean, p.image_std))
        return (scaled[None] - mean) / std


def _set_keys(size: Any) -> list[str]:
    return [key for key, value in dict(size).items() if value is not None]


def _pair(size: Any) -> tuple[int, int] | None:
    """(height, width) of a size of transformers, or None where it names something else."""
    if size is None or set(_set_keys(size)) != {"height", "width"}:
        return None
    return int(size["height"]), int(size["width"])
