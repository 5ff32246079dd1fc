"""Concept words without a browser: what is said is what the core finds, the Python runs, odd lists are told."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.geometry.concepts import explain
from core.geometry.directions import unit
from core.language.vocabularies import concepts_of, vocabulary
from core.streamlit_app.data.selections import as_table
from core.types import Selection
from tests.pages.test_films import alerts
from tests.pages.test_pages import HOSTILE, finished, opened, with_images, words
from tests.pages.test_quality import picture

PAGE = "pages/8_Words_and_Captions.py"
KEPT = {"first": Selection("first", tuple(f"scene {i:02d}" for i in range(20)), (), "the world"),
        HOSTILE[:40]: Selection(HOSTILE[:40], tuple(f"scene {i:02d}" for i in range(20, 60)), (), "the world")}


def page(**query: str) -> AppTest:
    return opened(PAGE, words="concepts", scenes="100", **query)


def told(at: AppTest) -> list[float]:
    """The cosines that the page states, a side each."""
    return [float(found) for found in re.findall(r"words, cosine (\d\.\d+);", words(at))]


def test_an_image_is_told_as_the_core_tells_it_and_the_python_gives_the_same():
    at = page(image="7", concept_penalty="0.1")
    known: dict[str, object] = {}
    exec(next(block.value for block in at.code if "explain(" in block.value), known)
    x = known["points"].images.vectors
    own = explain(x[[7]], x, concepts_of("builtin", vocabulary("world")).axes, penalty=0.1)
    assert told(at) == [pytest.approx(own.cosine.value, abs=6e-4)]
    assert known["said"].cosine.value == pytest.approx(own.cosine.value)
    shown = next(frame for frame in at.dataframe if "weight" in frame.value).value
    np.testing.assert_allclose(shown["weight"], own.weights[own.order])
    assert "stays in draws" not in shown and "n 1." in words(at)


def test_selections_clusters_and_the_gap_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    at = page()
    at.session_state["selections"] = dict(KEPT)
    finished(at.run())
    finished(at.segmented_control(key="concepts_of").set_value("two").run())
    assert len(told(at)) == 2 and not alerts(at)
    code = next(block.value for block in at.code if "explain(" in block.value)
    monkeypatch.chdir(tmp_path)
    as_table(list(KEPT.values())).to_csv("selections.csv", index=False)
    known: dict[str, object] = {}
    exec(code, known)
    assert told(at)[0] == pytest.approx(known["said"].cosine.value, abs=6e-4)
    for what, sides in (("selection", 1), ("group", 1), ("gap", 2)):
        finished(at.segmented_control(key="concepts_of").set_value(what).run())
        assert len(told(at)) == sides and not alerts(at), alerts(at)


@pytest.mark.parametrize(("name", "data", "said"), [
    ("words.txt", "red\nstriped\ncube\nzebra\nred\n", "4 words; left out: 1 repeated"),
    ("words.txt", "red\n", "different words in words.txt"),
    ("words.csv", "", "words.csv"),
    ("words.txt", f"zebra\n{HOSTILE}\n", "words that the model knows"),
    ("words.csv", "id,word\n1,red\n2,blue\n3,赤い\n", "1 word is left out, since the model does not know them: 赤い"),
])
def test_lists_that_are_brought(name: str, data: str, said: str):
    at = page(concept_list="own")
    assert "Bring 2 to 10,000 words" in words(at)
    finished(at.file_uploader(key="concept.file").set_value([(name, data.encode(), "text/plain")]).run())
    assert said in words(at).replace("\\", "") and not at.exception
    assert bool(told(at)) is not bool(alerts(at))


def test_the_photo_model_says_what_its_words_are():
    at = with_images(PAGE, {f"p{i}.png": picture(i) for i in range(3)}, words="concepts", model="photo")
    assert "rows of a classifier" in words(at) and len(told(at)) == 1
    assert "gap" not in at.segmented_control(key="concepts_of").options


def test_vectors_made_elsewhere_are_told_in_their_own_texts_or_in_words_that_are_brought():
    rng = np.random.default_rng(0)
    x, y = (unit(rng.normal(size=(40, 16)).astype(np.float32)) for _ in range(2))

    def packed(**arrays: np.ndarray) -> bytes:
        out = io.BytesIO()
        np.savez(out, **arrays)
        return out.getvalue()

    at = opened(PAGE, words="concepts", data="vectors")
    finished(at.file_uploader(key="vectors.upload").set_value(
        [("own.npz", packed(image=x, text=y), "application/octet-stream")]).run())
    assert told(at) and not alerts(at), words(at)[:2000]
    finished(at.selectbox(key="concept_list").set_value("vectors").run())
    for d, fine in ((9, False), (16, True)):
        given = packed(text=unit(rng.normal(size=(12, d)).astype(np.float32)))
        finished(at.file_uploader(key="concept.vectors").set_value(
            [("words.npz", given, "application/octet-stream")]).run())
        assert bool(told(at)) is fine and bool(alerts(at)) is not fine
