"""Several runs at once, in one process and in many: each content is encoded by one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoding import batching, sharing
from core.encoding.clip import DualEncoder
from core.encoding.pipeline import Embedded, embed
from core.encoding.sharing import Shares
from core.encoding.store import Store
from tests.encoding.made_models import Pictures, dataset, pictures, small_clip

ROOT = Path(__file__).parents[2]
HASHES = [f"{i:064x}" for i in range(40)]
CHILD = """
import sys, time
sys.path.insert(0, {root!r})
from tests.encoding.test_sharing import HASHES
from core.encoding.sharing import Shares
from core.encoding.store import Store
shares = Shares(Store({folder!r}), "m")
print(len(shares.take(HASHES[:{n}])), flush=True)
sys.stdin.readline()
shares.give_back(HASHES[:10])
print("given", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def model() -> DualEncoder:
    return small_clip()


class Slow:
    """A model that takes a while and counts what it encodes."""

    def __init__(self, model: DualEncoder, seconds: float = 0.02) -> None:
        self._model, self._seconds = model, seconds
        self.encoded = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)

    def encode_pixels(self, pixels: torch.Tensor) -> np.ndarray:
        time.sleep(self._seconds)
        self.encoded += len(pixels)
        return self._model.encode_pixels(pixels)


def child(folder: Path, n: int) -> subprocess.Popen[str]:
    code = CHILD.format(root=str(ROOT), folder=str(folder), n=n)
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_another_process_claims_is_free_again_when_it_gives_it_back_or_dies(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with child(tmp_path, 30) as other, Shares(Store(tmp_path), "m") as shares:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "30\n"
        assert shares.take(HASHES) == set(HASHES[30:])
        with Shares(Store(tmp_path), "another model") as third:
            assert third.take(HASHES) == set(HASHES)
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "given\n"
        assert shares.take(HASHES[:30]) == set(HASHES[:10])
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert shares.take(HASHES[:30]) == set(HASHES[10:30])


def test_two_runs_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    with Shares(Store(tmp_path), "m") as one, Shares(Store(tmp_path), "m") as two:
        assert one.take(HASHES[:20]) == set(HASHES[:20])
        assert two.take(HASHES) == set(HASHES[20:])
        one.give_back([*HASHES[:5], HASHES[30]])
        assert two.take(HASHES) == set(HASHES[:5])
    with Shares(Store(tmp_path), "m") as three:
        assert three.take(HASHES) == set(HASHES)


def test_where_there_are_no_locks_nothing_is_held_up(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Shares(Store(tmp_path / "file" / "vectors"), "m") as one, Shares(Store(tmp_path / "other"), "m") as two:
        assert one.take(HASHES) == set(HASHES)
        assert two.take(HASHES) == set(HASHES)


def test_a_forked_child_holds_nothing_of_its_parent(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with Shares(Store(tmp_path), "m") as shares:
        shares.take(HASHES[:20])
        pid = os.fork()
        if pid == 0:
            try:
                os._exit(0 if Shares(Store(tmp_path), "m").take(HASHES) == set(HASHES[20:]) else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert not Shares(Store(tmp_path), "m").take(HASHES[:20])


def together(tasks: list[Callable[[], Embedded]]) -> list[Embedded]:
    done: dict[int, Embedded] = {}
    threads = [threading.Thread(target=lambda k=k, task=task: done.update({k: task()})) for k, task in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[k] for k in range(len(tasks))]


def test_three_runs_at_once_encode_each_content_once(model: DualEncoder, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one process, which claims in memory; two on the same pictures, one on some of them and others."""
    monkeypatch.setattr(batching, "streams", lambda device: (1, 1))
    monkeypatch.setattr(batching, "ASK_AGAIN_SECONDS", 0.01)
    shown, texts = pictures(60), [f"a text {i}" for i in range(30)]
    parts = [(shown[:50], texts[:20]), (shown[:50], texts[:20]), (shown[30:], texts[10:])]
    models = [Slow(model) for _ in parts]
    runs = together([partial(embed, dataset(Pictures(images), words), m, Store(tmp_path), batch_size=4)
                     for m, (images, words) in zip(models, parts, strict=True)])
    assert sum(m.encoded for m in models) == 60
    assert sum(run.encoded for run in runs) == 90
    assert min(m.encoded for m in models) > 0
    whole = embed(dataset(Pictures(shown), texts), model, Store(tmp_path / "alone"))
    for run, start in zip(runs, (0, 0, 30), strict=True):
        assert run.images is not None
        np.testing.assert_allclose(run.images.vectors, whole.images.vectors[start:start + len(run.images)], atol=1e-5)  # type: ignore[union-attr]


def test_while_it_waits_a_run_is_as_far_as_the_run_it_waits_for(model: DualEncoder, tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "streams", lambda device: (1, 1))
    monkeypatch.setattr(batching, "ASK_AGAIN_SECONDS", 0.0)
    given, store = dataset(Pictures(pictures(12)), []), Store(tmp_path)
    hashes = [given.images.content_hash(i) for i in range(12)]
    told: list[tuple[float, str]] = []
    with Shares(store, model.spec.fingerprint) as other:
        other.take(hashes)

        def follow(fraction: float, text: str) -> None:
            told.append((fraction, text))
            if "Waiting" in text and hashes:    # meanwhile the other run finishes one more
                store.put(model.spec.fingerprint, hashes[:1], np.ones((1, model.spec.dim), np.float32))
                other.give_back([hashes.pop(0)])

        done = embed(given, model, store, on_progress=follow)
    assert done.encoded == 0
    waited = [fraction for fraction, text in told if "Waiting" in text]
    np.testing.assert_allclose(waited, np.arange(12) / 12)


EMBED = """
import sys, time
sys.path.insert(0, {root!r})
from tests.encoding.made_models import Pictures, dataset, pictures, small_clip
from tests.encoding.test_sharing import Slow
from core.encoding.pipeline import embed
from core.encoding.store import Store
model = Slow(small_clip(), 0.05)
given = dataset(Pictures(pictures(80)), [])
print("ready", flush=True)
sys.stdin.readline()
done = embed(given, model, Store({folder!r}), batch_size=4)
assert len(done.images) == 80
print(model.encoded, flush=True)
"""


def test_two_processes_on_the_same_images_with_a_reader(model: DualEncoder, tmp_path: Path) -> None:
    """No duplicate work beyond one batch, no error, and no vector but the right one at any moment."""
    pytest.importorskip("fcntl")
    code = EMBED.format(root=str(ROOT), folder=str(tmp_path / "shared"))
    children = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for _ in range(2)]
    whole = embed(dataset(Pictures(pictures(80)), []), model, Store(tmp_path / "alone"))
    images = Pictures(pictures(80))
    keys, reader = [images.content_hash(i) for i in range(80)], Store(tmp_path / "shared")
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in children:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    while any(process.poll() is None for process in children):
        found, vectors, _ = reader.get(model.spec.fingerprint, keys)
        if found.any():
            np.testing.assert_allclose(vectors, whole.images.vectors[found], atol=1e-5)  # type: ignore[union-attr]
    counts = [int(process.communicate()[0]) for process in children]
    assert [process.returncode for process in children] == [0, 0]
    assert min(counts) > 0
    assert 80 <= sum(counts) <= 80 + 4
    assert reader.count() == 80


def test_the_file_of_claims_is_beside_the_store(tmp_path: Path) -> None:
    with Shares(Store(tmp_path), "m"):
        assert (tmp_path / sharing.FILE).exists()
