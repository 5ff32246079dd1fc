"""What the live sphere sends to the browser: little, and nothing twice."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pandas as pd

from core.geometry.directions import fibonacci
from core.scene import Cap, Colouring, SphereScene
from core.streamlit_app.live.packing import frame
from core.streamlit_app.live.sphere_view import LABELS_A_FILE, pack

N = 1000


def scene(n: int = N, **changes) -> SphereScene:
    given = {"coords": fibonacci(n), "kinds": np.repeat([0, 1], [n // 2, n - n // 2]),
             "labels": tuple(f"point {i}" for i in range(n)),
             "thumbnails": {i: bytes([i % 256]) * (i % 7 + 1) for i in range(0, n // 2, 3)}, "shown": (0, 3, 5),
             **changes}
    return SphereScene(**given)


def test_the_frame_holds_header_and_arrays_at_multiples_of_four():
    arrays = [np.arange(3, dtype=np.float32), np.arange(5, dtype=np.uint8), np.arange(2, dtype=np.uint32)]
    blob = frame({"a": "ö"}, arrays)
    (length,) = struct.unpack_from("<I", blob)
    assert json.loads(blob[4:4 + length]) == {"a": "ö"}
    at = 4 + length
    for array in arrays:
        assert at % 4 == 0
        np.testing.assert_array_equal(np.frombuffer(blob, array.dtype, len(array), at), array)
        at += array.nbytes + -array.nbytes % 4
    assert at == len(blob)


def test_a_hundred_thousand_paired_points_take_less_than_twenty_bytes_each():
    n = 100_000
    pairs = np.stack([np.arange(n // 2), np.arange(n // 2) + n // 2], axis=1)
    big = scene(n, pairs=pairs, thumbnails={}, selected=np.arange(n) % 2 == 0,
                colouring=Colouring("x", values=np.arange(n, dtype=float)))
    header, arrays, files = pack(big)
    urls = [f"/media/{'0' * 56}.bin"] * len(files["labels"])
    assert len(frame({**header, "urls": urls}, arrays)) < 20 * n


def test_labels_come_back_as_they_were_but_short():
    files = pack(scene(labels=("x" * 10_000, *(f"point {i}" for i in range(1, N)))))[2]
    labels = [text for blob in files["labels"] for text in json.loads(blob)]
    assert len(files["labels"]) == -(-N // LABELS_A_FILE)
    assert len(labels[0]) < 410
    assert labels[1:] == [f"point {i}" for i in range(1, N)]


def test_no_picture_is_looked_up_before_it_is_shown():
    class Watched(dict):
        def __getitem__(self, row):
            raise AssertionError(f"picture {row} was looked up")

    header, arrays, _ = pack(scene(thumbnails=Watched({0: b"", 3: b"", 6: b""})))
    assert header["shown"] == [0, 3]   # 5 has no picture
    np.testing.assert_array_equal(np.flatnonzero(arrays[2] & 64), [0, 3, 6])


def test_flags_tell_kind_and_selection():
    selected = np.arange(N) < 10
    flags = pack(scene(selected=selected))[1][2]
    np.testing.assert_array_equal(flags & 63, scene().kinds)
    np.testing.assert_array_equal(flags & 128 == 0, selected)


def test_packing_is_done_once_and_files_are_shared_by_scenes_that_select_other_points():
    one = scene()
    first = pack(one)
    assert pack(one)[0] is first[0]
    other = pack(replace(one, selected=np.arange(N) < 5, caps=(Cap(one.coords[0], 0.3),)))
    assert other[0]["fingerprint"] != first[0]["fingerprint"]
    assert other[2]["labels"] is first[2]["labels"]


def test_the_header_carries_colours_of_both_themes_and_is_json():
    header, _, _ = pack(scene(colouring=Colouring("group", groups=tuple(f"g{i % 3}" for i in range(N))),
                              heat=np.zeros((8, 16))))
    assert json.loads(json.dumps(header))["legend"]["names"] == ["g0", "g1", "g2"]
    assert len(header["themes"]["light"]["table"]) == len(header["themes"]["dark"]["table"]) == 9
    assert header["heat"]["columns"] == 16


def test_lines_and_heat_of_both_signs_travel_with_their_numbers():
    coords = scene().coords
    header, _, _ = pack(scene(lines=(coords[:3],), heat=np.zeros((8, 16)), heat_range=(-2.0, 2.0), heat_two_way=True))
    np.testing.assert_allclose(header["lines"], [coords[:3]], atol=1e-4)
    assert header["heat"]["range"] == [-2, 2] and header["heat"]["two_way"]
    assert header["themes"]["light"]["heat"] != pack(scene(heat=np.zeros((8, 16))))[0]["themes"]["light"]["heat"]


def test_a_hundred_thousand_vectors_travel_in_twenty_bytes_a_point():
    from core.figures.scenes.embedding import Points, embedding_scene
    from core.geometry.directions import unit
    from core.geometry.maps.registry import fit_map
    from core.types import EmbeddingSet, ModelSpec

    n, d = 100_000, 512
    rng = np.random.default_rng(0)
    x = unit(rng.standard_normal((n, d), dtype=np.float32) + 0.3)
    images = EmbeddingSet(x, np.ones(n), tuple(map(str, range(n))), "image", pd.DataFrame(index=range(n)),
                          ModelSpec("m", "0", d, "0"))
    payload = frame(*pack(embedding_scene(Points(images, None), fit_map(x).map))[:2])
    assert len(payload) < 20 * n


def test_the_legend_calls_the_others_what_they_are():
    some = np.arange(N) < 20
    for others in ("not selected", "fitted on"):
        legend = pack(scene(selected=some, others=others))[0]["legend"]
        assert (legend["others"], legend["unselected"]) == (others, N - 20)
