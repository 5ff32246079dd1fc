"""A real browser and a real server for the tests that need both."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.waits import LONG

ROOT = Path(__file__).parents[2]
FLAGS = ["--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


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


@pytest.fixture(scope="session")
def streamlit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """``start(script, **environment) -> address``: streamlit on a free port, one server and one cache for all tests.

    A test that needs an empty cache names one of its own (``ORRERY_CACHE``), and gets a server of its own.
    """
    running: dict[tuple[object, ...], tuple[subprocess.Popen[bytes], str]] = {}

    def start(script: Path, **environment: str) -> str:
        wanted = (script, *sorted(environment.items()))
        if wanted not in running or running[wanted][0].poll() is not None:
            running[wanted] = _started(script, tmp_path_factory.mktemp("server"), environment)
        return running[wanted][1]

    yield start
    for server, _ in running.values():
        server.terminate()
    for server, _ in running.values():
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def _started(script: Path, folder: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    log = folder / "server.log"
    env = {**os.environ, "ORRERY_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1",
           "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), **environment}
    for _ in range(3):      # another process may take the port that was free
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
                   "--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none",
                   "--browser.gatherUsageStats", "false"]
        with log.open("wb") as out:
            server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + LONG / 1000
        while time.monotonic() < until and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10):
                    if server.poll() is None:
                        return server, address
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        server.kill()
    pytest.fail(f"streamlit did not start:\n{log.read_text(errors='replace')[-3000:]}")
