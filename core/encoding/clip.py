"""One image-text dual encoder behind a small protocol: pixels or texts in, raw float32 vectors out."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.encoding.allocator import keep_freed_memory
from core.encoding.encoder import Encoder
from core.encoding.preprocessing import Preprocessor
from core.errors import ModelError, check_choice
from core.geometry.directions import unit
from core.types import ModelSpec

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
FAMILIES = ("clip", "siglip", "chinese_clip", "altclip", "metaclip_2")


def default_device() -> str:
    """The best device at hand: "cuda", "mps" or "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def default_dtype(device: str) -> str:
    """bfloat16 on a GPU that has it, float16 on one that has not, float32 on a CPU."""
    import torch

    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    return "float16" if device == "mps" else "float32"


class DualEncoder(Encoder):
    """A pair of towers, image and text, that end in one space.

    Parameters
    ----------
    model : a dual encoder of transformers (get_image_features, get_text_features), in float32.
    tokenizer, image_processor : as transformers loads them; the image processor with the PIL backend.
    id, revision : what the vectors' fingerprint says of the model.
    device : "cuda", "cuda:1", "mps" or "cpu"; the best at hand by default.
    dtype : "float32", "bfloat16" or "float16"; by default what `default_dtype` says of the device.
    words : the words a small model was trained on; None where it knows a language.

    Attributes
    ----------
    spec : what made a vector: id, revision, dimension, preprocessing with dtype.
    device, dtype : where and in which numbers the towers run.
    logit_scale : factor on the cosine, as trained (the exponential of the stored parameter); 1 over the temperature.
    logit_bias : added to scaled cosines (SigLIP); 0 for others.
    context_length : longest text, in tokens, special ones counted.
    image_size : side of the pixel tensors, in pixels.

    Raises
    ------
    ModelError
        If the model is no dual encoder of a known family, or the device is not there.
    """

    def __init__(self, model: Any, tokenizer: Any, image_processor: Any, *, id: str, revision: str,
                 device: str | None = None, dtype: str | None = None, words: Collection[str] | None = None) -> None:
        import torch

        family = getattr(model.config, "model_type", "")
        if family not in FAMILIES or not hasattr(model, "get_text_features"):
            raise ModelError(f"an image-text dual encoder of one of the families {', '.join(FAMILIES)}",
                             f"{id} of family {family or type(model).__name__!r}")
        self.device = device or default_device()
        if self.device.startswith("cpu"):
            keep_freed_memory()
        self.dtype = dtype or default_dtype(self.device)
        check_choice("dtype", self.dtype, DTYPES)
        self._model = _placed(model.eval().requires_grad_(False), self.device, getattr(torch, self.dtype))
        self._family = family
        if family == "siglip":
            self.probability_name = "of each text by itself (a sigmoid of scale times cosine plus bias)"
        self._tokenizer = tokenizer
        self._tokenizer_lock = threading.Lock()
        self._words = None if words is None else frozenset(word.lower() for word in words)
        self.preprocessor = Preprocessor(image_processor)
        _check_size(self.preprocessor.size, getattr(model.config.vision_config, "image_size", None), id)
        self.image_size = self.preprocessor.size[0]
        self.context_length = _context_length(model.config.text_config, tokenizer)
        self.logit_scale = float(model.logit_scale.detach().double().exp()) if hasattr(model, "logit_scale") else 1.0
        self.logit_bias = float(model.logit_bias.detach().double()) if hasattr(model, "logit_bias") else 0.0
        dim = self.encode_texts(["a"]).shape[1]
        self.spec = ModelSpec(id, revision, dim, f"{self.preprocessor.version}-{self.dtype}")

    @property
    def model(self) -> Any:
        """The torch model, for what reads its attention."""
        return self._model

    def _image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        return _pooled(self._model.get_image_features(pixel_values=pixels))

    def tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """What the text tower takes for n texts, by name, on the CPU; what exceeds `context_length` is cut."""
        padding = "max_length" if self._family == "siglip" else "longest"
        with self._tokenizer_lock:
            found = self._tokenizer(list(texts), padding=padding, padding_side="right", truncation=True,
                                    max_length=self.context_length, return_tensors="pt")
        names = ("input_ids",) if self._family == "siglip" else ("input_ids", "attention_mask")
        return {name: found[name] for name in names}

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32 raw vectors of n texts, as one batch; what exceeds `context_length` is cut (`truncated`)."""
        import torch

        if len(texts) == 0:
            return np.empty((0, self.spec.dim), dtype=np.float32)
        inputs = self.tokens(texts)
        with torch.inference_mode():
            output = self._model.get_text_features(**{k: v.to(self.device) for k, v in inputs.items()})
            return np.array(_pooled(output).float().cpu().numpy(), dtype=np.float32)

    def save(self, model: Any, folder: Path) -> None:
        """Write a model of this architecture, in float32, as a folder that `core.encoding.models.load_model` opens."""
        model.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)
        self.preprocessor.processor.save_pretrained(folder)
        if self._words is not None:
            (folder / "words.json").write_text(json.dumps(sorted(self._words)) + "\n")

    def logits(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """As in `Encoder`: scale times cosine plus bias, as trained; the lengths count for nothing."""
        cosines = images @ unit(self.encode_texts(texts)).T
        return np.asarray(self.logit_scale * cosines + self.logit_bias, dtype=np.float32)

    def probabilities(self, images: np.ndarray, lengths: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """As in `Encoder`: the softmax over the texts given; of a SigLIP the sigmoid, each pair by itself."""
        logits = self.logits(images, lengths, texts).astype(np.float64)
        if self._family == "siglip":
            return (1 / (1 + np.exp(-logits))).astype(np.float32)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)

    def token_counts(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) int64: tokens of each text, special ones counted, before any cut."""
        if len(texts) == 0:
            return np.empty(0, dtype=np.int64)
        with self._tokenizer_lock:
            tokens = self._tokenizer(list(texts), padding=False, truncation=False, verbose=False,
                                     return_attention_mask=False)
        return np.array([len(ids) for ids in tokens["input_ids"]], dtype=np.int64)

    @property
    def known_words(self) -> tuple[str, ...]:
        """The words a small model was trained on, sorted; empty for large models."""
        return tuple(sorted(self._words or ()))

    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that a small model never saw in training, in order, each once; empty for large models."""
        if self._words is None:
            return []
        words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())
        return [word for word in dict.fromkeys(words) if word not in self._words]


def _pooled(output: Any) -> torch.Tensor:
    """The projected embedding, which transformers calls the pooler output."""
    return output.pooler_output if hasattr(output, "pooler_output") else output


def _placed(model: Any, device: str, dtype: Any) -> Any:
    try:
        return model.to(device=device, dtype=dtype)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"a device that this machine has, with room for the model, as {device!r}", str(error),
                         "Set ORRERY_DEVICE=cpu to run without it.") from error


def _check_size(given: tuple[int, int], read: object, id: str) -> None:
    """Raise ModelError where an image processor gives tensors of another size than the image tower reads."""
    wanted = (read, read) if isinstance(read, int) else tuple(read) if isinstance(read, list | tuple) else given
    if given != wanted:
        raise ModelError(f"an image processor that gives {wanted[0]} x {wanted[1]} pixels, as the image tower of {id} "
                         f"reads", f"one that gives {given[0]} x {given[1]}",
                         "Take preprocessor_config.json from the same checkpoint as the weights.")


def _context_length(text_config: Any, tokenizer: Any) -> int:
    positions = int(text_config.max_position_embeddings)
    if getattr(text_config, "model_type", "") == "altclip_text_model":
        positions -= int(text_config.pad_token_id or 0) + 1
    return min(positions, int(tokenizer.model_max_length))
