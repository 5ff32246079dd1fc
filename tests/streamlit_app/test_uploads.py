"""Uploads are held against the totals of the budget by the server, whatever a browser would have done."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import requests

from core import settings as settings_module
from core.settings import HOSTED, MB
from core.streamlit_app.uploads import Ledger
from tests.sources.images.test_images import png
from tests.streamlit_app.protocol import LIMIT, Visitor

PART = 95 * MB


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(settings_module, "OWN_MACHINE", HOSTED)
    return Ledger()


def test_a_visitor_and_the_server_have_a_total_each(ledger: Ledger) -> None:
    assert all(ledger.take("a", str(i), 100 * MB) for i in range(3))
    assert ledger.take("a", "2", 100 * MB), "the same file again"
    assert not ledger.take("a", "3", 1)
    assert "at most 300 MB of uploads that one visitor has open" in str(ledger.refusal("a"))
    assert ledger.refusal("a") is None
    for visit in "bcdefg":
        assert all(ledger.take(visit, str(i), 100 * MB) for i in range(3 if visit != "g" else 2))
    assert not ledger.take("h", "0", 1)
    assert "at most 2,000 MB of uploads that all visitors together have open" in str(ledger.refusal("h"))
    ledger.drop("a", "0")
    assert ledger.take("h", "0", 1)
    for visit in "abcdefgh":
        ledger.leave(visit)
    assert ledger.total() == 0 and ledger.visits() == []


def test_files_of_no_size_count_too(ledger: Ledger) -> None:
    taken = 0
    while ledger.take("a", str(taken), 0):
        taken += 1
    assert taken == 300 * MB // 4096


def archive(n_bytes: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("a.png", png())
        packed.writestr("b.png", png(colour=(9, 200, 30)))
        packed.writestr("noise.bin", np.random.default_rng(0).bytes(n_bytes))
    return buffer.getvalue()


def test_the_route_of_uploads_takes_no_more_than_the_totals(hosted: str) -> None:
    visitor = Visitor(hosted, "Embedding_Sphere", data="images").run()
    assert visitor.put(bytes(101 * MB))[0] == 413
    assert visitor.put(b"x", session="00000000-0000-0000-0000-000000000000")[0] == 400
    endless = requests.put(f"{hosted}/_stcore/upload_file/{visitor.session}/a", data=(bytes(MB) for _ in range(110)),
                           timeout=LIMIT, headers={"X-Xsrftoken": visitor.token, "Content-Type": "multipart/form-data; "
                           "boundary=x", "Cookie": f"_streamlit_xsrf={visitor.token}"})
    assert endless.status_code in (400, 413)

    _, file = visitor.put(archive(PART), "a.zip")
    visitor.run(**{"images.upload": [("a.zip", file)]})
    assert "a: 2 images" in visitor.shown
    assert visitor.delete(file) == 204
    assert [visitor.put(bytes(PART))[0] for _ in range(3)] == [204, 204, 204]
    visitor.run(**{"images.close": True})
    assert "at most 300 MB of uploads that one visitor has open" in visitor.shown, "what is open counts"
    visitor.bring("images.upload.1", ("b.zip", archive(PART)))
    assert "b: 2 images" in visitor.shown, "what came with it was let go"
    visitor.leave()
