"""Concept words of the built-in world: what the issue asks for, on scenes that the penalty was not tuned on."""

from __future__ import annotations

import pytest

from core.encoding.models import load_model
from core.geometry.concepts import decompose
from core.language.words.explained import PENALTIES, concept_figures, top_words, tune, world_concepts
from core.language.words.scenes import SCORED, TUNED, look
from core.sources.solids.vocabulary import ATTRIBUTES


@pytest.fixture(scope="module")
def figures():
    said: list[float] = []
    found = concept_figures(load_model("builtin"), n=100, on_progress=lambda share, text: said.append(share))
    assert said == sorted(said) and said[0] >= 0 and said[-1] <= 1
    return found


def test_few_words_carry_an_image_and_the_top_ones_are_right(figures):
    cosine, words = figures["concept_cosine"], figures["concept_words"]
    assert cosine.value > 0.925 and cosine.low > cosine.null + 0.3
    assert words.value < 9 and cosine.n == 100
    for attribute, values in ATTRIBUTES.items():
        top = figures[f"concept_top_{attribute}"]
        assert top.value >= 0.85 and top.null == pytest.approx(1 / len(values)) and top.low > top.null


def test_what_was_tuned_was_tuned_elsewhere(figures):
    assert figures["concept_penalty"].value in PENALTIES
    assert figures["concept_penalty"].unit == f"tuned on scenes of seed {TUNED}" and TUNED != SCORED


def test_tops_are_right_only_where_a_word_of_the_attribute_has_a_weight():
    model = load_model("builtin")
    concepts, looked = world_concepts(model), look(model, 20, SCORED)
    nothing = decompose(concepts.axes[:1].repeat(20, axis=0), concepts.axes, 0.9)
    assert nothing.counts.max() == 1
    tops = top_words(nothing, concepts, looked)
    assert tops["solid"].tolist() == [says["solid"] == concepts.words[0] for says in looked.says]
    assert not any(tops[name].any() for name in ATTRIBUTES if name != "solid")
    chosen = tune(model, concepts, n=40)
    assert chosen.right[chosen.penalty] >= max(chosen.right.values()) - 0.001 and chosen.seed == TUNED
