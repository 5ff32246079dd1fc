"""Which frames of a film are looked at: by time, by scene, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SourceError, check_choice
from core.settings import settings
from core.sources.films.film import clock
from core.types import fingerprint

WAYS = {"time": "by time", "scenes": "by scene", "all": "all frames"}
MOST = 20_000
SIZES = (16, 1080)
_FASTEST = 1000.0
_TICK, _DENSE = 1e-3, 4


@dataclass(frozen=True)
class Sampling:
    """Which frames are looked at, and how large.

    Attributes
    ----------
    how : "time" (the frame shown at each of ``per_second`` moments a second), "scenes" (the first and the middle frame
        of each scene), or "all".
    per_second : moments a second, 0 < k <= 1000.
    start, end : seconds; ``end`` None is the end of the film.
    most : frames at most; where there are more, as many are taken at even distances, and a notice says so.
    size : pixels of the shorter side at which frames are read; never larger than they are.
    cut : difference of neighbouring frames at which a scene ends, in percent as ffmpeg's scdet counts.
    """

    how: str = "time"
    per_second: float = 2.0
    start: float = 0.0
    end: float | None = None
    most: int = MOST
    size: int = 256
    cut: float = 10.0

    def __post_init__(self) -> None:
        check_choice("way to choose frames", self.how, WAYS)
        if not (np.isfinite(self.per_second) and 0 < self.per_second <= _FASTEST):
            raise SourceError(f"between 0 and {_FASTEST:,.0f} frames a second", f"{self.per_second:g}")
        if not (np.isfinite(self.start) and self.start >= 0):
            raise SourceError("a start of 0 seconds or more", f"{self.start:g}")
        if self.end is not None and not self.end > self.start:
            raise SourceError(f"an end after the start ({clock(self.start)})", f"{self.end:g} s")
        if self.most < 1:
            raise SourceError("at least one frame to look at", str(self.most))
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise SourceError(f"frames of {SIZES[0]} to {SIZES[1]} pixels", str(self.size))

    @property
    def fingerprint(self) -> str:
        return fingerprint("sampling", self.how, self.per_second if self.how == "time" else 0, self.start, self.end,
                           self.most, self.size, self.cut if self.how == "scenes" else 0)


def choose(sampling: Sampling, times: np.ndarray, name: str,
           scenes: Sequence[int] | np.ndarray | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """The frames that are looked at.

    Parameters
    ----------
    sampling
        Which.
    times
        (n,) seconds of all frames of the film, rising.
    name
        What a message calls the film.
    scenes
        Frames at which scenes begin, the first 0; needed where frames are chosen by scene.

    Returns
    -------
    (m,) int64 numbers of frames, strictly rising, m >= 1, and notices in sentences.

    Raises
    ------
    SourceError
        If no frame lies between start and end.
    """
    times = np.asarray(times, dtype=np.float64)
    end = np.inf if sampling.end is None else sampling.end
    # The frame shown at the start began before it.
    first = max(0, int(np.searchsorted(times, sampling.start + 1e-9, side="right")) - 1)
    after = int(np.searchsorted(times, end, side="left"))
    if sampling.start > times[-1] + _last_shown(times) or after <= first:
        raise SourceError(f"frames between {clock(sampling.start)} and "
                          f"{'the end' if sampling.end is None else clock(sampling.end)} of {name}",
                          f"a film from {clock(times[0])} to {clock(times[-1])}", "Choose another start.")
    if sampling.how == "time":
        chosen = _at_moments(sampling, times, min(end, float(times[-1]) + _last_shown(times)))
    elif sampling.how == "scenes":
        chosen = _of_scenes(np.asarray([0] if scenes is None else scenes, dtype=np.int64), first, after)
    else:
        chosen = np.arange(first, after, dtype=np.int64)
    return _thinned(chosen, sampling.most, name)


def _last_shown(times: np.ndarray) -> float:
    """Seconds that the last frame is taken to be shown: as long as the others, by the median."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def _at_moments(sampling: Sampling, times: np.ndarray, end: float) -> np.ndarray:
    """Frames shown at start, start + 1/k, ... before the end; a tick of a container's clock is up to a millisecond."""
    n = max(1, int(np.ceil((end - sampling.start) * sampling.per_second - 1e-6)))
    if n <= _DENSE * len(times):
        moments = sampling.start + np.arange(n) / sampling.per_second
        shown = np.searchsorted(times, moments + _TICK / 2, side="right") - 1
        return np.unique(np.clip(shown, 0, None)).astype(np.int64)
    # Far more moments than frames: the first moment at or after each frame's beginning, where it comes before the next.
    until = np.append(times[1:], np.inf)
    nth = np.maximum(0, np.ceil((times - _TICK / 2 - sampling.start) * sampling.per_second - 1e-6))
    moment = sampling.start + nth / sampling.per_second + _TICK / 2
    return np.flatnonzero((moment < until) & (nth < n)).astype(np.int64)


def _of_scenes(starts: np.ndarray, first: int, after: int) -> np.ndarray:
    """First and middle frame of every scene, of the part between ``first`` and ``after``."""
    edges = np.unique(np.concatenate([[first], starts[(starts > first) & (starts < after)], [after]]))
    return np.unique(np.concatenate([edges[:-1], (edges[:-1] + edges[1:]) // 2])).astype(np.int64)


def _thinned(chosen: np.ndarray, most: int, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    limit = min(most, settings().budget.film_looked)
    if len(chosen) <= limit:
        return chosen, ()
    kept = chosen[np.unique(np.linspace(0, len(chosen) - 1, limit).round().astype(np.int64))]
    return kept, (f"{len(kept):,} of {len(chosen):,} frames of {name} are looked at, at even distances; the most is "
                  f"{limit:,}.",)
