"""Drawn pictures that behave like photographs under perceptual hashes.

A picture has three seeds. The *setting* is the seller's room: its wall, floor and light. The *item* is the thing
for sale. The *view* is this one shot: where the camera stood, what else lay about, how it was exposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from data.synthetic.textures import camera_noise, clouds, surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = ((640, 480), (560, 420), (512, 384), (480, 360), (384, 512), (432, 576))
# Scenes are drawn this many times smaller and enlarged under full-size noise: no sharper than a phone indoors, and
# four times cheaper.
SOFTNESS = 2
ITEM_PX = 192
CLUTTER_THINGS = 4
LONGEST_SIDE_PX = 640
PLACEHOLDERS = 4
_HALF = [value // 2 for value in range(256)]

# Outlines of the categories' things: (kind, left, top, right, bottom) in thousandths, then the colour's number.
_PARTS: tuple[tuple[tuple[str, int, int, int, int, int], ...], ...] = (
    (("ring", 20, 420, 440, 840, 0), ("ring", 560, 420, 980, 840, 0), ("bar", 230, 630, 480, 320, 1),
     ("bar", 480, 320, 770, 630, 1), ("bar", 230, 630, 520, 640, 2), ("box", 420, 270, 560, 320, 2)),
    (("box", 260, 40, 740, 960, 0), ("box", 295, 90, 705, 850, 1), ("disc", 460, 870, 540, 950, 2)),
    (("box", 60, 240, 940, 820, 0), ("disc", 320, 300, 760, 760, 1), ("disc", 420, 400, 660, 660, 2),
     ("box", 120, 160, 330, 260, 1)),
    (("box", 60, 260, 940, 640, 0), ("box", 20, 420, 200, 780, 1), ("box", 800, 420, 980, 780, 1),
     ("box", 190, 560, 810, 760, 2)),
    (("disc", 40, 200, 460, 860, 0), ("disc", 540, 140, 960, 800, 0), ("disc", 130, 260, 370, 520, 1),
     ("disc", 630, 200, 870, 460, 1), ("box", 80, 780, 420, 850, 2)),
    (("disc", 280, 520, 760, 990, 0), ("disc", 340, 380, 700, 680, 0), ("disc", 450, 600, 580, 730, 1),
     ("bar", 520, 560, 520, 20, 2)),
    (("box", 400, 10, 600, 990, 0), ("disc", 250, 260, 750, 740, 1), ("disc", 300, 310, 700, 690, 2),
     ("bar", 500, 500, 600, 390, 0)),
    (("box", 250, 150, 750, 930, 0), ("bar", 270, 220, 70, 760, 0), ("bar", 730, 220, 930, 760, 0),
     ("bar", 500, 160, 500, 930, 1), ("box", 380, 100, 620, 200, 2)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """What is in front of the camera, and how it is seen.

    Parameters
    ----------
    category
        Position in `data.synthetic.merchandise.CATEGORIES`: gives the thing its outline.
    setting, item, view
        Seeds; the same three give the same pixels.
    """

    category: int
    setting: int
    item: int
    view: int


def draw_photo(scene: Scene) -> Image.Image:
    """Draw one shot of one thing in one room.

    Returns
    -------
    Image
        RGB, of one of `SIZES`.
    """
    rng = np.random.default_rng(scene.view)
    width_px, height_px = SIZES[scene.setting % len(SIZES)]
    picture = _room(scene.setting, rng, (width_px // SOFTNESS, height_px // SOFTNESS))
    for _ in range(int(rng.integers(0, 4))):
        _put(picture, _clutter(scene.setting, rng), rng, rng.uniform(0.15, 0.5))
    close_up = rng.random() < 0.3
    _put(picture, _thing(scene.category, scene.item), rng, rng.uniform(1.1, 2.2) if close_up else rng.uniform(0.5, 1.0))
    developed = _exposed(picture, rng).resize((width_px, height_px), Image.Resampling.BILINEAR)
    return ImageChops.add(developed, camera_noise(rng, developed.size), 1, -128)


def draw_stock(category: int, number: int) -> Image.Image:
    """Draw a supplier's picture: the thing on white, evenly lit."""
    seed = 1_000_003 * (category + 1) + number
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", SIZES[number % 4], (250, 250, 250))
    shade = Image.linear_gradient("L").resize(picture.size)
    picture.paste((214, 217, 222), (0, 0), shade)
    _put(picture, _thing(category, seed), rng, rng.uniform(0.7, 0.95))
    return picture


def draw_placeholder(number: int) -> Image.Image:
    """Draw the picture a marketplace shows where a seller has none."""
    grey = 200 + 12 * (number % PLACEHOLDERS)
    picture = Image.new("RGB", SIZES[number % PLACEHOLDERS], (grey, grey, grey))
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    draw.rounded_rectangle(
        (width * 0.36, height * 0.3, width * 0.64, height * 0.56), 12, outline=(120, 120, 120), width=6
    )
    draw.ellipse((width * 0.45, height * 0.36, width * 0.55, height * 0.5), outline=(120, 120, 120), width=6)
    text = ("no photo yet", "photo follows", "image coming soon", "no picture")[number % PLACEHOLDERS]
    draw.text((width / 2, height * 0.7), text, anchor="mm", fill=(110, 110, 110), font=ImageFont.load_default(36))
    return picture


def with_banner(picture: Image.Image, dealer: int) -> Image.Image:
    """Lay a dealer's banner over the lower edge, the same on each of that dealer's pictures."""
    marked = picture.copy()
    banner = _banner(dealer, picture.width)
    marked.paste(banner, (0, picture.height - banner.height))
    return marked


def fitted_photo(picture: Image.Image) -> Image.Image:
    """Bring somebody's own photograph to a listing's size, as displayed, on white where it is transparent."""
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    shown = Image.new("RGB", upright.size, (255, 255, 255))
    shown.paste(upright, mask=upright)
    shown.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    return shown


def _clutter(setting: int, rng: np.random.Generator) -> Image.Image:
    """Pick one of the few other things that lie about in this room."""
    seed = setting % 1_000_000_007 + int(rng.integers(CLUTTER_THINGS))
    return _thing(seed % len(_PARTS), seed).reduce(2)


def _room(setting: int, rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    if rng.random() < 0.4:
        return _seen_from(surface(setting), rng, size)
    width_px, height_px = size
    horizon_px = round(height_px * rng.uniform(0.3, 0.75))
    room = Image.new("RGB", size)
    room.paste(_seen_from(surface(setting + 1), rng, (width_px, horizon_px)))
    room.paste(_seen_from(surface(setting), rng, (width_px, height_px - horizon_px)), (0, horizon_px))
    return room


def _seen_from(square: Image.Image, rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Look at a part of a surface, askew."""
    reach = square.width * rng.uniform(0.45, 0.8)
    left, top = rng.uniform(0, square.width - reach, 2)
    corners = np.array([[left, top], [left, top + reach], [left + reach, top + reach], [left + reach, top]])
    quad = np.clip(corners + rng.uniform(-0.1, 0.1, (4, 2)) * reach, 0, square.width - 1)
    if rng.random() < 0.5:
        quad = np.roll(quad, 1, axis=0)
    return square.transform(size, Image.Transform.QUAD, quad.ravel().tolist(), Image.Resampling.BILINEAR)


@lru_cache(maxsize=96)
def _thing(category: int, seed: int) -> Image.Image:
    """Draw a thing on nothing: RGBA, `ITEM_PX` square."""
    rng = np.random.default_rng(seed)
    palette = _muted(rng.uniform(15, 240, (3, 3)))
    thing = Image.new("RGBA", (ITEM_PX, ITEM_PX), (*_colour(palette.mean(axis=0)), 0))
    draw = ImageDraw.Draw(thing)
    for kind, *corners, colour in _PARTS[category]:
        left, top, right, bottom = (np.array(corners) / 1000 + rng.normal(0, 0.025, 4)) * ITEM_PX
        _draw_part(draw, kind, (float(left), float(top), float(right), float(bottom)), _colour(palette[colour]))
    _draw_marks(draw, rng)
    alpha = thing.getchannel("A")
    from_above, from_below = (float(value) for value in rng.uniform(0.65, 1.25, 2))
    light = np.linspace(from_above, from_below, ITEM_PX, dtype=np.float32)[:, None]
    relief = light * (1 + rng.uniform(0.12, 0.3) * clouds(rng, thing.size, coarsest=4, octaves=5))
    lit = np.asarray(thing.convert("RGB"), np.float32) * relief[..., None]
    shaded = Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))
    shaded.putalpha(alpha)
    return shaded


def _muted(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bring colours, one a row, nearer to grey: things are seldom as bright as paint."""
    grey = colours.mean(axis=1, keepdims=True)
    return np.asarray(grey + 0.55 * (colours - grey))


def _draw_part(
    draw: ImageDraw.ImageDraw, kind: str, corners: tuple[float, float, float, float], fill: tuple[int, int, int]
) -> None:
    left, top, right, bottom = corners
    box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
    if kind == "bar":
        draw.line(corners, fill=fill, width=ITEM_PX // 14)
    elif kind == "ring":
        draw.ellipse(box, outline=fill, width=ITEM_PX // 22)
    elif kind == "disc":
        draw.ellipse(box, fill=fill)
    else:
        draw.rounded_rectangle(box, ITEM_PX // 20, fill=fill)


def _draw_marks(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    """Give the thing stripes, labels or wear of its own, so that two of a kind are told apart."""
    for _ in range(int(rng.integers(2, 7))):
        x, y, w, h = rng.uniform((0.2, 0.2, 0.04, 0.03), (0.7, 0.8, 0.25, 0.16)) * ITEM_PX
        draw.rectangle((x, y, x + w, y + h), fill=_colour(_muted(rng.uniform(0, 255, (1, 3)))[0]))


def _put(picture: Image.Image, thing: Image.Image, rng: np.random.Generator, share: float) -> None:
    """Place a thing in the picture with its shadow.

    Parameters
    ----------
    share
        Its height against the picture's shorter side; above 1 it is cut by the edges.
    """
    shot = np.array(picture.size)
    turned = thing.rotate(rng.normal(0, 14), Image.Resampling.BILINEAR, expand=True)
    size = shot.min() * share * np.array([rng.uniform(0.75, 1.5), 1.0])
    corner = shot / 2 + rng.uniform(-0.5, 0.5, 2) * np.maximum(shot - size, 0.3 * shot) - size / 2
    fall = rng.uniform(-0.06, 0.09, 2) * size
    shade = turned.getchannel("A").reduce(8).point(_HALF)
    _paste_visible(picture, (25, 22, 20), shade, corner + fall, size)
    _paste_visible(picture, turned, turned, corner, size)


def _paste_visible(
    picture: Image.Image,
    paint: Image.Image | tuple[int, int, int],
    mask: Image.Image,
    corner: NDArray[np.float64],
    size: NDArray[np.float64],
) -> None:
    """Stretch paint and mask to a size and paste what falls into the picture, without stretching the rest."""
    first = np.maximum(np.round(corner), 0).astype(int)
    last = np.minimum(np.round(corner + size), picture.size).astype(int)
    if (last - first < 1).any():
        return
    scale = np.array(mask.size) / size
    begin, end = np.maximum((first - corner) * scale, 0), np.minimum((last - corner) * scale, mask.size)
    box, visible = (*begin.tolist(), *end.tolist()), tuple((last - first).tolist())
    cut = mask.resize(visible, Image.Resampling.BILINEAR, box)
    picture.paste(cut if isinstance(paint, Image.Image) else paint, tuple(first.tolist()), cut)


def _exposed(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Light the scene unevenly and pass it through a camera: white balance, gamma."""
    light = 205 + rng.uniform(25, 60) * clouds(rng, (40, 40), coarsest=2, octaves=2)
    lamp = Image.fromarray(np.clip(light, 60, 255).astype(np.uint8)).resize(picture.size, Image.Resampling.BILINEAR)
    lit = ImageChops.multiply(picture, Image.merge("RGB", (lamp, lamp, lamp)))
    levels = np.linspace(0, 1, 256) ** rng.uniform(0.6, 1.1)
    curves = np.minimum(255, np.round(255 * rng.uniform(0.94, 1.12, (3, 1)) * levels)).astype(int)
    return lit.point(curves.ravel().tolist())


@lru_cache(maxsize=32)
def _banner(dealer: int, width_px: int) -> Image.Image:
    rng = np.random.default_rng(dealer)
    height_px = round(width_px * rng.uniform(0.07, 0.12))
    banner = Image.new("RGB", (width_px, height_px), _colour(rng.uniform(0, 140, 3)))
    draw = ImageDraw.Draw(banner)
    draw.ellipse((6, 6, height_px - 6, height_px - 6), fill=_colour(rng.uniform(120, 255, 3)))
    name = f"{rng.choice(['Bridge', 'Harbour', 'Station', 'Garden', 'Mill'])} Street {rng.choice(['Trade', 'Market'])}"
    draw.text(
        (height_px * 1.3, height_px / 2), f"{name}  555 {rng.integers(100, 999)}", anchor="lm",
        fill=(255, 255, 255), font=ImageFont.load_default(round(height_px * 0.55)),
    )  # fmt: skip
    return banner


def _colour(values: NDArray[np.float64]) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in values)
    return red, green, blue
