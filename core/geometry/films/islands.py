"""Data islands: places that shots of a film share, which it dwells in, leaves and comes back to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angles, mean_direction
from core.geometry.films.shots import shot_of_frames
from core.geometry.films.trajectory import Trajectory

CUT = float(np.radians(30))
MOST_SHOTS = 6000
FRAMES_A_SHOT, FRAMES_AT_ONCE = (4, 16), 12_000
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Visit:
    """One stay on an island: from when to when the film shows it without a break.

    Attributes
    ----------
    island : its number.
    first, after : first frame, and frame after the last.
    start, seconds : of the path's times; a visit lasts until the next one begins.
    """

    island: int
    first: int
    after: int
    start: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Islands:
    """Groups of shots that lie at the same place, by their order of appearance.

    Attributes
    ----------
    of_shots : (s,) int64, the island of each shot, from 0.
    of_frames : (n,) int64, the island of each frame.
    starts : (s,) int64, frames at which the shots begin.
    times : (n,) float64, seconds.
    medoids : (k,) int64, of each island the frame nearest to its mean direction.
    means : (k, d) float64, unit rows, mean direction of each island.
    spreads : (k,) float64, median angle of an island's frames to its mean direction, radians.
    distances : (s, s) float32, angles of the shots, radians: the lower quartile of all frames of one with all of the
        other; 0 on the diagonal.
    cut : radians at which the tree of shots was cut.
    frames_a_shot : frames of each shot that were compared, evenly spread.
    """

    of_shots: np.ndarray
    of_frames: np.ndarray
    starts: np.ndarray
    times: np.ndarray
    medoids: np.ndarray
    means: np.ndarray
    spreads: np.ndarray
    distances: np.ndarray
    cut: float
    frames_a_shot: int

    def __len__(self) -> int:
        return len(self.medoids)

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """Stays on islands in order; shots of one island that follow each other are one stay."""
        firsts = np.flatnonzero(np.diff(self.of_frames, prepend=-1))
        ends = [*firsts[1:].tolist(), len(self.of_frames)]
        begun = [*self.times[firsts].tolist(), float(self.times[-1]) + _usual_gap(self.times)]
        return tuple(Visit(int(self.of_frames[a]), int(a), b, begun[i], begun[i + 1] - begun[i])
                     for i, (a, b) in enumerate(zip(firsts.tolist(), ends)))

    @property
    def dwell(self) -> np.ndarray:
        """(k,) float64, seconds on each island in all."""
        return np.bincount([v.island for v in self.visits], [v.seconds for v in self.visits], minlength=len(self))

    @property
    def counts(self) -> np.ndarray:
        """(k,) int64, visits of each island; all but the first are returns."""
        return np.bincount([v.island for v in self.visits], minlength=len(self))

    @property
    def returns(self) -> tuple[tuple[int, float], ...]:
        """(island, seconds away) of each return, in order: from the end of one stay to the beginning of the next."""
        left: dict[int, float] = {}
        found = []
        for visit in self.visits:
            if visit.island in left:
                found.append((visit.island, visit.start - left[visit.island]))
            left[visit.island] = visit.start + visit.seconds
        return tuple(found)


def islands(path: Trajectory, starts: np.ndarray, *, cut: float = CUT) -> Islands:
    """Islands of a path: shots grouped by average linkage on their distances, the tree cut at an angle.

    The distance of two shots is the lower quartile of the angles between their frames: shots that show one place from
    moving cameras are near where they are nearest. Of each shot so many frames are compared, evenly spread, that all
    shots together have about 12,000: 16 at most, 4 at least.

    Parameters
    ----------
    path
        n frames.
    starts
        (s,) int, frames at which shots begin, rising, 0 first, as `core.geometry.films.shots.shot_starts` finds them.
    cut
        Mean distance above which groups stay apart, radians in (0, pi].

    Raises
    ------
    ShapeError
        If starts do not fit the path, there are more than 6,000 shots, or the cut is out of range.
    """
    if not 0 < cut <= np.pi:
        raise ShapeError("a cut in (0, pi] radians", str(cut))
    shots = shot_of_frames(starts, len(path))
    count = int(shots[-1]) + 1
    if count > MOST_SHOTS:
        raise ShapeError(f"at most {MOST_SHOTS:,} shots", f"{count:,}",
                         "Look at fewer frames, or at a part of the film.")
    each = frames_compared(count, int(np.bincount(shots).max()))
    distances = shot_distances(path.points, np.asarray(starts), each)
    of_shots = grouped(distances, cut)
    return _described(path, np.asarray(starts, dtype=np.int64), of_shots, distances, cut, each)


def frames_compared(shots: int, longest: int) -> int:
    """How many frames of each of so many shots are compared, the longest having ``longest`` frames."""
    return min(max(FRAMES_AT_ONCE // shots, FRAMES_A_SHOT[0]), FRAMES_A_SHOT[1], longest)


def shot_distances(points: np.ndarray, starts: np.ndarray, each: int) -> np.ndarray:
    """Lower quartiles of the angles between frames of shots.

    Parameters
    ----------
    points : (n, d) floats, unit rows.
    starts : (s,) int, frames at which shots begin.
    each : frames of each shot that are compared, evenly spread, at least 1; those of shorter shots count repeatedly.

    Returns
    -------
    (s, s) float32, radians, symmetric, 0 on the diagonal.
    """
    x, s, quarter = points[frames_rows(starts, len(points), each)], len(starts), (each * each - 1) // 4
    x = x.astype(np.float64)
    out = np.zeros((s, s), dtype=np.float32)
    step = max(1, _BLOCK // each)
    for i in range(0, s, step):
        a = x[i:i + step]
        for j in range(i, s, step):
            b = x[j:j + step]
            found = np.einsum("aid,bjd->abij", a, b, optimize=True).reshape(len(a), len(b), -1)
            # The angle falls as the cosine grows: its lower quartile is that of the negated cosine.
            cosine = -np.partition(-found, quarter, axis=2)[:, :, quarter]
            out[i:i + step, j:j + step] = _angle_of(cosine)
            out[j:j + step, i:i + step] = out[i:i + step, j:j + step].T
    out = np.minimum(out, out.T)
    np.fill_diagonal(out, 0)
    return out


def frames_rows(starts: np.ndarray, n: int, each: int) -> np.ndarray:
    """(s, each) int64, frames spread evenly over each of the shots of n frames, in order."""
    lengths = np.diff(np.append(starts, n))
    share = (np.arange(each) + 0.5) / each
    return np.floor(np.asarray(starts)[:, None] + share * lengths[:, None]).astype(np.int64)


def grouped(distances: np.ndarray, cut: float) -> np.ndarray:
    """(s,) int64, groups by average linkage cut at ``cut``, numbered from 0 in order of appearance."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(distances) == 1:
        return np.zeros(1, dtype=np.int64)
    tree = linkage(squareform(distances.astype(np.float64), checks=False), "average")
    return in_order(fcluster(tree, cut, "distance"))


def in_order(labels: np.ndarray) -> np.ndarray:
    """Labels renumbered from 0 in order of appearance: (s,) int -> (s,) int64."""
    _, first, index = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first, kind="stable"), kind="stable")[index].astype(np.int64)


def _angle_of(cosine: np.ndarray) -> np.ndarray:
    cosine = np.clip(cosine, -1, 1)
    return 2 * np.arctan2(np.sqrt(1 - cosine), np.sqrt(1 + cosine))


def _described(path: Trajectory, starts: np.ndarray, of_shots: np.ndarray, distances: np.ndarray, cut: float,
               each: int) -> Islands:
    of_frames = of_shots[shot_of_frames(starts, len(path))]
    order = np.argsort(of_frames, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(of_frames))[:-1])
    means, medoids, spreads = [], [], []
    for rows in members:
        x = path.points[rows]
        try:
            mean = mean_direction(x)
        except ShapeError:
            mean = x[0].astype(np.float64)
        off = angles(x, mean[None])[:, 0]
        means.append(mean)
        medoids.append(rows[off.argmin()])
        spreads.append(np.median(off))
    return Islands(of_shots, of_frames, starts, path.times, np.array(medoids, dtype=np.int64), np.stack(means),
                   np.array(spreads), distances, float(cut), each)


def _usual_gap(times: np.ndarray) -> float:
    """Seconds for which the last frame counts: as long as frames mostly do."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0
