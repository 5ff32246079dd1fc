"""Captions in the grammar of the built-in world: attribute by attribute, then each attribute and wording again.

At each step all candidates say equally much: only then is the higher cosine the better caption.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, check_choice
from core.language.words.scored import Search, Target, Texts, Trail
from core.sources.solids.captions import THINGS, WITH_TEXTURE
from core.sources.solids.vocabulary import ATTRIBUTES, COLOURS, SETTINGS, SIZES, SOLIDS, STYLES, TEXTURES

ORDER = ("setting", "style", "colour", "solid", "texture", "size")
WIDTH, ROUNDS, WORDINGS, KEPT = 4, 2, 8, 12
WIDTHS = (1, 2, 4, 8)
OF_SCENE = ("style", "setting")
SOLIDS_AT_ONCE = (1, 2, 3)

Stop = Callable[[], bool]


@dataclass(frozen=True)
class Statement:
    """What a caption says.

    Attributes
    ----------
    scene : style and setting, as far as they are said.
    solids : of each solid, from left to right, what is said by attribute.
    wording : which synonym, place of the texture and order; 0 is the canonical one.
    """

    scene: tuple[tuple[str, str], ...]
    solids: tuple[tuple[tuple[str, str], ...], ...]
    wording: int = 0

    @classmethod
    def of(cls, says: Mapping[str, str], wording: int = 0) -> Statement:
        """Of one solid, by the names of ATTRIBUTES."""
        return cls(tuple((k, says[k]) for k in OF_SCENE if k in says),
                   (tuple((k, says[k]) for k in ORDER if k in says and k not in OF_SCENE),), wording)

    def says(self, solid: int = 0) -> dict[str, str]:
        """Attributes of the scene and of one solid."""
        return dict(self.scene) | dict(self.solids[solid])

    def having(self, solid: int, attribute: str, value: str) -> Statement:
        """The same with one attribute said, of the scene or of a solid."""
        check_choice(attribute, value, ATTRIBUTES[attribute])
        if attribute in OF_SCENE:
            return Statement(tuple((dict(self.scene) | {attribute: value}).items()), self.solids, self.wording)
        solids = list(self.solids)
        solids[solid] = tuple((dict(solids[solid]) | {attribute: value}).items())
        return Statement(self.scene, tuple(solids), self.wording)

    @property
    def text(self) -> str:
        """As it reads."""
        rng = np.random.default_rng(self.wording) if self.wording else None
        scene = dict(self.scene)
        what = _together([_phrase(dict(says), rng) for says in self.solids])
        style = _said(STYLES, scene["style"], rng) if "style" in scene else ""
        place = _said(SETTINGS, scene["setting"], rng) if "setting" in scene else ""
        template = 0 if rng is None else int(rng.integers(4))
        if template == 2 and style:
            return f"{what} {place}".strip() + f", {style}"
        if template == 3 and place:
            return f"{place}, " + (f"{style} of {what}" if style else what)
        return " ".join(part for part in (f"{style} of {what}" if style else what, place) if part)


def _said(table: Mapping[str, Sequence[str]], name: str, rng: np.random.Generator | None) -> str:
    return table[name][0 if rng is None else int(rng.integers(len(table[name])))]


def _phrase(says: Mapping[str, str], rng: np.random.Generator | None) -> str:
    texture, after = says.get("texture", ""), ""
    if rng is not None and texture in WITH_TEXTURE and rng.random() < 0.25:
        texture, after = "", f" {WITH_TEXTURE[texture]}"
    words = [_said(table, value, rng) for table, value in
             ((SIZES, says.get("size")), (TEXTURES, texture), (COLOURS, says.get("colour"))) if value]
    words.append(_said(SOLIDS, says["solid"], rng) if "solid" in says else THINGS[0])
    phrase = " ".join(words)
    return ("an " if phrase[0] in "aeio" else "a ") + phrase + after


def _together(phrases: Sequence[str]) -> str:
    if len(phrases) == 2:
        return f"{phrases[0]} to the left of {phrases[1]}"
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + f" and {phrases[-1]}"


def swapped(found: Statement) -> Statement:
    """The same solids from right to left."""
    return Statement(found.scene, found.solids[::-1], found.wording)


def search(target: Target, texts: Texts, *, solids: int = 1, width: int = WIDTH, order: Sequence[str] = ORDER,
           rounds: int = ROUNDS, by_information: bool = False, seed: int = 0,
           on_progress: Callable[[float, str], None] | None = None, should_stop: Stop | None = None) -> Search:
    """A caption in the words of the built-in world: a beam over its attributes, then each of them and the wording anew.

    Parameters
    ----------
    target : what is to be captioned.
    texts : the model's.
    solids : how many the caption names, 1 to 3, from left to right.
    width : statements kept at each step, >= 1.
    order : of the attributes; those of the solids are said of each in turn.
    rounds : how often each attribute and the wording are tried again, >= 0; a round that changes nothing is the last.
    by_information : rank by pointwise mutual information instead of the cosine.
    seed : of the wordings that are tried.
    on_progress, should_stop : stopped, it keeps what it has once every attribute is said once.

    Returns
    -------
    Search, whose ``state`` is (Statement,).
    """
    check_choice("number of solids", solids, SOLIDS_AT_ONCE)
    trail = Trail(target, texts)
    steps = [(i, name) for name in order for i in range(1 if name in OF_SCENE else solids)]
    stop, total = should_stop or (lambda: False), len(steps) * (1 + rounds)

    def ranked(statements: Sequence[Statement]) -> list[Statement]:
        said = [s.text for s in statements]
        scores = np.array([c.information for c in target.scored(said, texts)]) if by_information else \
            target.cosines(texts(said))
        return [statements[i] for i in np.argsort(-scores, kind="stable")]

    def note(did: str, found: Sequence[Statement]) -> None:
        if on_progress:
            on_progress(min(len(trail.best) / total, 1.0), found[0].text)
        trail.step(did, found[0].text, [s.text for s in found[:KEPT]])

    beam, finished = [Statement((), ((),) * solids)], True
    for i, name in steps:
        if stop():
            raise Cancelled(f"{len(trail.best)} of {len(steps)} attributes")
        found = ranked([s.having(i, name, value) for s in beam for value in ATTRIBUTES[name]])
        beam = found[:width]
        note(_named(name, i, solids), found)
    best = beam[0]
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        before = best
        for i, name in steps:
            if stop():
                finished = False
                break
            found = ranked([best, *(best.having(i, name, value) for value in ATTRIBUTES[name])])
            if found[0].text != best.text:
                best = found[0]
                note(f"{_named(name, i, solids)} again", found)
        if not finished:
            break
        tried = [Statement(best.scene, best.solids, int(w)) for w in rng.integers(1, 1 << 31, WORDINGS)]
        found = ranked([best, *tried])
        best = found[0]
        note("wording", found)
        if before.text == best.text:
            break
    return trail.search(finished=finished, state=(best,))


def _named(name: str, solid: int, solids: int) -> str:
    return name if solids == 1 or name in OF_SCENE else f"{name} of solid {solid + 1}"
