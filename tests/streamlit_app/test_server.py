"""A public server and what strangers send it."""

from __future__ import annotations

import asyncio
import gc
import io
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.streamlit_app import server
from core.streamlit_app.data.selections import as_table
from core.types import Selection
from tests.sources.images.test_images import zipped
from tests.streamlit_app.protocol import Visitor


@pytest.mark.parametrize("model_id", ["core/../../../../etc", "~root", "~nosuchuser", "n" * 300, "org/name"])
def test_a_link_to_a_model_that_is_not_offered_is_answered_in_words(hosted: str, model_id: str) -> None:
    visitor = Visitor(hosted, model="other", model_id=model_id).run()
    assert "The address names a model that this server does not offer" in visitor.shown
    assert "How to start" in visitor.shown
    assert model_id not in visitor.shown and "Download" not in visitor.shown
    visitor.leave()


def photos() -> bytes:
    out = {}
    for i in range(6):
        buffer = io.BytesIO()
        Image.fromarray(np.random.default_rng(i).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(buffer, "PNG")
        out[f"quetzal-{i}.png"] = buffer.getvalue()
    return zipped(out)


def pictures_of(visitor: Visitor) -> str:
    """The key under which a view asks for its pictures."""
    found = re.search(r'\\"pictures\\":\\"([0-9a-f]{64})', visitor.shown)
    assert found is not None
    return found[1]


def asked(key: str, number: int) -> dict[str, object]:
    return {"sphere-pictures": {"wanted": {"of": key, "points": list(range(6)), "number": number}}}


def test_two_visitors_do_not_reach_each_other(hosted: str) -> None:
    mine = Visitor(hosted, "Embedding_Sphere", data="images").run()
    file = mine.put(photos(), "birds.zip")[1]
    mine.run(**{"images.upload": [("birds.zip", file)]}).settled()
    chosen = pd.DataFrame(as_table([Selection("crests", ("quetzal-1.png", "quetzal-2.png"), (), "birds: a cap")]))
    mine.bring("selections.file", ("selections.csv", chosen.to_csv(index=False).encode()))
    mine.run()
    assert "quetzal-1" in mine.shown and "crests" in mine.shown
    key = pictures_of(mine)
    mine.run(**asked(key, 1))
    assert "RIFF" in mine.shown

    other = Visitor(hosted, "Embedding_Sphere", **mine.query).run()
    assert "which was uploaded: an address carries" in other.shown
    seen = [other.shown]
    seen.append(other.run(**{"images.upload": [("birds.zip", file)]}).shown)
    seen.append(other.run(**{"selections.file": [("selections.csv", file)]}).shown)
    assert other.put(b"x", session="not-a-session")[0] == 400
    other.delete(file)
    other._ids = dict(mine._ids)        # as if it had seen every widget of the first page
    seen.append(other.run(**{"images.close": True, **asked(key, 2)}).shown)
    looking = Visitor(hosted, "Embedding_Sphere", scenes="100").run().settled()
    seen.append(looking.run(**asked(key, 3)).shown)
    assert pictures_of(looking) != key
    for shown in seen:
        assert "quetzal" not in shown and "crests" not in shown and "RIFF" not in shown

    mine.run(**asked(key, 4))
    assert "quetzal-1" in mine.shown and "crests" in mine.shown and "RIFF" in mine.shown, "nothing was taken away"
    for visitor in (mine, other, looking):
        visitor.leave()


def test_what_many_visits_left_at_once_is_freed_together() -> None:
    whole: list[str] = []

    def told(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            whole.append(phase)

    async def leave() -> None:
        cleaner = server._Cleaner()
        for _ in range(100):
            cleaner.ask()
        assert not whole, "nobody waits for it"
        async with asyncio.timeout(60):
            while not whole:
                await asyncio.sleep(0.01)

    gc.collect()
    gc.disable()
    gc.callbacks.append(told)
    try:
        with ThreadPoolExecutor(1) as beside:    # browser tests leave a loop that runs in this thread
            beside.submit(asyncio.run, leave()).result()
    finally:
        gc.callbacks.remove(told)
        gc.enable()
    assert len(whole) == 1
