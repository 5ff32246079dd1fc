"""Captions by a causal language model whose next words a CLIP chooses among, and whose spans are then written anew.

The language model proposes, the CLIP and the language model together decide; all sentences that are compared have as
many tokens, since a shorter one that says less often has the higher cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.causal import LanguageModel
from core.errors import ShapeError
from core.language.words.by_grammar import KEPT
from core.language.words.scored import Search, Target, Texts, Trail

PREFIX = "A photo of"
LONGEST_SPAN = 3
MOST_LENGTH, MOST_TOP, MOST_WIDTH, MOST_ROUNDS = 24, 256, 8, 200


@dataclass(frozen=True)
class Writing:
    """How sentences are written.

    Attributes
    ----------
    prefix : what each begins with; it is never rewritten.
    length : tokens after it, 1 to 24.
    top : next tokens that the language model proposes, 2 to 256.
    width : sentences kept at each token, 1 to 8.
    rounds : how often a span is written anew, 0 to 200.
    weight : of the CLIP's cosine beside the mean log probability a token (nats), >= 0.
    seed : of which span is written anew.
    """

    prefix: str = PREFIX
    length: int = 8
    top: int = 48
    width: int = 4
    rounds: int = 12
    weight: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("length", 1, MOST_LENGTH), ("top", 2, MOST_TOP), ("width", 1, MOST_WIDTH),
                                ("rounds", 0, MOST_ROUNDS), ("weight", 0, 1e6)):
            if not low <= getattr(self, name) <= high:
                raise ShapeError(f"{name} from {low:g} to {high:g}", f"{getattr(self, name):g}")


def search(target: Target, texts: Texts, model: LanguageModel, how: Writing | None = None, *,
           before: Search | None = None, on_progress: Callable[[float, str], None] | None = None,
           should_stop: Callable[[], bool] | None = None) -> Search:
    """A caption written by a language model towards an image.

    Parameters
    ----------
    target, texts : what is to be captioned, and the CLIP's texts, whose fluency should be ``model`` itself.
    model : proposes.
    how : the dials.
    before : a search of the same target and model to go on from; the same seed then gives what one search would have.
    on_progress : told the share done and the best sentence.
    should_stop : stopped, the best so far is kept.

    Returns
    -------
    Search, whose ``state`` is (tokens of the best sentences, rounds done); best score never falls after the first
    sentence is whole.

    References
    ----------
    Tewel et al., CVPR 2022, arXiv:2111.14447 (a language model steered by CLIP at each word); 2022, arXiv:2207.11100
    (the whole sentence optimised over iterations). Here the words are searched, and no gradient is taken.
    """
    how = how or Writing()
    writer = _Writer(target, texts, model, how)
    trail = Trail(target, texts, before)
    stop = should_stop or (lambda: False)
    beams, done = ([writer.prefix], 0) if before is None else _state(before)
    total = how.length + how.rounds
    whole = len(writer.prefix) + how.length
    while len(beams[0]) < whole:
        if stop():
            return _stopped(trail, beams, done, writer)
        ranked = writer.ranked(writer.longer(beams))
        beams = ranked[:how.width]
        trail.step(f"word {len(beams[0]) - len(writer.prefix)}", writer.said(beams[0]), writer.texts_of(ranked[:KEPT]))
        _tell(on_progress, (len(beams[0]) - len(writer.prefix)) / total, trail.best[-1].text)
    best = beams[0]
    while done < how.rounds:
        if stop():
            return _stopped(trail, [best], done, writer)
        first, last = writer.span(done)
        ranked = writer.ranked([best, *writer.rewritten(best, first, last)])
        best, done = ranked[0], done + 1
        trail.step(f"words {first + 1} to {last} anew", writer.said(best), writer.texts_of(ranked[:KEPT]))
        _tell(on_progress, (how.length + done) / total, trail.best[-1].text)
    return trail.search(state=(([best]), done))


def _state(before: Search) -> tuple[list[tuple[int, ...]], int]:
    beams, done = before.state
    assert isinstance(beams, list) and isinstance(done, int)
    return list(beams), done


def _stopped(trail: Trail, beams: list[tuple[int, ...]], done: int, writer: _Writer) -> Search:
    if not trail.best:
        trail.step("nothing yet", writer.said(beams[0]), [])
    return trail.search(finished=False, state=(beams, done))


def _tell(on_progress: Callable[[float, str], None] | None, share: float, text: str) -> None:
    if on_progress:
        on_progress(min(share, 1.0), text)


class _Writer:
    """Proposes and ranks sentences of tokens."""

    def __init__(self, target: Target, texts: Texts, model: LanguageModel, how: Writing) -> None:
        self.target, self.texts, self.model, self.how = target, texts, model, how
        self.prefix = model.tokens(how.prefix.strip()) or (model.start,)
        if len(self.prefix) + how.length > model.longest - 1:
            raise ShapeError(f"a prefix and words of at most {model.longest - 1} tokens",
                             f"{len(self.prefix)} and {how.length}", "Take a shorter prefix.")
        self._fit: dict[int, bool] = {}

    def said(self, tokens: Sequence[int]) -> str:
        return self.model.text(tokens) or self.how.prefix or "a"

    def texts_of(self, sentences: Sequence[Sequence[int]]) -> list[str]:
        return [self.said(tokens) for tokens in sentences]

    def longer(self, beams: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Each sentence with each of its likeliest next tokens that are words of one line."""
        logs = self.model.next_tokens(beams)
        found = []
        for row, beam in zip(logs, beams):
            kept = 0
            for token in np.argsort(-row, kind="stable"):
                if self._fits(int(token)):
                    found.append((*beam, int(token)))
                    kept += 1
                if kept == self.how.top:
                    break
        return list(dict.fromkeys(found))

    def span(self, done: int) -> tuple[int, int]:
        """Which words, counted after the prefix, the round after so many writes anew."""
        rng = np.random.default_rng((self.how.seed, done))
        size = int(rng.integers(1, min(LONGEST_SPAN, self.how.length) + 1))
        first = int(rng.integers(0, self.how.length - size + 1))
        return first, first + size

    def rewritten(self, best: tuple[int, ...], first: int, last: int) -> list[tuple[int, ...]]:
        """The sentence with other words in a span, each proposed by what stands before it."""
        start = len(self.prefix)
        after = best[start + last:]
        beams = [best[:start + first]]
        for at in range(first, last):
            longer = self.longer(beams)
            rest = best[start + at + 1:start + last]
            order = self.ranked([(*tokens, *rest, *after) for tokens in longer], most=self.how.width)
            beams = [tokens[:start + at + 1] for tokens in order]
            if at == last - 1:
                return order
        return []

    def ranked(self, sentences: Sequence[tuple[int, ...]], most: int | None = None) -> list[tuple[int, ...]]:
        """Sentences, the best first: mean log probability a token + weight * cosine."""
        score = self.model.log_probability(sentences) + self.how.weight * self.target.cosines(
            self.texts(self.texts_of(sentences)))
        return [sentences[i] for i in np.argsort(-score, kind="stable")[:most]]

    def _fits(self, token: int) -> bool:
        if token not in self._fit:
            said = self.model.text((token,))
            self._fit[token] = token not in self.model.special and bool(said) and "\ufffd" not in said
        return self._fit[token]
