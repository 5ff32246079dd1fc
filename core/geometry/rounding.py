"""How much of a number may be rounding: what decides whether vectors are equal, of lower rank or without length."""

from __future__ import annotations

import numpy as np

_MARGIN = 8


def rounding(x: np.ndarray, terms: int = 1) -> float:
    """What rounding alone may add to a number of size 1 that comes from ``x``.

    Processors sum in different orders, so that what is equal in truth differs by about this much: a smaller difference
    is none. Numbers of another size have it in proportion.

    Parameters
    ----------
    x
        Floats: vectors, or what was made of them; only the precision matters.
    terms
        How many products a sum has that was taken in this precision, such as d for a cosine in d dimensions; 1 for
        what was only stored in it, such as the length of a unit row.

    Returns
    -------
    8 eps sqrt(terms): rounding errors of either sign grow with the root of their number.

    References
    ----------
    Higham and Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41, 2019.
    """
    return float(_MARGIN * np.finfo(x.dtype).eps * np.sqrt(terms))
