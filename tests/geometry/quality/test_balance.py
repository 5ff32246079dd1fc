"""Balance: numbers by hand, at equal n, beside even labels, with intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry.quality.balance import balance, in_small_classes


def labels_of(*counts: int) -> list[str]:
    return [f"c{i}" for i, count in enumerate(counts) for _ in range(count)]


def test_numbers_are_by_hand_what_they_are_called():
    report = balance([*labels_of(30, 60, 10), "", ""])
    assert report.names == ("c1", "c0", "c2") and report.counts.tolist() == [60, 30, 10] and report.unlabelled == 2
    numbers = report.numbers
    p = np.array([0.6, 0.3, 0.1])
    assert numbers["effective"].value == pytest.approx(np.exp(-(p * np.log(p)).sum()))
    assert numbers["classes"].value == 3 and numbers["imbalance"].value == 6 and numbers["largest"].value == 0.6
    assert numbers["tail"].value == pytest.approx(0.1) and numbers["few"].value == pytest.approx(1 / 3)
    assert all(n.n == 100 and n.null is not None for n in numbers.values())
    even = balance(labels_of(50, 50)).numbers
    assert even["effective"].value == pytest.approx(2) == even["effective"].high and even["tail"].value == 0.5
    assert even["imbalance"].null > 1 and 0.4 < even["tail"].null < 0.5, "even labels differ by chance"
    assert report.even.sum() == pytest.approx(100) and (np.diff(report.even) <= 0).all()


@pytest.mark.parametrize("p", [np.full(30, 1 / 30), 1 / np.arange(1, 31), np.exp(-0.5 * np.arange(10))])
def test_the_interval_of_the_effective_number_covers(p):
    p, rng, covered = p / p.sum(), np.random.default_rng(0), []
    truth = float(np.exp(-(p * np.log(p)).sum()))
    for _ in range(300):
        number = balance(labels_of(*rng.multinomial(30 * len(p), p))).numbers["effective"]
        covered += [number.low <= truth <= number.high] if number.low is not None else []
    assert len(covered) > 250 and np.mean(covered) > 0.9
    assert balance(labels_of(*[20] * 10)).numbers["effective"].low is None, "too few images a class"


def test_sets_are_compared_at_one_n():
    p = 1 / np.arange(1, 41)
    small, large = (balance(labels_of(*np.random.default_rng(seed).multinomial(n, p / p.sum())), n=300)
                    for seed, n in ((0, 320), (1, 9000)))
    for key in ("effective", "classes", "imbalance", "tail", "few"):
        a, b = small.numbers[key], large.numbers[key]
        assert a.n == b.n == 300 and a.low is None
        assert a.value == pytest.approx(b.value, rel=0.35 if key == "imbalance" else 0.16), key
    assert balance(labels_of(9, 3), n=50).numbers["imbalance"].value == 3, "no more than there are"


def test_no_labels_one_class_and_single_images():
    for none in ([], ["", ""]):
        report = balance(none)
        assert report.names == () and report.numbers["classes"].value == 0 and report.unlabelled == len(none)
        assert np.isnan(in_small_classes(none).scores).all()
    one = balance(["a"] * 3).numbers
    assert one["effective"].value == one["imbalance"].value == 1 and one["tail"].value == 0
    huge = balance(["x" * 1_000_000, "a\0", "a"] * 1000)
    assert huge.counts.tolist() == [1000] * 3 and len(in_small_classes(["x" * 1000]).evidence[0]) < 80
    each = balance([str(i) for i in range(5)]).numbers
    assert each["effective"].value == pytest.approx(5) and each["few"].value == 1


def test_images_of_small_classes_are_the_tail():
    found = in_small_classes([*labels_of(25, 4), ""])
    assert found.flagged().tolist() == [25, 26, 27, 28] and np.isnan(found.scores[29])
    assert found.evidence[25] == "one of 4 images of c1" and found.flagged(25).tolist()[4:] == list(range(25))
    assert found.share().n == 29 and 0 <= found.share().null <= 1 and len(found.by_chance) == 29
