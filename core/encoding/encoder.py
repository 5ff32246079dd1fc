"""What every model of the app can do: pixels or texts in, raw float32 vectors out, and scores of images for texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.encoding.preprocessing import Preprocessor
from core.errors import ShapeError
from core.geometry.directions import unit
from core.types import ModelSpec

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image


class Encoder(ABC):
    """A model of images and texts in one space.

    Attributes
    ----------
    spec : what made a vector: id, revision, dimension, preprocessing with dtype.
    device, dtype : where and in which numbers it runs.
    preprocessor : from upright RGB images to pixels.
    image_size : side of the pixel tensors, in pixels.
    context_length : longest text, in tokens, special ones counted.
    score_name : what `scores` gives, in words.
    probability_name : what `probabilities` gives, in words, where it is no softmax over the texts given; empty where it
        is.
    logit_scale : factor on the cosine, as trained (1 over the temperature); NaN where there is no such factor.
    """

    spec: ModelSpec
    device: str
    dtype: str
    preprocessor: Preprocessor
    image_size: int
    context_length: int
    logit_scale: float
    score_name: str = "cosine"
    probability_name: str = ""

    def preprocess(self, images: Sequence[Image]) -> torch.Tensor:
        """(n, 3, h, w) float32 on the CPU from n upright RGB images; see `core.encoding.preprocessing`."""
        return self.preprocessor(images)

    def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        """Raw image vectors.

        Parameters
        ----------
        pixels : torch.Tensor
            (n, 3, h, w) float32, as `preprocess` gives them.

        Returns
        -------
        (n, d) float32, not normalised.
        """
        import torch

        height, width = self.preprocessor.size
        if pixels.ndim != 4 or tuple(pixels.shape[1:]) != (3, height, width):
            raise ShapeError(f"pixels of shape (n, 3, {height}, {width})", f"shape {tuple(pixels.shape)}",
                             "Use what preprocess() gives.")
        if len(pixels) == 0:
            return np.empty((0, self.spec.dim), dtype=np.float32)
        with torch.inference_mode():
            moved = pixels.to(self.device, non_blocking=True).to(getattr(torch, self.dtype))
            return np.array(self._image_features(moved).float().cpu().numpy(), dtype=np.float32)

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        """(n, d) float32 raw vectors of n upright RGB images, as one batch."""
        return self.encode_pixels(self.preprocess(images))

    @abstractmethod
    def _image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, d) raw features of pixels of the model's device and dtype."""

    @abstractmethod
    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32 raw vectors of n texts, as one batch; what exceeds `context_length` is cut (`truncated`)."""

    @abstractmethod
    def logits(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Scores by which the model itself decides which text is an image's.

        Parameters
        ----------
        images : (n, d) float32, unit vectors of images by this model.
        lengths : (n,) float32, of their raw vectors.
        texts : m texts.

        Returns
        -------
        (n, m) float32, natural logarithms up to a constant of each image.
        """

    @abstractmethod
    def probabilities(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """(n, m) float32 in [0, 1]: what the model gives each text for each image, from its `logits`."""

    def scores(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """(n, m) float32 that rank images for a text as well as texts for an image: cosines, unless `score_name` says
        otherwise; parameters as in `logits`."""
        return images @ unit(self.encode_texts(texts)).T

    def unread(self, texts: Sequence[str]) -> dict[int, str]:
        """Texts of which the model knows nothing at all: index -> reason; they have no vector."""
        return {}

    @abstractmethod
    def token_counts(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) int64: tokens of each text, special ones counted, before any cut."""

    def truncated(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) bool: whether a text is longer than `context_length`, so that its end is not seen by the model."""
        return self.token_counts(texts) > self.context_length

    @property
    def known_words(self) -> tuple[str, ...]:
        """The words a small model was trained on, sorted; empty for models that know a language."""
        return ()

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that the model does not know, in order, each once; empty where it knows a language."""
        return []
