"""What can be measured of a film without a model: brightness, colourfulness, motion and loudness at each frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.errors import Cancelled, OrreryError
from core.sources.films.ffmpeg import Process, Stop, reading
from core.sources.films.film import Film
from core.sources.films.thumbnails import HEIGHT, Strip, StripMaker, small_pictures
from core.sources.images.colours import colourfulness as colourfulness_of

UNITS: Mapping[str, str] = {
    "brightness": "share of white", "colourfulness": "M of Hasler and Suesstrunk", "motion": "frame heights a second",
    "loudness": "dBFS"}
SILENCE = -120.0
_HEIGHT = 96
_LUMA = np.array([0.299, 0.587, 0.114]) / 255
_RATE, _BLOCK = 8000, 80
_LEAST_WINDOW, _LONGEST = 0.1, 48 * 3600.0
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Signals:
    """Numbers for each frame that is looked at; NaN where one is not known.

    Attributes
    ----------
    times : (n,) float64, seconds.
    brightness : (n,) mean of the luma (ITU-R BT.601), 0 black to 1 white.
    colourfulness : (n,) M = sigma + 0.3 mu of rg = R - G and yb = (R + G) / 2 - B (Hasler and Suesstrunk 2003), of
        values 0-255: 0 grey, 33 moderately, 109 extremely colourful.
    motion : (n,) mean length of the optical flow (Farneback 2003) from the frame looked at before, in frame heights a
        second; NaN for the first. Of frames far apart, and over cuts, it is rather how much changed.
    loudness : (n,) root mean square of the sound nearest to each frame (half way to its neighbours, at least 0.1 s),
        in dB of full scale; -120 is silence.
    notices : what could not be measured, in sentences.
    """

    times: np.ndarray
    brightness: np.ndarray
    colourfulness: np.ndarray
    motion: np.ndarray
    loudness: np.ndarray
    notices: tuple[str, ...] = field(default=())

    def named(self) -> dict[str, np.ndarray]:
        """The signals by the names of `UNITS`."""
        return {name: getattr(self, name) for name in UNITS}


def signals(film: Film, *, on_progress: Progress | None = None, should_stop: Stop | None = None) -> Signals:
    """Signals of a film at the frames looked at: one pass over the pictures at low resolution, one over the sound.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    return strip_and_signals(film, on_progress=on_progress, should_stop=should_stop)[1]


def strip_and_signals(film: Film, height: int = HEIGHT, *, on_progress: Progress | None = None,
                      should_stop: Stop | None = None) -> tuple[Strip, Signals]:
    """Thumbnails and signals in one pass over the pictures; as `strip` and `signals`."""
    n, maker = len(film), StripMaker(height)
    brightness, colourfulness, motion = np.full((3, n), np.nan)
    before: tuple[int, np.ndarray] | None = None
    for i, picture in enumerate(small_pictures(film, max(_HEIGHT, height), should_stop)):
        maker.add(picture)
        if picture is None:
            continue
        if picture.height > _HEIGHT:
            picture = picture.resize((max(1, round(picture.width * _HEIGHT / picture.height)), _HEIGHT))
        pixels = np.asarray(picture, dtype=np.float32)
        brightness[i], colourfulness[i] = pixels.mean(axis=(0, 1)) @ _LUMA, colourfulness_of(pixels)
        grey = np.asarray(picture.convert("L"))
        if before is not None and before[1].shape == grey.shape:
            motion[i] = _flow(before[1], grey) / (film.times[i] - film.times[before[0]])
        before = (i, grey)
        if on_progress is not None:
            on_progress(0.9 * (i + 1) / n, f"{i + 1:,} of {n:,} frames measured")
    made = maker.made()
    notices = [f"{made.unread:,} of {n:,} frames could not be read."] if made.unread else []
    loudness, said = _loudness(film, should_stop)
    if on_progress is not None:
        on_progress(1.0, f"{n:,} frames measured")
    return made, Signals(film.times, brightness, colourfulness, motion, loudness, (*notices, *said))


def _flow(before: np.ndarray, now: np.ndarray) -> float:
    """Mean length of the optical flow between two grey pictures, in heights of the frame; NaN of tiny pictures."""
    if min(before.shape) < 16:
        return float("nan")
    import cv2

    flow = cv2.calcOpticalFlowFarneback(before, now, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]
    return float(np.hypot(flow[..., 0], flow[..., 1]).mean()) / before.shape[0]


def _loudness(film: Film, should_stop: Stop | None) -> tuple[np.ndarray, tuple[str, ...]]:
    nothing = np.full(len(film), np.nan)
    if not film.has_sound or film.path is None:
        return nothing, ()
    try:
        powers, failed = sound_powers(film.path, float(film.times[-1]) + 10.0, should_stop)
    except Cancelled:
        raise
    except OrreryError:
        powers, failed = np.empty(0), True
    notices = (f"The sound of {film.name} is damaged; where it cannot be read its loudness is not known.",) \
        if failed or not len(powers) else ()
    summed = np.concatenate([[0.0], np.cumsum(powers)])
    seconds = _BLOCK / _RATE
    middles = (film.times[1:] + film.times[:-1]) / 2
    starts = np.minimum(np.concatenate([[film.times[0]], middles]), film.times - _LEAST_WINDOW / 2)
    ends = np.maximum(np.concatenate([middles, [film.times[-1]]]), film.times + _LEAST_WINDOW / 2)
    first = np.clip(np.floor(starts / seconds).astype(np.int64), 0, None)
    after = np.ceil(ends / seconds).astype(np.int64)
    held = np.minimum(after, len(powers)) - np.minimum(first, len(powers))
    power = summed[np.minimum(after, len(powers))] - summed[np.minimum(first, len(powers))]
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.maximum(10 * np.log10(power / held), SILENCE)
    return np.where(2 * held >= after - first, level, np.nan), notices


def sound_powers(path: Path, seconds: float, should_stop: Stop | None = None) -> tuple[np.ndarray, bool]:
    """Mean square of the sound in steps of 10 ms from the beginning of the film, all channels mixed, full scale 1.

    Parameters
    ----------
    path
        The film.
    seconds
        How much of it is heard, at most 48 hours.
    should_stop
        Asked meanwhile.

    Returns
    -------
    (m,) float64, and whether ffmpeg complained.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    arguments = ["-nostdin", *reading(path), "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", "-ac", "1",
                 "-t", f"{min(seconds, _LONGEST):.3f}", "-ar", str(_RATE), "-f", "s16le", "pipe:1"]
    out = []
    with Process(["-loglevel", "warning", *arguments], should_stop=should_stop) as process:
        while data := process.read(2 * _BLOCK * 4096):
            samples = np.frombuffer(data[:len(data) // (2 * _BLOCK) * (2 * _BLOCK)], "<i2").astype(np.float32) / 32768
            out.append(np.square(samples).reshape(-1, _BLOCK).mean(axis=1, dtype=np.float64))
        code = process.finish()
        failed = code != 0 or any("rror" in line or "nvalid" in line for line in process.said)
    return (np.concatenate(out) if out else np.empty(0)), failed
