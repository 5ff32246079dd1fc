"""What is measured of a probe: by hand on the circle, beside the shared geometry, and where little is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.geometry.directions import unit
from core.learning.records.measuring import chance_r1, interval_of, measures_of
from core.learning.records.record import MEASURES, Probe, Record, Snapshot


def circle(*degrees: float) -> np.ndarray:
    at = np.radians(degrees)
    return np.stack([np.cos(at), np.sin(at)], axis=1).astype(np.float32)


def probe(links: list[list[int]], labels: tuple[str, ...] = (), n: int = 0, m: int = 0) -> Probe:
    pairs = np.array(links, np.int64).reshape(-1, 2)
    n, m = n or int(pairs[:, 0].max()) + 1, m or int(pairs[:, 1].max()) + 1
    return Probe(tuple(f"i{i}" for i in range(n)), tuple(f"t{i}" for i in range(m)), pairs, labels)


def test_by_hand_on_the_circle() -> None:
    images, texts = circle(0, 10, 80, 90, 180), circle(0, 90, 200)
    looked = probe([[0, 0], [1, 0], [2, 1], [3, 0], [4, 2]], ("a", "a", "b", "b", ""))
    found = measures_of(images, texts, looked)
    assert found["r1"] == pytest.approx(4 / 5)
    assert found["r1_text"] == pytest.approx(2 / 3), "the nearest of the text at 90 degrees is not its own"
    assert found["worst_class"] == pytest.approx(1 / 2)
    assert found["alignment"] == pytest.approx(np.mean(2 - 2 * np.cos(np.radians([0, 10, 10, 90, 20]))), abs=1e-6)
    apart = [abs(a - b) for i, a in enumerate((0, 10, 80, 90, 180)) for b in (0, 10, 80, 90, 180)[:i]]
    potential = np.exp(-2 * (2 - 2 * np.cos(np.radians(apart)))).mean()
    assert found["uniformity"] == pytest.approx(math.log(potential), abs=1e-5)
    assert found["gap"] == pytest.approx(float(np.linalg.norm(images.mean(0) - texts.mean(0))), abs=1e-6)
    assert chance_r1(looked) == pytest.approx(1 / 3)


def test_equal_cosines_count_by_their_expectation() -> None:
    same = circle(30, 30, 30)
    found = measures_of(same, same, probe([[0, 0], [1, 1], [2, 2]], ("a", "b", "c")))
    assert [found[key] for key in ("r1", "r1_text", "worst_class")] == pytest.approx([1 / 3] * 3)
    assert found["uniformity"] == pytest.approx(0, abs=1e-6)
    assert chance_r1(probe([[0, 0], [0, 1], [1, 2], [1, 2]])) == pytest.approx((2 / 3 + 1 / 3) / 2)


def test_they_agree_with_the_shared_geometry_and_have_intervals() -> None:
    rng = np.random.default_rng(0)
    texts = unit(rng.normal(size=(6, 4))).astype(np.float32)
    of = np.arange(60) % 6
    images = unit(texts[of] + 0.6 * rng.normal(size=(60, 4))).astype(np.float32)
    looked = probe([[i, int(k)] for i, k in enumerate(of)], tuple(f"c{k}" for k in of))
    found = measures_of(images, texts, looked)
    record = Record.of("r", looked, [Snapshot(0, images, texts, {**found, "loss": 1.5, "temperature": math.nan})])
    numbers = interval_of(record)
    assert list(numbers) == [key for key in MEASURES if key != "temperature"]
    for key, value in found.items():
        number = numbers[key]
        assert number.value == pytest.approx(value, abs=1e-5), key
        assert number.low <= number.value <= number.high, key
        assert number.n and number.null is not None, key
    assert numbers["r1"].null == pytest.approx(chance_r1(looked))
    assert numbers["worst_class"].n == 10
    assert 0 <= numbers["worst_class"].null < 1 / 6
    assert numbers["loss"].value == 1.5


@pytest.mark.parametrize(("links", "labels", "unknown"), [
    ([], (), {"r1", "r1_text", "worst_class", "alignment"}),
    ([[0, 0], [1, 1]], (), {"worst_class"}),
])
def test_what_is_not_known_is_no_number(links: list[list[int]], labels: tuple[str, ...], unknown: set[str]) -> None:
    looked = probe(links, labels, 2, 2)
    x = circle(0, 90)
    found = measures_of(x, x, looked)
    assert {key for key, value in found.items() if math.isnan(value)} == unknown
    numbers = interval_of(Record.of("r", looked, [Snapshot(3, x, x, found)]))
    assert set(numbers) == (set(found) - unknown if links else {"uniformity"})
    assert math.isnan(chance_r1(looked)) == (not links)


def test_a_probe_of_one() -> None:
    looked = probe([[0, 0]], ("a",))
    found = measures_of(circle(0), circle(60), looked)
    assert math.isnan(found.pop("uniformity"))
    assert found == pytest.approx({"r1": 1, "r1_text": 1, "worst_class": 1, "alignment": 1, "gap": 1}, abs=1e-6)
    numbers = interval_of(Record.of("r", looked, [Snapshot(0, circle(0), circle(60), found)]))
    assert "uniformity" not in numbers
    assert numbers["r1"].low < 1
