"""Attention rollout: how much of each patch reaches the class token through all layers."""

from __future__ import annotations

import numpy as np

from core.attention.towers import Attention
from core.errors import check_choice

HEADS = ("mean", "max")


def rollout(attention: Attention, *, heads: str = "mean", residual: float = 0.5) -> np.ndarray:
    """Shares of the class token that come from each patch, were attention and residuals all there is.

    The heads of a layer are joined, the residual stream is added as a share of each token in itself, rows are made to
    sum to 1, and layers are multiplied. Without a class token the pooling probe, which has no residual, looks at the
    result.

    Parameters
    ----------
    attention : of n pictures, all layers.
    heads : "mean" or "max" of a layer's heads.
    residual : the share of each token that stays where it is, in [0, 1).

    Returns
    -------
    (n, rows, columns) float32 in [0, 1]; with what the class token keeps of itself they sum to 1.

    References
    ----------
    Abnar and Zuidema 2020, arXiv:2005.00928.
    """
    check_choice("heads", heads, HEADS)
    t = attention.layers.shape[-1]
    product = np.broadcast_to(np.eye(t, dtype=np.float32), (len(attention.layers), t, t))
    for layer in range(attention.layers.shape[1]):
        joined = getattr(attention.layers[:, layer], heads)(axis=1)
        joined = (1 - residual) * joined / joined.sum(axis=-1, keepdims=True)
        joined[:, range(t), range(t)] += residual
        product = joined @ product
    if attention.pooled is None:
        seen = product[:, 0, 1:]
    else:
        probe = getattr(attention.pooled, heads)(axis=1)
        seen = np.einsum("nt,ntp->np", probe / probe.sum(axis=-1, keepdims=True), product)
    return np.asarray(seen.reshape(-1, *attention.grid), dtype=np.float32)
