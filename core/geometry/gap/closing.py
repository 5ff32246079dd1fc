"""Ways of closing the modality gap: each is fitted on some pairs, then moves or compares any images and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import numpy as np

from core.errors import ShapeError, check_choice
from core.geometry.gap import learned, moves, similarities
from core.geometry.gap.moves import Move, Moves
from core.geometry.gap.similarities import Compare, cosines
from core.geometry.pairs import Pairs

UNTOUCHED = "untouched"
_LEAST_LENGTH = 1e-5


@dataclass(frozen=True)
class ClosingMethod:
    """How a way of closing is called, what it does and what it has to be fitted on.

    Attributes
    ----------
    title, explanation : for the user.
    fits : "nothing"; "means", statistics of each modality apart, for which no pairs need be known; "pairs".
    moves : True where it moves vectors, False where it only compares them otherwise.
    fit : from pairs and a seed to the moves of images and texts, or to a comparison.
    """

    title: str
    explanation: str
    fits: Literal["nothing", "means", "pairs"]
    moves: bool
    fit: Callable[[Pairs, int], Moves | Compare] = field(repr=False)


def _untouched(pairs: Pairs, seed: int) -> Compare:
    return cosines


_SAME_RANKING = "On the unit sphere it grows exactly as the cosine falls, so every ranking stays what it was."

CLOSINGS: dict[str, ClosingMethod] = {
    UNTOUCHED: ClosingMethod("Untouched", "The vectors as the model gives them, compared by their cosine.",
                             "nothing", False, _untouched),
    "translation": ClosingMethod(
        "Translation", "Moves each modality half of the gap vector towards the other (Liang 2022); strength 1 is the "
        "shift 1/2.", "means", True, moves.translation),
    "centring": ClosingMethod(
        "Centring", "Takes from each modality its own mean: the cones go along with the gap.",
        "means", True, moves.centring),
    "drop_dimensions": ClosingMethod(
        "Dropping gap dimensions", "Takes out the model's coordinates in which the means differ most, until 90 % of "
        "the squared gap is gone (Schrodi 2024).", "means", True, moves.drop_dimensions),
    "standardising": ClosingMethod(
        "Standardising", "Takes from each modality its mean and divides each coordinate by its standard deviation "
        "(An 2024).", "means", True, moves.standardising),
    "procrustes": ClosingMethod(
        "Orthogonal Procrustes", "Turns the texts by the orthogonal matrix that brings them nearest to their images "
        "(Schonemann 1966). With fewer pairs than dimensions it is arbitrary in the rest: it looks near perfect on the "
        "pairs that it was fitted on.", "pairs", True, moves.procrustes),
    "ridge": ClosingMethod(
        "Ridge map", "Maps texts to their images by least squares, held near the identity by a penalty that is chosen "
        "on pairs held back inside the fit.", "pairs", True, moves.ridge),
    "learned": ClosingMethod(
        "Learned projection", "A small residual map of each modality, learned with the contrastive loss and stopped by "
        "pairs held back inside the fit. It is after retrieval: nothing asks it to close the gap.",
        "pairs", True, learned.learned),
    "geodesic": ClosingMethod("Geodesic distance", f"The angle instead of the cosine. {_SAME_RANKING}",
                              "nothing", False, similarities.geodesic),
    "euclid": ClosingMethod("Euclidean distance", f"The straight distance instead of the cosine. {_SAME_RANKING}",
                            "nothing", False, similarities.euclid),
    "heat_kernel": ClosingMethod(
        "Heat kernel", "How much heat of an image has reached a text on the sphere (Zhao & Song 2017). It falls as the "
        "cosine falls, so every ranking stays what it was.", "nothing", False, similarities.diffusion),
    "mahalanobis": ClosingMethod(
        "Mahalanobis", "How usual the difference of an image and a text is among pairs: the mean difference, the gap, "
        "costs nothing, and directions in which pairs differ anyway cost little.",
        "pairs", False, similarities.mahalanobis),
    "csls": ClosingMethod(
        "CSLS", "The cosine less how near each lies to its 10 nearest of the other modality, so that hubs, near to "
        "all, win less (Conneau 2018). Nearness is to images and texts of the fit part, not to those scored.",
        "means", False, similarities.csls),
    "inverted_softmax": ClosingMethod(
        "Inverted softmax", "Asks which query an answer would choose instead of which answer a query would, so that "
        "hubs win less (Smith 2017). The other queries are those of the fit part, not those scored.",
        "pairs", False, similarities.inverted_softmax),
}


@dataclass(frozen=True, eq=False)
class FittedClosing:
    """A way of closing with what it learned from the pairs it was fitted on.

    Attributes
    ----------
    method : key of `CLOSINGS`.
    strength : from 0, vectors and cosines as they were, to 1, all the way.
    """

    method: str
    strength: float
    _fitted: Moves | Compare = field(repr=False)

    def at(self, strength: float) -> FittedClosing:
        """The same fit at another strength."""
        return replace(self, strength=_checked(strength))

    def apply(self, pairs: Pairs) -> Pairs:
        """Pairs with moved vectors, float32 unit rows; class vectors move as texts do.

        Methods that only compare otherwise, and strength 0, give the pairs as they are. A row that a move would take
        to the middle of the sphere, where there is no direction, stays where it was.
        """
        if not CLOSINGS[self.method].moves or self.strength == 0:
            return pairs
        of_classes = None if pairs.classes is None else self.move_texts(pairs.classes.vectors)
        return pairs.moved(self.move_images(pairs.images), self.move_texts(pairs.texts), of_classes)

    def move_images(self, x: np.ndarray) -> np.ndarray:
        """(n, d) unit rows -> (n, d) float32 unit rows."""
        return self._moved(0, x)

    def move_texts(self, x: np.ndarray) -> np.ndarray:
        """(n, d) unit rows -> (n, d) float32 unit rows."""
        return self._moved(1, x)

    def scores(self, images: np.ndarray, texts: np.ndarray) -> np.ndarray:
        """How alike each image and each text are, the higher the more.

        Parameters
        ----------
        images, texts
            (n, d) and (m, d) unit rows, as the model gave them: they are moved here.

        Returns
        -------
        (n, m) floats: cosines after the move; for methods that only compare otherwise, (1 - strength) cosine +
        strength times their own measure.
        """
        if self.strength == 0:
            return cosines(images, texts)
        if CLOSINGS[self.method].moves:
            return np.asarray(self.move_images(images) @ self.move_texts(texts).T)
        measured = cast(Compare, self._fitted)(images, texts)
        if self.strength == 1:
            return measured
        return np.asarray((1 - self.strength) * cosines(images, texts) + self.strength * measured)

    def _moved(self, side: int, x: np.ndarray) -> np.ndarray:
        if not CLOSINGS[self.method].moves or self.strength == 0:
            return x
        move: Move = cast(Moves, self._fitted)[side]
        there = move(x, self.strength)
        return x if there is x else _on_sphere(there, x)


def fit_closing(key: str, pairs: Pairs, *, strength: float = 1.0, seed: int = 0) -> FittedClosing:
    """A way of closing the gap, fitted.

    Parameters
    ----------
    key
        Of `CLOSINGS`.
    pairs
        What it is fitted on. What it does to these very pairs flatters it: score it on others
        (`scoring.score_closings`).
    strength
        From 0 (vectors as they were) to 1. Moves by means and linear maps go straight from the one to the other
        before the rows are put back on the sphere; `FittedClosing.at` gives another strength of the same fit.
    seed
        Of what is held back inside the fit, and of the points that nearness is measured to.

    Raises
    ------
    ChoiceError
        If there is no such method.
    ShapeError
        If the strength is not in [0, 1], a modality is empty, pairs are needed and none are known, or vectors of two
        dimensions are to be compared by the heat kernel.

    References
    ----------
    Liang et al. 2022, arXiv:2203.02053 (translation); Schrodi et al. 2024, arXiv:2404.07983 (dimensions); An et al.
    2024, arXiv:2412.14384 (standardising); Schonemann, Psychometrika 31, 1966 (Procrustes); Ledoit and Wolf, J.
    Multivariate Analysis 88, 2004 (shrinkage); Zhao and Song 2017, arXiv:1702.01373 (heat kernel); Conneau et al.
    2018, arXiv:1710.04087 (CSLS); Smith et al. 2017, arXiv:1702.03859 (inverted softmax); Bogolin et al. 2022,
    arXiv:2112.12777 (its queries taken from the training part).
    """
    check_choice("a way of closing the gap", key, CLOSINGS)
    method = CLOSINGS[key]
    if not len(pairs.images) or not len(pairs.texts):
        raise ShapeError("images and texts to close the gap between",
                         f"{len(pairs.images)} images and {len(pairs.texts)} texts")
    if method.fits == "pairs" and not len(pairs.links):
        raise ShapeError(f"pairs of images and texts to fit {method.title} on", "images and texts without links",
                         "Choose a method that needs no pairs, such as centring.")
    return FittedClosing(key, _checked(strength), method.fit(pairs, seed))


def available(pairs: Pairs) -> tuple[str, ...]:
    """Keys of the methods that these pairs allow: without links none that fits on pairs, no heat kernel below 3-d."""
    return tuple(key for key, method in CLOSINGS.items()
                 if (len(pairs.links) or method.fits != "pairs")
                 and (key != "heat_kernel" or pairs.images.shape[1] > 2))


def _checked(strength: float) -> float:
    if not 0 <= strength <= 1:
        raise ShapeError("a strength from 0 to 1", f"{strength:g}")
    return float(strength)


def _on_sphere(x: np.ndarray, before: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))[:, None]
    nowhere = lengths < _LEAST_LENGTH
    return np.where(nowhere, before, x / np.where(nowhere, 1, lengths)).astype(np.float32)
