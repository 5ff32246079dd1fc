"""Where the points of a record lie on the sphere one looks at, at every step on one and the same map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.geometry.maps.placing import part
from core.geometry.maps.registry import fit_map
from core.learning.records.aligned import Aligned, aligned
from core.learning.records.record import Record
from core.types import SphereMap

FITTED_STEPS = 6
_ROWS = 4000


@dataclass(frozen=True, eq=False)
class Places:
    """Points of a record on S^2.

    Attributes
    ----------
    images, texts : (s, n, 3) and (s, m, 3) float32, unit rows.
    aligned : how each step was turned; None where the features have no more than three dimensions, and lie as they are.
    map : the one map, of the points that it was fitted to; None where there is none.
    """

    images: np.ndarray
    texts: np.ndarray
    aligned: Aligned | None = None
    map: SphereMap | None = None

    def said(self, at: int) -> str:
        """How a step was turned, and what that left; "" where nothing was."""
        if self.aligned is None:
            return ""
        one = self.aligned
        return (f"Every step is turned by one orthogonal matrix for both towers: this one by "
                f"{np.degrees(one.turned[at]):.0f}° on average, which leaves {one.residuals[at]:.2f} of "
                f"{one.before[at]:.2f} root mean squared distance to step {one.record.steps[one.reference]:,} "
                f"(by chance {one.chance[at]:.2f}).")


def placed(record: Record, *, method: str = "pca", seed: int = 0,
           on_progress: Callable[[float, str], None] | None = None,
           should_stop: Callable[[], bool] | None = None) -> Places:
    """Lay the points of every step on one sphere.

    Features of three dimensions lie where they are, those of two on the equator. Others are turned to the last step
    and placed by one map, fitted to up to six steps, first and last among them.

    Parameters
    ----------
    record
        Any record.
    method
        Key of a map that places new vectors, see `core.geometry.maps.registry`.
    seed
        Of all that is random.

    Raises
    ------
    Cancelled
        If it was stopped.
    """
    if record.dim <= 3:
        images, texts = (np.pad(x, ((0, 0), (0, 0), (0, 3 - record.dim))) for x in (record.images, record.texts))
        return Places(images, texts)
    found = aligned(record, seed=seed, on_progress=part(on_progress, 0, 0.5), should_stop=should_stop)
    x = np.concatenate([found.record.images, found.record.texts], axis=1)
    n, m = len(record.probe.images), len(record.probe.texts)
    most = max(2, min(FITTED_STEPS, _ROWS // (n + m)))
    some = x[list(record.some(most))]
    fitted = fit_map(some.reshape(-1, record.dim), method, texts=np.tile(np.repeat([False, True], [n, m]), len(some)),
                     seed=seed, on_progress=part(on_progress, 0.5, 1), should_stop=should_stop)
    there = fitted.place(x.reshape(-1, record.dim)).reshape(len(record), n + m, 3)
    return Places(there[:, :n], there[:, n:], found, fitted.map)
