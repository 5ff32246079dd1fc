"""Short films of the built-in world, with known kind, cuts and fades."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_choice
from core.sources.solids.render import render_chunks
from core.sources.solids.scene import Scene, Solid, sample_scene


@dataclass(frozen=True)
class Film:
    """Shots, frame by frame, and how they follow each other.

    Attributes
    ----------
    kind : a key of FILMS.
    shots : for each shot, the scene of each of its frames.
    fade : frames over which two shots dissolve into each other; 0 for hard cuts.
    fps : frames per second.
    """

    kind: str
    shots: tuple[tuple[Scene, ...], ...]
    fade: int = 0
    fps: float = 12.0

    @property
    def starts(self) -> list[int]:
        """Frame at which each shot begins to be seen."""
        at, starts = 0, []
        for shot in self.shots:
            starts.append(at)
            at += len(shot) - self.fade
        return starts

    def __len__(self) -> int:
        return self.starts[-1] + len(self.shots[-1])

    @property
    def cuts(self) -> list[int]:
        """First frames of new shots after a hard cut."""
        return [] if self.fade else self.starts[1:]

    @property
    def fades(self) -> list[tuple[int, int]]:
        """First frame and frame after the last of each dissolve."""
        return [(s, s + self.fade) for s in self.starts[1:]] if self.fade else []

    @property
    def times(self) -> np.ndarray:
        """(frames,) float64, seconds."""
        return np.arange(len(self)) / self.fps


def frames(film: Film, size: int = 128) -> Iterator[np.ndarray]:
    """The frames in order, (size, size, 3) uint8, rendered as they are asked for."""
    tail: list[np.ndarray] = []
    for k, shot in enumerate(film.shots):
        last = k == len(film.shots) - 1
        pictures = (p for chunk in render_chunks(shot, size) for p in chunk.images)
        held: list[np.ndarray] = []
        for i, picture in enumerate(pictures):
            if k and i < film.fade:
                share = (i + 1) / (film.fade + 1)
                mixed = (1 - share) * tail[i].astype(np.float32) + share * picture
                yield (mixed + 0.5).astype(np.uint8)
            elif not last and i >= len(shot) - film.fade:
                held.append(picture)
            else:
                yield picture
        tail = held


def _turning(scene: Scene, n: int, angle: float) -> tuple[Scene, ...]:
    """The camera goes round by ``angle`` radians."""
    steps = np.linspace(0, angle, n, endpoint=False)
    return tuple(replace(scene, camera=replace(scene.camera, yaw=scene.camera.yaw + float(a))) for a in steps)


def _orbit(rng: np.random.Generator, n: int) -> Film:
    return Film("orbit", (_turning(sample_scene(rng, count=1), n, 2 * math.pi),))


def _drift(rng: np.random.Generator, n: int) -> Film:
    scene = sample_scene(rng, count=int(rng.integers(1, 4)))
    aim, away = scene.camera.target, rng.uniform(0.8, 1.4)
    along = (math.cos(scene.camera.yaw), -math.sin(scene.camera.yaw))
    shot = []
    for a in np.linspace(-1, 1, n):
        target = (aim[0] + float(a) * away * along[0], aim[1], aim[2] + float(a) * away * along[1])
        camera = replace(scene.camera, target=target, yaw=scene.camera.yaw + 0.15 * float(a))
        shot.append(replace(scene, camera=camera))
    return Film("drift", (tuple(shot),))


def _chase(rng: np.random.Generator, n: int) -> Film:
    scene = sample_scene(rng, count=2)
    shot = []
    for a in np.linspace(0, 2 * math.pi, n, endpoint=False):
        def at(solid: Solid, phase: float, a: float = float(a)) -> Solid:
            return replace(solid, x=1.5 * math.sin(a + phase), z=1.1 * math.cos(a + phase), yaw=solid.yaw + a,
                           lift=0.25 * abs(math.sin(3 * (a + phase))))

        leader, follower = scene.solids
        shot.append(replace(scene, solids=(at(leader, 0.0), at(follower, -1.9)),
                            camera=replace(scene.camera, target=(0.0, 0.7, 0.0), distance=6.6)))
    return Film("chase", (tuple(shot),))


def _shots(rng: np.random.Generator, n: int, count: int, fade: int) -> tuple[tuple[Scene, ...], ...]:
    lengths = rng.multinomial(n + fade * (count - 1) - count * (2 * fade + 6), np.ones(count) / count) + 2 * fade + 6
    return tuple(_turning(sample_scene(rng), int(length), float(rng.uniform(0.3, 0.9))) for length in lengths)


def _montage(rng: np.random.Generator, n: int) -> Film:
    return Film("montage", _shots(rng, n, max(2, n // 24), 0))


def _fades(rng: np.random.Generator, n: int) -> Film:
    return Film("fades", _shots(rng, n, max(2, n // 48), 8), fade=8)


FILMS: dict[str, Callable[[np.random.Generator, int], Film]] = {
    "orbit": _orbit, "chase": _chase, "drift": _drift, "montage": _montage, "fades": _fades,
}
SHORTEST = 48


def make_film(kind: str, n: int = 120, seed: int = 0) -> Film:
    """A film of a kind.

    Parameters
    ----------
    kind : a key of FILMS.
    n : frames, at least 48.
    seed : which film.

    Raises
    ------
    ChoiceError, ShapeError
        If the kind is unknown or the film too short.
    """
    check_choice("kind of film", kind, FILMS)
    if n < SHORTEST:
        raise ShapeError(f"at least {SHORTEST} frames", str(n))
    return FILMS[kind](np.random.default_rng((seed, list(FILMS).index(kind))), n)
