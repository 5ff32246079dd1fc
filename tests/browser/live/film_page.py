"""A page with two films on one sphere, for the browser tests of the film view; its videos lie in the folder FILMS."""

import io
import os
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw
from streamlit import App, runtime

FRAMES, OF_SECOND, SAID = 41, 25, 4     # the first film's, every half second; the other's; subtitles of the first
CUTS = (0, 14, 27)
FOLDER = Path(os.environ.get("FILMS", "."))


def places() -> np.ndarray:
    """Three arcs with cuts between them, another film's arc, and subtitles beside the first."""
    t = np.linspace(0, 1, FRAMES)
    shot = np.searchsorted(CUTS, np.arange(FRAMES), side="right") - 1
    longitude = -0.9 + 1.6 * t + 0.25 * (shot == 1)
    latitude = 0.6 * np.sin(7 * t) + 0.4 * (shot == 1) - 0.3 * (shot == 2)
    of_second = np.linspace(-0.8, 0.9, OF_SECOND)
    longitude = np.concatenate([longitude, of_second, longitude[:SAID] + 0.1])
    latitude = np.concatenate([latitude, -0.7 + 0.1 * np.cos(5 * of_second), latitude[:SAID] + 0.2])
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], 1).astype(np.float32)


if not runtime.exists():
    from core.streamlit_app.server import BOUNDS

    app = App(__file__, **BOUNDS)
else:
    from core.scene import SphereScene
    from core.streamlit_app.live.film_view import FilmShown, Seek, film_view
    from core.streamlit_app.serving import serve_file

    st.set_page_config(layout="wide")

    @st.cache_resource(max_entries=2)
    def scene(pictured: bool, many: int) -> SphereScene:
        coords, pictures = places(), {}
        n = FRAMES + OF_SECOND
        for i in range(n if pictured else 0):
            picture, out = Image.new("RGB", (96, 54), (40, (i * 37) % 200, 90 + 2 * i)), io.BytesIO()
            ImageDraw.Draw(picture).text((6, 6), str(i), fill="white", font_size=30)
            picture.save(out, "JPEG")
            pictures[i] = out.getvalue()
        kinds = np.repeat([0, 1], [n, SAID])
        labels = [f"frame {i}" for i in range(n)] + [f"“a line, number {i}”" for i in range(SAID)]
        if many:
            t = np.linspace(0, 40, many)
            more = np.stack([np.cos(t) * np.cos(t / 7), np.sin(t) * np.cos(t / 7), np.sin(t / 7)], 1).astype(np.float32)
            coords, kinds = np.concatenate([coords, more]), np.concatenate([kinds, np.zeros(many)])
            labels += [f"of the long one, {i}" for i in range(many)]
        return SphereScene(coords, kinds, tuple(labels), title="A film of three shots turns twice", thumbnails=pictures,
                           note="A note of the map.")

    query = st.query_params
    name, many = query.get("video", "film.webm"), int(query.get("many", 0))
    proxy, again = st.checkbox("proxy is there"), st.button("go to 7.5 s")
    st.session_state["seeks"] = st.session_state.get("seeks", 0) + again
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    served = serve_file(FOLDER / ("film.webm" if proxy else name), "video/webm") if name else ""
    url = "/_orrery/file/gone" if name == "gone" else served
    films = [FilmShown("first <b>film</b>", np.arange(FRAMES), np.arange(FRAMES) / 2, starts=np.array(CUTS), url=url,
                       duration=20.5, said={FRAMES + OF_SECOND + i: 0.5 * i for i in range(SAID)})]
    if "alone" not in query:
        films.append(FilmShown("second", FRAMES + np.arange(OF_SECOND), 0.25 + np.arange(OF_SECOND) / 2,
                               url=serve_file(FOLDER / "film.webm", "video/webm") if name else ""))
    if many:
        films.append(FilmShown("long", FRAMES + OF_SECOND + SAID + np.arange(many), np.arange(many) / 2,
                               starts=np.arange(0, many, 11)))
    if "few" in query:
        films = [FilmShown("one frame", np.array([3]), np.array([0.0]))]
    seeks = st.session_state["seeks"]
    events = film_view(scene("bare" not in query, many), films, key="probe", data=str(many),
                       colour="film" if "by_film" in query else "time", seek=Seek(7.5, seeks) if seeks else None)
    if events.clicked is not None:
        st.session_state["picked"] = events.clicked
    st.text(f"runs={st.session_state['runs']}")
    st.text(f"clicked={st.session_state.get('picked')} film={events.film} at={events.at}")
    st.text(f"unplayable={events.unplayable}")
    st.text(f"camera={events.camera}")
