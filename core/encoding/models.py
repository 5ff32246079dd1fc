"""Loading dual encoders: built in, of the hub (already on this machine), or from a folder.

Weights are read from safetensors only, code of a repository is never run, and nothing is fetched: `download` does that,
when it is asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.encoding import hub
from core.encoding.classifier import PhotoClassifier, weights_file
from core.encoding.hub import download
from core.encoding.registry import BUILTIN, MODELS, PHOTO
from core.encoding.unfit import put_aside_torchvision
from core.errors import ModelError, OrreryError
from core.settings import settings

if TYPE_CHECKING:
    from core.encoding.encoder import Encoder

__all__ = ["BUILTIN_FOLDER", "content_revision", "download", "is_on_disk", "load_model", "untrained"]

BUILTIN_FOLDER = Path(__file__).parents[2] / "data" / "builtin"
MOST_LOADED = 2
CONTENT = ("config.json", "*.safetensors", hub.INDEX, "tokenizer.json", "tokenizer_config.json",
           "special_tokens_map.json", "vocab.json", "merges.txt", "vocab.txt", "*.model", *hub.PROCESSORS)
OFFLINE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

_loaded: OrderedDict[tuple[str, str, str, str], Encoder] = OrderedDict()
_lock = threading.Lock()


def is_on_disk(model_id: str) -> bool:
    """Whether `load_model` can load this model without a download."""
    if model_id == PHOTO:
        return weights_file() is not None
    folder = _folder_of(model_id)
    return hub.is_complete(folder) if folder is not None else hub.locate(model_id) is not None


def model_for_photos() -> str:
    """The best model for photos that is on this machine: a CLIP of the registry, else the photo model; "" without."""
    clips = (key for key in MODELS if key not in (BUILTIN, PHOTO) and is_on_disk(key))
    return next(clips, PHOTO if is_on_disk(PHOTO) else "")


def load_model(model_id: str, *, device: str | None = None, dtype: str | None = None) -> Encoder:
    """A model, ready to encode; the two used last stay loaded.

    Parameters
    ----------
    model_id : str
        "builtin", "photo" (the ImageNet classifier), an id of the registry, "org/name" or "org/name@commit" of the
        hub, or the path of a folder in the layout of transformers. A folder's revision is the sha256 of its content.
    device, dtype : str, optional
        As `DualEncoder` takes them; by default ORRERY_DEVICE and ORRERY_DTYPE, then the best at hand.

    Raises
    ------
    ModelError
        If the model is not on this machine, is damaged, or is no dual encoder of a known family.
    """
    return _load(model_id, device, dtype, None)


def untrained(model_id: str, *, seed: int = 0, device: str | None = None, dtype: str | None = None) -> Encoder:
    """The same architecture with fresh random weights, as transformers begins a training with; nothing is read of it
    but its configuration, tokenizer and image processor.

    Its revision holds the seed, so that its vectors are never taken for those of the trained model.

    Parameters
    ----------
    model_id, device, dtype
        As `load_model` takes them; the model has to be on this machine.
    seed : int
        Of the weights, >= 0.

    Raises
    ------
    ModelError
        As `load_model` does.
    """
    return _load(model_id, device, dtype, seed)


def _load(model_id: str, device: str | None, dtype: str | None, seed: int | None) -> Encoder:
    from core.encoding.clip import default_device, default_dtype

    put_aside_torchvision()
    device = device or settings().device or default_device()
    dtype = dtype or settings().dtype or default_dtype(device)
    if model_id == PHOTO:
        if seed is not None:
            raise ModelError("a dual encoder, which can begin with random weights", "the photo model, a classifier")
        return _kept((PHOTO, "", device, dtype), lambda: PhotoClassifier(device=device, dtype=dtype))
    folder = _folder_of(model_id)
    if folder is not None:
        if not hub.is_complete(folder):
            raise ModelError(f"a folder with config.json, model.safetensors, tokenizer and processor at {model_id!r}",
                             _listing(folder), "Save the model there with transformers' save_pretrained.")
        name = model_id if model_id == "builtin" else f"local/{folder.resolve().name}"
        revision = content_revision(folder)
    else:
        found = hub.locate(model_id)
        if found is None:
            repository, _ = hub.split_id(model_id)
            size = f" ({MODELS[repository].size_mb} MB)" if repository in MODELS else ""
            raise ModelError(f"{model_id} on this machine", "no complete copy of it",
                             f"Download it first{size}, or give the path of a folder that has it.")
        folder, revision = found
        name = hub.split_id(model_id)[0]
    if seed is not None:
        name, revision = f"{name} (untrained)", f"untrained-{seed}-{revision}"
    return _kept((name, revision, device, dtype), lambda: _load_folder(folder, name, revision, device, dtype, seed))


def _kept(key: tuple[str, str, str, str], load: Callable[[], Encoder]) -> Encoder:
    """The loaded model of a key; the two used last stay."""
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
            return _loaded[key]
        while len(_loaded) >= MOST_LOADED:
            _loaded.popitem(last=False)
        _loaded[key] = load()
        return _loaded[key]


def content_revision(folder: Path) -> str:
    """sha256 (hex) of the files of a folder that vectors depend on: weights, configuration, tokenizer, processor."""
    files = sorted({file for pattern in CONTENT for file in folder.glob(pattern)})
    return _hash_of(tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=16)
def _hash_of(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, size, _ in files:
        digest.update(f"{Path(path).name} {size}\0".encode())
        with open(path, "rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _folder_of(model_id: str) -> Path | None:
    """The folder that an id names, or None where it is of the hub."""
    if model_id == "builtin":
        return BUILTIN_FOLDER
    hub.check_offered(model_id)
    if model_id in MODELS or settings().hosted:
        return None
    try:
        folder = Path(model_id).expanduser()
        here = folder.is_dir()
    except (OSError, RuntimeError, ValueError):     # a name too long, a user that is not there, a NUL
        return None
    named_as_path = model_id.startswith((".", "/", "~")) or folder.is_absolute()
    return folder if named_as_path or here else None


def _load_folder(folder: Path, name: str, revision: str, device: str, dtype: str, seed: int | None) -> Encoder:
    """The model of a folder; with a seed, its shape with random weights."""
    import torch

    from core.encoding.clip import FAMILIES, DualEncoder

    AutoConfig, AutoImageProcessor, AutoModel = _loaders()
    try:
        config = AutoConfig.from_pretrained(folder, **OFFLINE)
        if config.model_type not in FAMILIES:
            raise ModelError(f"an image-text dual encoder of one of the families {', '.join(FAMILIES)}",
                             f"{name} of family {config.model_type!r}")
        missing: list[str] = []
        if seed is None:
            model, info = AutoModel.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32,
                                                    output_loading_info=True, **OFFLINE)
            missing = sorted(info["missing_keys"])
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config, dtype=torch.float32)
        tokenizer = _tokenizer(folder, config.model_type)
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", **OFFLINE)
    except OrreryError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"a model that transformers can load as {name}", f"{type(error).__name__}: {reason}",
                         "The copy may be damaged: remove it and download it again.") from error
    if missing:
        raise ModelError(f"weights for every part of {name}", f"none for {len(missing)} parts, the first {missing[0]}",
                         "The weights belong to another configuration, or the file was cut.")
    return DualEncoder(model, tokenizer, processor, id=name, revision=revision, device=device, dtype=dtype,
                       words=_words(folder))


def _loaders() -> tuple[Any, Any, Any]:
    """What transformers loads a configuration, an image processor and a model with.

    Threads that import at the same time what depends on each other in a circle may see modules half made: where an
    import fails, it is tried once more, and then waits for the others.
    """
    import transformers

    for last in (False, True):
        try:
            loaders = (transformers.AutoConfig, transformers.AutoImageProcessor, transformers.AutoModel)
            break
        except ImportError:
            if last:
                raise
    transformers.utils.logging.disable_progress_bar()
    return loaders


def _tokenizer(folder: Path, family: str) -> Any:
    """The tokenizer of a folder; SigLIP's get the cleaning of text that its models were trained with.

    SigLIP lower-cases and drops punctuation, SigLIP 2 lower-cases; the files alone do not always say so, and the class
    that does needs a library of its own.
    """
    from tokenizers import Regex, normalizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if family != "siglip" or not (folder / "tokenizer.json").is_file():
        return AutoTokenizer.from_pretrained(folder, **OFFLINE)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, **OFFLINE)
    told = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    cleaning: list[normalizers.Normalizer] = [normalizers.Lowercase()]
    if told.get("tokenizer_class", "").startswith("SiglipTokenizer"):
        cleaning += [normalizers.Replace(Regex(f"[{re.escape(string.punctuation)}]"), ""),
                     normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    backend = tokenizer.backend_tokenizer
    backend.normalizer = normalizers.Sequence([*cleaning, *([backend.normalizer] if backend.normalizer else [])])
    return tokenizer


def _words(folder: Path) -> list[str] | None:
    file = folder / "words.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def _listing(folder: Path) -> str:
    if not folder.is_dir():
        return "no such folder"
    if (folder / hub.INDEX).is_file() and not hub.shards_of(folder):
        return f"a folder whose {hub.INDEX} is damaged or cut off"
    return "a folder with " + (", ".join(sorted(f.name for f in folder.iterdir())[:8]) or "nothing in it")
