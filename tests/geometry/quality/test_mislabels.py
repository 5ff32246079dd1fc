"""Mislabels: the model is the one it is said to be, what is planted is found, and odd labels do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.geometry.quality import mislabels
from core.geometry.quality.equal_rows import equal_rows
from core.geometry.quality.logistic import fit, folds_of, left_out_probabilities, probabilities
from core.geometry.quality.mislabels import Mislabels, better_of, judged_by, mislabelled

K, D = 6, 32
CENTRES = np.random.default_rng(0).normal(size=(K, D)).astype(np.float32)
NAMES = [f"class {i}" for i in range(K)]


def made(n: int, *, wrong: float = 0.1, apart: float = 0.9, seed: int = 1) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Images of six classes, labels of which some are wrong, and the true classes."""
    rng = np.random.default_rng(seed)
    true = rng.integers(K, size=n)
    x = unit((CENTRES[true] + apart * rng.normal(size=(n, D))).astype(np.float32))
    bad = rng.random(n) < wrong
    return x, [NAMES[i] for i in np.where(bad, (true + rng.integers(1, K, n)) % K, true)], true


def test_the_fit_is_scikit_learns():
    x, labels, _ = made(400)
    of = np.array([NAMES.index(label) for label in labels])
    use = np.arange(400) % 5 > 0
    theirs = LogisticRegression(C=1, max_iter=2000, tol=1e-8).fit(8 * x[use].astype(float), of[use])
    ours = probabilities(x, np.arange(400), fit(x, of, use, K, lambda _: None))
    np.testing.assert_allclose(ours, theirs.predict_proba(8 * x.astype(float)), atol=0.02)
    left_out = left_out_probabilities(x, of, K, folds=5, seed=0)
    parts = folds_of(of, equal_rows(x), 5, 0)
    one = LogisticRegression(C=1, max_iter=2000, tol=1e-8).fit(8 * x[parts != 2].astype(float), of[parts != 2])
    np.testing.assert_allclose(left_out[parts == 2], one.predict_proba(8 * x[parts == 2].astype(float)), atol=0.02)


def test_every_class_is_in_every_fit_and_copies_are_left_out_together():
    rng = np.random.default_rng(0)
    of, same = rng.integers(-1, 9, 60), rng.integers(0, 40, 60)
    of[:2], same[:2] = 20, (50, 51)
    parts = folds_of(of, same, 5, 3)
    assert ((parts == -1) == (of == -1)).all() and parts[0] != parts[1]
    for a in range(60):
        for b in range(60):
            if of[a] == of[b] >= 0 and same[a] == same[b]:
                assert parts[a] == parts[b]
    for k in np.unique(of[of >= 0]):
        inside = of == k
        if len(np.unique(same[inside])) > 1:
            assert len(np.unique(parts[inside])) > 1
    assert np.bincount(parts[parts >= 0], minlength=5).min() > 0


def test_wrong_labels_are_found_counted_and_named():
    x, labels, true = made(600)
    bad = np.array([NAMES.index(label) for label in labels]) != true
    found = mislabelled(x, labels)
    assert average_precision_score(bad, -found.scores) > 0.9
    flagged = np.isin(np.arange(600), found.flagged())
    assert bad[flagged].mean() > 0.75 and flagged[bad].mean() > 0.75, "as many as are wrong are flagged"
    named = np.array([NAMES.index(s) for s in found.suggested])
    assert (named[bad] == true[bad]).mean() > 0.9
    assert found.agree.null < 0.3 < found.agree.low < found.agree.value == pytest.approx((found.agrees).mean())
    assert np.median(found.by_chance) < 0.3 and found.chance == "labels shuffled"
    assert mislabelled(x, labels).scores.tobytes() == found.scores.tobytes()
    order = np.random.default_rng(2).permutation(600)
    np.testing.assert_allclose(mislabelled(x[order], [labels[i] for i in order]).scores, found.scores[order], atol=0.02)
    row = int(found.flagged()[0])
    assert found.evidence[row].startswith(labels[row]) and f"rather {found.suggested[row]}" in found.evidence[row]


def test_copies_with_their_wrong_label_do_not_vouch_for_each_other():
    x, labels, true = made(300)
    bad = np.array([NAMES.index(label) for label in labels]) != true
    once = average_precision_score(bad, -mislabelled(x, labels).scores)
    thrice = mislabelled(np.repeat(x, 3, axis=0), list(np.repeat(labels, 3)))
    assert average_precision_score(np.repeat(bad, 3), -thrice.scores) > once - 0.1


def test_odd_labels_are_judged_as_far_as_they_can_be():
    x, labels, _ = made(40, wrong=0)
    for none in ([], [""] * 40, ["one"] * 40, [str(i) for i in range(40)], ["one"] * 39 + ["other"]):
        found = mislabelled(x, none)
        assert np.isnan(found.scores).all() and not len(found.flagged()) and found.agree is None
        assert len(found.suggested) == len(found.evidence) == len(found.agrees) == 40
    found = mislabelled(x, [*labels[:30], "alone", *[""] * 9])
    assert np.isnan(found.scores[30:]).all() and np.isfinite(found.scores[:30]).all()
    assert "alone" in found.evidence[30] and found.evidence[31].startswith("no label")
    assert [NAMES.index(s) for s in found.suggested[30:]] == [NAMES.index(label) for label in labels[30:]]
    two = mislabelled(x, ["one"] * 38 + ["other"] * 2)
    assert np.isfinite(two.scores).all()
    equal = mislabelled(np.repeat(x[:1], 40, axis=0), ["one", "other"] * 20)
    assert np.isnan(equal.scores).all(), "one picture under two names"
    for n in range(4):
        assert len(mislabelled(x[:n], labels[:n]).scores) == n
    with pytest.raises(ShapeError, match="one an image"):
        mislabelled(x, labels[:3])
    with pytest.raises(ShapeError, match="two folds"):
        mislabelled(x, labels, folds=1)


def test_of_many_classes_the_largest_are_told_apart(monkeypatch):
    monkeypatch.setattr(mislabels, "MOST_CLASSES", 3)
    monkeypatch.setattr(mislabels, "MOST_BY_CHANCE", 50)
    x, labels, _ = made(120, wrong=0)
    found = mislabelled(x, labels)
    largest = sorted(NAMES, key=lambda name: -labels.count(name))[:3]
    assert set(found.names) <= set(NAMES) and len(found.names) == 3
    assert {labels.count(n) for n in found.names} == {labels.count(n) for n in largest}
    assert (np.isnan(found.scores) == [label not in found.names for label in labels]).all()
    assert len(found.by_chance) == 50 and found.chance == "labels of 50 images shuffled"


def test_work_is_told_and_can_be_stopped():
    x, labels, _ = made(200)
    told: list[float] = []
    mislabelled(x, labels, on_progress=lambda share, _: told.append(share))
    assert told == sorted(told) and 0.5 < told[-1] <= 1
    with pytest.raises(Cancelled, match="of 5 folds"):
        mislabelled(x, labels, on_progress=lambda share, _: told.append(share), should_stop=lambda: told[-1] > 0.3)


def zero_shot_mislabelled(x, labels, names, class_vectors, scale=100.0) -> Mislabels:
    logits = scale * (x @ class_vectors.T).astype(np.float64)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return judged_by((p / p.sum(axis=1, keepdims=True)).astype(np.float32), labels, names, "texts of the classes")


def test_probabilities_are_judged_and_the_better_judge_is_said():
    x, labels, true = made(400, apart=1.6)
    bad = np.array([NAMES.index(label) for label in labels]) != true
    zero_shot = zero_shot_mislabelled(x, labels, NAMES, unit(CENTRES), scale=15)
    p = np.exp(15 * x @ unit(CENTRES).T.astype(np.float64))
    own = p[np.arange(400), [NAMES.index(label) for label in labels]] / p.sum(axis=1)
    np.testing.assert_allclose(zero_shot.scores, own, rtol=1e-3)
    fitted = mislabelled(x, labels)
    best, change = better_of(fitted, zero_shot)
    ranks = [average_precision_score(bad, -judge.scores) for judge in (fitted, zero_shot)]
    assert best is zero_shot and ranks[1] > ranks[0] and change.verdict is Verdict.HIGHER and change.p < 0.05
    mixed = zero_shot_mislabelled(x, labels, NAMES, unit(np.roll(CENTRES, 1, axis=0)), scale=15)
    best, change = better_of(fitted, mixed)
    assert best is fitted and change.verdict is Verdict.LOWER
    assert better_of(fitted, fitted)[0] is fitted
    few = zero_shot_mislabelled(x, labels, NAMES[:2], unit(CENTRES[:2]))
    assert (np.isnan(few.scores) == [label not in NAMES[:2] for label in labels]).all()
    one = zero_shot_mislabelled(x, labels, NAMES[:1], unit(CENTRES[:1]))
    assert np.isnan(one.scores).all() and better_of(fitted, one)[0] is fitted
    assert better_of(mislabelled(x, []), zero_shot)[0] is zero_shot
    assert np.isnan(judged_by(np.zeros((3, 2), np.float32) + 0.5, [], ["a", "b"], "").scores).all()


def test_equal_rows_are_known():
    x = unit(np.random.default_rng(0).normal(size=(500, D)).astype(np.float32))
    rows = np.random.default_rng(1).integers(500, size=2000)
    found = equal_rows(np.concatenate([x, x[rows]]))
    assert len(np.unique(found[:500])) == 500 and (found[500:] == found[rows]).all()
    assert len(equal_rows(x[:0])) == 0


def test_a_model_that_tells_the_classes_badly_does_not_take_its_own_errors_for_wrong_labels():
    x, labels, true = made(400, apart=3.0)
    wrong = np.array([label != NAMES[i] for label, i in zip(labels, true)])
    found = mislabelled(x, labels)
    assert 0.3 < found.agree.value < 0.8
    flagged = found.flagged()
    assert 0 < len(flagged) <= 2 * wrong.sum(), (len(flagged), wrong.sum())
    assert wrong[flagged].mean() > 2 * wrong.mean()
