"""What the built-in model learns from: rendered scenes of training combinations, and the batches drawn from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import Cancelled
from core.sources.solids.captions import Caption, attributes, caption
from core.sources.solids.render import RENDERER_VERSION, render_chunks
from core.sources.solids.scene import Scene, sample_scenes
from core.sources.solids.vocabulary import ATTRIBUTES
from core.types import fingerprint

PIXELS = 64
SINGLE_SHARE = 0.7
FINE_SHARE = 0.3
SHIFT = 3


@dataclass(frozen=True)
class TrainingData:
    """Scenes with their pictures, (n, 64, 64, 3) uint8, and the cells that hard batches are drawn from."""

    scenes: list[Scene]
    images: np.ndarray
    cells: dict[tuple[str, ...], np.ndarray]


def training_scenes(n: int, seed: int) -> list[Scene]:
    """Seven in ten with a single solid, the rest with two or three; none of a held-out combination."""
    singles = round(SINGLE_SHARE * n)
    groups = n - singles
    return [*sample_scenes(singles, seed, count=1), *sample_scenes(groups - groups // 3, seed + 1, count=2),
            *sample_scenes(groups // 3, seed + 2, count=3)]


def shrink(images: np.ndarray) -> np.ndarray:
    """Bicubic reduction to 64 px, as the model's own preprocessing does it."""
    small = [Image.fromarray(i).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC) for i in images]
    return np.stack([np.asarray(i) for i in small])


def prepare(n: int, seed: int, folder: Path, *, device: str = "cpu",
            on_progress: Callable[[float, str], None] | None = None,
            should_stop: Callable[[], bool] | None = None) -> TrainingData:
    """Render the training pictures into ``folder``, or go on where an earlier call stopped.

    The last three tenths of the pictures of each kind are rendered at twice the size and reduced, so that the model
    knows both fine renders and reduced ones.
    """
    scenes = training_scenes(n, seed)
    order = np.random.default_rng(seed).permutation(n)
    scenes = [scenes[i] for i in order]
    name = fingerprint("training", n, seed, RENDERER_VERSION, [s.fingerprint for s in scenes[:50]])[:16]
    folder.mkdir(parents=True, exist_ok=True)
    path, mark = folder / f"pictures-{name}.npy", folder / f"pictures-{name}.done"
    done = int(mark.read_text()) if mark.exists() else 0
    images = np.lib.format.open_memmap(path, "r+" if path.exists() and done else "w+", np.uint8, (n, PIXELS, PIXELS, 3))
    fine_from = round((1 - FINE_SHARE) * n)
    while done < n:
        stop = min(done + 2048, n if done >= fine_from else fine_from)
        size = 2 * PIXELS if done >= fine_from else PIXELS
        at = done
        for chunk in render_chunks(scenes[done:stop], size, device=device):
            images[at:at + len(chunk.images)] = chunk.images if size == PIXELS else shrink(chunk.images)
            at += len(chunk.images)
        images.flush()
        done = stop
        mark.write_text(str(done))
        if on_progress:
            on_progress(done / n, f"{done:,} of {n:,} training pictures rendered")
        if should_stop and should_stop():
            raise Cancelled(f"{done:,} pictures")
    cells: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, scene in enumerate(scenes):
        if len(scene.solids) == 1:
            cells[(scene.solids[0].colour, scene.style, scene.setting)].append(i)
    return TrainingData(scenes, np.load(path, mmap_mode="r"), {k: np.array(v) for k, v in cells.items()})


def _from_cells(data: TrainingData, rng: np.random.Generator, size: int, groups: int) -> np.ndarray:
    """Groups that agree in colour, style and setting, and in which no two agree in both solid and texture."""
    keys = list(data.cells)
    chosen: list[int] = []
    for group, key in enumerate(rng.choice(len(keys), groups, replace=False)):
        members = rng.permutation(data.cells[keys[key]])
        seen: set[tuple[str, str]] = set()
        wanted = size * (group + 1) // groups
        for i in members:
            solid = data.scenes[i].solids[0]
            if (solid.shape, solid.texture) not in seen:
                seen.add((solid.shape, solid.texture))
                chosen.append(int(i))
                if len(chosen) == wanted:
                    break
    return np.array(chosen)


@dataclass(frozen=True)
class Batch:
    """Pictures (b, 64, 64, 3) uint8, their captions, and ``also`` (b, b): caption j is true of picture i too."""

    images: np.ndarray
    texts: list[str]
    also: np.ndarray


def _also_true(scenes: list[Scene], captions: list[Caption]) -> np.ndarray:
    """Off the diagonal: where a caption of a single solid describes another picture of a single solid as well."""
    b = len(scenes)
    has = [attributes(s) for s in scenes]
    also = np.array([len(s.solids) == 1 for s in scenes])[:, None] & np.array([bool(c.says) for c in captions])[None]
    for name in ATTRIBUTES:
        shown = np.array([h[name] for h in has])
        said = np.array([c.says.get(name, "") for c in captions])
        also &= (said == "")[None] | (shown[:, None] == said[None])
    also[np.arange(b), np.arange(b)] = False
    return also


def draw_batch(data: TrainingData, step: int, *, seed: int, size: int, hard: bool, groups: int = 4) -> Batch:
    """The batch of a step: the same for the same step and seed, whatever came before.

    Parameters
    ----------
    hard : draw from cells that agree in colour, style and setting, so that solid and texture must tell apart.
    """
    rng = np.random.default_rng((seed, step))
    index = _from_cells(data, rng, size, groups) if hard else rng.choice(len(data.scenes), size, replace=False)
    scenes = [data.scenes[i] for i in index]
    captions = [caption(s, rng) for s in scenes]
    images = np.stack([data.images[i] for i in index])
    padded = np.pad(images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    shifts = rng.integers(0, 2 * SHIFT + 1, (len(index), 2))
    images = np.stack([p[y:y + PIXELS, x:x + PIXELS] for p, (y, x) in zip(padded, shifts)])
    return Batch(images, [c.text for c in captions], _also_true(scenes, captions))
