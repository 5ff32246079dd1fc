"""Objects in a real browser: brought, drawn, seen as subspaces, compared, restyled, recognised, taken away."""

from __future__ import annotations

import csv
import io
import re

import pytest

from core.attention.masks import FOVEAL
from core.encoding.models import load_model
from core.geometry.directions import unit
from core.language.objects.classes import class_scores, pointed_scores
from core.sources.meshes.mesh import Cloud
from core.sources.solids.clouds import solid_cloud
from core.sources.vectors.opening import open_vectors
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, exactly, in_view, still

VIEWS = "window.__orrery_sphere"
PAGE = "Object_Subspaces"
TITLE = ".gtitle"


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def seen(page, key: str, n: int) -> None:
    """Wait for a sphere of n points."""
    page.wait_for_function(f"{VIEWS}?.['{key}']?.frames() > 0 && {VIEWS}['{key}'].count() === {n}", timeout=LONG)


def finding(page, key: str, part: str) -> str:
    """The title of a figure, once it holds some words."""
    title = page.locator(f".st-key-{key.replace('.', '-')} {TITLE}").filter(has_text=re.compile(part))
    title.first.wait_for(timeout=LONG)
    lines = "node => [...node.querySelectorAll('tspan')].map((line) => line.textContent).join(' ') || node.textContent"
    return " ".join(title.first.evaluate(lines).split())


def brought(page, address: str, files: list, query: str = "") -> None:
    """The page, with meshes uploaded."""
    page.goto(f"{address}/{PAGE}?objects=meshes&n_views=12&size=96{query}")
    drop = page.locator("input[type=file]")
    drop.first.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.first.set_input_files(files)


def downloaded(page, name: str) -> bytes:
    """What a download button gives."""
    with page.expect_download(timeout=LONG) as known:
        page.get_by_role("button", name=name, exact=True).last.click()
    return known.value.path().read_bytes()


def test_meshes_are_brought_drawn_and_taken_away_and_what_is_broken_is_named(browser_page, address, reference):
    page, meshes = browser_page, reference / "meshes"
    brought(page, address, [str(meshes / name) for name in ("Duck.glb", "teapot.stl", "points_agisoft.xyz",
                                                            "empty.obj", "notenoughindices.obj")])
    seen(page, "objects.cameras", 12)
    page.get_by_text(re.compile("^2 .*could not be read")).first.wait_for(timeout=LONG)
    facts = page.locator(".orrery-facts").last
    facts.get_by_text("Duck, points_agisoft, teapot").wait_for(timeout=LONG)
    assert facts.locator("dd").nth(1).inner_text() == "72"      # 3 objects, 2 styles, 12 views
    exactly(page.locator(".orrery-gallery img"), 12)
    assert "file=Duck.glb" in page.url

    opened = open_vectors(downloaded(page, "Vectors (npz)"), "views.npz")
    assert opened.images.vectors.shape == (72, 64)
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Table (CSV)").decode("utf-8-sig"))))
    assert len(rows) == 72 and {row["style"] for row in rows} == {"shaded", "cartoon"}
    no_traceback(page)

    page.get_by_role("button", name="Look at these views on every page").click()
    page.wait_for_function(f"{VIEWS}?.sphere?.count() === 72", timeout=LONG)
    no_traceback(page)


def test_the_subspace_and_its_two_linked_spheres_with_a_prompt_as_heat(browser_page, address):
    page = browser_page
    page.goto(f"{address}/{PAGE}?objects_at=subspace&n_views=24&world_size=64&solids=cube%7Ccone")
    seen(page, "objects.cameras", 24)
    seen(page, "objects.sheet", 24)
    assert re.search(r"95\s%.* of the energy of its views lies in ?\d+ directions",
                     finding(page, "objects.energies", "energy"))
    assert "Spearman" in finding(page, "objects.turning", "Spearman")

    def hovered(key: str, other: str, i: int) -> None:
        in_view(page.locator(".orrery-sphere").first)
        page.evaluate(f"{VIEWS}['{key}'].face({i})")
        spot = page.evaluate(f"{VIEWS}['{key}'].project({i})")
        page.mouse.move(spot["x"] + 60, spot["y"] + 40)
        page.mouse.move(spot["x"], spot["y"])
        page.wait_for_function(f"{VIEWS}['{other}'].lit() === {VIEWS}['{key}'].hovered() && "
                               f"{VIEWS}['{key}'].hovered() >= 0", timeout=LONG)

    still(page)
    hovered("objects.cameras", "objects.sheet", 5)
    hovered("objects.sheet", "objects.cameras", 9)

    field = page.get_by_label("From where does it look like …")
    field.fill("a photo of a cone")
    field.press("Enter")
    page.get_by_text(re.compile("the smoothed cosine to .*a photo of a cone.* varies by")).wait_for(timeout=LONG)
    page.get_by_role("button", name="Keep these views as a selection").first.click()
    page.get_by_text("Kept as").first.wait_for(timeout=LONG)
    no_traceback(page)


def test_objects_are_compared_and_a_style_is_carried_over(browser_page, address, reference):
    page = browser_page
    page.goto(f"{address}/{PAGE}?objects_at=compare&n_views=16&world_size=128")
    assert "Nearest:" in finding(page, "objects.distances", "Nearest")
    assert "membership" in finding(page, "objects.membership", "membership")
    still(page)
    page.get_by_role("button", name="An image of yours").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(
        str(reference / "photos" / "coral" / "cat_720p.jpg"))
    page.get_by_text("image cat_720p.jpg").first.wait_for(timeout=LONG)
    page.keyboard.press("Escape")
    page.locator(".st-key-objects-distances").locator("xpath=following::button[contains(., 'Download')][1]").click()
    pairs = list(csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    assert len(pairs) == 6 and all(0 < float(row["grassmann distance"]) < 6 for row in pairs)
    assert b"plotly" in downloaded(page, "HTML").lower()
    page.keyboard.press("Escape")
    assert "prompt" in finding(page, "objects.over_views", "views:")

    page.get_by_role("radio", name="Carry a style over").or_(
        page.get_by_role("button", name="Carry a style over")).first.click()
    page.get_by_text("Nearest rendering: the object and the style that were wanted").wait_for(timeout=LONG)
    assert "goes from “photo” to “sketch”" in finding(page, "objects.says_style", "style")
    assert re.search(r"cases, chance \d", finding(page, "objects.success", "cases"))
    still(page)
    page.get_by_role("combobox", name="Composed by").click()
    page.get_by_role("combobox", name="Composed by").press_sequentially("sum of")
    page.get_by_role("option", name="sum of both").click()
    page.get_by_text(re.compile("v_B . alpha v_A")).first.wait_for(timeout=LONG)
    no_traceback(page)


def test_a_mesh_is_recognised_from_its_depth_and_over_its_pose(browser_page, address, reference):
    page = browser_page
    brought(page, address, [str(reference / "meshes" / "torus.STL")], "&objects_at=recognise&styles=shaded")
    words = finding(page, "objects.classes", "is called")
    assert re.search(r"over 6 views \(by chance \d+ %\)", words)
    exactly(page.locator(".orrery-gallery img"), 6)
    assert re.search(r"wins at \d+.% of 12 poses", finding(page, "objects.sweep", "wins at"))
    no_traceback(page)


def test_a_cloud_is_recognised_with_a_foveal_mask_beside_none(browser_page, address):
    page, cloud = browser_page, solid_cloud("star", 3000, seed=2)
    brought(page, address, [{"name": "scan.xyz", "mimeType": "text/plain", "buffer": "\n".join(
        " ".join(f"{side:.6f}" for side in point) for point in cloud.points).encode()}],
        "&objects_at=recognise&styles=shaded")
    words = finding(page, "objects.classes", "is called")
    assert page.locator(".st-key-objects-pointed").count() == 0, "off at first"
    still(page)
    page.get_by_text("Foveal mask on what is drawn").click()
    said = finding(page, "objects.pointed", "under the mask")
    assert finding(page, "objects.classes", "is called") == words
    still(page)
    page.locator(".st-key-objects-pointed").locator("xpath=following::button[contains(., 'Download')][1]").click()
    rows = {row["class"]: row for row in csv.DictReader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig")))}
    page.keyboard.press("Escape")

    model, names = load_model("builtin"), list(rows)
    classes = unit(model.encode_texts([f"a depth map of a {name}." for name in names]))
    shape = Cloud("scan", cloud.points.round(6))
    found = class_scores(shape, classes, model)
    pointed = pointed_scores(found, classes, model, FOVEAL)
    for column, scores in (("probability", found), ("probability, masked", pointed)):
        read = [float(rows[name][column]) for name in names]
        assert read == pytest.approx(scores.probabilities(model.logit_scale).tolist(), abs=2e-3)
        assert sum(read) == pytest.approx(1)
    best = 100 * float(rows[names[pointed.best]]["probability, masked"])
    assert f"“{names[pointed.best]}” under the mask" in said and f"{best:.0f} % after" in said
    exactly(page.locator(".st-key-objects-masks img"), 6)
    page.get_by_text(re.compile(r"The same class comes first in \d+ of 12 poses")).wait_for(timeout=LONG)
    no_traceback(page)


def test_one_object_alone_has_prompts_only(browser_page, address):
    page = browser_page
    page.goto(f"{address}/{PAGE}?objects_at=style&n_views=8&world_size=64&solids=cube")
    page.get_by_text("One object alone has no style means").wait_for(timeout=LONG)
    still(page)
    page.get_by_role("combobox", name="Composed by").click()
    page.get_by_role("option", name="sum of both").wait_for(timeout=LONG)
    assert set(page.get_by_role("option").all_inner_texts()) == {
        "PAE", "PAE+", "PAE+, released code", "text directions", "sum of both"}
    no_traceback(page)
