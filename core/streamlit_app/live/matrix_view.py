"""The live matrix: all cosines on a canvas inside the page, with hover, zoom and a click on every cell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from core.figures.gap.matrix import BLOCKS, SCALES, Cell, cell_of, finding, labels, scales
from core.figures.theme import DARK, LIGHT, sequence
from core.geometry.gap.reports import SimilarityMatrix
from core.streamlit_app.live.packing import Same, frame, serve
from core.streamlit_app.live.scripts import component
from core.types import fingerprint

ROWS_A_TILE = 256
STEPS = 10_000
_LONGEST_LABEL = 200
_HTML = '<div class="orrery-sphere orrery-matrix"></div>'


def matrix_view(report: SimilarityMatrix, *, key: str, scale: str = "one", images: Sequence[str] = (),
                texts: Sequence[str] = (), height: int = 720, picked: Cell | None = None) -> Cell | None:
    """Show the matrix; pointing at a cell names both items and their cosine, a click picks it.

    Streamlit's `plotly_chart` hears no clicks on heat maps, and four million points to click on are more than a browser
    draws: hence a canvas, which reads the cosines from files of 256 rows.

    Parameters
    ----------
    report
        Cosines in their order.
    key
        Name of the view on its page; what part of the matrix is shown belongs to it and stays through every rerun.
    scale
        Key of `gap_matrix.SCALES`: one scale of colours, or one for each block.
    images, texts
        What each row of the pairs' images and texts is called, as plain text; numbers where empty.
    height
        Of the canvas at most, CSS pixels; it is square.
    picked
        A cell to ring, or None.

    Returns
    -------
    The cell clicked in this run, or None.
    """
    header, arrays, tiles = pack(report, scale)
    names = json.dumps([name[:_LONGEST_LABEL] for name in labels(report, images, texts)]).encode()
    header = {**header, "key": key, "height": height,
              "picked": None if picked is None else [picked.row, picked.column],
              "names": serve(names, f"{key}.names"),
              "tiles": [serve(tile, f"{key}.tile.{i}") for i, tile in enumerate(tiles)]}
    result = component("matrix", _HTML)(key=key, data=frame(header, arrays), height="content",
                                        on_clicked_change=lambda: None)
    return clicked_cell(report, result.clicked)


def clicked_cell(report: SimilarityMatrix, clicked: object) -> Cell | None:
    """The cell that the browser names, [row, column]; None where it names none of this matrix."""
    k = len(report.cosines)
    if not isinstance(clicked, list | tuple) or len(clicked) != 2:
        return None
    row, column = clicked
    if not (isinstance(row, int) and isinstance(column, int) and 0 <= row < k and 0 <= column < k):
        return None
    return cell_of(report, column, row)


def pack(report: SimilarityMatrix, scale: str = "one") -> tuple[dict[str, object], list[np.ndarray], list[bytes]]:
    """What the view needs of a matrix.

    Returns
    -------
    header : JSON-able, of a size that does not grow with the number of items.
    arrays : places of pairs, uint32 (p, 2).
    tiles : files of up to 256 rows, int16 little-endian, cosine times 10,000.
    """
    tiles, print_of_all = _tiles(Same(report))
    ends = scales(report, scale)
    header: dict[str, object] = {
        "fingerprint": print_of_all, "k": len(report.cosines), "images": len(report.image_rows),
        "pairs": len(report.links), "steps": STEPS, "rows_a_tile": ROWS_A_TILE, "title": finding(report),
        "scale": scale, "scale_title": SCALES[scale], "ends": ends,
        "blocks": {block: BLOCKS[block] for block in ends},
        "themes": {name: {"background": p.background, "panel": p.panel, "text": p.text, "muted": p.muted,
                          "grid": p.grid, "image": p.kinds["image"], "text_kind": p.kinds["text"],
                          "table": sequence(p is DARK).reshape(-1).tolist()}
                   for name, p in (("light", LIGHT), ("dark", DARK))}}
    return header, [report.links.astype(np.uint32)], tiles


@lru_cache(maxsize=4)
def _tiles(same: Same[SimilarityMatrix]) -> tuple[list[bytes], str]:
    cosines = same.thing.cosines
    tiles = [np.round(cosines[at:at + ROWS_A_TILE].astype(np.float32) * STEPS).astype("<i2").tobytes()
             for at in range(0, len(cosines), ROWS_A_TILE)]
    return tiles, fingerprint(*tiles)
