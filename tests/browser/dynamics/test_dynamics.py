"""Learning dynamics in a real browser: a run is trained, watched, held, compared, taken away and opened again."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pytest

from core.learning.history import builtin_history
from core.learning.records.file import read_record, write_record
from core.sources.films.probing import probe
from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.quality.test_quality import section
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, at_least, in_view, still
from tests.learning.records.made_checkpoints import on_the_way
from tests.streamlit_app.test_visits import pictures

POINTS = 372    # 360 images and 12 texts
VIEW = "window.__orrery_training?.['dynamics.view']"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture
def calm_page(new_page):
    """A page for somebody who wants little motion: the view leaps from snapshot to snapshot, which is drawn sooner."""
    return new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")


def shown(page, address: str, query: str = "") -> None:
    page.goto(f"{address}/Learning_Dynamics?{query}")
    page.get_by_role("heading", name="Learning Dynamics").wait_for(timeout=LONG)


def bring(page, file: object) -> None:
    drop = page.locator("input[type=file]").first
    drop.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.set_input_files(file)


def trained(page, steps: int) -> str:
    """Train with the dials as they stand; gives what the run came to."""
    page.get_by_role("button", name="Train", exact=True).click(timeout=LONG)
    said = page.get_by_text(re.compile(f"R@1 .* after {steps} steps")).first
    said.wait_for(timeout=LONG)
    return said.inner_text()


def r1_of(said: str) -> float:
    return float(re.search(r"R@1 ([\d.]+) %", said)[1])


def places(page) -> np.ndarray:
    return np.array(page.evaluate(f"[...Array({POINTS}).keys()].map((i) => {VIEW}.point(i, 0))"))


def settled(page, what: str) -> None:
    """Wait until something that the view says has stood still for a while."""
    page.wait_for_function(f"(now => (window.alike = now === window.before ? (window.alike ?? 0) + 1 : 0, "
                           f"window.before = now, window.alike > 8))(JSON.stringify({VIEW}.{what}))", timeout=LONG,
                           polling=200)


def test_a_run_is_watched_held_gone_back_through_and_taken_away(browser_page, address):
    page = browser_page
    shown(page, address, "steps=900")
    page.get_by_role("button", name="Train", exact=True).click(timeout=LONG)
    page.wait_for_function(f"{VIEW}?.steps().length > 2", timeout=LONG)
    before = places(page)
    page.wait_for_function(f"before => before.some((at, i) => {VIEW}.point(i, 0).some((v, k) => "
                           "Math.abs(v - at[k]) > 1e-3))", arg=before.tolist(), timeout=LONG)
    assert page.evaluate(f"{VIEW}.steps().at(-1)") < 900, "points move while it is trained"
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text(re.compile("Paused at step")).wait_for(timeout=LONG)
    settled(page, "steps().length")
    held = page.evaluate(f"{VIEW}.steps()")
    page.evaluate(f"{VIEW}.seek({held[2]})")
    page.wait_for_function(f"{VIEW}.at() === {held[2]}", timeout=LONG)
    settled(page, "point(0)")
    back = places(page)
    assert page.evaluate(f"{VIEW}.steps().length") == len(held), "nothing is trained while it is held"

    page.get_by_role("link", name="Modality Gap").first.click()
    page.get_by_role("heading", name="Modality Gap").wait_for(timeout=LONG)
    page.get_by_role("link", name="Learning Dynamics").first.click()
    page.get_by_role("button", name="Resume", exact=True).wait_for(timeout=LONG)
    page.get_by_role("button", name="Resume", exact=True).click(timeout=LONG)
    said = page.get_by_text(re.compile(r"R@1 .* after 900 steps")).first
    said.wait_for(timeout=LONG)
    page.wait_for_function(f"{VIEW}?.steps().at(-1) === 900", timeout=LONG)
    page.evaluate(f"{VIEW}.seek({held[2]})")
    page.wait_for_function(f"([x, y, z]) => Math.hypot({VIEW}.point(0)[0] - x, {VIEW}.point(0)[1] - y, "
                           f"{VIEW}.point(0)[2] - z) < 1e-4", arg=back[0].tolist(), timeout=LONG)
    np.testing.assert_allclose(places(page), back, atol=1e-4)

    plot = page.locator(".st-key-dynamics-curves .js-plotly-plot").first
    in_view(plot)
    x, y, step = plot.evaluate("""(plot) => { const {xaxis, yaxis} = plot._fullLayout, at = plot.calcdata[0][30];
        const box = plot.getBoundingClientRect();
        return [box.left + xaxis._offset + xaxis.d2p(at.x), box.top + yaxis._offset + yaxis.d2p(at.y), at.x]; }""")
    page.mouse.move(x - 2, y)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.wait_for_function(f"{VIEW}.at() === {step}", timeout=LONG)

    page.get_by_role("button", name="Take away").click()
    record = read_record(downloaded(page, "Run (file)"))
    assert record.steps[-1] == 900 and record.setup["steps"] == 900
    np.testing.assert_allclose(np.concatenate([record.images[2], record.texts[2]]), back, atol=1e-4)
    table = list(csv.DictReader(io.StringIO(downloaded(page, "Measures (CSV)").decode("utf-8-sig"))))
    assert float(table[-1]["R@1 of images, share"]) == pytest.approx(float(record.measures["r1"][-1]))
    assert b"Plotly" in downloaded(page, "Animation (HTML)")
    no_traceback(page)


def test_the_mp4_of_a_run_plays(calm_page, address, tmp_path):
    page = calm_page
    shown(page, address, "steps=100")
    trained(page, 100)
    page.get_by_role("button", name="Take away").click()
    page.get_by_role("button", name="Animation (mp4)").click()
    page.get_by_role("button", name="Save the mp4").wait_for(timeout=LONG)
    still(page)
    path = tmp_path / "training.mp4"
    path.write_bytes(downloaded(page, "Save the mp4"))
    header = probe(path, path.name)
    assert header.codec == "h264" and header.width == header.height and header.duration > 5
    page.goto("about:blank")
    page.set_content("<video muted></video>")
    page.evaluate("""async (data) => { const video = document.querySelector('video');
        video.src = 'data:video/mp4;base64,' + data; await video.play(); }""",
                  base64.b64encode(path.read_bytes()).decode())
    page.wait_for_function("document.querySelector('video').currentTime > 0.2", timeout=LONG)


def test_a_dial_is_turned_and_the_run_lies_beside_the_first_setting(calm_page, address):
    page = calm_page
    shown(page, address, "steps=300&dial_caption_noise=0.6&beside=first")
    page.get_by_text("caption noise 0.6").first.wait_for(timeout=LONG)
    page.get_by_role("button", name="Train", exact=True).click(timeout=LONG)
    said = page.get_by_text(re.compile("R@1 .* after 300 steps"))
    at_least(said, 2)
    r1 = {text.partition(":")[0]: r1_of(text) for text in said.all_inner_texts()}
    noisy = next(value for name, value in r1.items() if "noise" in name)
    clean = next(value for name, value in r1.items() if "noise" not in name)
    assert clean > noisy + 20, r1
    no_traceback(page)


def test_the_flow_between_two_moments_has_its_marks_and_its_numbers(calm_page, address):
    page = calm_page
    shown(page, address, "steps=300")
    trained(page, 300)
    section(page, "Flow field")
    page.wait_for_function("Object.entries(window.__orrery_sphere ?? {}).some(([name, view]) => "
                           "name.includes('flow') && view.count() === 372)", timeout=LONG)
    page.get_by_text(re.compile("beyond chance from step")).first.wait_for(timeout=LONG)
    assert "a step" in finding(page, "dynamics.flow.speeds", "step")
    no_traceback(page)


def test_a_dose_curve_of_few_trainings_has_its_differences(browser_page, address):
    page = browser_page
    shown(page, address, "dynamics=doses&dose=caption_noise&dose_seeds=3&steps=100")
    page.get_by_role("button", name=re.compile(r"^Train \d+ times")).click(timeout=LONG)
    assert "caption noise" in finding(page, "dynamics.dose", "noise").lower()
    table = list(csv.DictReader(io.StringIO(downloaded(page, "All trainings").decode("utf-8-sig"))))
    assert len(table) == 12
    no_traceback(page)


def test_an_experiment_says_what_it_found(browser_page, address):
    page = browser_page
    shown(page, address, "data=images&dynamics=findings")
    bring(page, {"name": "few.zip", "mimeType": "application/zip", "buffer": pictures("walrus", 40)})   # short batches
    page.get_by_text(re.compile(r"\d+ pairs of 16 px pictures and captions are learnt")).wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Train 10 times").first.click(timeout=LONG)
    title = finding(page, "dynamics.finding.gap_at_start", ".")
    assert re.search(r"\d", title)
    no_traceback(page)


def moved(page) -> str:
    """How far a training on one map goes, as it is said."""
    said = page.get_by_text(re.compile(r"from step 0 to [\d,]+ images go \d+°"))
    said.first.wait_for(timeout=LONG)
    return said.first.inner_text()


def test_trainings_of_any_dimension_are_turned_and_laid_on_one_map(browser_page, address, tmp_path):
    page = browser_page
    shown(page, address, "dynamics=any&scenes=100")
    assert "64 dimensions" in moved(page)
    assert re.search(r"leaves [\d.]+ of [\d.]+ distance to step 11,000", finding(page, "dynamics.turning", "leaves"))
    assert "Alignment" in finding(page, "dynamics.any.plane", "Alignment")

    path = tmp_path / "brought.orrery-run"
    history = builtin_history()
    write_record(replace(history.only(history.some(5)), name="brought"), path)
    section(page, "A record file")
    bring(page, path)
    page.get_by_text(re.compile("brought: from step 0")).first.wait_for(timeout=LONG)

    save = on_the_way(tmp_path)
    for step, share in ((100, 0.3), (200, 0.6), (300, 1.0)):
        save(f"checkpoint-{step}", share)
    shown(page, address, f"dynamics=any&scenes=100&any=folder&checkpoints={quote(str(tmp_path))}")
    page.get_by_role("button", name="Yes, open it").click(timeout=LONG)
    page.get_by_role("button", name=re.compile("^Look at 100 images with 3 checkpoints")).click(timeout=LONG)
    page.get_by_text(re.compile(r"from step 100 to 300 images go \d+°")).first.wait_for(timeout=LONG)

    shown(page, address, "dynamics=any&scenes=100&any=tune&tune_steps=10")
    page.get_by_role("button", name=re.compile("^Fine-tune")).click(timeout=LONG)
    assert "to 10 images" in moved(page)
    no_traceback(page)
