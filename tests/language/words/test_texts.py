"""Sentences, analogies, negation, paraphrases, two captions: by hand on vectors of known angles, and on the model."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoding.models import load_model
from core.errors import Cancelled, ShapeError, SourceError
from core.geometry.directions import angle
from core.language.words.analogies import Analogy, grammar_analogies, read_analogies, solve
from core.language.words.binding import Choices, judge, scene_choices
from core.language.words.negation import negate
from core.language.words.paraphrases import grammar_groups, read_groups, spread
from core.language.words.reading import read
from core.language.words.sentences import sentence_paths, words_of
from core.sources.solids.captions import left_to_right
from core.sources.solids.scene import sample_scenes


class Known:
    """Texts whose vectors are told; what is not told is the sum of its words'."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self.vectors = {text: np.array(v, dtype=np.float32) for text, v in vectors.items()}

    def encode_texts(self, texts):
        return np.stack([self.vectors[t] if t in self.vectors else sum(self.vectors[w] for w in t.split())
                         for t in texts])

    def encode_images(self, images):
        raise AssertionError("no image is asked for")


@pytest.fixture(scope="module")
def model():
    return load_model("builtin")


def test_a_path_of_words_that_add_up_ends_where_any_order_ends():
    known = Known({"up": [0, 1, 0], "right": [1, 0, 0], "out": [0, 0, 1]})
    path, other = sentence_paths(known, ["up right", "out"], np.array([1, 0, 0], dtype=np.float32), shuffles=20)
    np.testing.assert_allclose(path.to_whole, [45, 0], atol=1e-5)
    np.testing.assert_allclose(path.to_image, [90, 45], atol=1e-5)
    np.testing.assert_allclose(path.steps, [45], atol=1e-5)
    np.testing.assert_allclose(path.shuffled_to_whole[:, 0], 45, atol=1e-5)
    assert path.order.value == pytest.approx(0, abs=1e-5) and path.order.null == pytest.approx(90, abs=1e-4)
    assert path.longest_step == 1 and other.longest_step == 0 and len(other.steps) == 0


def test_a_path_of_the_model_is_that_of_its_prefixes(model):
    text = "a photo of a red cube"
    path, = sentence_paths(model, [text], shuffles=3, seed=1)
    words = text.split()
    points = read(model, [" ".join(words[:k + 1]) for k in range(len(words))])
    np.testing.assert_allclose(path.to_whole, np.degrees(angle(points, points[-1])), atol=1e-3)
    assert path.order.null is None and path.order.value > 1
    with pytest.raises(ShapeError, match="1 to 8 sentences"):
        sentence_paths(model, [])
    with pytest.raises(ShapeError, match="1 to 60 words"):
        sentence_paths(model, ["a " * 61])
    with pytest.raises(Cancelled):
        sentence_paths(model, [text], should_stop=lambda: True)


def test_scripts_without_spaces_go_letter_by_letter():
    assert words_of("赤い立方体") == (tuple("赤い立方体"), "")
    assert words_of("Würfel") == (("Würfel",), " ") and words_of("a b") == (("a", "b"), " ")


def test_an_analogy_by_hand_and_one_that_its_inputs_win():
    known = Known({"a": [1, 0, 0], "b": [0.9, 0.1, 0], "c": [0, 1, 0], "d": [0.3, 0.9, 0], "e": [0, 0, 1]})
    found = solve(known, [Analogy("a", "b", "c", "d")], ["e"])
    assert found.candidates == ("e", "a", "b", "c", "d")
    sums = read(known, ["a", "b", "c", "d"])
    goal = sums[0] - sums[1] + sums[2]
    naive = sorted("abcde", key=lambda t: -float(goal @ read(known, [t])[0]))
    assert found.rank_in[0] == naive.index("d") + 1 == 2 and naive[0] == "c"
    assert found.rank_out[0] == 1 and found.inputs_first.value == 1 and found.rank_near[0] == 1
    assert found.out.null == pytest.approx(1 / 2) and found.within.null == pytest.approx(1 / 5)


def test_analogies_of_the_grammar_and_those_that_are_typed(model):
    found, texts = grammar_analogies("solid", "colour", 40)
    assert len(set(found)) == 40 and len(texts) == 90
    solved = solve(model, found, texts)
    assert solved.out.value > 0.9 > solved.near.value and solved.over_near.p < 0.001
    assert read_analogies("king - man + woman = queen\n\na | b | c | d") == (
        Analogy("king", "man", "woman", "queen"), Analogy("a", "b", "c", "d"))
    for bad in ("a - b = c", "a | a | b | c", "a | b | c | c", "only"):
        with pytest.raises(SourceError, match="line 1"):
            read_analogies(bad)
    with pytest.raises(ShapeError, match="5 to"):
        solve(model, read_analogies("a | b | c | d"))


def test_who_reads_not_and_who_does_not():
    images, truth = np.eye(4, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 3]], np.array([0, 1, 2, 0, 1, 2, -1])
    yes = {f"x{i}": np.eye(4)[i] for i in range(3)}
    said = (list("xyz"), list(yes), [f"not {t}" for t in yes])
    reads = negate(Known(yes | {f"not {t}": 0.4 - v for t, v in yes.items()}), images, truth, *said)
    deaf = negate(Known(yes | {f"not {t}": v + np.array([0, 0, 0, 0.3]) for t, v in yes.items()}), images, truth, *said)
    assert (reads.present.value, reads.absent.value, reads.told.value, reads.negated_right.value) == (0, 1, 1, 0)
    assert (deaf.told.value, deaf.negated_right.value, deaf.closer.value) == (0, 1, 1)
    assert deaf.images == reads.images == 6 and deaf.affirmed_right.value == 1
    np.testing.assert_allclose(deaf.apart, np.degrees(np.arctan(0.3)), atol=1e-4)


def test_paraphrases_lie_together(model):
    groups, altered = grammar_groups(30)
    assert min(map(len, groups)) == 3 and all(len(set(g)) == 3 for g in groups)
    found = spread(model, groups, altered)
    first = read(model, groups[0])
    naive = np.mean([np.degrees(angle(first[i], first[j])) for i, j in ((0, 1), (0, 2), (1, 2))])
    assert found.within[0] == pytest.approx(naive, abs=1e-3)
    assert found.same.high < found.different.low and found.nearer.value > 0.99 and found.found.value > 0.99
    assert sum(n.n for n in found.against_altered.values()) == len(altered)
    turned = spread(Known({"a": [1, 0], "b": [0, 1], "c": [1, 0.01], "d": [0.01, 1]}), [("a", "b"), ("c", "d")])
    assert turned.nearer.value < 0.5 and turned.found.value == 0
    assert read_groups("a | b\n\nc|d|c") == (("a", "b"), ("c", "d"))
    for bad in ("", "a | b", "a | b\nc"):
        with pytest.raises(SourceError, match="two lines or more"):
            read_groups(bad)


def test_two_captions_by_hand_with_ties_and_twins():
    known = Known({"x": [1, 0], "y": [0, 1], "z": [0, 1]})
    images = np.array([[1, 0], [0, 1]], dtype=np.float32)
    twins = Choices(("k", "k"), np.array([0, 1]), ("x", "y"), ("y", "x"), np.array([[0, 1]]))
    found = judge(known, images, twins)
    assert found.shares["k"].value == 1 and {n.value for n in found.twins.values()} == {1.0}
    np.testing.assert_allclose(found.apart, 90, atol=1e-5)
    tie = judge(known, images, Choices(("k",), np.array([0]), ("y",), ("z",)))
    assert tie.hits.tolist() == [0.5] and tie.twins == {} and tie.over_chance["k"].p is None


def test_captions_of_a_scene_are_right_and_wrong_of_it():
    scenes = sample_scenes(60, 9, count=2, held_out=None)
    choices = scene_choices(scenes, seed=2)
    for kind, row, right, wrong in zip(choices.kinds, choices.image, choices.right, choices.wrong):
        left, other = left_to_right(scenes[row])
        assert right != wrong
        if kind in ("colours", "textures", "sizes", "left_right", "order"):
            assert sorted(right.replace(" an ", " a ").split()) == sorted(wrong.replace(" an ", " a ").split()) or \
                {"a", "an"} & set(right.split()), (right, wrong)
        if kind == "left_right":
            first, second = (left, other) if " to the left of " in right else (other, left)
            assert right.split(" to the ")[0].endswith(f"{first.colour} {first.shape}")
            assert right.endswith(f"{second.colour} {second.shape}")
        if kind == "order":
            assert right.split(" and ")[0].endswith(f"{left.colour} {left.shape}")
        if kind == "negation":
            assert not {s.colour for s in (left, other)} & set(right.split()) and set(wrong.split()) & {
                left.colour, other.colour}
    with pytest.raises(ShapeError, match="two solids"):
        scene_choices(sample_scenes(1, 0, count=3))
