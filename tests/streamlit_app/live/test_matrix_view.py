"""What the live matrix sends to the browser: cosines as they are, in files that are made once."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from core.figures.gap.matrix import scales
from core.figures.theme import sequence
from core.geometry.gap.seriation import similarity_matrix
from core.geometry.pairs import Pairs
from core.streamlit_app.live.matrix_view import ROWS_A_TILE, STEPS, clicked_cell, pack
from tests.figures.gap import reports as made


@pytest.fixture(scope="module")
def report():
    x = np.random.default_rng(0).normal(size=(300, 8))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return similarity_matrix(Pairs.row_by_row(x, x[::-1].copy()))


def test_the_tiles_are_the_cosines_row_by_row(report):
    header, _, tiles = pack(report)
    assert [len(tile) // 1200 for tile in tiles] == [ROWS_A_TILE, ROWS_A_TILE, 600 - 2 * ROWS_A_TILE]
    read = np.concatenate([np.frombuffer(tile, "<i2") for tile in tiles]).reshape(600, 600) / STEPS
    np.testing.assert_allclose(read, report.cosines.astype(float), atol=0.5 / STEPS + 1e-9)
    assert (header["k"], header["images"], header["rows_a_tile"], header["steps"]) == (600, 300, ROWS_A_TILE, STEPS)


def test_the_header_tells_the_ends_of_colours_and_the_pairs(report):
    for scale in ("one", "block"):
        header, (links,), _ = pack(report, scale)
        assert header["ends"] == scales(report, scale)
        np.testing.assert_array_equal(links, report.links)
        assert links.dtype == np.uint32
    for name, dark in (("light", False), ("dark", True)):
        assert header["themes"][name]["table"] == sequence(dark).reshape(-1).tolist()
    assert len(json.dumps(header)) < 20_000


def test_tiles_are_made_once_and_told_apart_by_content(report):
    first = pack(report)
    assert pack(report, "block")[2] is first[2]
    same = replace(report, cosines=report.cosines.copy())
    assert pack(same)[0]["fingerprint"] == first[0]["fingerprint"]
    other = replace(report, cosines=np.minimum(report.cosines, np.float16(0.5)))
    assert pack(other)[0]["fingerprint"] != first[0]["fingerprint"]


def test_a_click_is_believed_only_where_it_names_a_cell(report):
    cell = clicked_cell(report, [3, 599])
    assert (cell.row, cell.column, cell.column_modality) == (3, 599, "text")
    for wrong in (None, [], [1], [1, 2, 3], [-1, 0], [0, 600], [600, 0], ["0", 1], [0.5, 1], "01", {"row": 1}):
        assert clicked_cell(report, wrong) is None


def test_a_set_without_pairs_has_no_links():
    header, (links,), _ = pack(made.matrix(False))
    assert header["pairs"] == 0 and links.shape == (0, 2)
