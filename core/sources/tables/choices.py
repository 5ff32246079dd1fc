"""Tables with two captions an image, of which one is right, as tests of word order and binding keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.errors import ShapeError, SourceError
from core.sources.tables.captions import match_names
from core.sources.tables.columns import role_of
from core.sources.tables.reading import Table
from core.types import Refusal

RIGHT = ("right", "true", "true_caption", "right_caption", "caption_right", "correct", "positive", "positive_caption",
         "caption")
WRONG = ("wrong", "false", "false_caption", "wrong_caption", "caption_wrong", "incorrect", "negative",
         "negative_caption", "foil", "hard_negative")
KIND = ("kind", "type", "relation_name", "relation", "category", "tag", "collapsed_tag", "label")
TWINS = ("image_0", "image_1", "caption_0", "caption_1")
FORMS = ("A table with a row an image and the columns image, right, wrong and, if there is one, kind; true_caption and "
         "false_caption (ARO), caption and negative_caption (SugarCrepe); or image_0, image_1, caption_0, caption_1 "
         "(Winoground). Images are found by their names among those that are open.")
MOST = 100_000
LONGEST_KIND = 60


@dataclass(frozen=True, eq=False)
class Choices:
    """Images with two captions each.

    Attributes
    ----------
    kinds : what is wrong with the wrong caption, a name a row.
    image : (q,) int64, row of each image.
    right, wrong : q texts each.
    twins : (w, 2) int64, rows whose captions are each other's: what is right of one image is wrong of the other.
    refused : rows that are left out, with the reason.
    """

    kinds: tuple[str, ...]
    image: np.ndarray
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    twins: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    refused: tuple[Refusal, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.kinds) == len(self.image) == len(self.right) == len(self.wrong) or not self.kinds:
            raise ShapeError("as many kinds, images, right and wrong captions, one or more",
                             f"{len(self.kinds)}, {len(self.image)}, {len(self.right)}, {len(self.wrong)}")

    def __len__(self) -> int:
        return len(self.kinds)


def holds_choices(table: Table) -> bool:
    """Whether a table has the columns of one of the forms."""
    names = _columns(table.frame)
    return all(name in names for name in TWINS) or _found(names, WRONG) is not None


def choices_of(table: Table, ids: Sequence[str]) -> Choices:
    """The rows of a table about images that are at hand.

    Parameters
    ----------
    table : as it was read.
    ids : of the images at hand; they are found by path, by the end of a path, or without their ending.

    Returns
    -------
    Choices whose ``image`` are rows of ``ids``; what names no image, or lacks a caption, is in ``refused``.

    Raises
    ------
    SourceError
        If the columns are not there, or no row is left.
    """
    frame, names = table.frame, _columns(table.frame)
    if len(frame) > MOST:
        raise SourceError(f"at most {MOST:,} rows", f"{len(frame):,}", "Bring a part of them.")
    twins = all(name in names for name in TWINS)
    if twins:
        sides = [(names["image_0"], names["caption_0"], names["caption_1"]),
                 (names["image_1"], names["caption_1"], names["caption_0"])]
    else:
        image = next((c for c in frame.columns if role_of(str(c)) == "image"), None)
        columns = {"an image": image, "a right caption": _found(names, RIGHT), "a wrong caption": _found(names, WRONG)}
        missing = [what for what, column in columns.items() if column is None]
        if missing:
            raise SourceError(f"a column for {' and one for '.join(missing)}",
                              f"the columns {', '.join(map(str, frame.columns[:12]))}", FORMS)
        first, second, third = (str(column) for column in columns.values())
        sides = [(first, second, third)]
    kind = _found(names, KIND)
    places = match_names(list(dict.fromkeys(_cell(v) for image, *_ in sides for v in frame[image])), ids)
    rows: list[tuple[str, int, str, str]] = []
    pairs, refused = [], list(table.refused)
    for number, row in enumerate(frame.to_dict("records"), 1):
        said, reason = [], ""
        for image, right, wrong in sides:
            name, yes, no = (_cell(row[column]) for column in (image, right, wrong))
            reason = reason or ("no caption" if not yes or not no else "two captions that are the same" if yes == no
                                else "" if name in places else f"no image at hand is called {name[:80]!r}")
            said.append((_cell(row[kind])[:LONGEST_KIND] if kind is not None else "", places.get(name, -1), yes, no))
        if reason:
            refused.append(Refusal(f"row {number}", reason))
            continue
        if twins:
            pairs.append((len(rows), len(rows) + 1))
        rows += said
    if not rows:
        raise SourceError("rows with an image that is open and two different captions",
                          f"none ({refused[0].name}: {refused[0].reason})" if refused else "none", FORMS)
    kinds, images, rights, wrongs = zip(*rows)
    return Choices(tuple(k or "all" for k in kinds), np.array(images, dtype=np.int64), rights, wrongs,
                   np.array(pairs, dtype=np.int64).reshape(-1, 2), tuple(refused))


def _columns(frame: pd.DataFrame) -> dict[str, str]:
    """Columns by their names in small letters, with _ for what is between words."""
    return {"_".join(str(c).strip().lower().replace("-", " ").replace("_", " ").split()): c for c in frame.columns}


def _found(names: dict[str, str], known: Sequence[str]) -> str | None:
    return next((names[name] for name in known if name in names), None)


def _cell(value: object) -> str:
    return "" if value is None or value != value else " ".join(str(value).split())
