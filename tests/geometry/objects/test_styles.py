"""Composing an object and a style: formulas by hand, laws, and what collapses as the methods say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.geometry.directions import unit
from core.geometry.objects.styles import METHODS, Requests, compose, fit_styles
from core.geometry.objects.transfer import (
    TASKS,
    UNSEEN,
    Setting,
    chance,
    composed,
    composed_unseen,
    find,
    score_styles,
    style_task,
    tune,
)
from tests.geometry.objects.made import D, objects, rotation, turned

VIEWS = objects(n=5, styles=3, views=6, rank=3, spread=0.4, noise=0.3)
TEXTS = unit(np.random.default_rng(2).normal(size=(3, D)))
FIT = fit_styles(VIEWS.seen_from([0, 2, 4]), TEXTS)
ROWS = np.random.default_rng(3).permutation(np.flatnonzero(VIEWS.views % 2 == 1))[:20]
CASES = Requests.of(VIEWS, ROWS[:10], ROWS[10:])


def p_of(x: np.ndarray, rank: int) -> np.ndarray:
    basis = np.linalg.svd(x)[2][:rank]
    return basis.T @ basis


@pytest.mark.parametrize("change", [False, True])
@pytest.mark.parametrize(("key", "alpha"), [("subspace", 1.0), ("subspace_published", 1.0), ("subspace", 0.7)])
def test_the_subspace_formulas_one_case_at_a_time(key, alpha, change):
    found = compose(key, FIT, CASES, rank=4, alpha=alpha, change=change)
    fitted = VIEWS.seen_from([0, 2, 4])
    means = np.stack([fitted.vectors[fitted.styles == s].mean(axis=0) for s in range(3)])
    if key == "subspace_published":
        means = np.zeros_like(means)
    for i in range(10):
        b, a = CASES.content_object[i], CASES.source_object[i]
        v_b, v_a = CASES.content[i], CASES.source[i]
        s_b, s_a = means[CASES.content_style[i]], means[CASES.source_style[i]]
        p_b = p_of((fitted.vectors - means[fitted.styles])[fitted.objects == b], 4)
        p_a = p_b if change else p_of((fitted.vectors - means[fitted.styles])[fitted.objects == a], 4)
        left = (np.eye(D) - p_a) @ (v_a - s_a)
        raw = v_b + alpha * (s_a + p_b @ (v_b - s_b) + left - v_b)
        np.testing.assert_allclose(found.vectors[i], raw / np.linalg.norm(raw), atol=1e-9)
        assert found.residuals[i] == pytest.approx(np.linalg.norm(left))


def test_pae_by_hand_in_the_plane():
    """Two styles along x; the prompts differ by x alone, so W is the x axis."""
    views = objects(n=2, styles=2, views=2)
    views = replace(views, vectors=np.tile([[0.6, 0.8, 0.0]], (8, 1)))
    texts = np.array([[0.6, 0.0, 0.8], [-0.6, 0.0, 0.8]])
    fit = fit_styles(views, texts)
    one = Requests.of(views, np.array([0]), np.array([2]))   # from style 0 to style 1
    np.testing.assert_allclose(np.abs(fit.text_basis), [[1, 0, 0]], atol=1e-12)
    w, r, along = 0.6, np.array([0, 0.8, 0]), np.array([-0.6, 0, 0])
    d = (fit.text_basis @ texts[1])[0]
    c = w * fit.text_basis[0, 0]
    added = (c - 2 * abs(c)) * fit.text_basis[0] + r
    for key, raw in {
        "pae": np.array([0.6, 0.8, 0]) + 2 * along, "pae_plus": added + 2 * abs(c) / d * along,
        "pae_plus_text": added + 2 * abs(c) / d * texts[1], "text": np.array([0.6 - 2.4, 0.8, 0]),
    }.items():
        found = compose(key, fit, one, alpha=2.0)
        np.testing.assert_allclose(found.vectors[0], raw / np.linalg.norm(raw), atol=1e-9, err_msg=key)
    assert compose("pae", fit, one).residuals[0] == pytest.approx(0.8)


@pytest.mark.parametrize("key", ["subspace", "subspace_published", "arithmetic", "text"])
@pytest.mark.parametrize("rank", [1, 3, 20])
def test_the_same_object_in_the_same_style_is_the_identity(key, rank):
    same = Requests.of(VIEWS, ROWS, ROWS)
    np.testing.assert_allclose(compose(key, FIT, same, rank=rank).vectors, same.content, atol=1e-6)


@pytest.mark.parametrize("key", METHODS)
def test_alpha_0_is_the_content_and_turning_the_space_turns_the_answer(key):
    by = rotation()
    np.testing.assert_allclose(compose(key, FIT, CASES, rank=3, alpha=0.0).vectors, CASES.content, atol=1e-6)
    around = turned(VIEWS, by)
    fit = fit_styles(around.seen_from([0, 2, 4]), TEXTS @ by)
    found = compose(key, fit, Requests.of(around, ROWS[:10], ROWS[10:]), rank=3, alpha=1.3)
    np.testing.assert_allclose(found.vectors, compose(key, FIT, CASES, rank=3, alpha=1.3).vectors @ by, atol=1e-6)


def test_at_full_rank_the_residuals_are_arithmetic_and_the_formula_as_written_is_the_content():
    """Every view is among those fitted, so that nothing lies outside."""
    fit = fit_styles(VIEWS)
    full = compose("subspace", fit, CASES, rank=99)
    np.testing.assert_allclose(full.vectors, compose("arithmetic", fit, CASES).vectors, atol=1e-9)
    np.testing.assert_allclose(full.residuals, 0, atol=1e-6)
    np.testing.assert_allclose(compose("subspace_published", fit, CASES, rank=99).vectors, CASES.content, atol=1e-6)


def test_the_prompts_span_no_more_than_their_differences():
    basis = fit_styles(VIEWS, TEXTS).text_basis
    assert len(basis) == 2
    np.testing.assert_allclose(basis @ basis.T, np.eye(2), atol=1e-12)
    away = TEXTS - TEXTS.mean(axis=0)
    np.testing.assert_allclose(away @ basis.T @ basis, away, atol=1e-9)
    assert len(fit_styles(VIEWS, TEXTS, components=1).text_basis) == 1


def test_what_a_method_lacks_is_said():
    fit = fit_styles(VIEWS.part(VIEWS.styles == 0))
    with pytest.raises(ChoiceError, match="a way to compose to be one of subspace, subspace_published, pae"):
        compose("magic", FIT, CASES)
    with pytest.raises(ShapeError, match=r"prompts of the styles for PAE; got none\. Write one prompt"):
        compose("pae", fit, CASES)
    with pytest.raises(ShapeError, match="views in both styles for style means; got a style that no fitted view"):
        compose("arithmetic", fit, CASES)
    fewer = fit_styles(VIEWS.part(VIEWS.objects > 0))
    with pytest.raises(ShapeError, match="fitted views of every object; got none of object 0"):
        compose("subspace", fewer, CASES)


@pytest.mark.parametrize("task", TASKS)
def test_cases_ask_for_views_that_were_not_fitted_and_never_for_their_own(task):
    made = style_task(VIEWS, TEXTS, change=task == "change", seed=1)
    assert len(made.content) == (5 * 6 * 4 if task == "transfer" else 5 * 6 * 3)
    for rows in (made.content, made.source):
        assert (VIEWS.views[rows] % 2 == 1).all()
    assert (VIEWS.objects[made.content] != VIEWS.objects[made.source]).all()
    assert (VIEWS.styles[made.content] != VIEWS.styles[made.source]).all()
    assert chance(made) == pytest.approx(6 / 88)
    again = find(made, VIEWS.vectors[made.content])
    assert not (again.nearest == made.content).any()
    wanted = np.array([np.flatnonzero((VIEWS.objects == o) & (VIEWS.styles == s))[0] for o, s in zip(
        VIEWS.objects[made.content], VIEWS.styles[made.source])])
    assert find(made, VIEWS.vectors[wanted]).right.all()


def test_styles_that_are_shifts_are_carried_over_and_the_formula_as_written_collapses():
    views = [objects(n=6, styles=3, views=8, spread=0.3, noise=0.02, seed=s) for s in (0, 1)]
    tasks = [style_task(v, None, seed=s) for s, v in enumerate(views)]
    chosen = tune([style_task(objects(n=6, styles=3, views=8, spread=0.3, noise=0.02, seed=9), None)], "subspace",
                  ranks=(2, 8))
    assert chosen.tuned > 0.9
    report = score_styles(tasks, {"subspace": chosen, "subspace_published": Setting(8, 1.0),
                                  "arithmetic": Setting(1, 1.0), "sum": Setting(1, 1.0)},
                          ranks=(1, 8))
    rows = {row.name: row for row in report.rows}
    assert next(iter(rows)) == "untouched"
    assert rows["untouched"].right.value == 0 and rows["untouched"].kept.value > 0.9
    assert min(rows["subspace"].right.value, rows["arithmetic"].right.value) > 0.9
    assert rows["subspace_published"].right.value < 0.2
    assert rows["subspace"].right.null == pytest.approx(8 / 142)
    hits = np.concatenate([find(t, composed(t, "sum", Setting(1, 1.0)).vectors).right for t in tasks])
    assert rows["sum"].right.value == pytest.approx(hits.mean())
    assert rows["sum"].change.change.value == pytest.approx(hits.mean() - rows["arithmetic"].right.value)
    assert rows["arithmetic"].change is None
    assert report.over_rank["subspace"].values[1] == pytest.approx(
        score_styles(tasks, {"subspace": Setting(8, 1.0)}).rows[1].right.value)
    assert report.n == 2 * 6 * 6 * 5


def test_methods_reach_chance_on_shuffled_views():
    rng = np.random.default_rng(1)
    found: dict[str, list[float]] = {key: [] for key in METHODS}
    for seed in range(8):
        task = style_task(replace(VIEWS, vectors=rng.permutation(VIEWS.vectors)), TEXTS, seed=seed)
        for key, hits in found.items():
            hits.append(float(find(task, composed(task, key, Setting(2, 1.0)).vectors).right.mean()))
    for key, hits in found.items():
        assert np.mean(hits) == pytest.approx(chance(task), abs=0.04), key


def test_what_is_fitted_without_the_answer_has_not_seen_it():
    """Views of each kept object in each taken style may become anything: what was composed for it stays the same."""
    task = style_task(VIEWS, TEXTS)
    keys, settings = ("subspace", "arithmetic"), (Setting(4, 1.0), Setting(1, 1.0))
    found = composed_unseen(task, keys, settings)
    answer = (VIEWS.objects == 2) & (VIEWS.styles == 1) & (VIEWS.views % 2 == 0)
    noise = unit(np.random.default_rng(0).normal(size=VIEWS.vectors.shape))
    odd = replace(VIEWS, vectors=np.where(answer[:, None], noise, VIEWS.vectors))
    rows = (VIEWS.objects[task.content] == 2) & (VIEWS.styles[task.source] == 1)
    again = composed_unseen(style_task(odd, TEXTS), keys, settings)
    seen = [composed(t, "subspace", settings[0]).vectors[rows] for t in (task, style_task(odd, TEXTS))]
    for one, two in zip(found, again):
        np.testing.assert_allclose(one.vectors[rows], two.vectors[rows])
    assert np.abs(seen[0] - seen[1]).max() > 0.01
    report = score_styles([task], dict(zip(keys, settings)), unseen=("arithmetic",))
    assert [row.name for row in report.rows] == ["untouched", *keys, f"arithmetic:{UNSEEN}"]
    assert report.rows[3].right.value == find(task, found[1].vectors).right.mean()


def test_zero_shot_labels_are_those_of_the_nearest_prompt():
    prompts = unit(np.stack([VIEWS.of(k).mean(axis=0) for k in range(5)]))
    task = style_task(VIEWS, TEXTS)
    row = score_styles([task], {"arithmetic": Setting(1, 1.0)}, prompts=prompts).rows[1]
    v = composed(task, "arithmetic", Setting(1, 1.0)).vectors
    assert row.zero_shot["object"].value == pytest.approx(
        ((v @ prompts.T).argmax(axis=1) == VIEWS.objects[task.content]).mean())
    assert row.zero_shot["style"].value == pytest.approx(
        ((v @ TEXTS.T).argmax(axis=1) == VIEWS.styles[task.source]).mean())
    assert (row.zero_shot["object"].null, row.zero_shot["style"].null) == (0.2, pytest.approx(1 / 3))
