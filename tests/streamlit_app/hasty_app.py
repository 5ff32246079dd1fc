"""The app, whose visits are over soon after they end; from when it is first asked, it tells what it holds at /held,
and asks no visitor whether to begin."""

import gc
import math
import sys
import threading
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import App

from core.streamlit_app import server, visits
from core.streamlit_app.uploads import LEDGER

server.GRACE_SECONDS = 0.5


def _memory() -> float:
    """MB that the process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _held(_: object) -> JSONResponse:
    from core.streamlit_app import cached
    from core.streamlit_app.data import embedding

    embedding.ASK_ABOVE_SECONDS = math.inf
    gc.collect()
    looked = getattr(sys.modules.get("core.language.quality.looked"), "Looked", None)
    return JSONResponse({
        "looked": sum(type(one) is looked for one in gc.get_objects()),
        "trainings": [[one.state, one.pid, list(one.at)] for one in cached.trainings()],
        "jobs": [job.key for job in cached.runner().jobs()], "visits": len(visits.sessions()),
        "uploads": LEDGER.total(), "shared": sum(map(len, (cached._results, cached._points, cached._scenes,
                                                                        cached._views))),
        "threads": sorted(thread.name for thread in threading.enumerate()), "MB": _memory()})


app = App(Path(__file__).parents[2] / "app.py", routes=[Route("/held", _held)], **server.BOUNDS)
