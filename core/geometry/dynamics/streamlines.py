"""Streamlines of a smoothed flow on S^2: evenly spaced, and only where something is known."""

from __future__ import annotations

import math

import numpy as np

from core.geometry.directions import fibonacci
from core.geometry.dynamics.field import FEWEST, KernelField
from core.geometry.threads import one_thread

STEP, LONGEST = 2.5, 35.0
"""Degrees of one step, and of a line to either side of its seed."""
SLOWEST = 0.05
"""Share of the median speed below which a line ends: there the direction says nothing."""
_SHORTEST, _FIRST = 3, 4


def streamlines(field: KernelField, *, apart: float = 7.0, step: float = STEP,
                longest: float = LONGEST) -> list[np.ndarray]:
    """Lines along a field, by Runge and Kutta's fourth order with every stage pulled back onto the sphere.

    Lines follow the direction of the field at unit speed, both ways from seeds on an even lattice, and end where
    fewer than `FEWEST` points are near, where the field is slower than 5 % of its median over the seeds, or where
    another line runs within half of ``apart``.

    Parameters
    ----------
    field
        What to follow.
    apart, step, longest
        Degrees: between seeds, of one step, and of a line to either side of its seed.

    Returns
    -------
    Lines, each (k, 3) float64 of unit rows in the direction of the flow, k >= 3; none where nothing is known.

    References
    ----------
    Jobard and Lefer, Creating evenly-spaced streamlines of arbitrary density, 1997.
    """
    known = fibonacci(max(round(4 * math.pi / math.radians(apart) ** 2), 1))
    known = known[field.known(known)]
    speed = np.linalg.norm(field(known), axis=1)
    least = SLOWEST * float(np.median(speed)) if len(known) else 0.0
    if not least > 0:
        return []
    known = known[speed > least]
    h, count, clear = math.radians(step), round(longest / step), math.radians(apart) / 2
    lines: list[np.ndarray] = []
    first = np.arange(len(known)) % _FIRST == 0
    with one_thread():
        for seeds in (known[first], known[~first]):
            seeds = seeds[_far(seeds, lines, clear)]
            ahead, back = (_followed(field, seeds, sign * h, count, least) for sign in (1, -1))
            lines += _thinned(seeds, ahead, back, clear, lines)
    return lines


def _far(places: np.ndarray, lines: list[np.ndarray], apart: float) -> np.ndarray:
    return (places @ np.concatenate(lines).T).max(axis=1) <= math.cos(apart) if lines else np.ones(len(places), bool)


def _followed(field: KernelField, seeds: np.ndarray, h: float, count: int, least: float) -> np.ndarray:
    """(count, n, 3): places after each step, NaN once a line has ended."""
    at, going = seeds.copy(), np.arange(len(seeds))
    out = np.full((count, len(seeds), 3), np.nan)
    for k in range(count + 1):
        there, goes_on = _one_step(field, at[going], h, least)
        if k:
            out[k - 1, going[goes_on]] = at[going[goes_on]]
        going = going[goes_on]
        at[going] = there[goes_on]
    return out


def _one_step(field: KernelField, p: np.ndarray, h: float, least: float) -> tuple[np.ndarray, np.ndarray]:
    """The place a step on, and whether the field is known and fast enough where the step begins."""
    goes_on = np.ones(len(p), dtype=bool)

    def direction(q: np.ndarray) -> np.ndarray:
        part = field.smoothing(q)
        f = part.field(field.flow.vectors)
        length = np.linalg.norm(f, axis=1)
        if q is p:
            goes_on[:] = (length >= least) & (part.near >= FEWEST)
        return f / np.maximum(length, least)[:, None]

    k1 = direction(p)
    k2 = direction(_onto(p + h / 2 * k1))
    k3 = direction(_onto(p + h / 2 * k2))
    k4 = direction(_onto(p + h * k3))
    return _onto(p + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)), goes_on


def _onto(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def _thinned(seeds: np.ndarray, ahead: np.ndarray, back: np.ndarray, apart: float,
             before_them: list[np.ndarray]) -> list[np.ndarray]:
    """The longest lines first, each as far as it stays clear of those before it."""
    whole = [(_until_end(back[:, i])[::-1], seeds[i][None], _until_end(ahead[:, i])) for i in range(len(seeds))]
    taken, out, cosine = np.concatenate([np.zeros((0, 3)), *before_them]), [], math.cos(apart)
    for before, seed, after in sorted(whole, key=lambda parts: -len(parts[0]) - len(parts[2])):
        if len(taken) and float((taken @ seed[0]).max()) > cosine:
            continue
        line = np.concatenate([_clear(before[::-1], taken, cosine)[::-1], seed, _clear(after, taken, cosine)])
        if len(line) >= _SHORTEST:
            out.append(line)
            taken = np.concatenate([taken, line])
    return out


def _until_end(line: np.ndarray) -> np.ndarray:
    ended = np.flatnonzero(np.isnan(line[:, 0]))
    return line[:ended[0]] if len(ended) else line


def _clear(line: np.ndarray, taken: np.ndarray, cosine: float) -> np.ndarray:
    if not len(line) or not len(taken):
        return line
    near = np.flatnonzero((line @ taken.T).max(axis=1) > cosine)
    return line[:near[0]] if len(near) else line
