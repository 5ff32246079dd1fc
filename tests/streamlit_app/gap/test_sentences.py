"""Opposite reports read as opposite sentences: what the Modality Gap page says follows from the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.geometry.alike import MeanCosines
from core.geometry.curves import Curve
from core.geometry.differences import Difference
from core.geometry.directions import unit
from core.geometry.gap.closing import CLOSINGS
from core.geometry.gap.landscape import landscape as shift
from core.geometry.gap.reports import ClosingReport, ClosingRow, CosineHistograms, CosineParts, Landscape
from core.geometry.gap.scoring import score_closings
from core.geometry.pairs import Pairs
from core.streamlit_app.gap.closing_sentences import closing_in_words
from core.streamlit_app.gap.sentences import (
    cones_in_words,
    cosines_in_words,
    explained_in_words,
    landscape_in_words,
    models_in_words,
    training_in_words,
)
from core.types import Number

I2T, T2I = "r1_image_to_text", "r1_text_to_image"


def near(value: float, half: float = 0.02, null: float | None = None) -> Number:
    return Number(value, value - half, value + half, null, 100)


def changed(value: float, half: float = 0.02) -> Difference:
    return Difference(near(value, half, 0.0), 0.001 if abs(value) > half else 0.4)


def row(method: str, gap: float, r1: float, change: float, in_sample: float | None = None,
        accuracy: Number | None = None) -> ClosingRow:
    inside = near(r1 if in_sample is None else in_sample)
    changes = {I2T: changed(change), T2I: changed(change)}
    changes |= {} if accuracy is None else {"accuracy": changed(accuracy.value - 0.7)}
    more = changed(0.0 if in_sample is None else in_sample - r1)
    return ClosingRow(method, near(gap), {I2T: near(r1), T2I: near(r1)}, {I2T: inside, T2I: inside}, accuracy, changes,
                      {I2T: more, T2I: more} if CLOSINGS[method].fits == "pairs" else {})


def report(*rows: ClosingRow, r1: float = 0.6, accuracy: Number | None = None,
           gap_by_chance: float = 0.05) -> ClosingReport:
    untouched = replace(row("untouched", 0.85, r1, 0.0, accuracy=accuracy), gap=near(0.85, null=gap_by_chance))
    return ClosingReport((untouched, *rows), 20, 250, 250)


def said(*rows: ClosingRow, **options) -> str:
    return " ".join(closing_in_words(report(*rows, **options)))


def test_closing_that_harms_and_closing_that_helps_are_said_in_opposite_words():
    harms = said(row("translation", 0.05, 0.4, -0.2))
    helps = said(row("translation", 0.05, 0.8, 0.2))
    neither = said(row("translation", 0.05, 0.61, 0.01))
    assert "Translation loses R@1." in harms
    assert "helps retrieval nowhere here, and some ways of closing it harm" in harms
    assert "Translation gains R@1." in helps
    assert "So closing the gap helps here" in helps
    assert "Translation leaves R@1 where it was" in neither
    assert "changes nothing in retrieval here that these pairs can show" in neither
    assert all("R@1 image to text 0.60 (0.58 to 0.62)" in text for text in (harms, helps, neither))


def test_methods_that_disagree_and_directions_that_disagree_blame_the_method_not_the_gap():
    both = said(row("translation", 0.05, 0.4, -0.2), row("centring", 0.05, 0.8, 0.2))
    assert "it is not the gap that decides" in both
    split = row("translation", 0.05, 0.6, 0.2)
    split = ClosingRow(split.method, split.gap, split.held_out, split.in_sample, None,
                       {I2T: changed(0.2), T2I: changed(-0.2)})
    assert "gains R@1 one way and loses it the other" in said(split)
    assert "it is not the gap that decides" in said(split)


def test_what_closes_nothing_is_no_word_about_closing():
    text = said(row("learned", 0.80, 0.8, 0.2))
    assert "None of these methods closes the gap" in text
    assert "Learned projection gains R@1 without closing the gap" in text
    assert "nothing can be said here about what a closed gap does" in text
    assert "without closing" not in said(row("learned", 0.80, 0.6, 0.0))


def test_where_no_gap_is_seen_none_is_closed_and_none_is_left_open():
    for rows in ([row("translation", 0.05, 0.8, 0.2)], [row("learned", 0.84, 0.8, 0.2)]):
        text = said(*rows, gap_by_chance=0.9)
        assert "no gap that these pairs can show (by chance 0.90): there is none to close" in text
        assert "gains R@1." in text
        assert not {"closes", "without closing"} & {word for word in ("closes", "without closing") if word in text}


def test_a_method_that_only_compares_does_not_close_the_gap():
    text = said(row("csls", 0.05, 0.8, 0.2))
    assert not CLOSINGS["csls"].moves
    assert "None of these methods closes the gap" in text


def test_a_method_that_remembers_its_pairs_is_named_and_one_that_does_not_is_not():
    assert ("Orthogonal Procrustes finds 0.99 (0.97 to 1.01) of the pairs it was fitted on and 0.19 (0.17 to 0.21) of "
            "others") in said(row("procrustes", 0.07, 0.19, -0.4, in_sample=0.99))
    assert "finds" not in said(row("procrustes", 0.07, 0.6, 0.0, in_sample=0.61))
    assert "finds" not in said(row("centring", 0.07, 0.3, 0.0, in_sample=0.9))


def test_a_ceiling_is_said_only_near_it():
    assert "near the ceiling" in said(row("translation", 0.05, 1.0, 0.0), r1=0.995)
    assert "near the ceiling" not in said(row("translation", 0.05, 0.6, 0.0), r1=0.6)


def test_zero_shot_rises_falls_or_stays():
    def text(value: float) -> str:
        return said(row("translation", 0.05, 0.6, 0.0, accuracy=near(value)), accuracy=near(0.7))

    assert "rises with Translation." in text(0.9)
    assert "falls with Translation." in text(0.5)
    assert "changes with no method" in text(0.71)


def test_without_pairs_retrieval_is_not_spoken_of():
    untouched, moved = (ClosingRow(m, near(g), {}, {}, None) for m, g in (("untouched", 0.8), ("centring", 0.01)))
    text = " ".join(closing_in_words(ClosingReport((untouched, moved), 20, 10, 10)))
    assert "Without pairs nothing can be said about retrieval" in text
    assert "R@1" not in text


def landscape(at: float, closed: float, *, low: float = 0.1, gap: float = 0.8) -> Landscape:
    """A loss lowest at ``low`` shift; retrieval 0.6 at zero and ``closed`` at 1/2."""
    shifts = np.array([-0.5, 0.0, 0.5])

    def curve(values: list[float]) -> Curve:
        v = np.array(values)
        return Curve("c", v, v - 0.02, v + 0.02)

    return Landscape(shifts, {0.01: curve([at + 1, at, at + low])}, {I2T: curve([0.1, 0.6, closed])},
                     curve([0.2, 0.5, 0.5]), replace(curve([1.2, gap, 0.0]), null=np.full(3, 0.1)), 50, 500,
                     {"loss": changed(low), I2T: changed(closed - 0.6), "accuracy": changed(0.0)}, {0.01: changed(low)})


def test_the_landscape_says_fall_rise_or_overlap():
    down, up, same = (" ".join(landscape_in_words(landscape(0.5, closed))) for closed in (0.3, 0.9, 0.61))
    assert "takes R@1 image to text from 0.60 (0.58 to 0.62) to 0.30 (0.28 to 0.32): a fall" in down
    assert "to 0.90 (0.88 to 0.92): a rise" in up
    assert "to 0.61 (0.59 to 0.63): these pairs do not tell the two apart, p 0.4" in same
    assert "lowest where the model is (" in down
    assert "would be lower at shift 0.5" in " ".join(landscape_in_words(landscape(0.5, 0.3, low=-0.4)))
    assert "Closing the gap by shift ½ takes R@1" in down
    flat = " ".join(landscape_in_words(landscape(0.5, 0.3, gap=0.1)))
    assert "no gap to close that these pairs can show: 0.10 (0.08 to 0.12), by chance 0.10" in flat
    assert "Shift ½ takes R@1" in flat and "Closing" not in flat
    assert "nowhere that these pairs can tell" in " ".join(landscape_in_words(landscape(0.5, 0.3, low=-0.01)))


def test_the_first_hundred_pairs_of_coco_are_called_the_same_on_both_tabs(reference):
    """R@1 text to image goes from 0.71 to 0.54: overlapping intervals, and a fall all the same."""
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    pairs = Pairs.row_by_row(*(unit(data[name][:100]) for name in ("image", "text")))
    along = " ".join(landscape_in_words(shift(pairs)))
    assert "R@1 text to image from 0.71 (0.61 to 0.79) to 0.54 (0.44 to 0.63): a fall, p < 0.001" in along
    assert "R@1 image to text from 0.74 (0.65 to 0.82) to 0.60 (0.50 to 0.69): a fall, p 0.013" in along
    assert "too few batches to tell the two apart" in along
    closing = " ".join(closing_in_words(score_closings(pairs, methods=["translation"])))
    assert "Translation loses R@1" in closing


def cosines(images: float, texts: float, matched: float | None, unmatched: float, gap: float = 0.8,
            half: float = 0.02) -> CosineHistograms:
    means = {"images": images, "texts": texts, "unmatched": unmatched}
    means |= {} if matched is None else {"matched": matched}
    rng = np.random.default_rng(0)
    mean = MeanCosines({kind: near(value, half) for kind, value in means.items()},
                       {kind: value + half / 20 * rng.normal(size=100) for kind, value in means.items()},
                       near(gap, null=0.1))
    shares = {kind: np.array([0.5, 0.5]) for kind in means}
    return CosineHistograms(np.linspace(-1, 1, 3), shares, mean, dict.fromkeys(means, 9))


@pytest.mark.parametrize(("means", "gap", "words"), [
    ((0.53, 0.52, 0.31, 0.16), 0.8, "that is the gap"),
    ((0.22, 0.19, 0.55, -0.11), 0.8, "Pairs reach across"),
    ((0.22, 0.19, None, -0.11), 0.8, "In general an image and a text are less alike"),
    ((0.05, 0.05, 0.8, 0.05), 0.1, "No gap is seen"),
    ((0.53, 0.52, 0.31, 0.16), 0.1, "No gap is seen"),
    ((0.05, 0.05, 0.8, 0.05), 0.3, "lie 0.30 (0.28 to 0.32), by chance 0.10 apart"),
])
def test_cosines_say_whether_there_are_two_clouds(means, gap, words):
    text = " ".join(cosines_in_words(cosines(*means, gap)))
    assert words in text
    assert sum(w in text for w in ("that is the gap", "Pairs reach", "In general an image", "No gap is seen")) == \
        ("apart" not in words)


def test_a_model_that_knows_no_pairs_is_told_from_one_that_does():
    def text(matched: float) -> str:
        return " ".join(cosines_in_words(cosines(0.5, 0.5, matched, 0.1)))

    assert "Pairs are not told apart from others" in text(0.1)
    assert "does not know which image" in text(0.0)
    assert "Retrieval lives on the lead of pairs over others, +0.20" in text(0.3)


def test_cones_open_narrow_or_stay():
    def text(early: float, late: float, gap: float) -> str:
        return " ".join(cones_in_words(cosines(late, late, 0.5, 0.1, gap), cosines(early, early, 0.1, 0.1),
                                       {"centroid_gap": changed(gap - 0.8)}))

    assert "a narrow cone; training opens it" in text(0.9, 0.2, 0.8)
    assert "a wide cone; training narrows it" in text(0.2, 0.5, 0.8)
    assert "no cone that these items show; training leaves it as wide" in text(0.05, 0.05, 0.8)
    assert "has widened it" in text(0.9, 0.2, 1.2)
    assert "has narrowed it" in text(0.9, 0.2, 0.3)
    assert "do not tell it from that after training" in text(0.9, 0.2, 0.81)
    absent = cones_in_words(cosines(0.2, 0.2, 0.5, 0.1), cosines(0.9, 0.9, 0.1, 0.1, 0.1), {})
    assert "cannot be measured here" in " ".join(absent)
    assert "is not there before training" in " ".join(absent)


def test_a_training_that_closes_the_gap_and_one_that_does_not():
    def text(last: float) -> str:
        gap, found = np.array([1.0, 0.5, last]), np.array([0.0, 0.6, 0.9])
        return " ".join(training_in_words(np.array([0, 10, 100]), {
            "Gap": [Curve("Gap", gap, gap - 0.02, gap + 0.02, 0.1)], "R": [Curve("Image to text", found)]},
            changed(last - 1.0)))

    assert "retrieval does not need a closed gap" in text(0.8)
    assert "the gap is no longer told from chance" in text(0.05)
    assert "first at step 10, when the gap is 0.50" in text(0.8)
    assert "narrowest at step 10, 0.50 (0.48 to 0.52), and widest at step 0" in text(0.8)
    assert "narrower than before training" in text(0.8)
    assert "wider than before training" in text(1.3)


def parts(cosine: float, means: float, percentile: float, n_matched: int = 100) -> CosineParts:
    return CosineParts(cosine, {"means": means, "image": 0.0, "text": 0.0, "both": cosine - means}, percentile, 40.0,
                       9000, n_matched)


def test_a_low_cosine_can_be_a_match_and_a_high_one_none():
    low, high = (" ".join(explained_in_words(p)) for p in (parts(0.27, 0.16, 99.5), parts(0.62, 0.6, 20.0)))
    assert "very alike, however small" in low
    assert "not alike, however large" in high
    assert "most of the number tells of the cones" in high
    assert "most of the number" not in " ".join(explained_in_words(parts(0.6, 0.1, 99.5)))
    assert "than 40 % of 100 cosines of pairs" in low
    assert "cosines of pairs" not in " ".join(explained_in_words(parts(0.27, 0.16, 99.5, n_matched=0)))
    assert "two texts of the data" in " ".join(explained_in_words(parts(0.27, 0.16, 95.0), texts_only=True))
    assert "not clearly alike" in " ".join(explained_in_words(parts(0.27, 0.16, 60.0)))
    few = " ".join(explained_in_words(replace(parts(0.27, 0.16, 100.0), n_unmatched=6, n_matched=4)))
    assert "higher than 6 of 6 cosines of images with texts that are not theirs, and than 2 of 4 cosines" in few
    assert "too few others to say how alike that is" in few
    none = " ".join(explained_in_words(replace(parts(0.27, 0.16, float("nan"), 0), n_unmatched=0)))
    assert none.startswith("The cosine is 0.27. There are too few others")


def test_models_are_higher_lower_or_not_told_apart():
    def text(value: float) -> str:
        return models_in_words({"a": {"centroid_gap": near(0.8)}, "b": {"centroid_gap": near(value)}},
                               {"b": {"centroid_gap": changed(value - 0.8)}})[0]

    assert text(1.2) == "b beside a: gap 1.20 (1.18 to 1.22) against 0.80 (0.78 to 0.82), higher."
    assert "lower" in text(0.3)
    assert "not told apart" in text(0.82)
    alone = models_in_words({"a": {"centroid_gap": near(0.8)}, "b": {"centroid_gap": near(0.1)}}, {})
    assert "too few pairs to tell them apart" in alone[0]
