"""Training of the built-in model: the loss against a loop, seeded batches, and a run that stops and goes on."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import Cancelled
from core.language.world_evaluation import distinct_scenes
from core.learning import builtin
from core.learning.builtin import FOLDER, Recipe, build_tokenizer, moments, probe_scenes, train
from core.learning.builtin_data import draw_batch, prepare, shrink, training_scenes
from core.learning.contrastive import info_nce
from core.sources.solids.captions import attributes, known_words
from core.sources.solids.render import render

SMALL = Recipe(images=700, steps=24, batch=16, warm_up=4, width=32, image_layers=1, text_layers=1, dim=16, patch=16,
               hard_from=0.2)


def unit(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(x, dim=1)


def test_info_nce_equals_a_loop() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = (unit(torch.randn(7, 5, generator=generator, dtype=torch.float64)) for _ in range(2))
    scale, also = 12.0, torch.zeros(7, 7, dtype=torch.bool)
    also[2, 4] = True
    total = 0.0
    for i in range(7):
        row = [math.exp(scale * float(x[i] @ y[j])) for j in range(7) if not also[i, j]]
        column = [math.exp(scale * float(x[j] @ y[i])) for j in range(7) if not also[j, i]]
        own = math.exp(scale * float(x[i] @ y[i]))
        total -= (math.log(own / sum(row)) + math.log(own / sum(column))) / 2
    assert float(info_nce(x, y, torch.tensor(scale), also)) == pytest.approx(total / 7, abs=1e-9)


def test_info_nce_by_chance_is_the_logarithm_of_the_batch() -> None:
    same = unit(torch.ones(9, 4))
    assert float(info_nce(same, same, torch.tensor(50.0))) == pytest.approx(math.log(9), abs=1e-5)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def data(rendered: Path):
    return prepare(SMALL.images, SMALL.seed, rendered)


def test_no_held_out_combination_is_ever_trained_on(data) -> None:
    assert not any(s.held_out for s in data.scenes)
    assert len(training_scenes(100, 0)) == 100


def test_pictures_are_those_of_the_scenes_and_rendering_goes_on_where_it_stopped(data, tmp_path: Path) -> None:
    coarse, fine = 3, len(data.scenes) - 3
    assert np.abs(render([data.scenes[coarse]], 64).images[0].astype(int) - data.images[coarse]).max() <= 1
    assert np.abs(shrink(render([data.scenes[fine]], 128).images)[0].astype(int) - data.images[fine]).max() <= 1
    with pytest.raises(Cancelled):
        prepare(SMALL.images, SMALL.seed, tmp_path, should_stop=lambda: True)
    again = prepare(SMALL.images, SMALL.seed, tmp_path)
    assert np.abs(np.asarray(again.images).astype(int) - data.images).max() <= 1


def test_hard_batches_agree_in_everything_but_solid_and_texture(data) -> None:
    rng_free = draw_batch(data, 5, seed=0, size=16, hard=True, groups=4)
    again = draw_batch(data, 5, seed=0, size=16, hard=True, groups=4)
    assert rng_free.texts == again.texts
    assert np.array_equal(rng_free.images, again.images)
    assert draw_batch(data, 6, seed=0, size=16, hard=True, groups=4).texts != again.texts


def test_captions_true_of_another_picture_are_no_negatives(data) -> None:
    from core.learning.builtin_data import _also_true
    from core.sources.solids.captions import caption

    scenes = data.scenes[:60]
    said = [caption(s, np.random.default_rng(i)) for i, s in enumerate(scenes)]
    also = _also_true(scenes, said)
    for i, scene in enumerate(scenes):
        for j, c in enumerate(said):
            true = (i != j and len(scene.solids) == 1 and bool(c.says)
                    and all(attributes(scene)[k] == v for k, v in c.says.items()))
            assert also[i, j] == true


def test_a_stopped_run_goes_on_to_the_same_weights(data, rendered: Path, tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    probe = builtin.render(probe_scenes(), 2 * builtin.PIXELS)      # the same in each of the three calls
    monkeypatch.setattr(builtin, "render", lambda scenes, size, device: probe)
    for work in "ab":
        shutil.copytree(rendered, tmp_path / work)
    whole = tmp_path / "whole"
    torch.manual_seed(5)
    train(SMALL, tmp_path / "a", whole)
    calls = iter(range(1000))
    with pytest.raises(Cancelled, match=r"after \d+ steps"):
        train(SMALL, tmp_path / "b", tmp_path / "parts", should_stop=lambda: next(calls) == 10)
    said: list[str] = []
    facts = train(SMALL, tmp_path / "b", tmp_path / "parts", on_progress=lambda f, t: said.append(t))
    a, b = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path / "parts"))
    assert max(float((a[k].float() - b[k].float()).abs().max()) for k in a) < 2e-3
    kept = np.load(whole / "training.npz")
    assert kept["step"].tolist() == [s for s in moments(SMALL.steps) if s <= SMALL.steps]
    assert kept["image"].shape == kept["text"].shape == (len(kept["step"]), 300, 16)
    assert np.allclose(np.linalg.norm(kept["image"].astype(float), axis=2), 1, atol=2e-3)
    assert facts["recipe"] == json.loads((tmp_path / "parts" / "training.json").read_text())["recipe"]


def test_two_seeds_give_two_models() -> None:
    from core.learning.builtin import build_model

    tokenizer = build_tokenizer()
    a, b, c = (build_model(replace(SMALL, seed=s), tokenizer).visual_projection.weight for s in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_every_word_of_the_world_is_one_token() -> None:
    tokenizer = build_tokenizer()
    assert {len(tokenizer(w)["input_ids"]) for w in known_words()} == {3}
    assert len(tokenizer("zebra")["input_ids"]) > 3
    assert tokenizer.get_vocab() == build_tokenizer().get_vocab()
    assert tokenizer("Ünïcødé 漢字 🙂")["input_ids"][-1] == tokenizer.eos_token_id != 2


def test_the_card_says_how_many_scenes_are_held_out() -> None:
    """What occurs in training takes half a minute to count: ``tests/benchmarks/seen.py``."""
    card = " ".join((FOLDER / "README.md").read_text().split())
    gallery = distinct_scenes(1000, 95_000)
    single, two, three = (sum(len(s.solids) == count for s in gallery) for count in (1, 2, 3))
    assert f"447 of the {single} with a single solid" in card
    assert f"of the {two} with two solids and the {three} with three, none" in card
    probes = probe_scenes()
    assert f"Of the {len(probes)} probe scenes, 152 do; {sum(s.held_out for s in probes)} have a held-out" in card


def test_the_committed_model_is_small_and_documented() -> None:
    assert sum(f.stat().st_size for f in FOLDER.glob("*.safetensors")) <= 8_000_000
    history = np.load(FOLDER / "training.npz")
    assert 25 <= len(history["step"]) <= 35
    assert history["image"].shape[1] == len(probe_scenes()) == 300
    assert any(s.held_out for s in probe_scenes())
    assert json.loads((FOLDER / "words.json").read_text()) == known_words()
    assert "held-out" in (FOLDER / "README.md").read_text()
