"""Every map of the registry on the built-in world and on real features: fidelity and seconds, as one table.

    python tests/benchmarks/maps.py [--points 2000] [--umap-learn] [--reference FOLDER]
    python tests/benchmarks/maps.py --many 100000        what a PCA map of very many vectors costs, beside numpy's SVD

Seconds are those of a second run in one process, so that imports and compilation do not count; they depend on how busy
the machine is, so compare the rows of one table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from core.geometry.directions import unit  # noqa: E402
from core.geometry.maps.fidelity import measure  # noqa: E402
from core.geometry.maps.registry import MAPS, fit_map  # noqa: E402

Found = TypeVar("Found")
COLUMNS = ("spearman", "trustworthiness", "continuity", "knn_overlap")


def built_in_world(points: int) -> np.ndarray:
    """Images and texts of the built-in world, embedded by the built-in model."""
    from core.encoding.models import load_model
    from core.encoding.pipeline import embed
    from core.encoding.store import Store
    from core.sources.solids.world import open_world

    with tempfile.TemporaryDirectory() as folder:
        embedded = embed(open_world(points // 2), load_model("builtin"), Store(Path(folder)))
        assert embedded.images is not None
        assert embedded.texts is not None
        return np.concatenate([embedded.images.vectors, embedded.texts.vectors])


def data_sets(points: int, reference: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Name and unit vectors of each set."""
    yield "built-in world", built_in_world(points)
    for name in ("coco500_clip_vitb16_pairs", "lvis1203_text_clip_vitb32"):
        path = reference / "features" / f"{name}.npz"
        if path.is_file():
            data = np.load(path)
            yield name, unit(np.concatenate([data[k] for k in ("image", "text") if k in data]).astype(np.float32))
        else:
            print(f"(no {name}: reference data is not beside the project)")


def umap_learn(x: np.ndarray) -> np.ndarray:
    """The library's own layout with its haversine distance, to compare with."""
    import umap

    reducer = umap.UMAP(metric="cosine", output_metric="haversine", min_dist=0.05, random_state=0, n_jobs=1)
    a, b = reducer.fit_transform(x).T
    return unit(np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=1).astype(np.float64))


def timed(way: Callable[[], Found]) -> tuple[float, Found]:
    """Seconds, and what came of it."""
    begin = time.perf_counter()
    found = way()
    return time.perf_counter() - begin, found


def many(points: int, dim: int = 512) -> None:
    """From very many vectors to the bytes that the browser gets; seconds, and shares of those of numpy's SVD."""
    from core.figures.scenes.embedding import Points, embedding_scene
    from core.streamlit_app.live.packing import frame
    from core.streamlit_app.live.sphere_view import pack
    from core.types import EmbeddingSet, ModelSpec

    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, dim), dtype=np.float32)
    x = unit(0.8 * centres[rng.integers(0, 40, points)] + rng.standard_normal((points, dim), dtype=np.float32) + 0.3)
    ids, model = tuple(map(str, range(points))), ModelSpec("benchmark", "0", dim, "0")
    images = EmbeddingSet(x, np.ones(points), ids, "image", pd.DataFrame(index=range(points)), model)
    fit_map(x[:1000])
    svd, _ = timed(lambda: np.linalg.svd(x, full_matrices=False))
    mapping, fitted = timed(lambda: fit_map(x, with_fidelity=False))
    trust, _ = timed(lambda: measure(x, fitted.map.coords))
    drawing, payload = timed(lambda: frame(*pack(embedding_scene(Points(images, None), fitted.map))[:2]))
    for name, seconds in (("numpy's SVD", svd), ("map", mapping), ("fidelity", trust), ("drawing", drawing),
                          ("map, fidelity and drawing", mapping + trust + drawing)):
        print(f"{name:28}{seconds:8.2f} s{seconds / svd:8.3f} of the SVD", flush=True)
    print(f"{'payload':28}{len(payload) / points:8.1f} bytes a point, {points:,} points of {dim} dimensions")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--reference", type=Path, default=ROOT.parent / "shared" / "reference")
    parser.add_argument("--many", type=int, metavar="N", help="only what a PCA map of N made-up vectors costs")
    parser.add_argument("--umap-learn", action="store_true", help="also run the library's own haversine layout (slow)")
    arguments = parser.parse_args()
    if arguments.many:
        many(arguments.many)
        return
    print(f"{'data':28}{'map':14}{'n':>6}" + "".join(f"{c[:12]:>14}" for c in COLUMNS) + f"{'seconds':>10}")
    for name, x in data_sets(arguments.points, arguments.reference):
        ways = {m.key: partial(mapped, x, m.key) for m in MAPS.values() if not m.needs}
        if arguments.umap_learn:
            ways["umap-learn"] = partial(umap_learn, x)
        for method, way in ways.items():
            way()
            begin = time.perf_counter()
            coords = way()
            seconds = time.perf_counter() - begin
            found = measure(x, coords)
            cells = "".join(f"{found[c].value:14.3f}" for c in COLUMNS)
            print(f"{name:28}{method:14}{len(x):6}{cells}{seconds:10.2f}", flush=True)


def mapped(x: np.ndarray, method: str) -> np.ndarray:
    """Coordinates by one map of the registry."""
    return fit_map(x, method, with_fidelity=False).map.coords


if __name__ == "__main__":
    main()
