"""Everything a visitor may bring, by upload or by path, in a real browser; what is loaded; stop, look, and go on."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.browser.live.test_pictures import TIP
from tests.browser.sphere.test_sphere import PROBE, drawn, front_point, no_traceback
from tests.browser.waits import LONG, exactly, in_view, still

APP = Path(__file__).parents[3] / "app.py"
N, DIM = 12, 32
SCENES = 500


@pytest.fixture(scope="module")
def address(streamlit_server) -> str:
    return streamlit_server(APP)


@pytest.fixture(scope="module")
def brought(tmp_path_factory) -> Path:
    """A folder with one file or folder for each thing that people have at hand."""
    root = tmp_path_factory.mktemp("brought")
    folder = root / "photos"
    for i in range(N):
        path = folder / ("train" if i < 8 else "test") / ("red" if i % 2 else "blue") / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (20 * i, 40, 250 - 20 * i)).save(path)
    files = sorted(folder.rglob("*.png"))
    with zipfile.ZipFile(root / "photos.zip", "w") as packed, tarfile.open(root / "shard.tar", "w") as shard:
        for file in files:
            packed.write(file, file.relative_to(root))
            shard.add(file, file.relative_to(folder).name)
    broken = root / "broken.png"
    broken.write_bytes(files[0].read_bytes()[:40])
    rows = [{"file": file.name, "caption": f"code {i}", "was_man_sieht": f"eine Karte der Farbe {i}, was sonst",
             "lang": "de" if i % 3 else "en", "split": file.parts[-3]} for i, file in enumerate(files)]
    pd.DataFrame(rows).to_csv(root / "captions.csv", index=False)
    pd.DataFrame(rows).to_csv(folder / "beside.tsv", index=False, sep="\t")
    (root / "samples.json").write_text(json.dumps({"samples": [
        {"filepath": f"/data/{file.name}", "ground_truth": {"label": file.parts[-2]}, "tags": ["train"]}
        for file in files]}))
    vectors(root)
    return root


def vectors(root: Path) -> None:
    """Vectors as other tools write them."""
    rng = np.random.default_rng(0)
    image, text = (rng.normal(size=(N, DIM)).astype(np.float32) for _ in range(2))
    np.savez(root / "pairs.npz", image=image, text=text, caption=np.array([f"words {i}" for i in range(N)]))
    np.savez(root / "named.npz", image=image, image_ids=np.array([f"{i:02d}.jpg" for i in range(N)]))
    pd.DataFrame({"id": range(N), "vector": list(image)}).to_parquet(root / "rows.parquet")
    pd.DataFrame(image, columns=[f"dim_{k}" for k in range(DIM)]).assign(name=[f"n{i}" for i in range(N)]).to_csv(
        root / "rows.csv", index=False)
    np.savetxt(root / "tensor.tsv", image, delimiter="\t")
    (root / "metadata.tsv").write_text("name\tkind\n" + "".join(f"n{i}\tk{i % 2}\n" for i in range(N)))
    np.save(root / "img_emb_0.npy", image)
    np.save(root / "text_emb_0.npy", text)
    names = {"image_path": [f"{i}.jpg" for i in range(N)], "caption": [f"words {i}" for i in range(N)]}
    pd.DataFrame(names).to_parquet(root / "metadata_0.parquet")


def uploaded(page, address: str, source: str, *files: Path) -> None:
    """Home, with files dropped on one source."""
    page.goto(f"{address}/?data={source}")
    drop = page.locator("input[type=file]")
    drop.first.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.first.set_input_files([str(file) for file in files])


def says(page, text: str) -> None:
    page.get_by_text(text).first.wait_for(timeout=LONG)
    no_traceback(page)


def test_images_by_upload_with_what_was_refused_and_why(browser_page, address, brought):
    page = browser_page
    files = sorted((brought / "photos").rglob("*.png"))[:3]
    uploaded(page, address, "images", *files, brought / "broken.png")
    says(page, "4 uploaded files: 4 images")
    page.goto(f"{address}/Embedding_Sphere?data=images")
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=LONG)
    still(page)
    page.locator("input[type=file]").first.set_input_files([str(f) for f in (*files, brought / "broken.png")])
    drawn(page, 3)
    page.get_by_text("1 item could not be read").click()
    page.get_by_test_id("stDataFrame").first.wait_for()
    no_traceback(page)


@pytest.mark.parametrize(("source", "names", "said"), [
    ("images", ["photos.zip"], f"photos: {N} images"),
    ("images", ["shard.tar"], f"shard: {N} images"),
    ("vectors", ["pairs.npz"], f"pairs: {N} images and {N} texts"),
    ("vectors", ["rows.parquet"], f"rows: {N} images"),
    ("vectors", ["rows.csv"], f"rows: {N} images"),
    ("vectors", ["tensor.tsv", "metadata.tsv"], f"{N} images"),
    ("vectors", ["img_emb_0.npy", "text_emb_0.npy", "metadata_0.parquet"], f"{N} images and {N} texts"),
])
def test_by_upload(browser_page, address, brought, source, names, said):
    uploaded(browser_page, address, source, *(brought / name for name in names))
    says(browser_page, said)


@pytest.mark.parametrize(("name", "holds"), [
    ("photos", f"{N} images and {N} texts"), ("photos.zip", f"{N} images"), ("shard.tar", f"{N} images"),
    ("photos/beside.tsv", f"{N} images and {N} texts"), ("pairs.npz", f"{N} images and {N} texts"),
    ("rows.parquet", f"{N} images"),
    ("tensor.tsv", f"{N} images"),
])
def test_by_path(browser_page, address, brought, name, holds):
    page = browser_page
    page.goto(f"{address}/?data=folder&folder={brought / name}")
    agreed(page)
    loaded(page)
    words = dict(re.findall(r"(Images|Texts|Holds)\n+([^\n]+)", page.get_by_test_id("stPopoverBody").inner_text()))
    said = words.get("Holds") or " and ".join(
        f"{n} {what.lower()}" for what, n in words.items() if n != "0")
    assert said == holds
    no_traceback(page)


def agreed(page) -> None:
    """Agree to open what the address names on this machine."""
    page.get_by_role("button", name="Yes, open it").click(timeout=LONG)


def table_with_images(page, address: str, table: Path, images: Path) -> None:
    """Home, with a table and its images dropped, and opened."""
    page.goto(f"{address}/?data=table")
    for key, file in (("upload", table), ("images", images)):
        drop = page.locator(f".st-key-table-{key} input[type=file]")
        drop.wait_for(state="attached", timeout=LONG)
        still(page)
        drop.set_input_files(str(file))
        page.get_by_test_id("stFileChipName").get_by_text(file.name).wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="Open the table").click(timeout=LONG)


def loaded(page) -> None:
    """Open the panel that says what is loaded."""
    page.get_by_role("button", name="What is loaded").wait_for(timeout=LONG)
    still(page)
    page.get_by_role("button", name="What is loaded").click(timeout=LONG)
    page.get_by_test_id("stPopoverBody").get_by_text("Images").or_(
        page.get_by_test_id("stPopoverBody").get_by_text("Holds")).first.wait_for(timeout=LONG)
    still(page)


def test_a_table_with_its_images_the_right_columns_and_one_split(browser_page, address, brought):
    page = browser_page
    table_with_images(page, address, brought / "captions.csv", brought / "photos.zip")
    says(page, f"captions.csv: {N} images and {N} texts")

    page.get_by_text("Which column holds what").click()
    chosen = page.locator(".st-key-columns-captions")
    chosen.get_by_text("caption", exact=True).wait_for(timeout=LONG)
    still(page)
    chosen.get_by_role("button", name="Clear all").click()
    chosen.get_by_role("combobox").click()
    chosen.get_by_role("combobox").press_sequentially("was_man")
    page.get_by_role("option", name="was_man_sieht").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Open it so").click()
    still(page)
    page.keyboard.press("Escape")
    exactly(page.get_by_test_id("stPopoverBody"), 0)
    loaded(page)
    panel = page.get_by_test_id("stPopoverBody")
    panel.get_by_text("eine Karte der Farbe").first.wait_for(timeout=LONG)
    to_encode = re.compile(r"\b(1[2-9]|2[0-4]) items")      # some of the images may have been encoded before
    for words in ("Texts an image", "train 8, test 4", "de 8, en 4", to_encode):
        panel.get_by_text(words).first.wait_for(timeout=LONG)
    exactly(panel.locator(".orrery-gallery img"), 8)
    panel.get_by_role("combobox", name="Split").click()
    page.get_by_role("option", name="test (4)").click()
    panel.get_by_text("captions, test").wait_for(timeout=LONG)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Embedding Sphere").first.click()
    drawn(page, 8)
    no_traceback(page)


def test_pictures_that_are_added_to_vectors_stand_in_hovers_and_on_cards(browser_page, address, brought):
    page = browser_page
    page.goto(f"{address}/Embedding_Sphere?data=vectors")
    page.locator("input[type=file]").first.wait_for(state="attached", timeout=LONG)
    still(page)
    page.locator("input[type=file]").first.set_input_files(str(brought / "named.npz"))
    drawn(page, N)
    still(page)
    page.get_by_text("Pictures of these vectors").click()
    drop = page.locator(".st-key-pictures-upload input[type=file]")
    drop.wait_for(state="attached", timeout=LONG)
    still(page)
    drop.set_input_files(str(brought / "photos.zip"))
    page.get_by_text("Pictures: 1 uploaded").wait_for(timeout=LONG)
    drawn(page, N)
    in_view(page.locator(".os-front"))
    point = front_point(page)
    page.mouse.move(point["x"], point["y"])
    page.wait_for_function(f"({TIP})()?.[0] === 40", timeout=LONG)
    page.mouse.click(point["x"], point["y"])
    card = page.locator(".orrery-card img").first
    card.wait_for(timeout=LONG)
    page.wait_for_function("document.querySelector('.orrery-card img').naturalWidth === 40", timeout=LONG)
    assert page.get_by_text("No picture").count() == 0
    no_traceback(page)


def test_samples_of_fiftyone_as_a_table(browser_page, address, brought):
    page = browser_page
    table_with_images(page, address, brought / "samples.json", brought / "shard.tar")
    says(page, f"samples.json: {N} images")
    loaded(page)
    assert "2: " in page.get_by_test_id("stPopoverBody").inner_text()
    assert "red 6" in page.get_by_test_id("stPopoverBody").inner_text()


def test_what_is_no_source_is_said_in_words_and_another_can_be_taken(browser_page, address, brought):
    page = browser_page
    page.goto(f"{address}/?data=folder&folder={brought / 'nowhere'}")
    agreed(page)
    says(page, "which is not there")
    field = page.get_by_role("textbox", name=re.compile("^Path of a folder"))
    field.fill(str(brought / "broken.png"))
    field.press("Enter")
    says(page, "For single images name their folder")
    field.fill(str(brought / "photos"))
    field.press("Enter")
    page.get_by_role("button", name="What is loaded").wait_for(timeout=LONG)
    no_traceback(page)


def encoding(page, address: str, sample: int) -> None:
    """The sphere page, while the built-in world is being encoded: agreed to if asked, stopped once it goes on.

    On a busy machine a click may be lost, and comes again; or the run is over before it: then another sample is begun.
    """
    page.add_init_script("""window.progressSaid = []; const look = () => {
        const bar = document.querySelector('[data-testid=stProgress]'), said = bar?.innerText;
        if (said && said !== window.progressSaid.at(-1)) window.progressSaid.push(said);
        const wanted = bar ? 'Stop' : 'Encode all', now = said ?? wanted;
        const lately = window.clicked === now && performance.now() - window.clickedAt < 3000;
        if (window.stopped || lately || (bar && !said.includes('Encoding images'))) return;
        const found = [...document.querySelectorAll('[data-testid=stMain] button')]
            .find((button) => button.innerText.includes(wanted));
        if (found) { window.clicked = now; window.clickedAt = performance.now(); found.click(); }
    };
    new MutationObserver(look).observe(document, {childList: true, subtree: true, characterData: true});
    setInterval(look, 500);""")
    stopped = page.get_by_role("button", name="Go on")
    for later in range(5):
        page.goto(f"{address}/Embedding_Sphere?scenes={SCENES}&sample={sample + 10 * later}")
        stopped.or_(page.locator(".os-front")).first.wait_for(timeout=LONG)
        if stopped.is_visible():
            break
    assert stopped.is_visible(), "no run was stopped before its end"
    page.evaluate("window.stopped = true")
    says(page, "Stopped, as asked.")
    assert page.locator(".orrery-error").count() == 0


def to_do(page) -> set[int]:
    """How many images a run set out to encode, as far as its progress was seen; a short run may end unseen."""
    said = "\n".join(page.evaluate("window.progressSaid"))
    return {int(n) for n in re.findall(r"Encoding images: \d+ of (\d+)", said)}


def test_stopped_work_goes_on_where_it_was(browser_page, address):
    page = browser_page
    encoding(page, address, 31)
    assert to_do(page) == {SCENES}
    page.evaluate("window.progressSaid = []")
    page.get_by_role("button", name="Go on").click()
    drawn(page, 2 * SCENES)
    assert SCENES not in to_do(page)
    no_traceback(page)


def test_what_is_finished_is_shown_and_the_rest_is_encoded_once(browser_page, address):
    page = browser_page
    encoding(page, address, 32)
    page.get_by_role("button", name="Show what is finished").click()
    says(page, "the finished part")
    drawn(page)
    finished = page.evaluate(f"{PROBE}.count()") // 2
    assert 0 < finished < SCENES
    page.evaluate("window.progressSaid = []")
    page.get_by_role("button", name="Take all").click()
    drawn(page, 2 * SCENES)
    assert all(n <= SCENES - finished for n in to_do(page))     # a batch in flight may have been kept since
    no_traceback(page)
