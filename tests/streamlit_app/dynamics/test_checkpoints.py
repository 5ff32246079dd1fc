"""Any dimension: trainings that are brought or made here, drawn on the page without a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.encoding.models import is_on_disk
from core.learning.records.file import record_bytes
from core.settings import settings
from core.streamlit_app.dynamics import tuning
from tests.learning.records.made_checkpoints import on_the_way
from tests.learning.records.test_file import a_record
from tests.pages.test_pages import button, finished, opened
from tests.pages.test_pages import words as as_markdown

PAGE = "pages/6_Learning_Dynamics.py"


def any_dimension(**query: str) -> AppTest:
    return opened(PAGE, scenes="100", dynamics="any", **query)


def words(at: AppTest) -> str:
    return as_markdown(at).replace("\\", "")


def titles(at: AppTest) -> list[str]:
    return [json.loads(chart.proto.spec)["layout"]["title"]["text"].replace("<br>", " ").replace("\xa0", " ")
            for chart in at.get("plotly_chart")]


def kept(at: AppTest) -> list[str]:
    return [record.name for record in at.session_state["dynamics.kept"]]


def test_the_built_in_models_training_is_turned_and_other_sections_see_it() -> None:
    at = any_dimension()
    said = words(at)
    assert "from step 0 to 11,000 images go" in said
    assert "64 dimensions" in said
    assert "Spearman" in said
    assert "R@1" in said
    turning, plane = titles(at)
    assert turning.startswith("Turning step 0 by")
    assert "by chance" in turning
    assert plane.startswith("Alignment")
    assert kept(finished(at.run())) == ["Built-in model"], "once"


def test_records_are_brought_as_files_and_a_bad_one_stops_no_other() -> None:
    at = any_dimension(any="file")
    good, one = a_record(n=7, d=9), a_record(s=1, n=1, m=1)
    at.file_uploader(key="run_file.upload").set_value([
        ("bad.orrery-run", record_bytes(good)[:500], "application/octet-stream"),
        ("good.orrery-run", record_bytes(good), "application/octet-stream"),
        ("one.orrery-run", record_bytes(one), "application/octet-stream")])
    finished(at.run())
    said = words(at)
    assert "bad.orrery-run" in said
    assert 'role="alert"' in said
    assert "My run: from step 0 to 30 images go" in said
    assert "n = 7 images and 3 texts" in said
    assert kept(at) == ["My run", "My run"]
    finished(at.selectbox(key="any_file").select_index(1).run())
    assert "n = 1 images and 1 texts" in words(at)


def test_a_folder_of_checkpoints_looks_at_what_is_open(tmp_path: Path) -> None:
    save = on_the_way(tmp_path)
    for step, share in ((10, 0.4), (20, 1.0), (30, float("nan"))):
        save(f"checkpoint-{step}", share)
    (save("checkpoint-15", 1.0) / "model.safetensors").write_bytes(b"cut off")
    at = any_dimension(any="folder", checkpoints=str(tmp_path))
    finished(button(at, "Look at 100 images with 4 checkpoints").click().run())
    said = words(at)
    assert "from step 10 to 20 images go" in said
    assert "it diverged before step 30" in said
    assert any("2 items could not be read" in expander.label for expander in at.expander)
    at = any_dimension(any="folder", checkpoints=str(tmp_path / "absent"))
    assert "Give the folder that holds" in words(at)


def test_the_chosen_model_is_fine_tuned_by_a_button_and_saved(tmp_path: Path) -> None:
    at = any_dimension(any="tune", tune_steps="10", tune_folder=str(tmp_path / "mine"))
    assert not titles(at)
    finished(button(at, "Fine-tune (about").click().run())
    assert "from step 0 to 10 images go" in words(at)
    assert kept(at) == ["Built-in, fine-tuned"]
    assert is_on_disk(str(tmp_path / "mine"))
    code = at.code[-1].value
    assert code.startswith("from core.learning.records.aligned import aligned\n")
    assert "dataset = open_world(100, seed=0)\nrecord = fine_tune('builtin', dataset, how='lora', steps=10" in code
    compile(code, "shown", "exec")


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_a_public_server_offers_no_folder_saves_no_model_and_trains_for_minutes_at_most(
        hosted: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = any_dimension(any="folder", checkpoints=str(tmp_path))
    assert "Built-in model: from step 0" in words(at)
    at = any_dimension(any="tune")
    assert not [field for field in at.text_input if field.key in ("tune_folder", "checkpoints")]
    assert button(at, "Fine-tune")
    monkeypatch.setattr(tuning, "MOST_SECONDS_HOSTED", 0.0)
    finished(at.run())
    assert "take fewer steps or a smaller model" in words(at)
    assert not [one for one in at.button if one.label.startswith("Fine-tune")]
