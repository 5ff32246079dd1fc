"""What was kept of a training: features of the same scenes and captions at some of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import SourceError
from core.geometry.directions import unit
from core.geometry.pairs import Pairs
from core.learning.builtin import FOLDER, probe_scenes
from core.sources.solids.captions import full_caption
from core.sources.solids.world import scenes_dataset
from core.types import Dataset


@dataclass(frozen=True, eq=False)
class TrainingHistory:
    """A training, looked at now and then.

    Attributes
    ----------
    steps : (s,) int64, growing; 0 is before training.
    images, texts : (s, n, d) float32, unit rows; row i of both is a pair, the same at each step.
    losses : (s,) float64, running mean of the contrastive loss, natural logarithm.
    temperatures : (s,) float64, 1 over the factor on the cosine.
    """

    steps: np.ndarray
    images: np.ndarray
    texts: np.ndarray
    losses: np.ndarray
    temperatures: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)

    def pairs(self, at: int) -> Pairs:
        """The pairs at the step of that index; -1 is the last."""
        return Pairs.row_by_row(self.images[at], self.texts[at])

    def some(self, most: int) -> Sequence[int]:
        """Indices of at most that many steps, evenly spread, first and last among them."""
        return sorted({round(i) for i in np.linspace(0, len(self) - 1, most)})


def builtin_history(folder: Path = FOLDER) -> TrainingHistory:
    """The training of the built-in model, on its 300 probe scenes.

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
    order = np.argsort(steps)
    return TrainingHistory(steps[order].astype(np.int64), images[order], texts[order], losses[order],
                           1 / scales[order])


def probe_dataset() -> Dataset:
    """The scenes and captions of `builtin_history` as a dataset, for other models to encode."""
    scenes = probe_scenes()
    return scenes_dataset(scenes, [full_caption(scene) for scene in scenes], name="Probe scenes of the training")
