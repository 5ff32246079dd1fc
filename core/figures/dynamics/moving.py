"""A training as a video: the points of its probe on the painted sphere, at any moment between two snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.errors import ShapeError
from core.figures import theme
from core.figures.scenes.painting import BEHIND, SUPERSAMPLED, PaintedSphere, towards
from core.geometry import directions as s2

TRAIL = 4       # snapshots that a point's way is seen back
_RADII = {"image": 3.2, "text": 6.0}    # pixels of a picture of 480


class MovingPoints(PaintedSphere):
    """The sphere with the points of a record, as they lie at any moment of it.

    Parameters
    ----------
    images, texts : (s, n, 3) and (s, m, 3), unit rows: places on the map at each snapshot.
    size, direction, up, dark : as `core.figures.scenes.painting.PaintedSphere` takes them; by default seen from the
        side on which the last texts lie.
    colours : one of each image, as "#rrggbb"; by default the colour of images.
    say : what is written at a moment, counted in snapshots.

    Raises
    ------
    ShapeError
        If the points are not on a sphere in three dimensions.
    """

    def __init__(self, images: np.ndarray, texts: np.ndarray, *, size: int = 480, direction: np.ndarray | None = None,
                 up: np.ndarray | None = None, dark: bool = False, colours: Sequence[str] | None = None,
                 say: Callable[[float], str] = "{:.0f}".format) -> None:
        if images.ndim != 3 or images.shape[2] != 3 or texts.shape[0] != images.shape[0] or texts.shape[2:] != (3,):
            raise ShapeError("places (s, n, 3) of images and texts on the map", f"{images.shape} and {texts.shape}")
        self._places = {"image": images.astype(np.float64), "text": texts.astype(np.float64)}
        self._say = say
        if direction is None:
            mean = texts[-1].mean(axis=0) + 1e-3 * np.array([0.8, -0.5, 0.33])
            direction = mean / np.linalg.norm(mean)
        super().__init__(size=size, direction=direction, up=up, dark=dark)
        kinds = self._palette.kinds
        self._colours = {"image": [theme.rgb(c) for c in colours or [kinds["image"]] * images.shape[1]],
                         "text": [theme.rgb(kinds["text"])] * texts.shape[1]}

    def __len__(self) -> int:
        return len(self._places["image"])

    def place(self, kind: str, moment: float) -> np.ndarray:
        """Where the points lie: (n, 3) float64 unit, on the great circles between two snapshots."""
        at = float(np.clip(moment, 0, len(self) - 1))
        k = min(int(at), len(self) - 2) if len(self) > 1 else 0
        here, there = self._places[kind][k], self._places[kind][min(k + 1, len(self) - 1)]
        return s2.exp_map(here, (at - k) * s2.log_map(here, there))

    def at(self, moment: float) -> np.ndarray:
        """The picture at a moment, counted in snapshots from 0: (size, size, 3) uint8."""
        from PIL import ImageDraw

        self._begin()
        last = int(np.clip(moment, 0, len(self) - 1))
        back = range(max(0, last - TRAIL), last + 1)
        for kind in ("image", "text"):
            ways = np.stack([*(self._places[kind][k] for k in back), self.place(kind, moment)], axis=1)
            for way, colour in zip(ways, self._colours[kind]):
                self._polyline(way, towards(colour, theme.rgb(self._palette.sphere), 0.35), SUPERSAMPLED)
        picture = self._merged()
        pen = ImageDraw.Draw(picture)
        for near in (False, True):
            for kind in ("image", "text"):
                self._dots(pen, kind, moment, near)
        picture = picture.reduce(SUPERSAMPLED)
        self._write(ImageDraw.Draw(picture), self._say(moment))
        return np.asarray(picture)

    def _dots(self, pen: object, kind: str, moment: float, near: bool) -> None:
        at, facing = self._seen(self.place(kind, moment))
        r = _RADII[kind] * SUPERSAMPLED * self.size / 480
        body = theme.rgb(self._palette.sphere)
        for (x, y), front, colour in zip(at.tolist(), facing > 0, self._colours[kind]):
            if front == near:
                strength = 1.0 if front else BEHIND
                rim = towards(theme.rgb(self._palette.background), body, strength)
                pen.ellipse((x - r, y - r, x + r, y + r), outline=rim,     # type: ignore[attr-defined]
                            fill=towards(colour, body, strength), width=SUPERSAMPLED // 2)

    def _write(self, pen: object, words: str) -> None:
        """What is said of the moment, and what the two colours are."""
        from PIL import ImageFont

        p, size = self._palette, self.size
        edge = round(size * 0.03)
        large, small = (ImageFont.load_default(max(11, round(size * share))) for share in (0.04, 0.033))
        pen.text((edge, edge), words, fill=p.text, font=large)      # type: ignore[attr-defined]
        for i, kind in enumerate(("image", "text")):
            pen.text((edge, size - edge - (1 - i) * size * 0.045), f"{kind}s",      # type: ignore[attr-defined]
                     fill=p.kinds[kind], font=small, anchor="lb")
