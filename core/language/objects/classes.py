"""Which of some classes is a mesh or a cloud? Asked of its depth pictures, with no training; and over its pose."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from core.attention.masks import Steering
from core.attention.prompts import encode_prompted
from core.attention.regions import Region
from core.attention.towers import ImageTower
from core.encoding.encoder import Encoder
from core.errors import Cancelled, check_choice
from core.geometry.directions import unit
from core.geometry.objects.votes import PoseSweep, pose_sweep, vote
from core.rendering.cameras import FIXED_COUNTS, camera_set
from core.rendering.depth import DepthViews, depth_views
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
    drawn : (v, s, s) bool, the foreground of each picture.
    """

    pictures: np.ndarray
    cosines: np.ndarray
    scores: np.ndarray
    drawn: np.ndarray

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
    views = depth_views(shape, camera_set(cameras), size=SIZE, up=up, on_progress=on_progress,
                        should_stop=should_stop)
    return _scored(views, _encoded(views, model), classes, weights)


def pointed_scores(found: ClassScores, classes: np.ndarray, model: Encoder, steering: Steering, *,
                   weights: Sequence[float] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> ClassScores:
    """The same of the same depth pictures, each with its foreground as the region of a foveal mask.

    Parameters
    ----------
    found : by `class_scores`.
    classes, model, weights : as there.
    steering : of the mask.
    should_stop : asked between batches of pictures.

    Raises
    ------
    ModelError
        If the image tower of the model is no ViT.

    References
    ----------
    Zhuang et al. 2024, FALIP, arXiv:2407.05578 (ModelNet40 by six weighted depth maps).
    """
    views = DepthViews(found.pictures, found.drawn)
    return _scored(views, _encoded(views, model, steering, should_stop), classes, weights)


def poses_of(shape: Mesh | Cloud, classes: np.ndarray, names: Sequence[str], model: Encoder, *, axis: str = "x",
             steps: int = 12, cameras: str = "cube", weights: Sequence[float] | None = None, up: str = "y",
             steering: Steering | None = None,
             on_progress: Callable[[float, str], None] | None = None,
             should_stop: Callable[[], bool] | None = None) -> PoseSweep:
    """The same of the object in poses evenly spaced over a full turn about an axis; parameters as in `class_scores`.

    With a ``steering`` each picture has its foreground as the region of a foveal mask, as in `pointed_scores`.

    Raises
    ------
    Cancelled
        When asked to stop.
    ModelError
        If there is a steering and the image tower of the model is no ViT.
    """
    check_choice("cameras", cameras, FIXED_COUNTS)
    degrees, x = 360.0 * np.arange(steps) / steps, []
    for i, angle in enumerate(degrees.tolist()):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i} of {steps} poses")
        if on_progress is not None:
            on_progress(i / steps, f"Pose {i + 1} of {steps}")
        views = depth_views(turned_shape(shape, axis, angle, up), camera_set(cameras), size=SIZE)
        x.append(_encoded(views, model, steering))
    return pose_sweep(np.stack(x), degrees, classes, names, weights)


def _scored(views: DepthViews, x: np.ndarray, classes: np.ndarray, weights: Sequence[float] | None) -> ClassScores:
    return ClassScores(views.pictures, x.astype(np.float64) @ classes.astype(np.float64).T, vote(x, classes, weights),
                       views.drawn)


def _encoded(views: DepthViews, model: Encoder, steering: Steering | None = None,
             should_stop: Callable[[], bool] | None = None) -> np.ndarray:
    pictures = [Image.fromarray(picture) for picture in views.pictures]
    if steering is None:
        return unit(model.encode_images(pictures))
    return unit(encode_prompted(ImageTower(model), pictures, [Region(mask=drawn) for drawn in views.drawn], "foveal",
                                steering, should_stop=should_stop))
