"""Surfaces for drawn pictures: walls, floors and cloths that are nowhere flat, and a camera's noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SURFACE_PX = 256
NOISE_PX = 768
# Each octave of detail is this much weaker than the one below it: near the 1/f spectrum of natural scenes
# (Field, J. Opt. Soc. Am. A 4, 1987).
OCTAVE_GAIN = 0.55

Field = NDArray[np.float32]


def clouds(rng: np.random.Generator, size: tuple[int, int], coarsest: int = 3, octaves: int = 6) -> Field:
    """Sum smooth random fields of doubling detail.

    Parameters
    ----------
    size
        Width and height in pixels.
    coarsest
        Cells along a side of the coarsest field.
    octaves
        How many fields are summed.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Values of about −1 … 1.
    """
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = Image.fromarray(rng.standard_normal((cells, cells), np.float32))
        total += OCTAVE_GAIN ** (octave + 1) * np.asarray(grid.resize(size, Image.Resampling.BICUBIC))
    return total


@lru_cache(maxsize=48)
def surface(seed: int) -> Image.Image:
    """Paint a square of wall, wood, tiles, cloth or grass; the same seed is the same surface."""
    rng = np.random.default_rng(seed)
    tone = rng.uniform(50, 215) + rng.uniform(-28, 28, 3)
    pattern = _PATTERNS[int(rng.integers(len(_PATTERNS)))](rng)
    stain = clouds(rng, (SURFACE_PX, SURFACE_PX), coarsest=2, octaves=5)
    relief = rng.uniform(10, 26) * stain + rng.uniform(10, 34) * pattern
    painted = tone.astype(np.float32) + relief[..., None] * rng.uniform(0.8, 1.1, 3).astype(np.float32)
    return Image.fromarray(np.clip(painted, 0, 255).astype(np.uint8))


def _plaster(rng: np.random.Generator) -> Field:
    return clouds(rng, (SURFACE_PX, SURFACE_PX), coarsest=24, octaves=4)


def _planks(rng: np.random.Generator) -> Field:
    planks = int(rng.integers(4, 11))
    row = np.arange(SURFACE_PX) * planks // SURFACE_PX
    shade = rng.normal(0, 0.8, planks)[row][:, None]
    gap = np.diff(row, prepend=0)[:, None] * -3.0
    grain = np.asarray(Image.fromarray(rng.standard_normal((128, 6), np.float32)).resize((SURFACE_PX, SURFACE_PX)))
    return np.asarray(shade + gap + 0.7 * grain, np.float32)


def _tiles(rng: np.random.Generator) -> Field:
    tiles = int(rng.integers(3, 9))
    side = SURFACE_PX // tiles
    shade = rng.normal(0, 0.7, (tiles + 1, tiles + 1))
    at = np.arange(SURFACE_PX)
    joint = ((at % side) < max(2, side // 24)).astype(float)
    return np.asarray(
        shade[np.ix_(at // side, at // side)] - 2.0 * np.maximum(joint[:, None], joint[None, :]), np.float32
    )


def _cloth(rng: np.random.Generator) -> Field:
    at = np.arange(SURFACE_PX) * 2 * np.pi / SURFACE_PX
    across, along = rng.integers(3, 40, 2)
    folds = clouds(rng, (SURFACE_PX, SURFACE_PX), coarsest=4, octaves=2)
    weave = np.sign(np.sin(across * at))[:, None] * rng.uniform(0, 1) + np.sin(along * at)[None, :]
    return np.asarray(0.5 * weave + 1.5 * folds, np.float32)


def _grass(rng: np.random.Generator) -> Field:
    return clouds(rng, (SURFACE_PX, SURFACE_PX), coarsest=60, octaves=3) * 1.6


_PATTERNS = (_plaster, _planks, _tiles, _cloth, _grass)


@lru_cache(maxsize=1)
def _noise_sheet() -> Image.Image:
    grains = np.random.default_rng(0).normal(128, 5, (NOISE_PX, NOISE_PX, 3))
    return Image.fromarray(np.clip(grains, 0, 255).astype(np.uint8))


def camera_noise(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Cut sensor noise around 128 from one large sheet: drawing it afresh would cost more than the picture."""
    left, top = (int(rng.integers(0, NOISE_PX - side + 1)) for side in size)
    return _noise_sheet().crop((left, top, left + size[0], top + size[1]))
