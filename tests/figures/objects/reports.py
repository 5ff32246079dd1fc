"""Reports on made-up objects that the tests of the figures share."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from core.geometry.directions import unit
from core.geometry.objects import profiles
from core.geometry.objects.equivariance import Equivariance, equivariance
from core.geometry.objects.recognition import recognition_report
from core.geometry.objects.reports import (
    AnglesReport,
    EnergyReport,
    MembershipReport,
    RecognitionReport,
    StyleReport,
)
from core.geometry.objects.transfer import Setting, score_styles, style_task
from core.geometry.objects.votes import PoseSweep, pose_sweep
from tests.geometry.objects.made import D, objects
from tests.geometry.objects.test_equivariance import sheet

VIEWS = objects(n=5, styles=3, views=8, noise=0.6, spread=0.8)
TEXTS = unit(np.random.default_rng(21).normal(size=(3, D)))
PROMPTS = unit(np.stack([VIEWS.of(k).mean(axis=0) for k in range(5)]))


@lru_cache(maxsize=1)
def energies() -> tuple[EnergyReport, ...]:
    return tuple(profiles.energy_report(VIEWS, k) for k in range(3))


@lru_cache(maxsize=1)
def memberships() -> MembershipReport:
    return profiles.membership_report(VIEWS, 1, rank=4, others={"captions": TEXTS})


@lru_cache(maxsize=1)
def angles() -> AnglesReport:
    return profiles.angles_report(VIEWS, rank=3)


@lru_cache(maxsize=1)
def recognition() -> RecognitionReport:
    return recognition_report([VIEWS], prompts=PROMPTS, n_views=(1, 2, 4), ranks=(1, 2, 4, 8))


@lru_cache(maxsize=2)
def views(random: bool = True) -> Equivariance:
    rng = np.random.default_rng(6)
    half = unit(rng.normal(size=(12, 3)))
    directions = np.concatenate([half, -half])
    if not random:
        at = np.arange(12) * np.pi / 6
        directions = np.stack([np.cos(at), np.sin(at), 0 * at], axis=1)
    return equivariance(sheet(directions, even=True, noise=0.1), directions, unit(rng.normal(size=(30, 20))))


@lru_cache(maxsize=2)
def styles(change: bool = False) -> StyleReport:
    chosen = Setting(4, 1.0)
    settings = {key: chosen for key in ("subspace", "subspace_published", "pae", "pae_plus", "arithmetic", "sum")}
    settings["subspace_published:at the rank that suits it"] = Setting(1, 0.75)
    return score_styles([style_task(VIEWS, TEXTS, change=change)], settings, prompts=PROMPTS, ranks=(1, 2, 4, 8))


@lru_cache(maxsize=1)
def poses() -> PoseSweep:
    x = VIEWS.vectors.reshape(15, 8, D)
    return pose_sweep(x, np.arange(15) * 24.0, PROMPTS, VIEWS.names)
