"""What was uploaded or named: refused and tried again, brought again after a reload, opened only where asked for."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import ROOT, SPHERE, button, finished, opened, words


def png(i: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), (25 * i, 10, 200 - 20 * i)).save(out, "PNG")
    return out.getvalue()


def photos() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(8):
            archive.writestr(f"photos/{'ab'[i % 2]}/{i}.png", png(i))
    return out.getvalue()


def field(at: AppTest, key: str):
    return next(f for f in at.file_uploader if f.key is not None and f.key.startswith(key))


def bring(at: AppTest, key: str, *files: tuple[str, bytes, str]) -> AppTest:
    return finished(field(at, key).set_value(list(files) if len(files) > 1 else files[0]).run())


@pytest.mark.parametrize("source", ["images", "vectors"])
def test_a_refused_file_is_said_and_gone_and_the_next_good_one_opens(source):
    at = opened(SPHERE, data=source)
    at = bring(at, f"{source}.upload", ("broken.zip", b"no archive", "application/zip"))
    assert 'role="alert"' in words(at)
    assert not field(at, f"{source}.upload").value
    finished(at.run())
    assert 'role="alert"' in words(at)
    out = io.BytesIO()
    np.save(out, np.random.default_rng(0).normal(size=(8, 6)))
    good = {"images": ("photos.zip", photos(), "application/zip"), "vectors": ("v.npy", out.getvalue(), "")}
    at = bring(at, f"{source}.upload", good[source])
    assert 'role="alert"' not in words(at)
    assert len(at.dataframe[-1].value) == 8


def test_pictures_of_which_none_can_be_read_are_said_with_a_reason():
    at = bring(opened(SPHERE, data="images"), "images.upload", ("a.png", png(1)[:40], "image/png"))
    assert "an image or text of a.png that can be encoded" in words(at)
    assert "1 that cannot, the first a.png: " in words(at)


def test_a_link_to_an_upload_says_which_file_to_bring_and_with_it_opens_the_same_view():
    at = bring(opened(SPHERE, data="images"), "images.upload", ("photos.zip", photos(), "application/zip"))
    finished(at.selectbox(key="colour").select("column:label").run())
    at.query_params["point"] = "image:photos/a/0.png"
    finished(at.run())
    assert "photos\\.zip, which it does not hold" not in words(at)     # a card stands where the invitation was
    query = {key: value[0] if isinstance(value, list) else value for key, value in dict(at.query_params).items()}
    assert query["file"] == "photos.zip"
    names = list(at.dataframe[-1].value["id"])

    again = opened(SPHERE, **query)
    assert "a view of “photos.zip”, which was uploaded" in words(again)
    assert not again.dataframe
    again = bring(again, "images.upload", ("photos.zip", photos(), "application/zip"))
    assert again.selectbox(key="colour").value == "column:label"
    assert "<dt>id</dt><dd>photos/a/0.png</dd>" in words(again)
    assert list(again.dataframe[-1].value["id"]) == names
    assert "which was uploaded" not in words(again)


def test_the_offer_to_share_says_what_the_address_does_not_hold():
    at = bring(opened(SPHERE, data="images"), "images.upload", ("photos.zip", photos(), "application/zip"))
    assert "copy it to share what you see, with photos\\.zip, which it does not hold." in words(at)
    assert "which it does not hold" not in words(opened(SPHERE, scenes="100"))
    finished(at.button(key="images.close").click().run())
    assert "file" not in at.query_params


def test_images_beside_a_table_that_names_none_in_a_known_way_are_asked_for():
    table = "bild,words\n" + "".join(f"{i},a thing of number {i} and more\n" for i in range(8))
    at = bring(opened(SPHERE, data="table"), "table.upload", ("t.csv", table.encode(), "text/csv"))
    at = bring(at, "table.images", ("photos.zip", photos(), "application/zip"))
    finished(button(at, "Open the table").click().run())
    assert "Which one names them?" in words(at)
    assert not at.dataframe
    at.selectbox(key="columns.images").select("bild")
    finished(button(at, "Open the table so").click().run())
    shown = at.dataframe[-1].value
    assert [(shown["modality"] == kind).sum() for kind in ("image", "text")] == [8, 8]
    assert at.query_params["file"] in ("t.csv and 1 more", ["t.csv and 1 more"])


def test_a_folder_that_a_link_names_is_asked_for_first(tmp_path: Path):
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    at.switch_page(SPHERE)
    at.query_params["data"], at.query_params["folder"] = "folder", str(tmp_path)
    finished(at.run())
    assert "It is not opened unasked." in words(at)
    assert not at.dataframe
    finished(at.run())
    assert not at.dataframe
    finished(button(at, "Yes, open it").click().run())
    assert len(at.dataframe[-1].value) == 4
    assert "unasked" not in words(at)


def test_a_folder_that_is_typed_opens_at_once(tmp_path: Path):
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    at = opened(SPHERE, data="folder")
    finished(at.text_input(key="folder").input(str(tmp_path)).run())
    assert len(at.dataframe[-1].value) == 4


def npz(**arrays: np.ndarray) -> tuple[str, bytes, str]:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return "v.npz", out.getvalue(), ""


def panel(at: AppTest, key: str) -> AppTest:
    at.session_state[key] = True
    return finished(at.run())


def test_which_array_holds_what_is_said_in_a_panel_also_where_they_do_not_fit_together():
    rng = np.random.default_rng(0)
    first, second, odd = rng.normal(size=(8, 16)), rng.normal(size=(8, 16)), rng.normal(size=(8, 6))
    at = bring(opened(SPHERE, data="vectors"), "vectors.upload", npz(image=first, other=second, text=odd))
    assert "say what each array holds" in words(at)
    panel(at, "arrays")
    labels = [s.label.replace("\\", "") for s in at.selectbox if s.key.startswith("arrays.")]
    assert [label.split(":")[1].strip() for label in labels] == ["image", "other", "text"]
    assert "8 x 6, float64" in labels[2]
    for i, part in enumerate(("image", "text", "neither")):
        at.selectbox(key=f"arrays.{i}").select(part)
    finished(button(at, "Open it so").click().run())
    assert "say what each array holds" not in words(at)
    shown = at.dataframe[-1].value
    assert [(shown["modality"] == kind).sum() for kind in ("image", "text")] == [8, 8]
    finished(at.button(key="vectors.close").click().run())
    assert "vectors.source" not in at.session_state
    assert at.session_state["said"] == {}


def test_pictures_are_added_to_vectors_and_taken_away():
    names = np.array([f"{i}.jpg" for i in range(8)])
    vectors = npz(image=np.random.default_rng(0).normal(size=(8, 6)), image_ids=names)
    at = bring(opened(SPHERE, data="vectors"), "vectors.upload", vectors)
    at.query_params["point"] = "image:3.jpg"
    finished(at.run())
    assert "No picture: these are vectors made elsewhere." in words(at)
    panel(at, "attached")
    at = bring(at, "pictures.upload", ("other.zip", b"no archive", "application/zip"))
    assert 'role="alert"' in words(at)
    at = bring(at, "pictures.upload", ("photos.zip", photos(), "application/zip"))
    assert 'role="alert"' not in words(at)
    assert '<div class="orrery-card"><img src="data:image/webp' in words(at)
    finished(at.button(key="attached.away").click().run())
    assert "No picture: these are vectors made elsewhere." in words(at)


def test_pictures_of_vectors_at_a_path(tmp_path: Path):
    np.savez(tmp_path / "v.npz", image=np.random.default_rng(0).normal(size=(4, 6)),
             image_ids=np.array([f"{i}.jpg" for i in range(4)]))
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    at = opened(SPHERE, data="folder", folder=str(tmp_path / "v.npz"), point="image:1.jpg")
    assert "No picture: these are vectors made elsewhere." in words(at)
    panel(at, "attached")
    at.text_input(key="attached.path").input(str(tmp_path / "nowhere"))
    finished(button(at, "Add them").click().run())
    assert 'role="alert"' in words(at)
    at.text_input(key="attached.path").input(str(tmp_path))
    finished(button(at, "Add them").click().run())
    assert '<div class="orrery-card"><img src="data:image/webp' in words(at)
    other = opened(SPHERE, data="folder", folder=str(tmp_path / "v.npz"), point="image:3.jpg")
    panel(other, "attached")
    other.text_input(key="attached.path").input(str(tmp_path))
    finished(button(other, "Add them").click().run())
    assert "No picture of its name is among those that were added." in words(other)


def test_letters_of_texts_beside_pictures_are_said_to_be_others():
    files = [("a.png", png(1), "image/png"), ("a.txt", "красный".encode("cp1251"), "text/plain"),
             ("b.png", png(2), "image/png")]
    at = bring(opened(SPHERE, data="images"), "images.upload", *files)
    assert "красный" not in list(at.dataframe[-1].value["text"])      # too short a text to guess from
    panel(at, "letters")
    at.selectbox(key="letters.encoding").select("cp1251")
    finished(button(at, "Read it so").click().run())
    assert "красный" in list(at.dataframe[-1].value["text"])
