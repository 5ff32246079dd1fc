"""A scene of the built-in world as a value, and seeded scenes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from core.errors import ShapeError, check_choice
from core.sources.solids.shapes import REST
from core.sources.solids.vocabulary import (
    ATTRIBUTES,
    COLOURS,
    FLAT_SOLIDS,
    SETTINGS,
    SIZES,
    SOLIDS,
    STYLES,
    TEXTURES,
    held_out_combinations,
)
from core.types import fingerprint

SINGLE_RADIUS = {"small": (0.72, 0.86), "large": (1.08, 1.28)}
GROUP_RADIUS = {"small": (0.58, 0.68), "large": (0.86, 0.98)}


@dataclass(frozen=True)
class Solid:
    """One solid: names from the vocabulary, radius and ground position (world units), turn and lean (radians)."""

    shape: str
    colour: str
    texture: str = "plain"
    size: str = "large"
    radius: float = 1.15
    x: float = 0.0
    z: float = 0.0
    lift: float = 0.0
    yaw: float = 0.0
    lean: float = 0.0

    def __post_init__(self) -> None:
        for what, value, valid in (("solid", self.shape, SOLIDS), ("colour", self.colour, COLOURS),
                                   ("texture", self.texture, TEXTURES), ("size", self.size, SIZES)):
            check_choice(what, value, valid)

    @property
    def centre(self) -> tuple[float, float, float]:
        return self.x, self.radius * REST[self.shape] + self.lift, self.z


@dataclass(frozen=True)
class Camera:
    """A pinhole camera on an orbit round ``target``: angles in radians, distance in world units."""

    yaw: float = 0.0
    pitch: float = 0.35
    distance: float = 5.2
    target: tuple[float, float, float] = (0.0, 0.9, 0.0)
    field_of_view: float = 0.70


@dataclass(frozen=True)
class Scene:
    """One to three solids in a setting, drawn in a style, seen by a camera under a light."""

    solids: tuple[Solid, ...]
    setting: str = "studio"
    style: str = "photo"
    camera: Camera = Camera()
    light_yaw: float = 0.7
    light_height: float = 0.9
    brightness: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("setting", self.setting, SETTINGS)
        check_choice("style", self.style, STYLES)
        if not 1 <= len(self.solids) <= 3:
            raise ShapeError("one to three solids", str(len(self.solids)))

    @property
    def fingerprint(self) -> str:
        return fingerprint("scene", asdict(self))

    @property
    def held_out(self) -> bool:
        """Whether any solid is of a combination never shown in training."""
        return any((s.shape, s.colour, self.style) in held_out_combinations() for s in self.solids)


def _view(rng: np.random.Generator, shape: str, camera_yaw: float) -> float:
    """Turn of a solid: flat ones mostly show their face, everything else is seen from anywhere."""
    if shape in FLAT_SOLIDS and rng.random() < 0.85:
        return camera_yaw + rng.uniform(-0.95, 0.95) + (math.pi if rng.random() < 0.5 else 0.0)
    return rng.uniform(0, 2 * math.pi)


def sample_scene(rng: np.random.Generator, *, count: int | None = None, held_out: bool | None = False,
                 **fixed: str) -> Scene:
    """A random scene.

    Parameters
    ----------
    rng : source of randomness.
    count : number of solids, 1 to 3; random (one in six of ten) when None.
    held_out : False for training combinations only, True for held-out ones only, None for any.
    fixed : attributes held fixed, by the names of vocabulary.ATTRIBUTES.

    Raises
    ------
    ChoiceError
        If a fixed attribute or its value is unknown.
    """
    for name, value in fixed.items():
        check_choice("attribute", name, ATTRIBUTES)
        check_choice(name, value, ATTRIBUTES[name])
    if count is None:
        count = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))

    def pick(attribute: str) -> str:
        return fixed.get(attribute) or ATTRIBUTES[attribute][rng.integers(len(ATTRIBUTES[attribute]))]

    forbidden = held_out_combinations()
    for _ in range(1000):
        style = pick("style")
        kinds = [(pick("solid"), pick("colour")) for _ in range(count)]
        if held_out is None or all(((s, c, style) in forbidden) == held_out for s, c in kinds):
            break
    else:
        raise ShapeError("a combination of solid, colour and style that may be drawn", f"only {fixed}",
                         "Fix fewer attributes, or choose another value of held_out.")

    yaw = rng.uniform(0, 2 * math.pi)
    pitch = rng.uniform(0.16, 0.62)
    right = (math.cos(yaw), -math.sin(yaw))
    toward = (math.sin(yaw), math.cos(yaw))
    solids = []
    slots = (rng.permutation(count) - (count - 1) / 2).tolist()
    for (shape, colour), slot in zip(kinds, slots):
        size = pick("size")
        radius = rng.uniform(*(SINGLE_RADIUS if count == 1 else GROUP_RADIUS)[size])
        across = slot * 1.72 + rng.uniform(-0.12, 0.12) if count > 1 else 0.0
        depth = rng.uniform(-0.7, 0.7) if count > 1 else 0.0
        solids.append(Solid(shape, colour, pick("texture"), size, radius,
                            x=across * right[0] + depth * toward[0], z=across * right[1] + depth * toward[1],
                            yaw=_view(rng, shape, yaw), lean=rng.normal(0, 0.07)))
    distance = rng.uniform(4.3, 4.8) if count == 1 else rng.uniform(5.2, 5.8) + 0.9 * (count - 2)
    free = 0.2 if count > 1 or solids[0].size == "large" else 0.55
    aside, above = rng.uniform(-free, free), rng.uniform(-free, free) * 0.6
    height = float(np.mean([s.centre[1] for s in solids]))
    target = (aside * right[0], height + above, aside * right[1])
    return Scene(tuple(solids), pick("setting"), style, Camera(yaw, pitch, distance, target),
                 light_yaw=yaw + rng.uniform(-1.2, 1.2), light_height=rng.uniform(0.5, 1.1),
                 brightness=rng.uniform(0.88, 1.12), seed=int(rng.integers(2**31)))


def sample_scenes(n: int, seed: int, *, count: int | None = None, held_out: bool | None = False,
                  **fixed: str) -> list[Scene]:
    """``n`` scenes; scene i depends on the seed and i alone, so a longer list begins with the shorter one."""
    return [sample_scene(np.random.default_rng((seed, i)), count=count, held_out=held_out, **fixed) for i in range(n)]
