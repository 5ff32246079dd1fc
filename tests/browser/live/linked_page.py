"""A page with three spheres of the same points: two of one link name, of which one is turned over, and one alone."""

import streamlit as st

from core.geometry.directions import fibonacci
from core.scene import SphereScene
from core.streamlit_app.live.sphere_view import sphere_view

st.set_page_config(layout="wide")

N = 120


@st.cache_resource(max_entries=4)
def scene(turned: bool) -> SphereScene:
    places = fibonacci(N)[:, [1, 2, 0] if turned else [0, 1, 2]]
    return SphereScene(places, [0] * N, tuple(f"point {i}" for i in range(N)))


st.session_state["runs"] = st.session_state.get("runs", 0) + 1
clicked = {}
for column, key in zip(st.columns(3), ("one", "other", "alone")):
    with column:
        linked = "" if key == "alone" else "pair"
        clicked[key] = sphere_view(scene(key != "one"), key=key, height=360, linked=linked).clicked
st.text(f"runs={st.session_state['runs']} clicked={clicked}")
