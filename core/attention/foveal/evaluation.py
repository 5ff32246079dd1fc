"""How often each way of pointing finds the box that a sentence means, and where sentences point without boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from core.attention.foveal.finding import CENTRE, SEARCH, FindingReport, finding_report
from core.attention.foveal.referring import ReferringReport, refer
from core.attention.foveal.scenes import world_references
from core.attention.foveal.sweep import AS_PUBLISHED, FOUND_SCENES, FOUND_SEED, SWEPT, SWEPT_SEEDS
from core.attention.masks import FOVEAL
from core.attention.prompts import MARGIN
from core.attention.towers import ImageTower
from core.errors import ShapeError
from core.geometry.differences import Difference, hits_differ
from core.sources.foveal.boxed import BoxedPictures
from core.types import Number

METHODS = ("foveal", "crop", "blur", "grey", "hard_mask", "red_ellipse", "none")
SCENES, MOST_SCENES = 200, 2_000
FIND_SCENES = 60
FIRST_SEED = 10_000     # scored scenes begin here whatever the seed; those tuned on lie below


@dataclass(frozen=True, eq=False)
class FovealEvaluation:
    """What the command prints.

    Attributes
    ----------
    referring : by "2", "3" (solids in a scene) and "solid_3" (named by their solids alone); "" for a file.
    published : by the same, the foveal mask with its published profile, in all layers.
    finding : windows; None for a file.
    seeds : of the scenes, by what is scored on them.
    """

    referring: Mapping[str, ReferringReport]
    published: Mapping[str, ReferringReport]
    finding: FindingReport | None
    seeds: Mapping[str, int]

    def figures(self) -> dict[str, Number]:
        """All numbers by name."""
        out: dict[str, Number] = {}
        for kind, report in self.referring.items():
            solid, after = ("solid_", "_3") if kind == "solid_3" else ("", f"_{kind}" if kind else "")
            for subtracted in (False, True):
                less = "_subtracted" if subtracted else ""
                for method in report.methods:
                    out[f"refer_{solid}{method}{after}{less}"] = report.accuracy[method, subtracted]
                out[f"refer_{solid}published{after}{less}"] = self.published[kind].accuracy["foveal", subtracted]
                for method in report.methods[1:]:
                    name = f"refer_{solid}foveal{after}{less}_over_{method}"
                    out |= _told(name, report.over[method, subtracted])
                out |= _told(f"refer_{solid}foveal{after}{less}_over_published",
                             hits_differ(self.published[kind].hits["foveal", subtracted],
                                         report.hits["foveal", subtracted], report.picture))
        if self.finding is not None:
            out |= {"find_iou": self.finding.iou["foveal"], "find_iou_crop": self.finding.iou["crop"],
                    "find_iou_centre": self.finding.iou[CENTRE]}
            for name, difference in self.finding.over.items():
                out |= _told(f"find_iou_over_{name}", difference)
        return out

    def chosen(self) -> dict[str, object]:
        """Seeds, mask and windows, as plain values."""
        return {"seeds_scored": dict(self.seeds),
                "seeds_tuned": {"mask": list(SWEPT_SEEDS), "windows": [FOUND_SEED]},
                "scenes_tuned": {"mask": list(SWEPT), "windows": [FOUND_SCENES]},
                "foveal": asdict(FOVEAL), "published": asdict(AS_PUBLISHED), "windows": asdict(SEARCH),
                "crop_margin": MARGIN}


def evaluate_scenes(tower: ImageTower, *, seed: int = 0, scenes: int = SCENES, found: int = FIND_SCENES,
                    on_progress: Callable[[float, str], None] | None = None,
                    should_stop: Callable[[], bool] | None = None) -> FovealEvaluation:
    """Referring and finding on scenes of the built-in world, of other seeds than those that chose mask and windows.

    Parameters
    ----------
    tower : what sees and reads.
    seed : scenes have the seeds ``10,000 + 10 * seed`` and on.
    scenes : of two solids, of three, and of three named by their solids, 6 to 2,000 each.
    found : scenes of three solids that are looked through without boxes, 6 to 2,000.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.
    """
    if not all(6 <= n <= MOST_SCENES for n in (scenes, found)) or seed < 0:
        raise ShapeError(f"6 to {MOST_SCENES:,} scenes and a seed of 0 or more", f"{scenes}, {found} and seed {seed}")
    first = FIRST_SEED + 10 * seed
    seeds = {"2": first, "3": first, "solid_3": first + 1, "find": first + 2}
    referring, published = {}, {}
    for i, kind in enumerate(("2", "3", "solid_3")):
        data = world_references(scenes, seeds[kind], objects=2 if kind == "2" else 3, by_name=kind == "solid_3")
        say = _part(on_progress, 0.2 * i, 0.2 * (i + 1))
        referring[kind], published[kind] = _both(tower, data, "{}", say, should_stop)
    finding = finding_report(tower, world_references(found, seeds["find"]), on_progress=_part(on_progress, 0.6, 1.0),
                             should_stop=should_stop)
    return FovealEvaluation(referring, published, finding, seeds)


def evaluate_file(tower: ImageTower, data: BoxedPictures, *, template: str = "{}", seed: int = 0,
                  on_progress: Callable[[float, str], None] | None = None,
                  should_stop: Callable[[], bool] | None = None) -> FovealEvaluation:
    """Referring on pictures with boxes and sentences, as `core.sources.foveal.opening.open_boxed` gives them."""
    referring, published = _both(tower, data, template, _part(on_progress, 0.0, 1.0), should_stop, seed)
    return FovealEvaluation({"": referring}, {"": published}, None, {})


def _both(tower: ImageTower, data: BoxedPictures, template: str, say: Callable[[float, str], None],
          should_stop: Callable[[], bool] | None, seed: int = 0) -> tuple[ReferringReport, ReferringReport]:
    """All methods, and the published profile of the mask."""
    report = refer(tower, data, METHODS, template=template, seed=seed, should_stop=should_stop,
                   on_progress=lambda share, text: say(0.85 * share, text))
    published = refer(tower, data, ("foveal",), steering={"foveal": AS_PUBLISHED}, template=template, seed=seed,
                      should_stop=should_stop, on_progress=lambda share, text: say(0.85 + 0.15 * share, text))
    return report, published


def _told(name: str, difference: Difference) -> dict[str, Number]:
    out = {name: difference.change}
    return out if difference.p is None else out | {f"{name}_p": Number(difference.p, n=difference.change.n)}


def _part(on_progress: Callable[[float, str], None] | None, start: float, end: float
          ) -> Callable[[float, str], None]:
    return lambda share, text: on_progress(start + share * (end - start), text) if on_progress else None
