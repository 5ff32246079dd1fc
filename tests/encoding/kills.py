"""Runs of ``python -m core embed`` that are killed at random moments, and what they come to in the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd

from tests.encoding.made_models import pictures

IMAGES = 150


def embed_in_a_process(cache: str, folder: str, model: str, out: str) -> None:
    """What a child does; it stands here so that a fresh process can import it."""
    os.environ |= {"ORRERY_CACHE": cache, "ORRERY_DEVICE": "cpu"}
    from core.commands import main
    from core.settings import settings

    settings.cache_clear()
    raise SystemExit(main(["embed", folder, "--model", model, "--out", out, "--batch-size", "1"]))


def kill_and_resume(scratch: Path, model: Path, kills: int, seed: int = 0) -> int:
    """Kill so many runs, resume to the end, and compare with an undisturbed run; returns how many were really killed.

    Each child comes from a server process that has imported the libraries once, so that a kill takes a second.
    """
    from core.encoding.store import Store

    folder = scratch / "many"
    folder.mkdir()
    for i, image in enumerate(pictures(IMAGES, seed=3)):
        image.save(folder / f"{i:04d}.png")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["core.encoding.pipeline", "transformers.models.clip.modeling_clip"])
    rng, killed = np.random.default_rng(seed), 0
    store = Store(scratch / "killed" / "vectors")

    def start(cache: str) -> multiprocessing.process.BaseProcess:
        child = context.Process(target=embed_in_a_process, args=(
            str(scratch / cache), str(folder), str(model), str(scratch / f"{cache}.parquet")))
        child.start()
        return child

    def finish(cache: str) -> pd.DataFrame:
        child = start(cache)
        child.join()
        assert child.exitcode == 0
        return pd.read_parquet(scratch / f"{cache}.parquet")

    kept = 0
    for round_ in range(kills):
        child = start("killed")
        wanted = kept + int(rng.integers(1, max(2, (IMAGES - kept) // (kills - round_ + 1) * 2)))
        while child.is_alive() and store.count() < min(wanted, IMAGES):
            time.sleep(0.001)
        time.sleep(float(rng.uniform(0, 0.01)))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        killed += child.exitcode == -signal.SIGKILL
        assert store.count() >= kept
        kept = store.count()
    resumed, whole = finish("killed"), finish("whole")
    assert store.notices == ()
    assert store.count() == IMAGES
    assert resumed["id"].tolist() == whole["id"].tolist()
    assert len(whole) == IMAGES
    np.testing.assert_allclose(np.stack(resumed["vector"].tolist()), np.stack(whole["vector"].tolist()), atol=1e-5)
    return killed
