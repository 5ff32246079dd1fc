"""The page Modality Gap on a real model, without a browser: its sections, odd data, its lines of Python."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.errors import ShapeError
from core.geometry.curves import Curve
from core.geometry.gap.landscape import SHIFTS, landscape
from core.geometry.gap.splits import fit_half
from core.geometry.pairs import Pairs
from core.geometry.shift import shifted
from core.streamlit_app.data.classes import labels_as_classes
from core.streamlit_app.gap.data import gap_pairs, what_is_odd
from core.streamlit_app.gap.others import aligned
from core.types import EmbeddingSet, ModelSpec
from tests.pages.test_pages import finished, opened, words

PAGE = "pages/2_Modality_Gap.py"
SECTIONS = [{"gap": "see"}, {"gap": "measure"}, {"gap": "explain"}, {"gap": "explain", "explain": "cones"},
            {"gap": "explain", "explain": "training"}, {"gap": "close"}, {"gap": "compare"},
            {"gap": "compare", "compare": "probe"}, {"gap": "why"}, {"gap": "why", "why": "pair"},
            {"gap": "why", "why": "prompts"}]
ALERT = 'role="alert"'


def page(**query: str) -> AppTest:
    return opened(PAGE, scenes="100", **query)


def unit_rows(n: int, d: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def with_vectors(image: np.ndarray, text: np.ndarray, **query: str) -> AppTest:
    """The page with a file of vectors uploaded."""
    packed = io.BytesIO()
    np.savez(packed, image=image, text=text)
    at = opened(PAGE, data="vectors", **query)
    uploaded = at.file_uploader(key="vectors.upload").set_value([("v.npz", packed.getvalue(), "application/zip")])
    return finished(uploaded.run())


def go(at: AppTest, **query: str) -> AppTest:
    """Another section of the same visit."""
    for key, value in query.items():
        at.session_state[key] = value
    return finished(at.run())


def world_pairs() -> Pairs:
    from core.streamlit_app import cached
    from core.streamlit_app.data import embedding
    from core.streamlit_app.data.choose import Opened

    dataset = cached.world(100, 0)
    found = embedding._work("builtin", Opened(dataset.name, "world-100-0", dataset), ask=False)(
        lambda share, text: None, lambda: False)
    return gap_pairs(found)


@pytest.mark.parametrize("query", SECTIONS, ids=lambda q: " ".join(q.values()))
def test_every_section_is_drawn_and_its_python_runs(query, monkeypatch):
    at = page(**query)
    said = words(at)
    assert ALERT not in said
    for code in (block.value for block in at.code if "import" in block.value):
        quick = code.replace(".show()", "").replace("score_closings(pairs, ",
                                                    "score_closings(pairs, methods=('centring',), repeats=2, ")
        space: dict = {}
        exec(quick, space)
        if "pairs" in space:
            np.testing.assert_allclose(space["pairs"].images, world_pairs().images, atol=1e-5)
    assert at.code or query.get("compare") == "probe"


def test_the_first_visit_is_full():
    said = words(page())
    assert "Mean cosines\\: two images" in said
    assert "Click a cell" in said


def test_moving_the_shift_moves_the_numbers():
    at = page(gap="explain", classes="none")
    report = landscape(world_pairs())
    zero = int(np.argmin(np.abs(report.shifts)))
    assert {m.label: m.value for m in at.metric}["Gap"] == f"{report.gap.values[zero]:.{digits(report.gap, zero)}f}"
    at.slider(key="shift").set_value(0.5)
    finished(at.run())
    half = int(np.argmin(np.abs(report.shifts - 0.5)))
    shown = {m.label: m for m in at.metric}
    assert shown["Gap"].value == f"{report.gap.values[half]:.{digits(report.gap, half)}f}"
    change = report.gap.values[half] - report.gap.values[zero]
    assert shown["Gap"].delta == f"{change:+.{digits(report.gap, half)}f} from shift 0"
    found = report.retrieval["r1_image_to_text"]
    assert shown["R@1 image to text"].value == f"{100 * found.values[half]:.{digits(found, half, 100)}f}\u00a0%"
    loss = report.losses[0.01]
    assert shown["Loss, temperature 0.01"].value == f"{loss.values[half]:.{digits(loss, half)}f}"
    assert at.query_params["shift"] in ("0.5", ["0.5"])
    assert "by chance" in words(at)
    assert "n 100 in batches of 50" in words(at)


def digits(curve: Curve, i: int, times: int = 1) -> int:
    """Half the width of the interval has one digit that counts, or two below 2; without an interval there are two."""
    return 2 if curve.high is None else max(0, -math.floor(math.log10(times * (curve.high[i] - curve.low[i]) / 4)))


def test_the_shift_of_the_url_is_that_of_the_histograms():
    at = page(shift="0.5")
    moved = shifted(world_pairs(), 0.5)
    pair = float((moved.images * moved.texts).sum(axis=1).mean())
    assert f"an image and its own text {pair:.2f}" in words(at).replace("\\", "")
    assert at.slider(key="shift").value == pytest.approx(0.5)
    assert at.slider(key="shift").step == pytest.approx(float(SHIFTS[1] - SHIFTS[0]))


def test_classes_of_a_column_become_an_accuracy():
    at = page(gap="explain", classes="setting")
    assert float(next(m.value for m in at.metric if m.label == "Zero-shot accuracy").rstrip("\u00a0%")) > 80
    assert "'harbour'" in at.code[0].value or "prompts = {" in at.code[0].value
    assert "Zero-shot accuracy" not in {m.label for m in page(gap="explain", classes="none").metric}


def test_a_cell_of_the_url_shows_both_items():
    said = words(page(cell="3,150"))
    assert "Row: image" in said
    assert "Column: text" in said
    assert "Higher than" in said
    assert ALERT not in words(page(cell="9999,1"))
    assert "Click a cell" in words(page(cell="<b>"))


def test_all_choices_come_from_the_url():
    at = page(gap="close", closing="centring", strength="0.35", way="r1_text_to_image")
    assert at.selectbox(key="closing").value == "centring"
    assert at.slider(key="strength").value == pytest.approx(0.35)
    assert "text to image" in "".join(chart.proto.spec for chart in at.get("plotly_chart"))
    at = page(gap="compare", models="untrained:builtin|builtin|nobody")
    assert at.multiselect(key="models").value == ["untrained:builtin", "builtin"]
    at.multiselect(key="models").set_value(["builtin"])
    finished(at.run())
    assert at.query_params["models"] in ("builtin", ["builtin"])
    assert "Choose at least two" in words(at)


def test_nonsense_in_the_url_falls_back():
    at = page(gap="nowhere", shift="nan", closing="<b>", models="x", explain="?", why="?", cell="1e9,-1")
    assert ALERT not in words(at)
    assert at.slider(key="shift").value == 0


def test_a_strange_word_is_said_and_an_empty_text_asks_for_one():
    assert "never seen: zebra" in words(page(gap="why", why_text="a zebra"))
    at = page(gap="why")
    at.text_input(key="why_text").input(" ")
    assert "Type a text" in words(finished(at.run()))


def test_unpaired_vectors_are_measured_as_far_as_they_can_be():
    at = with_vectors(unit_rows(30, 8, 0), unit_rows(20, 8, 1), gap="measure")
    said = words(at)
    assert "Nothing says which of the 30 images belongs to which of the 20 texts" in said
    assert "<th>Gap</th>" in said
    assert "R@1" not in said.split("orrery-table", 1)[1].split("</table>")[0]
    for query in ({"gap": "see"}, {"gap": "explain"}, {"gap": "close"}, {"gap": "compare"}, {"gap": "why"}):
        at = go(at, **query)
        assert ALERT not in words(at), query
    assert "needs pairs" in words(go(at, gap="explain"))
    assert "Without pairs nothing can be said about retrieval" in words(go(at, gap="close"))


def test_copies_and_one_text_for_all_images_are_said_and_handled():
    text = np.repeat(unit_rows(1, 8, 1), 30, axis=0)
    at = with_vectors(unit_rows(30, 8, 0), text, gap="measure")
    assert "29 of the 30 texts are a copy of another" in words(at)
    for query in ({"gap": "see"}, {"gap": "explain"}, {"gap": "why"}):
        at = go(at, **query)
        assert ALERT not in words(at), query
    at = go(at, gap="explain")
    assert {m.label: m.value for m in at.metric}["R@1 image to text"] == "1 of 30"


@pytest.mark.parametrize("query", [{"gap": "compare"}, {"gap": "explain", "explain": "cones"}, {"gap": "see"}])
def test_a_kept_selection_restricts_the_page_and_its_python(query, tmp_path, monkeypatch):
    from core.streamlit_app.data.selections import as_table
    from core.types import Selection

    few = Selection("few", tuple(f"scene {i:02d}" for i in range(30, 60)), (), "Built-in world, 100 scenes, seed 0")
    at = page(**query)
    at.session_state["selections"] = {"few": few}
    at = go(at, selection="few")
    said = words(at)
    assert "30 images and 30 texts" in said
    assert ALERT not in said
    monkeypatch.chdir(tmp_path)
    as_table([few]).to_csv("selections.csv", index=False)
    space: dict = {}
    exec(at.code[0].value.replace(".show()", ""), space)
    assert space["pairs"].images.shape == (30, 64)
    np.testing.assert_allclose(space["pairs"].images, world_pairs().images[30:60], atol=1e-5)
    if "image_rows" in space:
        assert space["image_rows"] == list(range(30, 60))


def test_photos_without_texts_are_told_what_is_missing(tmp_path):
    for i in range(3):
        Image.new("RGB", (32, 32), (70 * i, 10, 10)).save(tmp_path / f"{i}.png")
    at = opened(PAGE, data="folder", folder=str(tmp_path))
    said = words(at)
    assert "here are 3 images and 0 texts. Add texts" in said
    assert ALERT not in said


def test_what_is_odd_counts_what_a_reader_must_know():
    x, y = unit_rows(4, 5, 0), unit_rows(5, 5, 1)
    assert what_is_odd(Pairs.row_by_row(x, y[:4])) == []
    several = what_is_odd(Pairs(x, y, np.array([[0, 0], [0, 1], [1, 2], [2, 3], [3, 3]])))
    assert re.search("1 text without a partner", several[0])
    assert "up to 2 texts each" in several[1]
    assert "up to 2 images each:" in several[2]
    every = what_is_odd(Pairs(x, y[:1], np.array([[i, 0] for i in range(4)])))
    assert "one text belongs to every image" in every[0]
    copied = what_is_odd(Pairs.row_by_row(x[[0, 0, 1, 2]], y[:4]))
    assert copied == [s for s in copied if s.startswith("1 of the 4 images is a copy")]


def test_labels_become_classes_and_empty_ones_none():
    names, truth = labels_as_classes(["b", "", "a", "b"])
    assert names == ("a", "b")
    assert truth.tolist() == [1, -1, 0, 1]


def test_what_belongs_together_is_fitted_on_together():
    links = np.array([[0, 0], [0, 1], [1, 2], [2, 2], [3, 3], [4, 4]])
    pairs = Pairs(unit_rows(6, 5, 0), unit_rows(6, 5, 1), links)
    for seed in range(10):
        images, texts = fit_half(pairs, seed)
        assert (images[links[:, 0]] == texts[links[:, 1]]).all()
        assert 0 < images.sum() + texts.sum() < 12
    one = Pairs(unit_rows(3, 5, 0), unit_rows(1, 5, 1), np.array([[0, 0], [1, 0], [2, 0]]))
    assert all(mask.all() for mask in fit_half(one, 0))


def embedded(x: np.ndarray, ids: list[str]) -> EmbeddingSet:
    import pandas as pd

    return EmbeddingSet(x, np.ones(len(x), dtype=np.float32), tuple(ids), "image", pd.DataFrame(index=range(len(x))),
                        ModelSpec("m", "0", x.shape[1], "p"))


def test_a_second_file_is_put_in_the_rows_of_the_first():
    own = embedded(unit_rows(3, 4, 0), ["a", "b", "c"])
    other = embedded(unit_rows(4, 6, 1), ["c", "d", "a", "b"])
    np.testing.assert_array_equal(aligned(own, other), other.vectors[[2, 3, 0]])
    rows = embedded(unit_rows(3, 6, 1), ["1", "2", "3"])
    np.testing.assert_array_equal(aligned(own, rows), rows.vectors)
    with pytest.raises(ShapeError, match="vectors of the same 3 images in the second file; got 2, with other ids"):
        aligned(own, embedded(unit_rows(2, 6, 1), ["1", "2"]))
    with pytest.raises(ShapeError, match="image vectors in both files; got none in the second"):
        aligned(own, None)


def test_two_files_of_one_space_turned_agree():
    image, text = unit_rows(40, 8, 0), unit_rows(40, 8, 1)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(8, 8)))[0].astype(np.float32)
    at = with_vectors(image, text, gap="compare")
    assert "Give a second file" in words(at)
    packed = io.BytesIO()
    np.savez(packed, image=image @ turn, text=text @ turn)
    at.file_uploader(key="gap.second").set_value(("turned.npz", packed.getvalue(), "application/zip"))
    finished(at.run())
    assert ALERT not in words(at)
    agreed = next(d.value for d in at.dataframe if "by chance" in d.value and len(d.value) == 4)
    assert [float(value) for value in agreed["value"]] == [1, 1, 1, 1]
    table = next(d.value for d in at.dataframe if "turned.npz" in d.value)
    gap = table[table[""] == "Gap"].iloc[0]
    assert gap["v"] == gap["turned.npz"]
    packed = io.BytesIO()
    np.savez(packed, image=image[:30], text=text[:30])
    at.file_uploader(key="gap.second").set_value(("short.npz", packed.getvalue(), "application/zip"))
    assert "vectors of the same 40 images in the second file" in words(finished(at.run()))


def test_the_sphere_after_a_shift_is_the_shifted_vectors_on_the_same_map():
    from core.streamlit_app.data.choose import Opened
    from core.streamlit_app.data.ready import Ready
    from core.streamlit_app.gap.clouds import moved_scene, untouched_scene
    from core.streamlit_app.gap.data import GapData

    images = embedded(unit_rows(20, 8, 0), [f"i{i}" for i in range(20)])
    texts = EmbeddingSet(unit_rows(20, 8, 1), images.norms, tuple(f"t{i}" for i in range(20)), "text", images.table,
                         images.model)
    ready = Ready(Opened("x", "x-key"), images, texts, np.repeat(np.arange(20), 2).reshape(-1, 2), texts.ids)
    data = GapData(ready, gap_pairs(ready))
    from core.geometry.maps.registry import fit_map

    placed = fit_map(ready.vectors, "pca")
    before = untouched_scene(data, placed, arcs=False)
    moved = shifted(data.pairs, 0.5)
    after = moved_scene(data, placed, moved, ("shift", 0.5), "Shifted.", arcs=False)
    np.testing.assert_allclose(before.coords, placed.map.coords)
    np.testing.assert_allclose(after.coords, placed.place(np.concatenate([moved.images, moved.texts])), atol=1e-6)
    assert after.labels is before.labels
    assert "Shifted." in after.note
    assert after.arcs[0].label != before.arcs[0].label
