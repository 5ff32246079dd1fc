"""What tells two groups of items apart, in words and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

COLUMNS = ("feature", "share_a", "share_b", "z")


def tell_apart(a: Sequence[Collection[str]], b: Sequence[Collection[str]], *, least: int = 2) -> pd.DataFrame:
    """Features that are more frequent in one group than in the other.

    Parameters
    ----------
    a, b
        The features of each item of two groups; a feature counts once an item.
    least
        Items, of both groups together, that must have a feature for it to count.

    Returns
    -------
    Table of feature, share_a, share_b (in [0, 1]) and z, the difference of the shares over its standard error under
    one common share; largest absolute z first, equal shares left out.
    """
    counts_a, counts_b = (Counter(f for item in group for f in set(item)) for group in (a, b))
    n_a, n_b = len(a), len(b)
    if not n_a or not n_b:
        return pd.DataFrame(columns=list(COLUMNS))
    rows = []
    for feature in sorted(set(counts_a) | set(counts_b)):
        k_a, k_b = counts_a[feature], counts_b[feature]
        pooled = (k_a + k_b) / (n_a + n_b)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
        if k_a + k_b < least or error == 0 or k_a * n_b == k_b * n_a:
            continue
        rows.append((feature, k_a / n_a, k_b / n_b, (k_a / n_a - k_b / n_b) / error))
    rows.sort(key=lambda row: (-abs(row[3]), row[0]))
    return pd.DataFrame(rows, columns=list(COLUMNS))
