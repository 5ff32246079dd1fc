"""The boxes of the picture to choose from, the sentences, and the other captions whose score is subtracted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from core.attention.foveal.captions import OTHERS
from core.attention.regions import Box, Region
from core.errors import ShapeError
from core.sources.foveal.boxed import BoxedPictures
from core.sources.solids.captions import prompt
from core.streamlit_app import panels, state
from core.streamlit_app.foveal.brought import BOXES_FROM
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.picture import names_of
from core.streamlit_app.foveal.region import solids_of
from core.types import Refusal

MOST_SENTENCES = 24
LONGEST = 300
SOURCES = {"solids": "Solids of the scene", "region": "Boxes of the region", "file": "Boxes of the file"}


@dataclass(frozen=True)
class Choice:
    """Boxes of a picture, and what is known of them.

    Attributes
    ----------
    names, boxes : k of each; boxes in pixels of the picture, and seen by the model.
    truths : row of the box that is meant, by sentence, where it is known.
    sentences : that speak of the boxes, where some are known.
    refused : boxes that cannot be used, with reasons.
    """

    names: tuple[str, ...]
    boxes: tuple[Box, ...]
    truths: Mapping[str, int] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


def pick_choice(data: FovealData, brought: BoxedPictures | None) -> Choice | None:
    """Where the boxes come from; None, and why, where there are none."""
    has_file = brought is not None and data.looked.name in brought.image_ids
    offered = {"solids": data.looked.scene is not None, "region": True, "file": has_file}
    source = state.pick_option("Boxes", {key: title for key, title in SOURCES.items() if offered[key]},
                               key=BOXES_FROM, widget="segments", default=next(k for k, ok in offered.items() if ok))
    if source == "solids":
        found = of_solids(data)
    elif source == "file":
        assert brought is not None
        found = of_file(data, brought)
    else:
        found = of_region(data)
    panels.refused_panel(found.refused, key="refer.refused")
    if found.boxes:
        return found
    panels.notice("No box can be chosen from." if found.refused else
                  "Draw two boxes or more on the picture (Shift adds one), or type them below it: a sentence chooses "
                  "among them.")
    return None


def of_solids(data: FovealData) -> Choice:
    """The solids of a scene; a sentence that fits one alone means it."""
    known = solids_of(data.looked)
    assert data.looked.scene is not None
    solids = [solid for solid, seen in zip(data.looked.scene.solids, _seen(data)) if seen]
    said = [prompt(colour=solid.colour, solid=solid.shape) for solid in solids]
    return _usable(data, tuple(known), tuple(known.values()), said)


def of_region(data: FovealData) -> Choice:
    """The boxes that are drawn or typed."""
    boxes = () if data.region is None or data.region.mask is not None else data.region.boxes
    return _usable(data, tuple(f"box {i + 1}" for i in range(len(boxes))), boxes, [])


def of_file(data: FovealData, brought: BoxedPictures) -> Choice:
    """What a file of boxes and sentences says of the picture."""
    at = brought.image_ids.index(data.looked.name)
    boxes = tuple(Box(*map(float, sides)) for sides in brought.boxes[at])
    said = [brought.references[row] for row in brought.of_picture[at]]
    return _usable(data, tuple(f"box {i + 1}" for i in range(len(boxes))), boxes, [r.sentence for r in said],
                   [r.gold for r in said])


def pick_sentences(data: FovealData, choice: Choice) -> tuple[str, ...]:
    """Sentences, one a line; nothing written means those that are known of the boxes, else the prompts."""
    usual = choice.sentences or data.prompts
    return _lines("Sentences, one a line", "sentences", usual[:MOST_SENTENCES], 4) or usual[:MOST_SENTENCES]


def pick_others(sentences: Sequence[str]) -> list[list[str]] | None:
    """Captions whose mean score is subtracted from each sentence's; None for the other sentences."""
    written = _lines("Other captions, one a line: their mean score is subtracted", "refer_others",
                     sentences if len(sentences) > 1 else OTHERS, 4)
    if not written:
        return None if len(sentences) > 1 else [list(OTHERS)]
    return [[text for text in written if text != sentence] or list(OTHERS) for sentence in sentences]


def _lines(label: str, key: str, usual: Sequence[str], lines: int) -> tuple[str, ...]:
    written = state.pick_text(label, key=key, placeholder="\n".join(usual), lines=lines, max_chars=8000)
    found = tuple(dict.fromkeys(line.strip()[:LONGEST] for line in written.splitlines() if line.strip()))
    if len(found) > MOST_SENTENCES:
        st.caption(f"The first {MOST_SENTENCES} of {len(found):,} are taken.")
    return found[:MOST_SENTENCES]


def _seen(data: FovealData) -> list[bool]:
    """Of each solid of the scene, whether any of it is in the picture."""
    known = solids_of(data.looked)
    assert data.looked.scene is not None
    return [name in known for name in names_of(data.looked.scene.solids)]


def _usable(data: FovealData, names: Sequence[str], boxes: Sequence[Box], said: Sequence[str],
            gold: Sequence[int] | None = None) -> Choice:
    """Without the boxes that the model does not see."""
    gold = list(range(len(said))) if gold is None else gold
    kept, refused = [], []
    for i, box in enumerate(boxes):
        try:
            data.tower.shares(Region((box,)), data.image.size)
        except ShapeError as error:
            refused.append(Refusal(names[i], f"expected {error.expected}; got {error.got}"))
        else:
            kept.append(i)
    truths = {text: kept.index(at) for text, at in zip(said, gold) if at in kept and said.count(text) == 1}
    return Choice(tuple(names[i] for i in kept), tuple(boxes[i] for i in kept), truths, tuple(dict.fromkeys(said)),
                  tuple(refused))
