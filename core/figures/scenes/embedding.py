"""A sphere scene of embeddings: images, texts and prompts on one map, with means, caps and the gap between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from core.errors import ShapeError
from core.geometry import directions as s2
from core.geometry.maps.chance import MOST_POINTS
from core.scene import Arc, Cap, Colouring, Mark, SphereScene
from core.types import EmbeddingSet, SphereMap

PICTURES_ON_SPHERE = 60
MOST_ARCS = 400
_NAMES = {"image": "images", "text": "texts"}
FIDELITY = {"spearman": "Spearman of cosines", "knn_overlap": "10-NN overlap", "trustworthiness": "trustworthiness",
             "continuity": "continuity", "variance": "variance share"}
PARTS = {"images": "among images", "texts": "among texts", "across": "between images and texts"}


@dataclass(frozen=True, eq=False)
class Points:
    """What a scene shows: images, then texts, then prompts, one row each.

    Attributes
    ----------
    images, texts : sets of unit vectors, None where there are none.
    captions : what each text says.
    links : (m, 2) rows (row of images, row of texts).
    prompts, prompt_vectors : what a user typed, and its (p, d) unit vectors.
    prompt_images : how many of the prompts, the last ones, are images instead.
    gap : whether how far images and texts lie apart means anything; not where texts are rows of a classifier.
    """

    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    captions: Sequence[str] = ()
    links: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    prompts: Sequence[str] = ()
    prompt_vectors: np.ndarray | None = None
    prompt_images: int = 0
    gap: bool = True

    def __post_init__(self) -> None:
        if self.images is None and self.texts is None:
            raise ShapeError("images or texts to show", "neither", "Open something with readable items.")
        if self.texts is not None and len(self.captions) != len(self.texts):
            raise ShapeError(f"{len(self.texts)} captions, one for each text", str(len(self.captions)))
        if len(self.prompts) != (0 if self.prompt_vectors is None else len(self.prompt_vectors)):
            raise ShapeError("a vector for each prompt", f"{len(self.prompts)} prompts")

    @property
    def n_images(self) -> int:
        return 0 if self.images is None else len(self.images)

    @property
    def n_texts(self) -> int:
        return 0 if self.texts is None else len(self.texts)

    def __len__(self) -> int:
        return self.n_images + self.n_texts + len(self.prompts)

    def is_prompt_image(self, row: int) -> bool:
        """Whether a point is an image that a user searches with."""
        return row >= len(self) - self.prompt_images

    def kinds(self) -> np.ndarray:
        """(n,) uint8, index into POINT_KINDS."""
        return np.repeat(np.arange(3, dtype=np.uint8), (self.n_images, self.n_texts, len(self.prompts)))

    def vectors(self) -> np.ndarray:
        """(n, d) float32 of all points."""
        parts = [part.vectors for part in (self.images, self.texts) if part is not None]
        return np.concatenate([*parts, *([] if self.prompt_vectors is None else [self.prompt_vectors])])

    def vector(self, row: int) -> np.ndarray:
        """(d,) float32 of one point."""
        for part in (self.images, self.texts):
            if part is not None and row < len(part):
                return part.vectors[row]
            row -= 0 if part is None else len(part)
        assert self.prompt_vectors is not None
        return self.prompt_vectors[row]

    def pairs(self) -> np.ndarray:
        """(m, 2) points that belong together."""
        return self.links + np.array([0, self.n_images])

    def labels(self) -> tuple[str, ...]:
        """What each point says when one hovers over it."""
        names: list[str] = []
        if self.images is not None:
            names += self.images.ids
            if "label" in self.images.table:
                names = [f"{name}\n{label}" for name, label in zip(names, self.images.table["label"])]
        return (*names, *map(str, self.captions), *(f"Prompt: {prompt}" for prompt in self.prompts))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a point: id, modality, text, norm of the raw vector, and the columns of both tables."""
        frames = []
        for part, captions in ((self.images, None), (self.texts, self.captions)):
            if part is None:
                continue
            own = pd.DataFrame({"id": part.ids, "modality": part.modality, "norm": part.norms})
            if captions is not None:
                own.insert(2, "text", list(captions))
            extra = part.table[[c for c in part.table.columns if str(c) not in own.columns]]
            frames.append(pd.concat([own, extra.reset_index(drop=True)], axis=1))
        if self.prompts:
            frames.append(pd.DataFrame({"id": [f"prompt {i + 1}" for i in range(len(self.prompts))],
                                        "modality": "prompt", "text": list(self.prompts)}))
        table = pd.concat(frames, ignore_index=True)
        if "text" in table:
            table.insert(2, "text", table.pop("text").fillna(""))
        return table


def embedding_scene(points: Points, sphere_map: SphereMap, prompt_coords: np.ndarray | None = None, *,
                    colouring: Colouring | None = None, pictures: Mapping[int, bytes] | None = None,
                    on_sphere: int = PICTURES_ON_SPHERE, arcs: bool = False, means: bool = True,
                    note: str = "", seed: int = 0) -> SphereScene:
    """The scene of some points on a map.

    Parameters
    ----------
    points
        What to show; the map was made of its images and texts, in their order.
    sphere_map
        Where they lie.
    prompt_coords
        (p, 3) places of the prompts on that map.
    colouring
        By modality when None.
    pictures
        Encoded small pictures by point; none is looked up here, so that they may be made when they are needed.
    on_sphere
        How many of them are put on the sphere, spread evenly over it.
    arcs
        Join pairs by great circles (at most 400, seeded).
    means
        Show the mean of each modality, the cap that holds half of it, and the gap where there is one.
    note
        Added below the fidelity of the map.
    seed
        Of the sample of pairs.
    """
    coords = sphere_map.coords
    if len(coords) != points.n_images + points.n_texts:
        raise ShapeError(f"a map of {points.n_images + points.n_texts} points", str(len(coords)))
    overlays = _means(points, coords) if means else ((), (), ())
    if prompt_coords is not None and len(prompt_coords):
        coords = np.concatenate([coords, prompt_coords])
    pictures = pictures or {}
    pairs = points.pairs() if arcs else np.zeros((0, 2), dtype=np.int64)
    n_pairs = len(pairs)
    if n_pairs > MOST_ARCS:
        pairs = pairs[np.sort(np.random.default_rng(seed).permutation(n_pairs)[:MOST_ARCS])]
        note = f"{note} Arcs: {MOST_ARCS:,} of {n_pairs:,} pairs, a seeded sample.".strip()
    marks = tuple(Mark(coords[i], _short(points.prompts[i - len(sphere_map.coords)]), "prompt")
                  for i in range(len(sphere_map.coords), len(coords)))
    return SphereScene(
        coords=coords, kinds=points.kinds(), labels=points.labels(),
        title=headline(points), note=" ".join(part for part in (fidelity_in_words(sphere_map), note) if part),
        colouring=colouring, pairs=pairs, caps=overlays[0], arcs=overlays[1], marks=(*overlays[2], *marks),
        thumbnails=pictures,
        shown=_spread(sphere_map.coords, [i for i in pictures if i < points.n_images], on_sphere))


def headline(points: Points) -> str:
    """What one sees, in a sentence: how far the modalities lie apart, where that means anything."""
    if points.images is None or points.texts is None or not points.n_images or not points.n_texts:
        part = points.images or points.texts
        assert part is not None
        return f"{len(part):,} {_NAMES[part.modality]}"
    counted = f"{points.n_images:,} images and {points.n_texts:,} texts"
    if not points.gap:
        return counted
    a, b = (part.vectors.mean(axis=0, dtype=np.float64) for part in (points.images, points.texts))
    apart = np.degrees(float(s2.angle(_direction(a), _direction(b))))
    return f"{counted}; their means lie {apart:.0f}° apart"


def fidelity_in_words(sphere_map: SphereMap) -> str:
    """How far a map can be trusted, beside chance; of images, texts and both the lowest; and what it does not show."""
    found, said, below, apart = sphere_map.fidelity, [], [], False
    chance = "by chance at most" if len(sphere_map.coords) > MOST_POINTS else "by chance"
    for name, title in FIDELITY.items():
        parts = [(found[f"{name}_{part}"], f" {words}") for part, words in PARTS.items() if f"{name}_{part}" in found]
        apart |= bool(parts)
        if not parts and name not in found:
            continue
        parts = parts or [(found[name], "")]
        below += [f"{title}{words}" for part, words in parts if part.null is not None and part.value <= part.null]
        number, words = min(parts, key=lambda part: part[0].value)
        said.append(f"{title} {number.value:.2f}{words}"
                    + ("" if number.null is None else f", {chance} {number.null:.2f}"))
    lowest = " Of images, texts and both together, the lowest is given." if apart else ""
    unseen = f" No better than chance: {', '.join(below)}." if below else ""
    return "; ".join(said) + (f".{lowest}{unseen}" if said else "")


def fidelity_titles(found: Iterable[str]) -> dict[str, str]:
    """What a user reads for each name in a map's fidelity: one that is measured in parts says in which."""
    titles = dict(FIDELITY)
    for name, title in FIDELITY.items():
        titles |= {f"{name}_{part}": f"{title}, {words}" for part, words in PARTS.items()}
    names = set(found)
    titles |= {name: f"{title}, all pairs" for name, title in FIDELITY.items() if f"{name}_images" in names}
    return {name: titles[name] for name in sorted(names, key=list(titles).index)}


def _means(points: Points, coords: np.ndarray) -> tuple[tuple[Cap, ...], tuple[Arc, ...], tuple[Mark, ...]]:
    caps, marks, directions = [], [], []
    start = 0
    for part in (points.images, points.texts):
        if part is None or not len(part):
            continue
        own = coords[start:start + len(part)]
        start += len(part)
        mean, true_mean = own.mean(axis=0, dtype=np.float64), part.vectors.mean(axis=0, dtype=np.float64)
        if min(np.linalg.norm(mean), np.linalg.norm(true_mean)) < 1e-6:
            continue
        centre, true_centre = _direction(mean), _direction(true_mean)
        radius = float(np.median(s2.angle(own, centre)))
        true = np.degrees(np.median(s2.angles(part.vectors, true_centre[None])))
        name = _NAMES[part.modality]
        caps.append(Cap(centre, radius, f"half of the {name}: {np.degrees(radius):.0f}° on the map, {true:.0f}° true",
                        part.modality))
        marks.append(Mark(centre, f"mean of the {name}", part.modality))
        directions.append((centre, true_centre))
    arcs = []
    if points.gap and len(directions) == 2:
        (a, true_a), (b, true_b) = directions
        on_map, true = (np.degrees(float(s2.angle(p, q))) for p, q in ((a, b), (true_a, true_b)))
        arcs.append(Arc(a, b, f"gap: {on_map:.0f}° on the map, {true:.0f}° true"))
    return tuple(caps), tuple(arcs), tuple(marks)


def _direction(mean: np.ndarray) -> np.ndarray:
    return mean / max(float(np.linalg.norm(mean)), 1e-12)


def _spread(coords: np.ndarray, candidates: Sequence[int], n: int) -> tuple[int, ...]:
    """At most n of the candidates, far from each other: each next one is farthest from those taken."""
    if len(candidates) <= n or n < 1:
        return tuple(candidates[:max(n, 0)])
    rows = np.asarray(candidates)
    places = coords[rows].astype(np.float64)
    taken = [0]
    nearest = places @ places[0]
    while len(taken) < n:
        nxt = int(nearest.argmin())
        taken.append(nxt)
        nearest = np.maximum(nearest, places @ places[nxt])
    return tuple(int(rows[i]) for i in taken)


def _short(text: str, longest: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[:longest - 1].rstrip() + "…"
