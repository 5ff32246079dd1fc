"""What is equal, of lower rank or without length does not hang on the last bits that one processor gives."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.clusters import spherical_kmeans
from core.geometry.comparison import linear_cka
from core.geometry.directions import kappa, mean_direction, unit
from core.geometry.gap.measures import gap_dimensions, gap_measures
from core.geometry.gap.profiles import conformity
from core.geometry.maps.linear import principal_directions
from core.geometry.maps.registry import fit_map
from core.geometry.pairs import Pairs
from core.geometry.rounding import rounding
from core.geometry.selections import tell_selections_apart
from core.geometry.statistics import sphere_statistics

PRECISIONS = (np.float32, np.float64)


def rounded_otherwise(rows: np.ndarray, dtype: type, seed: int) -> np.ndarray:
    """The rows as another processor might have summed them: off by up to two units in the last place."""
    rng = np.random.default_rng(seed)
    return (rows * (1 + np.finfo(dtype).eps * rng.integers(-2, 3, rows.shape))).astype(dtype)


def made_up(n: int, d: int, dtype: type) -> np.ndarray:
    return unit(np.random.default_rng(n * d).standard_normal((n, d))).astype(dtype)


def test_rounding_by_hand():
    assert rounding(np.zeros(1, np.float32)) == 2.0**-20
    assert rounding(np.zeros(1), terms=64) == 2.0**-46


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("d", [3, 64, 512])
def test_one_point_many_times_stays_one_point(d, dtype, seed):
    x = rounded_otherwise(np.repeat(made_up(1, d, np.float64), 40, axis=0), dtype, seed)
    assert kappa(x) == np.inf
    assert "effective_rank_image" not in sphere_statistics(x, None)
    directions, energies, total = principal_directions(x)
    assert energies[0] == pytest.approx(total) and not directions[:, 1:].any()
    labels, _ = spherical_kmeans(x, 3, seed=seed)
    assert (labels == 0).all()
    other = made_up(40, d, dtype)
    assert np.isnan(linear_cka(x, other).value)
    assert np.isfinite(linear_cka(other, other).value)
    single = x.astype(np.float32)
    for method in ("pca", "umap", "geodesic_mds"):
        assert np.ptp(fit_map(single, method).map.coords, axis=0).max() < rounding(single, d)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("d", [8, 512])
def test_modalities_that_are_one_but_for_rounding_have_no_gap_and_no_typical_points(d, seed):
    x = np.repeat(made_up(1, d, np.float64), 90, axis=0)
    same = Pairs.row_by_row(rounded_otherwise(x, np.float32, seed), rounded_otherwise(x, np.float32, seed + 9))
    assert not gap_dimensions(same).any()
    measures = gap_measures(same)
    assert not {"mmd", "dims_for_half", "two_dimensions"} & measures.keys()
    assert measures["separability"].value == 0.5
    with pytest.raises(ShapeError, match="points of which some are more typical than others"):
        conformity(same)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_points_in_a_plane_have_two_directions_and_points_that_cancel_none(dtype, seed):
    flat = rounded_otherwise(unit(made_up(300, 2, np.float64) @ made_up(2, 64, np.float64)), dtype, seed)
    directions, energies, total = principal_directions(flat)
    assert not directions[:, 2].any() and energies.sum() == pytest.approx(total, rel=1e-6)
    a, b = flat[:1], -flat[:1]
    cancelled = rounded_otherwise(np.concatenate([a, b] * 5), dtype, seed)
    with pytest.raises(ShapeError, match="a mean direction"):
        mean_direction(cancelled)
    with pytest.raises(ShapeError, match="the same mean"):
        tell_selections_apart(np.concatenate([rounded_otherwise(flat, dtype, seed + 1), flat]), range(300),
                              range(300, 600))


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_narrow_cone_is_no_point(dtype):
    """As narrow as those of untrained models: cosines of 0.999."""
    x = unit(made_up(1, 64, np.float64) + 0.03 * made_up(25_000, 64, np.float64)).astype(dtype)
    directions, energies, total = principal_directions(x)
    _, s, _ = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(energies, s[:3] ** 2, rtol=1e-5)
    assert directions.any(axis=0).all() and total == pytest.approx(len(x))
    assert np.isfinite(kappa(x)) and "effective_rank_image" in sphere_statistics(x, None)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_a_direction_does_not_hang_on_the_unit_of_length(scale):
    x = made_up(5, 8, np.float64)
    np.testing.assert_allclose(unit(x * scale), x, rtol=1e-12)
    with pytest.raises(ShapeError, match="1 rows of length zero, the first at row 2"):
        unit(np.where(np.arange(5)[:, None] == 2, 0, x * scale))
