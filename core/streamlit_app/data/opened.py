"""What a visitor has opened, in this visit alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.sources.vectors.opening import VectorSource
    from core.types import Dataset, Refusal


@dataclass(frozen=True)
class Opened:
    """A dataset to embed, or vectors made elsewhere.

    Attributes
    ----------
    name : what the visitor calls it.
    key : no other opening of other content has it.
    dataset, vectors : one of them.
    source : key of `core.streamlit_app.data.choose.SOURCES`; the built-in world is "world".
    files : what a visitor uploaded, by name; empty where nothing was.
    in_world : whether all of its images are of the built-in world, though it is no sample of its scenes.
    python : imports and lines that make the dataset, where its source is not enough to tell.
    """

    name: str
    key: str
    dataset: Dataset | None = None
    vectors: VectorSource | None = None
    source: str = "world"
    files: str = ""
    in_world: bool = False
    python: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def built_in(self) -> bool:
        return self.source == "world"

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """What could not be read when it was opened."""
        found = self.dataset or self.vectors
        return () if found is None else found.refused

    @property
    def left_out(self) -> tuple[Refusal, ...]:
        """What lay there too and is not used."""
        found = self.dataset or self.vectors
        return () if found is None else found.left_out

    @property
    def notices(self) -> tuple[str, ...]:
        """What had to be guessed."""
        found = self.dataset or self.vectors
        return () if found is None else found.notices


def counts(opened: Opened) -> str:
    """How much there is, in words."""
    if opened.dataset is not None:
        sizes = len(opened.dataset.image_ids), len(opened.dataset.text_ids)
    else:
        assert opened.vectors is not None
        sizes = len(opened.vectors.images or ()), len(opened.vectors.texts or ())
    parts = zip(sizes, ("image", "text"))
    words = [f"{n:,} {noun}{'' if n == 1 else 's'}" for n, noun in parts if n]
    return " and ".join(words) or "nothing"
