"""What tells two groups of items apart, in words and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

COLUMNS = ("feature", "share_a", "share_b", "z")


def tell_apart(items: Sequence[Collection[str]], a: Sequence[int], b: Sequence[int], *,
               least: int = 2) -> pd.DataFrame:
    """Features that are more frequent in one group than in the other.

    Parameters
    ----------
    items
        The features of each item; a feature counts once an item.
    a, b
        Indices of the items of two groups, which may share some.
    least
        Items, of both groups together, that must have a feature for it to count.

    Returns
    -------
    Table of feature, share_a, share_b (in [0, 1]) and z, the difference of the shares over its standard error under
    one common share, an item of both groups counted once; largest absolute z first, equal shares left out.
    """
    first, second = set(a), set(b)
    n_a, n_b, n = len(first), len(second), len(first | second)
    if not n_a or not n_b:
        return pd.DataFrame(columns=list(COLUMNS))
    counts_a, counts_b, counts = (Counter(f for item in group for f in set(items[item]))
                                  for group in (first, second, first | second))
    spread = 1 / n_a + 1 / n_b - 2 * len(first & second) / (n_a * n_b)
    rows = []
    for feature, k in sorted(counts.items()):
        k_a, k_b, pooled = counts_a[feature], counts_b[feature], k / n
        error = np.sqrt(pooled * (1 - pooled) * spread)
        if k < least or error == 0 or k_a * n_b == k_b * n_a:
            continue
        rows.append((feature, k_a / n_a, k_b / n_b, (k_a / n_a - k_b / n_b) / error))
    rows.sort(key=lambda row: (-abs(row[3]), row[0]))
    return pd.DataFrame(rows, columns=list(COLUMNS))
