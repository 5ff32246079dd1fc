"""Kept selections: what is left of the data, the file that outlasts a visit, the widget that pages share."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import ShapeError, SourceError
from core.figures.scenes.embedding import Points
from core.figures.scenes.thinning import only
from core.geometry.directions import unit
from core.sources.images.readers import UploadImages
from core.streamlit_app.data.choose import Opened
from core.streamlit_app.data.pictures import Pictures
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import as_table, read_selections, restricted
from core.streamlit_app.ui import _harmless, as_it_was
from core.types import EmbeddingSet, ModelSpec, Selection
from tests.pages.test_pages import SPHERE, finished, opened, words

LINKS = np.array([[0, 0], [0, 1], [1, 2], [3, 3], [4, 4]])


def png(i: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), (25 * i, 10, 10)).save(out, "PNG")
    return out.getvalue()


def some(modality: str, n: int) -> EmbeddingSet:
    vectors = unit(np.random.default_rng(n).normal(size=(n, 5)))
    return EmbeddingSet(vectors, np.ones(n), tuple(f"{modality} {i}" for i in range(n)), modality,
                        pd.DataFrame({"label": [f"{modality[0]}{i}" for i in range(n)]}), ModelSpec("m", "0", 5, "0"))


@pytest.fixture(scope="module")
def ready() -> Ready:
    return Ready(Opened("my photos", "key"), some("image", 6), some("text", 7), LINKS,
                 tuple(f"caption {i}" for i in range(7)),
                 pictures=Pictures(UploadImages([(f"{i}.png", png(i)) for i in range(9)]), range(3, 9), "photos"))


def selection(images: tuple[int, ...] = (), texts: tuple[int, ...] = (), name: str = "mine") -> Selection:
    return Selection(name, tuple(f"image {i}" for i in images), tuple(f"text {i}" for i in texts), "my photos: a cap")


@pytest.mark.parametrize(("images", "texts", "all_images", "all_texts"), [
    ((4, 1), (0, 6), [0, 1, 4], [0, 2, 4, 6]),
    ((2,), (), [2], []),
    ((), (5, 3), [3], [3, 5]),
    ((0,), (), [0], [0, 1]),
])
def test_what_is_selected_comes_with_what_is_linked_to_it(ready, images, texts, all_images, all_texts):
    part = restricted(ready, selection(images, texts))
    for found, whole, rows in ((part.images, ready.images, all_images), (part.texts, ready.texts, all_texts)):
        if not rows:
            assert found is None
            continue
        assert found.ids == tuple(whole.ids[i] for i in rows)
        assert np.array_equal(found.vectors, whole.vectors[rows])
        assert list(found.table["label"]) == [whole.table["label"][i] for i in rows]
    assert part.captions == tuple(f"caption {i}" for i in all_texts)
    pairs = {(all_images[i], all_texts[j]) for i, j in part.links}
    assert pairs == {(i, j) for i, j in LINKS.tolist() if i in all_images and j in all_texts}
    assert [part.pictures[new] for new in part.pictures] == [ready.pictures[old] for old in all_images]
    assert part.pictures.key != ready.pictures.key
    assert part.key != ready.key
    assert part.selection == "mine"


def test_what_is_not_there_counts_for_nothing(ready):
    part = restricted(ready, Selection("x", ("image 2", "nobody"), ("text 99",), "elsewhere"))
    assert part.images.ids == ("image 2",)
    with pytest.raises(ShapeError, match="Expected ids of items that are there; got none of them"):
        restricted(ready, Selection("x", ("nobody",), ("image 2",), "elsewhere"))
    with pytest.raises(ShapeError, match="points without prompts"):
        only(Points(ready.images, None, prompts=("a",), prompt_vectors=np.eye(5)[:1]), ("image 1",), ())


def test_a_downloaded_file_brings_selections_back_whatever_they_are_called():
    kept = [Selection("=1+1", ("-a", "'b", "c,d\n\"e\""), ("+x",), "@home: \t lasso", "first, \"second\"\nthird"),
            Selection("NA", ("null", "007"), (), "my photos: cap", ""), selection((1,), (2,))]
    data = as_table(kept).map(_harmless).to_csv(index=False).encode("utf-8-sig")
    assert read_selections(data) == kept


def test_a_quote_that_was_not_put_there_stays():
    assert [as_it_was(_harmless(cell)) for cell in ("'quoted'", "'", "", "=x", "plain")] == [
        "'quoted'", "'", "", "=x", "plain"]


@pytest.mark.parametrize(("data", "message"), [
    (b"\xff\xfe\x00 not a table", "not readable as CSV|without selection"),
    (b"", "a file that is not readable as CSV"),
    (b"a,b\n1,2\n", "got a file without selection, modality, id, from, note"),
    (b"selection,modality,id,from,note\nx,film,a,b,c\n", "got the modality 'film'. A modality is image or text"),
    (b"selection,modality,id,from,note\n", "1 to 200 selections in a file; got 0"),
    (b"selection,modality,id,from,note\n" + b"".join(b"s%d,image,a,b,c\n" % i for i in range(201)), "got 201"),
])
def test_another_file_is_refused_in_words(data, message):
    with pytest.raises(SourceError, match=message):
        read_selections(data)


def test_a_selection_is_carried_by_widget_url_and_pages():
    at = opened(SPHERE, scenes="100")
    assert not any(box.key == "selection" for box in at.selectbox)
    at.session_state["selections"] = {"few": Selection(
        "few", ("scene 07", "scene 31"), ("caption 20", "caption 55"), "Built-in world, 100 scenes, seed 0: a cap"),
        "elsewhere": Selection("elsewhere", ("photo.jpg",), (), "my photos: a lasso")}
    finished(at.run())
    assert at.selectbox(key="selection").options == ["Everything", "few"]
    finished(at.selectbox(key="selection").select("few").run())
    assert at.query_params["selection"] in ("few", ["few"])
    table = at.dataframe[-1].value
    assert set(table.loc[table["modality"] == "image", "id"]) == {"scene 07", "scene 20", "scene 31", "scene 55"}
    assert set(table.loc[table["modality"] == "text", "id"]) == {f"caption {i:02d}" for i in (7, 20, 31, 55)}
    assert "2 images and 2 texts selected; with what is linked to them, 4 images and 4 texts." in words(at)
    assert "only(points" in "\n".join(block.value for block in at.code)
    at.switch_page("app.py")
    at.query_params.clear()
    at.run()
    at.switch_page(SPHERE)
    finished(at.run())
    assert at.selectbox(key="selection").value == "few"
    finished(at.selectbox(key="selection").select("").run())
    assert len(at.dataframe[-1].value) == 200
    assert "selection" not in at.query_params


def test_a_selection_of_other_data_says_so_and_a_link_to_one_not_kept_too():
    at = opened(SPHERE, scenes="100", selection="theirs")
    assert "asks for the selection “theirs”, which is not kept" in words(at)
    assert len(at.dataframe[-1].value) == 200
    at.session_state["selections"] = {"theirs": Selection(
        "theirs", tuple(f"scene {i:02d}" for i in range(5)), (), "Built-in world, 100 scenes, seed 7: a cap")}
    finished(at.run())
    finished(at.selectbox(key="selection").select("theirs").run())
    assert len(at.dataframe[-1].value) == 10
    assert "was selected in other data (Built-in world, 100 scenes, seed 7: a cap)" in words(at)
