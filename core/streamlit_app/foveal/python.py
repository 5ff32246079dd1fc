"""What is looked at, as the few lines of core calls that make it; all sections begin with them."""

from __future__ import annotations

from core.attention.foveal.steering import ALPHAS
from core.attention.masks import Steering
from core.streamlit_app import state
from core.streamlit_app.data.python import as_code, dataset_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.foveal.data import OWN, FovealData
from core.streamlit_app.foveal.dials import as_code as steering_code
from core.streamlit_app.foveal.region import BOXES, OUTLINES
from core.streamlit_app.state import Settings


def looked_lines(settings: Settings, data: FovealData) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``tower``, ``image``, ``prompts`` and, where there is one, ``region``; a visitor's
    own files have made-up names in them."""
    imports = ["from core.attention.towers import ImageTower", "from core.encoding.models import load_model"]
    lines = [f"tower = ImageTower(load_model({settings.model_id!r}))"]
    if data.number == OWN:
        imports.append("from PIL import Image")
        lines.append('image = Image.open("picture.png").convert("RGB")')
    else:
        more, opening = dataset_lines(data.opened)
        imports += more
        lines += [*opening, f"image = dataset.images.decode({data.number})"]
    lines.append(f"prompts = {list(data.prompts)!r}")
    region = data.region
    if region is not None and region.mask is None:
        imports.append("from core.attention.regions import Box, Region")
        lines.append(f"region = Region(({', '.join(map(repr, region.boxes))},))")
    elif region is not None:
        imports.append("from core.attention.regions import Region")
        drawn = state.value_of(OUTLINES, "")
        if drawn and state.value_of("at", "") != "mask":
            imports.append("from core.attention.foveal.outlines import filled, read_boxes, read_outlines")
            lines.append(f"region = Region(mask=filled(read_outlines({drawn!r}), "
                         f"read_boxes({state.value_of(BOXES, '')!r}), *image.size))")
        else:
            imports += ["from core.attention.foveal.classifying import region_of",
                        "from core.sources.foveal.masks import open_regions_path"]
            lines.append('region = region_of(open_regions_path("mask.png").outline("mask.png", *image.size))')
    return imports, lines


def steer(settings: Settings, data: FovealData, steering: Steering, margin: float, target: int, *,
          odds: bool = False) -> str:
    """Lines that point at the region in every way, print the table and draw the figures."""
    imports, lines = _pointed(settings, data, steering, margin)
    imports += ["from core.attention.foveal.steering import ALPHAS, over_alpha, response",
                "from core.figures.foveal.methods import probabilities, table",
                "from core.figures.foveal.responses import responses"]
    alphas = "ALPHAS" if steering.alpha in ALPHAS else f"sorted({{*ALPHAS, {steering.alpha:g}}})"
    at = "" if steering.hard else f", at={steering.alpha:g}"
    return as_code(imports, [
        *lines, f"print(table(found, {target}))",
        f"probabilities(found, {target}{', odds=True' if odds else ''}).show()",
        f"curve = response(tower, over_alpha(tower, image, region, steering, {alphas}), {alphas}, prompts)",
        f"responses(curve, {target}{at}).show()"])


def where(settings: Settings, data: FovealData, ready: Ready, steering: Steering, margin: float, target: int,
          method: str) -> str:
    """Lines that draw where each way of pointing takes the picture."""
    imports, lines = _pointed(settings, data, steering, margin)
    imports += ["import numpy as np", "from core.encoding.embedding import embed_with",
                "from core.figures.foveal.where import where", "from core.figures.scenes.globe import sphere",
                "from core.geometry.directions import unit", "from core.geometry.maps.registry import fit_map"]
    if data.number == OWN:
        more, opening = dataset_lines(ready.opened)
        imports, lines = [*imports, *more], [*lines, *opening]
    vectors, texts, n = "embedded.images.vectors", "", "len(embedded.images)"
    if ready.texts is not None and len(ready.texts):
        vectors = f"np.concatenate([{vectors}, embedded.texts.vectors])"
        texts = f", texts=np.arange(len(vectors)) >= {n}"
    return as_code(imports, [
        *lines, f"embedded = embed_with({settings.model_id!r}, dataset)", f"vectors = {vectors}",
        f"fitted = fit_map(vectors, {method!r}{texts}, seed={settings.seed})",
        "methods_at = fitted.place(found.vectors, np.zeros(len(found.methods), dtype=bool))",
        "prompts_at = fitted.place(unit(tower.encoder.encode_texts(prompts)), np.ones(len(prompts), dtype=bool))",
        f"scene = where(found, methods_at, prompts_at, fitted.map.coords[:{n}], embedded.images.ids, target={target})",
        "sphere(scene).show()"])


def _pointed(settings: Settings, data: FovealData, steering: Steering, margin: float) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``found``, what each way of pointing at the region does."""
    imports, lines = looked_lines(settings, data)
    return [*imports, "from core.attention.foveal.places import places_of",
            "from core.attention.foveal.steering import effects, point_by_attention, point_by_pixels",
            "from core.attention.masks import Steering"], [
        *lines, f"steering = {steering_code(steering)}",
        f"regions = (region, *places_of(tower, image, region, seed={settings.seed}))",
        f"known = point_by_pixels(tower, image, regions, margin={margin:g})",
        "known |= point_by_attention(tower, image, regions, steering)", "found = effects(tower, known, prompts)"]


def look(settings: Settings, data: FovealData, steering: Steering, patch: tuple[int, int] | None) -> str:
    """Lines that print what the prompts get before and after, and draw what the mask changes in every head."""
    imports, lines = looked_lines(settings, data)
    masked = "" if data.region is None else ", region, steering"
    asked = "" if patch is None else f", patch={patch}"
    return as_code([*imports, "import numpy as np", "from core.attention.foveal.looking import attend",
                    "from core.attention.masks import Steering", "from core.figures.foveal.attention import mosaic"], [
        *lines, f"steering = {steering_code(steering)}", f"before = attend(tower, image{asked})",
        f"after = attend(tower, image{masked}{asked})", "vectors = np.stack([before.vector, after.vector])",
        "print(tower.encoder.probabilities(vectors, np.ones(2), prompts))",
        "change = (after.rows - before.rows) * np.prod(tower.grid)",
        'mosaic(change, "What the mask changes", change=True).show()'])


def heads(settings: Settings, data: FovealData, steering: Steering, world: str, head: tuple[int, int] | None) -> str:
    """Lines that measure heads on scenes of the world (``world`` makes them) or on the picture, and what one writes."""
    imports, lines = looked_lines(settings, data)
    if world or data.region is not None:
        imports += ["from core.attention.foveal.heads import head_gains, sensitivity",
                    "from core.attention.masks import Steering", "from core.figures.foveal import heads as figures"]
        lines.append(f"steering = {steering_code(steering)}")
        if world:
            imports += ["from core.attention.foveal.heads import views_told_apart",
                        "from core.attention.foveal.scenes import world_references"]
            lines.append(f"images, regions, directions = views_told_apart(tower, {world})")
        else:
            imports += ["import numpy as np", "from core.attention.foveal.captions import text_vectors"]
            lines += ["words = text_vectors(tower, prompts)", "images, regions = [image], [region]",
                      "directions = words[prompts[0]] - np.mean([words[t] for t in prompts[1:]], axis=0, "
                      "keepdims=True)"]
        lines.append("figures.gains(head_gains(tower, images, regions, directions, steering), tower.layers).show()")
        if data.tower.cls:
            lines.append("figures.sensitivity(sensitivity(tower, images, regions, \"foveal\", steering, "
                         f"seed={settings.seed})).show()")
    dataset = data.opened.dataset
    if head is not None and data.number != OWN and dataset is not None:
        imports += ["from core.attention.foveal.spans import contributions, text_spans",
                    "from core.figures.foveal import heads as figures", "from core.geometry.directions import unit"]
        texts = "prompts"
        if data.tower.encoder.known_words:
            imports.append("from core.language.world_evaluation import BARE")
            texts = "[text for values in BARE.values() for text in values.values()]"
        lines += [f"texts = {texts}",
                  f"pictures = [dataset.images.decode(i) for i in range({min(len(dataset.image_ids), 200)})]",
                  f"added = contributions(tower, pictures, [{head}]).heads[:, 0]",
                  "spans = text_spans(added, texts, unit(tower.encoder.encode_texts(texts)))",
                  f"figures.spans(spans, {head}).show()"]
    return as_code(imports, lines)
