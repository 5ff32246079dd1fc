"""Visual prompts: ways of pointing at a region, by the attention or by the pixels, and the vectors that they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.attention.masks import FOVEAL, Steering
from core.attention.regions import Box, Region
from core.attention.towers import ImageTower
from core.errors import Cancelled, check_choice

STEERED = {"foveal": FOVEAL, "hard_mask": Steering(hard=True), "unleash": Steering(unleash=1)}
EDITED = ("crop", "blur", "grey", "red_ellipse", "red_box")
METHODS = ("none", *STEERED, *EDITED)
TITLES = {"none": "no prompt", "foveal": "foveal mask", "hard_mask": "hard mask", "unleash": "foveal, unleashed",
          "crop": "crop", "blur": "blur outside", "grey": "grey outside", "red_ellipse": "red ellipse",
          "red_box": "red box"}
MARGIN = 0.2          # of a crop, of the box's sides; chosen where the mask was (core.attention.foveal.sweep)
BLUR = 100 / 224      # deviation, of the picture's shorter side
GREY = (128, 128, 128)
RED = (255, 0, 0)
BATCH = 64
MOST_PIXELS = 50_000_000   # of pictures that are held at once, together


def edited(image: Image.Image, region: Region, method: str, *, margin: float = MARGIN) -> Image.Image:
    """A picture with a region pointed at.

    Parameters
    ----------
    image : upright, RGB.
    region : of the picture; shapes are drawn about each box, and a mask has the box that holds it.
    method : one of EDITED: "crop" cuts all but the box that holds the region away; "blur" and "grey" change what is
        outside the region; "red_ellipse" and "red_box" draw lines about it.
    margin : what a crop keeps around, of the sides of the box.

    Raises
    ------
    ChoiceError
        If the method is none of EDITED.
    ShapeError
        If a box is out of the picture or has no area.

    References
    ----------
    Shtedritski et al. 2023, red circles, arXiv:2304.06712; Subramanian et al. 2022, ReCLIP (crop and blur),
    arXiv:2204.05991.
    """
    check_choice("method", method, EDITED)
    width, height = image.size
    boxes = boxes_of(region, width, height)
    if method == "crop":
        left, top = min(b.left for b in boxes), min(b.top for b in boxes)
        right, bottom = max(b.right for b in boxes), max(b.bottom for b in boxes)
        across, down = margin * (right - left), margin * (bottom - top)
        cut = (int(max(left - across, 0)), int(max(top - down, 0)),
               int(np.ceil(min(right + across, width))), int(np.ceil(min(bottom + down, height))))
        return image.crop(cut)
    if method in ("blur", "grey"):
        inside = Image.fromarray(mask_of(region, width, height))
        outside = (Image.new("RGB", image.size, GREY) if method == "grey" else
                   image.filter(ImageFilter.GaussianBlur(BLUR * min(width, height))))
        return Image.composite(image, outside, inside)
    out = image.copy()
    pen = ImageDraw.Draw(out)
    line = max(1, round(min(width, height) / 64))
    draw = pen.ellipse if method == "red_ellipse" else pen.rectangle
    for box in boxes:
        draw((box.left, box.top, max(box.right - 1, box.left), max(box.bottom - 1, box.top)), outline=RED, width=line)
    return out


def boxes_of(region: Region, width: int, height: int) -> tuple[Box, ...]:
    """The boxes of a region within the picture; of a mask the one that holds it."""
    if region.mask is None:
        return tuple(box.within(width, height) for box in region.boxes)
    rows, columns = np.nonzero(region.mask)
    return (Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1),)


def mask_of(region: Region, width: int, height: int) -> np.ndarray:
    """(height, width) bool, the pixels of a region."""
    if region.mask is not None:
        return region.mask
    out = np.zeros((height, width), dtype=bool)
    for box in boxes_of(region, width, height):
        out[int(box.top):int(np.ceil(box.bottom)), int(box.left):int(np.ceil(box.right))] = True
    return out


def at_once(image: Image.Image) -> int:
    """How many pictures of its size are held at once, at most a batch: large ones would fill the memory."""
    return min(BATCH, max(1, MOST_PIXELS // (image.width * image.height)))


def encode_prompted(tower: ImageTower, images: Sequence[Image.Image], regions: Sequence[Region], method: str,
                    steering: Steering | None = None, *, margin: float = MARGIN,
                    on_progress: Callable[[float, str], None] | None = None,
                    should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    """Raw vectors of pictures, each with its region pointed at, in batches.

    Parameters
    ----------
    tower : whose vectors.
    images, regions : n pictures, upright and RGB, and what each is to look at.
    method : one of METHODS; "none" takes no notice of the regions.
    steering : of the methods that steer, in place of their own in STEERED.
    margin : of "crop".
    on_progress : called with the finished fraction and a text.
    should_stop : asked between batches; a request to stop raises Cancelled.

    Returns
    -------
    (n, d) float32.

    Raises
    ------
    ChoiceError, ShapeError
        As `edited` and `core.attention.regions.shares`.
    """
    check_choice("method", method, METHODS)
    out = []
    batch = min((at_once(image) for image in images), default=BATCH) if method in EDITED else BATCH
    for start in range(0, len(images), batch):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{start:,} of {len(images):,} pictures")
        if on_progress is not None:
            on_progress(start / len(images), f"Looking at picture {start + 1:,} of {len(images):,}")
        some, where = images[start:start + batch], regions[start:start + batch]
        if method in EDITED:
            some = [edited(image, region, method, margin=margin) for image, region in zip(some, where, strict=True)]
        different = {id(image): image for image in some}      # a picture looked at often is preprocessed once
        places = {key: i for i, key in enumerate(different)}
        pixels = tower.encoder.preprocess(list(different.values()))[[places[id(image)] for image in some]]
        if method in STEERED:
            asked = steering or STEERED[method]
            out.append(tower.encode(pixels, tower.bias(some, where, asked), asked))
        else:
            out.append(tower.encode(pixels))
    return np.concatenate(out) if out else np.empty((0, tower.encoder.spec.dim), dtype=np.float32)
