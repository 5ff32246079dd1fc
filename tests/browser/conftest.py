"""A real browser and a real server for the tests that need both."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.browser.waits import LONG

FLAGS = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--disable-gpu-compositing", "--disable-gpu-rasterization"]
"""WebGL in software is for the views alone: pages are painted without it, for a third of the processor's time."""


def browser_path() -> str | None:
    """The browser of BROWSER_PATH, or a chromium on the PATH."""
    named = os.environ.get("BROWSER_PATH")
    if named:
        return named
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """Chromium with WebGL 2 in software."""
    found = browser_path()
    if found is None:
        if os.environ.get("ORRERY_NEED_BROWSER"):
            pytest.fail("a browser is required here (ORRERY_NEED_BROWSER), and none was found")
        pytest.skip("NO BROWSER: set BROWSER_PATH or install chromium; the browser tests did NOT run")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: object) -> Iterator[Callable[..., object]]:
    """``new_page(**context) -> page`` with a context of its own; an error in the page's own script fails the test."""
    contexts, errors = [], []

    def opened(**context: object) -> object:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture
def browser_page(new_page: Callable[..., object]) -> object:
    """A fresh page of 1280 x 900 CSS pixels."""
    return new_page(viewport={"width": 1280, "height": 900})
