"""UMAP whose layout lives on the sphere: its graph and its cross-entropy, with great-circle distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.errors import Cancelled
from core.geometry.maps.linear import fit_pca
from core.geometry.maps.placing import Placed, Progress, onto_sphere
from core.geometry.maps.riemannian import one_thread, step_on_sphere
from core.geometry.rounding import rounding
from core.geometry.samples import spread_sample

if TYPE_CHECKING:
    import scipy.sparse
    import torch

MOST_FITTED = 5000
NEAR = 15
A, B = 1.7502, 0.8421          # of umap-learn for min_dist 0.05 and spread 1
NEGATIVES = 5.0                # random points that push for each neighbour that pulls
_STEPS, _COLUMNS, _RATE = 300, 192, 0.1
_BLOCK = 2048


def fit_umap(x: np.ndarray, *, seed: int = 0, on_progress: Progress | None = None,
             should_stop: Callable[[], bool] | None = None, **_: object) -> Placed:
    """UMAP on S^2 over exact cosine neighbours, by Riemannian gradient steps from the uncentred PCA map.

    The objective is the one that umap-learn's sampling has on average (Damrich and Hamprecht, NeurIPS 2021,
    arXiv:2103.14608), with its defaults, and great-circle distances as of its ``output_metric="haversine"``; unlike
    its steps, which part ways after the smallest rounding, these give the same map after a rotation of all vectors.
    Above 5,000 points a spread sample is fitted; other points, and new ones, go among their nearest fitted neighbours.

    References
    ----------
    McInnes, Healy and Melville, 2018, arXiv:1802.03426.
    """
    import torch

    principal = fit_pca(x)
    if len(x) < 4 or np.ptp(principal.coords, axis=0).max() < rounding(x, x.shape[1]):
        return principal
    order = spread_sample(x, MOST_FITTED, seed=seed)
    fitted = np.ascontiguousarray(x[order], dtype=np.float32)
    near = min(NEAR, len(fitted) - 1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with one_thread():
        graph = fuzzy_graph(*neighbours(fitted, near + 1)).tocoo()
        layout = _layout(torch.from_numpy(principal.coords[order]).to(device), graph, seed, on_progress, should_stop)
    places = layout.cpu().numpy()

    def place(vectors: np.ndarray) -> np.ndarray:
        return np.concatenate([_among_neighbours(vectors[i:i + _BLOCK].astype(np.float32), fitted, places, near)
                               for i in range(0, len(vectors), _BLOCK)])

    coords = np.empty((len(x), 3), dtype=np.float32)
    coords[order] = places
    rest = np.setdiff1d(np.arange(len(x)), order)
    if len(rest):
        coords[rest] = place(x[rest])
    return Placed(coords, place, {"fitted_points": len(order), "neighbours": near, "steps": _STEPS})


def _layout(start: torch.Tensor, graph: scipy.sparse.coo_array, seed: int, on_progress: Progress | None,
            should_stop: Callable[[], bool] | None) -> torch.Tensor:
    import torch

    n, device = len(start), start.device
    generator = torch.Generator().manual_seed(seed)
    y = torch.nn.functional.normalize(start + 0.01 * torch.randn(n, 3, generator=generator).to(device), dim=1)
    rows, ends = (torch.from_numpy(part.astype(np.int64)).to(device) for part in (graph.row, graph.col))
    weights = torch.from_numpy(graph.data.astype(np.float32)).to(device)
    degree = torch.zeros(n, device=device).index_add_(0, rows, weights)
    first, second = torch.zeros_like(y), torch.zeros(n, 1, device=device)
    for step in range(_STEPS):
        if step % 10 == 0:
            if should_stop is not None and should_stop():
                raise Cancelled(f"{step} of {_STEPS} steps")
            if on_progress is not None:
                on_progress(step / _STEPS, "Fitting the map")
        columns = torch.randperm(n, generator=generator)[:_COLUMNS].to(device)
        anchors = y[columns]
        push = _push((y @ anchors.T).clamp_(-1 + 1e-6, 1 - 1e-4))
        push[columns, torch.arange(len(columns), device=device)] = 0
        push *= (degree * (NEGATIVES / len(columns)))[:, None]
        gradient = push @ anchors
        pull = _pull((y[rows] * y[ends]).sum(1).clamp_(-1 + 1e-6, 1 - 1e-6)) * weights
        gradient.index_add_(0, rows, pull[:, None] * y[ends])
        y = step_on_sphere(y, gradient, first, second, step, _RATE * (1 - step / _STEPS) + 1e-3)
    return y


def _pull(cosine: torch.Tensor) -> torch.Tensor:
    """Slope of log(1 + a d^2b) in the cosine, for the great-circle distance d."""
    import torch

    d = torch.acos(cosine)
    power = A * d ** (2 * B)
    return -2 * B * power / (1 + power) / d * (1 - cosine * cosine).rsqrt()


def _push(cosine: torch.Tensor) -> torch.Tensor:
    """Slope of -log(1 - 1 / (1 + a d^2b)) in the cosine."""
    import torch

    d = torch.acos(cosine)
    return 2 * B / (d * (1 + A * d ** (2 * B))) * (1 - cosine * cosine).rsqrt()


def neighbours(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows with the largest cosine to each row, itself first: (n, k) int64 and (n, k) float32, falling."""
    indices = np.empty((len(x), k), dtype=np.int64)
    values = np.empty((len(x), k), dtype=np.float32)
    for start in range(0, len(x), _BLOCK):
        cosines = x[start:start + _BLOCK] @ x.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = np.inf
        near = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        found = np.take_along_axis(cosines, near, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        indices[start + rows] = np.take_along_axis(near, order, axis=1)
        values[start + rows] = np.minimum(np.take_along_axis(found, order, axis=1), 1)
    return indices, values


def fuzzy_graph(indices: np.ndarray, cosines: np.ndarray) -> scipy.sparse.csr_array:
    """UMAP's symmetric graph: membership exp(-(d - nearest) / s), s such that the row sums to log2(k), then a or b.

    Parameters
    ----------
    indices, cosines
        (n, k) from `neighbours`, the point itself first.
    """
    from scipy.sparse import csr_array

    n, k = indices.shape
    distance = np.maximum(1 - cosines[:, 1:].astype(np.float64), 0)
    beyond = distance - distance[:, :1]
    low, high = np.full(n, 1e-6), np.full(n, 1e3)
    for _ in range(64):
        middle = np.sqrt(low * high)
        large = np.exp(-beyond / middle[:, None]).sum(axis=1) > np.log2(k)
        high, low = np.where(large, middle, high), np.where(large, low, middle)
    weights = np.exp(-beyond / np.sqrt(low * high)[:, None])
    rows = np.repeat(np.arange(n), k - 1)
    one_way = csr_array((weights.ravel(), (rows, indices[:, 1:].ravel())), shape=(n, n))
    other = one_way.T.tocsr()
    return (one_way + other - one_way * other).tocsr()


def _among_neighbours(vectors: np.ndarray, fitted: np.ndarray, places: np.ndarray, k: int) -> np.ndarray:
    """Mean of the places of the nearest fitted points, the nearer the heavier, without those far from that mean."""
    cosines = vectors @ fitted.T
    near = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(cosines, near, axis=1).astype(np.float64)
    best = found.max(axis=1, keepdims=True)
    weights = np.exp((found - best) / np.maximum(found.std(axis=1, keepdims=True) / 2, 1e-3))
    weights[found >= 1 - rounding(vectors, vectors.shape[1])] = 1e6
    friends = places[near].astype(np.float64)
    mean = onto_sphere((weights[..., None] * friends).sum(axis=1), rounding(places)).astype(np.float64)
    weights *= (friends @ mean[..., None])[..., 0] > 0.7
    return onto_sphere((weights[..., None] * friends).sum(axis=1) + 2 * rounding(places) * mean, rounding(places))
