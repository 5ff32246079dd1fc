"""Pairs that somebody brought, as the small towers learn them: pictures of 16 px, captions, classes, and what is asked.

Each caption is a pair of its own with its picture; of an image that is asked, its first caption is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import ShapeError, UnreadableItem
from core.learning.holding_out import Ground
from core.learning.towers.pairs import SIDE, Lesson, SmallPairs
from core.sources.memory import Memory
from core.sources.reasons import why_not
from core.types import Images, Refusal

MOST_PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class Brought:
    """Images with their captions and classes.

    Attributes
    ----------
    name : what a user calls it.
    pictures : (n, 16, 16, 3) uint8, RGB; black where there is none.
    seen : (n,) bool, which of them could be read.
    ids : n names of images.
    captions : m texts.
    links : (p, 2) int64, rows (image, caption) that belong together.
    labels : n classes, "" where there is none; empty where none are known.
    refused : pictures that could not be read.
    """

    name: str
    pictures: np.ndarray
    seen: np.ndarray
    ids: tuple[str, ...]
    captions: tuple[str, ...]
    links: np.ndarray
    labels: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @cached_property
    def whole(self) -> np.ndarray:
        """(n,) bool, which images have a picture and a caption."""
        marks = np.zeros(len(self.ids), bool)
        marks[self.links[:, 0]] = True
        return marks & self.seen

    def pairs(self, links: np.ndarray, labels: Sequence[str] | None = None) -> SmallPairs:
        """The pairs of some links, in their order, with these labels of the images instead of their own."""
        of, labels = links[:, 0], self.labels if labels is None else labels
        seen: dict[int, int] = {}
        ids = []
        for row in of.tolist():
            seen[row] = seen.get(row, 0) + 1
            ids.append(self.ids[row] if seen[row] == 1 else f"{self.ids[row]} ({seen[row]})")
        return SmallPairs(self.pictures[of], tuple(self.captions[t] for t in links[:, 1]),
                          tuple(labels[row] if labels else "" for row in of), tuple(ids))


def bring(name: str, images: Images | None, places: np.ndarray, ids: Sequence[str], captions: Sequence[str],
          links: np.ndarray, labels: Sequence[str] = (), *, memory: Memory | None = None,
          on_progress: Callable[[float, str], None] | None = None,
          should_stop: Callable[[], bool] | None = None) -> Brought:
    """Read the pictures of a set as small as the towers see them; each is read once and kept by its content.

    Parameters
    ----------
    name : what a user calls the set.
    images : reader of its pictures.
    places : (n,) int, which picture belongs to each image, -1 where none does.
    ids, labels : of the n images; no labels where none are known.
    captions, links : m texts, and (p, 2) rows (image, caption).
    memory : where small pictures are kept; by default in the cache folder.
    on_progress, should_stop : called as ``on_progress(fraction, text)``; asked after every few dozen pictures.

    Raises
    ------
    ShapeError
        If there are no pictures.
    Cancelled
        When ``should_stop`` says so; what was read is kept.
    """
    from core.sources.images.small import small_pictures

    if images is None or not (np.asarray(places) >= 0).any():
        raise ShapeError("pictures to train towers on", "vectors alone", "Choose probes: they learn from vectors.")
    small = small_pictures(images, list(places), SIDE, colour=True, memory=memory, on_progress=on_progress,
                           should_stop=should_stop)
    seen = np.isfinite(small[:, 0, 0, 0])
    lost = [row for row in np.flatnonzero(~seen).tolist() if places[row] >= 0]
    pictures = np.where(seen[:, None, None, None], small, 0).astype(np.uint8)
    return Brought(name, pictures, seen, tuple(ids), tuple(captions), np.asarray(links, np.int64).reshape(-1, 2),
                   tuple(labels), tuple(Refusal(ids[row], _reason(images, int(places[row]))) for row in lost))


def asked_pairs(sets: Sequence[Brought], ground: Ground) -> SmallPairs:
    """What is asked of all sets: each image of the ground with its first caption.

    Raises
    ------
    ShapeError
        If an image of the ground has no picture or no caption.
    """
    parts = []
    for one, rows in zip(sets, ground.asked, strict=True):
        if not one.whole[rows].all():
            raise ShapeError("images with a picture and a caption on the ground", "one without")
        first = {int(image): int(text) for image, text in one.links[::-1]}
        parts.append(one.pairs(np.array([(row, first[row]) for row in rows.tolist()], np.int64).reshape(-1, 2)))
    ids = [item for part in parts for item in part.ids]
    if len(set(ids)) < len(ids):
        ids = [f"{item} [{'AB'[k]}]" if len(parts) == 2 else f"{item} [{k + 1}]" for k, part in enumerate(parts)
               for item in part.ids]
    return SmallPairs(np.concatenate([part.images for part in parts]), sum((part.texts for part in parts), ()),
                      sum((part.labels for part in parts), ()), tuple(ids))


def lesson_of(brought: Brought, free: np.ndarray, probe: SmallPairs, *, images: np.ndarray | None = None,
              texts: np.ndarray | None = None, labels: Sequence[str] | None = None, name: str = "",
              most: int = MOST_PAIRS, seed: int = 0) -> Lesson:
    """A set, or what is kept of it, as a lesson.

    Parameters
    ----------
    brought : the set.
    free : (n,) bool, images that may be trained on.
    probe : what is asked.
    images, texts : (n,) and (m,) bool, what is kept; None: all.
    labels : n classes of the images now; None: the set's own.
    name : what a user calls the lesson; the set's by default.
    most : pairs; of more, as many are drawn at random.
    seed : of that draw.

    Raises
    ------
    ShapeError
        If no pair is left to train on.
    """
    of, to = brought.links.T
    kept = brought.whole[of] & np.asarray(free, bool)[of]
    if images is not None:
        kept &= np.asarray(images, bool)[of]
    if texts is not None:
        kept &= np.asarray(texts, bool)[to]
    rows = np.flatnonzero(kept)
    if not len(rows):
        raise ShapeError("at least one pair to train on", f"none in {name or brought.name}",
                         "Take out an action, or bring more pairs.")
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return Lesson(name or brought.name, brought.pairs(brought.links[rows], labels), probe)


def _reason(images: Images, place: int) -> str:
    try:
        images.decode(place)
    except UnreadableItem as error:
        return error.got
    except OSError as error:
        return why_not(error)
    return "it cannot be read"
