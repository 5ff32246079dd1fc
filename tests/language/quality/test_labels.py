"""One wrong attribute and wrong labels of the built-in world, read by its own model: who finds them, and how well."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.geometry.differences import Verdict
from core.geometry.quality.captions import mismatched
from core.language.quality.labels import judge_labels, prompts_of
from core.language.quality.looked import look
from core.sources.solids.faults import plant_all
from core.sources.solids.world import open_world
from core.types import Dataset


def planted(count: int | None) -> tuple[Dataset, object]:
    data = plant_all(open_world(400, 31, 64, count=count), {"wrong attributes": 0.3, "wrong labels": 0.1}, seed=5)
    return data, look(embed_with("builtin", data), data, prompts_by="builtin")


@pytest.fixture(scope="module")
def single():
    return planted(1)


def test_one_wrong_attribute_is_found(single):
    data, looked = single
    bad = data.text_table["wrong_attribute"].fillna("").to_numpy(str) != ""
    found = mismatched(looked.items)
    assert bad.sum() == 120 and roc_auc_score(bad, -found.scores) > 0.97
    flagged = np.isin(np.arange(400), found.flagged())
    assert bad[flagged].mean() > 0.8 and flagged[bad].mean() > 0.85


def test_it_is_found_better_than_by_the_cosine_where_scenes_have_several_solids():
    data, looked = planted(None)
    bad = data.text_table["wrong_attribute"].fillna("").to_numpy(str) != ""
    found = mismatched(looked.items)
    score, cosine = (roc_auc_score(bad, -s) for s in (found.scores, found.cosines))
    assert score > 0.88 and score > cosine + 0.03


def test_wrong_labels_are_found_and_texts_of_the_classes_win(single):
    data, looked = single
    bad = data.image_table["true_label"].fillna("").to_numpy(str) != ""
    model = load_model("builtin")
    judges = judge_labels(looked.items.images, looked.items.labels, model=model)
    fitted, zero_shot = (average_precision_score(bad, -j.scores) for j in (judges.fitted, judges.zero_shot))
    assert bad.sum() == 40 and fitted > 0.8 and zero_shot > 0.95
    assert judges.best is judges.zero_shot and judges.change.verdict is Verdict.HIGHER
    assert judges.told.startswith("Labels are judged by texts of the classes: beside logistic regression")
    assert f"{judges.change.change.value:+.2f} nats" in judges.told
    right = np.array(judges.best.suggested)[bad] == data.image_table["true_label"].to_numpy(str)[bad]
    assert right.mean() > 0.85
    alone = judge_labels(looked.items.images, looked.items.labels)
    assert alone.best is alone.fitted and alone.zero_shot is None
    assert alone.told == "Labels are judged by logistic regression of the vectors, 5 folds."
    assert judge_labels(looked.items.images, ()).told == ""
    assert judge_labels(looked.items.images, (), model=model).zero_shot is None
    odd = [f"zyx {label}" for label in looked.items.labels]
    assert judge_labels(looked.items.images[:60], odd[:60], model=model, prompts={}).zero_shot is None


def test_prompts_are_the_worlds_own_where_all_names_are_of_one_attribute():
    assert prompts_of(["red", "orange"]) == {"red": "a red thing", "orange": "an orange thing"}
    assert prompts_of(["red", "dog"])["dog"] == "a photo of a dog"
