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
    visits : number of the scene that each shot shows, from 0 in the order of appearance; a number comes again where the
        film comes back. Empty where each shot shows a scene of its own.
    flashes : frames that are nearly white, inside a shot.
    whips : first frame and frame after the last of each quick turn of the camera, away and back, inside a shot.
    """

    kind: str
    shots: tuple[tuple[Scene, ...], ...]
    fade: int = 0
    fps: float = 12.0
    visits: tuple[int, ...] = ()
    flashes: tuple[int, ...] = ()
    whips: tuple[tuple[int, int], ...] = ()

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
    def scenes(self) -> np.ndarray:
        """(frames,) int64, number of the scene that each frame shows; in a fade, of the one that comes."""
        starts = self.starts
        return np.repeat(self.visits or range(len(self.shots)), np.diff([*starts, len(self)])).astype(np.int64)

    @property
    def times(self) -> np.ndarray:
        """(frames,) float64, seconds."""
        return np.arange(len(self)) / self.fps


def frames(film: Film, size: int = 128) -> Iterator[np.ndarray]:
    """The frames in order, (size, size, 3) uint8, rendered as they are asked for."""
    for i, picture in enumerate(_unlit(film, size)):
        yield (FLASH * 255 + (1 - FLASH) * picture + 0.5).astype(np.uint8) if i in film.flashes else picture


def _unlit(film: Film, size: int) -> Iterator[np.ndarray]:
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


def _ordered(kind: str, rng: np.random.Generator, n: int | None) -> Film:
    """Nothing is drawn that depends on the kind: it decides on nothing but the order of the shots."""
    count = len(ORDERS[kind])
    lengths = rng.integers(SHOT_LENGTHS[0], SHOT_LENGTHS[1] + 1, count)
    if n is not None:
        lengths = np.diff(np.linspace(0, n, count + 1).round()).astype(np.int64)
    visits = lengths.reshape(-1, 2).tolist()
    whipped, *flashed = rng.permutation(count)[:3].tolist()
    quick, wide = WHIP_FRAMES, float(rng.choice([-1, 1]) * rng.uniform(*WHIP_STEPS))
    shots, marks, whips = [], {}, {}
    for k, (first, second) in enumerate(visits):
        scene, speed = sample_scene(rng), float(rng.choice([-1, 1]) * rng.uniform(*SPEEDS))
        steps = np.full(first + second, speed)
        for visit, (start, length) in enumerate(((0, first), (first, second))):
            shot = 2 * k + visit
            if shot == whipped:
                at = 1 + int(rng.integers(0, max(length - quick - 1, 1)))
                whips[shot] = (at, at + quick)
                steps[start + at:start + at + quick] = wide * np.repeat([1, -1], quick // 2)
            if shot in flashed:
                marks[shot] = int(rng.integers(2, length - 2))
        yaws = scene.camera.yaw + np.cumsum(steps) - steps[0]
        seen = tuple(replace(scene, camera=replace(scene.camera, yaw=float(yaw))) for yaw in yaws)
        shots += [seen[:first], seen[first:]]
    letters = sorted(set(ORDERS[kind]))
    numbers = [letters.index(letter) for letter in ORDERS[kind]]
    order = [2 * number + numbers[:i].count(number) for i, number in enumerate(numbers)]
    starts = dict(zip(order, np.cumsum([0, *(len(shots[shot]) for shot in order)]).tolist()))
    return Film(kind, tuple(shots[shot] for shot in order), visits=tuple(numbers),
                flashes=tuple(sorted(starts[shot] + at for shot, at in marks.items())),
                whips=tuple((starts[shot] + a, starts[shot] + b) for shot, (a, b) in whips.items()))


ORDERS = {"loop": "ABCDABCD", "duets": "ABABCDCD", "arch": "ABCDCBAD"}
SHOT_LENGTHS, SPEEDS = (11, 14), (0.012, 0.038)
WHIP_FRAMES, WHIP_STEPS = 4, (0.5, 0.9)
FLASH = 0.92
FILMS: dict[str, Callable[[np.random.Generator, int], Film]] = {
    "orbit": _orbit, "chase": _chase, "drift": _drift, "montage": _montage, "fades": _fades,
}
KINDS = (*FILMS, *ORDERS)
SHORTEST, USUAL = 48, 120


def make_film(kind: str, n: int | None = None, seed: int = 0) -> Film:
    """A film of a kind.

    Kinds of ``ORDERS`` show the same four scenes twice each, in eight shots of 11 to 14 frames; each visit goes on with
    the camera where the one before it left. Two flashes and one whip pan are inside shots. Their kinds differ in the
    order of the shots ONLY: with one seed all three have the very same frames.

    Parameters
    ----------
    kind : one of KINDS.
    n : frames, at least 48; None: 120, or what the shots of a kind of ORDERS need. Where it is given, those shots are
        equally long but for a frame.
    seed : which film.

    Raises
    ------
    ChoiceError, ShapeError
        If the kind is unknown or the film too short.
    """
    check_choice("kind of film", kind, KINDS)
    if n is not None and n < SHORTEST:
        raise ShapeError(f"at least {SHORTEST} frames", str(n))
    if kind in ORDERS:
        return _ordered(kind, np.random.default_rng((seed, len(FILMS))), n)
    return FILMS[kind](np.random.default_rng((seed, list(FILMS).index(kind))), n or USUAL)
