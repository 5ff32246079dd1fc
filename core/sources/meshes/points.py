"""Points as lines of numbers: x, y, z, and perhaps a colour."""

from __future__ import annotations

import io
import re

import numpy as np

_NUMBERS = re.compile(rb"^[\s,;]*[-+.\d]")


def read_points(data: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """The points of a text file, and their colours where its last three columns can be nothing else.

    Lines that do not begin with a number are titles or comments; a first line of one number is a count. Columns are
    parted by spaces, tabs, commas or semicolons. Whole numbers from 0 to 255 after the place, not all of them 0 or 1,
    are a colour; a column between (of PTS files) is an intensity; all else, as normals, is not used.

    Returns
    -------
    points : (n, 3) float64.
    colours : (n, 3) uint8, or None.

    Raises
    ------
    ValueError
        Where lines have other numbers of columns than the first, or fewer than three.
    """
    lines = [line for line in data.splitlines() if _NUMBERS.match(line)]
    if lines and len(lines[0].split()) == 1 and not re.search(rb"[,;]", lines[0]):
        lines = lines[1:]
    if not lines:
        return np.empty((0, 3)), None
    text = b"\n".join(lines).replace(b",", b" ").replace(b";", b" ")
    table = np.loadtxt(io.BytesIO(text), dtype=np.float64, ndmin=2, comments="#")
    if table.shape[1] < 3:
        raise ValueError("lines of fewer than three numbers")
    if table.shape[1] in (6, 7):
        last = table[:, -3:]
        if (last >= 0).all() and (last <= 255).all() and (last == np.round(last)).all() and last.max(initial=0) > 1:
            return table[:, :3], last.astype(np.uint8)
    return table[:, :3], None
