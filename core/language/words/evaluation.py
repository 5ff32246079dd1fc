"""What a model can say of images of the built-in world, and what its text side does not see: the figures of `words`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.retrieval import recall_at
from core.language.words.analogies import grammar_analogies, solve
from core.language.words.binding import binding_figures, judge
from core.language.words.captioned import caption_figures
from core.language.words.explained import concept_figures
from core.language.words.paraphrases import grammar_groups, spread
from core.language.words.questions import question_figures
from core.language.words.scenes import SCORED, TUNED
from core.types import Number

if TYPE_CHECKING:
    from core.sources.tables.choices import Choices

SCENES = 300
LEAST = 20
Progress = Callable[[float, str], None]
_PARTS: tuple[Callable[..., dict[str, Number]], ...] = (question_figures, binding_figures, concept_figures,
                                                    caption_figures)


@dataclass(frozen=True)
class WordsReport:
    """Figures by name, and what was tuned, on which seeds."""

    figures: dict[str, Number]
    chosen: dict[str, Any] = field(default_factory=dict)


def evaluate_words(model: Encoder, *, seed: int = 0, n: int = SCENES, on_progress: Progress | None = None
                   ) -> WordsReport:
    """Questions, binding, texts, concept words and captions, on scenes of combinations held out of training.

    Parameters
    ----------
    model : of images and texts.
    seed : which scenes; two seeds never share one.
    n : scenes of each kind, at least 20.

    Returns
    -------
    Every number with an interval or a p, its null and n.

    Raises
    ------
    ShapeError
        If there are fewer scenes.
    """
    if n < LEAST:
        raise ShapeError(f"{LEAST} scenes or more", str(n))
    figures: dict[str, Number] = {}
    for at, part in enumerate(_PARTS):
        def say(share: float, text: str, at: int = at) -> None:
            if on_progress is not None:
                on_progress((at + share) / (len(_PARTS) + 0.2), text)

        figures |= part(model, seed=seed, n=n, on_progress=say)
    figures |= text_figures(model, seed=seed, n=n)
    return WordsReport(figures, {"scenes_scored": SCORED + seed, "scenes_tuned": TUNED + seed})


def text_figures(model: Encoder, *, seed: int = 0, n: int = SCENES) -> dict[str, Number]:
    """Analogies of solids and colours, and paraphrases, of texts alone.

    Parameters
    ----------
    model : anything that encodes texts.
    seed : of what is drawn.
    n : analogies, and scenes that are said in three ways each.
    """
    solved = solve(model, *grammar_analogies("solid", "colour", n, seed=seed), seed=seed)
    said = spread(model, *grammar_groups(n, seed=seed), seed=seed)
    return {"analogies": solved.out, "analogies_inputs_in": solved.within, "analogies_nearest_of_c": solved.near,
            "paraphrase_degrees": said.same, "paraphrase_nearer": said.nearer, "paraphrase_found": said.found,
            **{f"paraphrase_against_{name}": number for name, number in said.against_altered.items()}}


def evaluate_choices(model: Encoder, images: np.ndarray, choices: Choices, *, seed: int = 0,
                     on_progress: Progress | None = None) -> WordsReport:
    """Right choices between two captions, by kind, on images of one's own.

    Parameters
    ----------
    model : that made the vectors.
    images : (n, d) float32, unit rows.
    choices : rows about them.
    """
    judged = judge(model, images, choices, seed=seed, on_progress=on_progress)
    figures = {f"binding_{kind}": number for kind, number in judged.shares.items()}
    figures |= {f"binding_{kind}_p": Number(d.p, n=judged.shares[kind].n, unit="p against 1/2, Holm")
                for kind, d in judged.over_chance.items() if d.p is not None}
    return WordsReport(figures | {f"pairs_{name}": number for name, number in judged.twins.items()})


def retrieval_figures(images: np.ndarray, texts: np.ndarray, links: np.ndarray, ks: Sequence[int] = (1,)
                      ) -> dict[str, Number]:
    """R@k both ways of images and texts that belong together; arguments as of `recall_at`."""
    return {f"r{k}_{name}": recall_at(*sides, rows, k) for k in ks for name, sides, rows in (
        ("image_to_text", (images, texts), links), ("text_to_image", (texts, images), links[:, ::-1]))}
