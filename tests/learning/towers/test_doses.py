"""Doses and experiments: means, intervals and differences of planted numbers, and sentences that also say no."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.errors import ChoiceError
from core.geometry.differences import Verdict
from core.learning.towers.concepts import concept_lesson
from core.learning.towers.doses import (
    Response,
    dose_response,
    mean_over_seeds,
    response_of,
    setups_of,
    with_seeds,
)
from core.learning.towers.experiments import EXPERIMENTS, run
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup

QUICK = Setup(steps=3, batch=16)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return concept_lesson(train=48, probe=24, seed=7)


def planted(levels: list[object], seeds: int = 5, noise: float = 0.01, **means: list[float]) -> Response:
    """Runs whose measures are these means and a little noise that is the seed's own."""
    rng = np.random.default_rng(0)
    own, rows = rng.normal(0, noise, seeds), []
    for i, level in enumerate(levels):
        for seed in range(seeds):
            rows.append({"level": level, "seed": seed, "gap_chance": 0.1, "gap_chance_start": 0.1, "ended": "",
                         **{name: values[i] + own[seed] + rng.normal(0, noise / 5) for name, values in means.items()}})
    return response_of(pd.DataFrame(rows), 1 / 12)


def test_means_intervals_and_pairs_are_students_over_seeds() -> None:
    found = planted([0.0, 0.2, 0.4], r1=[0.9, 0.6, 0.5], gap=[0.2, 0.3, 0.1])
    values = found.table["r1"].to_numpy().reshape(3, 5)
    for row, number in zip(values, found.numbers("r1")):
        low, high = stats.t.interval(0.95, 4, row.mean(), stats.sem(row))
        assert (number.value, number.low, number.high) == pytest.approx((row.mean(), low, high))
        assert number.n == 5 and number.null == pytest.approx(1 / 12)
    ends, naive = found.ends("r1"), stats.ttest_rel(values[2], values[0])
    assert (ends.p, ends.change.value) == pytest.approx((naive.pvalue, (values[2] - values[0]).mean()))
    assert (ends.change.low, ends.change.high) == pytest.approx(tuple(naive.confidence_interval()))
    assert found.monotone("r1") and not found.monotone("gap") and not found.monotone("gap", falls=False)
    assert found.ordered("r1").value == 1 and found.ordered("r1").n == 10
    assert found.ordered("gap", falls=False).value == 0.5
    first = found.against_first("r1")
    p = [stats.ttest_rel(values[i], values[0]).pvalue for i in (1, 2)]
    assert [first[level].p for level in (0.2, 0.4)] == pytest.approx([max(p), 2 * min(p)] if p[0] > p[1] else
                                                                     [2 * min(p), max(max(p), 2 * min(p))])
    assert [number.null for number in found.numbers("gap")] == pytest.approx([0.1] * 3)


def test_runs_that_did_not_end_are_left_out_and_counted() -> None:
    table = planted([0.0, 0.2], r1=[0.9, 0.6]).table.copy()
    table.loc[[0, 6], "r1"], table.loc[[0, 6], "ended"] = np.nan, "it diverged at step 3"
    found = response_of(table, 1 / 12)
    assert [number.n for number in found.numbers("r1")] == [4, 4] and found.ends("r1").change.n == 3
    assert found.unfinished == 2 and found.ordered("r1").n == 3
    assert mean_over_seeds(np.array([0.5, np.nan])).low is None
    assert mean_over_seeds(np.array([np.nan])).n == 0
    assert mean_over_seeds(np.array([0.9, 1.0, 0.99]), ends=(0.0, 1.0)).high == 1
    poles = planted([0.0, 0.2], noise=0.5, gap=[0.1, 1.9], r1=[0.9, 0.6])
    assert poles.numbers("gap")[0].low == 0 and poles.numbers("r1")[0].high == 1
    assert poles.at_poles == (poles.values["gap"] > 1).sum() > 0


def test_a_dial_is_turned_and_nothing_else(lesson: Lesson) -> None:
    said: list[float] = []
    found = dose_response(lesson, "caption_noise", QUICK.but(seed=3), seeds=3, levels=(0, 0.5),
                          on_progress=lambda share, _: said.append(share))
    assert found.levels == (0.0, 0.5) and found.seeds == (3, 4, 5) and said[-1] == 1
    others = [name for name in found.table if name.startswith("dial_") and name != "dial_caption_noise"]
    assert len(others) == 13 and (found.table[others].nunique() == 1).all() and found.values["r1"].shape == (2, 3)
    assert found.table["dial_caption_noise"].tolist() == found.table["level"].tolist() == [0, 0, 0, 0.5, 0.5, 0.5]
    assert set(found.differences) == {"r1", "worst_class", "alignment", "uniformity", "gap"}
    assert found.chance == pytest.approx(1 / 12)
    choices = dose_response(lesson, "projection", QUICK.but(seed=3), seeds=3)
    assert choices.choices and choices.levels == ("separate", "shared")
    assert choices.values["r1"][0].tolist() == found.values["r1"][0].tolist(), "the same run, and the same numbers"
    with pytest.raises(ChoiceError, match="at least 3 seeds"):
        dose_response(lesson, "blur", QUICK, seeds=2)
    with pytest.raises(ChoiceError, match="the concepts of the built-in world"):
        dose_response(dataclasses.replace(lesson, world=False), "missing", QUICK)
    with pytest.raises(ChoiceError, match="dial to be one of"):
        dose_response(lesson, "colour", QUICK)


def test_every_dial_has_values_that_a_setup_takes_from_harmless_to_harmful() -> None:
    for name, dial in DIALS.items():
        setups = setups_of(name, Setup())
        assert 2 <= len(setups) <= 5 and len(with_seeds(setups.values(), 5)) <= 25
        if dial.data:
            assert next(iter(setups.values())) == Setup(), f"{name} begins without a fault"


SAYS: list[tuple[str, dict[str, list[float]], str, bool | None]] = [
    ("gap_at_start", {"gap_start": [0.8, 0.9], "gap": [0.1, 0.1]}, "Yes.*it falls to", True),
    ("gap_at_start", {"gap_start": [0.8, 0.9], "gap": [0.9, 1.0]}, "Yes.*it grows to", True),
    ("gap_at_start", {"gap_start": [0.1, 0.9], "gap": [0.1, 0.1]}, "Not above chance", False),
    ("gap_by_temperature", {"gap": [0.3, 0.2, 0.1, 0.05]}, r"Yes.*0.30 → 0.20 → 0.10 → 0.05", True),
    ("gap_by_temperature", {"gap": [0.6, 0.2, 0.05, 0.05]}, "Yes.*not told apart are 0.1 and 0.2", True),
    ("gap_by_temperature", {"gap": [0.1, 0.2, 0.3, 0.4]}, "No, the contrary", False),
    ("gap_by_temperature", {"gap": [0.3, 0.1, 0.2, 0.05]}, "Not throughout", False),
    ("gap_by_temperature", {"gap": [0.1, 0.2, 0.3, 0.1]}, "It is not seen here", None),
    ("mismatched", {"gap": [0.1, 0.2, 0.3, 0.4]}, "Yes", True),
    ("mismatched", {"gap": [0.4, 0.3, 0.2, 0.1]}, "No, the contrary", False),
    ("noise", {"uniformity": [-2, -1.7, -1, -0.5], "r1": [0.9, 0.7, 0.4, 0.2], "alignment": [0.1, 0.3, 0.2, 0.1]},
     "Yes.*which is not monotone", True),
    ("noise", {"uniformity": [-2, -1.7, -1, -0.5], "r1": [0.9, 0.4, 0.7, 0.2], "alignment": [0.1, 0.2, 0.3, 0.4]},
     "Not throughout.*and rises too", False),
    ("noise", {"uniformity": [-0.5, -0.7, -1, -2], "r1": [0.9, 0.7, 0.4, 0.2], "alignment": [0.1, 0.2, 0.3, 0.4]},
     "No, the contrary", False),
    ("poles", {"gap": [1.5, 0.2], "r1": [0.2, 0.3]}, "Yes.*10 of 10 free starts and 0 of 10 turned", True),
    ("poles", {"gap": [0.2, 0.2], "r1": [0.3, 0.3]}, "It is not seen here", None),
    ("poles", {"gap": [1.5, 1.4], "r1": [0.2, 0.2]}, "Not prevented", False),
]


@pytest.mark.parametrize(("key", "means", "says", "holds"), SAYS, ids=[f"{row[0]}: {row[2][:12]}" for row in SAYS])
def test_a_sentence_is_made_of_the_numbers(key: str, means: dict[str, list[float]], says: str,
                                           holds: bool | None) -> None:
    found = planted(list(EXPERIMENTS[key].levels), 5 * EXPERIMENTS[key].seeds, **means)
    reading = EXPERIMENTS[key].read(found)
    assert pd.Series([reading.sentence]).str.contains(says).all(), reading.sentence
    assert reading.holds is holds
    for number in reading.numbers.values():
        assert number.low is not None and number.low <= number.value <= (number.high or 0)
    for one in reading.differences.values():
        assert one.p is not None and (one.verdict is not Verdict.NOT_MEASURABLE)


def test_one_run_at_opposite_poles_does_not_tell_that_turning_prevents_it() -> None:
    table = planted(["free", "turned"], 10, gap=[0.2, 0.2], r1=[0.3, 0.3]).table.copy()
    table.loc[3, "gap"] = 1.6
    reading = EXPERIMENTS["poles"].read(response_of(table, 1 / 12))
    assert reading.holds is None
    assert reading.sentence.startswith("It is seen, but too rarely")
    assert "1 of 10 free starts and 0 of 10 turned" in reading.sentence


def test_what_cannot_be_measured_is_said_of_every_experiment() -> None:
    for key, one in EXPERIMENTS.items():
        names = ("gap", "gap_start", "r1", "uniformity", "alignment")
        found = planted(list(one.levels), **{name: [np.nan] * len(one.levels) for name in names})
        reading = EXPERIMENTS[key].read(found)
        assert reading.holds is None and "nan" not in reading.sentence, reading.sentence


def test_an_experiment_is_run(lesson: Lesson) -> None:
    found = run("gap_at_start", lesson, QUICK, seeds=3)
    assert found.response.table["dim"].tolist() == [3] * 3 + [16] * 3
    assert found.reading.holds is not None and found.reading.numbers["gap at the start, d 16"].n == 3
    with pytest.raises(ChoiceError, match="experiment to be one of"):
        run("luck", lesson)
