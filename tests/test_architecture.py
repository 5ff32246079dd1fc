"""The walls of the house: who may import whom, what importing costs, how large a room may grow, one word a subject."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from core.streamlit_app.pages import PAGES
from core.streamlit_app.pages import SUBJECTS as PAGES_OF_SUBJECTS

ROOT = Path(__file__).parents[1]

WORDS = ("sphere", "gap", "objects", "films", "quality", "dynamics", "foveal", "words")
# Rooms from the ground up; a room may import itself and the rooms named here.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "settings": set(),
    "types": {"errors"},
    "scene": {"errors", "types"},
    "jobs": {"errors", "types", "settings"},
    "geometry": {"types", "errors"},
    "sources": {"types", "errors", "settings", "jobs", "geometry"},
    "rendering": {"sources", "types", "errors", "settings", "jobs", "geometry"},
    "encoding": {"sources", "types", "errors", "settings", "jobs", "geometry"},
    "learning": {"encoding", "rendering", "sources", "types", "errors", "settings", "jobs", "geometry"},
    "attention": {"encoding", "rendering", "sources", "types", "errors", "settings", "jobs", "geometry"},
    "language": {"attention", "encoding", "rendering", "sources", "types", "errors", "settings", "jobs", "geometry"},
    "figures": {"learning", "attention", "language", "scene", "types", "errors", "geometry"},
    "commands": {"figures", "learning", "attention", "language", "encoding", "rendering", "sources", "types", "errors",
                 "settings", "jobs", "geometry", "scene"},
    "streamlit_app": {"figures", "learning", "attention", "language", "encoding", "rendering", "sources", "types",
                      "errors", "settings", "jobs", "geometry", "scene"},
}
EDGE = {"streamlit_app", "pages"}
PAGES_MAY_IMPORT = {"streamlit_app", "figures", "types", "errors", "settings", "geometry", "language", "sources",
                    "encoding"}
# The live views stand between the wings; the matrix draws the report of one. A command is found by its file's name.
SHARED_THAT_SEE_A_WING = {"core.streamlit_app.live.matrix_view", "core.commands.recipe"}
LIGHT = ("torch", "transformers", "streamlit", "plotly", "umap", "sklearn", "numba", "trimesh", "embreex",
         "faiss", "cleanlab", "peft")
LINES = {"pages": 140, "core": 320}
IN_THE_SHELL, FLAT_TESTS = 22, 12


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts[0] == "core":
        return Path(parts[1]).stem
    return "pages"


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


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


def wing_of(module: str) -> str:
    """The subject in whose wing a module stands; "" in the rooms that all share."""
    return next((part for part in module.split(".")[2:] if part in WORDS), "")


def wings_met(module: str, imported: Iterable[str]) -> list[str]:
    """Modules of other subjects' wings that a module imports."""
    if module.startswith("pages.") or module in SHARED_THAT_SEE_A_WING:
        return []
    own = wing_of(module)
    return sorted({name for name in imported if name.startswith("core.") and is_module(name)
                   and wing_of(name) not in ("", own)})


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of files that reach themselves through each other's imports."""
    names = sorted(graph)
    place = {name: i for i, name in enumerate(names)}
    arrows = {(place[start], place[end]) for start, ends in graph.items() for end in ends if end in place}
    rows, columns = zip(*arrows) if arrows else ((), ())
    _, group = connected_components(coo_array((np.ones(len(arrows)), (rows, columns)), shape=(len(names),) * 2),
                                    connection="strong")
    found = [[name for name, own in zip(names, group) if own == k] for k in set(group)]
    return sorted(own for own in found if len(own) > 1 or own[0] in graph[own[0]])


def misnamed(module: str) -> str:
    """Why a name goes against "one word a subject", or ""."""
    parts = module.split(".")[1:]
    own = wing_of(module)
    for part in parts[1:]:
        said = set(part.split("_")) & set(WORDS)
        if part in WORDS:
            if part != own:
                return f"{module}: {part} inside the wing of {own}"
            own_seen = [p for p in parts[1:] if p == part]
            if len(own_seen) > 1:
                return f"{module}: says {part} twice"
        elif own and said:
            return f"{module}: a name inside a wing says {', '.join(sorted(said))} again"
        elif said and parts[:2] != ["streamlit_app", "live"]:
            return f"{module}: belongs in the wing of {', '.join(sorted(said))}"
    return ""


def sources() -> list[Path]:
    return [*sorted((ROOT / "core").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py")), ROOT / "app.py"]


def scripts() -> list[Path]:
    return sorted((ROOT / "core").rglob("*.js"))


def too_long(lengths: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in lengths.items() if n > LINES.get(name.split("/")[0], LINES["core"])}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_stay_within_the_walls(path: Path) -> None:
    assert breaches(room_of(path), path.read_text()) == []
    assert wings_met(module_of(path), imports(path.read_text())) == []


@pytest.mark.parametrize(("room", "source", "caught"), [
    ("geometry", "from core.encoding.clip import DualEncoder", True),
    ("geometry", "def f():\n    import core.figures.scenes.globe", True),
    ("figures", "from core import streamlit_app", True),
    ("sources", "import streamlit as st", True),
    ("pages", "from core.jobs import JobRunner", True),
    ("types", "from core.geometry import directions", True),
    ("figures", "from core.geometry import directions\nimport plotly", False),
    ("streamlit_app", "import streamlit as st", False),
])
def test_the_walls_can_be_breached(room: str, source: str, caught: bool) -> None:
    assert bool(breaches(room, source)) is caught


@pytest.mark.parametrize(("module", "source", "caught"), [
    ("core.streamlit_app.gap.see", "from core.streamlit_app.sphere.page import show_sphere", True),
    ("core.figures.sphere.flat", "from core.figures.gap import closing", True),
    ("core.commands.evaluate.gap", "from core.commands.evaluate.sphere import evaluate", True),
    ("core.streamlit_app.ui", "def f():\n    from core.streamlit_app.gap.page import show_gap", True),
    ("core.streamlit_app.gap.see", "from core.figures.gap import shift\nfrom core.geometry.gap import parts", False),
    ("pages.2_Modality_Gap", "from core.streamlit_app.gap.page import show_gap", False),
])
def test_a_wing_that_imports_another_would_be_seen(module: str, source: str, caught: bool) -> None:
    assert bool(wings_met(module, imports(source))) is caught


def test_every_room_is_known() -> None:
    rooms = {room_of(p) for p in sources() if p.parts[-2] != "core" or p.name not in ("__init__.py", "__main__.py")}
    assert rooms - {"pages"} <= set(MAY_IMPORT)


def test_no_room_reaches_itself_in_a_circle() -> None:
    assert circles(MAY_IMPORT) == []


def test_no_file_reaches_itself_in_a_circle() -> None:
    graph = {module_of(p): set(imports(p.read_text())) - {module_of(p)} for p in sources()}
    assert circles(graph) == []


@pytest.mark.parametrize(("graph", "found"), [
    ({"a": ["b"], "b": ["c"], "c": []}, []),
    ({"a": ["b"], "b": ["c"], "c": ["b"]}, [["b", "c"]]),
    ({"a": ["b", "d"], "b": ["c"], "c": ["a"], "d": []}, [["a", "b", "c"]]),
])
def test_a_circle_would_be_seen(graph: dict[str, list[str]], found: list[list[str]]) -> None:
    assert circles(graph) == found


def test_one_word_a_subject() -> None:
    assert [said for p in sources() if p.parts[-2] != "pages" and (said := misnamed(module_of(p)))] == []
    assert tuple(PAGES)[1:] == WORDS[:len(PAGES_OF_SUBJECTS)], "pages in the order of the subjects"
    for page in PAGES_OF_SUBJECTS:
        assert (ROOT / "core/streamlit_app" / page.word).is_dir()
        assert (ROOT / f"core/commands/evaluate/{page.word}.py").is_file()
    wings = {part for p in sources() for part in p.relative_to(ROOT).parts if part in WORDS}
    assert wings <= {page.word for page in PAGES_OF_SUBJECTS}, "no folder for a subject without a page"


@pytest.mark.parametrize(("module", "caught"), [
    ("core.figures.gap_closing", True),
    ("core.figures.gap.gap_closing", True),
    ("core.streamlit_app.gap.sphere", True),
    ("core.streamlit_app.gap.on_sphere", True),
    ("core.geometry.gap.gap", True),
    ("core.figures.gap.closing", False),
    ("core.commands.evaluate.gap", False),
    ("core.streamlit_app.live.sphere_view", False),
])
def test_a_name_against_the_words_would_be_seen(module: str, caught: bool) -> None:
    assert bool(misnamed(module)) is caught


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(m for m in {LIGHT!r} if m in sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(out.stdout.split())


def test_importing_core_is_light() -> None:
    names = [module_of(p) for p in sources()
             if p.parts[-2] != "pages" and "streamlit_app" not in p.parts and p.name not in ("app.py", "__main__.py")]
    assert loaded_by("\n".join(f"import {n}" for n in names)) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded_by("import plotly") == {"plotly"}


def test_rooms_stay_small() -> None:
    assert too_long({p.relative_to(ROOT).as_posix(): len(p.read_text().splitlines())
                     for p in (*sources(), *scripts())}) == {}
    assert len(list((ROOT / "core/streamlit_app").glob("*.py"))) <= IN_THE_SHELL
    assert len(list((ROOT / "tests").glob("*.py"))) <= FLAT_TESTS


def test_a_room_that_grew_too_large_would_be_seen() -> None:
    grown = {"core/a.py": 320, "core/b.py": 321, "core/live/c.js": 321, "pages/d.py": 141, "pages/e.py": 140}
    assert set(too_long(grown)) == {"core/b.py", "core/live/c.js", "pages/d.py"}


def named_in_tree(readme: str) -> list[str]:
    """Paths that the tree under Architecture names, from the project's folder."""
    tree = readme.split("## Architecture", 1)[1].split("```")[1]
    return [word for line in tree.strip().splitlines() for word in re.split(r"[,\s]+", line.split("   ")[0]) if word]


def test_the_tree_of_the_readme_is_true() -> None:
    named = named_in_tree((ROOT / "README.md").read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
    rooms = {f"core/{p.name}{'/' if p.is_dir() else ''}" for p in (ROOT / "core").iterdir()
             if not p.name.startswith("__")}
    inside = {f"core/{room}/{p.name}/" for room in ("geometry", "sources", "figures", "streamlit_app", "commands")
              for p in (ROOT / "core" / room).iterdir()
              if p.is_dir() and not p.name.startswith("__") and p.name not in WORDS}
    assert (rooms | inside) - set(named) == set(), "the tree names every room"


def test_a_tree_that_is_untrue_would_be_seen() -> None:
    told = named_in_tree("## Architecture\n```\ncore/gone/, core/types.py    something\n```\n")
    assert told == ["core/gone/", "core/types.py"]
    assert not (ROOT / told[0]).exists()


def test_the_readme_names_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.title for page in PAGES_OF_SUBJECTS if f"**{page.title}**" not in readme] == []
    assert [page.word for page in PAGES_OF_SUBJECTS if f"| `{page.word}` |" not in readme] == []


def test_no_path_of_a_machine_stands_in_the_project() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    marks = tuple("/" + home + "/" for home in ("work", "root", "farm"))
    found = [name for name in tracked if Path(name).suffix in {".py", ".md", ".toml", ".txt", ".json", ".js"}
             and name != "tests/test_architecture.py" and (ROOT / name).exists()
             and any(m in (ROOT / name).read_text() for m in marks)]
    assert found == []
