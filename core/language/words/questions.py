"""Questions about images, turned into statements with the answer in place and scored, beside no image at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.differences import Difference, hits_differ
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.geometry.retrieval import chance_of_a_hit
from core.language import world_evaluation
from core.language.words.reading import Progress
from core.language.words.scenes import SCORED, TUNED, look
from core.language.world_evaluation import BARE, NAMED
from core.sources.solids.captions import prompt
from core.sources.solids.scene import Solid
from core.types import Number

PLACE = "{}"
MOST_ANSWERS = 200
QUESTIONS = {"colour": "What colour is it?", "solid": "What is it?", "texture": "What pattern does it have?",
             "setting": "Where is it?", "style": "What kind of picture is it?"}
_IT = r"(?:it|this|that|he|she|they|these|those|there)"
_NOUN = r"(?:the |this |that |these |those )?(?P<noun>.+?)"
# From the most special to the most general; the first that fits says it.
_RULES: tuple[tuple[str, str], ...] = (
    (rf"what colou?rs? (?:is|are) {_IT}", "a {} thing"),
    (rf"what colou?rs? (?:is|are) {_NOUN}", "a {} <noun>"),
    (rf"what (?:pattern|texture) (?:is|are|does|do|has) {_IT}.*", "a {} thing"),
    (rf"what (?:pattern|texture) (?:does|do) {_NOUN} have", "a {} <noun>"),
    (rf"what (?:kind|sort|type|style) of (?P<noun>.+?) (?:is|are) {_IT}.*", "a {} <noun>"),
    (rf"(?:what|which) (?P<noun>.+?) (?:is|are) {_IT}", "a photo of a {} <noun>"),
    (r"how many (?P<noun>.+?) (?:are|is|can|do|does)\b.*", "a photo of {} <noun>"),
    (rf"what (?:is|are) {_NOUN} (?P<doing>doing|made of|called)", "the <noun> is {}"),
    (rf"(?:what|who) (?:is|are)(?: {_IT}(?: in .*)?)?", "a photo of a {}"),
    (r"(?:what|who) (?:is|are) (?P<place>(?:in|on|under|behind|above|below|near|next to|beside|in front of) .+)",
     "a {} <place>"),
    (r"where (?:is|was|are|were) .*", "a photo {}"),
    (r"who (?:is|are) (?P<doing>\w+ing\b.*)", "a {} <doing>"),
    (rf"what does {_NOUN} (?P<doing>say|show|hold|wear|eat)", "the <noun> <doing>s {}"),
    (rf"(?:is|are) {_NOUN} (?P<a>\w+) or (?P<b>\w+)", "the <noun> is {}"),
    (rf"what (?:is|are) {_NOUN}", "the <noun> is {}"),
)


def as_statement(question: str) -> str:
    """An English question as a statement, with {} where its answer goes.

    Parameters
    ----------
    question : any text. One with {} in it is a statement already.

    Returns
    -------
    "What colour is the car?" -> "a {} car", "Where is it?" -> "a photo {}"; the question itself with {} after it where
    no rule fits.
    """
    text = " ".join(question.split())
    if PLACE in text:
        return text
    asked = text.rstrip("?!. ").lower().replace("what's", "what is").replace("where's", "where is")
    asked = re.sub(r" (?:in|of) (?:the|this) (?:picture|image|photo|photograph)$", "", asked)
    for rule, statement in _RULES:
        found = re.fullmatch(rule, asked)
        if found:
            parts = {name: value for name, value in found.groupdict().items() if value}
            for name, value in parts.items():
                statement = statement.replace(f"<{name}>", value.replace("{", "").replace("}", ""))
            return statement
    return f"{text} {PLACE}".strip()


def statements(template: str, answers: Sequence[str]) -> tuple[str, ...]:
    """The statement with each answer in place of {}; "a" before a vowel becomes "an", "a a dog" becomes "a dog".

    Raises
    ------
    ShapeError
        If there is no {}, or fewer than two or more than 200 answers, or two are the same.
    """
    if PLACE not in template:
        raise ShapeError("a statement with {} where the answer goes", repr(template[:80]))
    if not 2 <= len(answers) <= MOST_ANSWERS or len(set(answers)) < len(answers):
        raise ShapeError(f"2 to {MOST_ANSWERS} different answers", f"{len(answers)}, {len(set(answers))} of them "
                         "different", "Write them one a line.")
    return tuple(_in_place(template, answer) for answer in answers)


def _in_place(template: str, answer: str) -> str:
    said = template.replace(PLACE, answer)
    if re.search(rf"\ban? {re.escape(PLACE)}", template):
        if re.match(r"(?:an?|the|one|two|three|some|no)\b", answer, re.IGNORECASE):
            return re.sub(rf"\ban? {re.escape(PLACE)}", lambda _: PLACE, template).replace(PLACE, answer)
        article = "an" if answer[:1].lower() in "aeio" else "a"
        return re.sub(rf"\ban? {re.escape(PLACE)}", lambda _: f"{article} {PLACE}", template).replace(PLACE, answer)
    return said


@dataclass(frozen=True, eq=False)
class Answered:
    """What a model answers.

    Attributes
    ----------
    answers, texts : k answers and the statements that stood for them.
    probabilities : (n, k) float32, of each image.
    without : (k,) float32, what the texts alone get: the probabilities at the mean direction of the reference images.
    references : how many images that mean is of.
    probability_name : what the probabilities are, where they are not shared among the answers; empty where they are.
    """

    answers: tuple[str, ...]
    texts: tuple[str, ...]
    probabilities: np.ndarray
    without: np.ndarray
    references: int
    probability_name: str = ""

    @property
    def by_chance(self) -> float | None:
        """Probability of each answer if all had the same; None where they are not shared among the answers."""
        return None if self.probability_name else 1 / len(self.answers)

    @property
    def chosen(self) -> np.ndarray:
        """(n,) int64, the likeliest answer of each image."""
        return self.probabilities.argmax(axis=1)


@dataclass(frozen=True, eq=False)
class Scored:
    """How often the answers are right.

    Attributes
    ----------
    right : share of images answered right; 1/k by chance.
    without : share of the same images that one answer for all gets right, the one the texts alone prefer; 1/k by
        chance.
    majority : share of the images whose truth is the commonest; no answer for all can be right more often.
    over_without, over_majority : right less each, on the same images.
    hits : (m,) float64.
    rows : (m,) int64, images that have a truth.
    truth : (m,) int64, the right answer of each.
    """

    right: Number
    without: Number
    majority: Number
    over_without: Difference
    over_majority: Difference
    hits: np.ndarray
    rows: np.ndarray
    truth: np.ndarray


def answer(model: Encoder, images: np.ndarray, norms: np.ndarray, answers: Sequence[str], texts: Sequence[str],
           reference: np.ndarray, reference_norms: np.ndarray) -> Answered:
    """The probability that a model gives each answer for each image, and without one.

    Parameters
    ----------
    model : that made the vectors.
    images, norms : (n, d) float32 unit rows and (n,) lengths of their raw vectors.
    answers, texts : k each, k >= 2.
    reference, reference_norms : (r, d) and (r,) of images that stand for no image in particular: their mean direction
        is what the texts are compared with where no image is given.
    """
    if len(answers) != len(texts) or len(answers) < 2:
        raise ShapeError("two answers or more, and a statement for each", f"{len(answers)} and {len(texts)}")
    middle = unit(reference.mean(axis=0, keepdims=True))
    length = np.array([reference_norms.mean()], dtype=np.float32)
    found = model.probabilities(np.concatenate([images, middle]), np.concatenate([norms, length]), texts)
    return Answered(tuple(answers), tuple(texts), found[:-1], found[-1], len(reference),
                    model.probability_name)


def score(answered: Answered, truth: np.ndarray, *, seed: int = 0) -> Scored:
    """Right answers, beside those without an image.

    Parameters
    ----------
    answered : of n images.
    truth : (n,) int, the right answer of each; -1 where none is, and the image is left out.
    seed : of sign flips.

    Raises
    ------
    ShapeError
        If no image has a right answer.
    """
    rows = np.flatnonzero(np.asarray(truth) >= 0)
    if not len(rows):
        raise ShapeError("images whose right answer is known", "none")
    truth, k, n = np.asarray(truth, dtype=np.int64)[rows], len(answered.answers), len(rows)
    hits = chance_of_a_hit(answered.probabilities[rows], np.arange(n), truth, (1,))[:, 0]
    blind = (truth == int(answered.without.argmax())).astype(np.float64)
    common = (truth == int(np.bincount(truth).argmax())).astype(np.float64)
    right, without, majority = (proportion(float(h.sum()), n, null=1 / k) for h in (hits, blind, common))
    return Scored(right, without, majority, hits_differ(blind, hits, seed=seed), hits_differ(common, hits, seed=seed),
                  hits, rows, truth)


def question_figures(model: world_evaluation.Encoder, *, seed: int = 0, n: int = 300,
                     on_progress: Progress | None = None) -> dict[str, Number]:
    """Questions about single solids of held-out combinations, and about one of two.

    Parameters
    ----------
    model : anything that encodes images and texts; cosines decide.
    seed : which scenes.
    n : scenes of each kind that are scored; as many others give the mean image.

    Returns
    -------
    ``question_<kind>`` (1/k by chance); ``question_<kind>_no_image``, one answer for all: the nearest to the mean image
    of other scenes; ``question_colour_of_one``, "What colour is the cube?" of two solids, and how often the answer
    is the colour of the other one.
    """
    def say(start: float, share: float) -> None:
        if on_progress is not None:
            on_progress(start + share / 3, "Looking at scenes")

    single = look(model, n, SCORED + seed, on_progress=lambda share: say(0, share))
    other = look(model, n, TUNED + seed, on_progress=lambda share: say(1 / 3, share))
    middle = unit(other.images.mean(axis=0, keepdims=True))
    figures: dict[str, Number] = {}
    for kind in NAMED:
        answers = list(BARE[kind])
        texts = world_evaluation.text_vectors(model, list(BARE[kind].values()))
        scores = np.concatenate([single.images, middle]) @ texts.T
        found = Answered(tuple(answers), tuple(BARE[kind].values()), scores[:-1], scores[-1], n)
        scored = score(found, np.array([answers.index(says[kind]) for says in single.says]), seed=seed)
        figures[f"question_{kind}"] = scored.right
        figures[f"question_{kind}_no_image"] = scored.without
    two = look(model, n, SCORED + seed, count=2, on_progress=lambda share: say(2 / 3, share))
    return figures | _of_one(model, two.images, [scene.solids for scene in two.scenes])


def _of_one(model: world_evaluation.Encoder, images: np.ndarray, solids: Sequence[Sequence[Solid]]
            ) -> dict[str, Number]:
    colours = list(BARE["colour"])
    rows = [row for row, (a, b) in enumerate(solids) if a.shape != b.shape and a.colour != b.colour]
    if not rows:
        return {}
    texts = world_evaluation.text_vectors(model, [prompt(colour=c, solid=solids[row][0].shape)
                                                  for row in rows for c in colours])
    scores = np.einsum("nd,nkd->nk", images[rows], texts.reshape(len(rows), len(colours), -1))
    hits = [chance_of_a_hit(scores, np.arange(len(rows)), np.array(
        [colours.index(solids[row][i].colour) for row in rows]), (1,)).sum() for i in range(2)]
    own, of_other = (proportion(float(h), len(rows), null=1 / len(colours)) for h in hits)
    return {"question_colour_of_one": own, "question_colour_of_one_says_the_other": of_other}
