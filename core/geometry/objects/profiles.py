"""What characterises an object's subspace: its energies, what belongs to it, and how far others lie from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import ShapeError
from core.geometry.curves import Curve
from core.geometry.objects.angles import distance_by_chance, distance_map, distance_matrix, principal_angles
from core.geometry.objects.reports import AnglesReport, EnergyReport, MembershipReport
from core.geometry.objects.subspaces import (
    dimensions,
    energy_by_chance,
    fit_span,
    fit_variation,
    left_out_memberships,
    membership,
    membership_by_chance,
)
from core.geometry.objects.views import ObjectViews
from core.types import Number

OWN_VIEWS, LEFT_OUT, OTHER_OBJECTS = "its own views", "its own views, left out in turn", "views of other objects"


def energy_report(views: ObjectViews, number: int, *, seed: int = 0) -> EnergyReport:
    """Energies of one object's views, with the same of as many random directions.

    Parameters
    ----------
    views : of which the object has at least 2.
    number : which object.
    seed : of the random directions.
    """
    x = views.of(number)
    if len(x) < 2:
        raise ShapeError(f"at least 2 views of {views.names[number]}", str(len(x)))
    n, d = x.shape
    curves = [Curve(title, fitted.shares(), null=energy_by_chance(n, d, centred=centred, seed=seed),
                    unit="share of the energy")
              for title, fitted, centred in (("span, about the origin", fit_span(x), False),
                                             ("variation, about the mean view", fit_variation(x), True))]
    return EnergyReport(views.names[number], curves[0], curves[1], dimensions(x, centred=False, seed=seed),
                        dimensions(x, centred=True, seed=seed), n)


def membership_report(views: ObjectViews, number: int, *, rank: int,
                      others: Mapping[str, np.ndarray] | None = None) -> MembershipReport:
    """How far an object's own views, those of other objects, and anything else belong to its span.

    Parameters
    ----------
    views : the object, seen from at least 2 views, and others.
    number : which object.
    rank : of its span.
    others : (n, d) floats each, unit rows, by title: captions, photographs.

    Returns
    -------
    Mean memberships, in the order: own views, own views left out in turn, views of other objects, the rest.
    """
    x, d = views.of(number), views.vectors.shape[1]
    fitted = fit_span(x, rank)
    null = membership_by_chance(fitted.rank, d)
    rest = views.vectors[views.objects != number]
    found = {OWN_VIEWS: membership(fitted, x),
             LEFT_OUT: left_out_memberships(x, views.views[views.objects == number], rank)}
    if len(rest):
        found[OTHER_OBJECTS] = membership(fitted, rest)
    found |= {title: membership(fitted, vectors) for title, vectors in (others or {}).items()}
    return MembershipReport(views.names[number], fitted.rank, len(x), {
        title: Number(float(np.nanmean(values)), null=null, n=len(values), unit="|P v| / |v|")
        for title, values in found.items()}, {title: np.asarray(values) for title, values in found.items()})


def angles_report(views: ObjectViews, *, rank: int, numbers: Sequence[int] | None = None, seed: int = 0
                  ) -> AnglesReport:
    """Grassmann distances and smallest principal angles of the spans of objects, and a map of them.

    Parameters
    ----------
    views : at least 3 objects.
    rank : of each span; an object with fewer views has fewer.
    numbers : which objects; None for all that have views.
    seed : of the random subspaces of the nulls.
    """
    chosen = np.unique(views.objects).tolist() if numbers is None else list(numbers)
    fitted = [fit_span(views.of(k), rank) for k in chosen]
    found = distance_map(fitted, seed=seed)
    smallest = np.zeros((len(fitted),) * 2)
    for i in range(len(fitted)):
        for j in range(i):
            smallest[i, j] = smallest[j, i] = principal_angles(fitted[i], fitted[j])[0]
    ranks = tuple(s.rank for s in fitted)
    middle = int(np.median(ranks))
    return AnglesReport(tuple(views.names[k] for k in chosen), distance_matrix(fitted), smallest,
                        distance_by_chance(middle, middle, views.vectors.shape[1], seed=seed), found.coords,
                        found.fidelity, ranks)
