"""The process that downloads one model of the hub: ``python -m core.encoding.fetch REPOSITORY REVISION CACHE``.

It prints JSON lines: first the plan (commit, bytes), at the end the folder, or an error in words.
"""

from __future__ import annotations

import json
import sys

SMALL = ("config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
         "vocab.json", "merges.txt", "vocab.txt", "spiece.model", "sentencepiece.bpe.model",
         "preprocessor_config.json", "processor_config.json", "open_clip_config.json")
WEIGHTS = ("model.safetensors", "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
           "pytorch_model.bin", "open_clip_pytorch_model.bin")


def wanted(files: dict[str, int]) -> list[str]:
    """The files to fetch of those that a repository has (name to bytes): the small ones, and one set of weights."""
    small = [name for name in SMALL if name in files]
    if "model.safetensors" not in files and "model.safetensors.index.json" in files:
        shards = [name for name in files if name.startswith("model-") and name.endswith(".safetensors")]
        return [*small, "model.safetensors.index.json", *shards]
    return small + [name for name in WEIGHTS if name in files][:1]


def fetch(repository: str, revision: str, cache: str) -> None:
    from huggingface_hub import HfApi, snapshot_download

    info = HfApi().model_info(repository, revision=revision, files_metadata=True)
    files = {file.rfilename: int(file.size or 0) for file in info.siblings or []}
    names = wanted(files)
    if not set(names) - set(SMALL):
        raise RuntimeError(f"no weights among its {len(files)} files")
    print(json.dumps({"commit": info.sha, "bytes": sum(files[name] for name in names)}), flush=True)
    folder = snapshot_download(repository, revision=info.sha, cache_dir=cache, allow_patterns=names)
    print(json.dumps({"folder": folder, "commit": info.sha}), flush=True)


def main(arguments: list[str]) -> int:
    try:
        fetch(*arguments)
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        print(json.dumps({"error": f"{type(error).__name__}: {reason}"}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
