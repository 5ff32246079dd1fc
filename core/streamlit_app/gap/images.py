"""Models compared on the images alone, an ImageNet classifier beside CLIPs: agreement, and zero-shot accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.encoding.registry import MODELS, misfit
from core.figures.gap import models as figures
from core.geometry.comparison import COMPARISONS, linear_cka, neighbour_overlap
from core.language.zero_shot import zero_shot_accuracy
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.classes import TEMPLATE, class_columns, labels_as_classes, labels_of
from core.streamlit_app.data.other_models import images_by, title_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.types import EmbeddingSet, Number, fingerprint

WHY_NO_GAP = (
    "The photo model is an ImageNet classifier, not a CLIP. Its texts are the rows of its last layer, and these are "
    "defined only up to a vector that all of them share: any number could be had for a gap by choosing that vector. So "
    "no gap is measured here. What can be compared with a CLIP is what it sees in images, and how often it is right.")
_LEAST = 13
_NONE = "none"


@dataclass(frozen=True)
class Seen:
    """The images by one model, row by row the same for all."""

    model: str
    name: str
    images: EmbeddingSet


def show(settings: Settings, ready: Ready) -> None:
    """The models chosen, how far they agree about the images, and how often each is right."""
    from core.encoding.models import is_on_disk

    assert ready.images is not None
    ids = [name for name in MODELS if name == settings.model_id or is_on_disk(name)]
    ids = list(dict.fromkeys([settings.model_id, *ids]))
    titles = {name: title_of(name) for name in ids}
    if ready.opened.dataset is None:
        panels.notice("Vectors made elsewhere: only their own model has seen these images.")
        return
    in_world = ready.opened.built_in or ready.opened.in_world
    fitting = [name for name in ids[1:] if not misfit(name, built_in_world=in_world)]
    chosen = state.pick_several("Models", titles, key="image_models", default=(ids[0], *(fitting or ids[1:])[:1]),
                                most=6, help="Models on this machine. Others come here by the sidebar.")
    for odd in dict.fromkeys(misfit(name, built_in_world=in_world) for name in chosen if name != settings.model_id):
        if odd:
            panels.notice(odd, "warning", one_line=True)
    seen = [Seen(name, titles[name], images_by(name, settings, ready)) for name in chosen]
    if len(seen) < 2:
        panels.notice("Choose at least two models to compare.")
        return
    _show_agreement(seen, settings.seed)
    _show_accuracy(seen, ready)


def _show_agreement(seen: Sequence[Seen], seed: int) -> None:
    n = min(len(one.images) for one in seen)
    if n < _LEAST:
        panels.notice(f"{n} images: too few for agreement, which needs {_LEAST}.")
        return

    def compare(on_progress: work.Progress, should_stop: work.Stop) -> dict[tuple[int, int], tuple[Number, Number]]:
        pairs, found = list(combinations(range(len(seen)), 2)), {}
        for done, (i, j) in enumerate(pairs):
            on_progress(done / len(pairs), f"{seen[i].name} and {seen[j].name}")
            a, b = seen[i].images.vectors, seen[j].images.vectors
            found[i, j] = linear_cka(a, b), neighbour_overlap(a, b, seed=seed)
        return found

    key = fingerprint("gap.images.agreement", [one.images.fingerprint for one in seen], seed)
    agreed: dict[tuple[int, int], tuple[Number, Number]] = work.result_of(key, compare)
    names = [one.name for one in seen]
    cka, overlap = ([[Number(1.0) if i == j else agreed[min(i, j), max(i, j)][which] for j in range(len(seen))]
                     for i in range(len(seen))] for which in (0, 1))
    ui.show(figures.agreement(names, cka, overlap, dark=ui.dark()), key="gap.images",
            how_to_read=" ".join(f"{c.title}: {c.explanation}" for c in COMPARISONS.values()),
            table=lambda: figures.agreement_table(names, cka, overlap))
    panels.wrapped_table(panels.numbers_table(
        {f"{names[i]} and {names[j]}: {c.title}": number for (i, j), pair in agreed.items()
         for c, number in zip(COMPARISONS.values(), pair)}))


def _show_accuracy(seen: Sequence[Seen], ready: Ready) -> None:
    """Zero-shot accuracy by a column of labels, each model by its own logits, on the classes that all of them know."""
    columns = class_columns(ready)
    if not columns:
        panels.notice("No column of labels: folders as labels, or a table with one, would show how often each model is "
                      "right.")
        return
    options = {_NONE: "none"} | {column: column for column in columns}
    column = state.pick_option("Classes for zero-shot", options, key="image_classes",
                               default="label" if "label" in columns else _NONE)
    if column == _NONE:
        return
    names, truth = labels_as_classes(labels_of(ready, column))
    prompts = [TEMPLATE.format(name) for name in names]
    unread: dict[int, str] = {}
    for one in seen:
        unread |= cached.encoder(one.model).unread(prompts)
    kept = [i for i in range(len(names)) if i not in unread]
    if unread:
        left_out = ", ".join(names[i] for i in sorted(unread)[:6])
        panels.notice(f"{len(unread):,} of {len(names):,} classes have no name that the photo model knows and are left "
                      f"out with their images: {left_out}.")
    place = {old: new for new, old in enumerate(kept)}
    truth = np.array([place.get(int(t), -1) for t in truth])
    if len(kept) < 2:
        panels.notice("Fewer than two classes are left to tell apart.")
        return
    table = {one.name: {"zero_shot": zero_shot_accuracy(cached.encoder(one.model), one.images,
                                                        [prompts[i] for i in kept], truth)} for one in seen}
    titles = {"zero_shot": f"zero-shot accuracy by {column}"}
    ui.show(figures.models_compared(table, titles=titles, dark=ui.dark()), key="gap.images.accuracy",
            how_to_read=f"Each model by its own scores, with the prompt “{TEMPLATE.format('label')}”; a point with its "
                        f"95 % interval, a short bar what chance would give.",
            table=lambda: figures.models_compared_table(table))
