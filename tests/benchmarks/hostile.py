"""Attack a real public server over its real upload route, and see what it says, how long it takes and what it costs.

    python tests/benchmarks/hostile.py [--only WORDS] [--seconds 90]

For each attack: the message, seconds from the upload to it, the peak of the server's own process above what it held
before (MB), the peak of its largest child (MB), and the slowest answer of a warm page to another visitor meanwhile.
Passes where the server stays within 1,000 MB, answers every attack with words and the other visitor within 2 s.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.hostile_files import MB, Attack, attacks  # noqa: E402
from tests.browser.conftest import FLAGS, browser_path  # noqa: E402

MOST_MB, MOST_SECONDS = 1000, 2.0
PROBE = "window.__orrery_sphere?.sphere"


class Server:
    """The app as a public server, with an empty cache."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        env = {**os.environ, "ORRERY_CACHE": str(folder / "cache"), "ORRERY_HOSTED": "1", "HF_HUB_OFFLINE": "1"}
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.address",
             "127.0.0.1", "--server.headless", "true"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"))
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server did not start")

    def held(self) -> float:
        """MB that the process holds now; its peak starts anew from here."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self._status(self.process.pid, "VmRSS")

    def peak(self) -> float:
        """MB at most since `held` was asked."""
        return self._status(self.process.pid, "VmHWM")

    def largest_child(self) -> float:
        """MB at most that any process which it started has held."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = {int(pid) for file in children for pid in file.read_text().split()}
        return max((self._status(pid, "VmHWM") for pid in pids), default=0.0)

    @staticmethod
    def _status(pid: int, name: str) -> float:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


def answer_time(page: object) -> float:
    """Seconds until the warm page of another visitor has run anew, after it turned a switch."""
    page.evaluate("""() => { window.orreryDone = 0; const app = document.querySelector('[data-testid=stApp]');
        window.orreryWatch?.disconnect(); let ran = false;
        window.orreryWatch = new MutationObserver(() => {
            const running = app.dataset.testScriptState === 'running';
            if (ran && !running) window.orreryDone = 1;
            ran ||= running;
        });
        window.orreryWatch.observe(app, {attributes: true}); }""")
    began = time.monotonic()
    page.get_by_text("Arcs between pairs").click()
    page.wait_for_function("window.orreryDone === 1", timeout=180_000)
    return time.monotonic() - began


def said_by(page: object) -> str:
    """What the page says of the upload; "" while it says nothing yet."""
    panel = page.locator("[role=alert], .orrery-error")
    if panel.count():
        return " ".join(panel.first.inner_text().split())
    if page.locator(f"[data-testid=stMain] .st-key-{page.orrery_source}\\.open").count():
        return "opened: " + page.locator(f".st-key-{page.orrery_source}\\.open").first.inner_text()
    return ""


def attack(browser: object, server: Server, other: object, what: Attack, file: Path,
           seconds: float) -> dict[str, object]:
    """Upload one file as a visitor would, and look at the server until it says something."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.orrery_source = what.source
    page.goto(f"{server.address}/?data={what.source}")
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached", timeout=120_000)
    before, began, slowest, said = server.held(), time.monotonic(), 0.0, ""
    field.set_input_files(str(file))
    pressed = False
    while not said and time.monotonic() - began < seconds:
        if what.source == "table" and not pressed and page.get_by_role("button", name="Open the table").count():
            page.get_by_role("button", name="Open the table").click()
            pressed = True
        slowest = max(slowest, answer_time(other))
        said = said_by(page)
    took = time.monotonic() - began
    row = {"attack": what.name, "file MB": file.stat().st_size / MB, "says": said or "NOTHING", "seconds": took,
           "server MB": server.peak() - before, "child MB": server.largest_child(), "other s": slowest}
    context.close()
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="attacks whose name holds these words")
    parser.add_argument("--seconds", type=float, default=90, help="to wait for a message")
    args = parser.parse_args()
    from playwright.sync_api import sync_playwright

    failed = 0
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        server = Server(Path(scratch))
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        other = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        other.goto(f"{server.address}/Embedding_Sphere")
        other.wait_for_function(f"{PROBE}?.frames() > 0", timeout=180_000)
        other.get_by_role("button", name="Show", exact=True).click()
        print(f"at rest: another visitor's page answers in {answer_time(other):.2f} s", flush=True)
        for what in attacks():
            if args.only not in what.name:
                continue
            file = Path(scratch) / what.file
            what.make(file)
            row = attack(browser, server, other, what, file, args.seconds)
            file.unlink()
            bad = [name for name, wrong in (
                ("memory", row["server MB"] > MOST_MB), ("silent", row["says"] == "NOTHING"),
                ("other", row["other s"] > MOST_SECONDS), ("dead", server.process.poll() is not None)) if wrong]
            failed += bool(bad)
            print(f"{'FAIL ' + '+'.join(bad) if bad else 'ok':14} {row['attack']:48} {row['file MB']:6.1f} MB  "
                  f"{row['seconds']:5.1f} s  server +{row['server MB']:5.0f} MB  child {row['child MB']:5.0f} MB  "
                  f"other {row['other s']:.2f} s  {row['says'][:150]}", flush=True)
        browser.close()
        server.process.kill()
    print(f"{failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
