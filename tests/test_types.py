"""The nouns: checked when made, read-only, equal by what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import ChoiceError, ShapeError
from core.types import Dataset, EmbeddingSet, ModelSpec, PairedEmbeddings, SphereMap, as_ids, fingerprint

SPEC = ModelSpec("m", "r", 2, "p")


def embeddings(vectors: np.ndarray, *, modality: str = "image", model: ModelSpec = SPEC, **changes: object
               ) -> EmbeddingSet:
    n = len(vectors)
    fields: dict[str, object] = {"vectors": vectors, "norms": np.ones(n), "ids": tuple(map(str, range(n))),
                                 "modality": modality, "table": pd.DataFrame(index=range(n)), "model": model}
    return EmbeddingSet(**{**fields, **changes})  # type: ignore[arg-type]


SQUARE = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)


def test_one_changed_number_of_a_large_array_changes_the_fingerprint() -> None:
    a = np.random.default_rng(0).normal(size=(1000, 600))
    b = a.copy()
    b[567, 89] += 1e-9
    assert fingerprint(a) != fingerprint(b)
    assert fingerprint(a) == fingerprint(a.copy())


def test_fingerprints_tell_kinds_and_borders_apart() -> None:
    said = [fingerprint("ab", "c"), fingerprint("a", "bc"), fingerprint("abc"), fingerprint(b"abc"), fingerprint(1),
            fingerprint("1"), fingerprint(np.float32([1])), fingerprint(np.float64([1])),
            fingerprint(np.zeros((2, 3))), fingerprint(np.zeros((3, 2)))]
    assert len(set(said)) == len(said)
    with pytest.raises(ShapeError, match="array of objects"):
        fingerprint(np.array([object()]))


def test_embeddings_are_read_only_and_do_not_touch_the_callers_array() -> None:
    mine = SQUARE.copy()
    e = embeddings(mine)
    with pytest.raises(ValueError, match="read-only"):
        e.vectors[0, 0] = 2
    mine[0, 0] = 1.0
    assert mine.flags.writeable


@pytest.mark.parametrize(("changes", "message"), [
    ({"vectors": SQUARE * 2}, r"unit rows \(to 1e-4\); got length 2 at row 0"),
    ({"vectors": np.array([[np.nan, 1], [0, 1], [1, 0]])}, "1 rows with NaN or infinity, the first at row 0"),
    ({"vectors": np.ones(3)}, r"shape \(n, d\); got shape \(3,\)"),
    ({"norms": np.ones(2)}, "3 norms, ids and rows of the table"),
    ({"ids": ("a", "a", "b")}, "unique ids; got 1 repeated ids"),
])
def test_embeddings_refuse_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        embeddings(**{"vectors": SQUARE, **changes})  # type: ignore[arg-type]


def test_modalities_have_names() -> None:
    with pytest.raises(ChoiceError, match="modality to be one of image, text; got 'sound'"):
        embeddings(SQUARE, modality="sound")


def test_pairs_are_of_one_model_and_of_rows_at_hand() -> None:
    a, b = embeddings(SQUARE), embeddings(SQUARE, modality="text")
    pairs = PairedEmbeddings(a, b, np.array([[0, 1], [2, 2]]))
    assert pairs == PairedEmbeddings(a, b, np.array([[0, 1], [2, 2]]))
    assert pairs != PairedEmbeddings(a, b, np.array([[0, 1]]))
    with pytest.raises(ShapeError, match="an index outside them"):
        PairedEmbeddings(a, b, np.array([[0, 3]]))
    other = embeddings(SQUARE, modality="text", model=ModelSpec("n", "r", 2, "p"))
    with pytest.raises(ShapeError, match="two sets by the same model; got m and n"):
        PairedEmbeddings(a, other, np.array([[0, 0]]))


def test_equality_is_by_content() -> None:
    assert embeddings(SQUARE) == embeddings(SQUARE.copy())
    assert embeddings(SQUARE) != embeddings(SQUARE, modality="text")
    assert len({embeddings(SQUARE), embeddings(SQUARE.copy())}) == 1


def test_maps_lie_on_the_sphere() -> None:
    SphereMap(np.eye(3), "pca", 0)
    with pytest.raises(ShapeError, match=r"map coordinates of shape \(n, 3\)"):
        SphereMap(SQUARE, "pca", 0)


def dataset(**changes: object) -> Dataset:
    fields: dict[str, object] = {
        "name": "d", "image_ids": (), "images": None, "text_ids": ("t", "u"), "texts": ("a", "b"),
        "links": np.empty((0, 2)), "image_table": pd.DataFrame(index=range(0)),
        "text_table": pd.DataFrame(index=range(2))}
    return Dataset(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "message"), [
    ({"image_ids": ("i",)}, "1 images, one for each id; got none"),
    ({"texts": ("a",)}, "2 texts, one for each id; got 1"),
    ({"text_ids": ("t", "t")}, "unique ids"),
    ({"text_table": pd.DataFrame(index=range(3))}, "tables of 0 images and 2 texts; got 0 and 3 rows"),
    ({"links": np.array([[0, 0]])}, "an index outside them"),
])
def test_datasets_refuse_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        dataset(**changes)


def test_a_datasets_fingerprint_is_its_content() -> None:
    assert dataset() == dataset(name="another name")
    assert dataset() != dataset(texts=("a", "c"))


def test_repeated_ids_become_unique_and_the_first_keeps_its_name() -> None:
    assert as_ids(["a", "a", "b", "a"]) == ("a", "a#2", "b", "a#3")
    assert len(set(as_ids(["a", "a#2", "a", "a"]))) == 4
    assert as_ids([1, 2]) == ("1", "2")
