"""The models that the app offers, each with a pinned revision, its size, what it was trained on and its licence.

A revision is the 40-hex commit of the model's repository on the Hugging Face hub. Where an entry has none, the branch
"main" is resolved to its commit when the model is downloaded, written down beside the downloads, and used from then on.
Any other hub id of the same families, "id@revision" or a local folder can be loaded too (`core.encoding.models`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry.

    Attributes
    ----------
    id : hub id, "builtin", or "photo".
    revision : 40-hex commit, or None where it is resolved and pinned at download.
    title : what a menu shows.
    family : kind of dual encoder (CLIP, SigLIP, ...).
    dim : dimension of the shared space.
    size_mb : size of the download in MB (10^6 bytes), rounded.
    training_data, licence, note : for the user.
    """

    id: str
    revision: str | None
    title: str
    family: str
    dim: int
    size_mb: int
    training_data: str
    licence: str
    note: str = ""


PHOTO = "photo"
_ENTRIES = (
    ModelEntry("builtin", None, "Built-in (small, solids)", "CLIP", 64, 3,
               "Orrery's own rendered world of solids", "MIT",
               "Nothing to download. Knows solids, colours, textures, styles and settings, and nothing else."),
    ModelEntry(PHOTO, None, "Photo model (ImageNet)", "ImageNet classifier", 1280, 19,
               "ImageNet-1k, 1.28 million photos of 1,000 classes (EfficientNet-Lite0)", "Apache-2.0",
               "Not a CLIP: image vectors from photos; its texts are 1,000 class names and the nouns above them. "
               "Nothing to download."),
    ModelEntry("openai/clip-vit-base-patch32", "c237dc49a33fc61debc9276459120b7eac67e7ef", "CLIP ViT-B/32 (OpenAI)",
               "CLIP", 512, 609, "WIT, 400 million pairs from the web (OpenAI, not published)", "MIT",
               "The first choice for real photos: quick, and the one most papers measure."),
    ModelEntry("openai/clip-vit-base-patch16", "57c216476eefef5ab752ec549e440a49ae4ae5f3", "CLIP ViT-B/16 (OpenAI)",
               "CLIP", 512, 603, "WIT, 400 million pairs from the web (OpenAI, not published)", "MIT",
               "Sees finer detail than B/32 at about four times its cost."),
    ModelEntry("openai/clip-vit-large-patch14", "32bd64288804d66eefd0ccbe215aa642df71cc41", "CLIP ViT-L/14 (OpenAI)",
               "CLIP", 768, 1715, "WIT, 400 million pairs from the web (OpenAI, not published)", "MIT",
               "The strongest of OpenAI's at 224 px; wants a GPU."),
    ModelEntry("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "1a25a446712ba5ee05982a381eed697ef9b435cf",
               "CLIP ViT-B/32 (LAION-2B)", "CLIP", 512, 609, "LAION-2B, 2 billion English pairs, 34 billion seen",
               "MIT", "The architecture of OpenAI's B/32 with other data."),
    ModelEntry("laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "f0e2ffa09cbadab3db6a261ec1ec56407ce42912",
               "CLIP ViT-B/32 (DataComp)", "CLIP", 512, 609, "DataComp-1B, 1.4 billion filtered pairs, 13 billion seen",
               "MIT", "The architecture of OpenAI's B/32 with filtered data."),
    ModelEntry("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "7288da5a0d6f0b51c4a2b27c624837a9236d0112",
               "CLIP ViT-B/16 (LAION-2B)", "CLIP", 512, 602, "LAION-2B, 2 billion English pairs, 34 billion seen",
               "MIT"),
    ModelEntry("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", "1627032197142fbe2a7cfec626f4ced3ae60d07a",
               "CLIP ViT-L/14 (LAION-2B)", "CLIP", 768, 1715, "LAION-2B, 2 billion English pairs, 32 billion seen",
               "MIT"),
    ModelEntry("google/siglip-base-patch16-224", "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed", "SigLIP B/16", "SigLIP",
               768, 816, "WebLI, English pairs (Google, not published)", "Apache-2.0",
               "Trained with a sigmoid loss: its scores are probabilities of single pairs."),
    ModelEntry("google/siglip2-base-patch16-224", "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2", "SigLIP 2 B/16", "SigLIP",
               768, 1540, "WebLI, many languages (Google, not published)", "Apache-2.0",
               "Understands many languages."),
    ModelEntry("OFA-Sys/chinese-clip-vit-base-patch16", "36e679e65c2a2fead755ae21162091293ad37834",
               "Chinese-CLIP ViT-B/16", "Chinese-CLIP", 512, 753, "200 million Chinese pairs", "Apache-2.0",
               "Chinese captions."),
    ModelEntry("BAAI/AltCLIP", None, "AltCLIP", "AltCLIP", 768, 3460,
               "OpenAI's ViT-L/14 with a text tower taught in English and Chinese", "CreativeML Open RAIL-M",
               "English and Chinese captions."),
    ModelEntry("patrickjohncyh/fashion-clip", "7e3ba62ce16b379a1ab479346b66f192e76f51b7", "FashionCLIP", "CLIP", 512,
               605, "OpenAI's B/32 refined on 800,000 fashion products", "MIT",
               "What narrow training does to a space."),
)

BUILTIN = "builtin"
MODELS: dict[str, ModelEntry] = {entry.id: entry for entry in _ENTRIES}
FIRST_CHOICE_FOR_PHOTOS = "openai/clip-vit-base-patch32"


def has_gap(model_id: str) -> bool:
    """Whether how far its texts lie from its images means anything: rows of a classifier are defined only up to a
    vector that all of them share, so that any distance could be had."""
    return model_id != PHOTO


def misfit(model_id: str, *, built_in_world: bool) -> str:
    """Why a model measures nothing on what it is shown, in a sentence; "" where nothing says so.

    Parameters
    ----------
    model_id
        As `load_model` takes it.
    built_in_world
        Whether what is shown is the built-in world, else a visitor's own.
    """
    if model_id == BUILTIN and not built_in_world:
        return ("The built-in model has only ever seen rendered solids: your items get places, but what is measured on "
                "them means nothing.")
    if model_id == PHOTO and built_in_world:
        return ("The photo model has only ever seen photos: rendered solids get places, but what is measured on them "
                "means nothing.")
    return ""
