"""The dials of a training of the two small towers: all that a run depends on, but its pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from core.errors import ChoiceError, OrreryError, check_choice


@dataclass(frozen=True)
class Dial:
    """One thing that can be turned.

    Attributes
    ----------
    title, help : of its widget.
    low, high : ends of its range, where it is a number.
    doses : the values of its dose-response curve, from harmless to harmful; empty where none is drawn.
    choices : key and title of each choice, where it is none.
    data : whether it changes the pairs, and not the training.
    world : whether it needs the concepts of the built-in world.
    """

    title: str
    help: str
    low: float = 0.0
    high: float = 0.0
    doses: tuple[float, ...] = ()
    choices: Mapping[str, str] | None = None
    data: bool = False
    world: bool = False


DIALS: dict[str, Dial] = {
    "caption_noise": Dial("Caption noise", "Share of training captions that say another concept.", 0, 0.9,
                          (0, 0.2, 0.4, 0.6), data=True),
    "mismatched": Dial("Mismatched pairs", "Share of training images whose captions are dealt out among them.", 0, 1,
                       (0, 0.2, 0.4, 0.6), data=True),
    "vague": Dial("Vague captions", "Share of training captions that leave out the solid, the colour or both.", 0, 1,
                  (0, 0.2, 0.4, 0.6), data=True, world=True),
    "unique": Dial("Unique pairs", "Share of training pairs that are unlike all others; they are repeated to the same "
                   "number.", 0.01, 1, (1, 0.1, 0.03, 0.01), data=True),
    "imbalance": Dial("Imbalance", "How fast classes get rarer: each has exp(-rate) times the pairs of the one before.",
                      0, 1.5, (0, 0.2, 0.4, 0.8), data=True, world=True),
    "missing": Dial("Missing classes", "Share of classes that are never trained on.", 0, 0.75, (0, 1 / 6, 1 / 3, 0.5),
                    data=True, world=True),
    "blur": Dial("Blur", "Radius of a Gaussian over training images, as a share of their side.", 0, 0.2,
                 (0, 0.03, 0.06, 0.12), data=True),
    "batch": Dial("Batch size", "Pairs in a step: each is told from all others of its batch.", 8, 512,
                  (128, 64, 32, 16)),
    "temperature": Dial("Temperature", "Fixed at this value; 0 learns it, from 0.07.", 0, 1, (0.05, 0.1, 0.2, 0.5, 1)),
    "loss": Dial("Loss", "What is minimised.", choices={
        "info_nce": "InfoNCE (CLIP)", "sigmoid": "Sigmoid (SigLIP)", "alignment_uniformity": "Alignment + uniformity"}),
    "distance": Dial("Distance", "What the loss reads from two points.", choices={
        "cosine": "Cosine", "geodesic": "Geodesic, the angle", "euclidean": "Squared Euclidean, off the sphere "
        "(EuCLIP)"}),
    "tower": Dial("Image tower", "How pictures become vectors.", choices={
        "convolution": "Convolutions", "patches": "Patches with attention"}),
    "projection": Dial("Projection", "The last linear map of both towers.", choices={
        "separate": "One for each", "shared": "One for both"}),
    "start": Dial("Start", "Where the two clouds lie before training.", choices={
        "free": "Where they fall", "turned": "Means at most 85° apart", "closed": "Means in one place"}),
}


@dataclass(frozen=True)
class Setup:
    """All that a run depends on but its pairs: the same setup and pairs give the same record.

    Attributes
    ----------
    seed : of weights, batches and faults, >= 0.
    steps, every : how many, and how many lie between two snapshots.
    batch : pairs in a step.
    learning_rate : the highest, of AdamW under a one-cycle schedule.
    dim : of the features, >= 2; with 3 the sphere that one sees is the space itself.
    loss, distance, tower, projection, start : a choice of `DIALS`.
    temperature : fixed at this value, or learned from 0.07 where it is 0.
    caption_noise, mismatched, vague, unique, imbalance, missing, blur : faults of the training pairs, see `DIALS`.

    Raises
    ------
    ChoiceError
        If a value is outside its dial.
    """

    seed: int = 0
    steps: int = 600
    every: int = 10
    batch: int = 128
    learning_rate: float = 5e-3
    dim: int = 3
    loss: str = "info_nce"
    distance: str = "cosine"
    tower: str = "convolution"
    projection: str = "separate"
    start: str = "free"
    temperature: float = 0.0
    caption_noise: float = 0.0
    mismatched: float = 0.0
    vague: float = 0.0
    unique: float = 1.0
    imbalance: float = 0.0
    missing: float = 0.0
    blur: float = 0.0

    def __post_init__(self) -> None:
        for name, dial in DIALS.items():
            value = getattr(self, name)
            if dial.choices is not None:
                check_choice(dial.title.lower(), value, dial.choices)
            elif not dial.low <= value <= dial.high:
                raise ChoiceError(f"{dial.title.lower()} between {dial.low:g} and {dial.high:g}", repr(value))
        for name, low, high in (("seed", 0, 2**31), ("steps", 1, 20_000), ("every", 1, 20_000), ("dim", 2, 512),
                                ("learning_rate", 1e-6, 10)):
            if not low <= getattr(self, name) <= high:
                raise ChoiceError(f"{name.replace('_', ' ')} between {low:g} and {high:g}", repr(getattr(self, name)))

    def but(self, **changes: Any) -> Setup:
        """The same with other values."""
        return replace(self, **changes)

    def as_json(self) -> dict[str, object]:
        """All values by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> Setup:
        """What `as_json` gave; missing names take their defaults.

        Raises
        ------
        OrreryError
            If a name is unknown or a value is of another kind; ChoiceError if it is outside its dial.
        """
        kinds: dict[str, type[Any]] = {field.name: type(field.default) for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in said.items():
            if name not in kinds:
                raise OrreryError(f"dials among {', '.join(kinds)}", repr(name))
            kind = kinds[name]
            if isinstance(value, bool) or not (isinstance(value, kind) or (kind is float and isinstance(value, int))):
                raise OrreryError(f"{name} as {'a number' if kind is not str else 'a word'}", repr(value))
            if isinstance(value, float) and not math.isfinite(value):
                raise OrreryError(f"a finite {name}", repr(value))
            values[name] = float(value) if kind is float else value  # type: ignore[arg-type]
        return cls(**values)
