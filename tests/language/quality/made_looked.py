"""Small things to look at, with findings made by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from core.geometry.directions import unit
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items
from core.geometry.quality.mislabels import Mislabels
from core.language.quality.actions import ACTIONS, Action
from core.language.quality.looked import Looked


@dataclass(frozen=True, eq=False)
class Alike(Finding):
    """Copies in the groups that were given."""

    alike: tuple[tuple[int, ...], ...] = field(default=())

    def groups(self, threshold: float | None = None) -> list[np.ndarray]:
        return [np.array(rows) for rows in self.alike]


def made_looked(n: int, captions_each: int = 1, *, labels: tuple[str, ...] = (), seed: int = 0, d: int = 8,
                shared: int = 0, **findings: Finding) -> Looked:
    """n images with so many captions each; the first ``shared`` images also have the first caption of image 0.

    Prompts are known without a model: "north" is the first axis, "east" the second.
    """
    rng = np.random.default_rng(seed)
    images = unit(rng.normal(size=(n, d)).astype(np.float32) + 1) if n else None
    links = [(i, i * captions_each + k) for i in range(n) for k in range(captions_each)]
    links += [(i, 0) for i in range(1, shared)]
    m = n * captions_each
    texts = unit(rng.normal(size=(m, d)).astype(np.float32) + 1) if m else None
    looked = Looked("made", Items(images, texts, np.array(links).reshape(-1, 2), labels),
                    tuple(f"i{k}" for k in range(n)), tuple(f"t{k}" for k in range(m)),
                    tuple(f"caption {k}" for k in range(m)), prompts_by="by hand")
    axes = np.eye(d, dtype=np.float32)
    looked.memory.update({("prompt", "north"): axes[0], ("prompt", "east"): axes[1]})
    looked.memory.update({("finding", key, 0): finding for key, finding in findings.items()})
    return looked


def scored(key: str, scores: list[float], *, of: str = "image", threshold: float = 1.0) -> Finding:
    """A finding that flags scores from the threshold on."""
    return Finding(key, of, np.array(scores, dtype=np.float32), "high", threshold, "score")  # type: ignore[arg-type]


def alike(n: int, *groups: tuple[int, ...], key: str = "copies", of: str = "image") -> Alike:
    """Groups of copies among n items."""
    scores = np.zeros(n, np.float32)
    for rows in groups:
        scores[list(rows)] = 1
    return Alike(key, of, scores, "high", 0.5, "cosine", alike=groups)  # type: ignore[arg-type]


def suspects(rows: dict[int, str], n: int) -> Mislabels:
    """Suspect labels with what is suggested."""
    scores = np.array([0.0 if i in rows else 1.0 for i in range(n)], np.float32)
    return Mislabels("labels", "image", scores, "low", 0.5, "probability",
                     suggested=tuple(rows.get(i, "") for i in range(n)))


VALUES = {"finding": st.sampled_from(["copies", "outliers", "captions"]), "label": st.sampled_from(["", "a", "b"]),
          "prompt": st.just("north"), "against": st.just("east"), "centre": st.just("north"),
          "around": st.just("prompt"), "threshold": st.none() | st.floats(-1, 3)}


@st.composite
def actions(draw: st.DrawFn) -> Action:
    """Any action that `anything` allows."""
    kind = draw(st.sampled_from([kind for kind in ACTIONS if kind != "relabel"]))
    said = {}
    for name, parameter in ACTIONS[kind].parameters.items():
        if parameter.kind == "choice":
            values = VALUES.get(name, st.sampled_from(parameter.choices))
        elif parameter.kind == "whole":
            values = st.integers(int(parameter.low), 12)
        else:
            values = VALUES.get(name, st.floats(parameter.low, min(parameter.high, 100.0)))
        said[name] = draw(values)
    return Action(kind, said, draw(st.booleans()))


def anything(n: int, each: int, shared: int) -> Looked:
    """With copies in groups of two to four, some outliers and captions that are flagged."""
    rows = list(range(n))
    groups = tuple(tuple(rows[i:i + 2 + i % 3]) for i in range(0, n - 4, 5))
    outliers = scored("outliers", [float(i % 4 == 3) for i in rows])
    captions = scored("captions", [float(i % 5 == 2) for i in range(n * each)], of="text")
    return made_looked(n, each, labels=tuple("ab"[i % 3 == 0] if i % 7 else "" for i in rows), shared=min(shared, n),
                       copies=alike(n, *groups), outliers=outliers, captions=captions)
