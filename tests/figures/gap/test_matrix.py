"""The matrix figure: cells, colours and names are those of the report."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.figures.gap import matrix
from core.geometry.gap.reports import SimilarityMatrix
from core.geometry.gap.seriation import similarity_matrix
from core.geometry.pairs import Pairs
from tests.figures.gap import reports as made
from tests.figures.gap.test_shift import title

N = made.N


def drawn(figure, k: int) -> np.ndarray:
    """The whole matrix, read off its blocks."""
    whole = np.full((k, k), np.nan)
    for t in figure.data:
        z = np.asarray(t.z)
        whole[t.y0:t.y0 + z.shape[0], t.x0:t.x0 + z.shape[1]] = z
    return whole


@pytest.mark.parametrize("scale", matrix.SCALES)
def test_every_cell_is_drawn_at_its_place(scale):
    report = made.matrix()
    figure = matrix.matrix(report, scale=scale)
    np.testing.assert_allclose(drawn(figure, 2 * N), report.cosines.astype(np.float32))
    assert all(np.asarray(t.z).dtype == np.float32 for t in figure.data)
    assert figure.layout.yaxis.range == (2 * N - 0.5, -0.5)   # the first row at the top
    assert figure.layout.yaxis.scaleanchor == "x"


def test_one_scale_is_common_and_a_scale_for_each_block_is_its_own():
    report = made.matrix()
    one = matrix.matrix(report)
    assert {t.coloraxis for t in one.data} == {"coloraxis"}
    by_block = matrix.matrix(report, scale="block")
    axes = {t.name: t.coloraxis for t in by_block.data}
    assert len(set(axes.values())) == 3
    for block, (low, high) in matrix.scales(report, "block").items():
        axis = by_block.layout[axes[matrix.BLOCKS[block]]]
        assert (axis.cmin, axis.cmax) == (low, high)
        assert axis.colorbar.title.text == f"cosine, {matrix.BLOCKS[block]}"
        np.testing.assert_allclose((low, high), np.percentile(matrix.block_cosines(report, block), [1, 99]))
    ends = matrix.scales(report, "block").values()
    assert one.layout.coloraxis.cmin == min(low for low, _ in ends)
    assert one.layout.coloraxis.cmax == max(high for _, high in ends)
    bars = [by_block.layout[a].colorbar.y for a in ("coloraxis", "coloraxis2", "coloraxis3")]
    side = by_block.layout.height - by_block.layout.margin.t - by_block.layout.margin.b
    assert (-np.diff(bars) * side).min() >= 48   # a title, a bar and its ticks
    assert -min(bars) * side + 48 <= by_block.layout.margin.b
    with pytest.raises(ChoiceError, match="colour scale to be one of one, block; got 'two'"):
        matrix.matrix(report, scale="two")


def test_the_scale_of_the_cross_block_is_what_the_gap_makes_it():
    ends = matrix.scales(made.matrix(), "block")
    assert ends["cross"][1] < ends["images"][1]
    assert ends["cross"][0] < ends["texts"][0]


def test_a_block_counts_each_pair_of_items_once_and_none_with_itself():
    report = made.matrix()
    assert len(matrix.block_cosines(report, "images")) == N * (N - 1) // 2
    assert len(matrix.block_cosines(report, "cross")) == N * N
    loop = [float(report.cosines[i, j]) for i in range(N) for j in range(i + 1, N)]
    np.testing.assert_allclose(matrix.block_cosines(report, "images"), loop)


def test_the_title_tells_the_mean_of_each_block():
    report, pairs = made.matrix(), made.pairs()
    inside = np.triu_indices(N, 1)
    said = title(matrix.matrix(report))
    assert f"images with images {(pairs.images @ pairs.images.T)[inside].mean():.2f}" in said
    assert f"images with texts {(pairs.images @ pairs.texts.T).mean():.2f}" in said
    assert f"pairs {np.einsum('ij,ij->i', pairs.images, pairs.texts).mean():.2f}" in said
    assert f"({N} images, {N} texts)" in said
    assert "pairs" not in title(matrix.matrix(made.matrix(False)))


def test_a_cell_is_found_from_a_place():
    report, pairs = made.matrix(), made.pairs()
    for x, y in ((0, 0), (3.4, 90.2), (2 * N - 0.6, -0.5), (100, 5), (2 * N - 1, 2 * N - 1)):
        cell = matrix.cell_of(report, x, y)
        assert (cell.row, cell.column) == (int(np.floor(y + 0.5)), int(np.floor(x + 0.5)))
        own = {"image": pairs.images, "text": pairs.texts}
        a, b = own[cell.row_modality][cell.row_item], own[cell.column_modality][cell.column_item]
        assert cell.cosine == pytest.approx(float(a @ b), abs=1e-3)
        assert cell.row_modality == ("image" if cell.row < N else "text")
        assert cell.matched is (cell.row_modality != cell.column_modality and cell.row_item == cell.column_item)
    for image, text in report.links[:5].tolist():
        assert matrix.cell_of(report, text, image).matched and matrix.cell_of(report, image, text).matched
    for place in ((-0.6, 0), (0, 2 * N - 0.5), (2 * N, 3)):
        with pytest.raises(ShapeError, match=f"a place from 0 to {2 * N - 1} both ways"):
            matrix.cell_of(report, *place)


def test_names_follow_the_order_of_the_matrix():
    report = made.matrix()
    images, texts = [f"i{k}" for k in range(N)], [f"t{k}" for k in range(N)]
    wanted = [*(f"i{k}" for k in report.image_rows), *(f"t{k}" for k in report.text_rows)]
    figure = matrix.matrix(report, images=images, texts=texts)
    assert list(figure.layout.xaxis.ticktext) == wanted == list(figure.layout.yaxis.ticktext)
    assert list(figure.layout.xaxis.tickvals) == list(range(2 * N))
    assert matrix.labels(report)[0] == f"image {report.image_rows[0]}"
    table = matrix.matrix_table(report, images, texts)
    assert table["name"].tolist() == wanted
    np.testing.assert_array_equal(table.iloc[:, 4:].to_numpy(), report.cosines)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (5, 1), (1, 5)])
def test_few_items_are_drawn(n, m):
    pairs = made.pairs()
    few = Pairs(pairs.images[:n], pairs.texts[:m], np.array([[0, 0]]))
    report = similarity_matrix(few)
    np.testing.assert_allclose(drawn(matrix.matrix(report, scale="block"), n + m), report.cosines)


def test_images_alone_have_one_block():
    report = made.matrix()
    alone = SimilarityMatrix(report.cosines[:N, :N], report.image_rows, report.text_rows[:0], np.zeros((0, 2), int))
    figure = matrix.matrix(alone, scale="block")
    assert [t.name for t in figure.data] == ["images with images"]
    assert not figure.layout.shapes
