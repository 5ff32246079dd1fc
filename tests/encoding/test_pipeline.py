"""Embedding a dataset: the right vectors, once each, in order, with progress, stops, refusals and little memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.encoding import batching
from core.encoding.clip import DualEncoder
from core.encoding.pipeline import embed, missing, text_hash
from core.encoding.sharing import Shares
from core.encoding.store import Store
from core.errors import Cancelled, ModelError, ShapeError
from core.sources.images.opening import open_folder
from core.types import Refusal
from tests.encoding.made_models import SENTENCES, Pictures, dataset, pictures, small_clip

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model() -> DualEncoder:
    return small_clip()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "streams", lambda device: (1, 1))


def unit(raw: np.ndarray) -> np.ndarray:
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def texts(n: int) -> list[str]:
    return [f"{'the ' * (i * 7 % 13)}cube {i}" for i in range(n)]


def test_vectors_equal_one_by_one(model: DualEncoder, store: Store) -> None:
    images, captions = pictures(13), texts(11)
    done = embed(dataset(Pictures(images), captions, [(i, i % 11) for i in range(13)]), model, store, batch_size=4)
    raw = np.concatenate([model.encode_images([image]) for image in images])
    assert done.images is not None
    assert done.texts is not None
    np.testing.assert_allclose(done.images.vectors, unit(raw), atol=1e-5)
    np.testing.assert_allclose(done.images.norms, np.linalg.norm(raw, axis=1), rtol=1e-5)
    np.testing.assert_allclose(done.texts.vectors, unit(np.concatenate([model.encode_texts([t]) for t in captions])),
                               atol=1e-5)
    assert done.images.ids == tuple(f"i{k}" for k in range(13))
    assert done.texts.table["row"].tolist() == list(range(11))
    assert done.links.tolist() == [[i, i % 11] for i in range(13)]
    assert done.pairs().links.tolist() == done.links.tolist()
    assert done.images.model == model.spec
    assert done.encoded == 24
    assert {"decode", "resize", "forward", "store", "wait"} <= set(done.seconds)


def test_batches_leave_no_trace(model: DualEncoder, tmp_path: Path) -> None:
    given = dataset(Pictures(pictures(17)), texts(17))
    results = [embed(given, model, Store(tmp_path / str(size)), batch_size=size) for size in (1, 5, 64)]
    for other in results[1:]:
        np.testing.assert_allclose(results[0].images.vectors, other.images.vectors, atol=1e-5)  # type: ignore[union-attr]
        np.testing.assert_allclose(results[0].texts.vectors, other.texts.vectors, atol=1e-5)  # type: ignore[union-attr]


def test_each_content_is_encoded_once_in_whichever_dataset(model: DualEncoder, store: Store) -> None:
    base = pictures(6)
    first = Pictures([base[0], base[1], base[0], base[2], base[1]])
    given = dataset(first, ["cube", "x", "cube"])
    assert missing(given, model, store) == 5
    done = embed(given, model, store, batch_size=2)
    assert done.encoded == 5
    assert first.decoded == [0, 1, 3]
    assert missing(given, model, store) == 0
    assert (done.images.vectors[0] == done.images.vectors[2]).all()  # type: ignore[union-attr]
    second = Pictures([base[5], base[2], base[0]])
    again = embed(dataset(second, ["x", "new"]), model, store)
    assert second.decoded == [0]
    assert again.encoded == 2
    assert (again.images.vectors[2] == done.images.vectors[0]).all()  # type: ignore[union-attr]
    assert embed(given, model, store).images == done.images
    assert missing(given, small_clip(revision="1" * 40), store) == 5


def test_refused_images_are_listed_and_links_follow(model: DualEncoder, store: Store) -> None:
    base = pictures(6)
    images = Pictures([base[0], base[1], base[2], base[1], base[4]], broken=(1, 4))

    class Odd(Pictures):
        def content_hash(self, index: int) -> str:
            if index == 2:
                raise OSError("disk gone")
            return images.content_hash(index)

        def decode(self, index: int) -> Any:
            if index == 4:
                raise ValueError("cannot be so")
            return images.decode(index)

    given = dataset(Odd(images.images), ["x", "cube"], [(0, 0), (1, 0), (2, 1), (3, 1), (4, 1), (0, 1)])
    done = embed(given, model, store, batch_size=2)
    assert done.images is not None
    assert done.images.ids == ("i0",)
    assert done.links.tolist() == [[0, 0], [0, 1]]
    assert done.refused == (
        Refusal("i1", "noise"), Refusal("i2", "the disk says: disk gone"),
        Refusal("i3", "noise"), Refusal("i4", "ValueError: cannot be so"))
    assert done.images.table["row"].tolist() == [0]


def test_all_refused_texts_alone_and_nothing(model: DualEncoder, store: Store) -> None:
    none_left = embed(dataset(Pictures(pictures(2), broken=(0, 1)), ["x"]), model, store)
    assert none_left.images is not None
    assert len(none_left.images) == 0
    assert none_left.images.vectors.shape == (0, 24)
    alone = embed(dataset(None, ["x", "cube"]), model, store)
    assert alone.images is None
    assert len(alone.texts) == 2  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="images and texts that belong together"):
        alone.pairs()
    empty = embed(dataset(Pictures([]), []), model, store)
    assert empty.texts is None
    assert empty.encoded == 0


@pytest.mark.usefixtures("one_stream")
def test_texts_of_one_length_share_a_batch(model: DualEncoder, store: Store) -> None:
    class Listening(Narrow):
        batches: list[list[str]] = []

        def encode_texts(self, given: list[str]) -> np.ndarray:
            self.batches.append(list(given))
            return self._model.encode_texts(given)

    listening = Listening(model, 0, MemoryError())
    mixed = [f"{'the ' * (i % 4 * 4)}{i}" for i in range(20)]
    embed(dataset(None, mixed), listening, store, batch_size=5)  # type: ignore[arg-type]
    lengths = [model.token_counts(batch) for batch in listening.batches]
    assert max(int(np.ptp(each)) for each in lengths) <= 1
    assert sum(len(batch) for batch in listening.batches) == 20


def test_truncated_texts_are_named(model: DualEncoder, store: Store) -> None:
    captions = ["x", "the " * 30, "a red cube", "the " * 18, "the " * 19]
    assert embed(dataset(None, captions), model, store).truncated == ("t1", "t4")
    again = embed(dataset(None, captions), model, store)
    assert again.encoded == 0
    assert again.truncated == ("t1", "t4")


@pytest.mark.usefixtures("one_stream")
def test_progress_rises_and_says_how_fast_and_how_long(model: DualEncoder, store: Store) -> None:
    told: list[tuple[float, str]] = []
    embed(dataset(Pictures(pictures(9), broken=(8,)), texts(5)), model, store, batch_size=4,
          on_progress=lambda fraction, text: told.append((fraction, text)))
    assert told.pop(0) == (0.0, "9 of 9 files read")
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert fractions[0] == pytest.approx(4 / (9 + 5 * batching.TEXT_COST))
    assert re.fullmatch(r"Encoding images: 4 of 9, [\d.e+]+ items/s, about \d+ s left", told[0][1])
    assert any(text.startswith("Encoding texts: 5 of 5") for _, text in told)
    assert told[-1][1] == "8 images and 5 texts are ready"


@pytest.mark.parametrize("number", [1, 3])
def test_a_stop_keeps_what_is_finished_and_what_runs(model: DualEncoder, store: Store, number: int,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "streams", lambda device: (number, 1))
    given = dataset(Pictures(pictures(40)), texts(4))
    told: list[str] = []
    with pytest.raises(Cancelled, match="a request to stop after 8 items"):
        embed(given, model, store, batch_size=4, on_progress=lambda fraction, text: told.append(text),
              should_stop=lambda: len(told) == 3)
    kept = 44 - missing(given, model, store)
    assert 8 <= kept <= 8 + 4 * (number + 1)
    assert kept % 4 == 0
    assert embed(given, model, store).encoded == 44 - kept


@pytest.mark.parametrize("number", [2, 5])
def test_streams_change_nothing(model: DualEncoder, tmp_path: Path, number: int,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    given = dataset(Pictures(pictures(23), broken=(3, 22)), texts(19))
    monkeypatch.setattr(batching, "streams", lambda device: (1, 1))
    one = embed(given, model, Store(tmp_path / "one"))
    monkeypatch.setattr(batching, "streams", lambda device: (number, 1))
    many = embed(given, model, Store(tmp_path / "many"), batch_size=3)
    assert one.images.ids == many.images.ids  # type: ignore[union-attr]
    assert one.refused == many.refused
    np.testing.assert_allclose(one.images.vectors, many.images.vectors, atol=1e-5)  # type: ignore[union-attr]
    np.testing.assert_allclose(one.texts.vectors, many.texts.vectors, atol=1e-5)  # type: ignore[union-attr]


def test_threads_are_shared_out_and_given_back(model: DualEncoder, store: Store,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "all_threads", lambda: 12)
    assert batching.streams("cpu") == (8, 1)
    assert batching.streams("cuda") == (1, 12)
    monkeypatch.setattr(batching, "all_threads", lambda: 3)
    assert batching.streams("cpu") == (3, 1)
    seen: list[int] = []

    class Counting(Narrow):
        def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
            seen.append(torch.get_num_threads())
            return self._model.encode_pixels(pixels)

    before = torch.get_num_threads()
    monkeypatch.setattr(batching, "all_threads", lambda: before)
    embed(dataset(Pictures(pictures(5)), []), Counting(model, 0, MemoryError()), store)  # type: ignore[arg-type]
    assert set(seen) == {batching.streams("cpu")[1]}
    assert torch.get_num_threads() == before


@pytest.mark.usefixtures("one_stream")
def test_decoding_runs_ahead_but_not_far(model: DualEncoder, store: Store) -> None:
    images = Pictures(pictures(40))
    seen: list[int] = []
    with pytest.raises(Cancelled):
        embed(dataset(images, []), model, store, batch_size=4,
              on_progress=lambda fraction, text: seen.append(len(images.decoded)), should_stop=lambda: len(seen) == 3)
    assert 8 <= len(images.decoded) <= 8 + 2 * 4 + 3 * 4 + 1


class Narrow:
    """A model whose memory holds so many items and no more."""

    def __init__(self, model: DualEncoder, most: int, error: Exception) -> None:
        self._model, self.most, self.error, self.sizes = model, most, error, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        self.sizes.append(len(pixels))
        if len(pixels) > self.most:
            raise self.error
        return self._model.encode_pixels(pixels)

    def encode_texts(self, given: list[str]) -> np.ndarray:
        self.sizes.append(len(given))
        if len(given) > self.most:
            raise self.error
        return self._model.encode_texts(given)


OUT = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), MemoryError(),
       RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
       RuntimeError("MPS backend out of memory")]


@pytest.mark.usefixtures("one_stream")
@pytest.mark.parametrize("error", OUT)
def test_out_of_memory_halves_the_batch_and_goes_on(model: DualEncoder, store: Store, tmp_path: Path,
                                                    error: Exception) -> None:
    narrow = Narrow(model, 3, error)
    given = dataset(Pictures(pictures(10)), texts(7))
    done = embed(given, narrow, store, batch_size=8)  # type: ignore[arg-type]
    whole = embed(given, model, Store(tmp_path / "whole"))
    np.testing.assert_allclose(done.images.vectors, whole.images.vectors, atol=1e-5)  # type: ignore[union-attr]
    np.testing.assert_allclose(done.texts.vectors, whole.texts.vectors, atol=1e-5)  # type: ignore[union-attr]
    assert narrow.sizes[:3] == [8, 4, 2]
    assert max(narrow.sizes[2:]) == 2


def test_errors_that_are_not_of_memory_are_not_hidden(model: DualEncoder, store: Store) -> None:
    with pytest.raises(RuntimeError, match="a bug"):
        embed(dataset(Pictures(pictures(2)), []), Narrow(model, 0, RuntimeError("a bug")), store)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"memory for one item at a time; got none left on cpu.*ORRERY_DEVICE=cpu"):
        embed(dataset(Pictures(pictures(2)), []), Narrow(model, 0, MemoryError()), store)  # type: ignore[arg-type]


class Blind(Narrow):
    def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        raw = self._model.encode_pixels(pixels)
        raw[1] = np.nan
        return raw

    def encode_texts(self, given: list[str]) -> np.ndarray:
        return self._model.encode_texts(given) * 0


@pytest.mark.usefixtures("one_stream")
def test_vectors_without_a_direction_are_never_kept(model: DualEncoder, store: Store) -> None:
    blind = Blind(model, 0, MemoryError())
    done = embed(dataset(Pictures(pictures(3)), []), blind, store)  # type: ignore[arg-type]
    assert done.refused == (Refusal("i1", "the model gave no finite vector for it"),)
    assert store.count() == 2
    with pytest.raises(ModelError, match="finite vectors of texts; got NaN, infinity or zero in float32"):
        embed(dataset(None, SENTENCES), blind, store)  # type: ignore[arg-type]
    assert store.count() == 2


def test_hash_of_a_text_and_spans() -> None:
    assert text_hash("a") != text_hash("a ")
    assert len(text_hash("")) == 64
    assert [batching.span(s) for s in (0.4, 89, 600, 7200)] == ["0 s", "89 s", "10 min", "2.0 h"]


def test_batch_sizes() -> None:
    small = small_clip()
    assert batching.default_batch_size(small) == 256
    small.image_size = 224
    assert batching.default_batch_size(small) == 16
    small.image_size = 2000
    assert batching.default_batch_size(small) == 4
    small.device = "cuda"
    assert batching.default_batch_size(small) == 256


@pytest.mark.parametrize(("number", "n", "size"), [(1, 9, 4), (2, 9, 3), (2, 8, 4), (2, 5, 3), (4, 3, 1), (2, 0, 0),
                                                   (3, 40, 4)])
def test_batches_are_as_many_on_every_stream(model: DualEncoder, store: Store, number: int, n: int, size: int,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "streams", lambda device: (number, 1))
    run = batching.Run(model, store, Shares(store, "m"), lambda fraction, text: None, lambda: False, 4)
    assert run._even(n) == size


def test_the_progress_of_a_few_hundred_images_has_steps(model: DualEncoder, store: Store,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "streams", lambda device: (2, 1))
    run = batching.Run(model, store, Shares(store, "m"), lambda fraction, text: None, lambda: False, 196)
    assert run._even(300) == 17
    assert run._even(20) == 10
    assert run._even(100_000) <= 196


def test_decode_and_resize_are_told_apart(model: DualEncoder, store: Store, tmp_path: Path) -> None:
    for i, picture in enumerate(pictures(4, size=(900, 700))):
        picture.save(tmp_path / f"{i}.png")
    seconds = embed(open_folder(tmp_path), model, store).seconds
    assert seconds["decode"] > 0
    assert seconds["resize"] > 0


def test_freed_memory_is_kept_where_the_c_library_allows_it() -> None:
    """In a fresh process: pages fetched by ten forward passes, before and after.

    It begins with the C library's own threshold, held: left to itself, the library raises it now and then.
    """
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import resource, torch
from core.encoding.allocator import keep_freed_memory
torch.set_num_threads(1)
layers = torch.nn.Sequential(torch.nn.Linear(700, 3000), torch.nn.GELU(), torch.nn.Linear(3000, 700))
x = torch.ones(300, 700)
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    with torch.inference_mode():
        for _ in range(10):
            layers(x)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
before, known = faults(), keep_freed_memory()
faults()
print(known, before, faults())
"""
    pytest.importorskip("resource")
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(128 * 1024)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    known, before, after = done.stdout.split()
    if known == "False":
        pytest.skip("the C library is not glibc")
    assert int(after) < int(before) / 4
