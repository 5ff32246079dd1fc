"""The foveal mask: a soft bias on the attention logits that makes an image tower look at a region.

As published it adds up to alpha logits at the middle of a region, and nothing at its corners. The mask that stands here
at first takes away instead: attention to each patch is multiplied by the share of it that the region covers, but never
by less than exp(-alpha). On scenes of the built-in world it finds more boxes (`core.attention.foveal.evaluation`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_choice

ROWS = ("cls", "all", "diagonal")
PROFILES = ("share", "gaussian")
SHUT = -1e4       # added to what a hard mask shuts out; finite in every dtype, and its exponential is 0
EPSILON = 1e-6


@dataclass(frozen=True)
class Steering:
    """How a region becomes a bias on attention.

    Attributes
    ----------
    alpha : strength of the mask, in logits; 0 changes nothing, below 0 it looks away. Of the profile "share" how much
        is taken from what is outside, of "gaussian" how much is added at the middle.
    sigma : width of the Gaussian, in patches, > 0. Of "gaussian" its values are stretched from 0 to 1, so that above
        about 5 patches sigma changes next to nothing.
    layers : from 0; None for all.
    rows : whose attention it is added to: "cls" the class token's (without one, the pooling probe's), "all" every
        token's, "diagonal" each patch's to itself.
    heads : (layer, head) pairs, from 0; None for all.
    hard : shut out what is outside the region, in place of a profile.
    unleash : in so many last layers, each head's response of the class token to the mask is added once more.
    profile : "share", attention to a patch times the share of it in the region times the Gaussian, down to exp(-alpha);
        or "gaussian", as published, from alpha in the middle of a box to 0 at its corners.

    References
    ----------
    Zhuang et al. 2024, FALIP, arXiv:2407.05578.
    """

    alpha: float = 8.0
    sigma: float = 100.0
    layers: tuple[int, ...] | None = None
    rows: str = "cls"
    heads: tuple[tuple[int, int], ...] | None = None
    hard: bool = False
    unleash: int = 0
    profile: str = "share"

    def __post_init__(self) -> None:
        check_choice("rows", self.rows, ROWS)
        check_choice("profile", self.profile, PROFILES)
        if not np.isfinite(self.alpha) or not self.sigma > 0:
            raise ShapeError("alpha a number and sigma above 0", f"alpha {self.alpha}, sigma {self.sigma}")

    @property
    def idle(self) -> bool:
        """Whether it changes nothing at all."""
        return (self.alpha == 0 and not self.hard) or self.layers == () or self.heads == ()


FOVEAL = Steering()
PUBLISHED = Steering(alpha=0.2, profile="gaussian")     # on the last third of the layers


def foveal_weights(shares: np.ndarray, steering: Steering) -> np.ndarray:
    """The bias of each patch.

    Of the profile "share" each box has, in each patch, the share of it that it covers times a Gaussian about its
    middle, over the highest of them; a patch in several boxes takes the highest. The bias is the logarithm of that, but
    not below -alpha. Looking away (alpha below 0) takes alpha from what is inside, and as much less from patches
    covered in part.

    Of "gaussian" each box has a Gaussian about its middle, over the patches that it covers, stretched to alpha at its
    highest and to 0 at its lowest; a patch in several boxes takes the one farthest from 0. Its patches are those of
    which it covers half or more, or, where there is none, the one of which it covers most.

    Parameters
    ----------
    shares : (k, rows, columns) in [0, 1], as `core.attention.regions.shares` gives them.
    steering : alpha, sigma, profile and whether the mask is hard.

    Returns
    -------
    (rows, columns) float32, in logits: from -alpha to 0, or of "gaussian" from 0 to alpha. Of a hard mask, 0 inside and
    `SHUT` outside.
    """
    if steering.profile == "share" and not steering.hard:
        with np.errstate(divide="ignore"):
            seen = np.log(np.stack([_seen(layer, steering.sigma) for layer in shares]).max(axis=0))
        lowered = np.maximum(seen, -abs(steering.alpha))
        return np.asarray(lowered if steering.alpha >= 0 else steering.alpha - lowered, dtype=np.float32)
    inside = np.stack([_inside(layer) for layer in shares])
    if steering.hard:
        return np.where(inside.any(axis=0), 0.0, SHUT).astype(np.float32)
    highest = np.stack([_gaussian(layer, steering.sigma) for layer in inside]).max(axis=0)
    return np.asarray(steering.alpha * highest, dtype=np.float32)


def _seen(share: np.ndarray, sigma: float) -> np.ndarray:
    rows, columns = np.indices(share.shape)
    down, across = np.average(rows, weights=share), np.average(columns, weights=share)
    out = share * np.exp(-((rows - down) ** 2 + (columns - across) ** 2) / (2 * sigma**2))
    highest = out.max()
    return out / highest if highest > 0 else share / share.max()


def _inside(share: np.ndarray) -> np.ndarray:
    return share >= min(0.5, float(share.max()))


def _gaussian(inside: np.ndarray, sigma: float) -> np.ndarray:
    rows, columns = np.nonzero(inside)
    down, across = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    r = np.exp(-((rows - down) ** 2 + (columns - across) ** 2) / (2 * sigma**2))
    low, high = r.min(), r.max()
    out = np.zeros(inside.shape)
    if high - low < 1e-12:
        out[rows, columns] = 1.0
    else:
        out[rows, columns] = (r - low + EPSILON) / (high - low + EPSILON)
    return out


def attention_bias(weights: np.ndarray, rows: str, *, cls: bool) -> np.ndarray:
    """The matrix that is added to attention logits.

    Parameters
    ----------
    weights : (rows, columns) of patches, as `foveal_weights` gives them.
    rows : as `Steering.rows`; "cls" needs a class token.
    cls : whether the first token is a class token.

    Returns
    -------
    (t, t) float32, by query and key, t patches and the class token.
    """
    check_choice("rows", rows, ROWS)
    flat, start = weights.reshape(-1), int(cls)
    t = len(flat) + start
    out = np.zeros((t, t), dtype=np.float32)
    if rows == "diagonal":
        out[range(start, t), range(start, t)] = flat
    elif rows == "all":
        out[:, start:] = flat
    elif cls:
        out[0, 1:] = flat
    else:
        raise ShapeError("a class token, whose row takes the mask", "an image tower without one",
                         "Its pooling probe takes the row; see core.attention.towers.")
    return out
