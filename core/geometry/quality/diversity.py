"""How many different things there are: Vendi score and effective rank, at an n that can be shared."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.samples import spread_sample
from core.geometry.spectrum import directions_filled
from core.types import Number

TITLES = {"vendi": "Vendi score", "effective_rank": "Effective rank"}
EXPLANATIONS = {
    "vendi": "How many items, unlike each other, would be as diverse: exp of the entropy of the eigenvalues of their "
             "cosines over n (Friedman and Dieng 2023). It grows with n: compare it at equal n.",
    "effective_rank": "Dimensions that the items fill evenly about their mean (Roy and Vetterli 2007). It grows with "
                      "n: compare it at equal n.",
}


def diversity(x: np.ndarray, *, n: int | None = None, seed: int = 0) -> dict[str, Number]:
    """Vendi score (in items) and effective rank (in dimensions) of rows, by the keys of TITLES.

    Parameters
    ----------
    x
        (m, d) floats, unit rows.
    n
        At how many rows they are measured, so that sets can be compared; taken evenly from the most to the least
        typical. All where None, or where there are no more.
    seed
        Of which rows.

    Returns
    -------
    Each beside the same of n random directions, with a 95 % interval (a jackknife to first order) where there are
    four rows for a dimension, so that it covers. What is not defined is left out: all of no rows, the effective rank
    of rows that are all the same.

    Raises
    ------
    ShapeError
        If the rows are no unit vectors, or n is below 1.
    """
    x = np.asarray(x)
    check_vectors(x, at_least=0, unit=True)
    if n is not None and n < 1:
        raise ShapeError("at least 1 item to measure at", str(n))
    if n is not None and len(x) > n:
        x = x[spread_sample(x, n, seed=seed)]
    if not len(x):
        return {}
    own = np.arange(len(x))
    found = {"vendi": directions_filled(x, own, centred=False, unit="items"),
             "effective_rank": directions_filled(x, own, unit="dimensions") if len(x) > 1 else None}
    return {key: number for key, number in found.items() if number is not None}
