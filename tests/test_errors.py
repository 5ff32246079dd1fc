"""Every error says what was expected, what came and what to do."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from core.errors import Cancelled, ChoiceError, ModelError, OrreryError, ShapeError, check_choice, check_vectors


def test_the_message_has_three_parts() -> None:
    error = OrreryError("a file", "a folder", "Choose a file.")
    assert str(error) == "Expected a file; got a folder. Choose a file."
    assert str(OrreryError("a", "b")) == "Expected a; got b."


def test_errors_travel_between_processes() -> None:
    back = pickle.loads(pickle.dumps(ModelError("a", "b", "c")))
    assert type(back) is ModelError
    assert str(back) == str(ModelError("a", "b", "c"))
    assert "request to stop after 3 images" in str(pickle.loads(pickle.dumps(Cancelled("3 images"))))


def test_choices_list_the_valid_names() -> None:
    check_choice("map", "pca", ["pca", "umap"])
    with pytest.raises(ChoiceError, match="Expected map to be one of pca, umap; got 'tsne'"):
        check_choice("map", "tsne", ["pca", "umap"])


@pytest.mark.parametrize(("x", "options", "message"), [
    (np.ones(3), {}, r"vectors of shape \(n, d\); got shape \(3,\)"),
    (np.ones((2, 2), int), {}, "vectors of floats; got dtype int64"),
    (np.ones((2, 2)), {"at_least": 4}, "at least 4 vectors; got 2"),
    (np.array([[1.0], [np.inf]]), {}, "finite vectors; got 1 rows with NaN or infinity, the first at row 1"),
    (np.array([[0.0, 0.0]]), {"unit": True}, r"unit rows \(to 1e-4\); got length 0 at row 0"),
])
def test_vectors_are_checked(x: np.ndarray, options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        check_vectors(x, **options)  # type: ignore[arg-type]
