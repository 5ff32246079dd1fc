"""The dials of a run, as widgets whose values stand in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.learning.towers.setup import DIALS, Setup
from core.streamlit_app import panels, state

DATA = ("caption_noise", "mismatched", "vague", "unique", "imbalance", "missing", "blur")
TRAINING = ("batch", "temperature", "loss", "distance")
SHAPE = ("tower", "projection", "start")
LABELS = {"temperature": "Temperature (0: learned)"}
STEPS = {"caption_noise": 0.05, "mismatched": 0.05, "vague": 0.05, "unique": 0.01, "imbalance": 0.1, "missing": 0.05,
         "blur": 0.01, "temperature": 0.01, "batch": 8}


def pick_setup(*, world: bool) -> Setup:
    """All dials, in a panel that opens; those that stand elsewhere than at first are said beside it."""
    with st.container(horizontal=True, vertical_alignment="center", key="dynamics.dials"):
        with st.popover("Dials", icon=":material/tune:"):
            values = _training()
            st.markdown("**What is wrong with the training pairs**")
            values |= _several([name for name in DATA if world or not DIALS[name].world])
        setup = Setup(**values)
        st.text(in_words(setup), width="content")
        if setup != Setup():
            st.button("Back to the first setting", icon=":material/undo:", key="dynamics.reset", type="tertiary",
                      on_click=_reset)
    return setup


def in_words(setup: Setup) -> str:
    """What is unlike the first setting, as the name of a run; how often it is looked at changes no training."""
    said = []
    for name, value in setup.as_json().items():
        if name == "every" or value == getattr(Setup, name):
            continue
        dial = DIALS.get(name)
        if dial is not None and dial.choices is not None:
            said.append(dial.choices[str(value)])
        else:
            title = dial.title.lower() if dial is not None else name.replace("_", " ")
            said.append(f"{title} {value:g}" if isinstance(value, int | float) else f"{title} {value}")
    return ", ".join(said) or "first setting"


def _training() -> dict[str, Any]:
    st.markdown("**How it is trained**")
    left, right = st.columns(2)
    with left:
        steps = state.pick_number("Steps", 50, 3_000, key="steps", default=Setup.steps, step=50)
        dim = state.pick_number("Dimensions", 2, 64, key="dim", default=Setup.dim,
                                help="With 3, the sphere that one sees is the space itself.")
    with right:
        seed = state.pick_number("Seed", 0, 99, key="run_seed", default=Setup.seed,
                                 help="Of weights, batches and faults: the same seed, the same run.")
        rate = state.pick_number("Learning rate, thousandths", 0.1, 50.0, key="rate", default=5.0, step=0.1)
    return {"steps": steps, "every": max(1, steps // 60), "dim": dim, "seed": seed, "learning_rate": rate / 1000,
            **_several(TRAINING), **_several(SHAPE)}


def _several(names: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    columns = st.columns(2)
    for i, name in enumerate(names):
        dial = DIALS[name]
        with columns[i % 2]:
            if dial.choices is not None:
                values[name] = state.pick_option(dial.title, dial.choices, key=f"dial_{name}", help=dial.help)
            else:
                default = getattr(Setup, name)
                kind = type(default)
                values[name] = state.pick_number(LABELS.get(name, dial.title), kind(dial.low), kind(dial.high),
                                                 key=f"dial_{name}", default=default, step=kind(STEPS[name]),
                                                 help=panels.plain(dial.help))
    return values


def _reset() -> None:
    for key in [*(f"dial_{name}" for name in DIALS), "steps", "dim", "run_seed", "rate"]:
        state.kept().pop(key, None)
        st.session_state.pop(key, None)
        state.write_url(key, None)
