"""Islands from model to model: what was planted is told, and agreement beside shuffled shots; islands by chance."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.across_models import AcrossModels, across_models, compare_islands
from core.geometry.films.islands import Islands, islands
from core.geometry.films.islands_chance import islands_by_chance
from core.geometry.films.shots import shot_starts
from tests.geometry.films.made_places import walk


def of(places: list[int]) -> Islands:
    path, _ = walk(places, 4, step=0.001)
    return islands(path, np.arange(0, len(path), 4))


def told(found: AcrossModels, step: int = 0) -> set[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    return {(f.fate, f.before, f.after) for f in found.steps[step].fates}


def test_kept_merged_and_split_are_told():
    first, second = of([0, 1, 2, 3, 0, 1, 2, 3]), of([0, 1, 2, 2, 0, 1, 2, 2])
    there = compare_islands([first, second], ["a", "b"])
    assert told(there) == {("kept", (0,), (0,)), ("kept", (1,), (1,)), ("merged", (2, 3), (2,))}
    back = compare_islands([second, first], ["b", "a"])
    assert told(back) == {("kept", (0,), (0,)), ("kept", (1,), (1,)), ("split", (2,), (2, 3))}
    assert all(f.overlap == 1 for f in (*there.steps[0].fates, *back.steps[0].fates))
    assert there.steps[0].shared.sum() == 32 and there.steps[0].count("kept") == 2
    assert there.steps[0].agreement.difference.verdict is Verdict.HIGHER


def test_an_island_that_scatters_is_lost_and_one_of_many_pieces_is_born():
    first, second = of([0, 1, 2, 3, 3, 3]), of([0, 1, 2, 0, 1, 2])
    found = told(compare_islands([first, second], ["a", "b"]))
    assert ("lost", (3,), ()) in found
    assert ("born", (), (3,)) in told(compare_islands([second, first], ["b", "a"]))


def test_threads_go_on_with_what_they_match_and_are_new_where_nothing_does():
    found = compare_islands([of([0, 1, 0, 1, 0]), of([0, 1, 0, 1, 2]), of([0, 0, 0, 0, 1])], ["a", "b", "c"])
    assert [t.tolist() for t in found.threads[:2]] == [[0, 1], [0, 1, 2]]
    assert found.threads[2].tolist()[1] == 2 and found.threads[2][0] in (0, 1)


def test_what_shares_too_little_does_not_go_on():
    found = compare_islands([of([0, 0, 0, 1, 1, 1, 2, 2, 2]), of([0, 1, 2] * 3)], "ab")
    assert {fate for fate, *_ in told(found)} == {"born", "lost"}
    assert not set(found.threads[0].tolist()) & set(found.threads[1].tolist())


def test_all_models_share_the_shots_of_one():
    early, late = (walk(places, 4, step=0.001, seed=i)[0] for i, places in enumerate(([0] * 8, [0, 1, 2, 3] * 2)))
    found = across_models([early, late], seed=1)
    assert found.names == ("model 1", "model 2") and found.shots_of == "model 2"
    assert [len(i.starts) for i in found.islands] == [8, 8] and [len(i) for i in found.islands] == [1, 4]
    assert told(found) == {("split", (0,), (0, 1, 2, 3))} and "one island" in found.steps[0].agreement.why
    assert [test.value.value for test in found.counts] == [1, 4] and found.counts[0].p != found.counts[1].p
    own = [islands(path, shot_starts(path)) for path in (early, late)]
    with pytest.raises(ShapeError, match="2 ways to begin shots"):
        compare_islands(own, "ab")
    with pytest.raises(ShapeError, match="same frames through two or more models"):
        across_models([early])
    with pytest.raises(ShapeError, match="same frames through two or more models"):
        across_models([early, late.part(slice(8))])
    with pytest.raises(Cancelled):
        across_models([early, late], should_stop=lambda: True)


def test_many_models_are_corrected_together():
    runs = [of([0, 1, 2, 0, 1, 2]) for _ in range(4)]
    alone = compare_islands(runs[:2], "ab").steps[0].agreement.p
    together = [step.agreement.p for step in compare_islands(runs, "abcd").steps]
    assert alone is not None and min(p for p in together if p is not None) >= 2 * alone


def test_no_agreement_is_not_told_apart_and_too_little_is_said():
    rng = np.random.default_rng(3)
    ps = [compare_islands([of(rng.integers(0, 3, 12).tolist()) for _ in range(2)], "ab").steps[0].agreement.p
          for _ in range(8)]
    assert np.mean([p is not None and p > 0.05 for p in ps]) > 0.7
    few = compare_islands([of([0, 1, 0]), of([0, 1, 1])], "ab").steps[0].agreement
    assert few.p is None and "3 of the 5 shots" in few.words
    with pytest.raises(ShapeError, match="islands of the same frames"):
        compare_islands([of([0, 1]), of([0, 1, 2])], "ab")


def test_a_film_that_comes_back_has_fewer_islands_than_shots_placed_anew():
    path, _ = walk(list(range(8)) * 3, 5)
    seen = islands_by_chance(path, islands(path, shot_starts(path)), draws=99)
    assert seen.value.value == 8 and seen.value.n == 24
    assert seen.difference.verdict is Verdict.LOWER and seen.low > 8
    once, _ = walk(list(range(16)), 5, seed=1)
    assert islands_by_chance(once, islands(once, shot_starts(once)), draws=99).difference.verdict is not Verdict.LOWER
    few, _ = walk([0, 1])
    assert "2 of the 5 shots" in islands_by_chance(few, islands(few, shot_starts(few)), draws=99).words
