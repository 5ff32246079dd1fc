"""What the small towers learn by: three losses, each of them with three distances of an image from a caption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import check_choice
from core.learning.contrastive import symmetric_cross_entropy
from core.learning.towers.setup import DIALS

if TYPE_CHECKING:
    from torch import Tensor

SHARPNESS = 2.0


def pair_loss(x: Tensor, y: Tensor, same: Tensor, *, loss: str, distance: str, scale: Tensor | float = 1.0,
              bias: Tensor | float = 0.0) -> Tensor:
    """The loss of a batch of pairs.

    Parameters
    ----------
    x, y : (n, d) image and text features, row i of both is a pair; unit rows, but for the Euclidean distance any.
    same : (n, n) bool, pairs of rows whose captions are equal: off the diagonal they are no negatives, and are not
        pushed apart.
    loss, distance : keys of their dials.
    scale : () inverse temperature, > 0; alignment and uniformity have none.
    bias : () added to the logits of the sigmoid loss.

    Returns
    -------
    () natural logarithm for InfoNCE and the sigmoid loss; mean squared distance plus uniformity for the third.

    Raises
    ------
    ChoiceError
        If the loss or the distance is unknown.
    """
    check_choice("loss", loss, DIALS["loss"].choices or ())
    if loss == "info_nce":
        return symmetric_cross_entropy(scale * similarity(x, y, distance), _others(same))
    if loss == "sigmoid":
        return sigmoid(scale * similarity(x, y, distance) + bias, _others(same))
    return alignment_uniformity(x, y, _others(same), distance)


def similarity(x: Tensor, y: Tensor, distance: str) -> Tensor:
    """(n, m) floats, larger is nearer, of (n, d) and (m, d) features.

    The cosine; pi / 2 minus the angle, in radians; or 1 minus half the squared Euclidean distance. All three have the
    same value and the same slope where unit rows are at right angles, so that one temperature means much the same to
    each, and the last is the cosine on the sphere: it differs off it, where EuCLIP takes it.

    Raises
    ------
    ChoiceError
        If the distance is unknown.

    References
    ----------
    Chou and Alam, Embedding geometries of contrastive language-image pre-training, 2024, arXiv:2409.13079.
    """
    import math

    check_choice("distance", distance, DIALS["distance"].choices or ())
    if distance == "euclidean":
        return 1 - squared_euclidean(x, y) / 2
    cosine = x @ y.T
    return cosine if distance == "cosine" else math.pi / 2 - angle_of(cosine)


def squared_euclidean(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) squared distances of (n, d) and (m, d) rows, >= 0."""
    squares = (x * x).sum(1)[:, None] + (y * y).sum(1)[None]
    return (squares - 2 * x @ y.T).clamp(min=0)


def angle_of(cosine: Tensor) -> Tensor:
    """Radians in [0, pi], of any shape; no slope within rounding of 0 and of pi, where an angle has none."""
    import torch

    slack = 4 * torch.finfo(cosine.dtype).eps
    cosine = cosine.clamp(-1 + slack, 1 - slack)
    return 2 * torch.atan2((1 - cosine).sqrt(), (1 + cosine).sqrt())


def sigmoid(logits: Tensor, also: Tensor) -> Tensor:
    """SigLIP's loss of (n, n) logits: each pair of rows is a question of its own, right on the diagonal alone.

    Parameters
    ----------
    also : (n, n) bool, pairs off the diagonal that are right too: they are not asked.

    Returns
    -------
    () natural logarithm, >= 0: the sum over all pairs of rows, divided by n.

    References
    ----------
    Zhai et al., Sigmoid loss for language image pre-training, 2023, arXiv:2303.15343.
    """
    import torch
    import torch.nn.functional as F

    sign = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
    return -F.logsigmoid(sign * logits).masked_fill(also, 0).sum() / len(logits)


def alignment_uniformity(x: Tensor, y: Tensor, also: Tensor, distance: str) -> Tensor:
    """Mean squared distance of the pairs, plus the mean uniformity of images and of texts, t = 2.

    Squared distances are those of points in space (cosine: of unit rows; Euclidean: of any), or squared angles.

    Parameters
    ----------
    also : (n, n) bool, rows that are not pushed apart.

    Returns
    -------
    () float; without two rows to push apart, alignment alone.

    References
    ----------
    Wang and Isola, ICML 2020, arXiv:2005.10242.
    """
    import torch

    def squared(a: Tensor, b: Tensor) -> Tensor:
        if distance == "euclidean":
            return squared_euclidean(a, b)
        cosine = a @ b.T
        return 2 - 2 * cosine if distance == "cosine" else angle_of(cosine) ** 2

    own = torch.eye(len(x), dtype=torch.bool, device=x.device)
    alignment = squared(x, y)[own].mean()
    apart = ~(also | own)
    if not bool(apart.any()):
        return alignment
    count = apart.sum().to(x.dtype).log()
    potentials = [(-SHARPNESS * squared(a, a)).masked_fill(~apart, float("-inf")).flatten().logsumexp(0) - count
                  for a in (x, y)]
    return alignment + (potentials[0] + potentials[1]) / 2


def _others(same: Tensor) -> Tensor:
    """The pairs off the diagonal."""
    import torch

    return same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
