"""What a word on the command line names, opened as the app opens it; and what is said of it on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SourceError, check_choice
from core.types import Dataset, Refusal

if TYPE_CHECKING:
    from core.sources.vectors.opening import VectorSource

WORLD = "world"
LINES_SHOWN = 20


def open_source(source: str, images: str | None = None, seed: int = 0, encoding: str | None = None
                ) -> Dataset | VectorSource:
    """What a word names: "world", the built-in one, or a path, as `core.sources.opening.open_path` opens it.

    Parameters
    ----------
    source
        The word.
    images
        Folder or zip of the images that a table names, or of pictures of vectors.
    seed
        Of the world.
    encoding
        One of `core.sources.text.ENCODINGS`, where letters are guessed wrong.

    Raises
    ------
    SourceError
        If nothing is there, or nothing that can be opened.
    """
    from core.sources.opening import open_path
    from core.sources.solids.world import open_world
    from core.sources.text import ENCODINGS

    if source == WORLD:
        return open_world(seed=seed)
    if not Path(source).expanduser().exists():
        raise SourceError(f"a folder, a zip, a table, vectors, or {WORLD}", f"{source}, which is not there",
                          "Check the path.")
    if encoding is not None:
        check_choice("--encoding", encoding, ENCODINGS)
    return open_path(source, images=images, encoding=encoding)


def tell(opened: Dataset | VectorSource, more: Sequence[Refusal], listing: Path) -> None:
    """Print what was guessed, refused and left out; where that is long, all of it goes to the file ``listing``.

    ``more`` is what was refused since it was opened.
    """
    for notice in opened.notices:
        print(notice, file=sys.stderr)
    if isinstance(opened, Dataset) and opened.image_ids and opened.texts and not len(opened.links):
        print(f"No caption belongs to an image: {len(opened.image_ids):,} images and {len(opened.texts):,} texts have "
              f"no pair.", file=sys.stderr)
    tell_rows([(what, r) for what, items in (("refused", [*opened.refused, *more]), ("left out", opened.left_out))
               for r in items], listing)


def tell_rows(rows: Sequence[tuple[str, Refusal]], listing: Path) -> None:
    """Print what was refused or left out, rows (which of the two, what); a long list goes to the file ``listing``."""
    for what, refusal in rows[:LINES_SHOWN]:
        print(f"{what}: {refusal.name}: {refusal.reason}", file=sys.stderr)
    if len(rows) <= LINES_SHOWN:
        return
    lines = ["\t".join(" ".join(part.split()) for part in (what, r.name, r.reason)) for what, r in rows]
    try:
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text("\n".join(["what\tname\treason", *lines, ""]), encoding="utf-8")
    except OSError as error:
        print(f"The list of all {len(rows):,} cannot be written: {error}", file=sys.stderr)
    else:
        print(f"refused or left out: {len(rows) - LINES_SHOWN:,} more; all {len(rows):,} are in {listing}",
              file=sys.stderr)


def no_image_of(refused: Sequence[Refusal], images: int) -> str:
    """What is said where images were brought and none of them was read; "" otherwise.

    Refused lines and rows of a table are no images.
    """
    lost = [r for r in refused if not re.fullmatch(r"(.*, )?(line|row) \d+", r.name)]
    if images or not lost:
        return ""
    return (f"no image at all: {len(lost):,} {'was' if len(lost) == 1 else 'were'} refused, the first is "
            f"{lost[0].name}: {lost[0].reason}")
