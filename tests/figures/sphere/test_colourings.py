"""What colours say: the density with the angle that it is smoothed over."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.figures.scenes.embedding import Points
from core.figures.sphere.colourings import density_colouring
from core.geometry.density import log_density, natural_smoothing
from core.geometry.directions import unit
from core.types import EmbeddingSet, ModelSpec


def test_the_legend_of_the_density_says_the_angle_of_its_smoothing():
    x = unit(np.random.default_rng(0).normal(size=(60, 8)) + 1)
    images = EmbeddingSet(x, np.ones(60), tuple(map(str, range(60))), "image", pd.DataFrame(index=range(60)),
                          ModelSpec("m", "0", 8, "0"))
    found = density_colouring(Points(images, None))
    assert found.title == ("density, log10 over the uniform sphere, "
                           f"smoothed over {natural_smoothing(images.vectors):.1f}°")
    np.testing.assert_allclose(found.values, log_density(images.vectors))
