"""A page with one sphere, for the browser tests of the view."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from core.geometry.directions import fibonacci
from core.scene import Arc, Cap, Colouring, Mark, SphereScene
from core.streamlit_app.live.sphere_view import sphere_view

st.set_page_config(layout="wide")


@st.cache_resource(max_entries=4)
def scene(n: int, turned: bool, heat: bool) -> SphereScene:
    coords = fibonacci(n)[:, [1, 2, 0] if turned else [0, 1, 2]]
    pictures = {}
    for i in range(0, min(n // 2, 200)):
        out = io.BytesIO()
        Image.new("RGB", (48, 48), (200, (i * 37) % 256, (i * 91) % 256)).save(out, "JPEG")
        pictures[i] = out.getvalue()
    labels = [f"point {i}" for i in range(n)]
    labels[1] = "<script>document.title = 'hacked'</script><b>bold</b>"
    labels[2] = "long " * 10_000
    return SphereScene(
        coords, np.repeat([0, 1], [n // 2, n - n // 2]), tuple(labels), title="A <b>title</b>", note="A note.",
        colouring=Colouring("group", groups=tuple(f"<i>g</i>{i % 3}" for i in range(n))),
        pairs=np.array([[0, n - 1], [3, 4]]), thumbnails=pictures, shown=tuple(range(0, min(n // 2, 200), 12)),
        caps=(Cap(coords[0], 0.4, "a cap", "image"),),
        marks=tuple(Mark(coords[7 + 3 * i], f"mark number {i}", "prompt") for i in range(24)),
        arcs=(Arc(coords[5], coords[40], "an arc"),), arrows=np.array([[coords[9], coords[20]]]),
        heat=np.linspace(0, 1, 32 * 64).reshape(32, 64) if heat else None, heat_title="heat")


turned, other = st.checkbox("turned"), st.checkbox("other data")
shown = scene(int(st.query_params.get("n", 300)), turned, "heat" in st.query_params)
events = sphere_view(shown, key="probe", height=600, camera=st.query_params.get("camera"),
                     picked=st.session_state.get("picked"), data=f"data {other}",
                     facing=np.array([0.6, 0.0, -0.8]) if other else None)
if events.camera:
    st.query_params["camera"] = events.camera
if events.clicked is not None:
    st.session_state["picked"] = events.clicked
st.text(f"clicked={st.session_state.get('picked')}")
st.text(f"camera={events.camera}")
