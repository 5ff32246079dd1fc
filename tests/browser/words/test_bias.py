"""Bias in a real browser: a test of a column reads as the core says, its drivers are kept, the curve is moved."""

from __future__ import annotations

import re

import numpy as np
import pytest

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.geometry.association import leanings, parts_of_items
from core.geometry.directions import unit
from core.geometry.fairness import fairness
from core.geometry.pairs import Classes, Pairs
from core.language.words.associated import OF_THE_WORLD, associate, known_of, unknown_to
from core.language.world_evaluation import BARE
from core.sources.solids.world import open_world
from tests.browser.foveal.test_look import table
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, in_view, still

SCENES, SHIFT = 200, 0.5
PAIR = ("brown", "turquoise")


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def test_a_column_is_tested_its_drivers_kept_and_the_curve_moved(browser_page, address):
    page = browser_page
    page.goto(f"{address}/Words_and_Captions?scenes={SCENES}&words=bias&bias_lists=colours"
              f"&bias_of+colour={'|'.join(PAIR)}")
    said = finding(page, "words.associations", "leans more")

    model, found = load_model("builtin"), embed_with("builtin", open_world(SCENES))
    images, lists = found.images, {"colours": OF_THE_WORLD["colours"]}
    known = {"colours": known_of(lists["colours"], "{}", unknown_to(model))}
    scores = images.vectors @ unit(model.encode_texts(list(known["colours"].texts))).T
    labels = images.table["colour"].to_numpy()
    groups = {name: np.flatnonzero(labels == name) for name in PAIR}
    report = associate({"colours": scores}, known, lists, groups)
    test = report.tests[*PAIR, "colours"]
    row, = table(page, "words.associations")
    assert float(row["effect size"]) == pytest.approx(test.change.value, abs=1e-4)
    assert float(row["effect size low"]) == pytest.approx(test.change.low, abs=1e-4)
    assert float(row["p (Holm)"]) == pytest.approx(test.p, abs=2e-4) and row["sides"] == "one"
    assert (int(row["n of X"]), int(row["n of Y"])) == tuple(map(len, groups.values()))
    assert f"d = {test.change.value:.1f}" in said

    lean = leanings(scores, np.array(known["colours"].first))
    adds = np.concatenate(parts_of_items(*(lean[rows] for rows in groups.values())))
    drivers = np.concatenate(list(groups.values()))[np.argsort(-adds, kind="stable")[:12]]
    still(page)
    shown = page.locator(".st-key-bias-drivers-gallery small").all_inner_texts()
    assert [text.split("; ")[1] for text in shown] == [images.ids[row] for row in drivers]
    keep = page.get_by_role("button", name="Keep these 12 as a selection")
    in_view(keep)
    keep.click()
    page.get_by_text(re.compile("Kept as .*Drives brown less turquoise.*12 images")).first.wait_for(timeout=LONG)
    still(page)

    page.get_by_role("radio", name="Fairness curve").click()
    finding(page, "words.fairness", "At shift 0:")
    still(page)
    slider = page.locator(".st-key-bias_shift").get_by_role("slider")
    slider.focus()
    for _ in range(round(SHIFT / 0.125)):
        slider.press("ArrowRight")
    said = finding(page, "words.fairness", f"At shift {SHIFT:g}:")
    assert f"bias_shift={SHIFT:g}" in page.url
    textures = sorted(BARE["texture"])
    names = (*(name for name in textures if name != "checkered"), "checkered")
    own = images.table["texture"].to_numpy()
    classes = Classes(names, unit(model.encode_texts([BARE["texture"][name] for name in names])),
                      np.array([names.index(label) for label in own]))
    curve = fairness(Pairs(images.vectors, found.texts.vectors, np.zeros((0, 2)), classes),
                     np.array([name == "checkered" for name in names]),
                     np.array([textures.index(label) for label in own]), tuple(textures))
    place = int(np.abs(curve.shifts - SHIFT).argmin())
    assert f"accuracy of the other classes {100 * curve.accuracy[place].value:.1f} %" in said
    rows = [row for row in table(page, "words.fairness") if float(row["shift"]) == SHIFT and row["group"]]
    assert {row["group"]: float(row["value"]) for row in rows} == pytest.approx(
        {name: numbers[place].value for name, numbers in zip(curve.groups, curve.shares)})
    no_traceback(page)
