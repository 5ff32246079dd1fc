"""What was kept of the built-in model's training: features of the same scenes and captions at some of its steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.errors import SourceError
from core.geometry.directions import unit
from core.learning.builtin import FOLDER, probe_scenes
from core.learning.records.record import Probe, Record
from core.sources.solids.captions import full_caption
from core.sources.solids.world import scenes_dataset
from core.types import Dataset


def builtin_history(folder: Path = FOLDER) -> Record:
    """The training of the built-in model, on its 300 probe scenes, labelled by their first solids.

    Raises
    ------
    SourceError
        If the file is absent or not what `core.learning.builtin.train` writes.
    """
    path = folder / "training.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            steps, losses, scales = (kept[name].astype(np.float64) for name in ("step", "loss", "scale"))
            images, texts = (unit(kept[name].astype(np.float32).reshape(-1, kept[name].shape[-1])).reshape(
                kept[name].shape) for name in ("image", "text"))
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise SourceError(f"the features kept through training in {path.name}", f"{type(error).__name__}: {error}",
                          "Train the built-in model again: python -m core train builtin.") from error
    probe = probe_dataset()
    rows = np.arange(len(probe.image_ids))
    order = np.argsort(steps)
    return Record("Built-in model", Probe(probe.image_ids, probe.texts, np.stack([rows, rows], axis=1),
                                          tuple(probe.image_table["label"])),
                  steps[order].astype(np.int64), images[order], texts[order],
                  {"loss": losses[order], "temperature": 1 / scales[order]}, {"model": "builtin", "seed": 0})


def probe_dataset() -> Dataset:
    """The scenes and captions of `builtin_history` as a dataset, for other models to encode."""
    scenes = probe_scenes()
    return scenes_dataset(scenes, [full_caption(scene) for scene in scenes], name="Probe scenes of the training")
