"""Loading by id, folder and built in, without any network; downloads from a hub that this test serves itself."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import settings as settings_module
from core.encoding import fetch, hub, models
from core.encoding.causal import download_language_model, load_language_model, located
from core.encoding.models import BUILTIN_FOLDER, content_revision, download, is_on_disk, load_model, untrained
from core.encoding.registry import FIRST_CHOICE_FOR_PHOTOS, MODELS, PHOTO
from core.errors import Cancelled, ModelError
from tests.encoding.made_language import save_small_gpt2, small_gpt2
from tests.encoding.made_models import (
    SENTENCES,
    pictures,
    save_small_clip,
    siglip_processor,
    siglip_tokenizer,
    small_clip,
)

COMMIT, OTHER = "a" * 40, "b" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of this test's own, and no other hub cache."""
    monkeypatch.setenv("ORRERY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "shared"))
    settings_module.settings.cache_clear()
    models._loaded.clear()
    yield tmp_path / "cache"
    monkeypatch.undo()
    settings_module.settings.cache_clear()


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_clip(tmp_path_factory.mktemp("model") / "small")


def test_the_registry() -> None:
    assert len(MODELS) >= 12
    assert next(iter(MODELS)) == "builtin"
    assert FIRST_CHOICE_FOR_PHOTOS == "openai/clip-vit-base-patch32"
    assert {"openai/clip-vit-base-patch32", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
            "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K"} <= set(MODELS)
    for key, entry in MODELS.items():
        assert key == entry.id
        assert entry.revision is None or hub.COMMIT.fullmatch(entry.revision)
        assert entry.dim > 0
        assert entry.size_mb > 0
        assert entry.title
        assert entry.training_data
        assert entry.licence
        if key not in ("builtin", PHOTO):
            assert hub.split_id(key) == (key, entry.revision)


def test_a_folder_gives_the_model_that_was_saved(small_folder: Path, cache: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert is_on_disk(str(small_folder))
    model, truth = load_model(str(small_folder), device="cpu"), small_clip()
    np.testing.assert_allclose(model.encode_texts(SENTENCES), truth.encode_texts(SENTENCES), atol=1e-6)
    np.testing.assert_allclose(model.encode_images(pictures(2)), truth.encode_images(pictures(2)), atol=1e-6)
    assert model.spec.id == "local/small"
    assert model.spec.revision == content_revision(small_folder)
    assert model.spec.dim == 24
    assert load_model(str(small_folder), device="cpu") is model
    assert model.unknown_words("zebra") == []


def test_the_built_in_model() -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    model = load_model("builtin", device="cpu", dtype="float32")
    theirs = AutoModel.from_pretrained(BUILTIN_FOLDER, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(BUILTIN_FOLDER)
    processor = AutoImageProcessor.from_pretrained(BUILTIN_FOLDER, backend="pil")
    size = model.image_size
    images = [*pictures(2, size=(size, size)), *pictures(2, size=(size + 40, size + 8))]
    texts = ["a red cube on a beach", "two green spheres", "a photo of a striped torus in the snow", "x"]
    with torch.no_grad():
        for image, row in zip(images, model.encode_images(images), strict=True):
            expected = theirs.get_image_features(**processor([image], return_tensors="pt")).pooler_output[0].numpy()
            np.testing.assert_allclose(row, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)
        for text, row in zip(texts, model.encode_texts(texts), strict=True):
            expected = theirs.get_text_features(**tokenizer([text], return_tensors="pt")).pooler_output[0].numpy()
            np.testing.assert_allclose(row, expected, atol=1e-5 * np.abs(expected).max(), rtol=0)
    assert (model.spec.id, model.spec.dim) == ("builtin", MODELS["builtin"].dim)
    assert model.logit_scale == pytest.approx(float(theirs.logit_scale.detach().exp()), rel=1e-6)
    assert "zebra" in model.unknown_words("a red cube and a zebra")
    assert "cube" not in model.unknown_words("a red cube and a zebra")


def test_a_change_of_any_file_changes_the_revision(small_folder: Path, tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(small_folder, folder)
    first = content_revision(folder)
    assert first == content_revision(small_folder)
    seen = {first}
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json", "config.json"):
        data = bytearray((folder / name).read_bytes())
        data[-1] ^= 1
        (folder / name).write_bytes(data)
        seen.add(content_revision(folder))
    assert len(seen) == 5
    (folder / "README.md").write_text("no part of the model")
    assert content_revision(folder) in seen


def test_an_untrained_model_has_the_shape_and_none_of_the_weights(small_folder: Path, cache: Path) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trained = load_model(str(small_folder), device="cpu")
    fresh, other = (untrained(str(small_folder), seed=seed, device="cpu") for seed in (0, 1))
    assert torch.equal(torch.rand(3), expected)
    shapes = [{name: tuple(value.shape) for name, value in m.model.named_parameters()} for m in (trained, fresh)]
    assert shapes[0] == shapes[1]
    assert len({m.spec.fingerprint for m in (trained, fresh, other)}) == 3
    assert fresh.spec.id == "local/small (untrained)"
    assert fresh.spec.revision == f"untrained-0-{trained.spec.revision}"
    assert fresh.spec.dim == trained.spec.dim
    found = [m.encode_texts(SENTENCES) for m in (trained, fresh, other)]
    assert min(np.abs(found[i] - found[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-3
    models._loaded.clear()
    again = untrained(str(small_folder), device="cpu")
    assert again.spec == fresh.spec
    np.testing.assert_array_equal(again.encode_texts(SENTENCES), found[1])
    np.testing.assert_array_equal(again.encode_images(pictures(2)), fresh.encode_images(pictures(2)))
    assert untrained("builtin", device="cpu").spec.dim == 64
    with pytest.raises(ModelError, match="no complete copy of it"):
        untrained("openai/clip-vit-base-patch32")


def test_words_beside_the_weights_are_known(small_folder: Path, tmp_path: Path, cache: Path) -> None:
    shutil.copytree(small_folder, tmp_path / "m")
    (tmp_path / "m" / "words.json").write_text(json.dumps(["a", "cube"]))
    assert load_model(str(tmp_path / "m"), device="cpu").unknown_words("a cube, a cat") == ["cat"]


def test_only_the_models_used_last_stay_loaded(small_folder: Path, tmp_path: Path, cache: Path) -> None:
    for name in "abc":
        shutil.copytree(small_folder, tmp_path / name)
    a = load_model(str(tmp_path / "a"), device="cpu")
    load_model(str(tmp_path / "b"), device="cpu")
    assert load_model(str(tmp_path / "a"), device="cpu") is a
    load_model(str(tmp_path / "c"), device="cpu")
    assert len(models._loaded) == models.MOST_LOADED
    assert load_model(str(tmp_path / "a"), device="cpu") is a
    assert load_model(str(tmp_path / "a"), device="cpu", dtype="bfloat16") is not a


def test_settings_name_device_and_numbers(small_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_DEVICE", "cpu")
    monkeypatch.setenv("ORRERY_DTYPE", "bfloat16")
    settings_module.settings.cache_clear()
    model = load_model(str(small_folder))
    assert (model.device, model.dtype) == ("cpu", "bfloat16")
    assert model.spec.preprocessing.endswith("-bfloat16")


def test_a_public_server_answers_every_id_that_it_does_not_offer_alike_without_a_look(
        small_folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    monkeypatch.setenv("ORRERY_MODELS", "org/named, org/pinned@" + 40 * "a")
    settings_module.settings.cache_clear()
    assert not is_on_disk("org/named") and not is_on_disk("org/pinned@" + 40 * "a")
    looks: list[object] = []
    for what, name in ((Path, "expanduser"), (Path, "stat"), (Path, "is_dir")):
        monkeypatch.setattr(what, name, lambda *a, **k: looks.append(a))
    answers = set()
    for model_id in (str(small_folder), "./x", "~/x", "core/../../../../etc", "core/../../../../nosuch", "~root",
                     "~nosuchuser", "n" * 300, "org/" + "n" * 300, "org/other", "org/named@" + 40 * "a", "a\0b", "."):
        for ask in (is_on_disk, load_model, download):
            with pytest.raises(ModelError) as e:
                ask(model_id)
            answers.add(str(e.value).replace(repr(model_id[:80]), "it"))
    assert looks == []
    assert len(answers) == 1
    assert "a model that this server offers (builtin, photo, openai/" in answers.pop()


def test_ids_that_no_disk_can_hold_are_refused_in_words(cache: Path) -> None:
    for model_id in ("~nosuchuser", "n" * 300, "org/" + "n" * 300, "a\0b"):
        with pytest.raises(ModelError, match=r"a model of the registry, org/name or org/name@commit"):
            is_on_disk(model_id)


def test_ids_that_name_nothing(cache: Path, tmp_path: Path, small_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"a model of the registry, org/name .*; got 'nonsense'. The registry"):
        load_model("nonsense")
    with pytest.raises(ModelError, match="a revision as a commit of 40 hexadecimal digits; got 'main'"):
        load_model("openai/clip-vit-base-patch32@main")
    assert not is_on_disk("openai/clip-vit-base-patch32")
    with pytest.raises(ModelError, match=r"patch32 on this machine; .*Download it first \(\d+ MB\)"):
        load_model("openai/clip-vit-base-patch32")
    with pytest.raises(ModelError, match=r"org/unknown on this machine; got no complete copy of it. Download it"):
        load_model("org/unknown")
    with pytest.raises(ModelError, match=r"a folder with config.json, .* at '/nowhere/at/all'; got no such folder"):
        load_model("/nowhere/at/all")
    shutil.copytree(small_folder, tmp_path / "half")
    (tmp_path / "half" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"got a folder with config.json, preprocessor_config.json, tokenizer.json"):
        load_model(str(tmp_path / "half"))


def test_damaged_foreign_and_partial_models_are_refused(small_folder: Path, tmp_path: Path, cache: Path) -> None:
    from safetensors.torch import load_file, save_file

    def copy(name: str) -> Path:
        return Path(shutil.copytree(small_folder, tmp_path / name))

    cut = copy("cut")
    data = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(data[:len(data) // 2])
    with pytest.raises(ModelError, match="a model that transformers can load as local/cut; got SafetensorError"):
        load_model(str(cut), device="cpu")
    partial = copy("partial")
    state = load_file(partial / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, partial / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="every part of local/partial; got none for 1 parts, the first visual"):
        load_model(str(partial), device="cpu")
    foreign = copy("foreign")
    config = json.loads((foreign / "config.json").read_text())
    (foreign / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(ModelError, match=r"one of the families clip, .*; got local/foreign of family 'bert'"):
        load_model(str(foreign), device="cpu")
    remote = copy("remote")
    (remote / "config.json").write_text(json.dumps({**config, "model_type": "evil",
                                                    "auto_map": {"AutoConfig": "evil.Config"}}))
    (remote / "evil.py").write_text("raise SystemExit('code of a repository was run')")
    with pytest.raises(ModelError, match="a model that transformers can load as local/remote"):
        load_model(str(remote), device="cpu")


@pytest.mark.parametrize("index", ['{"metadata": {}, "weight_map": {"a": "mod', "[]", "{}", "\0",
                                   '{"weight_map": {"a": 3}}'])
def test_a_damaged_index_of_weights_is_no_model(small_folder: Path, tmp_path: Path, cache: Path, index: str) -> None:
    folder = Path(shutil.copytree(small_folder, tmp_path / "cut"))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(index)
    assert not is_on_disk(str(folder))
    with pytest.raises(ModelError, match=r"got a folder whose model.safetensors.index.json is damaged or cut off"):
        load_model(str(folder), device="cpu")


def test_a_processor_that_does_not_fit_its_tower_is_refused(small_folder: Path, tmp_path: Path, cache: Path) -> None:
    for name, change, said in (
            ("larger", {"size": {"shortest_edge": 48}, "crop_size": {"height": 48, "width": 48}},
             "gives 32 x 32 pixels, as the image tower of local/larger reads; got one that gives 48 x 48"),
            ("means", {"size": {"shortest_edge": 40}, "image_mean": [0.5]}, "an image processor that works; got ")):
        folder = Path(shutil.copytree(small_folder, tmp_path / name))
        file = folder / "preprocessor_config.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
        with pytest.raises(ModelError, match=said):
            load_model(str(folder), device="cpu")


def test_a_torchvision_of_another_torch_is_survived_with_one_message(small_folder: Path, tmp_path: Path) -> None:
    package, told = tmp_path / "site" / "torchvision", tmp_path / "site" / "torchvision-0.30.0.dist-info"
    package.mkdir(parents=True)
    told.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.30.0\n")
    program = ("from core.encoding.models import load_model; from PIL import Image; import sys\n"
               "for _ in range(2):\n"
               "    print(load_model(sys.argv[1], device='cpu').encode_images([Image.new('RGB', (40, 40))]).shape)")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[2])]),
           "ORRERY_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", program, str(small_folder)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == ["(1, 24)"] * 2
    assert done.stderr.count("The torchvision that is installed does not fit torch") == 1
    assert "operator torchvision::nms does not exist" in done.stderr


@pytest.mark.parametrize("declared", ["SiglipTokenizer", "GemmaTokenizer"])
def test_siglip_texts_are_cleaned_as_in_training(tmp_path: Path, cache: Path, declared: str) -> None:
    from transformers import SiglipConfig, SiglipModel

    tiny = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = SiglipConfig(vision_config={**tiny, "image_size": 32, "patch_size": 8},
                          text_config={**tiny, "vocab_size": 200, "bos_token_id": 0, "eos_token_id": 1,
                                       "pad_token_id": 0})
    folder = tmp_path / "siglip"
    SiglipModel(config).save_pretrained(folder)
    siglip_tokenizer().save_pretrained(folder)
    siglip_processor().save_pretrained(folder)
    told = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**told, "tokenizer_class": declared,
                                                              "padding_side": "left"}))
    model = load_model(str(folder), device="cpu")
    plain = model.encode_texts(["a red cube"])
    np.testing.assert_allclose(model.encode_texts(["A RED Cube"]), plain, atol=1e-6)
    with_point = model.encode_texts(["a red,  cube?"])
    assert (np.abs(with_point - plain).max() < 1e-6) == (declared == "SiglipTokenizer")
    assert model.context_length == 64
    ids = siglip_tokenizer()("a red cube", padding="max_length")["input_ids"]
    import torch

    with torch.no_grad():
        expected = model.model.get_text_features(input_ids=torch.tensor([ids])).pooler_output.numpy()
    np.testing.assert_allclose(plain, expected, atol=1e-6)
    assert np.array_equal(model.truncated([" ".join("a" * 63), " ".join("a" * 64)]), [False, True])


def test_which_files_are_fetched() -> None:
    files = {"README.md": 1, "config.json": 1, "tokenizer.json": 1, "preprocessor_config.json": 1,
             "flax_model.msgpack": 9, "pytorch_model.bin": 9, "onnx/model.onnx": 9, "tf_model.h5": 9}
    small = ["config.json", "tokenizer.json", "preprocessor_config.json"]
    assert fetch.wanted(files) == [*small, "pytorch_model.bin"]
    assert fetch.wanted({**files, "model.safetensors": 9, "open_clip_model.safetensors": 9}) == [*small,
                                                                                                 "model.safetensors"]
    shards = {"model.safetensors.index.json": 1, "model-00001-of-00002.safetensors": 5,
              "model-00002-of-00002.safetensors": 5}
    assert fetch.wanted({**files, **shards}) == [*small, *shards]
    assert fetch.wanted({"open_clip_pytorch_model.bin": 9, "open_clip_config.json": 1}) == [
        "open_clip_config.json", "open_clip_pytorch_model.bin"]


class Hub:
    """A hub on this machine: repositories of files, each at one commit; slow where told to be."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.commits: dict[str, str] = {}
        self.asked: list[str] = []
        self.pause = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, body: bool) -> None:
                outer.asked.append(self.path)
                info = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^?]+)(\?.*)?", self.path)
                tree = re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^?/]+)(\?.*)?", self.path)
                file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path)
                found = (info or tree or file)
                files = outer.repositories.get(found[1]) if found else None
                if files is None or (file and file[3] not in files):
                    self.send_response(404)
                    self.send_header("X-Error-Code", "EntryNotFound" if files else "RepoNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                commit = outer.commits[found[1]]
                headers = {"X-Repo-Commit": commit}
                if info:
                    data = json.dumps({"id": found[1], "sha": commit, "siblings": [
                        {"rfilename": name, "size": len(content)} for name, content in files.items()]}).encode()
                elif tree:
                    data = json.dumps([{"type": "file", "path": name, "size": len(content),
                                        "oid": hashlib.sha1(content).hexdigest()}
                                       for name, content in files.items()]).encode()
                else:
                    data = files[file[3]]
                    headers["ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
                self.send_response(200)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if body:
                    step = 1 << 16
                    for start in range(0, len(data), step):
                        self.wfile.write(data[start:start + step])
                        if outer.pause and file and file[3] == "model.safetensors":
                            self.wfile.flush()
                            time.sleep(outer.pause)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, repository: str, commit: str, folder: Path) -> None:
        self.repositories[repository] = {f.name: f.read_bytes() for f in folder.iterdir()}
        self.commits[repository] = commit


@pytest.fixture
def served(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    server = Hub()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_a_download_is_pinned_loaded_and_not_repeated(served: Hub, small_folder: Path, cache: Path) -> None:
    served.add("org/small", COMMIT, small_folder)
    told: list[tuple[float, str]] = []
    folder = download("org/small", on_progress=lambda fraction, text: told.append((fraction, text)))
    assert hub.is_complete(folder)
    assert folder.is_relative_to(cache)
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1] == (1.0, "org/small is ready")
    assert hub.pinned("org/small") == COMMIT
    assert is_on_disk("org/small")
    assert is_on_disk(f"org/small@{COMMIT}")
    assert not is_on_disk(f"org/small@{OTHER}")
    served.commits["org/small"] = OTHER
    asked = len(served.asked)
    assert download("org/small") == folder
    model = load_model("org/small", device="cpu")
    assert len(served.asked) == asked
    assert (model.spec.id, model.spec.revision) == ("org/small", COMMIT)
    np.testing.assert_allclose(model.encode_texts(SENTENCES), small_clip().encode_texts(SENTENCES), atol=1e-6)


def test_a_download_in_a_torch_file_is_converted(served: Hub, small_folder: Path, tmp_path: Path, cache: Path) -> None:
    import torch
    from safetensors.torch import load_file

    source = Path(shutil.copytree(small_folder, tmp_path / "torch"))
    torch.save(load_file(source / "model.safetensors"), source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    served.add("org/torch", COMMIT, source)
    folder = download("org/torch")
    assert folder == hub.converted_folder("org/torch", COMMIT)
    assert is_on_disk("org/torch")
    np.testing.assert_allclose(load_model("org/torch", device="cpu").encode_texts(SENTENCES),
                               small_clip().encode_texts(SENTENCES), atol=1e-6)


def test_a_language_model_comes_by_the_same_door_and_only_as_safetensors(served: Hub, tmp_path: Path, cache: Path
                                                                         ) -> None:
    import torch

    source = save_small_gpt2(tmp_path / "gpt2")
    served.add("org/gpt2", COMMIT, source)
    folder = download_language_model("org/gpt2")
    assert folder.is_relative_to(cache) and hub.pinned("org/gpt2") == COMMIT
    assert located("org/gpt2") == (folder, COMMIT) and download_language_model("org/gpt2") == folder
    assert load_language_model("org/gpt2").revision == COMMIT
    torch.save(small_gpt2().state_dict(), source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    served.add("org/pickled", OTHER, source)
    with pytest.raises(ModelError, match="other formats can run code"):
        download_language_model("org/pickled")


def test_a_download_can_be_stopped_and_gone_on_with(served: Hub, small_folder: Path, cache: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    served.add("org/slow", COMMIT, small_folder)
    served.pause = 0.5
    monkeypatch.setattr(hub, "POLL_SECONDS", 0.05)
    told: list[str] = []
    with pytest.raises(Cancelled, match="part of the download"):
        download("org/slow", on_progress=lambda fraction, text: told.append(text),
                 should_stop=lambda: any(text.startswith("Downloading") for text in told))
    assert not is_on_disk("org/slow")
    assert re.match(r"Downloading org/slow: \d+ of \d+ MB", told[-1])
    served.pause = 0
    assert hub.is_complete(download("org/slow"))


def test_downloads_that_cannot_be(served: Hub, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"org/none from the Hugging Face hub; got RepositoryNotFoundError"):
        download("org/none")
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text("{}")
    served.add("org/bare", COMMIT, tmp_path / "bare")
    with pytest.raises(ModelError, match="no weights among its 1 files"):
        download("org/bare")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"org/none from the Hugging Face hub; got .*Check the network and the id"):
        download("org/none")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="OfflineModeIsEnabled"):
        download("org/none")


def test_a_download_whose_process_dies(served: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.sys, "executable", shutil.which("false"))
    with pytest.raises(ModelError, match="org/none from the Hugging Face hub; got the download ended with code 1"):
        download("org/none")
