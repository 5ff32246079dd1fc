"""Copies of images under new ids: exact, almost the same, harshly altered, and from one split in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.sources.solids.alterations import Alteration, AlteredImages
from core.sources.solids.touched import chosen, column, flagged
from core.types import Dataset, as_ids

GROUPS = (2, 3, 10)
Way = tuple[str, float, float]
MILD: tuple[Way, ...] = (("exact", 0, 0), ("jpeg", 70, 70), ("crop", 0.92, 0.97), ("rescale", 0.5, 0.9),
                         ("noise", 0.01, 0.03))
HARSH: tuple[Way, ...] = (("jpeg", 8, 15), ("crop", 0.65, 0.8), ("turn", 6, 12), ("noise", 0.08, 0.15),
                          ("mirror", 1, 1), ("dark", 0.45, 0.65))
"""How a copy is altered: key of ALTERATIONS, and from which to which amount."""
TEST_SHARE = 0.2


def _copied(data: Dataset, again: np.ndarray, alter: Mapping[int, Alteration], fault: str) -> Dataset:
    """Some images once more behind all others, with their captions; ``alter`` by their place among the copies."""
    how = [alter[i].kind if i in alter else "exact" for i in range(len(again))]
    assert data.images is not None
    n, m, images = len(data.image_ids), len(data.text_ids), again.tolist()
    captions: dict[int, list[int]] = {}
    for image, text in data.links.tolist():
        captions.setdefault(image, []).append(text)
    texts = [t for i in images for t in captions.get(i, [])]
    of = np.repeat(np.arange(n, n + len(images)), [len(captions.get(i, [])) for i in images])
    tables = []
    for table, ids, rows, ways in ((data.image_table, data.image_ids, images, how),
                                   (data.text_table, data.text_ids, texts, ["exact"] * len(texts))):
        more = pd.concat([table, table.iloc[rows]], ignore_index=True)
        copies, known = np.arange(len(table), len(more)), column(table, "copy_of")[rows]
        tables.append(flagged(more, fault, copies, copied_by=ways,
                              copy_of=[old or ids[i] for i, old in zip(rows, known)]))
    return replace(
        data, image_ids=as_ids([*data.image_ids, *(data.image_ids[i] for i in images)]),
        images=AlteredImages(data.images, np.concatenate([np.arange(n), again]),
                             {n + i: done for i, done in alter.items()}),
        text_ids=as_ids([*data.text_ids, *(data.text_ids[t] for t in texts)]),
        texts=(*data.texts, *(data.texts[t] for t in texts)),
        links=np.concatenate([data.links, np.stack([of, np.arange(m, m + len(texts))], 1)]),
        image_table=tables[0], text_table=tables[1])


def duplicates(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the images is shown again, with its captions."""
    return _copied(data, chosen(len(data.image_ids), share, seed), {}, "duplicates")


def _in_groups(n: int, copies: int, rng: np.random.Generator) -> np.ndarray:
    """Which of n originals each copy is of: groups of 2, 3 and 10 take turns, the last is cut."""
    originals, again = rng.permutation(n), []
    for turn, original in enumerate(originals.tolist()):
        again += [original] * (GROUPS[turn % len(GROUPS)] - 1)
    return np.array(again[:copies], dtype=np.int64)


def copies_in_groups(fault: str, ways: Sequence[Way]) -> Callable[[Dataset, float, int], Dataset]:
    """As many copies as that share of the images, in groups, the ways of altering them in turns."""

    def plant(data: Dataset, share: float, seed: int) -> Dataset:
        n, rng = len(data.image_ids), np.random.default_rng((seed, 2))
        again = _in_groups(n, len(chosen(n, share, seed)), rng)
        return _copied(data, again, _in_turns(len(again), ways, rng), fault)

    return plant


def _in_turns(copies: int, ways: Sequence[Way], rng: np.random.Generator) -> dict[int, Alteration]:
    first, alter = int(rng.integers(len(ways))), {}
    for i in range(copies):
        kind, low, high = ways[(first + i) % len(ways)]
        if kind != "exact":
            alter[i] = Alteration(kind, float(rng.uniform(low, high)), int(rng.integers(2**31)))
    return alter


def leaks(data: Dataset, share: float, seed: int) -> Dataset:
    """Images of one split once more in another, exact or almost the same; without splits a fifth becomes "test"."""
    n, rng = len(data.image_ids), np.random.default_rng((seed, 3))
    splits = np.array([str(split) for split in column(data.image_table, "split")], dtype=object)
    if len(set(splits)) < 2:
        splits = np.full(n, "train", dtype=object)
        splits[rng.permutation(n)[:round(TEST_SHARE * n)]] = "test"
    names, again = sorted(set(splits)), chosen(n, share, seed)
    if len(names) < 2:
        raise ShapeError("enough images for two splits", str(n))
    texts = column(data.text_table, "split")
    texts[data.links[:, 1]] = splits[data.links[:, 0]]
    data = replace(data, image_table=data.image_table.assign(split=splits),
                   text_table=data.text_table.assign(split=texts))
    more = _copied(data, again, _in_turns(len(again), MILD, rng), "leaks")
    splits = more.image_table["split"].to_numpy(object).copy()
    for row in range(n, n + len(again)):
        others = [name for name in names if name != splits[row]]
        splits[row] = others[int(rng.integers(len(others)))]
    texts = more.text_table["split"].to_numpy(object).copy()
    texts[more.links[:, 1]] = splits[more.links[:, 0]]
    return replace(more, image_table=more.image_table.assign(split=splits),
                   text_table=more.text_table.assign(split=texts))
