"""The walls of the house: who may import whom, what importing costs, how large a room may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Rooms from the ground up; a room may import itself and the rooms named here.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),
    "types": {"errors"},
    "scene": {"errors", "types"},
    "jobs": {"errors", "types", "settings"},
    "geometry": {"types", "errors"},
    "sources": {"types", "errors", "settings", "jobs", "geometry"},
    "encoding": {"sources", "types", "errors", "settings", "jobs", "geometry"},
    "learning": {"encoding", "sources", "types", "errors", "settings", "jobs", "geometry"},
    "language": {"encoding", "sources", "types", "errors", "settings", "jobs", "geometry"},
    "figures": {"learning", "language", "scene", "types", "errors", "geometry"},
    "commands": {"figures", "learning", "language", "encoding", "sources", "types", "errors", "settings", "jobs",
                 "geometry", "scene"},
    "streamlit_app": {"figures", "learning", "language", "encoding", "sources", "types", "errors", "settings", "jobs",
                      "geometry", "scene"},
}
EDGE = {"streamlit_app", "pages"}
PAGES_MAY_IMPORT = {"streamlit_app", "figures", "types", "errors", "settings", "geometry", "language", "sources",
                    "encoding"}
LIGHT = ("torch", "transformers", "streamlit", "plotly", "umap", "sklearn", "numba")


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts[0] == "core":
        return Path(parts[1]).stem
    return "pages"


def imports(source: str) -> Iterator[str]:
    """Every module that a source imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(room: str, source: str) -> list[str]:
    """What a source in a room imports and must not."""
    allowed = (PAGES_MAY_IMPORT if room == "pages" else MAY_IMPORT.get(room, set())) | {room}
    found = []
    for name in imports(source):
        parts = name.split(".")
        if parts[0] == "core" and len(parts) > 1 and parts[1] not in allowed and room not in ("__init__", "__main__"):
            found.append(name)
        if parts[0] == "streamlit" and room not in EDGE:
            found.append(name)
    return found


def sources() -> list[Path]:
    return [*sorted((ROOT / "core").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "app.py"]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_stay_within_the_walls(path: Path) -> None:
    assert breaches(room_of(path), path.read_text()) == []


@pytest.mark.parametrize(("room", "source", "caught"), [
    ("geometry", "from core.encoding.clip import DualEncoder", True),
    ("geometry", "def f():\n    import core.figures.sphere", True),
    ("figures", "from core import streamlit_app", True),
    ("sources", "import streamlit as st", True),
    ("pages", "from core.jobs import JobRunner", True),
    ("types", "from core.geometry import sphere", True),
    ("figures", "from core.geometry import sphere\nimport plotly", False),
    ("streamlit_app", "import streamlit as st", False),
])
def test_the_walls_can_be_breached(room: str, source: str, caught: bool) -> None:
    assert bool(breaches(room, source)) is caught


def test_every_room_is_known() -> None:
    rooms = {room_of(p) for p in sources() if p.parts[-2] != "core" or p.name not in ("__init__.py", "__main__.py")}
    assert rooms - {"pages"} <= set(MAY_IMPORT)


def test_no_room_reaches_itself_in_a_circle() -> None:
    def reach(room: str, seen: frozenset[str]) -> None:
        assert room not in seen, f"{room} reaches itself"
        for below in MAY_IMPORT[room]:
            reach(below, seen | {room})

    for room in MAY_IMPORT:
        reach(room, frozenset())


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(m for m in {LIGHT!r} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_core_is_light() -> None:
    modules = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in sources()
               if p.parts[-2] != "pages" and "streamlit_app" not in p.parts and p.name not in ("app.py", "__main__.py")]
    names = [m.removesuffix(".__init__") for m in modules]
    assert loaded_by("\n".join(f"import {n}" for n in names)) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded_by("import plotly") == {"plotly"}


def test_rooms_stay_small() -> None:
    long = {str(p.relative_to(ROOT)): n for p in sources()
            if (n := len(p.read_text().splitlines())) > (140 if p.parts[-2] == "pages" else 320)}
    assert long == {}


def test_no_path_of_a_machine_stands_in_the_project() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    marks = tuple("/" + home + "/" for home in ("work", "root", "farm"))
    found = [name for name in tracked if Path(name).suffix in {".py", ".md", ".toml", ".txt", ".json", ".js"}
             and name != "tests/test_architecture.py" and (ROOT / name).exists()
             and any(m in (ROOT / name).read_text() for m in marks)]
    assert found == []
