"""The page Video Trajectories on a real model, without a browser: its sections, odd films, its lines of Python."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.learning.records.made_checkpoints import on_the_way
from tests.pages.test_pages import finished, opened, words

PAGE = "pages/4_Video_Trajectories.py"
SMALL = {"each": "1"}
SECTIONS = ("watch", "read", "islands", "correlate", "models", "compare", "genres", "perturb")


def page(**query: str) -> AppTest:
    return finished(opened(PAGE, **{**SMALL, **query}))


def alerts(at: AppTest) -> str:
    return "\n".join(html.proto.body for html in at.get("html") if 'role="alert"' in html.proto.body)


def uploaded(field: str, *files: tuple[str, bytes], **query: str) -> AppTest:
    at = opened(PAGE, **query)
    drop = at.file_uploader(key=f"{field}.upload")
    return finished(drop.set_value([(name, data, "application/octet-stream") for name, data in files]).run())


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A film of four seconds, which changes its picture in the middle."""
    import imageio_ffmpeg

    out = tmp_path_factory.mktemp("films") / "clip.webm"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "lavfi", "-i",
                    "testsrc=d=2:r=10:s=160x120", "-f", "lavfi", "-i", "mandelbrot=r=10:s=160x120", "-filter_complex",
                    "[1]trim=duration=2[b];[0][b]concat=n=2", "-c:v", "libvpx", "-b:v", "300k", str(out)], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_films_of_the_world(section: str):
    at = page(films_at=section, themes="a photo of a cone\na photo of a torus", films_island_words="1")
    assert not alerts(at) and not at.exception
    assert ("random directions as words" in words(at)) is (section == "islands")
    code = [block.value for block in at.code]
    assert code or section == "genres"
    said: dict[str, object] = {}
    if section in ("watch", "read", "islands", "correlate", "compare"):
        exec(code[-1], said)
        assert said["names"] == ("loop 1", "duets 1", "arch 1")
    if section == "genres":
        assert "fewer than 6" in words(at) or "not measurable" in words(at)


def test_genres_of_the_world_are_told_by_the_path():
    at = page(films_at="genres", each="4")
    assert not alerts(at)
    assert "not told apart" in words(at) or "tells more films than" in words(at)
    assert len(at.get("plotly_chart")) == 3


def test_one_film_and_one_model_are_met_with_words():
    assert "bring another to compare" in words(page(films_at="compare", kinds="orbit"))
    assert "at least two models" in words(page(films_at="models", kinds="orbit", film_models="builtin"))
    assert "Choose a kind" in words(page(kinds="none"))


def test_a_film_runs_through_the_checkpoints_of_a_folder(tmp_path: Path) -> None:
    save = on_the_way(tmp_path)
    for step, share in ((200, 1.0), (30, 0.3), (300, float("nan"))):
        save(f"checkpoint-{step}", share)
    (save("checkpoint-100", 1.0) / "model.safetensors").write_bytes(b"cut off")
    at = page(films_at="models", kinds="orbit", checkpoints=str(tmp_path))
    table = next(frame.value for frame in at.dataframe if "checkpoint-30" in frame.value.astype(str).to_numpy())
    assert [cell for cell in table.iloc[:, 0] if "checkpoint" in cell] == ["checkpoint-30", "checkpoint-200"]
    refused = next(frame.value for frame in at.dataframe if "reason" in frame.value)
    assert refused["item"].tolist() == ["checkpoint-100", "checkpoint-300"], "a damaged one stops no other"


def test_files_are_opened_and_what_is_broken_is_named(clip: bytes):
    at = uploaded("films", ("clip.webm", clip), ("broken.mp4", b"no film at all"), films="files", films_at="read",
                  per_second="5")
    assert any("could not be read" in part.label for part in at.expander) and not at.exception
    assert "only ever seen rendered solids" in words(at)       # the built-in model on a film of one's own
    spec = at.get("plotly_chart")[0].proto.spec
    assert "speed" in spec and "turning" in spec


def test_a_zip_with_a_folder_a_genre_has_labels(clip: bytes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for genre in ("tests", "fractals"):
            for i in range(3):
                archive.writestr(f"{genre}/{i}.webm", clip)
    at = uploaded("films", ("films.zip", buffer.getvalue()), films="files", films_at="genres")
    assert not alerts(at) and "no label" not in words(at)


def test_numbered_pictures_are_one_film():
    files = []
    for i in range(8):
        buffer = io.BytesIO()
        Image.fromarray(np.full((40, 60, 3), 30 * i, np.uint8)).save(buffer, "PNG")
        files.append((f"shot_{i:03d}.png", buffer.getvalue()))
    at = uploaded("films", *files, films="files", frames="all")
    assert any("8 pictures" in text.value for text in at.text) and not alerts(at)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_vectors_with_times(section: str):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 16)) + 3 * np.repeat(rng.normal(size=(6, 16)), 10, axis=0)
    table = pd.DataFrame({"time": np.tile(np.arange(30.0), 2), "film": np.repeat(["one", "two"], 30),
                          "vector": list(x.astype(np.float32))})
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    at = uploaded("frame_vectors", ("frames.parquet", buffer.getvalue()), films="vectors", films_at=section)
    assert not alerts(at) and not at.exception


@pytest.mark.parametrize("section", ["watch", "read", "islands"])
def test_the_photo_model_reads_names_and_leaves_out_what_it_does_not_know(section: str):
    at = page(films_at=section, model="photo", kinds="loop", themes="a photo of a cup\nthe meaning of it\na dog")
    assert not alerts(at) and "is left out" in words(at) and not at.exception
    if section == "read":
        spec = at.get("plotly_chart")[0].proto.spec
        assert "probability" in spec and "a photo of a cup" in spec


def test_times_that_are_none_are_met_with_words(clip: bytes):
    at = uploaded("films", ("clip.webm", clip), films="files", from_time="soon", to_time="0:00")
    assert "is no time" in words(at) and not at.exception
    late = uploaded("films", ("clip.webm", clip), films="files", from_time="9:00")
    assert "Choose another start" in words(late) or "another start" in alerts(late)
