"""What every section of the page looks at: a picture, a region of it, prompts, and the image tower."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from core.attention.regions import Region, Seen
from core.attention.towers import ImageTower
from core.sources.solids.scene import Scene
from core.streamlit_app.data.opened import Opened
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

OWN = -1


@dataclass(frozen=True, eq=False)
class Looked:
    """A picture.

    Attributes
    ----------
    number : its row among the images of what is open; OWN where a visitor brought it to this page.
    name : its id, or the name of its file.
    image : upright, RGB.
    content : no other picture has it.
    scene : what the built-in world drew it of; None for any other picture.
    """

    number: int
    name: str
    image: Image
    content: str
    scene: Scene | None = None


@dataclass(frozen=True, eq=False)
class FovealData:
    """What is looked at.

    Attributes
    ----------
    opened : what is open on all pages.
    tower : the image tower of the model in use.
    looked : the picture, with its name and scene.
    region : of the picture; None while none is drawn.
    prompts : what the picture is compared with, at least one.
    """

    opened: Opened
    tower: ImageTower
    looked: Looked
    region: Region | None
    prompts: tuple[str, ...]

    @property
    def number(self) -> int:
        """Row of the picture among the images of what is open; OWN where it is a visitor's, brought to this page."""
        return self.looked.number

    @property
    def image(self) -> Image:
        """The picture, upright and RGB."""
        return self.looked.image

    @property
    def seen(self) -> Seen:
        """Left, top, right, bottom of what the preprocessing leaves of the picture, in its pixels."""
        return self.tower.seen(self.image.size)

    @cached_property
    def of_the_picture(self) -> str:
        """Of the model and the picture."""
        encoder = self.tower.encoder
        return fingerprint("foveal", encoder.spec.fingerprint, encoder.dtype, self.looked.content)

    @cached_property
    def key(self) -> str:
        """Of the model, the picture and the region."""
        region = None if self.region is None else (
            [(box.left, box.top, box.right, box.bottom) for box in self.region.boxes]
            if self.region.mask is None else fingerprint(self.region.mask))
        return fingerprint(self.of_the_picture, region)
