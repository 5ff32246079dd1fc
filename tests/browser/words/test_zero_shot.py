"""Zero-shot in a real browser: prompts are edited, classes uploaded, and what is read is what the core measures."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from core.encoding.models import load_model
from core.figures.words import examples, flags, named
from core.geometry.classification import Classification
from core.geometry.directions import unit
from core.geometry.flagging import Flagged, flag_odds
from core.language.words.prompt_sets import WORLD_SETS
from core.language.words.prompts import encode_classes, read_classes, truth_of
from core.language.world_evaluation import BARE
from core.learning.few_shots import few_shots
from core.sources.solids.world import open_world
from core.types import EmbeddingSet
from tests.browser.foveal.test_look import table
from tests.browser.objects.test_objects import finding
from tests.browser.sphere.test_sphere import APP, no_traceback
from tests.browser.waits import LONG, still

SCENES = 100
LIST = [f"{name} = a picture of {said}" for name, said in list(BARE["colour"].items())[:6]]


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


def said(text: str) -> re.Pattern[str]:
    """A whole title, however it is wrapped."""
    return re.compile(r"\s*".join(map(re.escape, text.split())))


def part(page, name: str) -> None:
    still(page)
    page.locator(".st-key-zero_part").get_by_role("radio", name=name, exact=True).or_(
        page.locator(".st-key-zero_part").get_by_role("button", name=name, exact=True)).first.click()


def test_prompts_are_edited_classes_uploaded_and_everything_read_is_the_cores(browser_page, address):
    world, model = open_world(SCENES), load_model("builtin")
    raw = model.encode_images([world.images.decode(i) for i in range(SCENES)])
    images = EmbeddingSet(unit(raw), np.linalg.norm(raw, axis=1), world.image_ids, "image",
                          pd.DataFrame(index=range(SCENES)), model.spec)
    labels = world.image_table["colour"].tolist()

    def asked(rows: list[str], templates: list[str]) -> Classification:
        texts = encode_classes(model, read_classes(rows), templates)
        return Classification(texts.classes, texts.logits(model, images), truth_of(labels, texts.classes))

    page = browser_page
    page.goto(f"{address}/Words_and_Captions?scenes={SCENES}&words=zero_shot&zero_label=colour&zero_ensemble=seven"
              "&zero_shots=4&zero_draws=5&zero_learners=mean")
    templates = page.locator(".st-key-zero_templates-world-seven textarea")
    templates.wait_for(timeout=LONG)
    still(page)
    templates.fill("{}\na picture of {} in the snow")
    templates.press("Control+Enter")
    rows = [f"{name} = {BARE['colour'][name]}" for name in sorted(set(labels))]
    edited = asked(rows, ["{}", "a picture of {} in the snow"])
    finding(page, "zero.by_class", said(named.finding(edited)).pattern)
    read = {row["class"]: float(row["accuracy"]) for row in table(page, "zero.by_class")}
    assert read == pytest.approx({edited.classes[k]: number.value for k, number in edited.by_class().items()})

    still(page)
    wrong = len(edited.wrong)
    page.get_by_role("button", name=f"Keep the {wrong} wrong as a selection").click()
    page.get_by_text(re.compile(f"Kept as .*Called wrong, colour.*{wrong} images")).first.wait_for(timeout=LONG)

    still(page)
    page.locator(".st-key-zero_from").get_by_text("A file", exact=True).click()
    page.locator(".st-key-zero_file-upload input[type=file]").set_input_files(
        [{"name": "classes.txt", "mimeType": "text/plain", "buffer": "\n".join(LIST).encode()}])
    listed = asked(LIST, ["{}", "a picture of {} in the snow"])
    finding(page, "zero.by_class", said(named.finding(listed)).pattern)

    part(page, "Worth in examples")
    page.get_by_role("button", name="Learn from examples").click()
    shots = few_shots(images.vectors, listed.truth, listed.classes, listed.logits, shots=(1, 2, 4), draws=5,
                      learners=("mean",))
    finding(page, "zero.shots.curve", said(examples.finding(shots)).pattern)
    curve = table(page, "zero.shots.curve")
    assert [float(row["accuracy"]) for row in curve] == pytest.approx(shots.curve("mean").values)

    part(page, "Sentiment and moderation")
    one = WORLD_SETS["red"]
    odds = flag_odds(model.logits(images.vectors, images.norms, [*one.flagged, *one.other]),
                     np.arange(len(one.flagged) + len(one.other)) < len(one.flagged))
    report = Flagged(odds, np.isin(labels, one.labels).astype(np.int64))
    finding(page, "zero.flags", said(flags.finding(report)).pattern)
    steps = table(page, "zero.roc")
    assert float(steps[0]["AUC"]) == pytest.approx(report.auc.value)

    still(page)
    page.get_by_role("link", name="Embedding Sphere").click()
    picker = page.locator(".st-key-selection")
    picker.first.wait_for(timeout=LONG)
    still(page)
    picker.get_by_role("combobox").click()
    page.get_by_role("option", name="Called wrong, colour").click()
    page.get_by_text(re.compile(f"^{wrong} images and 0 texts selected")).first.wait_for(timeout=LONG)
    no_traceback(page)
