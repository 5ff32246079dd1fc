"""Which of some classes is a mesh or a cloud? Asked of its depth pictures, with no training; and over its pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from core.encoding.encoder import Encoder
from core.errors import Cancelled, check_choice
from core.geometry.directions import unit
from core.geometry.objects.votes import PoseSweep, pose_sweep, vote
from core.rendering.cameras import FIXED_COUNTS, camera_set
from core.rendering.depth import depth_views
from core.sources.meshes.mesh import Cloud, Mesh, placed

AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
SIZE = 224


@dataclass(frozen=True, eq=False)
class ClassScores:
    """What the views of an object say of the classes.

    Attributes
    ----------
    pictures : (v, s, s, 3) uint8, the depth pictures.
    cosines : (v, k) float64, of each view with each class.
    scores : (k,) float64, of each class, over the views as they are weighted.
    """

    pictures: np.ndarray
    cosines: np.ndarray
    scores: np.ndarray

    @property
    def best(self) -> int:
        """The class with the highest score."""
        return int(self.scores.argmax())

    def probabilities(self, scale: float) -> np.ndarray:
        """(k,) float64, softmax of the scores at a factor on the cosine."""
        raised = np.exp(scale * (self.scores - self.scores.max()))
        return raised / raised.sum()


def turned_shape(shape: Mesh | Cloud, axis: str, degrees: float, up: str = "y") -> Mesh | Cloud:
    """The object, made ready, turned about an axis of the scene (y is up), right-handed."""
    check_choice("axis", axis, AXES)
    ready = placed(shape, up)
    x, y, z = AXES[axis]
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn = c * np.eye(3) + s * cross + (1 - c) * np.outer((x, y, z), (x, y, z))
    if isinstance(ready, Mesh):
        return replace(ready, vertices=(ready.vertices @ turn.T).astype(ready.vertices.dtype))
    return replace(ready, points=(ready.points @ turn.T).astype(ready.points.dtype))


def class_scores(shape: Mesh | Cloud, classes: np.ndarray, model: Encoder, *, cameras: str = "cube",
                 weights: Sequence[float] | None = None, up: str = "y",
                 on_progress: Callable[[float, str], None] | None = None,
                 should_stop: Callable[[], bool] | None = None) -> ClassScores:
    """Scores of classes for an object: the weighted mean cosine of its depth pictures.

    Parameters
    ----------
    shape : the object, as it was brought.
    classes : (k, d) unit rows, the texts of the classes.
    model : what encodes the pictures.
    cameras : "cube" (six views) or "ten".
    weights : of the views, as in `vote`.
    up : which axis of the object points up, y or z.
    on_progress, should_stop : as in `depth_views`.

    References
    ----------
    PointCLIP, arXiv:2112.02413 (six views); PointCLIP V2, arXiv:2211.11682 (ten).
    """
    check_choice("cameras", cameras, FIXED_COUNTS)
    pictures = depth_views(shape, camera_set(cameras), size=SIZE, up=up, on_progress=on_progress,
                           should_stop=should_stop)
    x = _encoded(pictures, model)
    return ClassScores(pictures, x.astype(np.float64) @ classes.astype(np.float64).T, vote(x, classes, weights))


def poses_of(shape: Mesh | Cloud, classes: np.ndarray, names: Sequence[str], model: Encoder, *, axis: str = "x",
             steps: int = 12, cameras: str = "cube", weights: Sequence[float] | None = None, up: str = "y",
             on_progress: Callable[[float, str], None] | None = None,
             should_stop: Callable[[], bool] | None = None) -> PoseSweep:
    """The same of the object in poses evenly spaced over a full turn about an axis; parameters as in `class_scores`.

    Raises
    ------
    Cancelled
        When asked to stop.
    """
    check_choice("cameras", cameras, FIXED_COUNTS)
    degrees, x = 360.0 * np.arange(steps) / steps, []
    for i, angle in enumerate(degrees.tolist()):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i} of {steps} poses")
        if on_progress is not None:
            on_progress(i / steps, f"Pose {i + 1} of {steps}")
        x.append(_encoded(depth_views(turned_shape(shape, axis, angle, up), camera_set(cameras), size=SIZE), model))
    return pose_sweep(np.stack(x), degrees, classes, names, weights)


def _encoded(pictures: np.ndarray, model: Encoder) -> np.ndarray:
    return unit(model.encode_images([Image.fromarray(picture) for picture in pictures]))
