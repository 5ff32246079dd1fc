"""Searches for captions: by the grammar, by a language model, out of a list; stopped, gone on with, and for many."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.encoding.causal import LanguageModel
from core.encoding.models import load_model
from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.language.words import by_grammar, by_language, by_list, captioned
from core.language.words.by_grammar import Statement, swapped
from core.language.words.by_language import Writing
from core.language.words.fluency import Bigrams, of_the_world
from core.language.words.many import as_table, caption_each
from core.language.words.scenes import TUNED, look
from core.language.words.scored import Target, Texts
from core.sources.solids.captions import known_words, prompt
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.solids.wrong_attributes import said_in
from tests.encoding.made_language import small_gpt2, tokenizer
from tests.encoding.made_models import small_clip


@pytest.fixture(scope="module")
def model():
    return load_model("builtin")


@pytest.fixture(scope="module")
def seen(model):
    return look(model, 40, TUNED + 7)


@pytest.fixture(scope="module")
def texts(model):
    return Texts(model, of_the_world(), attributes=True)


@pytest.fixture(scope="module")
def written():
    """A random CLIP that knows a language, a random GPT-2, and an image of no meaning."""
    language = LanguageModel(small_gpt2(), tokenizer(), id="small", revision="0")
    images = unit(np.random.default_rng(0).normal(size=(5, 24)).astype(np.float32))
    return Target.among(images, [0]), Texts(small_clip(), language, attributes=False), language


def test_statements_read_as_the_grammar_and_every_wording_says_the_same():
    says = {"size": "large", "texture": "striped", "colour": "orange", "solid": "torus", "style": "sketch",
            "setting": "brick wall"}
    assert Statement.of(says).text == prompt(**says)
    assert Statement.of({"colour": "orange"}).text == "an orange thing"
    found = {Statement.of(says, wording).text for wording in range(1, 60)}
    assert len(found) > 20
    for text in found:
        assert {kind: value for kind, value, _ in said_in(text)} == says
        assert set(text.replace(",", "").split()) <= set(known_words())
    two = Statement((), ((("colour", "red"),), (("colour", "blue"),)))
    assert two.text == "a red thing to the left of a blue thing"
    assert swapped(two).text == "a blue thing to the left of a red thing"


def test_a_beam_finds_the_best_of_all_statements_of_four_attributes(model, seen, texts):
    names = ("setting", "colour", "solid", "size")
    combinations = list(itertools.product(*(ATTRIBUTES[name] for name in names)))
    said = [Statement.of(dict(zip(names, values))) for values in combinations]
    vectors = texts([s.text for s in said])
    for i in range(6):
        target = Target.among(seen.images, [i])
        found = by_grammar.search(target, texts, order=names, rounds=0)
        assert found.found.text == said[int((vectors @ seen.images[i]).argmax())].text
        assert [c.said for c in found.best] == [1, 2, 3, 4]
        np.testing.assert_allclose(found.found.cosine, (vectors @ seen.images[i]).max(), atol=1e-5)


def test_rounds_never_lower_the_cosine_and_all_scores_are_what_they_say(model, seen, texts):
    target = Target.among(seen.images, [3])
    found = by_grammar.search(target, texts, seed=1)
    after = [c.cosine for c in found.best[5:]]
    assert after == sorted(after) and found.finished
    assert found.did[:6] == by_grammar.ORDER
    assert found.best == by_grammar.search(target, texts, seed=1).best
    caption = found.found
    vector = unit(model.encode_texts([caption.text]))[0]
    cosines = seen.images @ vector
    shares = np.exp(model.logit_scale * cosines.astype(np.float64))
    assert caption.cosine == pytest.approx(cosines[3], abs=1e-5)
    assert caption.information == pytest.approx(np.log(40 * shares[3] / shares.sum()), abs=1e-3)
    assert found.references == 40 and caption.information <= np.log(40)
    np.testing.assert_allclose(found.vectors[-1], vector, atol=1e-5)


def test_a_group_has_the_mean_of_its_images_and_what_it_shares_is_said(model, texts):
    seen = look(model, 150, TUNED + 8)
    snow = [i for i, says in enumerate(seen.says) if says["setting"] == "snow"]
    target = Target.among(seen.images, snow)
    found = by_grammar.search(target, texts, order=("setting",), rounds=0)
    assert found.found.text == "a thing in the snow"
    assert found.found.cosine == pytest.approx(float((seen.images[snow] @ found.vectors[-1]).mean()), abs=1e-5)
    assert found.references == 150 - len(snow) + 1
    with pytest.raises(ShapeError, match="one other or more"):
        Target.among(seen.images, range(150))


def test_a_search_stopped_in_its_rounds_keeps_what_it_has_and_one_before_says_so(seen, texts):
    calls = itertools.count()
    stopped = by_grammar.search(Target.among(seen.images, [0]), texts, should_stop=lambda: next(calls) > 7)
    assert not stopped.finished and {k for k, _, _ in said_in(stopped.found.text)} == set(ATTRIBUTES)
    with pytest.raises(Cancelled):
        by_grammar.search(Target.among(seen.images, [0]), texts, should_stop=lambda: True)


def test_one_word_of_a_language_model_is_the_best_of_all_by_naive_search(written):
    target, texts, language = written
    how = Writing(prefix="a photo of", length=1, top=256, width=1, rounds=0, weight=20.0)
    found = by_language.search(target, texts, language, how)
    prefix = language.tokens("a photo of")
    best = max(((*prefix, token) for token in range(320) if token not in language.special
                and language.text((token,)) and "\ufffd" not in language.text((token,))),
               key=lambda s: language.log_probability([s])[0]
               + 20 * float(texts([language.text(s)])[0] @ target.images[0]))
    assert found.found.text == language.text(best)


def test_rewriting_spans_only_improves_and_stopped_and_gone_on_is_as_in_one_go(written):
    target, texts, language = written
    how = Writing(length=4, top=8, width=2, rounds=6, weight=50.0, seed=3)
    whole = by_language.search(target, texts, language, how)
    scores = [language.log_probability([language.tokens(c.text)])[0] for c in whole.best]
    assert len(whole.best) == 10 and len(scores) == 10
    assert all(c.text.startswith("A photo of") for c in whole.best)
    total = [c.fluency + 50 * c.cosine for c in whole.best[4:]]
    assert total[-1] >= total[0] - 0.2
    for at in (0, 2, 6):
        calls = itertools.count()
        part = by_language.search(target, texts, language, how, should_stop=lambda c=calls, a=at: next(c) >= a)
        assert not part.finished and len(part.best) == max(at, 1)
        if at:
            again = by_language.search(target, texts, language, how, before=part)
            assert [c.text for c in again.best] == [c.text for c in whole.best] and again.finished
    free = by_language.search(target, texts, language, Writing(length=4, top=8, width=2, rounds=6, weight=0.0, seed=3))
    assert whole.found.cosine > free.found.cosine and whole.found.fluency < free.found.fluency + 1e-6
    with pytest.raises(ShapeError, match="length from 1 to 24"):
        Writing(length=0)


def test_a_list_gives_its_best_text_and_refuses_none(seen, texts):
    target = Target.among(seen.images, [5])
    listed = [prompt(**{k: v for k, v in says.items() if k != "count"}) for says in seen.says]
    found = by_list.search(target, texts, ["", *listed, listed[0]])
    assert found.found.text == listed[int((texts(listed) @ seen.images[5]).argmax())]
    with pytest.raises(ShapeError, match="1 to 20,000 texts"):
        by_list.search(target, texts, ["", "  "])


def test_many_are_stopped_and_gone_on_with_as_in_one_go(seen, texts):
    ids = tuple(f"i{k}" for k in range(40))

    def search(target, stop):
        return by_grammar.search(target, texts, rounds=0, should_stop=stop)

    whole = caption_each(seen.images, ids, range(6), search)
    calls = itertools.count()
    part = caption_each(seen.images, ids, range(6), search, should_stop=lambda: next(calls) >= 12)
    assert 1 < len(part.captions) < 6 and not part.finished, "stopped within the search of an image"
    again = caption_each(seen.images, ids, range(6), search, before=part)
    assert again.captions == whole.captions and again.finished
    table = as_table(whole, ["a", "", "b", "", "", ""])
    assert table["image"].tolist() == list(ids[:6]) and table["own_text"].tolist()[0] == "a"


def test_fluency_knows_an_order_of_words():
    fluent = of_the_world()(["a photo of a red cube in the snow", "snow red photo cube the in a of a", "xyzzy plugh"])
    assert fluent[0] > fluent[1] > fluent[2]
    with pytest.raises(ShapeError, match="words in them"):
        Bigrams.of(["", "..."])


@pytest.fixture(scope="module")
def figures(model):
    return captioned.caption_figures(model, n=60)


def test_what_is_found_on_held_out_scenes_is_right_and_scores_above_chance(figures):
    assert figures["caption_colour"].value >= 0.95 and figures["caption_solid"].value >= 0.8
    assert figures["caption_all"].value >= 0.75 > figures["caption_all_by_pmi"].value
    for name, number in figures.items():
        assert number.n == 60 and number.low <= number.value <= number.high and number.null is not None, name
    assert figures["caption_score"].low > figures["caption_best_of_100"].high
    assert figures["caption_pmi"].value > figures["caption_pmi_one_wrong"].value > figures["caption_pmi"].null
    assert figures["caption_pmi"].low > figures["caption_pmi_best_of_100"].high
    assert figures["caption_score_over_best_of_100"].low > 0 < figures["caption_pmi_over_one_wrong"].value
    assert figures["caption_pmi"].value <= np.log(60)


def test_by_cosine_vague_captions_win_and_by_information_they_do_not(model):
    found = captioned.contents(model, n=60)
    assert found.vague_wins.value > 0.5 and found.vague_tells.value < 0.1
    assert found.cosine_random[0].value > found.cosine[5].value > found.cosine_random[5].value
    told = [number.value for number in found.information]
    assert told == sorted(told) and told[-1] <= np.log(60)


def test_the_dials_were_chosen_on_other_scenes_than_those_scored(model):
    assert captioned.chosen()["seed_tuned"] != captioned.chosen()["seed_scored"]
    tried = captioned.tune(model, n=6)
    assert len(tried) == len(captioned.ORDERS) * len(by_grammar.WIDTHS)
    assert tried["setting first", by_grammar.WIDTH][1] == pytest.approx(max(cosine for _, cosine in tried.values()))
    with pytest.raises(ShapeError, match="10 scenes or more"):
        captioned.caption_figures(model, n=3)
