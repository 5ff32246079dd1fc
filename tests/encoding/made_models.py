"""Small and full-shaped dual encoders with random weights and tokenizers trained on the spot, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from core.types import Dataset

SENTENCES = ["a red cube on a beach", "two green spheres at night", "a photo of a cat", "a dog and a bird in the snow",
             "the quick brown fox jumps over the lazy dog", "blue torus, striped", "what is this?", "x"]
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def clip_tokenizer(length: int = 77) -> Any:
    """A byte-level BPE as CLIP has it, with a few merges."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e</w>"), ("r", "e"), ("re", "d</w>"), ("c", "u"), ("b", "e</w>"), ("cu", "be</w>")]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    tokens += ["".join(merge) for merge in merges]
    return CLIPTokenizer({token: i for i, token in enumerate(tokens)}, merges, model_max_length=length)


def siglip_tokenizer(length: int = 64) -> Any:
    """A unigram tokenizer in the manner of T5 and SigLIP: an end token, padded with the pad token."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.Unigram())
    bare.pre_tokenizer = pre_tokenizers.Metaspace()
    letters = sorted(set("abcdefghijklmnopqrstuvwxyz?,▁"))
    bare.train_from_iterator(SENTENCES * 3, trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", initial_alphabet=letters,
        show_progress=False))
    bare.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
                                   model_max_length=length)


def clip_processor(size: int = 32) -> Any:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})


def siglip_processor(size: int = 32) -> Any:
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    return SiglipImageProcessorPil(size={"height": size, "width": size})


def clip_config(vision: dict | None = None, text: dict | None = None, dim: int = 24, vocabulary: int = 600) -> Any:
    from transformers import CLIPConfig

    return CLIPConfig(
        vision_config={**TINY, "image_size": 32, "patch_size": 8, "projection_dim": dim, **(vision or {})},
        text_config={**TINY, "max_position_embeddings": 20, "vocab_size": vocabulary, "bos_token_id": 0,
                     "eos_token_id": 1, "pad_token_id": 1, "projection_dim": dim, **(text or {})},
        projection_dim=dim)


def scattered(model: Any, seed: int = 0) -> Any:
    """Weights far from their quiet start, so that a wrong layer, mask or activation shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "logit" not in name:
                deviation = 0.3 / max(value.shape[-1], 4) ** 0.5 if value.ndim > 1 else 0.1
                value.add_(torch.randn(value.shape, generator=generator) * deviation)
    return model.eval()


def encoder(model: Any, tokenizer: Any, processor: Any, **options: Any) -> Any:
    """A DualEncoder in float32 on the CPU."""
    from core.encoding.clip import DualEncoder

    return DualEncoder(model, tokenizer, processor,
                       **{"id": "test", "revision": "0", "device": "cpu", "dtype": "float32", **options})


def full_shapes() -> dict[str, Any]:
    """name -> configuration with the published width, depth, patch and sizes; the vocabulary alone is small."""
    from transformers import CLIPConfig, SiglipConfig

    text = {"vocab_size": 600, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return {"ViT-B/32": CLIPConfig(vision_config={"patch_size": 32}, text_config=text),
            "ViT-B/16": CLIPConfig(vision_config={"patch_size": 16}, text_config=text),
            "SigLIP": SiglipConfig(vision_config={"image_size": 224, "patch_size": 16},
                                   text_config={"vocab_size": 200, "bos_token_id": 0, "eos_token_id": 1,
                                                "pad_token_id": 0})}


def families() -> dict[str, tuple[Any, Any, Any]]:
    """family -> (configuration, tokenizer, processor) of a tiny model."""
    from transformers import AltCLIPConfig, ChineseCLIPConfig, MetaClip2Config, SiglipConfig

    vision = {**TINY, "image_size": 32, "patch_size": 8}
    roman = {**TINY, "vocab_size": 600, "max_position_embeddings": 20, "bos_token_id": 0, "eos_token_id": 1,
             "pad_token_id": 1}
    both = {"vision_config": {**vision, "projection_dim": 24}, "projection_dim": 24}
    tokens, pixels = clip_tokenizer(20), clip_processor()
    return {
        "clip": (clip_config(), tokens, pixels),
        "siglip": (SiglipConfig(vision_config=vision, text_config={**TINY, "vocab_size": 200, "bos_token_id": 0,
                                                                   "eos_token_id": 1, "pad_token_id": 0}),
                   siglip_tokenizer(), siglip_processor()),
        "chinese_clip": (ChineseCLIPConfig(text_config=roman, **both), tokens, pixels),
        "altclip": (AltCLIPConfig(text_config={**roman, "max_position_embeddings": 24, "project_dim": 24}, **both),
                    tokens, pixels),
        "metaclip_2": (MetaClip2Config(text_config={**roman, "projection_dim": 24}, **both), tokens, pixels),
    }


def small_clip(**options: Any) -> Any:
    """A DualEncoder of 20 places and 24 dimensions."""
    from transformers import CLIPModel

    from core.encoding.clip import DualEncoder

    torch.manual_seed(0)
    model = scattered(CLIPModel(clip_config(vocabulary=len(clip_tokenizer()))))
    settings = {"id": "test/small", "revision": "0" * 40, "device": "cpu", "dtype": "float32", **options}
    return DualEncoder(model, clip_tokenizer(20), clip_processor(), **settings)


def save_small_clip(folder: Path) -> Path:
    """A folder of the same model as transformers writes it."""
    encoder = small_clip()
    encoder.model.save_pretrained(folder)
    clip_tokenizer(20).save_pretrained(folder)
    clip_processor().save_pretrained(folder)
    return folder


class Pictures:
    """Images in memory that fit the protocol of readers."""

    def __init__(self, images: list[Image.Image], broken: tuple[int, ...] = ()) -> None:
        self.images, self.broken, self.decoded = images, broken, []

    def __len__(self) -> int:
        return len(self.images)

    def content_hash(self, index: int) -> str:
        from core.types import fingerprint

        return fingerprint("image", np.asarray(self.images[index]))

    def decode(self, index: int) -> Image.Image:
        from core.errors import UnreadableItem

        self.decoded.append(index)
        if index in self.broken:
            raise UnreadableItem("an image", "noise", "Remove it.")
        return self.images[index]


def pictures(n: int, seed: int = 0, size: tuple[int, int] = (40, 33)) -> list[Image.Image]:
    rng = np.random.default_rng(seed)
    return [Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)) for _ in range(n)]


def dataset(images: Pictures | None, texts: list[str], links: list[tuple[int, int]] | None = None) -> Dataset:
    n = 0 if images is None else len(images)
    return Dataset("test", tuple(f"i{k}" for k in range(n)), images, tuple(f"t{k}" for k in range(len(texts))),
                   tuple(texts), np.array(links or [], dtype=np.int64).reshape(-1, 2),
                   pd.DataFrame({"row": range(n)}), pd.DataFrame({"row": range(len(texts))}))
