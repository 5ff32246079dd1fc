"""A store of vectors that cannot be used is said on the pages, once a visit, and without folders to strangers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.encoding.store import Store
from core.settings import settings
from core.streamlit_app import cached, ui
from tests.conftest import ROOT


@pytest.mark.parametrize("hosted", [False, True])
def test_a_store_that_cannot_be_written_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                    hosted: bool) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "vectors")
    monkeypatch.setattr(cached, "store", lambda: store)
    monkeypatch.setattr(ui, "process_settings", lambda: replace(settings(), hosted=hosted))
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=180).run()
    assert not at.toast
    store.put("m", ["0" * 64], np.ones((1, 4), np.float32))
    (said,) = at.run().toast
    assert "The store of vectors cannot be used on disk; vectors are kept in memory for this session" in said.value
    assert (tmp_path.name in said.value.replace("\\", "")) is not hosted
    assert not at.run().toast
    assert not at.exception
    assert cached.model_state("builtin").finished.wait(180)
