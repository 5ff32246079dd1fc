"""How long a run of 600 steps takes from the click to its last snapshot in the browser, and how often the page shows
new ones meanwhile; it says something on an idle machine alone.

``python tests/benchmarks/live.py``
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browser.conftest import FLAGS, browser_path

PORT, LIMIT = 8799, 600_000
VIEW = "Object.values(window.__orrery_training ?? {})[0]"
WATCH = f"""() => {{ window.seen = []; const began = performance.now(); let steps = 0, frames = 0;
  const look = () => {{ const view = {VIEW}, now = view?.steps().length ?? 0; frames++;
    if (now > steps) window.seen.push([(performance.now() - began) / 1000, view.steps().at(-1), frames]);
    steps = now; requestAnimationFrame(look); }};
  look(); }}"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as cache:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(PORT), "--server.headless",
             "true", "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"],
            env={**os.environ, "ORRERY_CACHE": cache, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL)
        try:
            _wait()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(LIMIT)
                for times in range(3):
                    _run(page, times)
                browser.close()
        finally:
            server.terminate()
            server.wait()


def _wait() -> None:
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


def _run(page, times: int) -> None:
    page.goto(f"http://127.0.0.1:{PORT}/Learning_Dynamics?run_seed={times}")
    button = page.get_by_test_id("stBaseButton-primary")
    button.wait_for()
    page.wait_for_timeout(3000)
    page.evaluate(WATCH)
    button.click()
    page.wait_for_function(f"{VIEW}?.steps().at(-1) === 600")
    seen = page.evaluate("window.seen")
    first, last = seen[0][0], seen[-1][0]
    print(f"seed {times}: first snapshot {first:.1f} s after the click, step 600 after {last:.1f} s; "
          f"{len(seen)} times new ones, {(len(seen) - 1) / max(last - first, 1e-9):.1f} a second, "
          f"{(seen[-1][2] - seen[0][2]) / max(last - first, 1e-9):.0f} frames a second")
    page.get_by_text("All numbers of this step").wait_for()


if __name__ == "__main__":
    main()
