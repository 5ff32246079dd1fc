"""Which of the arrays that were brought are image vectors, which text vectors, and which neither; a guess, or said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from core.errors import check_choice
from core.sources.vectors.blocks import Block, Loaded
from core.sources.vectors.names import family_of, modality_of
from core.types import Modality, Refusal

Part = Literal["image", "text", "neither"]
PARTS: tuple[Part, ...] = ("image", "text", "neither")


@dataclass(frozen=True)
class Array:
    """An array of numbers that could be vectors, or all shards of one.

    Attributes
    ----------
    name : what a user calls it; a number that tells shards apart is written "#".
    rows, width : of all its shards together; numbers a row.
    kind : of number.
    part : what it is taken for; "image and text" where a column of its table says so row by row.
    guessed : whether that is a guess.
    """

    name: str
    rows: int
    width: int
    kind: str
    part: str
    guessed: bool


def choose(found: Loaded, said: Mapping[str, str]) -> tuple[list[Block], tuple[Array, ...]]:
    """The blocks that are vectors, each with its modality, and what every array was taken for.

    Unless a user says otherwise, the vectors are the widest arrays of decimal numbers (of whole numbers where there
    are no others), and their names say of what: rows that nothing is said of are images. Of several arrays of the same
    rows and modality the first is taken. What is left out is added to ``found.left_out`` with its reason, what is a
    guess to ``found.notices``.

    Parameters
    ----------
    found : all that was read.
    said : by name of an array, as `Array.name` has it, one of PARTS.

    Raises
    ------
    ChoiceError
        If ``said`` names an array that is not there, or another part.
    """
    groups: dict[str, list[Block]] = {}
    for block in found.blocks:
        groups.setdefault(_group(block), []).append(block)
    for name, part in said.items():
        check_choice("an array of these files", name, groups)
        check_choice("what an array holds", part, PARTS)
    only = len(groups) == 1
    meant = {n for n, part in said.items() if part != "neither"}
    pool = {n: blocks for n, blocks in groups.items() if n not in said or n in meant}
    reasons = {name: _narrow_or_whole(name, blocks, pool, meant) for name, blocks in pool.items() if name not in said}
    chosen: list[Block] = []
    arrays = []
    taken: dict[tuple[str, int, str], str] = {}
    for name, blocks in groups.items():
        reason, guessed = reasons.get(name, ""), name not in said
        if said.get(name) == "neither":
            reason = "it was said to be neither images nor texts"
        pieces: list[Block] = []
        part = "neither"
        if not reason:
            pieces, part, guessed = _parts(name, blocks, said.get(name), found, only)
            again = _second(name, blocks, part, taken) if name not in said else ""
            reason, part = again, "neither" if again else part
        if reason:
            found.left_out.append(Refusal(name, f"{_size(blocks)}: {reason}"))
        else:
            chosen += pieces
        arrays.append(Array(name, sum(len(b.vectors) for b in blocks), blocks[0].vectors.shape[1],
                            str(blocks[0].vectors.dtype), part, guessed))
    return chosen, tuple(arrays)


def _group(block: Block) -> str:
    """The name of a block with "#" for what tells shards of one array apart."""
    return re.sub(r"\d+(?=\.\w+($|: ))", "#", block.name)


def _narrow_or_whole(name: str, blocks: Sequence[Block], groups: Mapping[str, Sequence[Block]], meant: set[str]) -> str:
    """Why an array is no vectors beside the others; "" where it may be. Arrays that are ``meant`` set the width."""
    decimal = {n: b[0].vectors.dtype.kind == "f" for n, b in groups.items()}
    if not decimal[name] and any(decimal.values()):
        return "whole numbers, where others are decimal"
    pool = {n: b[0].vectors.shape[1] for n, b in groups.items() if decimal[n] or not any(decimal.values())}
    widest = max((w for n, w in pool.items() if n in meant), default=max(pool.values()))
    width = pool[name]
    if width == widest:
        return ""
    own = _said(name, blocks)
    others = {m for n, b in groups.items() if pool.get(n) == widest and (m := _said(n, b)) is not None}
    if own is not None and others and own not in others:
        return ""  # images of one width and texts of another: an error that names both, not a choice
    turned = len(blocks) == 1 and len(blocks[0].vectors) == widest
    hint = "; if its columns are the vectors, save it transposed" if turned else ""
    than = "the widest array" if width < widest else "the array that was chosen"
    return f"{'narrower' if width < widest else 'wider'} than {than}, whose rows have {widest} numbers{hint}"


def _said(name: str, blocks: Sequence[Block]) -> Modality | None:
    """The modality that an array says itself, by its place, its own name, or its file's."""
    return blocks[0].modality or modality_of(blocks[0].key or blocks[0].origin) or modality_of(blocks[0].origin)


def _parts(name: str, blocks: Sequence[Block], said: str | None, found: Loaded, only: bool
           ) -> tuple[list[Block], str, bool]:
    """Blocks with their modality, what they are together, and whether that is a guess."""
    if said is not None:
        return [replace(b, modality=said) for b in blocks], said, False  # type: ignore[arg-type]
    own = _said(name, blocks)
    if own is not None:
        return [replace(b, modality=own) for b in blocks], own, False
    rows = [by_row(block) for block in blocks]
    if all(rows):
        return [piece for pieces in rows for piece in pieces], "image and text", False
    hinted = modality_of(blocks[0].key or blocks[0].origin, hinted=True)
    part: Modality = hinted or "image"
    what = "an array" if only and not blocks[0].key else name
    found.notices.append(f"Nothing says for certain whether {what} holds images or texts: "
                         f"{'by its name ' if hinted else ''}its rows are taken for {part}s.")
    return [replace(b, modality=part) for b in blocks], part, True


def by_row(block: Block) -> list[Block]:
    """A block whose table has a column ``modality`` or ``type``, as one block for each modality; [] without one."""
    for column in block.table.columns:
        if str(column).lower() in ("modality", "modalities", "type", "kind"):
            said = [modality_of(str(v)) for v in block.table[column]]
            if said and all(said):
                return [Block(block.vectors[rows], m, block.table.iloc[rows].reset_index(drop=True), block.origin,
                              block.key) for m in get_args(Modality)
                        if len(rows := np.flatnonzero([s == m for s in said]))]
    return []


def _second(name: str, blocks: Sequence[Block], part: str, taken: dict[tuple[str, int, str], str]) -> str:
    """Why an array is passed over for another of the same file, rows and modality; shards of one array are not."""
    block = blocks[0]
    if not block.key:
        return ""
    place = block.origin, len(block.vectors), part
    first = taken.setdefault(place, name)
    if first == name or family_of(first) == family_of(name):
        return ""
    return f"{first} is taken for the {part}s of these rows; say so if this is meant"


def _size(blocks: Sequence[Block]) -> str:
    rows = sum(len(b.vectors) for b in blocks)
    return f"{rows:,} x {blocks[0].vectors.shape[1]:,} {blocks[0].vectors.dtype}"


def tables_of(n: int, modality: str, tables: Sequence[tuple[str, pd.DataFrame]]
              ) -> list[tuple[list[str], pd.DataFrame]]:
    """Tables without vectors whose rows are n rows of a modality, each with the names of its files.

    One table, or all shards of one together; a list of names may have a title above.
    """
    mine = [(name, frame) for name, frame in tables if modality_of(name.rsplit("/", 1)[-1]) in (None, modality)]
    out = [([name], frame.reset_index(drop=True)) for name, frame in mine if len(frame) == n]
    for name, frame in mine:
        if len(frame) == n + 1 and list(frame.columns) == ["name"]:
            titled = frame.iloc[1:].set_axis([str(frame["name"].iloc[0])], axis=1).reset_index(drop=True)
            out.append(([name], titled))
    if not out and len(mine) > 1 and sum(len(frame) for _, frame in mine) == n:
        out = [([name for name, _ in mine], pd.concat([frame for _, frame in mine], ignore_index=True))]
    return out
