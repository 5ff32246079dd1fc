"""Causal language models of the GPT-2 kind: next words for a sentence, and how fluent it is.

Weights are read from safetensors only, code of a repository is never run, and nothing is fetched but by `download`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.encoding import hub
from core.encoding.models import OFFLINE, content_revision
from core.errors import ModelError, OrreryError, ShapeError
from core.settings import settings

MOST_TOKENS = 96
_BATCH = 64


@dataclass(frozen=True)
class LanguageEntry:
    """A language model that is offered.

    Attributes
    ----------
    title : what a menu shows.
    revision : 40-hex commit on the hub.
    size_mb : of the download, MB (10^6 bytes), rounded.
    training_data, licence : for the user.
    """

    title: str
    revision: str
    size_mb: int
    training_data: str
    licence: str


LANGUAGE_MODELS: dict[str, LanguageEntry] = {
    "distilbert/distilgpt2": LanguageEntry("DistilGPT-2", "2290a62682d06624634c1f46a6ad5be0f47f38aa", 356,
                                           "OpenWebText, 38 GB of web pages, taught by GPT-2", "Apache-2.0"),
    "openai-community/gpt2": LanguageEntry("GPT-2 (small)", "607a30d783dfa663caf39e06633721c8d4cfcd7e", 551,
                                           "WebText, 40 GB of web pages (OpenAI, not published)", "MIT"),
}
_loaded: OrderedDict[tuple[str, str], LanguageModel] = OrderedDict()
_lock = threading.Lock()


class LanguageModel:
    """A causal language model with its tokenizer, on the CPU or a GPU, in float32.

    Parameters
    ----------
    model, tokenizer : as transformers loads them.
    id, revision : what made a sentence.
    device : "cpu", "cuda" or "mps".
    """

    def __init__(self, model: Any, tokenizer: Any, *, id: str, revision: str, device: str = "cpu") -> None:
        self.id, self.revision, self.device = id, revision, device
        self._model, self._tokenizer = model.eval().requires_grad_(False).to(device), tokenizer
        self._tokenizer_lock = threading.Lock()
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        if start is None:
            raise ModelError("a tokenizer with a token that begins or ends a text", f"{id} without one")
        self.start = int(start)
        self.longest = min(int(getattr(model.config, "max_position_embeddings", MOST_TOKENS)), MOST_TOKENS)
        self.special = frozenset(int(i) for i in tokenizer.all_special_ids)

    def tokens(self, text: str) -> tuple[int, ...]:
        """Of a text, without special ones."""
        with self._tokenizer_lock:
            return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens say, on one line."""
        with self._tokenizer_lock:
            said = self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return " ".join(str(said).split())

    def next_tokens(self, sentences: Sequence[Sequence[int]]) -> np.ndarray:
        """(n, vocabulary) float32: natural log probability of each token after each sentence."""
        parts = []
        for logs, lengths in self._logs(sentences):
            parts += [logs[i, length - 1] for i, length in enumerate(lengths)]
        return np.stack(parts)

    def log_probability(self, sentences: Sequence[Sequence[int]]) -> np.ndarray:
        """(n,) float64: mean natural log probability a token, given those before it; -inf of an empty sentence."""
        out: list[float] = []
        done = 0
        for logs, lengths in self._logs(sentences):
            for i, length in enumerate(lengths):
                own = np.asarray(sentences[done + i], dtype=np.int64)
                out.append(float(logs[i, np.arange(length - 1), own].mean()) if len(own) else float("-inf"))
            done += len(lengths)
        return np.array(out)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) float64: fluency of texts, as in `log_probability`."""
        return self.log_probability([self.tokens(text)[:self.longest - 1] for text in texts])

    def _logs(self, sentences: Sequence[Sequence[int]]) -> Any:
        """Batches of (log probabilities (b, t, vocabulary), lengths with the start counted)."""
        import torch

        for at in range(0, len(sentences), _BATCH):
            rows = [[self.start, *sentence] for sentence in sentences[at:at + _BATCH]]
            lengths = [len(row) for row in rows]
            if max(lengths) > self.longest:
                raise ShapeError(f"sentences of at most {self.longest - 1} tokens", str(max(lengths) - 1))
            ids = torch.full((len(rows), max(lengths)), self.start, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for i, row in enumerate(rows):
                ids[i, :len(row)] = torch.tensor(row)
                mask[i, :len(row)] = 1
            with torch.inference_mode():
                logits = self._model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device)).logits
                yield torch.log_softmax(logits.float(), dim=-1).cpu().numpy(), lengths


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a language model: configuration, safetensors weights, tokenizer."""
    return (hub.has_weights(folder) and (folder / "config.json").is_file()
            and any((folder / name).is_file() for name in hub.TOKENIZERS))


def located(model_id: str) -> tuple[Path, str] | None:
    """(folder, revision) of a copy on this machine of an entry, "org/name@commit" or a folder; None without one.

    Raises
    ------
    ModelError
        For what is neither; on a public server for all that is not in LANGUAGE_MODELS.
    """
    if model_id in LANGUAGE_MODELS:
        return hub.locate(f"{model_id}@{LANGUAGE_MODELS[model_id].revision}", is_complete)
    if settings().hosted:
        raise ModelError(f"a language model that this server offers ({', '.join(LANGUAGE_MODELS)})",
                         repr(model_id[:80]), "Run Orrery on your own machine for any other.")
    try:
        folder = Path(model_id).expanduser()
        if folder.is_dir():
            return (folder, content_revision(folder)) if is_complete(folder) else None
    except (OSError, RuntimeError, ValueError):
        pass
    return hub.locate(model_id, is_complete)


def download_language_model(model_id: str, *, on_progress: Callable[[float, str], None] | None = None,
                            should_stop: Callable[[], bool] | None = None) -> Path:
    """Fetch a language model of the hub, its safetensors alone; the same door as that of `core.encoding.hub.download`.

    Raises
    ------
    ModelError
        Without network, for an unknown id, or where its weights are not published as safetensors.
    Cancelled
        When ``should_stop`` says so; start again to go on.
    """
    found = located(model_id)
    if found:
        return found[0]
    entry = LANGUAGE_MODELS.get(model_id)
    folder = hub.fetched(f"{model_id}@{entry.revision}" if entry else model_id, on_progress, should_stop)
    if not is_complete(folder):
        raise ModelError(f"safetensors weights and a tokenizer of {model_id}", "a repository without them",
                         "Take another model: other formats can run code when they are opened.")
    return folder


def load_language_model(model_id: str) -> LanguageModel:
    """A language model of this machine; the one used last stays loaded.

    Parameters
    ----------
    model_id : a key of LANGUAGE_MODELS, "org/name@commit" of the hub, or a folder in the layout of transformers.

    Raises
    ------
    ModelError
        If it is not here, is damaged, or is no causal language model.
    """
    from core.encoding.clip import default_device

    found = located(model_id)
    if found is None:
        raise ModelError(f"the language model {model_id} on this machine", "no complete copy of it",
                         "Download it first, or give the path of a folder with config.json, model.safetensors and "
                         "its tokenizer.")
    folder, revision = found
    name = model_id.partition("@")[0] if hub.COMMIT.fullmatch(revision) else f"local/{folder.resolve().name}"
    with _lock:
        if (name, revision) not in _loaded:
            _loaded.clear()
            _loaded[name, revision] = _load(folder, name, revision, settings().device or default_device())
        return _loaded[name, revision]


def _load(folder: Path, name: str, revision: str, device: str) -> LanguageModel:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype=torch.float32,
                                                           output_loading_info=True, **OFFLINE)
        model, info = loaded
        tokenizer = AutoTokenizer.from_pretrained(folder, **OFFLINE)
        missing = sorted(info["missing_keys"])
        if missing:
            raise ModelError(f"weights for every part of {name}", f"none for {len(missing)}, the first {missing[0]}")
        return LanguageModel(model, tokenizer, id=name, revision=revision, device=device)
    except OrreryError:
        raise
    except Exception as error:
        raise ModelError(f"a causal language model that transformers can load as {name}",
                         f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
                         "The copy may be damaged: remove it and download it again.") from error
