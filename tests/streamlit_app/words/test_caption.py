"""The section Caption without a browser: the caption is the core's, its Python runs, a group and many are captioned,
hostile and empty input is said, and a language model is offered where it is not here."""

from __future__ import annotations

import contextlib
import io

import numpy as np

from core.encoding.embedding import embed_with
from core.encoding.models import load_model
from core.language.words.by_grammar import search
from core.language.words.fluency import of_the_world
from core.language.words.scored import Target, Texts
from core.sources.solids.world import open_world
from core.streamlit_app.data.beside import note, noted
from tests.encoding.made_language import save_small_gpt2
from tests.encoding.made_models import save_small_clip
from tests.pages.test_pages import HOSTILE, finished, opened, words

PAGE = "pages/8_Words_and_Captions.py"
QUERY = {"words": "caption", "scenes": "100"}


def computed(rows, **dials):
    images = embed_with("builtin", open_world(100)).images.vectors
    return search(Target.among(images, rows), Texts(load_model("builtin"), of_the_world(), attributes=True), **dials)


def test_the_caption_is_the_cores_and_dials_groups_and_its_python_change_it_alike():
    at = opened(PAGE, image="3", **QUERY)
    found = computed([3])
    assert found.found.text in words(at) and f"{found.found.cosine:.3f}" in words(at)
    code = next(block.value for block in at.code if "Target.among" in block.value)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, {})
    assert found.found.text in said.getvalue()
    at.slider(key="caption_solids").set_value(2)
    finished(at.run())
    assert computed([3], solids=2).found.text in words(at) and "from right to left" in words(at)
    at.slider(key="caption_solids").set_value(1)
    at.selectbox(key="caption_of").set_value("class")
    finished(at.run())
    column, name = at.selectbox(key="caption_column").value, at.selectbox(key="caption_class").value
    table = open_world(100).image_table
    rows = np.flatnonzero(table[column].astype(str) == name)
    told = computed(rows)
    assert told.found.text in words(at) and f"{len(rows):,} images" in words(at)
    assert told.found.information < 0 and f"“{told.by_information.text}” tells most" in words(at)


def test_many_are_captioned_and_kept_and_a_hostile_list_stays_text():
    at = opened(PAGE, caption_view="many", caption_count="5", **QUERY)
    next(b for b in at.button if b.label == "Caption them").click()
    finished(at.run())
    rows = next(d.value for d in at.dataframe if "caption" in d.value)
    images = embed_with("builtin", open_world(100)).images
    assert len(rows) == 5
    assert rows["caption"][0] == computed([images.ids.index(rows["image"][0])]).found.text
    assert all(f"{text} (cosine {cosine:.3f} · p" in words(at) for text, cosine in zip(rows["caption"], rows["cosine"]))
    next(b for b in at.button if b.label == "Keep these images").click()
    finished(at.run())
    assert [len(s.image_ids) for s in at.session_state["selections"].values()] == [5]
    at = opened(PAGE, caption_way="list", **QUERY)
    assert "unequally much" in words(at)
    assert "10 attributes of 2 solids" in words(opened(PAGE, caption_solids="2", **QUERY))
    listed = f"{HOSTILE}\n\nein roter Würfel\n红色\n".encode()
    at.file_uploader(key="caption.list").upload("list.txt", listed, "text/plain")
    finished(at.run())
    assert not at.exception and "onerror" in words(at)


def test_a_language_model_is_offered_and_a_small_one_on_disk_writes(tmp_path):
    clip, language = save_small_clip(tmp_path / "clip"), save_small_gpt2(tmp_path / "gpt2")
    at = opened(PAGE, model="other", model_id=str(clip), **QUERY)
    assert "not on this machine yet" in words(at) and any("Download (356 MB)" in b.label for b in at.button)
    at = opened(PAGE, model="other", model_id=str(clip), caption_lm="other", caption_lm_id=str(language),
                caption_length="3", caption_top="6", caption_anew="2", **QUERY)
    assert "A photo of" in words(at) and "Step 5 of 5" in words(at)
    code = next(block.value for block in at.code if "load_language_model" in block.value)
    assert "Writing(prefix='A photo of', length=3, top=6" in code


def test_the_photo_model_reads_no_sentence_and_other_pages_offer_what_they_have(monkeypatch):
    at = opened(PAGE, model="photo", **QUERY)
    assert "reads no sentence" in words(at)
    import streamlit as st

    monkeypatch.setattr(st, "session_state", {})
    ready = type("Ready", (), {"images": embed_with("builtin", open_world(60)).images})()
    note("films", ready, "setting")
    assert set(noted("builtin")) == {"films"} and noted("photo") == {}
    assert sum(map(len, noted("builtin")["films"][1].values())) == 60
