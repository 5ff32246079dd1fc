"""Groups that are compared: of a column of labels, two kept selections, or texts that are typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.language.words.associated import unknown_to
from core.streamlit_app import panels, state
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import kept
from core.types import EmbeddingSet

WAYS = {"column": "A column of labels", "selections": "Two kept selections", "typed": "Typed texts"}
USUAL, MOST, MOST_TEXTS = 4, 12, 200   # groups chosen at first and at most; texts of a group
SELECTED = ('table = pd.read_csv("selections.csv", dtype=str)',
            'ids = table.groupby("selection")["id"].apply(set)')


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of items.

    Attributes
    ----------
    kind : what the items are: images or texts that are open, or typed texts.
    rows : of the items, by name of the group.
    ids : of all items.
    texts : the typed ones; empty else.
    words : how they were chosen.
    python : imports and lines that make ``groups``, rows by name, of ``points``.
    """

    kind: str
    rows: dict[str, np.ndarray]
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    words: str
    python: tuple[tuple[str, ...], tuple[str, ...]]


def pick_groups(ready: Ready, key: str, ways: Sequence[str], *, column: str = "", usual: int = USUAL
                ) -> Groups | None:
    """The widgets that choose groups, at first the largest of ``column``; None, which is said, until there are two."""
    columns = label_columns(ready)
    offered = {way: WAYS[way] for way in ways if way != "column" or columns}
    if not offered:
        panels.notice("There is no column of labels with 2 to 100 groups: bring pictures in a folder a group, or a "
                      "table with a column of labels.")
        return None
    way = state.pick_option("Groups of", offered, key=f"{key}_groups", widget="segments") if len(offered) > 1 else \
        next(iter(offered))
    if way == "column":
        return _of_column(ready, key, columns, column, usual)
    return _of_selections(ready, key, "typed" in ways) if way == "selections" else _typed(key)


def _of_column(ready: Ready, key: str, columns: tuple[str, ...], own: str, usual: int) -> Groups | None:
    assert ready.images is not None
    column = state.pick_option("Column", {name: name for name in columns}, key=f"{key}_column",
                               default=own if own in columns else None)
    labels = np.array(labels_of(ready, column))
    counts = Counter(label for label in labels.tolist() if label)
    first = sorted(sorted(counts), key=lambda label: -counts[label])[:usual]
    options = {name: f"{name} ({counts[name]:,})" for name in sorted(counts)}
    names = state.pick_several(f"Groups, at most {MOST}", options,
                               key=f"{key}_of {column}", default=sorted(first), most=MOST)
    if len(names) < 2:
        panels.notice("Choose two groups or more.", "warning")
        return None
    return Groups("image", {name: np.flatnonzero(labels == name) for name in names}, ready.images.ids, (),
                  f"groups of {column}", (("import numpy as np",), (
                      f"labels = points.images.table[{column!r}].fillna('').astype(str).to_numpy()",
                      f"groups = {{name: np.flatnonzero(labels == name) for name in {list(names)!r}}}")))


def _of_selections(ready: Ready, key: str, texts_too: bool) -> Groups | None:
    sides: list[tuple[str, EmbeddingSet | None]] = [("image", ready.images)]
    if texts_too:
        sides.append(("text", ready.texts))
    for kind, part in sides:
        if part is None:
            continue
        place = {item: row for row, item in enumerate(part.ids)}
        rows = {name: np.array(sorted(place[item] for item in (s.image_ids if kind == "image" else s.text_ids)
                                      if item in place), dtype=np.int64) for name, s in kept().items()}
        here = {name: own for name, own in rows.items() if len(own)}
        if len(here) >= 2:
            return _two(key, kind, part, here)
    panels.notice("Keep two selections of what is open first: under the sphere, or of what a section finds.")
    return None


def _two(key: str, kind: str, part: EmbeddingSet, here: dict[str, np.ndarray]) -> Groups | None:
    names = list(here)
    chosen = [state.pick_option(label, {name: f"{name} ({len(here[name]):,} {kind}s)" for name in names},
                                key=f"{key}_{side}", default=names[-2 + i])
              for i, (label, side) in enumerate((("First group, X", "x"), ("Second group, Y", "y")))]
    if chosen[0] == chosen[1]:
        panels.notice("Choose two different selections.", "warning")
        return None
    return Groups(kind, {name: here[name] for name in chosen}, part.ids, (), "kept selections", (
        ("import numpy as np", "import pandas as pd"),
        (*SELECTED, f"groups = {{name: np.flatnonzero([i in ids[name] for i in points.{kind}s.ids]) "
                    f"for name in {chosen!r}}}")))


def _typed(key: str) -> Groups | None:
    texts: list[str] = []
    rows = {}
    for side, name in (("x", "X"), ("y", "Y")):
        written = state.pick_text(f"Texts of group {name}, one a line", key=f"{key}_texts_{side}", lines=4,
                                  max_chars=20_000)
        own = list(dict.fromkeys(line.strip() for line in written.splitlines() if line.strip()))
        if len(own) > MOST_TEXTS:
            raise ShapeError(f"at most {MOST_TEXTS} texts a group", f"{len(own):,} in group {name}",
                             "Write fewer, or bring a table of captions and keep selections of them.")
        rows[name] = np.arange(len(texts), len(texts) + len(own))
        texts += own
    if not all(map(len, rows.values())):
        panels.notice("Write one text or more into each group, such as sentences on two topics.")
        return None
    return typed_groups(rows, tuple(texts))


def readable(encoder: Encoder, groups: Groups) -> Groups | None:
    """Typed texts without those that the model knows nothing of, which are said; None where a group has none left."""
    bad = unknown_to(encoder)(groups.texts) if groups.texts else {}
    if not bad:
        return groups
    said = "; ".join(f"{groups.texts[i][:60]} ({reason})" for i, reason in sorted(bad.items())[:4])
    panels.notice(f"Left out of the groups: {said}{'; and more' if len(bad) > 4 else ''}.", "warning")
    kept_rows = [row for row in range(len(groups.texts)) if row not in bad]
    rows = {name: np.flatnonzero(np.isin(kept_rows, own)) for name, own in groups.rows.items()}
    if not all(map(len, rows.values())):
        return None
    texts = tuple(groups.texts[row] for row in kept_rows)
    return typed_groups(rows, texts)


def typed_groups(rows: dict[str, np.ndarray], texts: tuple[str, ...]) -> Groups:
    """Groups of typed texts."""
    named = ", ".join(f"{name!r}: np.array({own.tolist()!r})" for name, own in rows.items())
    return Groups("typed", rows, tuple(f"{i}: {text}" for i, text in enumerate(texts)), texts, "typed texts", (
        ("import numpy as np",), (f"texts = {list(texts)!r}", f"groups = {{{named}}}")))
