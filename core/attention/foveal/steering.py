"""One picture with a region pointed at in every way: what each does to its vector and to prompts, beside chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.attention.masks import FOVEAL, Steering
from core.attention.prompts import BATCH, EDITED, MARGIN, METHODS, STEERED, at_once, edited
from core.attention.regions import Region
from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError
from core.geometry.directions import angle, angles, unit
from core.geometry.jackknife import with_interval
from core.types import Number

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

ALPHAS = tuple(i / 2 for i in range(25))
MOST_PICTURES = 200

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Effects:
    """What each way of pointing does to a picture's vector.

    Attributes
    ----------
    methods : m of METHODS, "none" the first.
    prompts : p texts.
    vectors : (m, d) float32, unit rows.
    norms : (m,) float32, lengths of the raw vectors.
    probabilities : (m, p) in [0, 1], the model's own.
    cosines : (m, p) with each prompt.
    log_odds : (m, p) natural logarithm of p / (1 - p); NaN of a softmax over one prompt.
    angles : (m,) degrees from the vector without pointing.
    elsewhere : (m, k) degrees moved when as large a region at each of k random places is pointed at; row 0 is NaN.
    elsewhere_probabilities, elsewhere_log_odds : (m, k, p) likewise; row 0 is NaN.
    """

    methods: tuple[str, ...]
    prompts: tuple[str, ...]
    vectors: np.ndarray
    norms: np.ndarray
    probabilities: np.ndarray
    cosines: np.ndarray
    log_odds: np.ndarray
    angles: np.ndarray
    elsewhere: np.ndarray
    elsewhere_probabilities: np.ndarray
    elsewhere_log_odds: np.ndarray

    @property
    def places(self) -> int:
        """How many random places there are."""
        return self.elsewhere.shape[1]

    def as_far(self, method: str) -> int:
        """At how many of the random places the same method moves the vector as far or farther."""
        i = self.methods.index(method)
        return int((self.elsewhere[i] >= self.angles[i]).sum())


@dataclass(frozen=True, eq=False)
class Response:
    """How a picture's vector answers to alpha.

    Attributes
    ----------
    alphas : (a,) logits.
    prompts : p texts.
    probabilities : (a, p) in [0, 1], the model's own.
    angles : (a,) degrees from the vector without a mask.
    """

    alphas: np.ndarray
    prompts: tuple[str, ...]
    probabilities: np.ndarray
    angles: np.ndarray


def variants(steering: Steering) -> dict[str, Steering]:
    """What each method that steers makes of the dials: the soft mask, the hard one, and either of them unleashed."""
    return {"foveal": replace(steering, hard=False, unleash=0), "hard_mask": replace(steering, hard=True, unleash=0),
            "unleash": replace(steering, unleash=max(steering.unleash, 1))}


def point_by_pixels(tower: ImageTower, image: Image, regions: Sequence[Region], *, margin: float = MARGIN,
                    on_progress: Progress | None = None, should_stop: Stop | None = None
                    ) -> dict[str, np.ndarray]:
    """Raw vectors of a picture as it is, and with each region pointed at by each method that edits pixels.

    Parameters
    ----------
    tower : whose vectors.
    image : upright, RGB.
    regions : the region, then other places.
    margin : of the crop, of the sides of the box.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.

    Returns
    -------
    Method -> (1 + k, d) float32, in the order of the regions; of "none" one row.

    Raises
    ------
    ShapeError
        As `core.attention.prompts.edited`.
    """
    asked = [(method, region) for method in EDITED for region in regions]
    out = [tower.encoder.encode_images([image])]
    batch = at_once(image)
    for start in range(0, len(asked), batch):
        _tell(start, len(asked), "Editing pixels", on_progress, should_stop)
        views = [edited(image, region, method, margin=margin) for method, region in asked[start:start + batch]]
        out.append(tower.encoder.encode_images(views))
    rows, k = np.concatenate(out), len(regions)
    return {"none": rows[:1], **{method: rows[1 + i * k:1 + (i + 1) * k] for i, method in enumerate(EDITED)}}


def point_by_attention(tower: ImageTower, image: Image, regions: Sequence[Region], steering: Steering = FOVEAL, *,
                       on_progress: Progress | None = None, should_stop: Stop | None = None
                       ) -> dict[str, np.ndarray]:
    """Raw vectors of a picture with each region pointed at by each method that steers attention.

    Parameters
    ----------
    tower, image, regions, on_progress, should_stop
        As `point_by_pixels` takes them.
    steering : the dials, of which `variants` makes the methods. Methods that differ in their bias alone share batches.

    Returns
    -------
    Method -> (1 + k, d) float32, in the order of the regions.

    Raises
    ------
    ShapeError
        As `core.attention.regions.shares`.
    """
    pixels, k = tower.encoder.preprocess([image]), len(regions)
    out: dict[str, np.ndarray] = {}
    alike: dict[Steering, list[str]] = {}
    asked = variants(steering)
    for method, one in asked.items():
        if one.idle:
            out[method] = np.repeat(tower.encode(pixels), k, axis=0)
        else:
            alike.setdefault(replace(one, alpha=1.0, hard=False), []).append(method)
    images = [image] * k
    for number, (one, methods) in enumerate(alike.items()):
        _tell(number, len(alike), "Steering attention", on_progress, should_stop)
        bias = np.concatenate([tower.bias(images, regions, asked[method]) for method in methods])
        rows = _steered(tower, pixels, bias, one, should_stop)
        out |= {method: rows[i * k:(i + 1) * k] for i, method in enumerate(methods)}
    return {method: out[method] for method in STEERED}


def over_alpha(tower: ImageTower, image: Image, region: Region, steering: Steering = FOVEAL,
               alphas: Sequence[float] = ALPHAS, *, on_progress: Progress | None = None,
               should_stop: Stop | None = None) -> np.ndarray:
    """Raw vectors of a picture under the soft mask at each alpha, all else as the dials say.

    Returns
    -------
    (a, d) float32; alpha 0 is the picture as it is.
    """
    _tell(0, 1, "Turning alpha", on_progress, should_stop)
    pixels, one = tower.encoder.preprocess([image]), replace(steering, alpha=1.0, hard=False)
    if one.idle:
        return np.repeat(tower.encode(pixels), len(alphas), axis=0)
    bias = np.concatenate([tower.bias([image], [region], replace(one, alpha=alpha)) for alpha in alphas])
    out = _steered(tower, pixels, bias, one, should_stop)
    out[np.asarray(alphas) == 0] = tower.encode(pixels)
    return out


def effects(tower: ImageTower, known: Mapping[str, np.ndarray], prompts: Sequence[str]) -> Effects:
    """What each method does, by the model's own probabilities.

    Parameters
    ----------
    tower : whose vectors they are.
    known : method -> (1 + k, d) raw vectors, of the region and of k random places, "none" (1, d) among them; as
        `point_by_pixels` and `point_by_attention` give them.
    prompts : p texts, at least one.

    Raises
    ------
    ShapeError
        If the picture's own vector or prompts are missing.
    """
    if "none" not in known or not prompts:
        raise ShapeError("the picture's own vector, and a prompt", f"{', '.join(known)}; {len(prompts)} prompts")
    methods = tuple(method for method in METHODS if method in known)
    k = max(len(rows) for rows in known.values()) - 1
    raw = np.concatenate([known[method] for method in methods])
    starts = np.cumsum([0, *(len(known[method]) for method in methods)])[:-1]
    rows, norms = unit(raw), np.linalg.norm(raw, axis=1)
    texts = list(prompts)
    shares = tower.encoder.probabilities(rows, norms, texts).astype(np.float64)
    odds = _log_odds(tower, tower.encoder.logits(rows, norms, texts).astype(np.float64))
    gone = np.degrees(angle(rows, rows[starts[0]]))
    return Effects(methods, tuple(prompts), rows[starts], norms[starts], shares[starts],
                   rows[starts] @ unit(tower.encoder.encode_texts(texts)).T, odds[starts], gone[starts],
                   _others(gone[:, None], starts, k)[..., 0], _others(shares, starts, k), _others(odds, starts, k))


def response(tower: ImageTower, vectors: np.ndarray, alphas: Sequence[float], prompts: Sequence[str]) -> Response:
    """Probabilities and angles over alpha, of what `over_alpha` gave; the first alpha must be 0."""
    rows, norms = unit(vectors), np.linalg.norm(vectors, axis=1)
    return Response(np.asarray(alphas, dtype=np.float64), tuple(prompts),
                    tower.encoder.probabilities(rows, norms, list(prompts)).astype(np.float64),
                    np.degrees(angle(rows, rows[0])))


def mean_angle(vectors: np.ndarray) -> Number | None:
    """Mean angle between two of n pictures, in degrees, with its jackknife interval; None for fewer than two.

    Parameters
    ----------
    vectors : (n, d) floats, unit rows.
    """
    n = len(vectors)
    if n < 2:
        return None
    apart = np.degrees(angles(vectors, vectors))
    np.fill_diagonal(apart, 0.0)
    sums = apart.sum(axis=1)
    without = (sums.sum() - 2 * sums) / ((n - 1) * (n - 2)) if n > 3 else None
    return with_interval(float(sums.sum() / (n * (n - 1))), without, None, n, "degrees", low=0.0, high=180.0)


def _steered(tower: ImageTower, pixels: torch.Tensor, bias: np.ndarray, steering: Steering,
             should_stop: Stop | None) -> np.ndarray:
    out = []
    for start in range(0, len(bias), BATCH):
        _tell(start, len(bias), "Steering attention", None, should_stop)
        some = bias[start:start + BATCH]
        out.append(tower.encode(pixels.expand(len(some), -1, -1, -1), some, steering))
    return np.concatenate(out)


def _tell(done: int, n: int, text: str, on_progress: Progress | None, should_stop: Stop | None) -> None:
    if should_stop is not None and should_stop():
        raise Cancelled(f"{done:,} of {n:,} steps")
    if on_progress is not None:
        on_progress(done / max(n, 1), text)


def _others(values: np.ndarray, starts: np.ndarray, k: int) -> np.ndarray:
    """(m, k, ...) rows after the first of each method; NaN for the first method, which points nowhere."""
    out = np.full((len(starts), k, values.shape[1]), np.nan)
    for i, start in enumerate(starts[1:], 1):
        out[i] = values[start + 1:start + 1 + k]
    return out


def _log_odds(tower: ImageTower, logits: np.ndarray) -> np.ndarray:
    """Of each prompt against all others, from logits; of a SigLIP, each against its absence."""
    if tower.encoder.model.config.model_type == "siglip":
        return logits
    if logits.shape[1] == 1:
        return np.full(logits.shape, np.nan)
    out = np.empty(logits.shape)
    for j in range(logits.shape[1]):
        rest = np.delete(logits, j, axis=1)
        highest = rest.max(axis=1)
        out[:, j] = logits[:, j] - highest - np.log(np.exp(rest - highest[:, None]).sum(axis=1))
    return out
