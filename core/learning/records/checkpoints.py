"""A folder of one's own checkpoints as a record: each encodes the same probe set."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.encoding import hub
from core.encoding.models import CONTENT, load_model
from core.encoding.pipeline import Embedded, embed
from core.encoding.store import Store
from core.errors import Cancelled, OrreryError, SourceError
from core.learning.records.measuring import measures_of
from core.learning.records.probing import probe_of, probe_part
from core.learning.records.record import Probe, Record, Snapshot
from core.settings import MB, settings
from core.sources.reasons import why_not
from core.types import Dataset, Refusal, fingerprint

MOST = 60
MOST_ITEMS = 500
_LISTED = 10_000
_STATE = "trainer_state.json"
_STATE_MB = 32
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Checkpoint:
    """A model at one step of a training.

    Attributes
    ----------
    step : the last number in the name of its folder.
    name : of the folder.
    model_id : the path of a folder that `core.encoding.models.load_model` loads.
    """

    step: int
    name: str
    model_id: str


@dataclass(frozen=True, eq=False)
class FolderRecord:
    """A folder of checkpoints as a record, and which of them are not in it, with reasons."""

    record: Record
    refused: tuple[Refusal, ...]


def checkpoints_in(folder: str | Path, *, most: int = MOST) -> tuple[tuple[Checkpoint, ...], tuple[Refusal, ...]]:
    """The checkpoints in a folder in the order of their steps, and which subfolders are none, with reasons.

    A checkpoint is a subfolder in the layout of transformers with a number in its name: checkpoint-500, step_1000.
    Where it has no tokenizer or image processor, as those that a Trainer writes, that of the folder above is taken.

    Parameters
    ----------
    folder : on this machine.
    most : how many are taken, evenly spread over those there are.

    Raises
    ------
    SourceError
        If this is a public server, the folder is absent, or no checkpoint is in it.
    """
    if settings().hosted:
        raise SourceError("a folder on one's own machine", "a public server, which opens no folders",
                          "Run Orrery on your own machine, or bring a record that a Recorder wrote.")
    folder = Path(folder).expanduser()
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except (OSError, RuntimeError, ValueError) as error:
        raise SourceError(f"a folder of checkpoints at {str(folder)!r}", f"{type(error).__name__}",
                          "Give the folder that holds checkpoint-500, checkpoint-1000, ...") from error
    found: dict[int, Checkpoint] = {}
    refused = []
    for path in inside[:_LISTED]:
        numbers = re.findall(r"\d+", path.name)
        reason = "" if numbers else "no number in its name says its step"
        step = int(numbers[-1][:15]) if numbers else 0
        if not reason and step in found:
            reason = f"{found[step].name} is of the same step"
        try:
            ready, why = (path, reason) if reason else _complete(path, folder)
        except OSError as error:        # a training that goes on takes its oldest checkpoints away
            ready, why = path, f"it cannot be read: {why_not(error)}"
        if why:
            refused.append(Refusal(path.name, why))
        else:
            found[step] = Checkpoint(step, path.name, str(ready))
    if not found:
        came = "; ".join(f"{r.name}: {r.reason}" for r in refused[:3]) or "none"
        raise SourceError(f"at least one checkpoint in {folder.name}, such as checkpoint-500, with config.json and "
                          "model.safetensors", came[:500], "Save them there with transformers' save_pretrained.")
    steps = sorted(found)
    kept = {steps[round(i)] for i in np.linspace(0, len(steps) - 1, min(most, len(steps)))}
    refused += [Refusal(found[step].name, f"left out: {most} evenly spread are looked at") for step in steps
                if step not in kept]
    return tuple(found[step] for step in sorted(kept)), tuple(refused)


def folder_state(folder: str | Path) -> str:
    """Changes when a file of a checkpoint in the folder does; reads no file."""
    files = sorted(file for pattern in CONTENT for file in Path(folder).expanduser().glob(f"*/{pattern}"))
    return fingerprint("checkpoints", [(str(file), *_size_and_time(file)) for file in files])


def _size_and_time(file: Path) -> tuple[int, int]:
    """(-1, 0) of a file that is gone, or a link to nothing."""
    try:
        state = file.stat()
    except OSError:
        return -1, 0
    return state.st_size, state.st_mtime_ns


def _complete(path: Path, above: Path) -> tuple[Path, str]:
    """A folder with all that loading needs, or why there is none."""
    if hub.is_complete(path):
        return path, ""
    names = {file.name for file in path.iterdir()}
    if "adapter_config.json" in names:
        return path, "it is an adapter alone: merge it into its model (merge_and_unload) and save that"
    if "config.json" not in names or not any(name.endswith(".safetensors") for name in names):
        pickled = sorted(name for name in names if name.endswith(_PICKLED) and "optimizer" not in name)
        return path, ("its weights are pickled and never loaded: save it with safe_serialization=True" if pickled else
                      "config.json or model.safetensors is missing in it")
    joined = settings().cache / "checkpoints" / fingerprint(str(path.resolve()))[:16] / path.name
    joined.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for source in (above, path):        # the checkpoint's own files come last and win
        for file in source.iterdir():
            weights = file.name.endswith(".safetensors") or file.name in ("config.json", hub.INDEX)
            if file.is_file() and any(file.match(pattern) for pattern in CONTENT) and (source is path or not weights):
                wanted[file.name] = file.resolve()
    for old in joined.iterdir():
        if not old.is_symlink() or old.resolve() != wanted.get(old.name):
            old.unlink()
    for name, file in wanted.items():
        if not (joined / name).is_symlink():
            _linked(joined / name, file)
    if not hub.is_complete(joined):
        return path, "tokenizer or image processor are missing in it and in the folder above: save them there"
    return joined, ""


def _linked(there: Path, file: Path) -> None:
    try:
        there.symlink_to(file)
    except OSError:     # a system that keeps links to administrators
        shutil.copyfile(file, there)


def record_of_folder(folder: str | Path, dataset: Dataset, *, store: Store | None = None, most: int = MOST,
                     most_items: int = MOST_ITEMS, seed: int = 0, on_progress: Progress | None = None,
                     should_stop: Callable[[], bool] | None = None) -> FolderRecord:
    """What each checkpoint of a folder sees in the same images and captions.

    Vectors are kept in the store by the content of each checkpoint, so that a stop loses one batch, and nothing is
    encoded twice. The loss is read from what a Trainer logged beside its checkpoints.

    Parameters
    ----------
    folder : as in `checkpoints_in`.
    dataset : images with captions; at most ``most_items`` images are drawn by the seed.
    most : how many checkpoints are looked at.

    Returns
    -------
    The record, and which checkpoints and items are not in it, with reasons: damaged ones, ones of another dimension,
    and ones whose vectors are no finite numbers.

    Raises
    ------
    SourceError
        As `checkpoints_in` does, or if not one checkpoint can be used.
    ShapeError
        If the dataset has no images with captions.
    Cancelled
        If asked to stop; asking again goes on from there.
    """
    found, refused = checkpoints_in(folder, most=most)
    part = probe_part(dataset, most_items, seed)
    store = store or Store()
    losses = _logged_losses(Path(folder).expanduser())
    probe: Probe | None = None
    snapshots: list[Snapshot] = []
    bad = list(refused)
    revisions, diverged = [], []
    for i, checkpoint in enumerate(found):
        def tell(fraction: float, text: str, i: int = i, name: str = checkpoint.name) -> None:
            if on_progress is not None:
                on_progress((i + fraction) / len(found), f"{name}: {text}")

        tell(0.0, "loading it")
        try:
            encoder = load_model(checkpoint.model_id)
            if not np.isfinite(encoder.encode_texts(["a"])).all():
                diverged.append(checkpoint.step)
                raise SourceError("vectors that are finite numbers", "none: the training had diverged before this step")
            seen = embed(part, encoder, store, on_progress=tell, should_stop=should_stop)
            mine, snapshot = _snapshot(checkpoint, seen, losses, encoder.logit_scale)
            if probe is None:
                probe = mine
                bad += seen.refused
            _check_like(probe, mine, snapshots, snapshot)
        except Cancelled:
            raise
        except OrreryError as error:
            bad.append(Refusal(checkpoint.name, str(error)))
            continue
        snapshots.append(snapshot)
        revisions.append(encoder.spec.revision)
    if probe is None or not snapshots:
        raise SourceError(f"at least one checkpoint in {Path(folder).name} that can be used",
                          "; ".join(f"{one.name}: {one.reason}" for one in bad[:3])[:600])
    setup = {"checkpoints": [one.name for one in found], "revisions": revisions, "probe": part.name, "seed": seed}
    after = [step for step in diverged if step > snapshots[-1].step]
    ended = f"it diverged before step {after[0]:,}: a feature is not a number" if after else ""
    name = Path(folder).expanduser().resolve().name
    return FolderRecord(Record.of(name, probe, snapshots, setup=setup, ended=ended), tuple(bad))


def _snapshot(checkpoint: Checkpoint, seen: Embedded, losses: dict[int, float],
              scale: float) -> tuple[Probe, Snapshot]:
    if seen.images is None or seen.texts is None:
        raise SourceError("images and captions that it can encode", "none")
    probe, images, texts = probe_of(seen.images.ids, seen.captions, seen.links, seen.images.table)
    x, y = seen.images.vectors[images], seen.texts.vectors[texts]
    measures = measures_of(x, y, probe) | {"temperature": 1 / scale}
    before = [step for step in losses if step <= checkpoint.step]
    return probe, Snapshot(checkpoint.step, x, y, measures | ({"loss": losses[max(before)]} if before else {}))


def _check_like(probe: Probe, mine: Probe, snapshots: list[Snapshot], snapshot: Snapshot) -> None:
    """Refuse a checkpoint that could not encode the same items, or whose space is another."""
    if (probe.images, probe.texts) != (mine.images, mine.texts):
        raise SourceError(f"the {len(probe.images):,} images and {len(probe.texts):,} captions of the others",
                          f"{len(mine.images):,} and {len(mine.texts):,} that it can encode")
    if snapshots and snapshots[0].images.shape[1] != snapshot.images.shape[1]:
        raise SourceError(f"{snapshots[0].images.shape[1]} dimensions as the others have",
                          str(snapshot.images.shape[1]))


def _logged_losses(folder: Path) -> dict[int, float]:
    """step -> loss, from the newest state that a Trainer of transformers left in a folder or its checkpoints."""
    found: dict[int, float] = {}
    for file in sorted(folder.glob(f"*/{_STATE}"), key=lambda path: _size_and_time(path)[1])[-1:]:
        try:
            if file.stat().st_size <= _STATE_MB * MB:
                for row in json.loads(file.read_text("utf-8"))["log_history"]:
                    if "loss" in row:
                        found[int(row["step"])] = float(row["loss"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
    return found
