"""A page with two runs that grow at each press of a button, for the browser tests of the training view."""

import numpy as np
import streamlit as st
from streamlit import App, runtime

IMAGES, TEXTS, EVERY, PLANNED = 40, 6, 10, 600
CLASSES = ("red cube", "blue cube", "red cone")


def places(run: int, snapshots: int) -> np.ndarray:
    """(s, n, 3): each point on a circle of its own, faster in the second run; they come together by class."""
    rng = np.random.default_rng(5)
    start = rng.normal(size=(IMAGES + TEXTS, 3))
    end = np.eye(3)[np.arange(IMAGES + TEXTS) % 3] + 0.25 * rng.normal(size=(IMAGES + TEXTS, 3))
    share = np.minimum(1, np.arange(snapshots)[:, None, None] / (PLANNED / EVERY) * (1 + run))
    moved = (1 - share) * start / np.linalg.norm(start, axis=1, keepdims=True) + share * end
    return (moved / np.linalg.norm(moved, axis=2, keepdims=True)).astype(np.float32)


if not runtime.exists():
    from core.streamlit_app.server import BOUNDS

    app = App(__file__, **BOUNDS)
else:
    from core.learning.records.record import Probe, Record
    from core.streamlit_app.live.training_view import StepSought, shown_of, training_view

    st.set_page_config(layout="wide")
    probe = Probe(tuple(f"item <b>{i}</b>" for i in range(IMAGES)), tuple(f"a thing, number {j}" for j in range(TEXTS)),
                  np.stack([np.arange(IMAGES), np.arange(IMAGES) % TEXTS], 1),
                  tuple(CLASSES[i % 3] for i in range(IMAGES)))
    state, query = st.session_state, st.query_params
    state.setdefault("snapshots", int(query.get("snapshots", 1)))
    if st.button("more"):
        state["snapshots"] += 7
    if st.button("to step 300"):
        state["sought"] = state.get("sought", 0) + 1
    shown = []
    for run in range(int(query.get("runs", 2))):
        x = places(run, state["snapshots"])
        record = Record(f"run {run}", probe, EVERY * np.arange(len(x)), x[:, :IMAGES], x[:, IMAGES:],
                        setup={"steps": PLANNED})
        told = {"R@1 {} of 40 images, chance .33": np.linspace(0.3, 0.9, len(x))}
        shown.append(shown_of(record, told=told, running=state["snapshots"] <= PLANNED // EVERY))
    events = training_view(shown, key="probe", colour="class" if "by_class" in query else "kind",
                           flow=float(query.get("flow", 0)), trails=int(query.get("trails", 4)), height=420,
                           seek=StepSought(300, state["sought"]) if "sought" in state else None)
    if events.clicked is not None:
        state["clicked"] = events.clicked
    state["runs"] = state.get("runs", 0) + 1
    st.text(f"clicked={state.get('clicked')} step={events.step} camera={events.camera}")
    st.text(f"runs={state['runs']}")
