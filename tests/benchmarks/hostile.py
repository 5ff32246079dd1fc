"""Attack a real public server over its real upload route, and see what it says, how long it takes and what it costs.

    python tests/benchmarks/hostile.py [--only WORDS]

For each attack: the message, seconds from the end of the upload to it, processor seconds of the server meanwhile (its
own pages for the other visitor among them), the peak of the server's own process above what it held before (MB), the
peak of its largest child (MB), and the slowest run of a warm page for another visitor meanwhile. Passes where the
server stays within 1,000 MB, refuses within 3 s or opens, in words, and the other visitor has the page within 2 s.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.hostile_files import MB, Attack, attacks  # noqa: E402
from tests.streamlit_app.protocol import Visitor  # noqa: E402

MOST_MB, MOST_TO_REFUSE, MOST_FOR_OTHERS = 1000, 3.0, 2.0
PAGE, QUALITY = "Embedding_Sphere", "Dataset_Quality"


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

    def processor(self) -> float:
        """Seconds of processor time that it and the processes that it has waited for have used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def _status(pid: int, name: str) -> float:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return 0.0
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(name)), 0.0)


class Watch(threading.Thread):
    """Runs another visitor's warm page again and again, and looks at the server's children, until it is stopped."""

    def __init__(self, server: Server, other: Visitor) -> None:
        super().__init__(daemon=True)
        self.slowest, self.child, self._over = 0.0, 0.0, threading.Event()
        self._server, self._other = server, other

    def run(self) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            self._other.run()
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.child = max(self.child, self._server.largest_child())
            self._over.wait(0.1)

    def stop(self) -> Watch:
        self._over.set()
        self.join()
        return self


def said_by(shown: str) -> str:
    """What a page says of an upload; "" where it says nothing."""
    panel = re.search(r'role=\\"alert\\">(.*?)</section>', shown)
    if panel:
        return " ".join(html.unescape(re.sub("<[^>]*>", " ", panel[1])).split()).removeprefix("This did not work ")
    opened = re.search(r'body: "([^"]*: [\d,]+ (?:image|text)s?[^"]*)"', shown)
    return f"opened {opened[1]}" if opened else ""


def upload(server: Server, what: Attack, file: Path) -> Callable[[], str]:
    """Brings a file as far as the server takes it; gives what is left to do to have it opened."""
    places = {"meshes": ("Object_Subspaces", {"objects": "meshes"}),
              "films": ("Video_Trajectories", {"films": "files"}),
              "quality.recipe": (QUALITY, {"scenes": "100", "quality": "what_if"}),
              "other": (QUALITY, {"scenes": "100", "quality": "against", "with": "files"})}
    page, query = places.get(what.source, (PAGE, {"data": what.source}))
    visitor = Visitor(server.address, page, **query).run().settled()
    status, name = visitor.put(file.read_bytes(), what.file)
    if status != 204:
        return lambda: f"upload refused: {status}"
    if what.source == "table":
        visitor.run(**{"table.upload": [(what.file, name)]})
        changed: dict[str, object] = {"table.go": True}
    else:
        changed = {what.source if "." in what.source else f"{what.source}.upload": [(what.file, name)]}

    def ask() -> str:
        said = said_by(visitor.run(**changed).settled().shown)
        if not said and "A second" in visitor.shown:
            said = "opened as films"
        if not said and page == QUALITY and "Traceback" not in visitor.shown:
            said = "opened in dataset quality"
        visitor.leave()
        return said

    return ask


def many_at_once(server: Server) -> str:
    """Twenty uploads of 99 MB by one visitor, then what the page says."""
    visitor = Visitor(server.address, PAGE, data="images").run()
    sent = [threading.Thread(target=visitor.put, args=(bytes(99 * MB),)) for _ in range(20)]
    for thread in sent:
        thread.start()
    for thread in sent:
        thread.join()
    said = said_by(visitor.run().shown)
    visitor.leave()
    return said


def clearing(server: Server) -> str:
    """Ten messages that clear the caches of all."""
    visitor = Visitor(server.address).run()
    before = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))
    for _ in range(10):
        visitor.clear_cache()
        visitor.run()
    visitor.leave()
    return f"{len(list(Path(f'/proc/{server.process.pid}/task').iterdir())) - before} threads more"


def naming(server: Server) -> str:
    """Links to models that are files, users and names of the server."""
    said = set()
    for model_id in ("core/../../../../etc", "~root", "~nosuchuser", "n" * 300, "org/name"):
        visitor = Visitor(server.address, model="other", model_id=model_id).run()
        said.update(re.findall("The address names a model that [^<]*", visitor.shown) or ["nothing"])
        visitor.leave()
    return "; ".join(said)


def asking(server: Server) -> str:
    """Links to dataset quality with actions, thresholds and sizes that are none."""
    said = set()
    for query in ({"actions": "[" * 50_000}, {"actions": '[{"do":"eat"}]'}, {"actions": "[" + "1:" * 20_000 + "1]"},
                  {"actions": '[{"do":"random","percent":1e999}]'}, {"actions": '[],"seed":1'},
                  {"actions": '[{"do":"prompt","prompt":"' + "\u202e\0x" * 600 + '"}]'},
                  {"at_copies": "nan", "at_outliers": "-inf", "at_blur": "9" * 400, "health_page": "9" * 400},
                  {"quality": "against", "b_scenes": "-1e308", "b_sample": "nan", "b_faults": "|".join("x" * 4000)}):
        visitor = Visitor(server.address, QUALITY, **{"scenes": "100", "quality": "what_if"} | query).run().settled()
        said.add("a traceback" if "Traceback" in visitor.shown else said_by(visitor.shown)[:60] or "drawn")
        visitor.leave()
    return "; ".join(sorted(said))


PROTOCOL = {"links to dataset quality": asking,
            "put: twenty of 99 MB at once": many_at_once, "clear_cache, ten times": clearing,
            "links to models of the disk": naming}


def measured(server: Server, other: Visitor, name: str, n_bytes: int, prepare: Callable[[], Callable[[], str]]
             ) -> bool:
    """Does it, prints a row, and gives whether it passed; ``prepare`` uploads, and gives what is measured in time."""
    before = server.held()
    ask = prepare()
    used = server.processor()
    watch = Watch(server, other)
    watch.start()
    began = time.monotonic()
    try:
        said = ask()
    except Exception as error:
        said = f"NOTHING ({type(error).__name__}: {error})"
    took = time.monotonic() - began
    watch.stop()
    more, used = server.peak() - before, server.processor() - used
    bad = [what for what, wrong in (
        ("memory", more > MOST_MB), ("silent", not said or said.startswith("NOTHING")),
        ("slow", took > MOST_TO_REFUSE and not said.startswith("opened") and n_bytes > 0),
        ("others", watch.slowest > MOST_FOR_OTHERS), ("dead", server.process.poll() is not None)) if wrong]
    print(f"{'FAIL ' + '+'.join(bad) if bad else 'ok':14} {name:46} {n_bytes / MB:6.1f} MB {took:5.1f} s  "
          f"cpu {used:5.1f} s  server +{more:5.0f} MB  child {watch.child:5.0f} MB  other {watch.slowest:.2f} s  "
          f"{said[:170]}", flush=True)
    return not bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="attacks whose name holds these words")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(Path(scratch))
        other = Visitor(server.address, PAGE).run().settled()
        at_rest = Watch(server, other)
        at_rest.start()
        time.sleep(5)
        print(f"at rest: another visitor's page runs in {at_rest.stop().slowest:.2f} s", flush=True)
        for what in attacks():
            if args.only in what.name:
                file = Path(scratch) / what.file
                what.make(file)
                failed += not measured(server, other, what.name, file.stat().st_size,
                                       partial(upload, server, what, file))
                file.unlink()
        for name, act in PROTOCOL.items():
            if args.only in name:
                failed += not measured(server, other, name, 0, lambda act=act: partial(act, server))
        server.process.kill()
    print(f"{failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
