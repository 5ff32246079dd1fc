"""A public server, the same for all tests of its bounds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import ROOT


@pytest.fixture
def hosted(streamlit_server: Callable[..., str]) -> str:
    """The address of the app as a public server."""
    return streamlit_server(ROOT / "app.py", ORRERY_HOSTED="1")
