"""The two caps on the sphere, as they are and after both modalities were moved, on one and the same map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.figures.scenes.embedding import Points, embedding_scene
from core.geometry.maps import chance, fidelity
from core.geometry.maps.linear import fit_pca
from core.geometry.maps.registry import FittedMap, fit_map
from core.geometry.pairs import Pairs
from core.scene import SphereScene
from core.streamlit_app import cached, work
from core.streamlit_app.gap.data import GapData
from core.types import SphereMap, fingerprint

MAP = "pca"
_QUICK = 400


def fitted(data: GapData, seed: int) -> FittedMap:
    """The uncentred PCA of images and texts together, as they are; made once."""
    vectors, texts = data.ready.vectors, data.ready.are_texts

    def fit(on_progress: work.Progress, should_stop: work.Stop) -> FittedMap:
        on_progress(0.1, "Placing images and texts on the sphere")
        return fit_map(vectors, MAP, texts=texts, seed=seed, on_progress=on_progress, should_stop=should_stop)

    found: FittedMap = work.result_of(fingerprint("map", data.ready.key, MAP, seed, None), fit)
    return found


def untouched_scene(data: GapData, placed: FittedMap, *, arcs: bool) -> SphereScene:
    """Images, texts, their caps and the gap, as they are."""
    key = fingerprint("gap scene", data.ready.key, data.ready.opened.key, placed.map.fingerprint, arcs)
    return cached.scene(key, lambda: embedding_scene(
        _points(data), placed.map, pictures=data.ready.pictures, on_sphere=0, arcs=arcs,
        note="Map: PCA, uncentred, of all images and texts."))


def moved_scene(data: GapData, placed: FittedMap, moved: Pairs, what: tuple[object, ...], words: str, *,
                arcs: bool) -> SphereScene:
    """The same after a move, on the map of the untouched vectors.

    Parameters
    ----------
    moved : the pairs after it.
    what : no other move has it; for the cache.
    words : what was done, for the line below the sphere.
    """
    before = untouched_scene(data, placed, arcs=arcs)
    key = fingerprint("gap scene", data.ready.key, data.ready.opened.key, placed.map.fingerprint, arcs, *what)
    return cached.scene(key, lambda: _moved(data, placed, moved, before, words, arcs=arcs))


def _points(data: GapData) -> Points:
    ready = data.ready
    return Points(ready.images, ready.texts, ready.captions, ready.links)


def _moved(data: GapData, placed: FittedMap, moved: Pairs, before: SphereScene, words: str, *,
           arcs: bool) -> SphereScene:
    points = _points(data)
    assert points.images is not None and points.texts is not None
    after = replace(points, images=replace(points.images, vectors=moved.images),
                    texts=replace(points.texts, vectors=moved.texts))
    vectors = after.vectors()
    coords = placed.place(vectors)
    some, texts = np.random.default_rng(0).permutation(len(vectors))[:_QUICK], data.ready.are_texts
    trust = fidelity.measure(vectors[some], coords[some], texts[some])
    nulls = chance.of_moved_points(lambda x, _: fit_pca(x), data.ready.vectors, vectors, texts, most=_QUICK)
    there = SphereMap(coords, placed.map.method, placed.map.seed, placed.map.parameters,
                      {name: replace(number, null=nulls.get(name)) for name, number in trust.items()
                       if name.startswith("spearman")})
    scene = embedding_scene(after, there, pictures=data.ready.pictures, on_sphere=0, arcs=arcs,
                            note=f"{words} Placed on the map of the untouched vectors.")
    return replace(scene, labels=before.labels, thumbnails=before.thumbnails)
