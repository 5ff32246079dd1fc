"""Pictures of the sphere on which the point of the current frame moves, and of a film beside it, for a video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ShapeError
from core.figures import theme
from core.figures.scenes.painting import BEHIND, SUPERSAMPLED, PaintedSphere, towards
from core.geometry import directions as s2
from core.geometry.films.trajectory import Trajectory

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_STEP = np.radians(4)   # longest straight piece of a great circle
_DASH = np.radians(2.5)
_FAINT = 0.32           # share of a colour that is left ahead of the film


def in_words(seconds: float) -> str:
    """A time as one reads it below the sphere."""
    return f"{seconds:.1f} s"


def place_at(path: Trajectory, seconds: float, starts: np.ndarray | None = None) -> np.ndarray:
    """Where a path is at a time: on the great circle between two frames, over a cut still at the frame before.

    Parameters
    ----------
    path : points (n, d).
    seconds : before the first time the first point counts, after the last the last.
    starts : frames at which a shot begins, int; none by default.

    Returns
    -------
    (d,) float64, unit.
    """
    k = int(np.clip(np.searchsorted(path.times, seconds, side="right") - 1, 0, len(path) - 1))
    here = path.points[k].astype(np.float64)
    if k + 1 == len(path) or seconds <= path.times[k] or (starts is not None and k + 1 in starts):
        return here / np.linalg.norm(here)
    share = (seconds - path.times[k]) / (path.times[k + 1] - path.times[k])
    return s2.exp_map(here, share * s2.log_map(here, path.points[k + 1]))


class MovingSphere(PaintedSphere):
    """The sphere with a path, as it is at any time of its film.

    What is given at a time depends on nothing but that time; times that rise are drawn fastest.

    Parameters
    ----------
    path : points (n, 3) on the map, unit, and their times, s.
    starts : frames at which a shot begins: the steps that lead there are drawn as cuts, thin and dashed.
    size : of a picture, pixels a side, at least 64; even, for a video.
    direction : (3,) from where to look; by default the middle of the path.
    up : (3,) what is up on the picture; by default the z axis.
    dark : colours for a dark background.
    say : how a time is written.

    Raises
    ------
    ShapeError
        If the points are not on a sphere in three dimensions, or the size is below 64 or odd.
    """

    _drawn: int

    def __init__(self, path: Trajectory, *, starts: np.ndarray | None = None, size: int = 480,
                 direction: np.ndarray | None = None, up: np.ndarray | None = None, dark: bool = False,
                 say: Callable[[float], str] = in_words) -> None:
        if path.points.shape[1] != 3:
            raise ShapeError("points (n, 3) of the map", f"shape {path.points.shape}")
        self._say = say
        self.path, self._starts = path, frozenset(() if starts is None else np.asarray(starts, dtype=int).tolist())
        share = (path.times - path.times[0]) / max(path.times[-1] - path.times[0], 1e-9)
        self._colours = [tuple(c) for c in theme.sequence(dark)[np.round(share * 255).astype(int)].tolist()]
        super().__init__(size=size, direction=_middle(path.points) if direction is None else direction, up=up,
                         dark=dark)

    def at(self, seconds: float) -> np.ndarray:
        """The picture at a time of the film, s: (size, size, 3) uint8."""
        from PIL import ImageDraw

        frame = int(np.clip(np.searchsorted(self.path.times, seconds, side="right") - 1, 0, len(self.path) - 1))
        if frame < self._drawn:
            self._begin()
        for k in range(self._drawn, frame):
            self._step(k, self._colours[k], bright=True)
        self._drawn = frame
        place = place_at(self.path, seconds, np.fromiter(self._starts, dtype=int))
        picture = self._merged()
        pen = ImageDraw.Draw(picture)
        self._under_way(pen, self.path.points[frame], place, self._colours[frame])
        (x, y), facing = (v[0] for v in self._seen(place[None]))
        self._ring(pen, x, y, self._colours[frame], 1.0 if facing > 0 else BEHIND)
        picture = picture.reduce(SUPERSAMPLED)
        self._write(ImageDraw.Draw(picture), self._say(seconds))
        return np.asarray(picture)

    def _begin(self) -> None:
        super()._begin()
        self._drawn = 0     # steps that are bright

    def _stands_still(self) -> None:
        """The whole path, faint."""
        for k in range(len(self.path) - 1):
            self._step(k, self._colours[k], bright=False)

    def _step(self, k: int, colour: tuple[int, ...], *, bright: bool) -> None:
        """The step that leaves frame k."""
        a, b = self.path.points[k], self.path.points[k + 1]
        angle = float(s2.angle(a, b))
        cut = k + 1 in self._starts
        pieces = max(1, int(np.ceil(angle / (_DASH if cut else _STEP))))
        line = s2.arcs(a[None], b[None], steps=pieces + 1)[0]
        width = round(SUPERSAMPLED * (1 if cut else 3 if bright else 2))
        if not bright:
            colour = towards(colour, theme.rgb(self._palette.sphere), _FAINT)
        for piece in ([line[i:i + 2] for i in range(0, pieces, 2)] if cut else [line]):
            self._polyline(piece, colour, width)

    def _under_way(self, pen: ImageDraw, here: np.ndarray, place: np.ndarray, colour: tuple[int, ...]) -> None:
        """The part of a step that is behind the point."""
        pieces = max(1, int(np.ceil(float(s2.angle(here, place)) / _STEP)))
        at, facing = self._seen(s2.arcs(here[None], place[None], steps=pieces + 1)[0])
        strength = 1.0 if facing.mean() > 0 else BEHIND
        pen.line([tuple(p) for p in at.tolist()], width=3 * SUPERSAMPLED,
                 fill=towards(colour, theme.rgb(self._palette.sphere), strength))

    def _ring(self, pen: ImageDraw, x: float, y: float, colour: tuple[int, ...], strength: float) -> None:
        p = self._palette
        body = theme.rgb(p.sphere)
        for radius, of in ((9.5, theme.rgb(p.background)), (7.5, theme.rgb(p.text)), (5.5, theme.rgb(p.background)),
                           (4.0, colour)):
            r = radius * SUPERSAMPLED * self.size / 480
            pen.ellipse((x - r, y - r, x + r, y + r), fill=towards(of, body, strength))

    def _write(self, pen: ImageDraw, words: str) -> None:
        """The time, and what the colours of the path say."""
        from PIL import ImageFont

        p, size = self._palette, self.size
        edge = round(size * 0.03)
        large, small = (ImageFont.load_default(max(11, round(size * share))) for share in (0.045, 0.03))
        pen.text((edge, edge), words, fill=p.text, font=large)
        ramp, wide = theme.sequence(self.dark, steps=64), size * 0.26
        low = size - edge - round(size * 0.02)
        for i, colour in enumerate(ramp.tolist()):
            pen.rectangle((edge + wide * i / 64, low, edge + wide * (i + 1) / 64, size - edge), fill=tuple(colour))
        ends = (self._say(float(self.path.times[0])), self._say(float(self.path.times[-1])))
        pen.text((edge, low - 2), ends[0], fill=p.muted, font=small, anchor="lb")
        pen.text((edge + wide, low - 2), ends[1], fill=p.muted, font=small, anchor="rb")


def moving_sphere(path: Trajectory, seconds: float, *, starts: np.ndarray | None = None, size: int = 480,
                  direction: np.ndarray | None = None, dark: bool = False) -> np.ndarray:
    """One picture of `MovingSphere`, which is made once for several: (size, size, 3) uint8."""
    return MovingSphere(path, starts=starts, size=size, direction=direction, dark=dark).at(seconds)


def side_by_side(film: np.ndarray, sphere: np.ndarray, height: int, *, dark: bool = False) -> np.ndarray:
    """A frame of a film and the sphere, equally high, on one picture of even sides.

    Parameters
    ----------
    film, sphere : (h, w, 3) uint8 each, of any size.
    height : of the picture, pixels; the next even number counts.
    dark : colours of the gap between them.

    Returns
    -------
    (height, width, 3) uint8; equal sizes give an equal size.
    """
    from PIL import Image

    height = max(2, height + height % 2)
    parts = []
    for picture in (film, sphere):
        if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
            raise ShapeError("pictures (h, w, 3), not empty", f"shape {picture.shape}")
        h, w = picture.shape[:2]
        width = max(2, 2 * round(w * height / h / 2))
        fits = (w, h) == (width, height)
        parts.append(picture if fits else np.asarray(
            Image.fromarray(np.ascontiguousarray(picture)).resize((width, height), Image.Resampling.LANCZOS)))
    gap = np.full((height, 8, 3), theme.rgb(theme.palette(dark).background), dtype=np.uint8)
    return np.concatenate([parts[0], gap, parts[1]], axis=1)


def film_with_sphere(frames: Iterable[tuple[float, np.ndarray]], sphere: MovingSphere,
                     height: int | None = None) -> Iterator[np.ndarray]:
    """A film beside the moving sphere, picture by picture.

    Parameters
    ----------
    frames : time, s, and picture (h, w, 3) uint8 of each, all of one size; read as they are needed.
    sphere : of the film's path.
    height : of the pictures, pixels; that of the sphere by default.

    Yields
    ------
    (height, width, 3) uint8 of even sides, one for each frame.
    """
    for seconds, frame in frames:
        yield side_by_side(frame, sphere.at(seconds), height or sphere.size, dark=sphere.dark)


def _middle(points: np.ndarray) -> np.ndarray:
    mean = points.mean(axis=0, dtype=np.float64)
    return mean / np.linalg.norm(mean) if np.linalg.norm(mean) > 1e-6 else np.array([0.8, -0.5, 0.33])
