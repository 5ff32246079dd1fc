"""A and B as they are compared: vectors of one modality, what both hold, and which items belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.geometry.jackknife import clusters
from core.geometry.quality.shared import Shared, shared_items
from core.streamlit_app import panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import restricted
from core.streamlit_app.quality.data import QualityData, data_of
from core.streamlit_app.quality.second import Two
from core.streamlit_app.state import Settings
from core.types import Modality, Selection, fingerprint

OF: dict[str, str] = {"image": "Images", "text": "Texts"}
LONG_NAME = 16
LEAST = 20


@dataclass(frozen=True, eq=False)
class Sides:
    """A and B as they are compared.

    Attributes
    ----------
    two : what they are.
    a, b : as items with labels.
    of : modality that is compared.
    """

    two: Two
    a: QualityData
    b: QualityData
    of: Modality

    @property
    def data(self) -> tuple[QualityData, QualityData]:
        return self.a, self.b

    @property
    def short(self) -> tuple[str, str]:
        """What A and B are called in figures: by these letters where a name is long."""
        return self.two.names if max(map(len, self.two.names)) <= LONG_NAME else ("A", "B")

    @cached_property
    def vectors(self) -> tuple[np.ndarray, np.ndarray]:
        """(n_a, d) and (n_b, d) float32, unit rows."""
        found = [side.looked.items.images if self.of == "image" else side.looked.items.texts for side in self.data]
        assert found[0] is not None and found[1] is not None
        return found[0], found[1]

    @cached_property
    def key(self) -> str:
        return fingerprint("sides", self.a.key, self.b.key, self.of)

    @cached_property
    def shared(self) -> Shared:
        """What both hold: images of one content, or without pictures of one id and vector; texts that say the same."""
        return shared_items(*(self.names_of(side) for side in self.data))

    def names_of(self, side: QualityData) -> Sequence[str]:
        """What tells whether an item is the same as another: its content, else its id and vector, or its words."""
        looked = side.looked
        if self.of == "text":
            return looked.captions
        if "contents" not in looked.memory:
            x = looked.items.images
            looked.memory["contents"] = looked.hashes or [fingerprint(name, v) for name, v in zip(
                looked.image_ids, x if x is not None else ())]
        return looked.memory["contents"]  # type: ignore[return-value]

    @cached_property
    def together(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Groups of items that belong together: of one content, or texts of one image; None where each is its own."""
        names = [self.names_of(side) for side in self.data]
        place: dict[str, int] = {}
        own = [np.array([place.setdefault(name, len(place)) for name in part], dtype=np.int64) for part in names]
        if self.of == "text":
            own = [clusters([d.looked.items.n_images, d.looked.items.n_texts], d.looked.items.links)[1]
                   for d in self.data]
            own[1] = own[1] + (own[0].max(initial=-1) + 1)
        both = np.concatenate(own)
        return None if len(np.unique(both)) == len(both) else (own[0], own[1])


def sides_of(settings: Settings, data: QualityData, two: Two) -> Sides | None:
    """A and B by the modality that the visitor chooses; None, and a word, where they have none in common."""
    a, b = (data_of(settings, ready, data.label) for ready in (two.a, two.b))
    here = [of for of in OF if all(_count(ready, of) for ready in (two.a, two.b))]
    if not here:
        panels.notice("There are no images in both, and no texts in both: nothing can be compared.")
        return None
    of = state.pick_option("Compare", {of: OF[of] for of in here}, key="compared", widget="segments") \
        if len(here) > 1 else here[0]
    return Sides(two, a, b, "image" if of == "image" else "text")


def without_shared(settings: Settings, data: QualityData, sides: Sides) -> Sides | None:
    """A and B without what both hold; None where fewer than 20 are left of one."""
    names = [sides.names_of(side) for side in sides.data]
    parts = []
    for side, own, others in zip(sides.data, names, (set(names[1]), set(names[0]))):
        ids = tuple(item for item, name in zip(side.ids(sides.of), own) if name not in others)
        if len(ids) < LEAST:
            return None
        chosen = Selection(side.ready.selection, ids if sides.of == "image" else (),
                           () if sides.of == "image" else ids, "")
        parts.append(restricted(side.ready, chosen))
    two = replace(sides.two, a=parts[0], b=parts[1])
    a, b = (data_of(settings, ready, data.label) for ready in parts)
    return Sides(two, a, b, sides.of)


def _count(ready: Ready, of: str) -> int:
    part = ready.images if of == "image" else ready.texts
    return 0 if part is None else len(part)


