"""Every finding through one door: of the right items, once, and told what is lacking where it cannot be."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from core.encoding.embedding import embed_with
from core.encoding.export import save_vectors
from core.errors import Cancelled, ChoiceError, ModelError, ShapeError
from core.geometry.quality.items import Items
from core.language.quality import evidence
from core.language.quality.evidence import KINDS, SUGGESTING, find, possible
from core.language.quality.looked import Looked, look
from core.sources.sampling import take
from core.sources.solids.world import open_world
from core.sources.vectors.opening import open_vectors
from tests.language.quality.made_looked import made_looked


@pytest.fixture(scope="module")
def looked() -> Looked:
    world = open_world(40)
    return look(embed_with("builtin", world), world, prompts_by="builtin")


def with_splits(looked: Looked) -> Looked:
    items = looked.items
    splits = ("train", "test") * (items.n_images // 2)
    return replace(looked, items=Items(items.images, items.texts, items.links, items.labels, splits), memory={})


def test_each_kind_is_found_of_its_items(looked: Looked) -> None:
    looked = with_splits(looked)
    assert possible(looked) == tuple(KINDS)
    for key, kind in KINDS.items():
        finding = find(looked, key)
        assert (finding.key, finding.of) == (key, kind.of)
        assert len(finding.scores) == (40 if kind.of == "image" else len(looked.captions))
        assert find(looked, key) is finding, "found once"
    for key in SUGGESTING:
        assert len(find(looked, key).suggested) == 40  # type: ignore[attr-defined]
    assert evidence.pixels(looked).ids == looked.image_ids
    assert evidence.judged(looked).best is find(looked, "labels")


def test_a_part_is_looked_at_with_its_own_pictures(looked: Looked) -> None:
    world = open_world(40)
    part = take(world, np.array([7, 3, 30]))
    some = look(embed_with("builtin", part), world, prompts_by="builtin")
    assert some.places.tolist() == [7, 3, 30]
    assert some.hashes == tuple(looked.hashes[i] for i in (7, 3, 30))
    blur = find(some, "blur")
    assert blur.scores.tolist() == pytest.approx(find(looked, "blur").scores[[7, 3, 30]].tolist())


def test_vectors_alone_lack_pictures_and_a_model(tmp_path: object) -> None:
    world = open_world(12)
    file = save_vectors(embed_with("builtin", world), f"{tmp_path}/v.parquet")
    source = open_vectors(file)
    looked = look(source, source)
    lacking = {key: kind.lacks(looked) for key, kind in KINDS.items()}
    assert {key for key, why in lacking.items() if "no pictures" in why} == {
        "blur", "dark", "bright", "low_information", "grey", "odd_size", "odd_aspect"}
    assert lacking["copies"] == lacking["captions"] == lacking["labels"] == ""
    assert len(find(looked, "labels").scores) == 12
    with pytest.raises(ShapeError, match=r"blurred images can be looked for; got .* Only vectors are known"):
        find(looked, "blur")
    with pytest.raises(ModelError, match="a model that encodes prompts; got vectors whose model is not at hand"):
        looked.vector_of("a cube")
    assert lacking["short"] == ""
    unsaid = replace(looked, captions=tuple(f"text {i}" for i in range(12)), memory={},
                     text_ids=tuple(f"text {i}" for i in range(12)))
    assert {key for key, kind in KINDS.items() if "words are known" in kind.lacks(unsaid)} == {
        "repeated", "short", "long"}


def test_the_labels_of_another_column(looked: Looked) -> None:
    world = open_world(40)
    styles = look(embed_with("builtin", world), world, labels="style")
    assert set(styles.items.labels) == set(map(str, world.image_table["style"]))
    assert look(embed_with("builtin", world), world, labels="nothing").items.labels == ()
    assert styles.fingerprint != looked.fingerprint


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_items_are_no_error(n: int) -> None:
    looked = made_looked(n, 2, labels=("a",) * n)
    looked = replace(looked, memory={}, prompts_by="")
    for key in possible(looked):
        finding = find(looked, key)
        assert len(finding.flagged()) <= len(finding.scores)
    assert "labels" not in possible(looked), "there is one class"
    assert ("copies" in possible(looked)) is (n == 3)


def test_all_copies_of_one() -> None:
    made = made_looked(6)
    x = np.tile(made.items.images[:1], (6, 1))  # type: ignore[index]
    looked = replace(made, items=Items(x, made.items.texts, made.items.links), memory={}, prompts_by="")
    for key in possible(looked):
        find(looked, key)
    assert len(find(looked, "copies").to_drop()) == 5


def test_what_is_unknown_or_stopped(looked: Looked) -> None:
    with pytest.raises(ChoiceError, match="a finding to be one of copies"):
        find(looked, "ghosts")
    anew = replace(looked, memory={})
    with pytest.raises(Cancelled):
        find(anew, "captions", should_stop=lambda: True)
    assert ("finding", "captions", 0) not in anew.memory


def test_what_two_ask_for_at_once_is_found_once(looked: Looked) -> None:
    fresh, begun = replace(looked, memory={}), threading.Event()

    def told(share: float, text: str) -> None:
        begun.set()

    def stopped_while_the_other_is_at_it() -> None:
        with pytest.raises(Cancelled):
            find(fresh, "copies", should_stop=lambda: True)

    with ThreadPoolExecutor(3) as threads:
        with fresh.alone():
            threads.submit(stopped_while_the_other_is_at_it).result(60)
            both = [threads.submit(find, fresh, "copies", on_progress=told) for _ in range(2)]
            assert not begun.is_set() and not fresh.memory
        assert both[0].result(60) is both[1].result(60)
