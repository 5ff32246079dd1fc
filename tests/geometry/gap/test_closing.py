"""Ways of closing the gap: laws that all of them keep, and each against a loop or a case done by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.geometry.directions import unit
from core.geometry.gap import learned
from core.geometry.gap.closing import CLOSINGS, UNTOUCHED, available, fit_closing
from core.geometry.gap.measures import gap_dimensions
from core.geometry.gap.moves import GAP_DROPPED, PENALTIES, drop_dimensions, hold_back
from core.geometry.gap.similarities import INVERSE_TEMPERATURES
from core.geometry.pairs import Classes, Pairs
from core.geometry.retrieval import recall_at
from core.geometry.shift import gap_vector, shifted

MOVES = [key for key, method in CLOSINGS.items() if method.moves]
COMPARES = [key for key, method in CLOSINGS.items() if not method.moves]
OF_THE_AXES = {"drop_dimensions", "standardising", "learned"}


def world(n: int = 120, d: int = 12, *, seed: int = 0, captions: int = 1, noise: float = 0.25) -> Pairs:
    """Images and texts that share what they show, each pushed its own way, with a third of loud private dimensions."""
    rng = np.random.default_rng(seed)
    shown = rng.normal(size=(n, d))
    loud = np.where(np.arange(d) < d - d // 3, noise, 1.2)
    shown[:, d - d // 3:] = 0
    images = unit(shown + loud * rng.normal(size=(n, d)) + 2 * np.eye(d)[0]).astype(np.float32)
    texts = unit(np.repeat(shown, captions, axis=0) + loud * rng.normal(size=(n * captions, d))
                 - np.eye(d)[0] + 2 * np.eye(d)[1]).astype(np.float32)
    links = np.stack([np.repeat(np.arange(n), captions), np.arange(n * captions)], axis=1)
    classes = Classes(("a", "b", "c"), texts[:3].copy(), np.arange(n) % 4 - 1)
    return Pairs(images, texts, links, classes)


def right(scores: np.ndarray) -> float:
    """R@1 of rows where the diagonal is right."""
    return float((scores.argmax(axis=1) == np.arange(len(scores))).mean())


@pytest.fixture(scope="module")
def coco(reference: Path) -> Pairs:
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    return Pairs.row_by_row(*(unit(data[name].astype(np.float32)) for name in ("image", "text")))


@pytest.mark.parametrize("key", CLOSINGS)
@pytest.mark.parametrize("captions", [1, 3])
def test_strength_0_leaves_everything_as_it_was(key: str, captions: int) -> None:
    pairs = world(captions=captions)
    fitted = fit_closing(key, pairs, strength=0.0)
    moved = fitted.apply(pairs)
    assert np.array_equal(moved.images, pairs.images)
    assert np.array_equal(moved.texts, pairs.texts)
    assert np.array_equal(moved.classes.vectors, pairs.classes.vectors)
    exact = pairs.images.astype(np.float64) @ pairs.texts.astype(np.float64).T
    assert np.array_equal(fitted.scores(pairs.images, pairs.texts), exact)


@pytest.mark.parametrize("key", CLOSINGS)
@pytest.mark.parametrize("strength", [0.01, 0.5, 1.0])
def test_rows_stay_unit_and_nothing_but_vectors_changes(key: str, strength: float) -> None:
    pairs, others = world(), world(seed=1, captions=2)
    moved = fit_closing(key, pairs, strength=strength).apply(others)
    for x, before in ((moved.images, others.images), (moved.texts, others.texts),
                      (moved.classes.vectors, others.classes.vectors)):
        assert x.dtype == np.float32
        assert x.shape == before.shape
        assert np.allclose(np.linalg.norm(x.astype(np.float64), axis=1), 1, atol=1e-6)
    assert np.array_equal(moved.links, others.links)
    assert np.array_equal(moved.classes.truth, others.classes.truth)
    assert moved.classes.names == others.classes.names
    assert (moved is others) == (key in COMPARES)


@pytest.mark.parametrize("key", CLOSINGS)
def test_class_vectors_move_as_texts_do(key: str) -> None:
    pairs = world()
    moved = fit_closing(key, pairs, strength=0.7).apply(pairs)
    assert np.allclose(moved.classes.vectors, moved.texts[:3], atol=1e-6)


@pytest.mark.parametrize("key", CLOSINGS)
def test_what_happens_to_a_row_hangs_on_the_fit_alone(key: str) -> None:
    pairs, others = world(), world(seed=1)
    fitted = fit_closing(key, pairs)
    some = [3, 1, 40]
    assert np.allclose(fitted.move_images(others.images[some]), fitted.move_images(others.images)[some], atol=1e-6)
    assert np.allclose(fitted.move_texts(others.texts[some]), fitted.move_texts(others.texts)[some], atol=1e-6)
    whole = fitted.scores(others.images, others.texts)
    assert np.allclose(fitted.scores(others.images[some], others.texts[some]), whole[np.ix_(some, some)], atol=1e-5)


@pytest.mark.parametrize("key", MOVES)
def test_moves_begin_where_the_vectors_are_and_their_scores_are_cosines(key: str) -> None:
    pairs = world()
    fitted = fit_closing(key, pairs)
    barely = fitted.at(1e-3).apply(pairs)
    assert np.abs(barely.images - pairs.images).max() < 0.02
    assert np.abs(barely.texts - pairs.texts).max() < 0.02
    there = fitted.apply(pairs)
    assert max(np.abs(there.images - pairs.images).max(), np.abs(there.texts - pairs.texts).max()) > 0.01
    assert np.allclose(fitted.scores(pairs.images, pairs.texts), there.images @ there.texts.T, atol=1e-6)


@pytest.mark.parametrize("key", COMPARES)
def test_comparisons_are_blended_with_the_cosine_by_strength(key: str) -> None:
    pairs = world()
    fitted = fit_closing(key, pairs, strength=0.25)
    whole, cosine = fitted.at(1.0).scores(pairs.images, pairs.texts), pairs.images @ pairs.texts.T
    assert np.allclose(fitted.scores(pairs.images, pairs.texts), 0.75 * cosine + 0.25 * whole, atol=1e-5)


@pytest.mark.parametrize("key", CLOSINGS)
def test_the_same_seed_gives_the_same_and_the_order_of_pairs_does_not_count(key: str) -> None:
    pairs = world()
    first, again = (fit_closing(key, pairs, seed=3).scores(pairs.images, pairs.texts) for _ in range(2))
    assert np.array_equal(first, again)
    if key not in ("ridge", "learned", "inverted_softmax"):      # which pairs are held back hangs on their order
        order = np.random.default_rng(0).permutation(len(pairs.images))
        turned = fit_closing(key, pairs.part(order, order), seed=3).scores(pairs.images, pairs.texts)
        assert np.allclose(turned, first, atol=1e-4)


@pytest.mark.parametrize("key", CLOSINGS)
def test_a_rotation_of_the_space_changes_only_what_hangs_on_the_axes(key: str) -> None:
    pairs = world()
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(12, 12)))[0].astype(np.float32)
    turned = Pairs.row_by_row(unit(pairs.images @ turn), unit(pairs.texts @ turn))
    before = fit_closing(key, pairs).scores(pairs.images, pairs.texts)
    after = fit_closing(key, turned).scores(turned.images, turned.texts)
    if key != "learned":
        assert np.allclose(before, after, atol=2e-3) == (key not in OF_THE_AXES)


def test_translation_is_the_shift_of_one_half() -> None:
    pairs = world()
    for strength in (0.4, 1.0):
        moved, meant = fit_closing("translation", pairs, strength=strength).apply(pairs), shifted(pairs, strength / 2)
        assert np.allclose(moved.images, meant.images, atol=1e-6)
        assert np.allclose(moved.texts, meant.texts, atol=1e-6)
        assert np.allclose(moved.classes.vectors, meant.classes.vectors, atol=1e-6)


def test_centring_and_standardising_against_the_definition() -> None:
    pairs, others = world(), world(seed=2)
    for strength in (0.5, 1.0):
        centred = fit_closing("centring", pairs, strength=strength).apply(others)
        scored = fit_closing("standardising", pairs, strength=strength).apply(others)
        for side in ("images", "texts"):
            fit, x = getattr(pairs, side).astype(np.float64), getattr(others, side)
            less = x - strength * fit.mean(axis=0)
            assert np.allclose(getattr(centred, side), unit(less), atol=1e-5)
            assert np.allclose(getattr(scored, side), unit(less / fit.std(axis=0) ** strength), atol=1e-5)


def test_a_dimension_that_does_not_vary_is_not_blown_up() -> None:
    pairs = world()
    flat = [np.concatenate([x, np.full((len(x), 1), 0.3, dtype=np.float32)], axis=1)
            for x in (pairs.images, pairs.texts)]
    flat_pairs = Pairs.row_by_row(*(unit(x) for x in flat))
    for x in (flat_pairs.images, flat_pairs.texts):
        x[:, -1] = flat_pairs.images[0, -1] + 1e-6 * np.random.default_rng(0).normal(size=len(x))
    flat_pairs = Pairs.row_by_row(flat_pairs.images.copy(), flat_pairs.texts.copy())
    fitted = fit_closing("standardising", flat_pairs)
    odd = flat_pairs.images[:1].copy()
    odd[0, -1] += 0.01
    assert fitted.move_images(unit(odd)) @ fitted.move_images(flat_pairs.images[:1]).T > 0.95


def test_dropping_takes_out_the_share_of_the_squared_gap_that_it_says() -> None:
    pairs = world()
    order = np.argsort(-gap_dimensions(pairs))
    for strength in (0.1, 0.5, 1.0):
        kept = drop_dimensions(pairs, 0)[0](np.eye(12, dtype=np.float32), strength)
        assert np.count_nonzero(kept - np.diag(np.diag(kept))) == 0
        factors = np.diag(kept)
        assert ((gap_vector(pairs) * factors) ** 2).sum() == pytest.approx(
            (1 - GAP_DROPPED * strength) * (gap_vector(pairs) ** 2).sum(), rel=1e-4)
        touched = factors[order] < 1 - 1e-6
        assert list(touched) == sorted(touched, reverse=True)
        assert np.count_nonzero((factors > 1e-3) & (factors < 1 - 1e-6)) <= 1
    one_point = Pairs.row_by_row(pairs.images, pairs.images)
    assert np.allclose(fit_closing("drop_dimensions", one_point).apply(one_point).images, one_point.images, atol=1e-6)


def test_procrustes_finds_a_rotation_and_no_orthogonal_map_does_better() -> None:
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    images = world().images
    exact = Pairs.row_by_row(images, unit((images @ turn).astype(np.float32)))
    assert np.allclose(fit_closing("procrustes", exact).apply(exact).texts, images, atol=1e-5)
    pairs = world(noise=1.0)
    moved = fit_closing("procrustes", pairs).apply(pairs)
    assert np.array_equal(moved.images, pairs.images)
    assert np.allclose(moved.texts @ moved.texts.T, pairs.texts @ pairs.texts.T, atol=1e-5)
    least = ((moved.texts - pairs.images) ** 2).sum()
    for _ in range(20):
        small = rng.normal(scale=0.05, size=(12, 12))
        near = np.linalg.qr(np.eye(12) + small - small.T)[0]
        near *= np.sign(np.diag(near))
        assert ((moved.texts @ near - pairs.images) ** 2).sum() > least - 1e-4


def test_by_hand_in_the_plane() -> None:
    """Images at 10 and 50 degrees, texts at 70 and 110: Procrustes turns by -60, centring gives +-90 degrees."""
    def at(*degrees: float) -> np.ndarray:
        return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1).astype(np.float32)

    pairs = Pairs.row_by_row(at(10, 50), at(70, 110))
    assert np.allclose(fit_closing("procrustes", pairs).apply(pairs).texts, at(10, 50), atol=1e-6)
    assert np.allclose(fit_closing("procrustes", pairs, strength=0.5).apply(pairs).texts, at(40, 80), atol=1e-6)
    centred = fit_closing("centring", pairs).apply(pairs)
    assert np.allclose(centred.images, at(-60, 120), atol=1e-6)
    assert np.allclose(centred.texts, at(0, 180), atol=1e-6)
    assert fit_closing("geodesic", pairs).scores(pairs.images, pairs.texts)[0] == pytest.approx(
        [-math.pi / 3, -math.pi * 5 / 9])
    assert fit_closing("euclid", pairs).scores(pairs.images, pairs.texts)[0, 0] == pytest.approx(-1)


def test_the_ridge_map_solves_its_normal_equations_and_takes_the_penalty_that_carries_over() -> None:
    pairs = world(n=80, captions=2, noise=0.6)
    x, y = pairs.images[pairs.links[:, 0]].astype(np.float64), pairs.texts[pairs.links[:, 1]].astype(np.float64)
    group = pairs.links[:, 0]
    back = hold_back(group, 0)
    assert len(np.unique(group[back])) == 16
    assert not set(group[back]) & set(group[~back])

    def solved(a: np.ndarray, b: np.ndarray, penalty: float) -> np.ndarray:
        left = b.T @ b + penalty * len(b) * np.eye(12)
        return np.linalg.solve(left, b.T @ a + penalty * len(b) * np.eye(12))

    assert not np.array_equal(back, hold_back(group, 1))
    errors = [((y[back] @ solved(x[~back], y[~back], p) - x[back]) ** 2).sum() for p in PENALTIES]
    best = PENALTIES[int(np.argmin(errors))]
    assert PENALTIES[0] < best < PENALTIES[-1]
    assert np.allclose(fit_closing("ridge", pairs).move_texts(pairs.texts), unit(pairs.texts @ solved(x, y, best)),
                       atol=1e-4)


@pytest.mark.parametrize("key", ["geodesic", "euclid", "heat_kernel"])
def test_distances_on_the_sphere_rank_as_the_cosine_does_ties_and_all(key: str) -> None:
    pairs = world(n=200, d=48)
    texts = pairs.texts.copy()
    texts[1::2] = texts[::2]
    pairs = Pairs.row_by_row(pairs.images, texts)
    fitted, untouched = fit_closing(key, pairs), fit_closing(UNTOUCHED, pairs)
    scores, cosine = fitted.scores(pairs.images, texts), untouched.scores(pairs.images, texts)
    assert not np.allclose(scores, cosine)
    order = np.argsort(cosine, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(scores, order, axis=1), axis=1) >= -1e-12).all()
    values = [recall_at(pairs.images, texts, pairs.links, scores=s).value for s in (scores, cosine)]
    assert values[0] == values[1]
    assert values[0] <= 0.5


def test_the_heat_kernel_stays_finite_between_antipodes() -> None:
    for d in (3, 64, 1024):
        x = np.zeros((2, d), dtype=np.float32)
        x[0, 0], x[1, 0] = 1, -1
        scores = fit_closing("heat_kernel", Pairs.row_by_row(x, x)).scores(x, x)
        assert scores[0, 0] == pytest.approx(0, abs=1e-6)
        assert -701 < scores[0, 1] < -0.1


def test_mahalanobis_against_the_definition_and_the_cosine_where_differences_are_round() -> None:
    from sklearn.covariance import ledoit_wolf

    pairs, others = world(noise=0.8), world(seed=4, n=7)
    apart = (pairs.images - pairs.texts).astype(np.float64)
    centre = apart.mean(axis=0)
    precise = np.linalg.inv(ledoit_wolf(apart - centre, assume_centered=True)[0])
    precise *= 12 / np.trace(precise)
    scores = fit_closing("mahalanobis", pairs).scores(others.images, others.texts)
    for i, x in enumerate(others.images):
        for j, y in enumerate(others.texts):
            off = x - y - centre
            assert scores[i, j] == pytest.approx(1 - off @ precise @ off / 2, abs=1e-4)
    same = Pairs.row_by_row(pairs.images, pairs.images)
    assert np.allclose(fit_closing("mahalanobis", same).scores(others.images, others.texts),
                       others.images @ others.texts.T, atol=1e-5)


def test_csls_against_a_loop_with_neighbours_from_the_fit_part() -> None:
    pairs, others = world(n=30), world(seed=4, n=7)
    scores = fit_closing("csls", pairs).scores(others.images, others.texts)
    for i, x in enumerate(others.images):
        for j, y in enumerate(others.texts):
            near_x = np.mean(sorted((float(x @ t) for t in pairs.texts), reverse=True)[:10])
            near_y = np.mean(sorted((float(y @ t) for t in pairs.images), reverse=True)[:10])
            assert scores[i, j] == pytest.approx(2 * float(x @ y) - near_x - near_y, abs=1e-5)


def test_the_inverted_softmax_ranks_as_its_definition_both_ways() -> None:
    pairs, others = (world(n=n, d=24, seed=seed, noise=0.8) for n, seed in ((30, 1), (9, 4)))
    scores = fit_closing("inverted_softmax", pairs).scores(others.images, others.texts).astype(np.float64)

    def ranked(b: float) -> tuple[np.ndarray, np.ndarray]:
        to_text, to_image = np.empty((2, 9, 9))
        for i, x in enumerate(others.images):
            for j, y in enumerate(others.texts):
                to_text[i, j] = math.exp(b * (x @ y)) / sum(math.exp(b * (q @ y)) for q in pairs.images)
                to_image[i, j] = math.exp(b * (x @ y)) / sum(math.exp(b * (x @ q)) for q in pairs.texts)
        return to_text, to_image

    back = hold_back(np.arange(30), 0)

    def loss(b: float) -> float:
        x, y = pairs.images.astype(np.float64), pairs.texts.astype(np.float64)
        total = 0.0
        for i in np.flatnonzero(back):
            to_text = {j: math.exp(b * (x[i] @ y[j])) / np.mean([math.exp(b * (q @ y[j])) for q in x[~back]])
                       for j in np.flatnonzero(back)}
            to_image = {j: math.exp(b * (x[j] @ y[i])) / np.mean([math.exp(b * (x[j] @ q)) for q in y[~back]])
                        for j in np.flatnonzero(back)}
            total -= math.log(to_text[i] / sum(to_text.values())) + math.log(to_image[i] / sum(to_image.values()))
        return total

    b = min(INVERSE_TEMPERATURES, key=loss)
    assert min(INVERSE_TEMPERATURES) < b < max(INVERSE_TEMPERATURES)
    to_text, to_image = ranked(b)
    of_image = b * scores - np.log(to_text)
    assert np.allclose(of_image, of_image[:, :1], atol=1e-2)
    of_text = b * scores - np.log(to_image)
    assert np.allclose(of_text, of_text[:1], atol=1e-2)


@pytest.mark.parametrize("key", ["csls", "inverted_softmax"])
def test_a_hub_loses_its_pull(key: str) -> None:
    def pushed(seed: int) -> Pairs:
        pairs = world(d=24, seed=seed)
        return Pairs.row_by_row(unit(pairs.images + 0.3 * np.eye(24, dtype=np.float32)[0]), pairs.texts)

    fit, others = pushed(0), pushed(1)
    texts = np.concatenate([others.texts, unit(fit.images.mean(axis=0, keepdims=True))])
    pulled = (others.images @ texts.T).argmax(axis=1) == 120
    still = fit_closing(key, fit).scores(others.images, texts).argmax(axis=1) == 120
    assert pulled.mean() > 0.75
    assert still.mean() < 0.25


def test_means_are_enough_for_closing_without_pairs() -> None:
    pairs = world()
    alone = Pairs(pairs.images, pairs.texts[:41], np.zeros((0, 2)))
    assert set(available(pairs)) == set(CLOSINGS)
    assert set(available(alone)) == {k for k, m in CLOSINGS.items() if m.fits != "pairs"}
    flat = Pairs.row_by_row(*(unit(x[:, :2]) for x in (pairs.images, pairs.texts)))
    assert set(available(flat)) == set(CLOSINGS) - {"heat_kernel"}
    for key in available(alone):
        assert fit_closing(key, alone).scores(alone.images, alone.texts).shape == (120, 41)


@pytest.mark.parametrize("key", CLOSINGS)
def test_one_text_for_all_images_and_a_single_pair_do_no_harm(key: str) -> None:
    pairs = world()
    same = np.repeat(pairs.texts[:1], 120, axis=0)
    for odd in (Pairs.row_by_row(pairs.images, same),
                Pairs(pairs.images, pairs.texts[:1], np.stack([np.arange(120), np.zeros(120)], axis=1)),
                Pairs.row_by_row(pairs.images[:1], pairs.texts[:1])):
        fitted = fit_closing(key, odd)
        assert np.isfinite(fitted.scores(pairs.images, pairs.texts)).all()
        moved = fitted.apply(odd)
        assert np.allclose(np.linalg.norm(moved.texts, axis=1), 1, atol=1e-5)
    centred = fit_closing("centring", Pairs.row_by_row(pairs.images, same))
    assert np.array_equal(centred.move_texts(same), same)


def test_the_learned_projection_learns_what_carries_over_and_nothing_else() -> None:
    pairs, rng = loud(400), np.random.default_rng(1)
    fit, others = pairs.part(range(200), range(200)), pairs.part(range(200, 400), range(200, 400))
    fitted = fit_closing("learned", fit)
    before, after = (right(f.scores(others.images, others.texts)) for f in (fitted.at(0), fitted))
    assert after > before + 0.05
    noise = Pairs.row_by_row(*(unit(rng.normal(size=(200, 24)).astype(np.float32)) for _ in range(2)))
    by_chance = fit_closing("learned", noise.part(range(100), range(100)))
    assert right(by_chance.scores(noise.images[100:], noise.texts[100:])) < 0.05


def test_learning_needs_ten_groups_no_steps_are_the_identity_and_the_seed_is_its_own(
        monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(4):
        few = world(n=9, captions=3, seed=seed)
        assert np.allclose(fit_closing("learned", few, seed=seed).move_images(few.images), few.images, atol=1e-6)
    pairs = world(n=40)
    one, two = (fit_closing("learned", pairs, seed=s).move_images(pairs.images) for s in (0, 1))
    assert not np.array_equal(one, two)
    monkeypatch.setattr(learned, "STEPS", 0)
    assert np.allclose(fit_closing("learned", pairs).move_images(pairs.images), pairs.images, atol=1e-6)


def loud(n: int = 150) -> Pairs:
    """Sixteen dimensions that pairs share, and eight in which each modality is loud for itself."""
    rng = np.random.default_rng(0)
    shown, own = rng.normal(size=(n, 16)), 1.5 * rng.normal(size=(2, n, 8))
    return Pairs.row_by_row(*(unit(np.concatenate([shown, part], axis=1).astype(np.float32)) for part in own))


def test_the_slope_of_its_loss_is_that_of_automatic_differentiation() -> None:
    import torch
    from torch.nn.functional import cross_entropy, normalize

    pairs, rng = loud(), np.random.default_rng(3)
    basis = learned._basis(pairs.images, pairs.texts)[:, :5]
    change = rng.normal(scale=0.2, size=(2, 5, 5)).astype(np.float32)
    batch = learned._batches(pairs.images, pairs.texts, np.arange(150), basis, np.random.default_rng(0))[0]
    order = [int(np.abs(pairs.images @ basis - a).sum(axis=1).argmin()) for a in batch[0]]
    free, p = torch.tensor(change, dtype=torch.float64, requires_grad=True), torch.tensor(basis, dtype=torch.float64)
    x, y = (normalize(at + at @ p @ by.T @ p.T) for at, by in
            zip((torch.tensor(part[order], dtype=torch.float64) for part in (pairs.images, pairs.texts)), free,
                strict=True))
    for scale in (1.0, 100.0):
        scores, own = scale * x @ y.T, torch.arange(150)
        wanted = (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
        (slope,) = torch.autograd.grad(wanted, free, retain_graph=True)
        loss, ours = learned._loss(change, batch, scale)
        assert loss == pytest.approx(wanted.item(), rel=1e-4)
        assert np.allclose(ours, slope.numpy(), atol=1e-4 * float(slope.abs().max()))


def test_cosines_in_training_are_those_of_moved_unit_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = loud()
    change = np.random.default_rng(0).normal(scale=0.3, size=(2, 5, 5)).astype(np.float32)
    whole = learned._basis(pairs.images, pairs.texts)
    monkeypatch.setattr(learned, "_basis", lambda x, y: whole[:, 3:8])
    monkeypatch.setattr(learned, "_train", lambda fit, back: change)
    fitted = fit_closing("learned", pairs)
    for x, moved, a in ((pairs.images, fitted.move_images(pairs.images), change[0]),
                        (pairs.texts, fitted.move_texts(pairs.texts), change[1])):
        matrix = np.eye(24) + whole[:, 3:8] @ a @ whole[:, 3:8].T
        assert np.allclose(moved, unit(np.stack([matrix @ row for row in x])), atol=1e-5)
    rows = learned._batches(pairs.images, pairs.texts, np.arange(150), whole[:, 3:8], np.random.default_rng(0))[0]
    cosines = learned._cosines(change, rows)[0]
    order = [int(np.abs(pairs.images @ whole[:, 3:8] - a).sum(axis=1).argmin()) for a in rows[0]]
    assert np.allclose(cosines, fitted.scores(pairs.images[order], pairs.texts[order]), atol=1e-5)


def test_each_modality_learns_its_own_map_from_what_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, seen = loud(), {}
    train, inside = learned._train, pairs.images @ learned._basis(pairs.images, pairs.texts)

    def rows(batches: list[learned.Batch]) -> set[int]:
        return {int(np.abs(inside - row).sum(axis=1).argmin()) for images, _, _ in batches for row in images}

    def watched(fit: list[learned.Batch], back: list[learned.Batch]) -> np.ndarray:
        seen.update(fit=rows(fit), back=rows(back))
        seen["change"] = train(fit, back)
        return seen["change"]

    monkeypatch.setattr(learned, "_train", watched)
    fit_closing("learned", pairs)
    assert (len(seen["fit"]), len(seen["back"])) == (120, 30)
    assert not seen["fit"] & seen["back"]
    images, texts = seen["change"]
    assert min(np.abs(images).max(), np.abs(texts).max()) > 0.005
    assert np.abs(images - texts).max() > 0.005


def test_what_does_not_help_pairs_held_back_is_not_learned() -> None:
    def batch(x: np.ndarray, y: np.ndarray) -> learned.Batch:
        return x, y, np.zeros((len(x), len(x)), dtype=np.float32)

    apart = np.eye(6, dtype=np.float32)
    wrong = [batch(apart, np.roll(apart, 1, axis=0))]
    assert np.array_equal(learned._train(wrong, [batch(apart, apart)]), np.zeros((2, 6, 6)))
    assert np.abs(learned._train(wrong, wrong)).max() > 0.02


def test_batches_have_one_pair_of_each_group_and_cosines_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "BATCH", 7)
    pairs = world(n=20, captions=3)
    x, y = pairs.images[pairs.links[:, 0]], pairs.texts
    basis = learned._basis(x, y)[:, :5]
    batches = learned._batches(x, y, pairs.links[:, 0], basis, np.random.default_rng(0))
    assert [len(a) for a, _, _ in batches] == [7, 7, 6]
    seen, captions = [], []
    for a, b, outside in batches:
        shown = [int(np.abs(x @ basis - row).sum(axis=1).argmin()) // 3 for row in a]
        spoken = [int(np.abs(y @ basis - row).sum(axis=1).argmin()) for row in b]
        assert [t // 3 for t in spoken] == shown
        assert np.allclose(outside + a @ b.T, pairs.images[shown] @ y[spoken].T, atol=1e-5)
        seen += shown
        captions += [t % 3 for t in spoken]
    assert sorted(seen) == list(range(20))
    assert set(captions) == {0, 1, 2}


@pytest.mark.parametrize(("change", "error", "text"), [
    ({"key": "glue"}, ChoiceError, "Expected a way of closing the gap to be one of untouched, translation"),
    ({"strength": 1.5}, ShapeError, "Expected a strength from 0 to 1; got 1.5."),
    ({"strength": float("nan")}, ShapeError, "Expected a strength from 0 to 1; got nan."),
    ({"pairs": Pairs(np.eye(3, dtype="f4"), np.eye(3, dtype="f4"), np.zeros((0, 2)))}, ShapeError,
     "Expected pairs of images and texts to fit Ridge map on; got images and texts without links. Choose a method that "
     "needs no pairs, such as centring."),
    ({"key": "heat_kernel", "pairs": Pairs.row_by_row(np.eye(2, dtype="f4"), np.eye(2, dtype="f4"))}, ShapeError,
     "Expected vectors of at least three dimensions for a heat kernel; got 2 dimensions."),
])
def test_errors_say_what_to_do(change: dict[str, object], error: type[Exception], text: str) -> None:
    arguments = {"key": "ridge", "pairs": world(), "strength": 1.0, **change}
    with pytest.raises(error) as caught:
        fit_closing(arguments["key"], arguments["pairs"], strength=arguments["strength"])
    assert str(caught.value).startswith(text)
    with pytest.raises(ShapeError, match="from 0 to 1"):
        fit_closing("centring", world()).at(-0.1)


def test_every_method_says_what_it_is() -> None:
    for method in CLOSINGS.values():
        assert method.title
        assert method.explanation.endswith(".")
    assert len({m.title for m in CLOSINGS.values()}) == len(CLOSINGS)
    for key in ("geodesic", "euclid", "heat_kernel"):
        assert "every ranking stays what it was" in CLOSINGS[key].explanation
    for key in ("csls", "inverted_softmax"):
        assert "fit part" in CLOSINGS[key].explanation


def test_numbers_of_coco_fitted_and_scored_on_all(coco: Pairs) -> None:
    found = {key: right(fit_closing(key, coco).scores(coco.images, coco.texts))
             for key in (UNTOUCHED, "translation", "centring", "procrustes")}
    assert found[UNTOUCHED] == pytest.approx(0.552, abs=0.001)
    assert found["translation"] == pytest.approx(0.358, abs=0.003)
    assert found["centring"] == pytest.approx(0.542, abs=0.003)
    assert found["procrustes"] == pytest.approx(0.914, abs=0.005)
