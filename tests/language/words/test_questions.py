"""Questions as statements, answered by the model, beside no image."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoding.models import load_model
from core.errors import ShapeError
from core.figures.words import asked as figures
from core.geometry.directions import unit
from core.language.words.questions import answer, as_statement, score, statements
from core.language.words.scenes import TUNED, look
from core.language.world_evaluation import BARE
from tests.encoding.made_models import encoder, families, scattered


@pytest.mark.parametrize(("question", "statement"), [
    ("What colour is it?", "a {} thing"),
    ("What color is the big car?", "a {} big car"),
    ("what is it", "a photo of a {}"),
    ("What is in the picture?", "a photo of a {}"),
    ("Where is the dog?", "a photo {}"),
    ("How many dogs are there in the picture?", "a photo of {} dogs"),
    ("What is the man doing?", "the man is {}"),
    ("Who is riding the horse?", "a {} riding the horse"),
    ("What is on the table?", "a {} on the table"),
    ("What kind of animal is this?", "a {} animal"),
    ("Is the door open or closed?", "the door is {}"),
    ("a {} of mine", "a {} of mine"),
    ("Quelle couleur?", "Quelle couleur? {}"),
    ("这是什么？", "这是什么？ {}"),
    ("", "{}"),
])
def test_a_question_becomes_a_statement(question, statement):
    assert as_statement(question) == statement


def test_answers_go_in_place_with_their_article():
    assert statements("a {} thing", ["orange", "red"]) == ("an orange thing", "a red thing")
    assert statements("a photo of a {}", ["a dog", "cat"]) == ("a photo of a dog", "a photo of a cat")
    assert statements("{}", ["{0}", "%s"]) == ("{0}", "%s")
    for template, answers in (("no place", ["a", "b"]), ("{}", ["a"]), ("{}", ["a", "a"])):
        with pytest.raises(ShapeError):
            statements(template, answers)


def test_the_model_answers_and_is_beside_no_image():
    model, looked = load_model("builtin"), look(load_model("builtin"), 40, TUNED + 7)
    names, texts = list(BARE["colour"]), list(BARE["colour"].values())
    ones = np.ones(40, dtype=np.float32)
    found = answer(model, looked.images, ones, names, texts, looked.images, ones)
    logits = model.logit_scale * looked.images.astype(np.float64) @ unit(model.encode_texts(texts)).T
    naive = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(found.probabilities, naive / naive.sum(1, keepdims=True), atol=1e-4)
    assert found.without.sum() == pytest.approx(1, abs=1e-5) and found.references == 40
    truth = np.array([names.index(says["colour"]) for says in looked.says])
    truth[:5] = -1
    scored = score(found, truth)
    assert scored.right.n == 35 and scored.right.value > 0.9 and scored.right.null == pytest.approx(1 / 9)
    assert scored.without.value <= scored.majority.value < 0.5
    assert scored.over_without.p < 0.001 and scored.over_without.change.value == pytest.approx(
        scored.right.value - scored.without.value)
    with pytest.raises(ShapeError, match="right answer is known"):
        score(found, np.full(40, -1))


def test_probabilities_of_single_pairs_have_no_chance_among_the_answers():
    from transformers import SiglipModel

    configuration, tokenizer, processor = families()["siglip"]
    model = encoder(scattered(SiglipModel(configuration)).eval(), tokenizer, processor)
    images = unit(np.random.default_rng(0).normal(size=(5, model.spec.dim)).astype(np.float32))
    ones = np.ones(5, dtype=np.float32)
    found = answer(model, images, ones, ("cat", "dog"), ("a cat", "a dog"), images, ones)
    logits = model.logits(images, ones, found.texts)
    np.testing.assert_allclose(found.probabilities, 1 / (1 + np.exp(-logits)), atol=1e-6)
    drawn = figures.answers(found)
    assert found.by_chance is None and "chance" not in drawn.layout.title.text.replace("<br>", " ")
    assert not drawn.layout.shapes
    assert "need not sum" in figures.caption(found) and "Dotted" not in figures.caption(found)
    assert figures.answers_table(found)["by chance"].isna().all()
