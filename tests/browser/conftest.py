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
def browser_page(browser: object) -> Iterator[object]:
    """A fresh page of 1280 x 900 CSS pixels; an error in the page's own script fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture(scope="module")
def streamlit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """``start(script, **environment) -> address``: streamlit on a free port with an empty cache, stopped afterwards."""
    running: list[subprocess.Popen[bytes]] = []

    def start(script: Path, **environment: str) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = tmp_path_factory.mktemp("server")
        log = folder / "server.log"
        env = {**os.environ, "ORRERY_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1",
               "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]), **environment}
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
                   "--server.address", "127.0.0.1", "--server.headless", "true", "--server.fileWatcherType", "none",
                   "--browser.gatherUsageStats", "false"]
        with log.open("wb") as out:
            server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
        running.append(server)
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    return address
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        pytest.fail(f"streamlit did not start:\n{log.read_text(errors='replace')[-3000:]}")

    yield start
    for server in running:
        server.terminate()
    for server in running:
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
