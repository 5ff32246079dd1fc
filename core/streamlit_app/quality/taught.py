"""The sets that a learner is given: all, what is kept, as many at random, A and B; and what each teaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from core.errors import OrreryError, ShapeError
from core.geometry.quality.at_random import drops_at_random
from core.geometry.quality.copies import Copies
from core.geometry.quality.items import Items, Kept
from core.language.quality.evidence import find, possible
from core.language.quality.looked import Looked
from core.learning.adapters import Adapted, compare_adapters
from core.learning.comparing import Learned, Taught, learn_on
from core.learning.holding_out import Ground, hold_out
from core.learning.probes import MOST_FITTED, Fitted, compare_probes
from core.learning.records.record import Probe
from core.learning.towers.setup import Setup
from core.streamlit_app.work import Progress, Stop
from core.types import fingerprint

FEW = 30


@dataclass(frozen=True, eq=False)
class Source:
    """Items that are learnt from, and of which some are asked.

    Attributes
    ----------
    looked : the items.
    clean : (n,) bool, images of which nothing is known to be wrong, as it is where faults were planted.
    key : no other items have it.
    """

    looked: Looked
    clean: np.ndarray
    key: str


@dataclass(frozen=True, eq=False)
class Part:
    """What of a source is learnt from.

    Attributes
    ----------
    name : of the set.
    source : its number.
    kept : what of it.
    beside : the set it is compared with.
    at_random : draw as many as the kept ones instead, for each seed others.
    most : images that are drawn of it, for each seed others; 0 for all of them.
    """

    name: str
    source: int
    kept: Kept
    beside: str = ""
    at_random: bool = False
    most: int = 0


@dataclass(frozen=True, eq=False)
class Sets:
    """All that is given to a learner.

    Attributes
    ----------
    sources : the items.
    parts : the sets.
    seed : of what is held out, of draws and of the learner.
    notes : what is not compared, and why.
    """

    sources: tuple[Source, ...]
    parts: tuple[Part, ...]
    seed: int
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def key(self) -> str:
        """No other sets have it."""
        return fingerprint("taught", *(source.key for source in self.sources), self.seed, *(
            part for one in self.parts for part in (one.name, one.source, one.kept.images, one.kept.texts,
                                                    one.kept.labels, one.beside, one.at_random, one.most)))


def towers(sets: Sets, seeds: int, steps: int, on_progress: Progress, should_stop: Stop, *, dim: int = 16) -> Learned:
    """Small towers on pictures of 16 px and captions."""
    from core.learning.towers.brought import MOST_PAIRS, asked_pairs, bring, lesson_of

    brought = []
    for source in sets.sources:
        looked = source.looked
        brought.append(bring(looked.name, looked.pictures, looked.places, looked.image_ids, looked.captions,
                             looked.items.links, looked.items.labels, should_stop=should_stop,
                             on_progress=lambda share, text: on_progress(0.2 * share, text)))
    ground = _ground(sets, [one.whole & source.clean for one, source in zip(brought, sets.sources)], on_progress,
                     should_stop)
    probe = asked_pairs(brought, ground)
    taught, lost = [], []
    for part in sets.parts:
        one, free = brought[part.source], ground.free[part.source]
        try:
            lessons = tuple(lesson_of(one, free, probe, images=state.images, texts=state.texts, labels=state.labels,
                                      name=part.name, seed=sets.seed)
                            for state in _states(sets, part, free & one.whole, seeds))
        except ShapeError:
            lost.append((part.name, f"“{part.name}” is left out: it has no pair to train on."))
            continue
        taught.append(Taught(part.name, lessons, part.beside))
    refused = [f"{len(one.refused)} pictures of {one.name} could not be read and are left out: "
               + ", ".join(f"{item.name} ({item.reason})" for item in one.refused[:5])
               + (" …" if len(one.refused) > 5 else "") + "." for one in brought if one.refused]
    if not taught:
        raise OrreryError("pairs to train on beside those that are asked", "none in any set",
                          "Take out an action, or bring more pairs.")
    if any(len(one.lessons[0].train) == MOST_PAIRS for one in taught):
        refused.append(f"A set of more than {MOST_PAIRS:,} pairs is trained on as many, drawn at random.")
    names = {name for name, _ in lost}
    return learn_on([Taught(one.name, one.lessons, "" if one.beside in names else one.beside) for one in taught],
                    Setup(seed=sets.seed, steps=steps, every=steps, dim=dim), seeds=seeds,
                    notes=[*(note for _, note in lost), *refused, _said(sets, ground, probe.labels)],
                    on_progress=lambda share, text: on_progress(0.3 + 0.7 * share, text), should_stop=should_stop)


def probes(sets: Sets, seeds: int, on_progress: Progress, should_stop: Stop, *,
           zero_shot: Callable[[np.ndarray, np.ndarray, Sequence[str]], np.ndarray | None] | None = None) -> Learned:
    """Linear probes on the labels of frozen features; ``zero_shot`` tells whether the model itself is right."""
    marks = [np.array([bool(label) for label in _labels(source.looked)], bool) & source.clean
             for source in sets.sources]
    ground = _ground(sets, marks, on_progress, should_stop)
    asked = [(_images(source.looked)[rows], source.looked.norms[rows] if len(source.looked.norms) else
              np.ones(len(rows), np.float32), [_labels(source.looked)[row] for row in rows])
             for source, rows in zip(sets.sources, ground.asked)]
    x, lengths = (np.concatenate([part[k] for part in asked]) for k in (0, 1))
    labels = [label for part in asked for label in part[2]]
    fitted = []
    for part in sets.parts:
        features, free = _images(sets.sources[part.source].looked), ground.free[part.source]
        states = _states(sets, part, free, seeds)
        fitted.append(Fitted(part.name, tuple(
            (features[rows], tuple((state.labels or ("",) * len(free))[row] for row in rows))
            for state in states for rows in [np.flatnonzero(state.images & free)]), part.beside))
    right = zero_shot(x, lengths, labels) if zero_shot is not None and len(set(labels)) > 1 else None
    many = [f"A set of more than {MOST_FITTED:,} items is fitted to as many, drawn at random."] if any(
        len(part[0]) > MOST_FITTED for one in fitted for part in one.parts) else []
    return compare_probes(fitted, x, labels, zero_shot=right, seed=sets.seed, should_stop=should_stop,
                          notes=[*many, _said(sets, ground, labels)],
                          on_progress=lambda share, text: on_progress(0.2 + 0.8 * share, text))


def adapters(sets: Sets, seeds: int, on_progress: Progress, should_stop: Stop) -> Learned:
    """Residual adapters on the pairs of frozen features."""
    paired = []
    for source in sets.sources:
        marks = np.zeros(source.looked.items.n_images, bool)
        marks[source.looked.items.links[:, 0]] = True
        paired.append(marks)
    ground = _ground(sets, [marks & source.clean for marks, source in zip(paired, sets.sources)], on_progress,
                     should_stop)
    images, texts, words, labels, ids = [], [], [], [], []
    for number, (source, rows) in enumerate(zip(sets.sources, ground.asked)):
        looked, first = source.looked, {int(i): int(t) for i, t in source.looked.items.links[::-1]}
        images.append(_images(looked)[rows])
        texts.append(_texts(looked)[[first[row] for row in rows.tolist()]])
        words += [_word(looked, first[row], number) for row in rows.tolist()]
        labels += [_labels(looked)[row] for row in rows.tolist()]
        ids += [f"{number} {looked.image_ids[row]}" for row in rows.tolist()]
    place = {word: i for i, word in enumerate(dict.fromkeys(words))}
    first_of = {word: i for i, word in reversed(list(enumerate(words)))}
    probe = Probe(tuple(ids), tuple(place), np.array([(i, place[word]) for i, word in enumerate(words)]), tuple(labels))
    adapted, lost = [], []
    for part in sets.parts:
        source, free = sets.sources[part.source], ground.free[part.source] & paired[part.source]
        drawn = []
        of, to = source.looked.items.links.T
        for state in _states(sets, part, free, seeds):
            own = source.looked.items.links[(state.images & free)[of] & state.texts[to]]
            drawn.append((_images(source.looked)[own[:, 0]], _texts(source.looked)[own[:, 1]],
                          tuple(_word(source.looked, text, part.source) for text in own[:, 1].tolist())))
        if min(len(one[0]) for one in drawn):
            adapted.append(Adapted(part.name, tuple(drawn), part.beside))
        else:
            lost.append((part.name, f"“{part.name}” is left out: it has no pair to train on."))
    if not adapted:
        raise OrreryError("pairs to train on", "none in any set", "Take out an action, or bring more pairs.")
    names = {name for name, _ in lost}
    return compare_adapters(
        [Adapted(one.name, one.parts, "" if one.beside in names else one.beside) for one in adapted],
        np.concatenate(images), np.concatenate(texts)[[first_of[word] for word in place]], probe,
        seed=sets.seed, notes=[*(note for _, note in lost), _said(sets, ground, labels)],
        on_progress=lambda share, text: on_progress(0.2 + 0.8 * share, text), should_stop=should_stop)


def _ground(sets: Sets, may: Sequence[np.ndarray], on_progress: Progress, should_stop: Stop) -> Ground:
    """What is asked; near copies count as the same item."""
    names = []
    for source in sets.sources:
        looked = source.looked
        own = list(looked.hashes or (fingerprint(item, x) for item, x in zip(looked.image_ids, _images(looked))))
        own = [name or fingerprint("no picture", source.key, row) for row, name in enumerate(own)]
        if "copies" in possible(looked):
            found = find(looked, "copies", seed=sets.seed, should_stop=should_stop,
                         on_progress=lambda share, text: on_progress(0.2 + 0.1 * share, text))
            for group in found.groups() if isinstance(found, Copies) else ():
                for row in group.tolist():
                    own[row] = own[int(group[0])]
        names.append(own)
    return hold_out(names, may, [source.looked.items.splits for source in sets.sources], seed=sets.seed)


def _states(sets: Sets, part: Part, free: np.ndarray, draws: int) -> list[Kept]:
    """What is learnt from: one state, or one for each seed where it is drawn at random, as many as the kept ones."""
    items = sets.sources[part.source].looked.items
    if part.at_random:
        return _as_many(items, part.kept, free, draws, sets.seed)
    own = np.flatnonzero(part.kept.images & free)
    if not part.most or part.most >= len(own):
        return [part.kept]
    states = []
    for k in range(draws):
        images = np.zeros(items.n_images, bool)
        images[np.random.default_rng((sets.seed, k)).choice(own, part.most, replace=False)] = True
        states.append(Kept(images, part.kept.texts, part.kept.labels))
    return states


def _as_many(items: Items, kept: Kept, free: np.ndarray, draws: int, seed: int) -> list[Kept]:
    """As many images and texts dropped at random among those that may be trained on as are not kept of them."""
    images = np.flatnonzero(free)
    of, to = items.links.T
    texts = np.unique(to[free[of]])
    place = [np.full(n, -1) for n in (items.n_images, items.n_texts)]
    place[0][images], place[1][texts] = np.arange(len(images)), np.arange(len(texts))
    links = np.stack([place[0][of], place[1][to]], axis=1)[free[of]]
    part = Items(_at(items.images, images), _at(items.texts, texts), links)
    found = []
    for state in drops_at_random(part, Kept(kept.images[images], kept.texts[texts]), draws, seed=seed):
        whole = Kept(np.zeros(items.n_images, bool), np.zeros(items.n_texts, bool), items.labels)
        whole.images[images[state.images]] = True
        whole.texts[texts[state.texts]] = True
        found.append(whole)
    return found


def _at(x: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if x is None else x[rows]


def _said(sets: Sets, ground: Ground, labels: Sequence[str]) -> str:
    """What is asked, in words."""
    how = "the split that is there for it" if ground.by_split else "drawn at random"
    classes, n = len(set(labels) - {""}), len(ground)
    few = f" With so few, a share changes in steps of {100 / n:.0f} points: bring more." if n < FEW else ""
    planted = "" if all(source.clean.all() for source in sets.sources) else \
        " Nothing that a planted fault touched is asked."
    return (f"{n:,} {'item is' if n == 1 else 'items are'} asked of every set, {how}, of {classes} "
            f"{'class' if classes == 1 else 'classes'}; no set is trained on them or their copies.{planted}{few}")


def _images(looked: Looked) -> np.ndarray:
    assert looked.items.images is not None
    return looked.items.images


def _texts(looked: Looked) -> np.ndarray:
    assert looked.items.texts is not None
    return looked.items.texts


def _labels(looked: Looked) -> tuple[str, ...]:
    return looked.items.labels or ("",) * looked.items.n_images


def _word(looked: Looked, text: int, source: int) -> str:
    """What tells whether two captions are the same: what they say, where that is known."""
    return looked.captions[text] if looked.has_words else f"{source} {looked.text_ids[text]}"
