"""A picture → 64 numbers on its colours, light and edges; no model, no weights.

    27  mean light, red-green and yellow-blue of each cell of a 3 × 3 grid
    16  root of the histogram of hues, each by its strength, and of that of light
    16  root of the histogram of edge directions, of the upper and of the lower half
     5  shape, light, contrast, colourfulness, edges

It tells a bright pack shot from a dark mood picture, not a shoe from a boot. Roots of histograms
compare as Hellinger's distance does; edge directions by strength are those of Dalal, Triggs 2005
(https://doi.org/10.1109/CVPR.2005.177). Needs Pillow, which `pip install 'hookline[image]'` brings.
"""

import math
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hookline.errors import BadInput
from hookline.perceive.encoders.base import Floats, ImageEncoder, fingerprint, unit
from hookline.perceive.encoders.packages import require
from hookline.perceive.encoders.pictures import Image

Array = NDArray[np.float64]

SIDE: Final = 96
"""Pictures are brought to so many pixels each way before anything is measured."""
CELLS: Final = 3
"""Cells of the grid, each way."""
BINS: Final = 8
"""Of each histogram."""

_VERSION: Final = 1
"""Raised whenever a picture would become something else."""
_FAINT: Final = 1e-3
"""Mean strength of edges or colours below which they are noise."""
_BANDS: Final = np.array([[0.299, 0.587, 0.114], [1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
"""Red, green and blue → light, red-green, yellow-blue."""


class ImageDescriptor(ImageEncoder):
    """Measures a picture.

    Raises:
        BadInput: Where Pillow is missing.
    """

    name = "image"
    width = 64

    def __init__(self) -> None:
        self._pillow: Any = require("PIL.Image", "image")
        self.version = fingerprint({"bands": _BANDS}, _VERSION, SIDE, CELLS, BINS)

    @classmethod
    def open(cls, source: str = "") -> Self:
        """The descriptor.

        Raises:
            BadInput: Where a source is named, or Pillow is missing.
        """
        if source:
            raise BadInput(f"the encoder 'image' takes nothing behind a colon, not {source!r}")
        return cls()

    def describe(self, image: Image) -> Floats:
        """The vector of one RGB image, of length 1, shape (64,)."""
        small = image.resize((SIDE, SIDE), self._pillow.Resampling.BOX)
        bands = np.asarray(small, dtype=np.float64) / 255 @ _BANDS.T
        light = bands[..., 0]
        chroma = np.hypot(bands[..., 1], bands[..., 2])
        across, down = np.gradient(light, axis=1), np.gradient(light, axis=0)
        strength = np.hypot(across, down)
        parts = [
            _grid(bands).ravel() / CELLS,
            _hues(bands, chroma),
            np.sqrt(_shares(light, np.ones_like(light), 0.0, 1.0)),
            *_directions(across, down, strength),
            _summary(image.size, light, chroma, strength),
        ]
        return unit(np.concatenate(parts)[None])[0]


def _grid(bands: Array) -> Array:
    """The mean of each band in each cell, -1 to 1, shape (3, 3, 3)."""
    cell = SIDE // CELLS
    means = bands.reshape(CELLS, cell, CELLS, cell, 3).mean(axis=(1, 3))
    return means - [0.5, 0.0, 0.0]


def _hues(bands: Array, chroma: Array) -> Array:
    """Root of the share of colour in each hue; shorter where there is little colour."""
    hue = np.arctan2(bands[..., 2], bands[..., 1])
    return np.sqrt(_shares(hue, chroma, -math.pi, math.pi) * min(1.0, 2.0 * float(chroma.mean())))


def _directions(across: Array, down: Array, strength: Array) -> list[Array]:
    """Root of the share of edges in each direction, in the upper half and in the lower one."""
    angle = np.arctan2(down, across) % math.pi
    half = SIDE // 2
    return [
        np.sqrt(_shares(angle[rows], strength[rows], 0.0, math.pi) / 2)
        for rows in (slice(None, half), slice(half, None))
    ]


def _shares(values: Array, weights: Array, low: float, high: float) -> Array:
    """The share of weight in each of 8 equal bins from low to high; all 0 where there is none."""
    place = ((values - low) * (BINS / (high - low))).astype(np.intp).clip(0, BINS - 1)
    found = np.bincount(place.ravel(), weights.ravel(), BINS)
    total = found.sum()
    return found / total if total > _FAINT * values.size else np.zeros(BINS)


def _summary(size: tuple[int, int], light: Array, chroma: Array, strength: Array) -> Array:
    """Shape (-1 tall, 1 wide), light, contrast, colourfulness and edges, each about -1 to 1."""
    shape = math.tanh(math.log2(size[0] / size[1]))
    bright = 2.0 * float(light.mean()) - 1.0
    edges = math.tanh(10.0 * float(strength.mean()))
    return np.array([shape, bright, 2.0 * float(light.std()), float(chroma.mean()), edges])
