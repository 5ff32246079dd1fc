"""Text geometry without a browser: its numbers are the core's, its Python runs, hostile and odd texts are taken."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.encoding.models import load_model
from core.language.words.analogies import grammar_analogies, solve
from core.language.words.binding import judge, scene_choices
from core.language.words.paraphrases import grammar_groups, spread
from core.language.words.scenes import SCORED, look
from core.language.words.sentences import sentence_paths
from tests.pages.test_pages import HOSTILE, finished, opened, words

PAGE = "pages/8_Words_and_Captions.py"


def page(part: str, **query: str):
    return opened(PAGE, words="texts", texts_part=part, scenes="100", **query)


def titles(at) -> list[str]:
    found = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]
    return [" ".join(title.replace("<br>", " ").replace("\xa0", " ").split()) for title in found]


def run_python(at) -> dict[str, object]:
    """The lines of the last button "Python", run without drawing."""
    code = at.get("code")[-1].value
    names: dict[str, object] = {}
    exec("\n".join(line for line in code.splitlines() if not line.endswith(".show()")), names)
    return names


@pytest.fixture(scope="module")
def model():
    return load_model("builtin")


def test_sentences_are_the_cores_and_odd_ones_are_taken(model):
    at = page("sentences", sentences_typed="a red cube on the sea")
    path = run_python(at)["paths"][0]
    image = run_python(at)["points"].images.vectors[0]
    known, = sentence_paths(model, ["a red cube on the sea"], image)
    np.testing.assert_allclose(path.to_whole, known.to_whole, atol=1e-4)
    assert f"by {known.steps.max():.0f}°" in titles(at)[0]
    at.text_area(key="sentences_typed").set_value(f"{HOSTILE}\n赤い立方体\n{'red ' * 40}")
    finished(at.run())
    assert not at.exception and "never seen" in words(at) and "longer than the model reads" in words(at)
    at.text_area(key="sentences_typed").set_value("a " * 61)
    finished(at.run())
    assert "1 to 60 words" in words(at)
    at.text_area(key="sentences_typed").set_value(" \n ")
    finished(at.run())
    assert "Type a sentence" in words(at)


def test_analogies_and_paraphrases_are_the_cores_and_bad_lines_are_named(model):
    at = page("analogies", analogies_n="40")
    known = solve(model, *grammar_analogies("solid", "colour", 40))
    assert f"d is first of 90 texts for {100 * known.out.value:.1f} %" in titles(at)[0] or known.out.value == 1
    assert run_python(at)["found"].rank_in.tolist() == known.rank_in.tolist()
    at.segmented_control(key="analogies_from").set_value("own")
    finished(at.run())
    at.text_area(key="analogies_typed").set_value(f"a | b | {HOSTILE.replace('|', '')} | d\nnonsense")
    finished(at.run())
    assert "line 2" in words(at)

    at = page("paraphrases", paraphrases_n="50")
    found = spread(model, *grammar_groups(50))
    assert f"lie {found.same.value:.1f}°" in titles(at)[0] and run_python(at)["found"].same == found.same
    at.segmented_control(key="paraphrases_from").set_value("own")
    finished(at.run())
    at.text_area(key="paraphrases_typed").set_value("alone")
    finished(at.run())
    assert "two lines or more" in words(at)


def test_negation_is_the_cores_and_needs_two_texts_that_differ():
    at = page("negation", negation_column="colour")
    found = run_python(at)["found"]
    assert f"negations lie {found.apart.mean():.0f}° off" in titles(at)[0] and found.told.value < 0.5
    at.text_input(key="negation_no").set_value("no class here")
    finished(at.run())
    assert "need {} where the class goes" in words(at)


def test_scenes_are_judged_when_asked_and_give_the_cores_shares(model):
    at = page("two_captions", two_captions_scenes="50", two_captions_seed="3")
    assert not at.get("plotly_chart")
    finished(at.button(key="two_captions.go").click().run())
    scenes = look(model, 50, SCORED + 3, count=2)
    known = judge(model, scenes.images, scene_choices(scenes.scenes, seed=3), seed=3)
    drawn = json.loads(at.get("plotly_chart")[0].proto.spec)
    shown = dict(zip(drawn["layout"]["yaxis"]["ticktext"], drawn["data"][0]["text"]))
    for name, kind in (("colours swapped", "colours"), ("one wrong solid", "solid"), ("one wrong colour", "colour")):
        assert shown[name].startswith(f"{100 * known.shares[kind].value:.0f}") and (
            f"n = {known.shares[kind].n}" in shown[name])
    assert "Counting:" in words(at)
