"""Models of the Hugging Face hub on this machine: where they lie, and how they come here when asked for.

Nothing here touches the network but `download`. It runs in a process of its own (`core.encoding.fetch`), so that it can
be stopped at any moment; what has arrived stays and is not fetched again.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core.encoding.registry import MODELS
from core.errors import Cancelled, ModelError
from core.settings import settings

COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}")
INDEX = "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "sentencepiece.bpe.model")
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
POLL_SECONDS = 0.3


def offered() -> tuple[str, ...]:
    """Ids that a public server takes: those of the registry, and those that its host names (ORRERY_MODELS)."""
    return *MODELS, *(name for name in settings().models if name not in MODELS)


def check_offered(model_id: str) -> None:
    """On a public server, ModelError for every id that it does not offer; the same whatever lies on its disk."""
    if settings().hosted and model_id not in offered():
        raise ModelError(f"a model that this server offers ({', '.join(offered())})", repr(model_id[:80]),
                         "Run Orrery on your own machine for any other.")


def split_id(model_id: str) -> tuple[str, str | None]:
    """(repository, revision) of "org/name" or "org/name@commit"; the registry's revision where none is named."""
    repository, _, revision = model_id.partition("@")
    if not HUB_ID.fullmatch(repository):
        raise ModelError("a model of the registry, org/name or org/name@commit of the hub, a folder, or builtin",
                         repr(model_id), f"The registry has {', '.join(MODELS)}.")
    if revision and not COMMIT.fullmatch(revision):
        raise ModelError("a revision as a commit of 40 hexadecimal digits", repr(revision),
                         "A branch can change under your vectors; name the commit it stands at.")
    entry = MODELS.get(repository)
    return repository, revision or (entry.revision if entry else None)


def locate(model_id: str, complete: Callable[[Path], bool] | None = None) -> tuple[Path, str] | None:
    """(folder, commit) of a complete copy on this machine, or None; what is complete is told by `is_complete`, or by
    another rule for models of another kind."""
    repository, revision = split_id(model_id)
    for cache in hub_caches():
        home = cache / f"models--{repository.replace('/', '--')}"
        commit = revision or pinned(repository) or _read(home / "refs" / "main")
        if commit is None:
            continue
        for folder in (converted_folder(repository, commit), home / "snapshots" / commit):
            if (complete or is_complete)(folder):
                return folder, commit
    return None


def hub_caches() -> tuple[Path, ...]:
    """Folders in the hub's own layout: this project's, then the one that other tools of this user share."""
    shared = os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")) / "hub"
    return settings().cache / "hub", Path(shared).expanduser()


def converted_folder(repository: str, commit: str) -> Path:
    """Where the safetensors copy lies of a model that is published in another format."""
    return settings().cache / "converted" / repository.replace("/", "--") / commit


def is_complete(folder: Path) -> bool:
    """Whether a folder holds all that loading needs: configuration, safetensors weights, tokenizer, processor."""
    return (has_weights(folder) and (folder / "config.json").is_file() and _any(folder, TOKENIZERS)
            and _any(folder, PROCESSORS))


def has_weights(folder: Path) -> bool:
    """Whether a folder holds safetensors weights, all files of them."""
    if (folder / INDEX).is_file():
        shards = shards_of(folder)
        return bool(shards) and all((folder / shard).is_file() for shard in shards)
    return (folder / "model.safetensors").is_file()


def shards_of(folder: Path) -> frozenset[str]:
    """The files that the index of a folder's weights names; none where the index is damaged."""
    try:
        named = json.loads((folder / INDEX).read_text("utf-8"))["weight_map"].values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()
    return frozenset(named) if all(isinstance(name, str) for name in named) else frozenset()


def pinned(repository: str) -> str | None:
    """The commit written down when a model without a fixed revision was first taken, or None."""
    text = _read(_pin_file(repository))
    return json.loads(text)["revision"] if text else None


def pin(repository: str, commit: str) -> None:
    """Write down the commit that a model without a fixed revision stands for from now on."""
    file = _pin_file(repository)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps({"id": repository, "revision": commit}), "utf-8")
    part.replace(file)


def download(model_id: str, *, on_progress: Callable[[float, str], None] | None = None,
             should_stop: Callable[[], bool] | None = None) -> Path:
    """Fetch a model of the hub; what is already here is not fetched again.

    Weights published as safetensors are taken as they are. Others (a torch file, open_clip's layout) are read with
    ``weights_only=True`` and written as safetensors beside.

    Returns
    -------
    The folder to load from.

    Raises
    ------
    ModelError
        Without network, for an unknown id, or where the repository has no weights that can be used.
    Cancelled
        When ``should_stop`` says so; start again to go on.
    """
    from core.encoding.open_clip import convert_snapshot

    check_offered(model_id)
    report = on_progress or (lambda fraction, text: None)
    found = locate(model_id)
    if found:
        report(1.0, f"{model_id} is on this machine")
        return found[0]
    repository = split_id(model_id)[0]
    snapshot = fetched(model_id, on_progress, should_stop)
    commit = snapshot.name
    if is_complete(snapshot):
        folder = snapshot
    else:
        report(0.98, f"Converting {repository} to safetensors")
        folder = convert_snapshot(snapshot, converted_folder(repository, commit))
    report(1.0, f"{repository} is ready")
    return folder


def fetched(model_id: str, on_progress: Callable[[float, str], None] | None = None,
            should_stop: Callable[[], bool] | None = None) -> Path:
    """The folder of a repository's small files and weights, as published, at its commit; raises as `download` does."""
    repository, revision = split_id(model_id)
    report = on_progress or (lambda fraction, text: None)
    snapshot, commit = _fetch(repository, revision or pinned(repository), report, should_stop or (lambda: False))
    if revision is None:
        pin(repository, commit)
    return snapshot


def _fetch(repository: str, revision: str | None, report: Callable[[float, str], None],
           should_stop: Callable[[], bool]) -> tuple[Path, str]:
    cache = hub_caches()[0]
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "core.encoding.fetch", repository, revision or "main", str(cache)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             cwd=Path(__file__).parents[2])
    messages: list[dict] = []
    listener = threading.Thread(target=lambda: messages.extend(map(json.loads, child.stdout or ())), daemon=True)
    listener.start()
    started = time.monotonic()
    try:
        while child.poll() is None:
            if should_stop():
                raise Cancelled("part of the download")
            _report(report, repository, list(messages), cache, started)
            time.sleep(POLL_SECONDS)
    finally:
        child.kill()
        child.wait()
        listener.join()
        if child.stdout is not None:
            child.stdout.close()
    last = messages[-1] if messages else {"error": f"the download ended with code {child.returncode}"}
    if "error" in last:
        raise ModelError(f"{repository} from the Hugging Face hub", last["error"],
                         "Check the network and the id, or copy the model's folder here and give its path.")
    return Path(last["folder"]), last["commit"]


def _report(report: Callable[[float, str], None], repository: str, messages: list[dict], cache: Path,
            started: float) -> None:
    plan = next((m for m in messages if "bytes" in m), None)
    if plan is None:
        report(0.0, f"Asking for {repository}")
        return
    blobs = cache / f"models--{repository.replace('/', '--')}" / "blobs"
    sizes = []
    for blob in blobs.glob("*"):
        try:
            sizes.append(blob.stat().st_size)
        except FileNotFoundError:
            continue
    here, total = min(sum(sizes), plan["bytes"]), max(plan["bytes"], 1)
    seconds = time.monotonic() - started
    rate = here / max(seconds, 1e-3)
    left = f", about {(total - here) / rate:.0f} s left" if seconds > 3 and rate > 0 else ""
    report(0.97 * here / total, f"Downloading {repository}: {here / 1e6:.0f} of {total / 1e6:.0f} MB{left}")


def _pin_file(repository: str) -> Path:
    return settings().cache / "pins" / f"{repository.replace('/', '--')}.json"


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8").strip() or None
    except OSError:
        return None


def _any(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)
