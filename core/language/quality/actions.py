"""What one may do with a dataset: actions that are stacked in order, each of which sees what those before it left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.errors import ChoiceError, ModelError, check_choice
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Kept
from core.language.quality import evidence
from core.language.quality.carrying_out import (
    Left,
    cap_class,
    drop,
    lowest,
    near,
    prompt_against,
    prompt_at,
    prompt_share,
    random_share,
    rebalance,
    relabel,
)
from core.language.quality.looked import Looked
from core.language.quality.parameters import Parameter, Value


@dataclass(frozen=True)
class Act:
    """A kind of action.

    Attributes
    ----------
    title : what it does, as a command.
    explanation : how, in a sentence.
    parameters : by name, in the order in which they are asked for.
    needs : which findings it goes by.
    lacks : why it cannot be done, as a sentence; "" where it can.
    do : does it.
    """

    title: str
    explanation: str
    parameters: Mapping[str, Parameter]
    do: Callable[[Left, Mapping[str, Value]], Kept]
    lacks: Callable[[Looked, Mapping[str, Value]], str] = lambda looked, said: ""
    needs: Callable[[Mapping[str, Value]], tuple[str, ...]] = lambda said: ()


@dataclass(frozen=True)
class Action:
    """Something to do.

    Attributes
    ----------
    kind : key of `ACTIONS`.
    said : its parameters by name; what is not said has its default.
    on : whether it is carried out.
    """

    kind: str
    said: Mapping[str, Value] = field(default_factory=dict)
    on: bool = True

    def __post_init__(self) -> None:
        check_choice("an action", self.kind, ACTIONS)
        known = ACTIONS[self.kind].parameters
        for name in self.said:
            if name not in known:
                raise ChoiceError(f"what “{self.kind}” is told to be one of {', '.join(known)}", repr(name)[:80])
        said = {name: p.checked(self.said.get(name, p.default)) for name, p in known.items()}
        object.__setattr__(self, "said", said)

    @property
    def act(self) -> Act:
        return ACTIONS[self.kind]

    @property
    def words(self) -> str:
        """What it does, with its parameters, for a list."""
        return WORDS[self.kind](self.said)

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the findings that it goes by."""
        return self.act.needs(self.said)

    def lacks(self, looked: Looked) -> str:
        """Why it cannot be done with what is looked at, as a sentence; "" where it can."""
        return self.act.lacks(looked, self.said)


@dataclass(frozen=True, eq=False)
class Step:
    """What is left after an action.

    Attributes
    ----------
    action : that was done.
    kept : what is left.
    images, texts : (i,) and (t,) int64, rows that it dropped.
    relabelled : (r,) int64, rows of images that it gave another label.
    lacks : why it was not done, as a sentence; "" where it was, or is switched off.
    """

    action: Action
    kept: Kept
    images: np.ndarray
    texts: np.ndarray
    relabelled: np.ndarray
    lacks: str = ""


def replay(actions: Sequence[Action], looked: Looked, *, seed: int = 0,
           finding_of: Callable[[str], Finding] | None = None) -> list[Step]:
    """What is left after each action, in order.

    An action sees what those before it left: of copies, one of those left stays; a share is one of those left. Scores
    of findings are those of the whole. What cannot be done, or is switched off, leaves everything as it was.

    Parameters
    ----------
    actions : in order; none is an answer too.
    looked : what is looked at.
    seed : of everything random; the same item is always as likely to stay, whatever else is done.
    finding_of : finding by key; found by `core.language.quality.evidence.find` by default.

    Raises
    ------
    Cancelled
        As findings do.
    """
    kept, steps = Kept.all_of(looked.items), []
    for action in actions:
        lacking = action.lacks(looked) if action.on else ""
        after = kept
        if action.on and not lacking:
            left = Left(looked, kept, seed, finding_of or (lambda key: evidence.find(looked, key, seed=seed)))
            after = action.act.do(left, action.said)
        changed = [i for i, (a, b) in enumerate(zip(kept.labels, after.labels)) if a != b] if (
            after.labels is not kept.labels) else []
        steps.append(Step(action, after, np.flatnonzero(kept.images & ~after.images),
                          np.flatnonzero(kept.texts & ~after.texts), np.array(changed, dtype=np.int64), lacking))
        kept = after
    return steps


def what_is_left(steps: Sequence[Step], looked: Looked) -> Kept:
    """After all steps."""
    return steps[-1].kept if steps else Kept.all_of(looked.items)


_KEEP, _OF, _BY = ("keep", "drop"), ("image", "text"), ("caption", "image")
_THRESHOLD = Parameter("Threshold", "number", None, -1e9, 1e9, unit="of the finding's scores")
_PROMPT = Parameter("Prompt", "text", "", needed=True)
_WHICH = Parameter("Of", "choice", "image", choices=_OF)
_WAY = Parameter("Keep or drop", "choice", "keep", choices=_KEEP)


def _percent(default: float) -> Parameter:
    return Parameter("Share", "number", default, 0.0, 100.0, unit="%")


def _finding_lacks(looked: Looked, said: Mapping[str, Value]) -> str:
    return evidence.KINDS[str(said["finding"])].lacks(looked)


def _needs_finding(said: Mapping[str, Value]) -> tuple[str, ...]:
    return ("copies", "leaks") if said["finding"] == "leaks" else (str(said["finding"]),)


def _no_pairs(looked: Looked, said: Mapping[str, Value]) -> str:
    return "" if len(looked.items.links) else "No caption belongs to an image."


def _no_labels(looked: Looked, said: Mapping[str, Value]) -> str:
    return "" if any(looked.items.labels) else "There are no labels."


def _no_prompt(looked: Looked, said: Mapping[str, Value]) -> str:
    vectors = looked.items.images if said["of"] == "image" else looked.items.texts
    if vectors is None or not len(vectors):
        return f"There are no {said['of']}s."
    if not looked.prompts_by:
        return "No model is at hand that encodes prompts."
    try:
        for name in ("prompt", "against", "centre"):
            if name in said:
                looked.vector_of(str(said[name]))
    except ModelError as error:
        return str(error)
    return ""


def _no_centre(looked: Looked, said: Mapping[str, Value]) -> str:
    around = str(said["around"])
    if around == "prompt":
        return _no_prompt(looked, said)
    of: Literal["image", "text"] = "image" if around == "image" else "text"
    if looked.row_of(str(said["centre"]), of) is None:
        return f"No {around} is called {str(said['centre'])[:80]!r}."
    vectors = looked.items.images if said["of"] == "image" else looked.items.texts
    return "" if vectors is not None and len(vectors) else f"There are no {said['of']}s."


ACTIONS: dict[str, Act] = {
    "drop": Act("Drop what is flagged", "Drops the items that a finding flags at its threshold; of copies and of "
                "repeated captions one of those left stays.",
                {"finding": Parameter("Finding", "choice", "copies", choices=tuple(evidence.KINDS)),
                 "threshold": _THRESHOLD}, drop, _finding_lacks, _needs_finding),
    "relabel": Act("Relabel suspects", "Gives the images whose label is suspect the label that is suggested.",
                   {"finding": Parameter("Finding", "choice", "labels", choices=evidence.SUGGESTING),
                    "threshold": _THRESHOLD}, relabel, _finding_lacks, _needs_finding),
    "lowest": Act("Drop the lowest by CLIPScore", "Drops the share of captions, or of images by the mean of their "
                  "captions, whose cosine of image and caption is lowest.",
                  {"percent": _percent(10.0), "by": Parameter("By", "choice", "caption", choices=_BY)},
                  lowest, _no_pairs),
    "rebalance": Act("Rebalance classes", "Drops images at random until no class has more than so many times the "
                     "images of the smallest; classes smaller than a number are left alone.",
                     {"ratio": Parameter("Largest over smallest", "number", 1.0, 1.0, 1e6),
                      "smallest": Parameter("Smallest class that counts", "whole", 1, 1, 10**9, unit="images")},
                     rebalance, _no_labels),
    "cap_class": Act("Cap a class", "Drops images of a class, or of each, at random until it has at most so many.",
                     {"label": Parameter("Class, empty for each", "text", ""),
                      "most": Parameter("At most", "whole", 100, 0, 10**9, unit="images")}, cap_class, _no_labels),
    "near": Act("Keep a cap of the sphere", "Keeps, or drops, what lies within an angle of a prompt or an item.",
                {"around": Parameter("Around", "choice", "prompt", choices=("prompt", "image", "text")),
                 "centre": Parameter("Prompt, or id of the item", "text", "", needed=True),
                 "angle": Parameter("Angle", "number", 75.0, 0.0, 180.0, unit="degrees"), "of": _WHICH, "way": _WAY},
                near, _no_centre),
    "random": Act("Subsample at random", "Keeps a share of the images, with their captions, at random.",
                  {"percent": _percent(50.0)}, random_share),
    "prompt": Act("Keep or drop by a prompt", "Keeps, or drops, what has at least a cosine to a prompt.",
                  {"prompt": _PROMPT, "cosine": Parameter("Cosine at least", "number", 0.25, -1.0, 1.0), "of": _WHICH,
                   "way": _WAY}, prompt_at, _no_prompt),
    "prompt_share": Act("Keep or drop the nearest to a prompt", "Keeps, or drops, the share with the highest cosine "
                        "to a prompt.", {"prompt": _PROMPT, "percent": _percent(10.0), "of": _WHICH, "way": _WAY},
                        prompt_share, _no_prompt),
    "prompt_against": Act("Keep or drop by two prompts", "Keeps, or drops, what lies nearer to one prompt than to "
                          "another, by a margin in cosine.",
                          {"prompt": _PROMPT, "against": Parameter("Against", "text", "", needed=True),
                           "margin": Parameter("Margin", "number", 0.0, -2.0, 2.0), "of": _WHICH, "way": _WAY},
                          prompt_against, _no_prompt),
}


def _at(said: Mapping[str, Value]) -> str:
    return "as proposed" if said["threshold"] is None else f"at {said['threshold']:.4g}"


def _does(said: Mapping[str, Value]) -> str:
    return f"{'Keep' if said['way'] == 'keep' else 'Drop'} {said['of']}s"


WORDS: dict[str, Callable[[Mapping[str, Value]], str]] = {
    "drop": lambda s: f"Drop {evidence.KINDS[str(s['finding'])].title.lower()}, {_at(s)}",
    "relabel": lambda s: f"Relabel {evidence.KINDS[str(s['finding'])].title.lower()}, {_at(s)}",
    "lowest": lambda s: f"Drop the lowest {s['percent']:g} % of {s['by']}s by CLIPScore",
    "rebalance": lambda s: f"Rebalance classes to at most {s['ratio']:g} times the smallest"
                           + (f" of {s['smallest']:,} images or more" if s["smallest"] != 1 else ""),
    "cap_class": lambda s: (f"Cap “{s['label']}”" if s["label"] else "Cap each class") + f" at {s['most']:,} images",
    "near": lambda s: f"{_does(s)} within {s['angle']:g}° of " + (f"“{s['centre']}”" if s["around"] == "prompt"
                                                                else f"{s['around']} {s['centre']}"),
    "random": lambda s: f"Keep {s['percent']:g} % at random",
    "prompt": lambda s: f"{_does(s)} with a cosine of {s['cosine']:g} or more to “{s['prompt']}”",
    "prompt_share": lambda s: f"{_does(s)}: the {s['percent']:g} % nearest to “{s['prompt']}”",
    "prompt_against": lambda s: f"{_does(s)} nearer to “{s['prompt']}” than to “{s['against']}” by {s['margin']:g}",
}
