"""A small GPT-2 with random weights and a tokenizer trained on the spot, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

SAID = ["a photo of a red cube in the snow", "a sketch of a small blue ball on the sea", "pixel art of a green cone",
        "a neon sign of a large yellow ring in a studio", "a cartoon of a brown heart in the desert"]
END = "<|endoftext|>"


def tokenizer() -> Any:
    """A byte-level BPE as GPT-2 and the built-in model have it, of 320 entries."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    bare.train_from_iterator(SAID * 3, trainers.BpeTrainer(
        vocab_size=320, special_tokens=[END], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    return PreTrainedTokenizerFast(tokenizer_object=bare, bos_token=END, eos_token=END)


def small_gpt2(seed: int = 0) -> Any:
    """A GPT-2 of two layers, 32 wide, with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    return GPT2LMHeadModel(GPT2Config(vocab_size=320, n_embd=32, n_layer=2, n_head=2, n_positions=64, bos_token_id=0,
                                      eos_token_id=0, initializer_range=0.3)).eval()


def save_small_gpt2(folder: Path) -> Path:
    """A folder as transformers writes it."""
    small_gpt2().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
