"""What every section of the page looks at: views as vectors, with what each shows and where it looks from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from core.encoding.registry import PHOTO
from core.geometry.objects.views import ObjectViews
from core.streamlit_app import cached, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.objects.bring import Objects
from core.streamlit_app.objects.looks import Rendering
from core.streamlit_app.state import Settings


@dataclass(frozen=True, eq=False)
class ObjectsData:
    """Views of objects by one model.

    Attributes
    ----------
    objects : what was brought.
    ready : the views as vectors, rows as in ``views``.
    views : which object, camera and style each row shows.
    rendering : cameras and looks; None for photos, of which nobody knows where they look from.
    """

    objects: Objects
    ready: Ready
    views: ObjectViews
    rendering: Rendering | None

    @cached_property
    def directions(self) -> np.ndarray:
        """(n, 3) unit rows, y up, where each row looks from."""
        assert self.rendering is not None
        return self.rendering.directions[self.views.views]

    @property
    def key(self) -> str:
        return self.ready.key

    def rows(self, number: int, style: int | None = None) -> np.ndarray:
        """Rows of an object, in a style or in all."""
        of = self.views.objects == number
        return np.flatnonzero(of if style is None else of & (self.views.styles == style))


def data_of(objects: Objects, ready: Ready, rendering: Rendering | None) -> ObjectsData:
    """The views that could be encoded."""
    assert ready.images is not None
    table = ready.images.table
    if rendering is None:
        named = table["label"].astype(str) if "label" in table else pd.Series([objects.name] * len(table))
        names = tuple(dict.fromkeys(named))
        views = ObjectViews(ready.images.vectors, named.map(names.index).to_numpy(np.int64),
                            named.groupby(named).cumcount().to_numpy(np.int64), np.zeros(len(table), np.int64), names)
        return ObjectsData(objects, ready, views, None)
    names, styles = (tuple(dict.fromkeys(table[column])) for column in ("object", "style"))
    views = ObjectViews(ready.images.vectors, table["object"].map(names.index).to_numpy(np.int64),
                        table["view"].to_numpy(np.int64), table["style"].map(styles.index).to_numpy(np.int64), names,
                        styles)
    return ObjectsData(objects, ready, views, rendering)


def pick_object(data: ObjectsData, *, key: str = "object", label: str = "Object") -> int:
    """One of the objects."""
    names = data.views.names
    return names.index(state.pick_option(label, {name: name for name in names}, key=key))


def pick_style(data: ObjectsData, *, key: str = "style", label: str = "Style") -> int:
    """One of the styles; no widget where there is one."""
    names = data.views.style_names
    return names.index(state.pick_option(label, {name: name for name in names}, key=key)) if len(names) > 1 else 0


def takes_prompts(settings: Settings) -> bool:
    """Whether cosines to texts mean anything by the model of the page; by the photo model, they do not."""
    return settings.model_id != PHOTO


def prompts_of(settings: Settings, data: ObjectsData) -> tuple[str, ...]:
    """One prompt for each object, which a visitor can write anew; none where the model takes no prompts.

    The names that files have seldom say what is seen.
    """
    if not takes_prompts(settings):
        return ()
    with st.popover("Prompts", icon=":material/edit:"):
        written = []
        for name in data.views.names:
            plain = name.split(" ", 1)[1] if data.objects.are_solids and " " in name else name
            words = " ".join(plain.replace("_", " ").replace("-", " ").split())
            written.append(state.pick_text(f"Prompt for {name}", key=f"says {name}", default=f"a photo of a {words}"))
    return tuple(text.strip() or name for text, name in zip(written, data.views.names))


def vectors_of(settings: Settings, texts: Sequence[str]) -> np.ndarray:
    """(t, d) float32 unit rows of texts by the model of the page."""
    encoder = cached.encoder(settings.model_id)
    return cached.prompt_vectors(encoder.spec.fingerprint, tuple(texts), settings.model_id)
