"""Retrieve without a browser: queries of every kind, marks in the address, vectors made elsewhere, the photo model."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.sources.solids.world import open_world
from tests.pages.test_foveal import titles
from tests.pages.test_pages import HOSTILE, finished, opened, with_images, words
from tests.pages.test_quality import alerts

PAGE = "pages/8_Words_and_Captions.py"
SMALL = {"scenes": "100", "words": "retrieve"}


def page(**query: str) -> AppTest:
    at = opened(PAGE, **{**SMALL, **query})
    ask = [b for b in at.button if b.label.startswith("Encode all")]     # a busy machine asks first
    return finished(ask[0].click().run()) if ask else at


def python_of(at: AppTest, call: str) -> str:
    return next(block.value for block in at.code if call in block.value)


def hits(at: AppTest) -> list[str]:
    """What the tiles say, the nearest first."""
    return re.findall(r"#\d+ · [^<]+", words(at))


def printed(code: str) -> list[float]:
    out = io.StringIO()
    exec(code, {"print": lambda *parts: out.write(f"{parts[0]}\n")})
    return [float(line) for line in out.getvalue().split()]


SIGNED = {"retrieve_parts": "3", "retrieve_weight2": "-0.5", "retrieve_text2": "a cube", "retrieve_kind3": "image",
          "retrieve_image3": "7", "retrieve_weight3": "0.25", "retrieve_point": "9"}


@pytest.mark.parametrize("query", [SIGNED, {**SIGNED, "retrieve_centred": "1"},
                                   {"retrieve_find": "text", "retrieve_kind1": "image", "retrieve_image1": "5"}])
def test_its_python_finds_what_the_page_shows(query: dict[str, str]):
    at = page(**query)
    assert not alerts(at)
    shown = [float(re.search(r"cosine (-?[\d.]+)", said).group(1)) for said in hits(at)]
    assert len(shown) == 12 and all(" · p" in said for said in hits(at))
    np.testing.assert_allclose(printed(python_of(at, "path(parts")), shown, atol=1.1e-3)
    if "retrieve_find" not in query:
        assert "“a red cube” − 0.5 × “a cube” + 0.25 × image" in words(at)
        assert re.search(r"cosine to the query</dt><dd>-?[\d.]+ · p[\d.]+", words(at))


def test_marks_move_the_query_and_stand_in_the_address():
    at = page(retrieve_truth="column:colour")
    before = hits(at)
    rows = [c.key.rsplit(".", 1)[1] for c in at.segmented_control if str(c.key).startswith("retrieve.mark.0.")]
    assert len(rows) == 12
    at.segmented_control(key=f"retrieve.mark.0.image.{rows[0]}").set_value("right")
    at.segmented_control(key=f"retrieve.mark.0.image.{rows[3]}").set_value("wrong")
    at = finished(at.button(key="retrieve.move").click().run())
    assert not alerts(at) and "1 round of marks moved the query by" in words(at)
    marked = at.query_params["retrieve_marks"]
    marked = marked if isinstance(marked, str) else marked[0]
    assert marked.endswith(f"_r{rows[0]}w{rows[3]}")
    table = next(f.value for f in at.dataframe if "precision at 10, as moved" in f.value.iloc[:, 0].tolist())
    assert table["n"].tolist() == ["98"] * 6 and len(hits(at)) == 12 and hits(at) != before
    code = python_of(at, "path(parts")
    assert f"Round(right=({rows[0]},), wrong=({rows[3]},))" in code
    assert printed(code)[0] == pytest.approx(float(re.search(r"cosine (-?[\d.]+)", hits(at)[0]).group(1)), abs=1.1e-3)
    at = finished(at.button(key="retrieve.back").click().run())
    assert hits(at) == before and "retrieve_marks" not in at.query_params


@pytest.mark.parametrize("query", [
    {"retrieve_text1": HOSTILE, "retrieve_point": "999999999"}, {"retrieve_text1": "  "},
    {"retrieve_text1": "赤い立方体 кубик " * 60, "retrieve_marks": "i000000_r1w2"}, {"retrieve_weight1": "0"},
    {"retrieve_marks": "ir-1w_r99999999999999999999w_"}, {"retrieve_parts": "2", "retrieve_text2": "a red cube",
                                                          "retrieve_weight2": "-1"},
    {"retrieve_parts": "2", "retrieve_kind1": "yours", "retrieve_kind2": "yours", "retrieve_text2": "a red cube"},
    {"retrieve_kind1": "nonsense", "retrieve_find": "nothing"}])
def test_odd_input_is_sensible(query: dict[str, str]):
    at = page(**query)
    assert not at.exception and "<img src=x" not in words(at)
    said = words(at)
    if query.get("retrieve_weight2"):
        assert "parts that cancel out" in said
    elif query.get("retrieve_weight1") == "0" or query.get("retrieve_text1") == "  ":
        assert "Nothing is asked yet" in said
    else:
        assert len(hits(at)) == 12 and "moved the query" not in said


def test_a_picture_of_ones_own_is_a_part_and_a_file_that_is_none_is_refused():
    at = page(retrieve_kind1="yours")
    assert "Nothing is asked yet" in words(at)
    picture = io.BytesIO()
    open_world(100).images.decode(4).save(picture, "PNG")
    at.file_uploader(key="prompt.image").set_value(("mine.png", picture.getvalue(), "image/png"))
    at = finished(at.run())
    assert not alerts(at) and "image mine.png: the nearest of 100 images has cosine 1.000" in words(at)
    at.file_uploader(key="prompt.image").set_value(("mine.png", b"no picture", "image/png"))
    at = finished(at.run())
    assert alerts(at) and not at.exception


def test_pairs_hubs_and_repairs_and_their_python():
    at = page(retrieve="pairs")
    assert not alerts(at) and "R@1" in titles(at) and "are hubs" in titles(at)
    at = finished(at.button(key="retrieve.repairs.start").click().run())
    assert not alerts(at)
    said: dict[str, object] = {}
    exec(python_of(at, "score_repairs(").replace(".show()", ""), said)
    table = next(f.value for f in at.dataframe if "repair" in f.value)
    report = said["report"]
    plain = report.rows[0].recall
    assert table["R@1"][0].startswith(f"{100 * plain.value:.0f}") and len(table) == 5


@pytest.mark.parametrize("ask", ["image", "text"])
def test_feedback_over_many_queries_and_its_python(ask: str):
    at = page(retrieve="many", retrieve_many_queries="40", retrieve_many_truth="column:solid", retrieve_many_ask=ask)
    at = finished(at.button(key="retrieve.many.start").click().run())
    assert not alerts(at)
    said: dict[str, object] = {}
    exec(python_of(at, "simulate(").replace(".show()", ""), said)
    after = said["report"].numbers["precision", "after"].value
    assert f"{100 * after:.1f} % after" in titles(at)
    if ask == "text":     # of 100 scenes every caption finds its own among the first: nothing is left to find
        at.selectbox(key="retrieve_many_truth").set_value("links")
        at = finished(at.run())
        at = finished(at.button(key="retrieve.many.start").click().run())
        assert "Mark fewer, or choose a truth with more right items" in alerts(at)


def test_the_photo_model_scores_by_its_own_probabilities_and_says_what_does_not_add_up(reference):
    files = {p.name: p.read_bytes() for p in sorted((reference / "photos").rglob("*")) if p.is_file()}
    at = with_images(PAGE, files, words="retrieve", model="photo", retrieve_text1="a cat")
    assert not alerts(at) and all("probability" in said for said in hits(at)) and len(hits(at)) == 12
    shown = [float(said.split()[-1]) for said in hits(at)]
    assert shown == sorted(shown, reverse=True) and shown[0] > 0.5
    assert not any(str(c.key).startswith("retrieve.mark") for c in at.segmented_control)
    at.slider(key="retrieve_parts").set_value(2)
    at = finished(at.run())
    at.selectbox(key="retrieve_kind2").set_value("image")
    at = finished(at.run())
    assert "the two do not add up" in words(at)


def with_vectors(query: dict[str, str], **parts: np.ndarray) -> AppTest:
    packed = io.BytesIO()
    np.savez(packed, **parts)
    at = opened(PAGE, data="vectors", words="retrieve", **query)
    at.file_uploader(key="vectors.upload").set_value([("v.npz", packed.getvalue(), "application/zip")])
    return finished(at.run())


def test_vectors_made_elsewhere_are_asked_by_their_own_items_and_have_the_published_recalls(reference):
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    at = with_vectors({"retrieve_kind1": "text", "retrieve_text1": "3"}, image=data["image"], text=data["text"])
    assert not alerts(at) and len(hits(at)) == 12 and " · p" in hits(at)[0]
    assert list(at.selectbox(key="retrieve_kind1").options) == ["image of what is open", "text of what is open"]
    at.segmented_control(key="retrieve").set_value("pairs")
    at = finished(at.run())
    assert not alerts(at) and "image to text R@1 55 % (51 to 60); text to image R@1 51 % (46 to 55)" in titles(at)
    table = next(f.value for f in at.dataframe if "by chance" in f.value)
    assert [value for value in table["value"] if value in ("0.55", "0.552", "0.51", "0.506")]


@pytest.mark.parametrize(("kind", "n"), [("image", 30), ("text", 30), ("image", 1)])
def test_one_modality_and_one_item_alone(kind: str, n: int):
    rng = np.random.default_rng(0)
    at = with_vectors({}, **{kind: rng.normal(size=(n, 8)).astype(np.float32)})
    assert not alerts(at) and len(hits(at)) == min(12, n - 1)
    if n == 1:
        assert "Nothing is left to find" in words(at)
    at.segmented_control(key="retrieve").set_value("pairs")
    at = finished(at.run())
    assert not alerts(at) and ("One item has no neighbours" in words(at)) is (n == 1)
    at.segmented_control(key="retrieve").set_value("many")
    at = finished(at.run())
    assert not alerts(at) and "This needs a truth for images" in words(at)
