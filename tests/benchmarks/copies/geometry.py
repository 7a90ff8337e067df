"""Edits that move the points of the photo: flips, turns, tilts, perspective, crops."""

from __future__ import annotations

from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray

    from .retouching import Change

MOST_PERSPECTIVE = 0.07
"""How far a corner is drawn in at the most, as a share of each side."""
MOST_CUT_OFF = 0.12


def transposed(method: Image.Transpose) -> Change:
    return lambda image, _: image.transpose(method)


def tilted(angle_degrees: float) -> Change:
    """Turn by a few degrees either way and keep the largest rectangle of the photo's shape without empty corners."""

    def change(image: Image.Image, rng: Random) -> Image.Image:
        angle = angle_degrees * rng.choice((-1, 1))
        shape = max(image.width / image.height, image.height / image.width)
        kept = 1 / (cos(radians(angle_degrees)) + shape * sin(radians(angle_degrees)))
        turned = image.rotate(angle, Image.Resampling.BICUBIC)
        return centred(turned, round(image.width * kept), round(image.height * kept))

    return change


def tilted_in_place(angle_degrees: float) -> Change:
    """Turn by a few degrees either way on a canvas of the same size; the corners are filled with one colour."""

    def change(image: Image.Image, rng: Random) -> Image.Image:
        filling = rng.choice(((255, 255, 255), (0, 0, 0), (128, 128, 128)))
        return image.rotate(angle_degrees * rng.choice((-1, 1)), Image.Resampling.BICUBIC, fillcolor=filling)

    return change


def in_perspective(image: Image.Image, rng: Random) -> Image.Image:
    """Show what lies between four corners that are drawn in by up to 7 %, as after a picture of a picture."""
    width, height = image.size
    inward = [(rng.uniform(0, MOST_PERSPECTIVE), rng.uniform(0, MOST_PERSPECTIVE)) for _ in range(4)]
    shown = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    towards_middle = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])
    taken = shown + towards_middle * inward * (width, height)
    return image.transform(image.size, Image.Transform.PERSPECTIVE, homography(shown, taken), Image.Resampling.BICUBIC)


def homography(shown: NDArray[np.float64], taken: NDArray[np.float64]) -> list[float]:
    """Return the eight numbers by which Pillow finds for every point shown, (4, 2), the point it is taken from."""
    nothing, ones = np.zeros((4, 3)), np.ones((4, 1))
    places = np.hstack([shown, ones])
    across = np.hstack([places, nothing, -shown * taken[:, :1]])
    down = np.hstack([nothing, places, -shown * taken[:, 1:]])
    solved: list[float] = np.linalg.solve(np.vstack([across, down]), taken.T.ravel()).tolist()
    return solved


def centred(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def cropped(area: float) -> Change:
    """Keep a share of the area, in the photo's own shape, anywhere."""

    def change(image: Image.Image, rng: Random) -> Image.Image:
        width, height = (max(1, round(side * area**0.5)) for side in image.size)
        left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return change


def without_top_third(image: Image.Image, _: Random) -> Image.Image:
    return image.crop((0, image.height // 3, image.width, image.height))


def centre_square(image: Image.Image, _: Random) -> Image.Image:
    return centred(image, min(image.size), min(image.size))


def edge_cut_off(image: Image.Image, rng: Random) -> Image.Image:
    """Cut 5 to 12 % off one of the four sides."""
    box, side, share = [0, 0, *image.size], rng.randrange(4), rng.uniform(0.05, MOST_CUT_OFF)
    inward_px = round(image.size[side % 2] * share)
    box[side] += inward_px if side < 2 else -inward_px
    return image.crop((box[0], box[1], box[2], box[3]))
