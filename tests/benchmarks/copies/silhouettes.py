"""Catalogue pictures on white: garments and bags of few outlines, different goods that look alike."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Outline = list[tuple[float, float]]
    Pattern = Callable[[NDArray[np.float64], NDArray[np.float64], Random], NDArray[np.float64]]

SIZE_PX = (480, 600)

RIGHT_HALVES: dict[str, Outline] = {
    "shirt": [(0, 0.17), (0.15, 0.12), (0.28, 0.17), (0.40, 0.36), (0.31, 0.42), (0.24, 0.33), (0.24, 0.86)],
    "jumper": [(0, 0.15), (0.14, 0.11), (0.27, 0.16), (0.40, 0.74), (0.32, 0.77), (0.24, 0.38), (0.25, 0.85)],
    "dress": [(0, 0.20), (0.08, 0.18), (0.10, 0.06), (0.15, 0.06), (0.17, 0.28), (0.13, 0.42), (0.33, 0.92)],
    "trousers": [(0, 0.07), (0.18, 0.07), (0.22, 0.32), (0.25, 0.93), (0.10, 0.93), (0.02, 0.40)],
    "skirt": [(0, 0.18), (0.15, 0.18), (0.36, 0.82)],
    "bag": [(0, 0.40), (0.20, 0.40), (0.30, 0.42), (0.36, 0.82)],
}  # fmt: skip
"""Outlines from the top of the middle line downwards, right of the middle, as shares of the picture."""

COLOURS = (
    (32, 34, 40), (40, 52, 92), (120, 124, 130), (150, 34, 44), (205, 190, 165),
    (72, 96, 66), (206, 204, 200), (96, 66, 48), (190, 120, 140), (60, 120, 150),
)  # fmt: skip


def draw(number: int) -> Image.Image:
    """Draw one of the pictures; the same number gives the same picture."""
    rng = Random(f"silhouette/{number}")
    folds = smooth_noise(rng, cells=rng.randint(7, 14))
    x, y = np.meshgrid(np.arange(float(SIZE_PX[0])), np.arange(float(SIZE_PX[1])))
    pattern = rng.choice(PATTERNS)(x, y, rng)
    shade = 1 + 0.22 * folds[..., None] + rng.uniform(0.2, 0.5) * pattern[..., None]
    # Dark cloth has folds too, hence the second term.
    cloth = np.clip(np.array(rng.choice(COLOURS)) * shade + 12 * folds[..., None], 0, 255).astype(np.uint8)
    return Image.composite(Image.fromarray(cloth), Image.new("RGB", SIZE_PX, (255, 255, 255)), outline_mask(rng))


def outline_mask(rng: Random) -> Image.Image:
    """Fill an outline, every corner of which is moved by up to 1 % of the picture."""
    width, height = SIZE_PX
    half = [
        (x and x + rng.gauss(0, 0.006), y + rng.gauss(0, 0.006)) for x, y in rng.choice(list(RIGHT_HALVES.values()))
    ]
    points = [((0.5 + x) * width, y * height) for x, y in half] + [
        ((0.5 - x) * width, y * height) for x, y in half[::-1]
    ]
    mask = Image.new("L", SIZE_PX, 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    return mask.filter(ImageFilter.GaussianBlur(1.2))


def smooth_noise(rng: Random, cells: int) -> NDArray[np.float64]:
    """Return values around -1 to 1, height by width, that change over a cell's length."""
    coarse = np.random.default_rng(rng.getrandbits(64)).normal(0, 0.6, (cells, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(SIZE_PX, Image.Resampling.BICUBIC), dtype=np.float64)


def plain(x: NDArray[np.float64], y: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    return np.zeros(x.shape)


def striped(x: NDArray[np.float64], y: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    along = rng.choice((x, y))
    return np.where(np.sin(along / rng.uniform(4, 14) + rng.uniform(0, 6)) > 0, 1.0, -1.0)


def checked(x: NDArray[np.float64], y: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    step, offset = rng.uniform(6, 14), rng.uniform(0, 6)
    return (np.sin(x / step + offset) > 0) * 1.0 - (np.sin(y / step + offset) > 0) * 1.0


def dotted(x: NDArray[np.float64], y: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    step = rng.uniform(5, 12)
    return np.where(np.sin(x / step + rng.uniform(0, 6)) * np.sin(y / step + rng.uniform(0, 6)) > 0.4, 1.0, 0.0)


def printed(x: NDArray[np.float64], y: NDArray[np.float64], rng: Random) -> NDArray[np.float64]:
    """Put a motif of a few discs on the chest."""
    motif = np.zeros_like(x)
    for _ in range(rng.randint(2, 5)):
        centre_x, centre_y = rng.uniform(0.4, 0.6) * SIZE_PX[0], rng.uniform(0.3, 0.6) * SIZE_PX[1]
        motif += (np.hypot(x - centre_x, y - centre_y) < rng.uniform(12, 45)) * rng.choice((-1.0, 1.0))
    return motif


PATTERNS: tuple[Pattern, ...] = (plain, plain, plain, striped, checked, dotted, printed, printed)
