"""The scripts of the live views: every one is used, each once, and joined they make one script without clashes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core.streamlit_app.live.scripts import FOLDER, SCRIPTS, STYLES, script

TOP = re.compile(r"^(?:export )?(?:default )?(?:async )?(?:const|let|var|class|function)\s+([A-Za-z_]\w*)",
                 re.MULTILINE)


def twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def test_every_script_and_style_on_disk_is_named_and_every_name_is_on_disk():
    for suffix, named in ((".js", SCRIPTS), (".css", STYLES)):
        on_disk = {str(p.relative_to(FOLDER).with_suffix("")) for p in FOLDER.rglob(f"*{suffix}")}
        assert on_disk == {name for names in named.values() for name in names}


@pytest.mark.parametrize("view", SCRIPTS)
def test_no_name_stands_twice_at_the_top_of_what_is_joined(view):
    assert twice(TOP.findall(script(view))) == set()
    assert twice(list(SCRIPTS[view])) == set()
    assert script(view).count("export default") == 1


def test_a_name_that_stands_twice_would_be_seen():
    assert twice(TOP.findall("const a = 1;\n  const b = 2;\nasync function b() {}\nclass a {}\n")) == {"a"}


@pytest.mark.parametrize("view", SCRIPTS)
def test_what_is_joined_is_a_script(view, tmp_path: Path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; the browser tests run the scripts")
    joined = tmp_path / "joined.mjs"
    joined.write_text(script(view))
    assert subprocess.run([node, "--check", str(joined)], capture_output=True, text=True).stderr == ""
