"""All that is looked at of a flow on S^2 between two moments: its field over the sphere, its lines and its marks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.dynamics.field import KernelField
from core.geometry.dynamics.flow import Flow, displacement
from core.geometry.dynamics.marks import SHUFFLES, Marks, marks
from core.geometry.dynamics.streamlines import streamlines
from core.geometry.threads import one_thread

GRID = (46, 91)
QUANTITIES: dict[str, str] = {"divergence": "Divergence", "curl": "Curl", "speed": "Speed"}


@dataclass(frozen=True, eq=False)
class FlowLook:
    """A smoothed flow, everywhere.

    Attributes
    ----------
    flow : the displacements it is made of.
    steps : from which step to which.
    values : by the keys of `QUANTITIES`, (rows, columns) float64 over latitude -90..90 and longitude -180..180 degrees:
        divergence (no unit) and curl (radians) over the move, speed (degrees a step); NaN where too few points are
        near, see `core.geometry.dynamics.field.FEWEST`.
    known : share of the sphere on which something is known.
    lines : streamlines, (k, 3) each.
    marks : what lies beyond chance.
    """

    flow: Flow
    steps: tuple[int, int]
    values: Mapping[str, np.ndarray]
    known: float
    lines: tuple[np.ndarray, ...]
    marks: Marks


def look_at(before: np.ndarray, after: np.ndarray, steps: tuple[int, int], *, degrees: float,
            group: np.ndarray | None = None, shuffles: int = SHUFFLES, seed: int = 0,
            on_progress: Callable[[float, str], None] | None = None,
            should_stop: Callable[[], bool] = lambda: False) -> FlowLook:
    """The flow of points between two moments, smoothed, drawn and tested.

    Parameters
    ----------
    before, after
        (n, 3) floats, unit rows; row i of both is one point.
    steps
        The first growing to the second.
    degrees
        Diffusion, 8 to 45.
    group
        (n,) ints, the modality of each point: displacements are shuffled within it.

    Raises
    ------
    ShapeError
        If steps do not grow, or all points went to their antipodes.
    Cancelled
        If it was stopped.
    """
    if steps[1] <= steps[0]:
        raise ShapeError("two moments, the first before the second", f"steps {steps[0]} and {steps[1]}")
    flow = displacement(before, after)
    if not len(flow):
        raise ShapeError("points whose way can be told", f"{flow.opposite} that went to their antipodes")
    field = KernelField(flow, degrees)
    found = marks(flow, degrees=degrees, group=None if group is None else np.asarray(group)[flow.rows],
                  shuffles=shuffles, seed=seed, should_stop=should_stop,
                  on_progress=None if on_progress is None else lambda share, text: on_progress(0.5 * share, text))
    if on_progress is not None:
        on_progress(0.5, "The field over the sphere")
    with one_thread():
        values, known = _over_sphere(field, steps[1] - steps[0])
    if on_progress is not None:
        on_progress(0.7, "Streamlines")
    return FlowLook(flow, steps, values, known, tuple(streamlines(field)), found)


def _over_sphere(field: KernelField, steps: int) -> tuple[dict[str, np.ndarray], float]:
    latitude = np.radians(np.linspace(-90, 90, GRID[0]))[:, None]
    longitude = np.radians(np.linspace(-180, 180, GRID[1]))[None]
    grid = np.stack(np.broadcast_arrays(np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                                        np.sin(latitude)), axis=-1).reshape(-1, 3)
    known = field.known(grid)
    spread, turn = field.divergence_and_curl(grid[known]) if known.any() else (np.zeros(0), np.zeros(0))
    speed = np.degrees(np.linalg.norm(field(grid[known]), axis=1)) / steps
    values = {}
    for name, one in zip(QUANTITIES, (spread, turn, speed)):
        values[name] = np.full(len(grid), np.nan)
        values[name][known] = one
        values[name] = values[name].reshape(GRID)
    area = np.repeat(np.cos(latitude), GRID[1], axis=1).ravel()
    return values, float(area[known].sum() / area.sum())
