"""Geodesic MDS: the places on S^2 whose angles follow the angles between the vectors, near neighbours kept near."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.errors import Cancelled
from core.geometry.maps.fidelity import POINTS_OF_PAIRS
from core.geometry.maps.linear import fit_pca
from core.geometry.maps.placing import Placed, Progress
from core.geometry.maps.riemannian import one_thread, step_on_sphere
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample

if TYPE_CHECKING:
    import torch

MOST_FITTED = 5000
NEAR = 10
_STEPS, _GLOBAL_STEPS, _PLACING_STEPS = 300, 60, 30
_COLUMNS = 192                # points that all others are compared with in one step
_FIRST_LOCAL = 0.2            # weight of the near neighbours when they come in; then steered
_SHARE = 0.8                  # of what the first steps won in Spearman, kept while neighbours are brought together
_GAIN = 2.0                   # of the steering
_LEAST_PLACING_LOCAL = 0.1
_LEAST_SHARPNESS, _MOST_SHARPNESS, _POINTS_A_SHARPNESS = 10.0, 700.0, 4.0
_BINS, _CURVE_BINS = 4096, 64
_BLOCK = 4096
_TINY = 1e-9


def fit_geodesic_mds(x: np.ndarray, *, seed: int = 0, on_progress: Progress | None = None,
                     should_stop: Callable[[], bool] | None = None, **_: object) -> Placed:
    """Minimise two stresses by Riemannian gradient steps that start from the uncentred PCA map.

    The first is 1 - the correlation of the angles on the map with the ranks of the true angles, over blocks of pairs
    drawn anew at each step. The second, added after 60 steps, is the cross-entropy between near neighbours in truth
    and on the map, where nearness is 1 / (1 + a chord^2), as in t-SNE (van der Maaten and Hinton, JMLR 2008). Its
    weight is steered so that four fifths of what was won over PCA in Spearman's correlation are kept. Above 5,000
    points a spread sample is fitted, and the others are placed on its map.

    Returns
    -------
    Placed, whose ``place`` minimises the same stresses for each new vector with the fitted points held still.
    """
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    order = spread_sample(x, MOST_FITTED, seed=seed)
    principal = fit_pca(x)
    start = principal.coords
    if len(x) < 4 or np.ptp(start, axis=0).max() < rounding(x, x.shape[1]):
        return principal
    with one_thread():
        fitted = _Fit(torch.from_numpy(np.ascontiguousarray(x[order], dtype=np.float32)).to(device),
                      torch.from_numpy(start[order]).to(device), seed)
        fitted.run(spread_sample(x[order], POINTS_OF_PAIRS, seed=seed), on_progress, should_stop)

    def place(vectors: np.ndarray) -> np.ndarray:
        blocks = [fitted.place(torch.from_numpy(np.ascontiguousarray(vectors[i:i + _BLOCK], dtype=np.float32))
                               .to(device)) for i in range(0, len(vectors), _BLOCK)]
        return np.concatenate(blocks)

    coords = np.empty((len(x), 3), dtype=np.float32)
    coords[order] = fitted.places.cpu().numpy()
    rest = np.setdiff1d(np.arange(len(x)), order)
    for done in range(0, len(rest), _BLOCK):
        if should_stop is not None and should_stop():
            raise Cancelled(f"placing {done:,} of {len(rest):,} points")
        rows = rest[done:done + _BLOCK]
        with one_thread():
            coords[rows] = place(x[rows])
        if on_progress is not None:
            on_progress(min(1.0, 0.5 + 0.5 * (done + len(rows)) / len(rest)), "Placing the other points")
    return Placed(coords, place, {"fitted_points": len(order), "neighbours": fitted.near, "steps": _STEPS,
                                  "weight_of_neighbours": fitted.local})


class _Fit:
    """The fitted points: vectors, places, and how true angles turn into angles on the map."""

    def __init__(self, x: torch.Tensor, start: torch.Tensor, seed: int) -> None:
        import torch

        self.x, self.places, self.seed, self.local = x, start, seed, 0.0
        n = len(x)
        self.near = min(NEAR, n - 1)
        self.sharpness = min(max(_LEAST_SHARPNESS, n / _POINTS_A_SHARPNESS), _MOST_SHARPNESS)
        cosines = x @ x.T
        self.neighbours = cosines.fill_diagonal_(-9).topk(self.near, dim=1).indices
        cosines.fill_diagonal_(1)
        sample = cosines.flatten()[:: max(1, n * n // 200_000)]
        self.low, self.high = float(sample.min()), float(sample.max())
        edges = torch.linspace(self.low, self.high, _BINS, device=x.device)
        self.table = 1 - torch.searchsorted(sample.sort().values, edges).to(torch.float32) / len(sample)
        self.targets = self.ranks(cosines)

    def ranks(self, cosines: torch.Tensor) -> torch.Tensor:
        """Share of pairs of fitted points with a larger cosine."""
        import torch

        scale = (_BINS - 1) / max(self.high - self.low, 1e-9)
        return self.table[((cosines - self.low) * scale).clamp_(0, _BINS - 1).to(torch.int32)]

    def run(self, judged: np.ndarray, on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> None:
        import torch

        n, device = len(self.x), self.x.device
        generator = torch.Generator().manual_seed(self.seed)
        y = self.places + 0.01 * torch.randn(n, 3, generator=generator).to(device)
        y = torch.nn.functional.normalize(y, dim=1)
        first, second = torch.zeros_like(y), torch.zeros(n, 1, device=device)
        judge = _Judge(self.targets, torch.from_numpy(judged).to(device))
        base = judge.spearman(self.places)
        local = aim = top = 0.0
        for step in range(_STEPS):
            if step % 5 == 0:
                if should_stop is not None and should_stop():
                    raise Cancelled(f"{step} of {_STEPS} steps")
                if on_progress is not None:
                    on_progress(0.5 * step / _STEPS, "Fitting the map")
            if step >= _GLOBAL_STEPS and step % 5 == 0:
                now = judge.spearman(y)
                if step == _GLOBAL_STEPS:
                    local, top = _FIRST_LOCAL, now
                    aim = base + _SHARE * (top - base)
                else:
                    local *= float(np.exp(np.clip(_GAIN * (now - aim) / max(top - base, 0.02), -0.5, 0.5)))
            columns = torch.randperm(n, generator=generator)[:_COLUMNS].to(device)
            anchors = y[columns]
            slope = self._slope(anchors @ y.T, self.targets[columns], local, columns)
            gradient = slope.T @ anchors
            gradient.index_add_(0, columns, slope @ y)
            if local:
                chord = y[:, None, :] - y[self.neighbours]
                pull = chord / (1 + self.sharpness * (chord * chord).sum(2, keepdim=True))
                pull *= 2 * local * self.sharpness / (n * self.near)
                gradient += pull.sum(1)
                gradient.index_add_(0, self.neighbours.flatten(), -pull.view(-1, 3))
            y = step_on_sphere(y, gradient, first, second, step, 0.05 * (1 - step / _STEPS) + 1e-3)
        self.places, self.local = y, local
        self._learn_placing()

    def _slope(self, c: torch.Tensor, target: torch.Tensor, local: float, columns: torch.Tensor) -> torch.Tensor:
        """Slope of both stresses in the cosine of each pair of a block; pairs of a point with itself do not count."""
        import torch

        own = (torch.arange(len(columns), device=c.device), columns)
        c = c.clamp_(-1 + 1e-6, 1 - 1e-6)
        p, t = torch.acos(c), target.clone()
        for part in (p, t):
            part[own] = 0
            part -= part.sum() / max(part.numel() - len(columns), 1)
            part[own] = 0
        p_length, t_length = p.norm().clamp_min(_TINY), t.norm().clamp_min(_TINY)
        r = (p.flatten() @ t.flatten()) / (p_length * t_length)
        slope = t.mul_(1 / (t_length * p_length)).sub_(p.mul_(r / p_length**2)).mul_((1 - c * c).rsqrt_())
        if local:
            q = c.mul_(-2 * self.sharpness).add_(1 + 2 * self.sharpness).reciprocal_()
            q[own] = 0
            slope += q.square().mul_(2 * local * self.sharpness / q.sum())
        return slope

    def _learn_placing(self) -> None:
        """What a new point needs: the mean angle on the map of each rank, and the scale of both stresses."""
        import torch

        n = len(self.x)
        rows = torch.linspace(0, n - 1, min(n, 500), device=self.x.device).long()
        cosines = (self.places[rows] @ self.places.T).clamp_(-1, 1)
        cosines[torch.arange(len(rows)), rows] = float("nan")
        known = ~cosines.isnan()
        phi, rank = torch.acos(cosines[known]), self.targets[rows][known]
        place_of = (rank * _CURVE_BINS).long().clamp_(0, _CURVE_BINS - 1)
        count = torch.bincount(place_of, minlength=_CURVE_BINS)
        mean = torch.bincount(place_of, phi, _CURVE_BINS) / count.clamp_min(1)
        self.curve = torch.where(count > 0, mean, torch.zeros_like(mean)).cummax(0).values
        near = torch.where(known, 1 / (1 + 2 * self.sharpness * (1 - cosines)), 0.0)
        self.variance, self.crowd = float(phi.var().clamp_min(_TINY)), float(near.sum(1).mean().clamp_min(_TINY))

    def place(self, x: torch.Tensor) -> np.ndarray:
        """Where new vectors lie, each by itself, with the fitted points held still: (m, d) -> (m, 3)."""
        import torch

        m, n, device = len(x), len(self.x), x.device
        cosines = x @ self.x.T
        near = cosines.topk(min(self.near, n), dim=1)
        weights = torch.softmax((near.values - near.values[:, :1]) / near.values.std(dim=1, keepdim=True, correction=0)
                                .clamp_min(1e-3), dim=1)
        friends = self.places[near.indices]
        y = torch.nn.functional.normalize((weights[:, :, None] * friends).sum(1) + _TINY, dim=1)
        few = m * n <= 2_000_000
        columns = torch.arange(n, device=device) if few else torch.linspace(0, n - 1, 512, device=device).long()
        angles = self.curve[(self.ranks(cosines[:, columns]) * _CURVE_BINS).long().clamp_(0, _CURVE_BINS - 1)]
        share, local = n / len(columns), max(self.local, _LEAST_PLACING_LOCAL)
        first, second = torch.zeros_like(y), torch.zeros(m, 1, device=device)
        for step in range(_PLACING_STEPS):
            anchors = self.places[columns]
            c = (y @ anchors.T).clamp_(-1 + 1e-6, 1 - 1e-6)
            q = 1 / (1 + 2 * self.sharpness * (1 - c))
            slope = (torch.acos(c) - angles) * (1 - c * c).rsqrt() * (-2 / (len(columns) * self.variance))
            slope += q * q * (4 * local * self.sharpness * share / self.crowd)
            chord = y[:, None, :] - friends
            pull = chord / (1 + self.sharpness * (chord * chord).sum(2, keepdim=True))
            gradient = slope @ anchors + pull.sum(1) * (4 * local * self.sharpness / self.near)
            y = step_on_sphere(y, gradient, first, second, step, 0.04 * (1 - step / _PLACING_STEPS) + 1e-3)
        return y.cpu().numpy()


class _Judge:
    """Spearman of cosines on some of the points, those of `fidelity`, to keep watch while they move."""

    def __init__(self, targets: torch.Tensor, rows: torch.Tensor) -> None:
        import torch

        self.rows = rows
        self.upper = torch.triu_indices(len(self.rows), len(self.rows), 1, device=targets.device)
        self.truth = self._ranked(1 - 2 * targets[self.rows][:, self.rows])

    def _ranked(self, square: torch.Tensor) -> torch.Tensor:
        """Ranks of what lies between -1 and 1, about their mean and of length 1, to one of 8,192 bins."""
        import torch

        bins = ((square[self.upper[0], self.upper[1]] + 1) * (2 * _BINS / 2)).long().clamp_(0, 2 * _BINS - 1)
        counts = torch.bincount(bins, minlength=2 * _BINS)
        ranks = (counts.cumsum(0) - counts / 2).to(torch.float32)[bins]
        ranks -= ranks.mean()
        return ranks / ranks.norm().clamp_min(_TINY)

    def spearman(self, y: torch.Tensor) -> float:
        y = y[self.rows]
        return float(self.truth @ self._ranked(y @ y.T))
