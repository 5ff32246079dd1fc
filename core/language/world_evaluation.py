"""How well a model reads the built-in world: zero-shot on combinations held out of training, and retrieval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.geometry.directions import unit
from core.geometry.retrieval import accuracy, recall_at
from core.sources.solids.captions import attributes, full_caption, prompt
from core.sources.solids.scene import Scene, sample_scenes
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.solids.world import SceneImages
from core.types import Number

if TYPE_CHECKING:
    from PIL.Image import Image

SHOTS = 2000
GALLERY = 1000
NAMED = ("colour", "setting", "style", "solid", "texture")
SIZE = 128

BARE = {
    "colour": {c: f"a {c} thing" for c in ATTRIBUTES["colour"]},
    "texture": {t: f"a {t} thing" for t in ATTRIBUTES["texture"]},
    "solid": {s: prompt(solid=s) for s in ATTRIBUTES["solid"]},
    "setting": {p: prompt(setting=p) for p in ATTRIBUTES["setting"]},
    "style": {s: prompt(style=s) for s in ATTRIBUTES["style"]},
}
BARE["colour"]["orange"] = "an orange thing"


class Encoder(Protocol):
    """What is needed of a model: raw vectors of images and of texts."""

    def encode_images(self, images: Sequence[Image]) -> np.ndarray: ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray: ...


def image_vectors(model: Encoder, scenes: Sequence[Scene], say: Callable[[float], None] = lambda share: None
                  ) -> np.ndarray:
    """(n, d) float32 unit vectors of scenes, rendered at 128 px; ``say`` is told how far it is, 0 to 1."""
    reader = SceneImages(scenes, SIZE)
    parts = []
    for start in range(0, len(scenes), 128):
        stop = min(start + 128, len(scenes))
        parts.append(model.encode_images([reader.decode(i) for i in range(start, stop)]))
        say(stop / len(scenes))
    return unit(np.concatenate(parts))


def text_vectors(model: Encoder, texts: Sequence[str]) -> np.ndarray:
    """(n, d) float32 unit vectors of texts; each distinct text is encoded once."""
    distinct = {t: i for i, t in enumerate(dict.fromkeys(texts))}
    names = list(distinct)
    vectors = unit(np.concatenate([model.encode_texts(names[i:i + 512]) for i in range(0, len(names), 512)]))
    return vectors[[distinct[t] for t in texts]]


def described(scene: Scene) -> tuple[object, ...]:
    """What a full description of a scene tells: two scenes of which it is equal cannot be told apart by it."""
    return scene.setting, scene.style, *sorted((s.shape, s.colour, s.texture, s.size) for s in scene.solids)


def distinct_scenes(n: int, seed: int) -> list[Scene]:
    """Scenes of one to three solids, no two of which have the same description."""
    kept: dict[tuple[object, ...], Scene] = {}
    start = 0
    while len(kept) < n:
        for scene in sample_scenes(start + n, seed, held_out=None)[start:]:
            kept.setdefault(described(scene), scene)
        start += n
    return list(kept.values())[:n]


def evaluate_model(model: Encoder, *, seed: int = 0, shots: int = SHOTS, gallery: int = GALLERY,
                   on_progress: Callable[[float, str], None] | None = None) -> dict[str, Number]:
    """Zero-shot accuracy on single solids of held-out combinations, and retrieval among distinct descriptions.

    ``zero_shot_<attribute>`` names the scene's other attributes in the prompt; ``zero_shot_bare_<attribute>`` names
    the attribute alone.

    Parameters
    ----------
    model : anything that encodes images and texts.
    seed : which scenes.
    shots : single-solid scenes, >= 1.
    gallery : scenes to retrieve from, >= 2.

    Returns
    -------
    Numbers by name, shares in [0, 1] with 95 % intervals and chance as null.
    """
    def say(share: float, text: str) -> None:
        if on_progress:
            on_progress(share, text)

    scenes = sample_scenes(shots, 90_000 + seed, count=1, held_out=True)
    images = image_vectors(model, scenes, lambda f: say(0.5 * f, "Encoding scenes of held-out combinations"))
    facts = [{k: v for k, v in attributes(s).items() if k != "count"} for s in scenes]
    figures: dict[str, Number] = {}
    for step, name in enumerate(NAMED):
        say(0.5 + 0.06 * step, f"Encoding prompts for {name}")
        classes = ATTRIBUTES[name]
        truth = np.array([classes.index(f[name]) for f in facts])
        named = text_vectors(model, [prompt(**{**f, name: c}) for f in facts for c in classes])
        figures[f"zero_shot_{name}"] = accuracy(images, named.reshape(len(facts), len(classes), -1), truth)
        bare = text_vectors(model, [BARE[name][c] for c in classes])
        figures[f"zero_shot_bare_{name}"] = accuracy(images, bare, truth)
    scenes = distinct_scenes(gallery, 95_000 + seed)
    x = image_vectors(model, scenes, lambda f: say(0.8 + 0.2 * f, "Encoding the gallery"))
    y = text_vectors(model, [full_caption(s) for s in scenes])
    figures[f"retrieval_r1_of_{gallery}_image_to_text"] = recall_at(x, y)
    figures[f"retrieval_r1_of_{gallery}_text_to_image"] = recall_at(y, x)
    return figures
