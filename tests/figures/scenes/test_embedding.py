"""Scenes of embeddings: rows in their order, angles that are true, text that is plain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import ShapeError
from core.figures.scenes.embedding import Points, embedding_scene, fidelity_in_words, fidelity_titles, headline
from core.figures.sphere.colourings import column_colouring, similarity_colouring
from core.geometry.maps.registry import fit_map
from core.types import EmbeddingSet, ModelSpec, Number, SphereMap

SPEC = ModelSpec("toy", "1", 6, "none")


def vectors(n: int, centre: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 6)) * 0.3
    x[:, centre] += 1
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def made(n: int, modality: str, centre: int, **columns: list) -> EmbeddingSet:
    table = pd.DataFrame(columns, index=range(n))
    return EmbeddingSet(vectors(n, centre, centre), np.full(n, 2, np.float32),
                        tuple(f"{modality} {i}" for i in range(n)), modality, table, SPEC)


@pytest.fixture
def points() -> Points:
    images = made(12, "image", 0, label=[f"l{i % 3}" for i in range(12)], size=[float(i) for i in range(12)])
    texts = made(9, "text", 1)
    links = np.array([[i, i % 9] for i in range(12)])
    return Points(images, texts, tuple(f"caption {i} <b>" for i in range(9)), links, ("a prompt",), vectors(1, 2, 5))


def scene_of(points: Points, **options: object):
    placed = fit_map(points.vectors()[:21], "pca", with_fidelity=False)
    return embedding_scene(points, placed.map, placed.place(points.prompt_vectors), **options), placed


def test_rows_are_images_then_texts_then_prompts(points):
    scene, placed = scene_of(points)
    assert scene.kinds.tolist() == [0] * 12 + [1] * 9 + [2]
    np.testing.assert_array_equal(scene.coords[:21], placed.map.coords)
    assert scene.labels[0] == "image 0\nl0"
    assert scene.labels[12] == "caption 0 <b>"
    assert scene.labels[21] == "Prompt: a prompt"
    assert [m.label for m in scene.marks if m.kind == "prompt"] == ["a prompt"]
    for row in (0, 11, 12, 20, 21):
        np.testing.assert_array_equal(points.vector(row), points.vectors()[row])


def test_the_headline_says_the_true_angle_of_the_means(points):
    a, b = (part.vectors.mean(axis=0) for part in (points.images, points.texts))
    degrees = np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
    assert f"{degrees:.0f}° apart" in headline(points)
    assert headline(Points(points.images, None)) == "12 images"


def test_where_a_gap_means_nothing_none_is_said_or_drawn(points):
    scene, _ = scene_of(replace(points, gap=False))
    assert scene.title == "12 images and 9 texts"
    assert not scene.arcs and len(scene.caps) == 2


def test_a_cap_holds_half_of_its_modality_on_the_map(points):
    scene, placed = scene_of(points)
    for cap, rows in zip(scene.caps, (slice(0, 12), slice(12, 21))):
        inside = (placed.map.coords[rows] @ cap.centre >= np.cos(cap.radius) - 1e-6).mean()
        assert 0.5 <= inside <= 0.6
    assert len(scene.arcs) == 1
    assert not scene_of(points, means=False)[0].caps


def test_arcs_join_pairs_and_are_sampled_where_there_are_many(points):
    scene, _ = scene_of(points, arcs=True)
    assert scene.pairs.tolist() == [[i, 12 + i % 9] for i in range(12)]
    many = Points(points.images, points.texts, points.captions, np.tile(points.links, (50, 1)), points.prompts,
                  points.prompt_vectors)
    scene, _ = scene_of(many, arcs=True)
    assert len(scene.pairs) == 400
    assert "400 of 600 pairs" in scene.note


def test_pictures_on_the_sphere_are_spread(points):
    pictures = {i: b"x" for i in range(12)}
    scene, placed = scene_of(points, pictures=pictures, on_sphere=4)
    assert len(scene.shown) == 4
    chosen = placed.map.coords[list(scene.shown)]
    apart = (chosen @ chosen.T)[~np.eye(4, dtype=bool)].max()
    first = placed.map.coords[:4]
    assert apart <= (first @ first.T)[~np.eye(4, dtype=bool)].max()
    assert scene_of(points, pictures=pictures, on_sphere=0)[0].shown == ()


def test_columns_colour_as_groups_or_values(points):
    groups = column_colouring(points, "label")
    assert groups.groups[:4] == ("l0", "l1", "l2", "l0")
    assert groups.groups[12:] == ("",) * 10
    values = column_colouring(points, "size")
    assert values.values[:12].tolist() == list(range(12))
    assert np.isnan(values.values[12:]).all()


def test_similarity_is_the_cosine(points):
    colouring = similarity_colouring(points, points.prompt_vectors[0], "it")
    naive = [sum(float(a) * float(b) for a, b in zip(row, points.prompt_vectors[0])) for row in points.vectors()]
    np.testing.assert_allclose(colouring.values, naive, atol=1e-6)


def test_the_table_has_a_row_a_point_and_text_where_there_is_one(points):
    table = points.table
    assert list(table["modality"]) == ["image"] * 12 + ["text"] * 9 + ["prompt"]
    assert table["text"].tolist()[11:13] == ["", "caption 0 <b>"]
    assert table["norm"].tolist()[0] == 2


def test_fidelity_is_said_beside_chance():
    known = SphereMap(np.eye(3, dtype=np.float32), "pca", 0, fidelity={"spearman": Number(0.5, null=0.0)})
    assert fidelity_in_words(known) == "Spearman of cosines 0.50, by chance 0.00."
    many = SphereMap(np.tile(np.eye(3, dtype=np.float32), (700, 1)), "pca", 0, fidelity=dict(known.fidelity))
    assert fidelity_in_words(many).endswith("by chance at most 0.00.")
    lost = SphereMap(known.coords, "pca", 0, fidelity={
        "spearman_images": Number(0.5, null=0.1), "spearman_across": Number(0.2, null=0.3)})
    assert fidelity_in_words(lost).endswith("No better than chance: Spearman of cosines between images and texts.")


def test_of_images_texts_and_both_the_lowest_fidelity_is_said():
    found = {"spearman": Number(0.872, null=0.864), "spearman_images": Number(0.336, null=0.06),
             "spearman_texts": Number(0.424, null=0.07), "spearman_across": Number(0.597, null=0.8),
             "variance": Number(0.567, null=0.53)}
    known = SphereMap(np.eye(3, dtype=np.float32), "pca", 0, fidelity=found)
    assert fidelity_in_words(known) == (
        "Spearman of cosines 0.34 among images, by chance 0.06; variance share 0.57, by chance 0.53. "
        "Of images, texts and both together, the lowest is given. No better than chance: Spearman of cosines between "
        "images and texts.")
    assert fidelity_titles(found) == {
        "spearman": "Spearman of cosines, all pairs", "variance": "variance share",
        "spearman_images": "Spearman of cosines, among images", "spearman_texts": "Spearman of cosines, among texts",
        "spearman_across": "Spearman of cosines, between images and texts"}
    assert fidelity_titles(["spearman"]) == {"spearman": "Spearman of cosines"}


def test_what_does_not_fit_is_refused(points):
    with pytest.raises(ShapeError, match="images or texts to show"):
        Points(None, None)
    with pytest.raises(ShapeError, match="9 captions, one for each text"):
        Points(points.images, points.texts, ("one",))
    with pytest.raises(ShapeError, match="a vector for each prompt"):
        Points(points.images, None, prompts=("a", "b"), prompt_vectors=vectors(1, 0, 0))
    with pytest.raises(ShapeError, match="a map of 21 points"):
        embedding_scene(points, fit_map(vectors(5, 0, 0), "pca", with_fidelity=False).map)
