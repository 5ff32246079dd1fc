"""Shots by the pictures alone, as PySceneDetect finds them: what shots told from the path are held against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import ShapeError, check_choice

if TYPE_CHECKING:
    from scenedetect.detector import SceneDetector

SHORTEST_SCENE = 4


@dataclass(frozen=True)
class Detector:
    """How a detector of PySceneDetect is called, and what it goes by."""

    title: str
    explanation: str


DETECTORS: Mapping[str, Detector] = {
    "content": Detector("PySceneDetect Content", "change of hue, saturation and brightness from frame to frame"),
    "adaptive": Detector("PySceneDetect Adaptive", "that change over its mean in the two frames before and after"),
    "hash": Detector("PySceneDetect Hash", "change of a perceptual hash from frame to frame"),
}


def detected_starts(frames: Iterable[np.ndarray], fps: float, *, keys: Iterable[str] = tuple(DETECTORS),
                    shortest: int = SHORTEST_SCENE) -> dict[str, np.ndarray]:
    """Frames at which shots begin, by detectors of PySceneDetect at their own thresholds.

    Parameters
    ----------
    frames
        (h, w, 3) uint8, red, green, blue, all of one size, in order; each is looked at once, by all detectors.
    fps
        Frames per second, above 0.
    keys
        Of DETECTORS.
    shortest
        Frames of the shortest shot that is found, at least 1. PySceneDetect's own 15 finds no cut in shots shorter
        than that.

    Returns
    -------
    By key, (s,) int64, rising, 0 first.

    Raises
    ------
    ShapeError, ChoiceError
        If a parameter is out of range.

    References
    ----------
    PySceneDetect 0.7, https://www.scenedetect.com.
    """
    from scenedetect import FrameTimecode

    if not fps > 0 or shortest < 1:
        raise ShapeError("frames per second above 0, and a shortest shot of 1 frame or more", f"{fps} and {shortest}")
    found: dict[str, set[int]] = {}
    running = {}
    for key in keys:
        check_choice("detector", key, DETECTORS)
        found[key], running[key] = {0}, _detector(key, shortest)
    last = None
    for i, frame in enumerate(frames):
        last = FrameTimecode(i, fps)
        picture = np.ascontiguousarray(frame[:, :, ::-1])
        for key, detector in running.items():
            found[key] |= {cut.frame_num for cut in detector.process_frame(last, picture)}
    if last is not None:
        for key, detector in running.items():
            found[key] |= {cut.frame_num for cut in detector.post_process(last)}
    return {key: np.array(sorted(cuts), dtype=np.int64) for key, cuts in found.items()}


def _detector(key: str, shortest: int) -> SceneDetector:
    from scenedetect.detectors import AdaptiveDetector, ContentDetector, HashDetector

    return {"content": ContentDetector, "adaptive": AdaptiveDetector, "hash": HashDetector}[key](min_scene_len=shortest)
