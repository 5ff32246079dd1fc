"""Worlds with planted faults, each fault alone, and how well it is found by its finding and by simpler ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.encoding.encoder import Encoder
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.geometry.quality.captions import mismatched
from core.geometry.quality.copies import Copies
from core.geometry.quality.finding import Finding
from core.geometry.quality.pixels import findings_of
from core.geometry.quality.scoring import Dropped
from core.geometry.scores import Score, average_precision, roc_auc
from core.language.quality import simpler
from core.language.quality.evidence import find
from core.language.quality.labels import judge_labels
from core.language.quality.looked import Looked, Progress, Stop, look
from core.language.quality.planted import Caught, caught, copy_groups
from core.sources.quality.pixels import measure_pixels
from core.sources.solids.faults import plant_all
from core.sources.solids.touched import has_fault
from core.sources.solids.world import open_world

COPIES: Mapping[str, str] = {"duplicate": "near duplicates", "duplicate_harsh": "harsh duplicates"}
AMOUNTS: Mapping[str, float] = {
    "near duplicates": 0.4, "harsh duplicates": 0.4, "wrong attributes": 0.3, "wrong captions": 0.3,
    "wrong labels": 0.1, "blur": 0.1, "dark": 0.05, "bright": 0.05, "flat": 0.05, "grey": 0.05, "tiny": 0.05,
    "strip": 0.05, "other world": 0.05}
"""Share of what is touched, or of copies added, by fault."""
PICTURES: Mapping[str, str] = {"blur": "blur", "dark": "dark", "bright": "bright", "low_information": "flat",
                               "grey": "grey", "odd_size": "tiny", "odd_aspect": "strip"}
FIXED = 0.95
WAYS = ("content", "cosine_95", "cosine", "mutual")


@dataclass(frozen=True, eq=False)
class Planted:
    """A set of scenes with faults, as vectors.

    Attributes
    ----------
    looked : what was embedded.
    image_table, text_table : the truth, a row an item of these.
    """

    looked: Looked
    image_table: pd.DataFrame
    text_table: pd.DataFrame

    @property
    def x(self) -> np.ndarray:
        assert self.looked.items.images is not None
        return self.looked.items.images

    def caught(self, finding: Finding) -> Caught:
        """What a finding got at the threshold that it proposes."""
        of_images = finding.of == "image"
        return caught(finding, self.image_table if of_images else self.text_table,
                      self.looked.image_ids if of_images else self.looked.text_ids)


@dataclass(frozen=True, eq=False)
class Found:
    """What was found in one set of scenes.

    Attributes
    ----------
    scores : by name of the figure.
    caught : by the name of the finding, what it got at the threshold that it proposes.
    """

    scores: dict[str, Score] = field(default_factory=dict)
    caught: dict[str, Caught] = field(default_factory=dict)


class Scenes:
    """The scenes of a seed, into which faults are planted.

    Parameters
    ----------
    model, store : what encodes, and where vectors are kept.
    seed : of the scenes and of the faults.
    n : how many scenes.
    """

    def __init__(self, model: Encoder, store: Store, seed: int, n: int) -> None:
        self.model, self.store, self.seed, self.n = model, store, seed, n
        self.base = open_world(n, seed)
        self._of_one: Scenes | None = None

    def of_one_solid(self) -> Scenes:
        """As many scenes with a single solid each, so that a picture has one label and each attribute one bearer."""
        if self._of_one is None:
            self._of_one = Scenes(self.model, self.store, self.seed, self.n)
            self._of_one.base = open_world(self.n, self.seed, count=1)
        return self._of_one

    def with_faults(self, *faults: str, on_progress: Progress | None = None,
                    should_stop: Stop | None = None) -> Planted:
        """The scenes with these faults."""
        data = plant_all(self.base, {fault: AMOUNTS[fault] for fault in faults}, self.seed)
        found = embed(data, self.model, self.store, on_progress=on_progress, should_stop=should_stop)
        assert found.images is not None
        return Planted(look(found, data, prompts_by=self.model.spec.id), found.images.table,
                       found.texts.table if found.texts is not None else data.text_table.iloc[:0])


@dataclass(frozen=True, eq=False)
class CopiesKnown:
    """A set with copies, and which belong together."""

    x: np.ndarray
    groups: np.ndarray
    hashes: tuple[str, ...]
    finding: Copies

    @classmethod
    def of(cls, planted: Planted, seed: int) -> CopiesKnown:
        finding = find(planted.looked, "copies", seed=seed)
        assert isinstance(finding, Copies)
        return cls(planted.x, copy_groups(planted.image_table, planted.looked.image_ids), planted.looked.hashes,
                   finding)

    def dropped(self, way: str, threshold: float) -> Dropped:
        """What is dropped by a way, "" for the finding; a threshold where it has one."""
        rows = {"": lambda: self.finding.to_drop(threshold), "content": lambda: simpler.same_content(self.hashes),
                "cosine_95": lambda: simpler.alike(self.x, FIXED), "cosine": lambda: simpler.alike(self.x, threshold),
                "mutual": lambda: simpler.mutually_nearest(self.x, threshold)}[way]()
        return Dropped.of(rows, self.groups)


def copies_found(known: CopiesKnown, name: str, thresholds: Mapping[str, float]) -> dict[str, Score]:
    """F1 of the finding and of simpler ways, at thresholds chosen elsewhere, and share found by size of group."""
    by = {way: known.dropped(way, thresholds.get(way, FIXED)) for way in ("", *WAYS)}
    out = {f"{name}_f1{'_' + way if way else ''}": dropped.f1() for way, dropped in by.items()}
    out[f"{name}_f1_proposed"] = known.dropped("", known.finding.threshold).f1()
    return out | {f"{name}_found_of_{size}": by[""].recall(size) for size in sorted(set(by[""].sizes.tolist()) - {1})
                  if size in (2, 3, 10)}


def faults_found(scenes: Scenes, on_progress: Callable[[float, str], None], should_stop: Stop | None) -> Found:
    """Captions, labels, pictures and outliers of one set of scenes, each fault planted alone."""
    found = Found()
    steps = (_captions, _labels, _pictures, _outliers)
    for i, step in enumerate(steps):
        def say(share: float, text: str, i: int = i) -> None:
            on_progress((i + share) / len(steps), text)

        step(scenes, found, say, should_stop)
    return found


def _captions(scenes: Scenes, found: Found, say: Progress, stop: Stop | None) -> None:
    of_one = scenes.of_one_solid()
    for name, of, fault in (("caption", of_one, "wrong attributes"), ("caption_of_several", scenes, "wrong attributes"),
                            ("caption_dealt", scenes, "wrong captions")):
        planted = of.with_faults(fault, on_progress=say, should_stop=stop)
        finding = mismatched(planted.looked.items, seed=scenes.seed)
        wrong = has_fault(planted.text_table, fault)
        if min(wrong.sum(), (~wrong).sum()) < 2:   # a model that does not read such captions
            continue
        shuffled = np.random.default_rng(scenes.seed).permutation(finding.cosines)
        found.scores.update({f"{name}_auc": roc_auc(finding.scores, wrong, finding.worse),
                             f"{name}_auc_cosine": roc_auc(finding.cosines, wrong, "low"),
                             f"{name}_auc_percentile": roc_auc(finding.percentiles, wrong, "low"),
                             f"{name}_auc_shuffled": roc_auc(shuffled, wrong, "low")})
        found.caught[name] = planted.caught(finding)
        if name == "caption":
            which = planted.text_table["wrong_attribute"].to_numpy(str)
            for attribute in sorted(set(which) - {""}):
                kept = ~wrong | (which == attribute)
                if (which == attribute).sum() > 1:
                    found.scores[f"{name}_auc_{attribute}"] = roc_auc(finding.scores[kept], wrong[kept], finding.worse)


def _labels(scenes: Scenes, found: Found, say: Progress, stop: Stop | None) -> None:
    for name, of in (("mislabel", scenes.of_one_solid()), ("mislabel_of_several", scenes)):
        planted = of.with_faults("wrong labels", on_progress=say, should_stop=stop)
        labels, wrong = planted.looked.items.labels, has_fault(planted.image_table, "wrong labels")
        judged = judge_labels(planted.x, labels, model=scenes.model, seed=scenes.seed, should_stop=stop)
        by = {"": judged.best, "_fitted": judged.fitted, "_zero_shot": judged.zero_shot}
        found.scores.update({f"{name}_ap{way}": average_precision(judge.scores, wrong, judge.worse)
                             for way, judge in by.items() if judge is not None})
        found.scores[f"{name}_ap_neighbours"] = average_precision(simpler.other_labels(planted.x, labels), wrong)
        found.caught[name] = planted.caught(judged.best)


def _pictures(scenes: Scenes, found: Found, say: Progress, stop: Stop | None) -> None:
    for key, fault in PICTURES.items():
        data = plant_all(scenes.base, {fault: AMOUNTS[fault]}, scenes.seed)
        assert data.images is not None
        measures = measure_pixels(data.images, data.image_ids, on_progress=say, should_stop=stop)
        finding, wrong = findings_of(measures)[key], has_fault(data.image_table, fault)
        found.scores[f"{key}_auc"] = roc_auc(finding.scores, wrong, finding.worse)
        found.caught[key] = caught(finding, data.image_table, data.image_ids)
        if key == "blur":
            edges = np.array([simpler.edge_variance(data.images.decode(i)) for i in range(len(data.images))])
            found.scores["blur_auc_edge_variance"] = roc_auc(edges, wrong, "low")


def _outliers(scenes: Scenes, found: Found, say: Progress, stop: Stop | None) -> None:
    planted = scenes.with_faults("other world", on_progress=say, should_stop=stop)
    wrong = has_fault(planted.image_table, "other world")
    finding = find(planted.looked, "outliers", seed=scenes.seed)
    found.scores["outlier_auc"] = roc_auc(finding.scores, wrong, finding.worse)
    found.scores["outlier_auc_mean"] = roc_auc(simpler.from_the_mean(planted.x), wrong, "low")
    found.scores["outlier_auc_neighbours"] = roc_auc(simpler.far_from_neighbours(planted.x), wrong, "low")
    found.caught["outlier"] = planted.caught(finding)
