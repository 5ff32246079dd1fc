"""Dataset quality in a real browser: a health sheet, a what-if that is taken away and replayed, A against B."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.browser.objects.test_objects import downloaded, finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, at_least, in_view, still

PAGE = "Dataset_Quality"
ROOT = Path(__file__).parents[3]
PLANTED = "scenes=200&faults=near%20duplicates%7Cwrong%20attributes%7Cblur%7Cwrong%20labels"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def shown(page, address: str, query: str) -> None:
    page.goto(f"{address}/{PAGE}?{query}")
    page.get_by_role("heading", name="Dataset Quality").wait_for(timeout=LONG)


def section(page, name: str) -> None:
    role = page.get_by_role
    role("radio", name=name, exact=True).or_(role("button", name=name, exact=True)).first.click()


def sheet_of(page) -> dict[str, dict[str, str]]:
    """The health sheet as it is downloaded, by finding."""
    page.get_by_role("button", name="Sheet", exact=True).wait_for(timeout=LONG)
    still(page)
    table = csv.DictReader(io.StringIO(downloaded(page, "Sheet").decode("utf-8-sig")))
    return {row["finding"]: row for row in table}


def left_after(page, part: str) -> int:
    """How many images the what-if leaves, by the title of its figure."""
    return int(finding(page, "quality.drops", part).split()[0].replace(",", ""))


def test_the_health_sheet_finds_what_was_planted_and_a_finding_is_kept_and_opened_elsewhere(browser_page, address):
    page = browser_page
    shown(page, address, f"{PLANTED}&finding=copies")
    assert re.search(r"Copies: \d+ of 220 images.* have 0\.\d+ or more", finding(page, "quality.copies", "or more"))
    found = sheet_of(page)
    for name in ("Copies", "Mismatched captions", "Blurred images", "Suspect labels"):
        planted, right = int(found[name]["planted"]), int(found[name]["of these flagged"])
        least = 0.5 if name == "Suspect labels" else 0.7
        assert planted >= 18 and right >= least * planted, (name, found[name])
        assert int(found[name]["flagged"]) <= 3 * planted, (name, found[name])
    page.get_by_text(re.compile(r"^\d+ groups, the largest of \d+")).wait_for(timeout=LONG)
    at_least(page.locator(".orrery-gallery img"), 21)

    page.get_by_role("button", name=re.compile("^Keep the .* flagged as a selection")).click()
    kept = page.get_by_text(re.compile(r"Kept as .*Copies.*: \d+ images")).first
    kept.wait_for(timeout=LONG)
    number = int(re.search(r": (\d+) images", kept.inner_text())[1])
    page.get_by_role("link", name="Embedding Sphere").first.click()
    page.wait_for_function("window.__orrery_sphere?.sphere?.count() > 0", timeout=LONG)
    assert number == int(found["Copies"]["flagged"])
    no_traceback(page)


def test_a_threshold_moves_by_a_click_on_its_histogram_and_stands_in_the_address(browser_page, address):
    page = browser_page
    shown(page, address, f"{PLANTED}&finding=blur")
    before = finding(page, "quality.blur", "have")
    in_view(page.locator(".st-key-quality-blur .js-plotly-plot"))
    spot = page.evaluate("""() => { const plot = document.querySelector('.st-key-quality-blur .js-plotly-plot');
        const full = plot._fullLayout, box = plot.getBoundingClientRect(), data = plot._fullData[0];
        return [box.left + full.xaxis._offset + full.xaxis.c2p(data.x[2]),
                box.top + full.yaxis._offset + full.yaxis._length - 3]; }""")
    page.mouse.move(spot[0] - 2, spot[1])
    page.mouse.move(*spot)
    page.mouse.click(*spot)
    page.wait_for_function("location.search.includes('at_blur=')", timeout=LONG)
    still(page)
    after = finding(page, "quality.blur", "have")
    assert after != before
    address_of_it = page.url
    page.goto(address_of_it)
    assert finding(page, "quality.blur", "have") == after
    no_traceback(page)


def test_scores_classes_captions_and_coverage_have_their_numbers(browser_page, address):
    page = browser_page
    shown(page, address, "scenes=200&health=scores")
    assert "CLIPScore" in finding(page, "quality.scores", "CLIPScore")
    section(page, "Classes")
    assert "classes" in finding(page, "quality.classes", "classes")
    page.get_by_text(re.compile(r": \d+ images\. Click a bar")).wait_for(timeout=LONG)
    section(page, "Captions")
    finding(page, "quality.ranks", ".")
    section(page, "Coverage and diversity")
    finding(page, "quality.coverage", ".")
    page.get_by_text(re.compile("^Vendi score:")).wait_for(timeout=LONG)
    no_traceback(page)


def test_a_what_if_is_switched_undone_taken_away_and_replayed_to_the_same_list(browser_page, address, tmp_path):
    page = browser_page
    shown(page, address, f"{PLANTED}&finding=copies")
    page.get_by_role("button", name=re.compile("^What if the .* were dropped")).click()
    page.get_by_text(re.compile("Added to the what-if")).first.wait_for(timeout=LONG)
    section(page, "What if")
    left = left_after(page, "after 1 action")
    assert left in range(195, 206)
    finding(page, "quality.measures", "dropped")

    page.get_by_role("combobox", name=re.compile("Another action")).click()
    page.get_by_role("option", name="Drop the lowest by CLIPScore").click()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text(re.compile("Drops the share of captions")).wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Add it").click()
    lowest = left_after(page, "after 2 actions")
    assert lowest == left - round(0.1 * left)
    still(page)
    page.locator(".st-key-quality-action-0 label").first.click()
    assert left_after(page, "^198 of") == 198
    still(page)
    page.get_by_role("button", name="Undo").click()
    assert left_after(page, f"^{lowest} of") == lowest

    page.get_by_role("button", name="Export").click()
    table = pd.read_csv(io.BytesIO(downloaded(page, "Kept list, CSV")), dtype=str, keep_default_na=False)
    assert len(table) == lowest
    (tmp_path / "recipe.yaml").write_bytes(downloaded(page, "Recipe, YAML"))
    assert len([row for row in downloaded(page, "Kept list, JSON lines").splitlines() if row.strip()]) == lowest
    (tmp_path / "kept.parquet").write_bytes(downloaded(page, "Kept list, Parquet"))
    assert len(pd.read_parquet(tmp_path / "kept.parquet")) == lowest
    done = subprocess.run([sys.executable, "-m", "core", "recipe", str(tmp_path / "recipe.yaml"), "--data", "world",
                           "--strict", "--out", str(tmp_path / "replayed.csv")], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    replayed = pd.read_csv(tmp_path / "replayed.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(replayed, table)

    page.goto(page.url)
    assert left_after(page, f"^{lowest} of") == lowest
    no_traceback(page)


def test_dropped_against_kept_and_a_world_against_another(browser_page, address):
    page = browser_page
    shown(page, address, 'scenes=200&quality=against&with=world&b_scenes=200&b_faults=other%20world&b_faults_share=40')
    assert "told apart" in finding(page, "quality.statistics", "told apart")
    section(page, "Where do they differ?")
    page.wait_for_function("window.__orrery_sphere?.['quality.sphere']?.count() === 400", timeout=LONG)
    finding(page, "quality.regions", ".")
    at_least(page.locator(".orrery-gallery img"), 5)
    page.get_by_role("radio", name=re.compile("^B: ")).or_(page.get_by_role("button", name=re.compile("^B: "))
                                                           ).first.click()
    title = finding(page, "quality.only_b", "have")
    assert int(re.search(r": ([\d,]+) of 200", title)[1]) > 20, title
    section(page, "Of what are they composed?")
    finding(page, "quality.composition", ".")

    shown(page, address, 'scenes=200&quality=against&with=what_if&actions=[{"do":"random","percent":50}]')
    finding(page, "quality.statistics", ".")
    page.get_by_text("What is kept, beside random subsets of its size").wait_for(timeout=LONG)
    finding(page, "quality.subsets", ".")
    no_traceback(page)
