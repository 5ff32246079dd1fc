"""Shared fixtures: reference data beside the project, a server; a cache of each process's own, one thread where two
work."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
START_SECONDS = 180
sys.path.insert(0, str(ROOT))
_CACHE = tempfile.mkdtemp(prefix="orrery-test-cache-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)
os.environ["ORRERY_CACHE"] = _CACHE
os.environ["HF_HUB_OFFLINE"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:     # before numpy and torch are imported, here and in what tests start
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Real features, photos and broken files that lie beside the project on some machines."""
    folder = ROOT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"reference data is not beside the project ({folder.name} folder absent)")
    return folder


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
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and server.poll() is None:
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10):
                    if server.poll() is None:
                        return server, address
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        server.kill()
    pytest.fail(f"streamlit did not start:\n{log.read_text(errors='replace')[-3000:]}")
