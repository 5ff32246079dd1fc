"""Captions by their words: any script, repeated ones in groups, and vocabularies at one number of words."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.quality.finding import Grouped
from core.geometry.quality.rarefaction import expected_kinds, expected_once
from core.language.quality.texts import findings_of, long, repeated, short, vocabulary
from core.language.quality.wording import said, words_of


@pytest.mark.parametrize(("text", "words"), [
    ("Don't stop the state-of-the-art T-Shirt!", ["don't", "stop", "the", "state-of-the-art", "t-shirt"]),
    ("it’s naïve, Ünïcode; e\u0301te\u0301", ["it’s", "naïve", "ünïcode", "été"]),
    ("हिन्दी में अनुवाद", ["हिन्दी", "में", "अनुवाद"]),
    ("你好，世界 2024", ["你", "好", "世", "界", "2024"]),
    ("赤いcarのデザイン", ["赤", "い", "car", "の", "デ", "ザ", "イ", "ン"]),
    ("한국어 문장", ["한국어", "문장"]),
    ("ที่นี่", ["ที่", "นี่"]),
    ("ＡＢＣ ﬁne STRASSE straße", ["abc", "fine", "strasse", "strasse"]),
    ("كتابٌ جديد", ["كتابٌ", "جديد"]),
    ("- _ … 🙂 \u200b", []), ("", []),
])
def test_words_of_any_script(text, words):
    assert words_of(text) == words


def test_texts_of_one_script_are_read_alike_beside_others():
    text = "a red-hot dog's 3 bones, isn't it"
    assert words_of(text) == words_of(text + " 字")[:-1], "plain letters have a pattern of their own"
    assert said("🙂 🙂") == said("🙂🙂") == "🙂🙂" and said(" \t") == ""


def test_repeated_captions_are_groups_of_which_the_first_stays():
    texts = ["A red cube.", "a blue cube", "a RED  cube", "", "🙂", "  ", "a red cube!", "🙂 ", "a cube, red"]
    found = repeated(texts)
    assert isinstance(found, Grouped)
    assert [g.tolist() for g in found.groups()] == [[0, 2, 6], [4, 7]]
    assert found.to_drop().tolist() == [2, 6, 7] and found.flagged().tolist() == [0, 2, 6, 4, 7]
    assert [g.tolist() for g in found.groups(3)] == [[0, 2, 6]] == [g.tolist() for g in repeated(texts[:7]).groups(1)]
    assert found.partners.tolist() == [2, -1, 6, -1, 7, -1, 0, 4, -1]
    assert np.isnan(found.scores[[3, 5]]).all(), "nothing said is not said again"
    assert repeated([]).groups() == [] and not len(repeated(["a", "b"]).to_drop())


def test_short_and_long_ones():
    texts = ["a dog", "", "a dog on a hill", "a cat", "a dog in the sun", "a dog on the road", "word " * 60]
    assert short(texts).flagged().tolist() == [1, 0, 3]
    assert long(texts).flagged().tolist() == [6] and not len(long(["one"] * 9).flagged())
    read = long(texts, tokens=np.array([4, 2, 7, 4, 7, 77, 78]), limit=77)
    assert read.flagged().tolist() == [6] and read.evidence[6] == "78 tokens; the model reads 77"
    found = findings_of(texts)
    assert all(key == finding.key and len(finding.scores) == 7 for key, finding in found.items())
    assert all(len(f.scores) == 0 for f in findings_of([]).values())


def test_what_grows_with_the_number_of_words_is_cut_as_by_drawing():
    counts = np.array([50, 20, 9, 4, 2, 1, 1, 1])
    rng, items = np.random.default_rng(0), np.repeat(np.arange(8), counts)
    drawn = [np.bincount(rng.permutation(items)[:30], minlength=8) for _ in range(4000)]
    assert expected_kinds(counts, 30) == pytest.approx(np.mean([(d > 0).sum() for d in drawn]), abs=0.05)
    assert expected_once(counts, 30) == pytest.approx(np.mean([(d == 1).sum() for d in drawn]), abs=0.05)
    assert expected_kinds(counts, 88) == expected_kinds(counts, 999) == 8 and expected_once(counts, 88) == 3


def captions_of(m: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    p = np.cumsum(1 / np.arange(1, 2001))
    return [" ".join(f"w{i}" for i in np.searchsorted(p / p[-1], rng.random(rng.integers(5, 13)))) for _ in range(m)]


def test_vocabularies_are_compared_at_one_n_and_intervals_cover():
    small, large = vocabulary(captions_of(150, 0), n=1000, captions=100), vocabulary(captions_of(3000, 1), n=1000)
    assert large.numbers["words"].value > 10 * small.numbers["words"].value
    for key in ("vocabulary", "ratio", "once"):
        a, b = small.numbers[key], large.numbers[key]
        assert a.n == b.n == 1000 and a.value == pytest.approx(b.value, rel=0.1), key
    assert small.captions_at == 100 and small.numbers["distinct"].n == 100
    sets = [vocabulary(captions_of(120, seed), n=500).numbers for seed in range(60)]
    for key in ("vocabulary", "once", "zipf"):
        middle = np.mean([s[key].value for s in sets])
        assert np.mean([s[key].low <= middle <= s[key].high for s in sets]) > 0.85, key
    assert 0.7 < large.numbers["zipf"].value < 1.1


def test_captions_of_one_image_count_together():
    texts = captions_of(80, 0)
    five = [text for text in texts for _ in range(5)]
    varied = [f"{text} {i}" for i, text in enumerate(five)]
    once, often = vocabulary(texts).numbers, vocabulary(varied, together=np.repeat(np.arange(80), 5)).numbers
    apart = vocabulary(varied).numbers
    for key in ("zipf", "length"):
        wide, narrow = often[key].high - often[key].low, apart[key].high - apart[key].low
        assert narrow < 0.8 * wide and wide > 0.5 * (once[key].high - once[key].low), key


def test_numbers_are_by_hand_what_they_are_called():
    report = vocabulary(["a red cube", "a red ball", "", "A red cube!"])
    assert report.words == ("a", "red", "cube", "ball") and report.counts.tolist() == [3, 3, 2, 1]
    numbers = report.numbers
    assert report.lengths.tolist() == [3, 3, 0, 3] and numbers["length"].value == 3 and numbers["words"].value == 9
    assert numbers["vocabulary"].value == 4 and numbers["ratio"].value == pytest.approx(4 / 9)
    assert numbers["once"].value == 0.25 and numbers["distinct"].value == 0.75 and numbers["empty"].value == 0.25
    for texts in ([], [""], ["🙂", " "]):
        assert set(vocabulary(texts).numbers) <= {"captions", "empty"} and vocabulary(texts).words == ()
    assert np.isnan(vocabulary(["a a a"]).numbers["zipf"].value)
