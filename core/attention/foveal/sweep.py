"""Which foveal mask finds boxes best: one dial after another is turned, on scenes of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.attention.foveal.referring import refer
from core.attention.masks import FOVEAL, PUBLISHED, ROWS, Steering
from core.attention.towers import ImageTower
from core.geometry.differences import Difference, hits_differ, holm
from core.sources.foveal.boxed import BoxedPictures
from core.types import Number

ALPHAS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0)
SIGMAS = (0.5, 1.0, 2.0, 5.0, 100.0)
AS_PUBLISHED = replace(PUBLISHED, alpha=4.0)      # in all layers; there it finds as many from alpha 0.2 on
# Scenes of three solids on which the mask was chosen, and on which the windows of `finding` were; none is scored.
SWEPT_SEEDS, SWEPT = (5000, 5001), (400, 500)
FOUND_SEED, FOUND_SCENES = 6000, 60


@dataclass(frozen=True)
class Turn:
    """One place of one dial, with all other dials where the sweep has them.

    Attributes
    ----------
    dial : "alpha", "sigma", "layers", "rows" or "profile".
    label : the place, for users.
    steering : the mask.
    raw, subtracted : accuracy without and with other captions subtracted; interval by pictures, chance as null.
    off : accuracy (subtracted) less that of the mask about which the dials are turned, on the same sentences; p
        corrected over all places of all dials (Holm).
    """

    dial: str
    label: str
    steering: Steering
    raw: Number
    subtracted: Number
    off: Difference


@dataclass(frozen=True)
class Sweep:
    """All dials, turned one at a time.

    Attributes
    ----------
    name : of the scenes.
    about : the mask where all dials stand but the one that is turned.
    turns : in the order of the dials and of their places.
    """

    name: str
    about: Steering
    turns: tuple[Turn, ...]

    def of(self, dial: str) -> tuple[Turn, ...]:
        """The places of one dial, in order."""
        return tuple(turn for turn in self.turns if turn.dial == dial)


def places(tower: ImageTower, about: Steering = FOVEAL) -> dict[tuple[str, str], Steering]:
    """The masks of a sweep by (dial, label)."""
    n = tower.layers
    out = {("alpha", f"{a:g}"): replace(about, alpha=a) for a in sorted({*ALPHAS, about.alpha})}
    out |= {("sigma", f"{s:g}"): replace(about, sigma=s) for s in sorted({*SIGMAS, about.sigma})}
    third, half = max(1, n // 3), max(1, n // 2)
    for label, layers in (("all", None), ("last half", tuple(range(n - half, n))),
                          ("last third", tuple(range(n - third, n))), ("last", (n - 1,)),
                          ("first half", tuple(range(half))), ("all but the last", tuple(range(n - 1)))):
        out["layers", label] = replace(about, layers=layers)
    for rows in ROWS:
        out["rows", rows] = replace(about, rows=rows)
    for label, alpha in ((f"as published, alpha {AS_PUBLISHED.alpha:g}", AS_PUBLISHED.alpha),
                         (f"as published, alpha {PUBLISHED.alpha:g}", PUBLISHED.alpha)):
        out["profile", label] = replace(about, profile="gaussian", alpha=alpha)
    return out | {("profile", "by share"): about, ("profile", "hard"): replace(about, hard=True)}


def sweep(tower: ImageTower, data: BoxedPictures, about: Steering = FOVEAL, *, seed: int = 0,
          on_progress: Callable[[float, str], None] | None = None,
          should_stop: Callable[[], bool] | None = None) -> Sweep:
    """Turn one dial at a time about a mask.

    Parameters
    ----------
    tower, data, seed, on_progress, should_stop : as `core.attention.foveal.referring.refer`.
    about : where the other dials stand.
    """
    asked = {**places(tower, about), ("", "about"): about}
    different = list(dict.fromkeys(asked.values()))
    found = {}
    for i, steering in enumerate(different):
        def say(share: float, text: str, at: int = i) -> None:
            if on_progress is not None:
                on_progress((at + share) / len(different), text)

        found[steering] = refer(tower, data, ("foveal",), steering={"foveal": steering}, seed=seed, on_progress=say,
                                should_stop=should_stop)
    base = found[about]
    offs = holm({key: hits_differ(base.hits["foveal", True], found[s].hits["foveal", True], base.picture, seed=seed)
                 for key, s in asked.items() if s != about})
    same = hits_differ(base.hits["foveal", True], base.hits["foveal", True], base.picture, seed=seed)
    return Sweep(data.name, about, tuple(
        Turn(*key, s, found[s].accuracy["foveal", False], found[s].accuracy["foveal", True], offs.get(key, same))
        for key, s in asked.items() if key[0]))
