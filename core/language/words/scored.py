"""Texts scored against one image or several: cosine, fluency, and how much they tell beside reference images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError, check_vectors
from core.geometry.directions import unit
from core.geometry.information import pointwise_information
from core.language.words.fluency import words_of
from core.sources.solids.wrong_attributes import said_in
from core.types import fingerprint

MOST_REFERENCES = 500
MOST_KNOWN = 40_000
_BATCH = 512

Fluency = Callable[[Sequence[str]], np.ndarray]


class Texts:
    """Unit vectors of texts, each encoded once; how fluent they are, and how much they say.

    Parameters
    ----------
    encoder : the model.
    fluency : (n,) floats of n texts, mean natural log probability a word or token.
    attributes : whether what a text says is counted in attributes of the built-in world, else in words.
    """

    def __init__(self, encoder: Encoder, fluency: Fluency, *, attributes: bool) -> None:
        self.encoder, self.fluency, self.attributes = encoder, fluency, attributes
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """(n, d) float32, unit rows."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), _BATCH):
            part = new[start:start + _BATCH]
            self._known.update(zip(part, unit(self.encoder.encode_texts(part))))
        return np.stack([self._known[text] for text in texts])

    def said(self, text: str) -> int:
        """How much a text says: attributes of the built-in world, or words."""
        return len(said_in(text)) if self.attributes else len(words_of(text))


@dataclass(frozen=True)
class Caption:
    """A text held against what is to be captioned.

    Attributes
    ----------
    text : as it reads.
    said : how many attributes, or words.
    cosine : mean over the images.
    fluency : mean natural log probability a word or token.
    information : pointwise mutual information with the images beside N - 1 references, nats, mean over the images.
    step : of the search, from 0.
    """

    text: str
    said: int
    cosine: float
    fluency: float
    information: float
    step: int = 0


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be captioned: an image, or several that share a caption.

    Attributes
    ----------
    images : (k, d) float32, unit rows, k >= 1.
    references : (r, d) float32, unit rows, r >= 1, other images.
    """

    images: np.ndarray
    references: np.ndarray

    def __post_init__(self) -> None:
        check_vectors(self.images, what="images", unit=True)
        check_vectors(self.references, what="reference images", unit=True)

    @classmethod
    def among(cls, images: np.ndarray, rows: Sequence[int] | np.ndarray, *, seed: int = 0,
              most: int = MOST_REFERENCES) -> Target:
        """Rows of a set, beside at most so many of the other rows, drawn by the seed.

        Raises
        ------
        ShapeError
            If no other row is left.
        """
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        others = np.setdiff1d(np.arange(len(images)), rows)
        if not len(others) or not len(rows):
            raise ShapeError("images to be captioned, and one other or more to hold captions against",
                             f"{len(rows)} of {len(images)} images", "Take a smaller group, or open more images.")
        if len(others) > most:
            others = np.sort(np.random.default_rng(seed).choice(others, most, replace=False))
        return cls(images[rows], images[others])

    @property
    def n(self) -> int:
        """N: the image and its references."""
        return len(self.references) + 1

    @property
    def fingerprint(self) -> str:
        return fingerprint("target", self.images, self.references)

    def cosines(self, vectors: np.ndarray) -> np.ndarray:
        """(m,) float64, mean over the images."""
        found: np.ndarray = vectors.astype(np.float64) @ self.images.mean(axis=0, dtype=np.float64)
        return found

    def scored(self, texts: Sequence[str], of: Texts, step: int = 0) -> tuple[Caption, ...]:
        """Captions in the order of the texts."""
        if not texts:
            return ()
        vectors = of(texts)
        scale = of.encoder.logit_scale
        told = pointwise_information(scale * (self.images @ vectors.T), scale * (self.references @ vectors.T)).mean(0)
        return tuple(Caption(text, of.said(text), float(c), float(f), float(i), step) for text, c, f, i in
                     zip(texts, self.cosines(vectors), of.fluency(texts), told))


@dataclass(frozen=True, eq=False)
class Search:
    """A search for a caption, as far as it went.

    Attributes
    ----------
    best : the caption after each step.
    did : what each step did, in words.
    vectors : (s, d) float32, unit rows, of the caption after each step.
    candidates : all captions that were kept on the way, each once, the best score first.
    references : N, of `Caption.information`.
    attributes : whether `Caption.said` counts attributes of the built-in world, else words.
    finished : False where it was stopped; ``state`` is then where to go on.
    state : of the search itself.
    """

    best: tuple[Caption, ...]
    did: tuple[str, ...]
    vectors: np.ndarray
    candidates: tuple[Caption, ...]
    references: int
    attributes: bool
    finished: bool = True
    state: tuple[object, ...] = field(default=(), repr=False)

    @property
    def found(self) -> Caption:
        """The caption after the last step."""
        return self.best[-1]

    @property
    def by_information(self) -> Caption:
        """The candidate that tells most."""
        return max(self.candidates, key=lambda c: c.information)

    @property
    def by_cosine(self) -> Caption:
        """The candidate of the highest cosine, however little it says."""
        return max(self.candidates, key=lambda c: c.cosine)

    @property
    def fingerprint(self) -> str:
        return fingerprint("captions", self.vectors, [c.text for c in self.candidates], self.did, self.references)


class Trail:
    """What a search keeps as it goes: the caption after each step, and the candidates."""

    MOST = 400

    def __init__(self, target: Target, texts: Texts, before: Search | None = None) -> None:
        self.target, self.texts = target, texts
        self.best: list[Caption] = list(before.best) if before else []
        self.did: list[str] = list(before.did) if before else []
        self._seen: dict[str, Caption] = {c.text: c for c in before.candidates} if before else {}

    def step(self, did: str, best: str, candidates: Sequence[str]) -> None:
        """One more step, whose best text and best candidates are these."""
        step = len(self.best)
        new = [text for text in dict.fromkeys([best, *candidates]) if text not in self._seen]
        self._seen.update({c.text: c for c in self.target.scored(new, self.texts, step)})
        self.best.append(replace(self._seen[best], step=step))
        self.did.append(did)

    def search(self, *, finished: bool = True, state: tuple[object, ...] = ()) -> Search:
        """All of it; of the candidates those of the last steps where there are many."""
        kept = sorted(self._seen.values(), key=lambda c: (-c.step, -c.cosine))[:self.MOST]
        captions = {c.text: c for c in (*kept, *self.best)}
        return Search(tuple(self.best), tuple(self.did), self.texts([c.text for c in self.best]),
                      tuple(sorted(captions.values(), key=lambda c: -c.cosine)), self.target.n, self.texts.attributes,
                      finished, state)
