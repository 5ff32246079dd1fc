"""The matrix of all cosines: images with images, images with texts, texts with texts, like beside like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.errors import ShapeError, check_choice
from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.gap.reports import SimilarityMatrix
from core.types import Modality

if TYPE_CHECKING:
    import plotly.graph_objects as go

SCALES = {"one": "one scale for all", "block": "a scale for each block"}
_SIDE, _BAR = 580, 50   # of the matrix where there is room, and of a colour bar, pixels
BLOCKS = {"images": "images with images", "cross": "images with texts", "texts": "texts with texts"}


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix.

    Attributes
    ----------
    row, column : places in the matrix.
    row_modality, column_modality : "image" or "text".
    row_item, column_item : rows of the images or texts of the pairs.
    cosine : of the two.
    matched : whether they are known to belong together.
    """

    row: int
    column: int
    row_modality: Modality
    column_modality: Modality
    row_item: int
    column_item: int
    cosine: float
    matched: bool


def cell_of(report: SimilarityMatrix, x: float, y: float) -> Cell:
    """The cell at a place of the matrix: x the column, y the row, both from 0; halves are the edges of cells.

    Raises
    ------
    ShapeError
        If the place lies outside.
    """
    row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
    k = len(report.cosines)
    if not (0 <= row < k and 0 <= column < k):
        raise ShapeError(f"a place from 0 to {k - 1} both ways", f"({x:g}, {y:g})")
    n = len(report.image_rows)
    items = np.concatenate([report.image_rows, report.text_rows])
    modality: list[Modality] = ["image" if place < n else "text" for place in (row, column)]
    pair = [min(row, column), max(row, column)]
    matched = bool((report.links == pair).all(axis=1).any())
    return Cell(row, column, modality[0], modality[1], int(items[row]), int(items[column]),
                float(report.cosines[row, column]), matched)


def block_slices(report: SimilarityMatrix) -> dict[str, tuple[slice, slice]]:
    """Rows and columns of each block that has cells; the cross block has images as rows."""
    n, k = len(report.image_rows), len(report.cosines)
    found = {"images": (slice(0, n), slice(0, n)), "cross": (slice(0, n), slice(n, k)),
             "texts": (slice(n, k), slice(n, k))}
    return {name: rows for name, rows in found.items() if all(r.stop > r.start for r in rows)}


def block_cosines(report: SimilarityMatrix, block: str) -> np.ndarray:
    """(c,) float64 cosines of a block, each pair of items once and none with itself."""
    rows, columns = block_slices(report)[block]
    part = report.cosines[rows, columns].astype(np.float64)
    return part.ravel() if block == "cross" else part[np.triu_indices(len(part), 1)]


def scales(report: SimilarityMatrix, scale: str = "one") -> dict[str, tuple[float, float]]:
    """Ends of the colours of each block: the 1st and 99th percentile of its cosines, or of all blocks' the outermost.

    Raises
    ------
    ChoiceError
        If there is no such scale.
    """
    check_choice("colour scale", scale, SCALES)
    ends = {}
    for block in block_slices(report):
        cosines = block_cosines(report, block)
        low, high = np.percentile(cosines, [1, 99]) if len(cosines) else (0.0, 1.0)
        ends[block] = (float(low), float(max(high, low + 1e-3)))
    if scale == "one":
        whole = min(low for low, _ in ends.values()), max(high for _, high in ends.values())
        return dict.fromkeys(ends, whole)
    return ends


def finding(report: SimilarityMatrix) -> str:
    """The mean cosine of each block, of pairs, and how many items there are."""
    said = [f"{name} {block_cosines(report, block).mean():.2f}" for block, name in BLOCKS.items()
            if block in block_slices(report) and len(block_cosines(report, block))]
    if len(report.links):
        own = report.cosines[report.links[:, 0], report.links[:, 1]].astype(np.float64)
        said.append(f"pairs {own.mean():.2f}")
    return f"Mean cosine: {', '.join(said)} ({len(report.image_rows):,} images, {len(report.text_rows):,} texts)"


def matrix(report: SimilarityMatrix, *, scale: str = "one", images: Sequence[str] = (), texts: Sequence[str] = (),
           dark: bool = False) -> go.Figure:
    """All cosines as a heat map with a colour bar, or one for each block; to hover over, zoom and export.

    Streamlit hears no clicks on heat maps: `core.streamlit_app.live.matrix_view` draws the same report with a click on
    every cell.

    Parameters
    ----------
    report
        Cosines in their order.
    scale
        "one" shows the gap itself; "block" shows what one scale hides, the pattern inside the cross block.
    images, texts
        What each row of the pairs' images and texts is called, as plain text; numbers where empty.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure of up to four heat maps (cosine, no unit), columns from left and rows from the top in the order of
    the report.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    ends, slices = scales(report, scale), block_slices(report)
    n, k = len(report.image_rows), len(report.cosines)
    figure = go.Figure()
    for block, (rows, columns) in slices.items():
        axis = "coloraxis" if scale == "one" else f"coloraxis{1 + list(slices).index(block)}".replace("axis1", "axis")
        for down, across in ((rows, columns), (columns, rows))[:1 + (block == "cross")]:
            figure.add_trace(go.Heatmap(
                z=report.cosines[down, across].astype(np.float32), x0=across.start, dx=1, y0=down.start, dy=1,
                coloraxis=axis, name=BLOCKS[block],
                hovertemplate="%{y}<br>%{x}<br>cosine %{z:.3f}<extra></extra>"))
    names = labels(report, images, texts)
    hidden = {"tickmode": "array", "tickvals": np.arange(k), "ticktext": [plain(shortened(name, 60)) for name in names],
              "showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
    order = " then ".join(part for part in (f"{n:,} images" * (n > 0), f"{k - n:,} texts" * (k > n)) if part)
    figure.update_xaxes(**hidden, range=[-0.5, k - 0.5], title_text=f"{order}, like beside like", constrain="domain")
    figure.update_yaxes(**hidden, range=[k - 0.5, -0.5], title_text=order, scaleanchor="x", constrain="domain")
    if 0 < n < k:
        for side in ("x", "y"):
            other = "y" if side == "x" else "x"
            figure.add_shape(type="line", **{f"{side}0": n - 0.5, f"{side}1": n - 0.5, f"{other}0": -0.5,
                                             f"{other}1": k - 0.5}, line={"color": p.background, "width": 2})
    bars = 1 if scale == "one" else len(slices)
    framed(figure, finding(report), height=_SIDE + 76 + _BAR * bars, dark=dark, legend=False)
    return figure.update_layout(_colour_bars(ends, scale, dark))


def labels(report: SimilarityMatrix, images: Sequence[str] = (), texts: Sequence[str] = ()) -> list[str]:
    """What each place of the matrix is called."""
    return [*(images[row] if len(images) else f"image {row}" for row in report.image_rows),
            *(texts[row] if len(texts) else f"text {row}" for row in report.text_rows)]


def _colour_bars(ends: dict[str, tuple[float, float]], scale: str, dark: bool) -> dict[str, object]:
    p = theme.palette(dark)
    shown = {"cosine, all blocks": next(iter(ends.values()))} if scale == "one" else \
        {f"cosine, {BLOCKS[block]}": pair for block, pair in ends.items()}
    bars: dict[str, object] = {}
    for i, (name, (low, high)) in enumerate(shown.items()):
        bars[f"coloraxis{i + 1 if i else ''}"] = {
            "cmin": low, "cmax": high, "colorscale": theme.colorscale(dark),
            "colorbar": {"title": {"text": name, "side": "top", "font": {"size": theme.SMALLEST_FONT, "color": p.text}},
                         "orientation": "h", "thickness": 10, "len": 0.96, "x": 0, "xanchor": "left",
                         "y": -(34 + _BAR * i) / _SIDE, "yanchor": "top",
                         "tickfont": {"size": theme.SMALLEST_FONT, "color": p.muted}, "nticks": 6}}
    return {**bars, "margin": {"b": 54 + _BAR * len(shown)}}


def matrix_table(report: SimilarityMatrix, images: Sequence[str] = (), texts: Sequence[str] = ()) -> pd.DataFrame:
    """One row an item in the order of the matrix: place, modality, its row, name, and its cosines to all places."""
    n, k = len(report.image_rows), len(report.cosines)
    table = pd.DataFrame({"place": np.arange(k), "modality": ["image"] * n + ["text"] * (k - n),
                          "row": np.concatenate([report.image_rows, report.text_rows]),
                          "name": labels(report, images, texts)})
    return pd.concat([table, pd.DataFrame(report.cosines, columns=[str(i) for i in range(k)])], axis=1)
