"""The contrastive loss that CLIP learns by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def info_nce(x: Tensor, y: Tensor, scale: Tensor, also: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE: mean of row-wise and column-wise cross-entropy of ``scale * x @ y.T``.

    Parameters
    ----------
    x, y : (n, d) unit rows; row i of both is a pair.
    scale : () inverse temperature, > 0.
    also : (n, n) bool, pairs off the diagonal that are right too and so are no negatives.

    Returns
    -------
    () natural logarithm, >= 0; ln n by chance.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020.
    """
    return symmetric_cross_entropy(scale * x @ y.T, also)


def symmetric_cross_entropy(logits: Tensor, also: Tensor | None = None) -> Tensor:
    """Mean of row-wise and column-wise cross-entropy of (n, n) ``logits``, right on the diagonal; ``also`` as above."""
    import torch
    import torch.nn.functional as F

    if also is not None:
        logits = logits.masked_fill(also, float("-inf"))
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
