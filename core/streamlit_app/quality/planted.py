"""Faults planted into the built-in world, so that one sees what each finding finds of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.geometry.quality.finding import Finding
from core.language.quality.planted import FAULTS_OF, Caught, caught, was_planted
from core.sources.solids.faults import FAULTS, plant_all
from core.streamlit_app import cached, state
from core.streamlit_app.data.opened import Opened

if TYPE_CHECKING:
    from core.streamlit_app.data.ready import Ready
    from core.types import Dataset

TIMES_RATE = 3
"""The rate of an imbalance, in shares of the items that other faults touch."""


def pick_faults(key: str) -> dict[str, float]:
    """The widgets that choose faults; by fault, the share of the items that it touches."""
    with st.popover("Plant faults", icon=":material/bug_report:"):
        faults = state.pick_several("Faults planted in the built-in world", {name: name for name in FAULTS}, key=key,
                                    help="One sees what each finding finds of them.")
        percent = state.pick_number("Share of the items that each touches", 1, 50, key=f"{key}_share", default=10,
                                    unit="%", help="An imbalance falls from class to class at three times this rate.")
    return {name: percent / 100 * (TIMES_RATE if name == "imbalance" else 1) for name in faults}


def with_faults(opened: Opened, faults: dict[str, float]) -> Opened:
    """The built-in world with these faults; itself without."""
    whole = opened.dataset
    if not faults or whole is None:
        return opened
    n, seed = (int(part) for part in opened.key.split("-")[1:3])
    key = f"planted:{n}:{seed}:" + ":".join(f"{name}={share:g}" for name, share in faults.items())
    st.session_state.setdefault("quality.planted", {})[key] = n, seed, faults

    def planted() -> Dataset:
        return replace(plant_all(whole, faults), name=f"{whole.name}, with {', '.join(faults)}")

    dataset = cached.views(key, planted)
    imports = ("from core.sources.solids.faults import plant_all", "from core.sources.solids.world import open_world")
    lines = (f"dataset = plant_all(open_world(n={n}, seed={seed}), {faults!r})",)
    return replace(opened, name=dataset.name, key=key, dataset=dataset, source="planted", in_world=True,
                   python=(imports, lines))


def world_of(opened: Opened) -> tuple[int, int, dict[str, float]]:
    """Scenes, seed and planted faults of the built-in world; no scenes of anything else."""
    if opened.built_in:
        n, seed = (int(part) for part in opened.key.split("-")[1:3])
        return n, seed, {}
    known: dict[str, tuple[int, int, dict[str, float]]] = st.session_state.get("quality.planted", {})
    return known.get(opened.key.split("-")[0], (0, 0, {}))


def caught_of(ready: Ready, found: Finding, threshold: float) -> Caught | None:
    """How much of what was planted a finding got; None where nothing of the kind was."""
    part = ready.images if found.of == "image" else ready.texts
    if part is None or found.key not in FAULTS_OF or not was_planted(part.table):
        return None
    got = caught(found, part.table, part.ids, threshold)
    return got if got.planted else None
