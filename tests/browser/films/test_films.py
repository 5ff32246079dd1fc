"""Films in a real browser: brought, watched, read, told apart, changed and taken away."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.sources.films.probing import probe
from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, at_least, exactly, in_view, still

PAGE = "Video_Trajectories"
FILM = "window.__orrery_film?.['films.player']"
ONE = "kinds=loop&each=1"
SRT = "1\n00:00:00,000 --> 00:00:02,000\na photo of a cone\n\n2\n00:00:02,000 --> 00:00:04,000\na photo of a torus\n"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small films: one that browsers play, one that they do not, one of another genre."""
    import imageio_ffmpeg

    folder = tmp_path_factory.mktemp("clips")
    for name, source, codec in (("tests.webm", "testsrc=d=4:r=10:s=160x120", "libvpx"),
                                ("fractal.avi", "mandelbrot=r=10:s=160x120,trim=duration=4", "mpeg4"),
                                ("life.webm", "life=r=10:s=160x120:mold=10,trim=duration=4", "libvpx")):
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "lavfi", "-i", source,
                        "-c:v", codec, str(folder / name)], check=True)
    (folder / "tests.srt").write_text(SRT)
    return folder


def ask(page, what: str):
    return page.evaluate(f"{FILM}.{what}")


def watched(page, address: str, query: str) -> None:
    """The page with its player."""
    page.goto(f"{address}/{PAGE}?{query}")
    page.wait_for_function(f"{FILM}?.strip().length > 0", timeout=LONG)
    still(page)


def brought(page, address: str, files: list[Path], query: str) -> None:
    """The page with files uploaded."""
    page.goto(f"{address}/{PAGE}?films=files&{query}")
    drop = page.locator("input[type=file]")
    drop.first.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.first.set_input_files([str(file) for file in files])


def clicked(page, key: str, curve: int, point: int) -> None:
    """A click on a point of a figure."""
    plot = f".st-key-{key} .js-plotly-plot"
    in_view(page.locator(plot).first)
    spot = page.evaluate(
        f"""() => {{ const plot = document.querySelector('{plot}'), full = plot._fullLayout;
        const data = plot._fullData[{curve}];
        const x = full[data.xaxis.replace('x', 'xaxis')], y = full[data.yaxis.replace('y', 'yaxis')];
        const box = plot.getBoundingClientRect();
        return [box.left + x._offset + x.c2p(data.x[{point}]), box.top + y._offset + y.c2p(data.y[{point}])]; }}""")
    page.mouse.move(spot[0] - 3, spot[1])
    page.mouse.move(*spot)
    page.mouse.click(*spot)


def test_films_are_brought_and_the_first_of_them_plays(browser_page, address, clips):
    page = browser_page
    broken = clips / "broken.mp4"
    broken.write_bytes(b"no film")
    brought(page, address, [clips / name for name in ("tests.webm", "fractal.avi", "tests.srt", "broken.mp4")],
            "per_second=5&to_time=3.5&on_sphere=tests&model=builtin")
    page.wait_for_function(f"{FILM}?.driven()", timeout=LONG)
    page.get_by_text(re.compile("^1 item.* could not be read")).first.wait_for(timeout=LONG)
    page.get_by_text(re.compile("only ever seen rendered solids")).first.wait_for(timeout=LONG)
    still(page)
    assert "_orrery/file/" in ask(page, "src()") and ask(page, "end()") == pytest.approx(4, abs=0.2)
    before = np.array(ask(page, "point()"))
    page.get_by_label("Play (space)").click()
    page.wait_for_function(f"{FILM}.time() > 1", timeout=LONG)
    page.get_by_label("Pause (space)").click()
    assert np.linalg.norm(np.array(ask(page, "point()")) - before) > 1e-3
    page.wait_for_function(f"{FILM}.strip().every((tile) => tile.pictured)", timeout=LONG)
    no_traceback(page)


def test_a_film_that_the_browser_cannot_play_is_shown_and_made_playable(browser_page, address, clips):
    page = browser_page
    brought(page, address, [clips / "fractal.avi"], "per_second=5")
    page.wait_for_function(f"{FILM}?.strip().length > 0", timeout=LONG)
    page.wait_for_function(f"{FILM}?.driven() && {FILM}.src().includes('_orrery/file/')", timeout=LONG)
    video = page.locator(".orrery-film video").element_handle()
    page.wait_for_function("(video) => video.videoHeight > 0", arg=video, timeout=LONG)
    assert video.evaluate("(video) => video.videoHeight") <= 480
    no_traceback(page)


def test_a_click_seeks_the_camera_stays_and_a_second_film_joins(browser_page, address):
    page = browser_page
    watched(page, address, "kinds=loop%7Cduets&each=1")
    in_view(page.locator(".of-strip"))
    first = page.locator(".orrery-film canvas.os-front").bounding_box()
    page.mouse.move(first["x"] + 60, first["y"] + 90)
    page.mouse.down()
    page.mouse.move(first["x"] + 130, first["y"] + 110, steps=4)
    page.mouse.up()
    camera = ask(page, "camera()")
    tile = ask(page, "strip()")[8]
    page.mouse.click(tile["x"] + tile["width"] / 2, tile["y"] + tile["height"] / 2)
    page.wait_for_function(f"{FILM}.frame() === {tile['frame']}", timeout=LONG)
    still(page)
    assert ask(page, "time()") == pytest.approx(tile["frame"] / 12, abs=0.01) and ask(page, "camera()") == camera

    page.get_by_role("combobox", name=re.compile("Films on the sphere")).click()
    page.get_by_role("option", name="duets 1").click()
    page.keyboard.press("Escape")
    page.get_by_text(re.compile("^2 films, ")).first.wait_for(timeout=LONG)
    assert ask(page, "camera()") == camera and ask(page, "frame()") == tile["frame"]
    page.evaluate(f"{FILM}.choose(1)")
    page.wait_for_function(f"{FILM}.film() === 1", timeout=LONG)
    no_traceback(page)


def test_the_path_is_read_and_a_click_on_its_time_axis_seeks(browser_page, address):
    page = browser_page
    watched(page, address, f"{ONE}&films_at=read&themes=a%20photo%20of%20a%20cone%0Aa%20photo%20of%20a%20torus")
    assert re.search(r"moves at [\d.,]+°/s \(median of \d+ steps\)", finding(page, "films.timeline", "moves at"))
    assert "leads" in finding(page, "films.themes", "leads")
    assert "whole shots shuffled" in finding(page, "films.measures", "shuffled")
    assert "pairs of frames" in finding(page, "films.recurrence", "pairs of frames")
    clicked(page, "films-timeline", 0, 40)
    page.wait_for_function(f"{FILM}.frame() === 41", timeout=LONG)
    still(page)
    pairs = page.evaluate("document.querySelector('.st-key-films-recurrence .js-plotly-plot')._fullData"
                          ".findIndex((data) => data.customdata && data.customdata[0]?.length === 2)")
    clicked(page, "films-recurrence", pairs, 5)
    page.get_by_text(re.compile(r"These two frames are [\d.]+° apart")).wait_for(timeout=LONG)
    exactly(page.locator(".orrery-gallery img"), 2)
    no_traceback(page)


def test_islands_are_named_kept_and_opened_on_another_page(browser_page, address):
    page = browser_page
    watched(page, address, f"{ONE}&films_at=islands&detect=1")
    assert re.search(r"4 islands", finding(page, "films.islands", "islands"))
    exactly(page.locator(".orrery-gallery img"), 4)
    assert "shuffled" in finding(page, "films.moves", "shuffled")
    assert re.search(r"8 shots|7 cuts", finding(page, "films.shots", "shots|cuts"))
    page.get_by_text("PySceneDetect Hash").first.wait_for(timeout=LONG)
    page.get_by_role("button", name="Keep its frames as a selection").click()
    page.get_by_text(re.compile(r"Kept as .*island 1.*: \d+ images")).first.wait_for(timeout=LONG)
    page.get_by_role("radio", name="Watch").or_(page.get_by_role("button", name="Watch", exact=True)).first.click()
    page.get_by_role("button", name="Look at these frames on every page").click()
    page.wait_for_function("window.__orrery_sphere?.sphere?.count() > 80", timeout=LONG)
    page.get_by_role("combobox", name="Selection").click()
    page.get_by_role("option", name=re.compile("island 1")).click()
    page.wait_for_function("window.__orrery_sphere?.sphere?.count() < 40", timeout=LONG)
    no_traceback(page)


def test_subtitles_lie_beside_the_path_and_signals_are_correlated(browser_page, address, clips):
    page = browser_page
    brought(page, address, [clips / "tests.webm", clips / "tests.srt"], "films_at=correlate&frames=all")
    page.wait_for_function(f"{FILM}?.driven()", timeout=LONG)
    said = page.locator(".os-legend").first
    said.get_by_text("texts").wait_for(timeout=LONG)
    assert re.search(r"texts\s+2\b", said.inner_text())
    finding(page, "films.correlations", "told|correlat|chance")
    page.locator(".st-key-films-correlations").locator("xpath=following::button[contains(., 'Download')][1]").click()
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    assert {row["measure"] for row in rows} == {"speed", "turning"}
    assert any("brightness" in row["signal"] for row in rows) and any("spoken" in row["signal"] for row in rows)
    page.keyboard.press("Escape")
    clicked(page, "films-scatter", 0, 12)
    page.wait_for_function(f"{FILM}.time() > 0", timeout=LONG)
    no_traceback(page)


def test_islands_are_born_through_models(browser_page, address):
    page = browser_page
    page.goto(f"{address}/{PAGE}?{ONE}&films_at=models")
    assert re.search(r"island", finding(page, "films.models", "island"))
    page.locator(".st-key-films-models").locator("xpath=following::button[contains(., 'Download')][1]").click()
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    assert {(row["from"], row["to"]) for row in rows} == {("Built-in, untrained", "Built-in")}
    assert {row["fate"] for row in rows} & {"born", "split"}
    no_traceback(page)


def test_films_are_compared_and_their_kinds_told(browser_page, address):
    page = browser_page
    page.goto(f"{address}/{PAGE}?each=2&films_at=compare")
    assert "6 films" in finding(page, "films.film_map", "films")
    assert "shuffled" in finding(page, "films.order", "shuffled")
    assert "pair" in finding(page, "films.alignment", "pair")
    page.locator(".st-key-films-distances").locator("xpath=following::button[contains(., 'Download')][1]").click()
    assert len(list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))) == 15
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Genres").or_(page.get_by_role("button", name="Genres")).first.click()
    assert re.search(r"\d+ %", finding(page, "films.genres", "%"))
    finding(page, "films.confusion", ".")
    finding(page, "films.carriers", ".")
    no_traceback(page)


def test_a_zip_of_genres_is_labelled(browser_page, address, clips, tmp_path):
    page = browser_page
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        for genre, name in (("tests", "tests.webm"), ("life", "life.webm")):
            for i in range(3):
                archive.write(clips / name, f"{genre}/{i}.webm")
    brought(page, address, [tmp_path / "films.zip"], "films_at=genres&per_second=3")
    finding(page, "films.genres", "%|measur")
    no_traceback(page)


def test_an_image_changes_and_its_path_is_seen(browser_page, address, reference):
    page = browser_page
    page.goto(f"{address}/{PAGE}?{ONE}&films_at=perturb&changed_from=own&change=rotation&change_steps=20")
    drop = page.locator("input[type=file]")
    drop.first.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.first.set_input_files([str(reference / "photos" / "coral" / name) for name in ("cat_720p.jpg", "owl.jpg")]
                               if (reference / "photos" / "coral" / "owl.jpg").exists() else
                               [str(path) for path in sorted((reference / "photos" / "coral").glob("*.jpg"))[:2]])
    assert "20 images" in finding(page, "films.change", "images")
    page.get_by_role("combobox", name="Change").click()
    page.get_by_role("option", name="Fade to another image").click()
    assert "Fade" in finding(page, "films.change", "Fade")
    at_least(page.locator(".orrery-gallery img"), 3)
    no_traceback(page)


def test_the_path_and_the_film_with_its_sphere_are_taken_away_and_open_again(browser_page, address, tmp_path):
    page = browser_page
    watched(page, address, ONE)
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Path (CSV)").decode("utf-8-sig"))))
    assert {row["island"] for row in rows} == {"0", "1", "2", "3"} and len(rows) > 80
    path = tmp_path / "path.parquet"
    path.write_bytes(downloaded(page, "Path (Parquet)"))
    table = pd.read_parquet(path)
    assert len(table) == len(rows) and len(table["vector"][0]) == 64

    page.get_by_role("button", name="Film and sphere (mp4)").click()
    page.get_by_role("button", name="Save the mp4").wait_for(timeout=LONG)
    film = tmp_path / "film.mp4"
    film.write_bytes(downloaded(page, "Save the mp4"))
    header = probe(film, "film.mp4")
    assert header.codec == "h264" and header.duration == pytest.approx(float(rows[-1]["time"]), abs=0.5)
    assert header.width > header.height

    page.goto(f"{address}/{PAGE}?films=vectors")
    drop = page.locator("input[type=file]")
    drop.first.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.first.set_input_files(str(path))
    page.get_by_text(re.compile(f"{len(rows)} frames, a path of")).first.wait_for(timeout=LONG)
    no_traceback(page)
