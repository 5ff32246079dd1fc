"""What is known about objects and their subspaces: the reports that figures draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.geometry.curves import Curve
from core.geometry.differences import Difference
from core.types import Number


@dataclass(frozen=True, eq=False)
class EnergyReport:
    """How much of the views of an object lies in its first directions.

    Attributes
    ----------
    name : of the object.
    span, variation : over 1, 2, ... directions, share of the energy about the origin and about the mean view; the null
        is that of as many random directions.
    span_dimensions, variation_dimensions : by share (0.90, 0.95, 0.99), directions that hold it.
    n : views.
    """

    name: str
    span: Curve
    variation: Curve
    span_dimensions: Mapping[float, Number]
    variation_dimensions: Mapping[float, Number]
    n: int


@dataclass(frozen=True, eq=False)
class MembershipReport:
    """How far things belong to the subspace of an object.

    Attributes
    ----------
    name, rank, n : of the subspace: its object, its rank, the views it was fitted on.
    rows : by title, mean membership; the null is that of random directions, sqrt(rank / d). The telling null is the
        row of other objects.
    values : by title, (n,) float64, of each vector.
    """

    name: str
    rank: int
    n: int
    rows: Mapping[str, Number]
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class AnglesReport:
    """How far the subspaces of objects lie apart.

    Attributes
    ----------
    names : of the objects.
    distances : (n, n) float64, Grassmann distances, radians.
    smallest : (n, n) float64, smallest principal angles, radians.
    by_chance : distance of random subspaces of the median rank, radians.
    coords : (n, 2) float64, the map; fidelity : of its distances.
    ranks : of the subspaces.
    """

    names: tuple[str, ...]
    distances: np.ndarray
    smallest: np.ndarray
    by_chance: float
    coords: np.ndarray
    fidelity: Number
    ranks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class RecognitionReport:
    """How often a left-out view is told right.

    Attributes
    ----------
    titles : by key of `recognition.METHODS`.
    n_views : (v,) int64, fitted views of each object, growing.
    by_views : by method, over ``n_views``; the subspace at the rank that is chosen inside the fitted views.
    ranks : (r,) int64.
    by_rank : by number of fitted views (the fewest and the most that were looked at), the subspace over ``ranks``.
    numbers : by method, by number of fitted views.
    change : by method and number of views, the method less the nearest mean on the same queries; corrected for all.
    chosen : by number of views, the median rank that was chosen.
    n, objects, styles, seeds : queries, objects, styles, and sets of views.
    """

    titles: Mapping[str, str]
    n_views: np.ndarray
    by_views: Mapping[str, Curve]
    ranks: np.ndarray
    by_rank: Mapping[int, Curve]
    numbers: Mapping[str, Mapping[int, Number]]
    change: Mapping[tuple[str, int], Difference]
    chosen: Mapping[int, float]
    n: int
    objects: int
    styles: int
    seeds: int = 1


@dataclass(frozen=True, eq=False)
class StyleRow:
    """What one way of composing does.

    Attributes
    ----------
    name : key of `styles.METHODS`, with a remark after a colon where a method stands in several rows; or "untouched".
    title : of the method.
    rank, alpha : that were used; 0 where the method has none.
    right : share of cases whose nearest view shows the kept object in the taken style.
    kept, taken : the same for the object alone, and for the style alone.
    zero_shot : by "object" and "style", share that prompts call right; empty without prompts.
    residual : mean length that lies outside the method's subspaces, or None.
    change : ``right`` less that of style means, or None.
    """

    name: str
    title: str
    rank: int
    alpha: float
    right: Number
    kept: Number
    taken: Number
    zero_shot: Mapping[str, Number]
    residual: Number | None = None
    change: Difference | None = None


@dataclass(frozen=True, eq=False)
class StyleReport:
    """All ways of composing on the same cases.

    Attributes
    ----------
    task : "transfer" or "change".
    rows : the first is the content itself, untouched.
    n, gallery : cases, and views in the gallery of one set.
    chance : share of success of a random view.
    over_rank : by method, success over ``ranks`` at the method's alpha; empty where it was not asked for.
    ranks : (r,) int64.
    """

    task: str
    rows: tuple[StyleRow, ...]
    n: int
    gallery: int
    chance: float
    over_rank: Mapping[str, Curve] = field(default_factory=dict)
    ranks: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
