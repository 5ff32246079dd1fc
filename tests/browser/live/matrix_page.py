"""A page with one matrix, for the browser tests of the view."""

import streamlit as st

from core.streamlit_app.live.matrix_view import matrix_view
from tests.browser.live.matrix_pairs import report

st.set_page_config(layout="wide")

n = int(st.query_params.get("n", 100))
shown = st.cache_resource(report, max_entries=4)(n)
scale = "block" if st.checkbox("block") else "one"
pictures = [f"<b>picture</b> {i}" for i in range(n)]
captions = [f"<script>document.title = 'hacked'</script> caption {i}" for i in range(n)]
cell = matrix_view(shown, key="probe", scale=scale, images=pictures, texts=captions, height=700,
                   picked=st.session_state.get("picked"))
if cell is not None:
    st.session_state["picked"] = cell
    st.rerun()
picked = st.session_state.get("picked")
st.text("none" if picked is None else f"picked {picked.row} {picked.column} {picked.row_modality} "
        f"{picked.column_modality} {picked.row_item} {picked.column_item} {picked.cosine:.3f} {picked.matched}")
