"""The order of the similarity matrix: like beside like, pairs on a diagonal, the same whichever order rows come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.gap.reports import SimilarityMatrix
from core.geometry.gap.seriation import by_content, like_to_like, similarity_matrix
from core.geometry.pairs import Pairs


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def on_a_quarter_circle(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors at growing angles, shuffled, and their angles."""
    angles = np.random.default_rng(seed).permutation(np.linspace(0, np.pi / 2, n))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), angles


def cloud(n: int, m: int, seed: int = 0, d: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return unit(rng.normal(size=(n, d)) + 1), unit(rng.normal(size=(m, d)) - 1)


def anti_robinson(distances: np.ndarray) -> float:
    """Share of triples in order of which the outer two are nearer than the inner two (Hahsler 2008): a naive loop."""
    n, events, count = len(distances), 0, 0
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(j + 1, n):
                events += int(distances[i, j] > distances[i, k]) + int(distances[j, k] > distances[i, k])
                count += 2
    return events / count


def angles_of(x: np.ndarray) -> np.ndarray:
    return np.arccos(np.clip(x.astype(np.float64) @ x.T.astype(np.float64), -1, 1))


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_points_on_a_line_come_out_in_their_order(n):
    x, angles = on_a_quarter_circle(n)
    order = like_to_like(x)
    assert sorted(order) == list(range(n))
    steps = np.diff(angles[order])
    assert (steps > 0).all() or (steps < 0).all()


def test_an_order_depends_on_the_items_alone():
    corners = np.concatenate([np.eye(8), -np.eye(8)]).astype(np.float32)   # nearly all equally far from each other
    for x in (cloud(40, 1)[0], corners):
        for seed in range(4):
            moved = np.random.default_rng(seed).permutation(len(x))
            np.testing.assert_array_equal(moved[like_to_like(x[moved])], like_to_like(x))


def test_the_same_items_come_out_in_the_same_order_whichever_order_they_had():
    images, texts = cloud(50, 70)
    links = np.stack([np.arange(60) % 50, np.arange(60)], axis=1)
    first = similarity_matrix(Pairs(images, texts, links))
    for seed in range(3):
        rng = np.random.default_rng(seed)
        a, b = rng.permutation(50), rng.permutation(70)
        to_a, to_b = np.argsort(a), np.argsort(b)
        moved = Pairs(images[a], texts[b], np.stack([to_a[links[:, 0]], to_b[links[:, 1]]], axis=1))
        again = similarity_matrix(moved)
        np.testing.assert_array_equal(a[again.image_rows], first.image_rows)
        np.testing.assert_array_equal(b[again.text_rows], first.text_rows)
        np.testing.assert_array_equal(again.cosines, first.cosines)


def test_a_draw_depends_on_the_items_and_the_seed_alone():
    images, texts = cloud(300, 300)
    pairs = Pairs.row_by_row(images, texts)
    first = similarity_matrix(pairs, most=40)
    turned = Pairs(images[::-1], texts[::-1], pairs.links)
    np.testing.assert_array_equal(299 - similarity_matrix(turned, most=40).image_rows, first.image_rows)
    assert set(similarity_matrix(pairs, most=40, seed=1).image_rows) != set(first.image_rows)


def test_cosines_are_those_of_the_rows_named():
    images, texts = cloud(20, 30)
    report = similarity_matrix(Pairs(images, texts, np.array([[3, 7], [3, 8], [4, 1]])))
    vectors = [*(images[row] for row in report.image_rows), *(texts[row] for row in report.text_rows)]
    assert report.cosines.dtype == np.float16 and report.cosines.shape == (50, 50)
    for i in range(50):
        for j in range(50):
            assert float(report.cosines[i, j]) == pytest.approx(float(vectors[i] @ vectors[j]), abs=6e-4)
    np.testing.assert_array_equal(report.cosines, report.cosines.T)


def links_by_item(report: SimilarityMatrix) -> set[tuple[int, int]]:
    n = len(report.image_rows)
    return {(int(report.image_rows[i]), int(report.text_rows[t - n])) for i, t in report.links}


def test_pairs_lie_on_a_diagonal_and_several_texts_of_an_image_side_by_side():
    images, texts = cloud(30, 90)
    links = np.stack([np.repeat(np.arange(30), 3), np.random.default_rng(0).permutation(90)], axis=1)
    report = similarity_matrix(Pairs(images, texts, links))
    assert links_by_item(report) == set(map(tuple, links.tolist()))
    by_text = report.links[np.argsort(report.links[:, 1])]
    assert by_text[:, 0].tolist() == np.repeat(np.arange(30), 3).tolist()
    assert by_text[:, 1].tolist() == list(range(30, 120))


def test_texts_of_no_image_follow_in_an_order_of_their_own():
    images = cloud(10, 1)[0]
    lone, angles = on_a_quarter_circle(25)
    texts = unit(np.concatenate([cloud(1, 10)[1], np.pad(lone, ((0, 0), (6, 0)))]))
    report = similarity_matrix(Pairs(images, texts, np.stack([np.arange(10)] * 2, axis=1)))
    assert set(report.text_rows[:10]) == set(range(10))
    np.testing.assert_array_equal(report.text_rows[:10], report.image_rows)
    steps = np.diff(angles[report.text_rows[10:] - 10])
    assert (steps > 0).all() or (steps < 0).all()


def test_a_text_of_several_images_stands_at_their_mean_place():
    x, _ = on_a_quarter_circle(9)
    links = np.array([[i, 0] for i in range(9)] + [[i, 1 + i] for i in range(9)])
    texts = cloud(1, 10)[1][:, :2]
    report = similarity_matrix(Pairs(x, unit(texts), links))
    place = report.text_rows.tolist().index(0)
    assert place in (4, 5)


@pytest.mark.parametrize(("captions", "n_images"), [(1, 50), (5, 10)])
def test_a_draw_takes_images_with_all_their_texts(captions, n_images):
    images, texts = cloud(200, 200 * captions)
    links = np.stack([np.repeat(np.arange(200), captions), np.arange(200 * captions)], axis=1)
    report = similarity_matrix(Pairs(images, texts, links), most=50)
    assert (len(report.image_rows), len(report.text_rows)) == (n_images, 50)
    assert set(report.text_rows) == {captions * i + k for i in report.image_rows for k in range(captions)}
    assert len(report.links) == 50


def test_a_draw_takes_lone_texts_in_proportion_and_one_text_of_all_images_once():
    images, texts = cloud(100, 400)
    half = np.stack([np.arange(100)] * 2, axis=1)
    report = similarity_matrix(Pairs(images, texts, half), most=40)
    assert (len(report.image_rows), len(report.text_rows)) == (10, 40)
    assert sum(t >= 100 for t in report.text_rows) == 30
    shared = Pairs(images, texts[:1], np.stack([np.arange(100), np.zeros(100, int)], axis=1))
    report = similarity_matrix(shared, most=40)
    assert (len(report.image_rows), len(report.text_rows), len(report.links)) == (40, 1, 40)
    unpaired = similarity_matrix(Pairs(images, texts, np.zeros((0, 2))), most=40)
    assert (len(unpaired.image_rows), len(unpaired.text_rows), len(unpaired.links)) == (40, 40, 0)
    many = Pairs(images[:2], texts, np.stack([np.zeros(400, int), np.arange(400)], axis=1))
    report = similarity_matrix(many, most=40)
    assert (len(report.text_rows), len(report.links)) == (40, 40)


def test_equal_rows_are_no_trouble():
    images, texts = cloud(6, 6)
    report = similarity_matrix(Pairs.row_by_row(np.tile(images[:1], (6, 1)), texts))
    assert sorted(report.image_rows) == list(range(6))
    assert np.isfinite(report.cosines).all()


def test_rows_are_told_apart_by_content_alone():
    x = cloud(40, 1)[0]
    order = np.random.default_rng(1).permutation(40)
    np.testing.assert_array_equal(x[by_content(x)], x[order][by_content(x[order])])
    assert by_content(np.array([[-0.0, 1], [0.0, 1]], dtype=np.float32)).tolist() == [0, 1]


@pytest.mark.parametrize("most", [0, 1001])
def test_more_than_two_thousand_items_are_refused(most):
    with pytest.raises(ShapeError, match=rf"from 1 to 1,000 images and as many texts; got {most:,}\. Lower"):
        similarity_matrix(Pairs.row_by_row(*cloud(3, 3)), most=most)


def test_on_real_pairs_neighbours_are_alike_and_far_places_are_not(reference: Path):
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    images, texts = unit(data["image"]), unit(data["text"])
    report = similarity_matrix(Pairs.row_by_row(images, texts))
    assert report.links[np.argsort(report.links[:, 0]), 1].tolist() == list(range(500, 1000))
    angles = angles_of(images[report.image_rows])
    path = np.diag(angles, 1).sum()
    at_random = np.diag(angles_of(images), 1).sum()
    assert path == pytest.approx(358, abs=1)
    assert at_random == pytest.approx(502, abs=2)
    every_fifth = slice(None, None, 5)
    assert anti_robinson(angles[every_fifth, every_fifth]) < 0.38
    assert anti_robinson(angles_of(images)[every_fifth, every_fifth]) == pytest.approx(0.5, abs=0.02)
