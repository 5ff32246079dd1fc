"""No sentence claims what is not there: data sets without a gap, without pairing, without both, 200 of each."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from core.figures.gap import closing as closing_figure
from core.figures.gap import explained, shift
from core.geometry import differences
from core.geometry.directions import unit
from core.geometry.gap.explain import explain_cosine
from core.geometry.gap.landscape import landscape
from core.geometry.gap.paired import models_differ
from core.geometry.gap.profiles import cosine_histograms
from core.geometry.gap.scoring import score_closings
from core.geometry.pairs import Pairs
from core.streamlit_app.gap.closing_sentences import closing_in_words
from core.streamlit_app.gap.sentences import (
    cones_in_words,
    cosines_in_words,
    explained_in_words,
    landscape_in_words,
    models_in_words,
)

SETS, MOST, N, D = 200, 16, 40, 12
OF_A_GAP = ("that is the gap", "a gap between them", "The means of images", "Closing the gap", "closes the gap",
            "close the gap", "without closing", "closing the gap helps", "training has", "gap is there")
OF_PAIRS = ("Retrieval lives", "Pairs are less alike", "Pairs reach", "gains R@1", "gain R@1", "loses R@1", "lose R@1",
            "a rise", "a fall", "R@1 image to text higher", "R@1 text to image higher")


def drawn(rng: np.random.Generator, *, gap: bool, pairing: bool, n: int = N) -> Pairs:
    """Images and texts in a cone each, or in one, whose rows belong together, or have nothing in common."""
    shown = rng.normal(size=(2, n, D))
    x, y = shown[0], (shown[0] + 0.5 * rng.normal(size=(n, D))) if pairing else shown[1]
    push = 2 * np.eye(D)[:2] if gap else np.eye(D)[[0, 0]]
    return Pairs.row_by_row(*(unit((z + p).astype(np.float32)) for z, p in zip((x, y), push)))


def sentences(rng: np.random.Generator, *, with_titles: bool, **kind: bool) -> list[str]:
    """What the page says of a data set, and of a second model of the same kind on the same items; titles of figures."""
    pairs, other = drawn(rng, **kind), drawn(rng, **kind)
    cosines, changed = cosine_histograms(pairs), models_differ(pairs, other)
    along = landscape(pairs, shifts=np.array([0.0, 0.25, 0.5]), temperatures=(0.05,), batch=8)
    parts = explain_cosine(pairs.images[0], pairs.texts[0], pairs)
    said = [*cosines_in_words(cosines), *landscape_in_words(along), *explained_in_words(parts),
            *cones_in_words(cosines, cosine_histograms(other), changed),
            *models_in_words({"a": {}, "b": {}}, {"b": changed})]
    report = score_closings(pairs, methods=["translation"], repeats=2)
    said += closing_in_words(report)
    if with_titles:
        said += [figure.layout.title.text for figure in (
            shift.histograms(cosines), shift.landscape(along), explained.explained(parts),
            closing_figure.closing(report))]
    return said


@pytest.fixture(autouse=True)
def few_flips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "FLIPS", 199)


@pytest.mark.parametrize("kind", [{"gap": False, "pairing": True}, {"gap": True, "pairing": False},
                                  {"gap": False, "pairing": False}], ids=["no gap", "no pairing", "neither"])
def test_no_sentence_claims_what_is_not_there(kind: dict[str, bool]) -> None:
    claimed: Counter[str] = Counter()
    for seed in range(SETS):
        said = sentences(np.random.default_rng([seed, *kind.values()]), with_titles=seed % 25 == 0, **kind)
        text = " ".join(said)
        assert not re.search(r"\b(nan|inf)\b", text), text
        for count in re.findall(r"% of ([\d,]+)", text):
            assert int(count.replace(",", "")) >= 100, text
        claims = (() if kind["gap"] else OF_A_GAP) + (() if kind["pairing"] else OF_PAIRS)
        claimed.update({claim for claim in claims if claim in text})
    assert not {claim: times for claim, times in claimed.items() if times > MOST}


def test_what_is_there_is_claimed() -> None:
    claimed: Counter[str] = Counter()
    for seed in range(20):
        text = " ".join(sentences(np.random.default_rng(seed), with_titles=False, gap=True, pairing=True))
        claimed.update({claim for claim in (*OF_A_GAP, *OF_PAIRS) if claim in text})
    assert claimed["Retrieval lives"] == 20
    assert claimed["Closing the gap"] == 20
    assert claimed["that is the gap"] + claimed["a gap between them"] >= 15


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_of_few_items_there_is_neither_nan_nor_per_cent(n: int) -> None:
    for kind in ({"gap": True, "pairing": True}, {"gap": False, "pairing": False}):
        pairs = drawn(np.random.default_rng(n), n=n, **kind)
        parts = explain_cosine(pairs.images[0], pairs.texts[0], pairs)
        alone = explain_cosine(pairs.images[0], pairs.texts[0], Pairs.row_by_row(pairs.images[:1], pairs.texts[:1]))
        report = landscape(pairs, shifts=np.array([0.0, 0.5]))
        unlinked = cosine_histograms(Pairs(pairs.images, pairs.texts, []))
        said = [*cosines_in_words(cosine_histograms(pairs)), *cosines_in_words(unlinked), *landscape_in_words(report),
                *explained_in_words(parts), *explained_in_words(alone),
                *(explained.explained(p).layout.title.text for p in (parts, alone)),
                shift.landscape(report).layout.title.text]
        if n >= 5:
            closings = score_closings(pairs, methods=["translation"], repeats=2)
            said += [*closing_in_words(closings), closing_figure.closing(closings).layout.title.text]
        text = " ".join(said)
        assert not re.search(r"\b(nan|inf)\b", text), text
        assert all(int(count.replace(",", "")) >= 100 for count in re.findall(r"% of ([\d,]+)", text)), text
