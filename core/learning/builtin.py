"""Training of the built-in model: a small CLIP, from nothing, on the built-in world."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import Cancelled
from core.learning.builtin_data import PIXELS, TrainingData, draw_batch, prepare, shrink
from core.learning.contrastive import info_nce
from core.sources.solids.captions import caption, full_caption, known_words
from core.sources.solids.render import render
from core.sources.solids.scene import Scene, sample_scenes
from core.types import fingerprint

if TYPE_CHECKING:
    import torch
    from transformers import CLIPModel, CLIPTokenizer

FOLDER = Path(__file__).parents[2] / "data" / "builtin"
CONTEXT = 40
WORD_END = "</w>"
MEAN = STD = 0.5
PROBE = (300, 77)
MOMENTS = 30

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Recipe:
    """Everything the trained weights depend on."""

    seed: int = 0
    images: int = 120_000
    steps: int = 11_000
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 400
    hard_share: float = 0.6
    hard_from: float = 0.04
    dim: int = 64
    width: int = 128
    image_layers: int = 4
    text_layers: int = 2
    patch: int = 8

    @property
    def fingerprint(self) -> str:
        return fingerprint("recipe", asdict(self))[:16]


def build_tokenizer(seed: int = 0) -> CLIPTokenizer:
    """A byte-level BPE tokenizer of the world's captions, in CLIP's form; unknown words fall into letters.

    Merges are learnt here, ties broken by the alphabet, because the same seed must give the same ids.
    """
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    counts = Counter(known_words())
    for i, scene in enumerate(sample_scenes(2000, seed, held_out=None)):
        counts.update(caption(scene, np.random.default_rng((seed, i))).text.replace(",", "").split())
    spelt = {word: [*word[:-1], word[-1] + WORD_END] for word in counts}
    merges: list[tuple[str, str]] = []
    while pairs := _pair_counts(spelt, counts):
        best = max(sorted(pairs), key=lambda p: pairs[p])
        merges.append(best)
        for word, symbols in spelt.items():
            spelt[word] = _merged(symbols, best)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*letters, *(c + WORD_END for c in letters), *dict.fromkeys(a + b for a, b in merges),
              "<|startoftext|>", "<|endoftext|>"]
    pieces: Any = merges
    return CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=pieces, model_max_length=CONTEXT)


def _pair_counts(spelt: dict[str, list[str]], counts: Counter[str]) -> Counter[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for word, symbols in spelt.items():
        for pair in pairwise(symbols):
            pairs[pair] += counts[word]
    return pairs


def _merged(symbols: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for symbol in symbols:
        if out and (out[-1], symbol) == pair:
            out[-1] += symbol
        else:
            out.append(symbol)
    return out


def _sin_cos(n: int, width: int) -> torch.Tensor:
    import torch

    at = torch.arange(n)[:, None] / (100.0 ** (torch.arange(width // 2) / (width // 2)))[None]
    return torch.cat([at.sin(), at.cos()], 1) * 0.1


def build_model(recipe: Recipe, tokenizer: CLIPTokenizer) -> CLIPModel:
    """An untrained CLIP of the recipe's shape, its weights decided by the recipe's seed."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(recipe.seed)
    shared = {"hidden_size": recipe.width, "intermediate_size": 4 * recipe.width, "hidden_act": "gelu",
              "num_attention_heads": recipe.width // 32, "projection_dim": recipe.dim}
    text = {**shared, "vocab_size": len(tokenizer), "max_position_embeddings": CONTEXT,
            "num_hidden_layers": recipe.text_layers, "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    vision = {**shared, "image_size": PIXELS, "patch_size": recipe.patch, "num_hidden_layers": recipe.image_layers}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=recipe.dim,
                        logit_scale_init_value=math.log(1 / 0.07))
    config._attn_implementation = "eager"
    model = CLIPModel(config)
    with torch.no_grad():
        for tower in (model.text_model.embeddings, model.vision_model.embeddings):
            table = tower.position_embedding.weight
            table.copy_(_sin_cos(*table.shape))
    return model


def to_pixels(images: np.ndarray, device: str = "cpu") -> torch.Tensor:
    """(b, 64, 64, 3) uint8 to normalised (b, 3, 64, 64) float32."""
    import torch

    return ((torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255) - MEAN) / STD


class _Towers:
    """The model with its tokenizer on a device: pictures and texts to unit rows."""

    def __init__(self, model: CLIPModel, tokenizer: CLIPTokenizer, device: str) -> None:
        import torch

        self.model, self.tokenizer, self.device = model, tokenizer, device
        torch.nn.Module.to(model, device)

    def __call__(self, images: np.ndarray, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        import torch
        import torch.nn.functional as F

        ids = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.device)
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            x = self.model.get_image_features(pixel_values=to_pixels(images, self.device)).pooler_output
            y = self.model.get_text_features(input_ids=ids["input_ids"]).pooler_output
        return F.normalize(x.float(), dim=-1), F.normalize(y.float(), dim=-1)

    def features(self, images: np.ndarray, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        import torch

        self.model.eval()
        with torch.inference_mode():
            pairs = [self(images[i:i + 256], texts[i:i + 256]) for i in range(0, len(images), 256)]
        self.model.train()
        return tuple(torch.cat(side).cpu().numpy() for side in zip(*pairs))  # type: ignore[return-value]


def probe_scenes() -> list[Scene]:
    """The fixed scenes whose features are kept through training; a fifth or so are of held-out combinations."""
    n, seed = PROBE
    return sample_scenes(n, seed, held_out=None)


def moments(steps: int) -> list[int]:
    """About 30 steps at which the probe's features are kept: dense at first, then ever wider apart."""
    return sorted({0, *(round(x) for x in np.geomspace(10, steps, MOMENTS - 1))})


def _optimiser(model: CLIPModel, recipe: Recipe) -> torch.optim.Optimizer:
    import torch

    matrices = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    return torch.optim.AdamW([{"params": matrices, "weight_decay": recipe.weight_decay},
                              {"params": rest, "weight_decay": 0.0}], lr=recipe.learning_rate, betas=(0.9, 0.98))


def _rate(step: int, recipe: Recipe) -> float:
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)))


def _is_hard(step: int, recipe: Recipe) -> bool:
    chance = np.random.default_rng((recipe.seed, step, 1)).random()
    return step > recipe.hard_from * recipe.steps and chance < recipe.hard_share


def train(recipe: Recipe, work: Path, out: Path = FOLDER, *, device: str = "cpu",
          on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> dict[str, Any]:
    """Train the built-in model and write it to ``out``.

    Parameters
    ----------
    recipe : what to train.
    work : folder for the rendered pictures and the checkpoint; a second call with the same recipe goes on there.
    out : folder for the model.
    device : a torch device.

    Returns
    -------
    Seconds, steps and the last loss.

    Raises
    ------
    Cancelled
        If asked to stop; the checkpoint is kept.
    """
    import torch

    def report(share: float, text: str) -> None:
        if on_progress:
            on_progress(share, text)

    data = prepare(recipe.images, recipe.seed, work, device=device, on_progress=lambda f, t: report(0.08 * f, t),
                   should_stop=should_stop)
    tokenizer = build_tokenizer(recipe.seed)
    towers = _Towers(build_model(recipe, tokenizer), tokenizer, device)
    model = towers.model.train()
    optimiser = _optimiser(model, recipe)
    scenes = probe_scenes()
    probe = shrink(render(scenes, 2 * PIXELS, device=device).images), [full_caption(s) for s in scenes]
    history: dict[str, list[Any]] = {"step": [], "image": [], "text": [], "loss": [], "scale": []}
    checkpoint = work / f"checkpoint-{recipe.fingerprint}.pt"
    step, seconds, recent = 0, 0.0, math.log(recipe.batch)
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=device)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        step, seconds, recent = state["step"], state["seconds"], state["recent"]
        history = {k: [v.numpy() if k in ("image", "text") else v for v in vs] for k, vs in state["history"].items()}
    keep = set(moments(recipe.steps))

    def note() -> None:
        image, text = towers.features(*probe)
        for name, value in (("step", step), ("image", image), ("text", text), ("loss", recent),
                            ("scale", model.logit_scale.exp().item())):
            history[name].append(value)

    def save() -> None:
        kept = {k: [torch.from_numpy(v) if k in ("image", "text") else v for v in vs] for k, vs in history.items()}
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "step": step,
                    "seconds": seconds, "recent": recent, "history": kept}, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)

    began = time.monotonic() - seconds
    while step < recipe.steps:
        if step in keep and step not in history["step"]:
            note()
        recent = 0.98 * recent + 0.02 * _one_step(towers, optimiser, data, recipe, step)
        step += 1
        seconds = time.monotonic() - began
        if step % 100 == 0:
            left = seconds / step * (recipe.steps - step) / 60
            report(0.08 + 0.92 * step / recipe.steps, f"step {step:,} of {recipe.steps:,}, loss {recent:.3f}, "
                   f"temperature {1 / model.logit_scale.exp().item():.4f}, {left:.0f} min left")
        if step % 500 == 0:
            save()
        if should_stop and should_stop():
            save()
            raise Cancelled(f"{step:,} steps")
    note()
    save()
    write(model, tokenizer, out)
    np.savez_compressed(out / "training.npz", step=np.array(history["step"]),
                        image=np.array(history["image"], np.float16), text=np.array(history["text"], np.float16),
                        loss=np.array(history["loss"], np.float32), scale=np.array(history["scale"], np.float32))
    facts = {"recipe": asdict(recipe), "seconds": round(seconds), "device": device, "loss": recent,
             "threads": torch.get_num_threads(), "parameters": sum(p.numel() for p in model.parameters())}
    (out / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    return facts


def _one_step(towers: _Towers, optimiser: torch.optim.Optimizer, data: TrainingData, recipe: Recipe,
              step: int) -> float:
    import torch

    batch = draw_batch(data, step, seed=recipe.seed, size=recipe.batch, hard=_is_hard(step, recipe))
    for group in optimiser.param_groups:
        group["lr"] = recipe.learning_rate * _rate(step, recipe)
    x, y = towers(batch.images, batch.texts)
    also = torch.from_numpy(batch.also).to(towers.device)
    loss = info_nce(x, y, towers.model.logit_scale.exp().clamp(max=100), also)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(towers.model.parameters(), 1.0)
    optimiser.step()
    return float(loss.detach())


def write(model: CLIPModel, tokenizer: CLIPTokenizer, out: Path) -> None:
    """Write the model as a transformers folder: half-precision safetensors, tokenizer, preprocessing, words."""
    import copy

    import torch
    from transformers import CLIPImageProcessorPil

    out.mkdir(parents=True, exist_ok=True)
    half: CLIPModel = torch.nn.Module.to(copy.deepcopy(model), "cpu", torch.float16)  # type: ignore[assignment]
    half.config._attn_implementation = None
    half.save_pretrained(out)
    tokenizer.save_pretrained(out)
    CLIPImageProcessorPil(size={"shortest_edge": PIXELS}, crop_size={"height": PIXELS, "width": PIXELS},
                          image_mean=[MEAN] * 3, image_std=[STD] * 3).save_pretrained(out)
    (out / "words.json").write_text(json.dumps(known_words()) + "\n")
