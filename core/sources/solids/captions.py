"""Captions of scenes: a compositional grammar with templates and synonyms, seeded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import check_choice
from core.sources.solids.scene import Scene, Solid
from core.sources.solids.vocabulary import ATTRIBUTES, COLOURS, COUNTS, SETTINGS, SIZES, SOLIDS, STYLES, TEXTURES

THINGS = ("thing", "object")
WITH_TEXTURE = {"striped": "with stripes", "dotted": "with dots", "checkered": "with checks",
                "dipped": "dipped in white"}
ALL = frozenset(ATTRIBUTES)


@dataclass(frozen=True)
class Caption:
    """A text and, for a single solid, what it says of each attribute (absent attributes are not mentioned)."""

    text: str
    says: Mapping[str, str]


def _article(phrase: str) -> str:
    return ("an " if phrase[0] in "aeio" else "a ") + phrase


def _phrase(says: Mapping[str, str], *, size: str = "", texture: str = "", colour: str = "", solid: str = "",
            after: str = "") -> str:
    words = [size or says.get("size", ""), texture or says.get("texture", ""), colour or says.get("colour", ""),
             solid or says.get("solid", THINGS[0])]
    return _article(" ".join(w for w in words if w)) + (f" {after}" if after else "")


def prompt(**says: str) -> str:
    """The canonical prompt for some attributes, by the names of ATTRIBUTES: "a photo of a large red cone".

    Raises
    ------
    ChoiceError
        If an attribute or its value is unknown.
    """
    for name, value in says.items():
        check_choice("attribute", name, ATTRIBUTES)
        check_choice(name, value, ATTRIBUTES[name])
    text = _phrase(says)
    if "style" in says:
        text = f"{STYLES[says['style']][0]} of {text}"
    if "setting" in says:
        text = f"{text} {SETTINGS[says['setting']][0]}"
    return text


def attributes(scene: Scene) -> dict[str, str]:
    """Attributes of a scene, by name; those of the first solid, with its count."""
    first = scene.solids[0]
    return {"solid": first.shape, "colour": first.colour, "texture": first.texture, "style": scene.style,
            "setting": scene.setting, "size": first.size, "count": str(len(scene.solids))}


def left_to_right(scene: Scene) -> list[Solid]:
    """The solids in the order in which the camera sees them."""
    yaw = scene.camera.yaw
    return sorted(scene.solids, key=lambda s: s.x * math.cos(yaw) - s.z * math.sin(yaw))


def _solid_phrase(solid: Solid, mention: frozenset[str], rng: np.random.Generator) -> str:
    def synonym(names: Mapping[str, Sequence[str]], name: str) -> str:
        return names[name][int(rng.integers(len(names[name])))]

    names = {}
    if "size" in mention:
        names["size"] = synonym(SIZES, solid.size)
    if "colour" in mention:
        names["colour"] = synonym(COLOURS, solid.colour)
    names["solid"] = synonym(SOLIDS, solid.shape) if "solid" in mention else str(rng.choice(THINGS))
    after = ""
    if "texture" in mention:
        if solid.texture in WITH_TEXTURE and rng.random() < 0.25:
            after = WITH_TEXTURE[solid.texture]
        else:
            names["texture"] = synonym(TEXTURES, solid.texture)
    return _phrase({}, after=after, **names)


def _mentioned(rng: np.random.Generator) -> frozenset[str]:
    """Which attributes a caption names: all of them in a little over half, then any subset, then one alone."""
    chance = rng.random()
    names = list(ATTRIBUTES)
    if chance < 0.58:
        return ALL
    if chance < 0.90:
        return frozenset(n for n in names if rng.random() < 0.65) or ALL
    return frozenset([names[rng.integers(len(names))]])


def caption(scene: Scene, rng: np.random.Generator, *, mention: frozenset[str] | None = None) -> Caption:
    """A caption of a scene that is true of it.

    Parameters
    ----------
    scene : what is described.
    rng : source of the template, the synonyms and what is left out.
    mention : the attributes to name; chosen at random when None (several solids are always told apart).
    """
    single = len(scene.solids) == 1
    if mention is None:
        mention = _mentioned(rng)
        if not single:
            mention = mention | {"solid", "colour"}
    if single:
        what = _solid_phrase(scene.solids[0], mention, rng)
    else:
        phrases = [_solid_phrase(s, mention, rng) for s in left_to_right(scene)]
        if len(phrases) == 2 and rng.random() < 0.5:
            if rng.random() < 0.5:
                what = f"{phrases[0]} to the left of {phrases[1]}"
            else:
                what = f"{phrases[1]} to the right of {phrases[0]}"
        else:
            shuffled = [phrases[i] for i in rng.permutation(len(phrases))]
            what = ", ".join(shuffled[:-1]) + f" and {shuffled[-1]}"
            if rng.random() < 0.25:
                what = f"{COUNTS[len(phrases)]} {THINGS[rng.integers(2)]}s, {what}"
    style = STYLES[scene.style][rng.integers(2)] if "style" in mention else ""
    place = SETTINGS[scene.setting][rng.integers(2)] if "setting" in mention else ""
    template = rng.integers(4)
    if not style:
        text = f"{place}, {what}" if place and template == 3 else f"{what} {place}".strip()
    elif not place:
        text = f"{what}, {style}" if template == 3 else f"{style} of {what}"
    elif template <= 1:
        text = f"{style} of {what} {place}"
    elif template == 2:
        text = f"{what} {place}, {style}"
    else:
        text = f"{place}, {style} of {what}"
    says = {k: v for k, v in attributes(scene).items() if k in mention} if single else {}
    return Caption(text, says)


def full_caption(scene: Scene, seed: int = 0) -> str:
    """A caption that names every attribute of every solid, in words chosen by the seed."""
    return caption(scene, np.random.default_rng((scene.seed, seed)), mention=ALL).text


def known_words() -> list[str]:
    """Every word the grammar can say, sorted."""
    words: set[str] = set()
    tables: tuple[Mapping[str, Sequence[str]], ...] = (SOLIDS, COLOURS, TEXTURES, STYLES, SETTINGS, SIZES)
    for table in tables:
        for synonyms in table.values():
            words.update(w for s in synonyms for w in s.split())
    for phrase in (*WITH_TEXTURE.values(), *THINGS, *(t + "s" for t in THINGS), *COUNTS.values(),
                   "a an and of to the left right in on"):
        words.update(phrase.split())
    return sorted(words)
