"""The same images through other models: which are at hand, and their vectors, encoded once as long work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.encoding.registry import MODELS, PHOTO
from core.errors import ShapeError
from core.streamlit_app import cached, state, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.types import Dataset, EmbeddingSet, fingerprint

UNTRAINED = "untrained:"
MOST = 6


def title_of(model: str) -> str:
    """What a model is called for users; "untrained:" before an id is that model with random weights."""
    name = model.removeprefix(UNTRAINED)
    title = "Built-in" if name == "builtin" else MODELS[name].title if name in MODELS else name.rsplit("/", 1)[-1]
    return f"{title}, untrained" if model.startswith(UNTRAINED) else title


def pick_models(settings: Settings, first: Sequence[str], more: Mapping[str, str], *, key: str,
                photos: bool = False) -> tuple[str, ...]:
    """Some of the models on this machine, and each of them with random weights.

    Parameters
    ----------
    first : chosen at first.
    more : value -> title of what else there is to choose.
    photos : whether the photo model, whose texts are not CLIP's, is among them.
    """
    from core.encoding.models import is_on_disk

    here = (name for name in MODELS if (photos or name != PHOTO) and is_on_disk(name))
    ids = dict.fromkeys([settings.model_id, *here])
    options = dict(more) | {name: title_of(name) for name in ids}
    options |= {UNTRAINED + name: title_of(UNTRAINED + name) for name in ids if name != PHOTO}
    return state.pick_several("Models", options, key=key, default=first, most=MOST,
                              help="Models on this machine, and each of them with random weights. Others come here by "
                                   "the sidebar.")


def images_by(model: str, settings: Settings, ready: Ready) -> EmbeddingSet:
    """The images that are shown, by a model; row by row the same.

    Raises
    ------
    ShapeError
        If the model cannot encode one of them.
    OrreryError
        If it cannot be loaded.
    """
    from core.sources.sampling import take

    own, dataset = ready.images, ready.opened.dataset
    assert own is not None and dataset is not None
    if model == settings.model_id:
        return own
    place = {name: i for i, name in enumerate(dataset.image_ids)}
    part: Dataset = take(dataset, [place[name] for name in own.ids], [])
    store = cached.store()

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> EmbeddingSet:
        from core.encoding.models import untrained
        from core.encoding.pipeline import embed

        on_progress(0.0, "Loading the model")
        fresh = model.startswith(UNTRAINED)
        encoder = untrained(model.removeprefix(UNTRAINED)) if fresh else cached.encoder(model)
        found = embed(part, encoder, store, on_progress=on_progress, should_stop=should_stop).images
        if found is None or found.ids != own.ids:
            raise ShapeError("the same items by both models", "some that this one could not encode",
                             "Remove what cannot be read, and open the data again.")
        return found

    done: EmbeddingSet = work.result_of(fingerprint("images", model, ready.key, ready.opened.key), encode)
    return done
