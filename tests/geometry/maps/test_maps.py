"""Maps onto S^2: laws, hand-made cases, naive loops, what each map promises, new points, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, ShapeError
from core.geometry.directions import angle, unit
from core.geometry.maps import fidelity
from core.geometry.maps.linear import label_axes, principal_directions
from core.geometry.maps.registry import MAPS, available, fit_map
from core.geometry.maps.umap import A, B, _pull, _push, fuzzy_graph, neighbours


def blobs(n: int = 240, d: int = 24, seed: int = 0) -> np.ndarray:
    """Clusters off the origin, as CLIP's vectors lie."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(6, d))
    return unit((centres[np.arange(n) % 6] + 0.4 * rng.normal(size=(n, d)) + 0.7).astype(np.float32))


def rotated(x: np.ndarray, seed: int = 1) -> np.ndarray:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(x.shape[1], x.shape[1])))
    return unit((x.astype(np.float64) @ turn).astype(np.float32))


def apart(coords: np.ndarray) -> np.ndarray:
    return angle(coords[:, None], coords[None])


FREE = [key for key, method in MAPS.items() if not method.needs]


@pytest.fixture(scope="module")
def coco(reference) -> np.ndarray:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return unit(np.concatenate([data["image"], data["text"]]).astype(np.float32))


def test_pca_equals_a_plain_singular_value_decomposition():
    x = blobs()
    for method, shift in (("pca", 0), ("pca_centred", x.mean(0))):
        _, s, vt = np.linalg.svd((x - shift).astype(np.float64), full_matrices=False)
        flat = (x - shift) @ vt[:3].T
        expected = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        fitted = fit_map(x, method).map
        np.testing.assert_allclose(apart(fitted.coords), apart(expected), atol=1e-3)
        assert fitted.fidelity["variance"].value == pytest.approx((s[:3] ** 2).sum() / (s**2).sum())
        assert fitted.centred == (method == "pca_centred")
    texts = np.arange(len(x)) % 3 == 0
    flat = x.astype(np.float64)
    for side in (texts, ~texts):
        flat[side] -= flat[side].mean(axis=0)
    _, s, vt = np.linalg.svd(flat, full_matrices=False)
    fitted = fit_map(x, "pca_centred_each", texts=texts)
    np.testing.assert_allclose(apart(fitted.map.coords), apart(unit(flat @ vt[:3].T)), atol=1e-3)
    assert fitted.map.fidelity["variance"].value == pytest.approx((s[:3] ** 2).sum() / (s**2).sum())
    np.testing.assert_allclose(fitted.place(x, texts), fitted.map.coords, atol=1e-6)
    assert fitted.map.centred


def test_published_figures_of_the_pca_maps_of_coco500(coco):
    for method, spearman, share in (("pca", 0.872, 0.567), ("pca_centred", 0.854, 0.365)):
        found = fit_map(coco, method).map.fidelity
        assert round(found["spearman"].value, 3) == spearman
        assert round(found["variance"].value, 3) == share


def test_pca_of_many_and_of_few_points_is_the_same_computation():
    x = blobs(n=30, d=24)
    by_columns = fit_map(np.repeat(x, 2, axis=0), "pca").map.coords[::2]   # n >= d: gram of columns
    by_rows = fit_map(x[:20], "pca").map.coords                            # n < d: gram of rows
    _, _, vt = np.linalg.svd(x[:20].astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(apart(by_rows), apart(unit(x[:20] @ vt[:3].T)), atol=1e-3)
    _, _, vt = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    np.testing.assert_allclose(apart(by_columns), apart(unit(x @ vt[:3].T)), atol=1e-3)


def test_pca_of_very_many_vectors_in_single_precision_is_that_of_a_singular_value_decomposition():
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((6, 32))
    x = unit((centres[rng.integers(0, 6, 24_000)] + rng.standard_normal((24_000, 32)) + 1).astype(np.float32))
    for mean in (None, x.mean(axis=0, dtype=np.float64)):
        shifted = x.astype(np.float64) - (0 if mean is None else mean)
        _, s, vt = np.linalg.svd(shifted, full_matrices=False)
        directions, energies, total = principal_directions(x, mean)
        np.testing.assert_allclose(energies, s[:3] ** 2, rtol=1e-5)
        assert total == pytest.approx((s**2).sum(), rel=1e-5)
        assert (np.abs((directions * vt[:3].T).sum(axis=0)) > 1 - 1e-6).all()
    flat = np.repeat(unit(rng.standard_normal((2, 32)).astype(np.float32)), 12_000, axis=0)
    directions, energies, total = principal_directions(flat)
    assert np.array_equal(directions[:, 2], np.zeros(32))
    assert energies.sum() == pytest.approx(total, rel=1e-5)


def test_vectors_of_three_dimensions_lose_nothing():
    x = blobs(d=3)
    for method in ("pca", "precomputed"):
        fitted = fit_map(x, method).map
        np.testing.assert_allclose(apart(fitted.coords), apart(x), atol=1e-5)
        assert fitted.fidelity["spearman"].value == pytest.approx(1, abs=1e-6)
        assert fitted.fidelity["knn_overlap"].value == pytest.approx(1)


@pytest.mark.parametrize("method", ["pca", "pca_centred"])
def test_rotation_and_order_change_no_distance_of_the_pca_maps(method):
    x = blobs()
    order = np.random.default_rng(3).permutation(len(x))
    first = apart(fit_map(x, method).map.coords)
    np.testing.assert_allclose(apart(fit_map(rotated(x), method).map.coords), first, atol=2e-4)
    np.testing.assert_allclose(apart(fit_map(x[order], method).map.coords), first[np.ix_(order, order)], atol=2e-4)
    signs = [np.sign(fit_map(rows, method).map.coords) for rows in (x[order], x)]
    np.testing.assert_array_equal(signs[0], signs[1][order])


def test_rotation_and_order_change_the_fidelity_of_geodesic_mds_by_at_most_a_hundredth(coco):
    order = np.random.default_rng(3).permutation(len(coco))
    first = fit_map(coco, "geodesic_mds").map.fidelity
    for x in (rotated(coco), coco[order]):
        for key, number in fit_map(x, "geodesic_mds").map.fidelity.items():
            assert number.value == pytest.approx(first[key].value, abs=0.01), key


def test_umap_keeps_neighbours_and_repeats_itself_after_a_rotation_and_in_another_order(coco):
    fitted = fit_map(coco, "umap", seed=4).map
    np.testing.assert_array_equal(fitted.coords, fit_map(coco, "umap", seed=4).map.coords)
    assert fitted.fidelity["knn_overlap"].value > 3 * fit_map(coco, "pca").map.fidelity["knn_overlap"].value
    order = np.random.default_rng(3).permutation(len(coco))
    for other in (rotated(coco), coco[order]):
        for key, number in fit_map(other, "umap", seed=4).map.fidelity.items():
            assert number.value == pytest.approx(fitted.fidelity[key].value, abs=0.01), key


def test_umap_puts_known_points_back_and_new_ones_near_their_neighbours():
    x = blobs(n=400)
    fitted = fit_map(x, "umap")
    np.testing.assert_allclose(fitted.place(x), fitted.map.coords, atol=1e-2)
    assert np.median(angle(fitted.place(unit(x + 0.02)), fitted.map.coords)) < 0.1


def test_the_graph_of_umap_is_that_of_umap_learn(monkeypatch):
    monkeypatch.setattr(pytest.importorskip("numba").config, "DISABLE_JIT", True)   # to compile it takes far longer
    umap_ = pytest.importorskip("umap.umap_")
    x = blobs(n=200)
    indices, cosines = neighbours(x, 16)
    naive = np.argsort(-(x @ x.T), axis=1, kind="stable")[:, :16]
    assert (indices == naive).mean() > 0.99
    ours = fuzzy_graph(indices, cosines).toarray()
    theirs = umap_.fuzzy_simplicial_set(x, 16, np.random.RandomState(0), "cosine", knn_indices=indices,
                                        knn_dists=np.maximum(1 - cosines, 0))[0].toarray()
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert find_ab(umap_) == pytest.approx((A, B), abs=1e-3)


def find_ab(umap_) -> tuple[float, float]:
    return tuple(float(v) for v in umap_.find_ab_params(1.0, 0.05))


def test_slopes_of_umap_are_those_of_its_cross_entropy():
    import torch

    c = torch.tensor([-0.7, 0.1, 0.8, 0.99], dtype=torch.float64, requires_grad=True)
    d = torch.acos(c)
    for loss, slope in ((torch.log(1 + A * d ** (2 * B)), _pull(c.detach())),
                        (-torch.log(1 - 1 / (1 + A * d ** (2 * B))), _push(c.detach()))):
        (expected,) = torch.autograd.grad(loss.sum(), c, retain_graph=True)
        torch.testing.assert_close(slope, expected)


@pytest.mark.parametrize("local", [0.0, 0.3])
def test_the_slope_of_geodesic_mds_is_that_of_its_stress_over_pairs_of_two_points(local):
    import torch

    from core.geometry.maps.mds import _Fit

    x = torch.from_numpy(blobs(n=60)).double()
    start = torch.nn.functional.normalize(x[:, :3] + 0.3, dim=1)
    fitted, columns = _Fit(x, start, seed=0), torch.arange(5, 25)
    target = fitted.targets[columns].double()
    cosines = (start[columns] @ start.T).requires_grad_()
    two = torch.ones_like(target, dtype=torch.bool)
    two[torch.arange(20), columns] = False
    stress = 1 - torch.corrcoef(torch.stack([torch.acos(cosines[two]), target[two]]))[0, 1]
    if local:
        near = 1 / (1 + 2 * fitted.sharpness * (1 - cosines[two]))
        stress = stress + local * torch.log(near.sum())
    (expected,) = torch.autograd.grad(stress, cosines)
    found = fitted._slope(cosines.detach().clone(), target.clone(), local, columns)
    assert ((found - expected).norm() / expected.norm()).item() < 1e-9


def test_geodesic_mds_beats_pca_in_spearman_and_in_neighbours_on_real_features(coco, reference):
    names = np.load(reference / "features" / "lvis1203_text_clip_vitb32.npz")["text"]
    for x in (coco, unit(names.astype(np.float32))):
        pca, mds = (fit_map(x, method).map.fidelity for method in ("pca", "geodesic_mds"))
        assert mds["spearman"].value > pca["spearman"].value + 0.02
        assert mds["knn_overlap"].value > 2 * pca["knn_overlap"].value


def test_geodesic_mds_repeats_itself_and_puts_known_points_back(coco):
    fitted = fit_map(coco, "geodesic_mds")
    np.testing.assert_array_equal(fitted.map.coords, fit_map(coco, "geodesic_mds").map.coords)
    back = angle(fitted.place(coco), fitted.map.coords)
    assert np.degrees(np.median(back)) < 3
    alone = fitted.place(coco[7:8])
    np.testing.assert_allclose(alone, fitted.place(coco[:20])[7:8], atol=1e-3)


def test_geodesic_mds_of_held_out_points_is_nearly_as_good_as_of_fitted_ones(coco):
    rows = np.random.default_rng(0).permutation(len(coco))
    fitted = fit_map(coco[rows[:800]], "geodesic_mds", with_fidelity=False)
    both = np.concatenate([fitted.map.coords, fitted.place(coco[rows[800:]])])
    mixed = fidelity.measure(coco[rows], both)
    assert mixed["spearman"].value > fit_map(coco, "pca").map.fidelity["spearman"].value
    assert mixed["knn_overlap"].value > 0.25


def test_a_sample_is_fitted_where_there_are_many_points(monkeypatch):
    from core.geometry.maps import mds

    monkeypatch.setattr(mds, "MOST_FITTED", 150)
    x = blobs(n=600)
    fitted = fit_map(x, "geodesic_mds")
    assert fitted.map.parameters["fitted_points"] == 150
    assert fitted.map.fidelity["spearman"].value > 0.5
    assert fitted.map.fidelity["knn_overlap"].value > 0.05


@pytest.mark.parametrize("method", ["pca", "pca_centred"])
def test_linear_maps_place_known_points_where_they_are(method):
    x = blobs()
    fitted = fit_map(x, method)
    before = fitted.map.coords.copy()
    np.testing.assert_allclose(fitted.place(x), before, atol=1e-6)
    np.testing.assert_array_equal(fitted.map.coords, before)
    assert fitted.place(x[:0]).shape == (0, 3)


def test_prompts_lie_at_the_ends_of_their_axes_and_mixtures_between():
    axes = unit(blobs()[:3].astype(np.float64))
    x = unit(np.concatenate([axes, [axes.sum(0), axes[0] + axes[1], axes[0] - 0.5 * axes[2]]]))
    coords = fit_map(x, "prompt_axes", axes=axes).map.coords
    np.testing.assert_allclose(coords[:3], np.eye(3), atol=1e-5)
    np.testing.assert_allclose(coords[3:], unit(np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, -0.5]])), atol=1e-5)


def test_label_axes_are_the_mean_directions_of_the_labels():
    x = blobs()
    labels = np.array([f"kind {i % 6}" for i in range(len(x))])
    chosen = ("kind 0", "kind 2", "kind 5")
    axes = label_axes(x, labels, chosen)
    mean = x[labels == "kind 2"].mean(0, keepdims=True).astype(np.float64)
    np.testing.assert_allclose(axes[1], unit(mean)[0], atol=1e-6)
    coords = fit_map(x, "label_axes", axes=axes).map.coords
    assert [int(np.median(coords[labels == name].argmax(axis=1))) for name in chosen] == [0, 1, 2]
    with pytest.raises(ShapeError, match="points labelled 'kind 9'; got none"):
        label_axes(x, labels, ("kind 0", "kind 2", "kind 9"))


@pytest.mark.parametrize("method", FREE)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 12])
def test_few_points(method, n):
    fitted = fit_map(blobs(n=12)[:n], method)
    assert fitted.map.coords.shape == (n, 3)
    assert np.isfinite(fitted.map.coords).all()
    assert (n < 4) == (not set(fitted.map.fidelity) - {"variance"})


@pytest.mark.parametrize("method", ["pca", "pca_centred", "geodesic_mds"])
def test_equal_points_and_points_of_low_rank(method):
    same = fit_map(np.repeat(blobs()[:1], 9, axis=0), method).map
    assert np.ptp(same.coords, axis=0).max() < 1e-5
    assert not same.fidelity
    one_side = np.concatenate([np.repeat(blobs()[:1], 9, axis=0), blobs(n=20)])
    found = fit_map(one_side, method, texts=np.arange(29) >= 9).map.fidelity
    assert {"spearman", "spearman_texts", "knn_overlap_texts"} < set(found)
    assert not [name for name in found if name.endswith(("images", "across"))]
    t = np.linspace(0, 1, 40)
    flat = np.zeros((40, 8), dtype=np.float32)
    flat[:, 2], flat[:, 5] = np.cos(t), np.sin(t)
    assert np.isfinite(fit_map(flat, method).map.coords).all()
    line = np.zeros((12, 1), dtype=np.float32) + np.where(np.arange(12) % 2, 1, -1)[:, None].astype(np.float32)
    assert np.isfinite(fit_map(line, method).map.coords).all()


def test_orthogonal_vectors_have_finite_places():
    for method in ("pca", "geodesic_mds"):
        assert np.isfinite(fit_map(np.eye(6, dtype=np.float32), method).map.coords).all()


def test_fidelity_equals_naive_loops():
    x, k = blobs(n=60).astype(np.float64), 5
    coords = fit_map(x, "pca").map.coords.astype(np.float64)
    n = len(x)
    order_x = [sorted((j for j in range(n) if j != i), key=lambda j: -(x[i] @ x[j])) for i in range(n)]
    order_y = [sorted((j for j in range(n) if j != i), key=lambda j: -(coords[i] @ coords[j])) for i in range(n)]
    trust = continuity = overlap = 0.0
    for i in range(n):
        near_x, near_y = set(order_x[i][:k]), set(order_y[i][:k])
        trust += sum(order_x[i].index(j) + 1 - k for j in near_y - near_x)
        continuity += sum(order_y[i].index(j) + 1 - k for j in near_x - near_y)
        overlap += len(near_x & near_y) / k
    scale = 2 / (n * k * (2 * n - 3 * k - 1))
    found = fidelity.measure(x, coords, k=k)
    assert found["trustworthiness"].value == pytest.approx(1 - scale * trust)
    assert found["continuity"].value == pytest.approx(1 - scale * continuity)
    assert found["knn_overlap"].value == pytest.approx(overlap / n)
    from scipy.stats import spearmanr

    upper = np.triu_indices(n, 1)
    expected = spearmanr((x @ x.T)[upper], (coords @ coords.T)[upper])[0]
    assert found["spearman"].value == pytest.approx(expected, abs=1e-9)


def test_trustworthiness_is_that_of_scikit_learn():
    from sklearn.manifold import trustworthiness

    x = blobs().astype(np.float64)
    coords = fit_map(x, "pca").map.coords.astype(np.float64)
    expected = trustworthiness(x, coords, n_neighbors=10, metric="cosine")
    assert fidelity.measure(x, coords)["trustworthiness"].value == pytest.approx(expected, abs=1e-9)


def test_local_distortion_is_high_where_the_map_was_spoilt_and_averages_to_the_whole():
    x = blobs()
    coords = x[:, :3] * 0 + fit_map(blobs(d=3), "pca").map.coords
    good = fidelity.local_distortion(blobs(d=3), coords)
    assert good.max() < 1e-6
    spoilt = coords.copy()
    spoilt[:20] = np.random.default_rng(0).permutation(spoilt[:20]) * [-1, -1, 1]
    local = fidelity.local_distortion(blobs(d=3), spoilt)
    assert local[:20].mean() > 5 * local[20:].mean()
    found = fidelity.measure(blobs(d=3), spoilt)
    assert local.mean() == pytest.approx(1 - (found["trustworthiness"].value + found["continuity"].value) / 2, abs=1e-5)


def test_places_at_random_have_the_fidelity_that_counting_gives_them():
    x, n, k = blobs(n=300), 300, 10
    rng = np.random.default_rng(7)
    runs = [fidelity.measure(x, unit(rng.normal(size=(n, 3)))) for _ in range(6)]
    near = 1 - (n - 1 - k) * (n - k) / ((n - 1) * (2 * n - 3 * k - 1))
    by_counting = {"spearman": 0, "trustworthiness": near, "continuity": near, "knn_overlap": k / (n - 1)}
    for key, expected in by_counting.items():
        assert np.mean([run[key].value for run in runs]) == pytest.approx(expected, abs=0.01), key


def test_large_sets_are_sampled_for_fidelity_and_say_so(monkeypatch):
    monkeypatch.setattr(fidelity, "UNIVERSE", 500)
    monkeypatch.setattr(fidelity, "QUERIES", 100)
    x = blobs(n=2000)
    found = fit_map(x, "pca").map.fidelity["knn_overlap"]
    assert (found.n, found.unit) == (100, "of the 10 nearest among 500 points")


def test_progress_and_stop():
    seen: list[tuple[float, str]] = []
    fit_map(blobs(n=241), "geodesic_mds", on_progress=lambda f, t: seen.append((f, t)))
    assert [f for f, _ in seen] == sorted(f for f, _ in seen)
    assert 0 == seen[0][0] < 0.5 < seen[-1][0] <= 1
    assert seen[0][1] == "Fitting the map"
    assert "The same map of points without structure" in [text for _, text in seen]
    with pytest.raises(Cancelled, match="to run to its end; got a request to stop after 0 of 300 steps"):
        fit_map(blobs(), "geodesic_mds", should_stop=lambda: True)
    with pytest.raises(Cancelled, match="got a request to stop after 0 of 300 steps"):
        fit_map(blobs(), "umap", should_stop=lambda: True)


def test_errors_say_what_is_wrong():
    x = blobs()
    with pytest.raises(ChoiceError, match=r"map to be one of pca, pca_centred, pca_centred_each, geodesic_mds, umap"):
        fit_map(x, "tsne")
    with pytest.raises(ShapeError, match=r"three unit vectors as axes for the map prompt_axes; got none\. Give axes="):
        fit_map(x, "prompt_axes")
    with pytest.raises(ShapeError, match=r"three axes of 24 dimensions; got shape \(2, 24\)"):
        fit_map(x, "prompt_axes", axes=x[:2])
    with pytest.raises(ShapeError, match=r"one is a mixture of the others\. Choose prompts or labels that differ"):
        fit_map(x, "prompt_axes", axes=x[[0, 1, 0]])
    with pytest.raises(ShapeError, match=r"vectors of three dimensions; got 24 dimensions\. Choose another map"):
        fit_map(x, "precomputed")
    with pytest.raises(ShapeError, match="vectors of 24 dimensions, as those of the map; got 5 dimensions"):
        fit_map(x).place(np.eye(5))
    with pytest.raises(ShapeError, match="at least 1 vectors; got 0"):
        fit_map(x[:0])
    for texts in (None, np.zeros(240, dtype=bool)):
        with pytest.raises(ShapeError, match=r"images and texts for the map pca_centred_each; got one modality"):
            fit_map(x, "pca_centred_each", texts=texts)
    for texts in (np.arange(240) % 2, np.zeros(3, dtype=bool)):
        with pytest.raises(ShapeError, match="240 bools, which of the vectors are texts; got"):
            fit_map(x, texts=texts)
    with pytest.raises(ShapeError, match=r"which of the new vectors are texts; got none\. Give texts="):
        fit_map(x, "pca_centred_each", texts=np.arange(240) < 9, with_fidelity=False).place(x[:2])
    with pytest.raises(ShapeError, match="240 map coordinates, one for each vector; got 3"):
        fidelity.measure(x, np.eye(3))
    for bad, message in ((np.nan, "NaN or infinity, the first at row 2"), (0.0, "length 0 at row 2")):
        spoilt = x.copy()
        spoilt[2] = bad
        with pytest.raises(ShapeError, match=message):
            fit_map(spoilt)


def test_available_maps():
    assert "precomputed" in available(3)
    assert "precomputed" not in available(512)
    assert {"pca", "umap", "geodesic_mds", "prompt_axes", "label_axes"} <= set(available(512))
    assert "pca_centred_each" in available(512)
    assert "pca_centred_each" not in available(512, both=False)
    assert [key for key in MAPS if MAPS[key].warning] == ["pca_centred", "pca_centred_each"]


def test_joint_centring_turns_the_modalities_into_opposite_poles_and_centring_each_removes_the_gap(coco):
    texts = np.arange(1000) >= 500

    def degrees(x):
        return np.degrees(angle(*(unit(x[side].mean(axis=0, dtype=np.float64)[None])[0] for side in (~texts, texts))))

    assert degrees(coco) == pytest.approx(72.0, abs=0.05)
    assert degrees(fit_map(coco, "pca_centred", with_fidelity=False).map.coords) == pytest.approx(178, abs=1)
    each = fit_map(coco, "pca_centred_each", texts=texts, with_fidelity=False).map.coords
    lengths = [np.linalg.norm(each[side].mean(axis=0)) for side in (~texts, texts)]
    assert max(lengths) < 0.3
    gap = np.linalg.norm(each[texts].mean(axis=0) - each[~texts].mean(axis=0))
    assert gap < 0.2
    for key, words in (("pca_centred", "opposite poles"), ("pca_centred_each", "removes the modality gap")):
        assert words in MAPS[key].explanation
        assert words in MAPS[key].warning
        assert "destroys" not in (MAPS[key].explanation + MAPS[key].warning).lower()


def test_fidelity_tells_of_this_map_and_has_no_interval():
    for method in ("pca", "umap"):
        found = fit_map(blobs(), method).map.fidelity
        assert {"spearman", "trustworthiness", "continuity", "knn_overlap"} <= set(found)
        assert all(number.low is None and number.high is None and number.null is not None
                   for number in found.values()), method
