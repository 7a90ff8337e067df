"""Edits that keep every point of the photo where it is: files written anew, other tones, things laid over it."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from numpy.typing import NDArray

    Colour = tuple[int, int, int]
    Change = Callable[[Image.Image, Random], Image.Image]
    Encoder = Callable[[Image.Image, Random], bytes]

ORIENTATION_TAG = 0x0112
TURNED_RIGHT = 6
"""EXIF orientation of a file whose rows are the columns of what is shown."""
WATERMARK_TEXTS = ("seller-market.example", "PRIVATE SALE", "(c) Best Photos", "do not copy")
BANNER_TEXTS = ("ONLY TODAY - 50 % OFF", "Call 555 0142", "NEW! Delivery possible", "LAST ONE IN STOCK")

font = lru_cache(maxsize=256)(ImageFont.load_default)


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def jpeg(quality: int) -> Encoder:
    return lambda image, _: saved(image, "JPEG", quality=quality)


def webp(quality: int) -> Encoder:
    return lambda image, _: saved(image, "WEBP", quality=quality)


def palette_png(colours: int) -> Encoder:
    return lambda image, _: saved(image.quantize(colours), "PNG")


def turned_jpeg(image: Image.Image, _: Random) -> bytes:
    """Store the photo lying on its side with the tag that makes every viewer show it upright."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = TURNED_RIGHT
    return saved(image.transpose(Image.Transpose.ROTATE_90), "JPEG", quality=90, exif=exif)


def evasive_jpeg(image: Image.Image, rng: Random) -> bytes:
    return saved(image, "JPEG", quality=rng.randint(88, 92))


def untouched(image: Image.Image, _: Random) -> Image.Image:
    return image


def resized(factor: float) -> Change:
    return lambda image, _: image.resize(
        (max(1, round(image.width * factor)), max(1, round(image.height * factor))), Image.Resampling.LANCZOS
    )


def thumbnail(image: Image.Image, _: Random) -> Image.Image:
    return ImageOps.contain(image, (160, 160))


def evaded(image: Image.Image, rng: Random) -> Image.Image:
    """Change brightness by up to 5 % and each side by up to 0.7 %, as advice against copy detection has it."""
    width, height = (round(side * rng.uniform(0.993, 1.007)) for side in image.size)
    brighter = ImageEnhance.Brightness(image).enhance(rng.uniform(0.95, 1.05))
    return brighter.resize((width, height), Image.Resampling.BICUBIC)


def brightness(factor: float) -> Change:
    return lambda image, _: ImageEnhance.Brightness(image).enhance(factor)


def contrast(factor: float) -> Change:
    return lambda image, _: ImageEnhance.Contrast(image).enhance(factor)


def saturation(factor: float) -> Change:
    return lambda image, _: ImageEnhance.Color(image).enhance(factor)


def grey(image: Image.Image, _: Random) -> Image.Image:
    return image.convert("L").convert("RGB")


def gamma(exponent: float) -> Change:
    curve = [round(255 * (value / 255) ** exponent) for value in range(256)] * 3
    return lambda image, _: image.point(curve)


def warmed(image: Image.Image, _: Random) -> Image.Image:
    gains = (1.15, 1.0, 0.78)
    return image.point([min(255, round(value * gain)) for gain in gains for value in range(256)])


def blurred(image: Image.Image, _: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 250))


def sharpened(image: Image.Image, _: Random) -> Image.Image:
    return image.filter(ImageFilter.UnsharpMask(radius=3, percent=250, threshold=0))


def grained(image: Image.Image, rng: Random) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(64)).normal(0.0, 18.0, (image.height, image.width, 1))
    pixels: NDArray[np.float64] = np.asarray(image) + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def vivid(rng: Random) -> Colour:
    return rng.choice(((200, 30, 40), (30, 60, 150), (20, 130, 60), (240, 200, 20), (20, 20, 20), (245, 245, 245)))


def readable_on(colour: Colour) -> Colour:
    return (0, 0, 0) if sum(colour) > 330 else (255, 255, 255)


def write(draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], text: str, colour: Colour) -> None:
    """Write one line as large as the box (left, top, right, bottom) allows, in its middle."""
    left, top, right, bottom = box
    size = max(6, min(round((bottom - top) * 0.7), round(1.3 * (right - left) / len(text))))
    draw.text(((left + right) / 2, (top + bottom) / 2), text, fill=colour, font=font(size), anchor="mm")


def bannered(image: Image.Image, rng: Random) -> Image.Image:
    """Cover the lowest 15 % with a line of text on one colour."""
    covered, colour = image.copy(), vivid(rng)
    box = (0, round(image.height * 0.85), image.width, image.height)
    draw = ImageDraw.Draw(covered)
    draw.rectangle(box, fill=colour)
    write(draw, box, rng.choice(BANNER_TEXTS), readable_on(colour))
    return covered


def stickered(image: Image.Image, rng: Random) -> Image.Image:
    """Cover a fifth of the area, somewhere, with a badge."""
    covered, colour = image.copy(), vivid(rng)
    shape = rng.uniform(0.7, 1.4)
    width, height = (
        round(side * 0.2**0.5 * factor) for side, factor in zip(image.size, (shape, 1 / shape), strict=True)
    )
    left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
    box = (left, top, left + width, top + height)
    draw = ImageDraw.Draw(covered)
    draw.rounded_rectangle(box, radius=min(width, height) // 8, fill=colour)
    write(draw, box, rng.choice(("SALE", "NEW", "-50 %", "SOLD OUT SOON")), readable_on(colour))
    return covered


def watermarked(image: Image.Image, rng: Random) -> Image.Image:
    """Write translucent text along the diagonals, again and again."""
    side = round(1.5 * max(image.size))
    mask = Image.new("L", (side, side), 0)
    draw, size, text = ImageDraw.Draw(mask), max(10, max(image.size) // 14), rng.choice(WATERMARK_TEXTS)
    for row, top in enumerate(range(0, side, size * 4)):
        for left in range(-(row % 2) * size * 4, side, size * (len(text) // 2 + 3)):
            draw.text((left, top), text, fill=rng.choice((90, 110, 130)), font=font(size))
    mask = mask.rotate(rng.choice((30, 45, -30)), Image.Resampling.BILINEAR)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    mask = mask.crop((left, top, left + image.width, top + image.height))
    return Image.composite(Image.new("RGB", image.size, (255, 255, 255)), image, mask)


def logoed(image: Image.Image, rng: Random) -> Image.Image:
    """Put a round logo with a name into one corner."""
    covered, side = image.copy(), round(min(image.size) * 0.22)
    left = rng.choice((side // 6, image.width - side - side // 6))
    top = rng.choice((side // 6, image.height - side - side // 6))
    draw, colour = ImageDraw.Draw(covered), vivid(rng)
    draw.ellipse(
        (left, top, left + side, top + side), fill=colour, outline=readable_on(colour), width=max(1, side // 14)
    )
    write(draw, (left, top, left + side, top + side), "ACME", readable_on(colour))
    return covered


def price_tagged(image: Image.Image, rng: Random) -> Image.Image:
    """Lay a slanted price tag over the photo."""
    width, height = round(image.width * 0.42), round(image.height * 0.14)
    tag, colour = Image.new("RGBA", (width, height), (0, 0, 0, 0)), vivid(rng)
    draw = ImageDraw.Draw(tag)
    outline = [(0, height // 2), (height // 2, 0), (width - 1, 0), (width - 1, height - 1), (height // 2, height - 1)]
    draw.polygon(outline, fill=colour)
    write(draw, (height // 2, 0, width, height), f"$ {rng.randint(5, 9999)}", readable_on(colour))
    tag = tag.rotate(rng.uniform(-25, 25), Image.Resampling.BILINEAR, expand=True)
    covered = image.copy()
    covered.paste(tag, (rng.randint(0, image.width - width), rng.randint(0, image.height - height)), tag)
    return covered


def smiling(image: Image.Image, rng: Random) -> Image.Image:
    """Scatter five yellow faces and red hearts."""
    covered = image.copy()
    draw = ImageDraw.Draw(covered)
    for _ in range(5):
        side = round(min(image.size) * rng.uniform(0.1, 0.2))
        left, top = rng.randint(0, image.width - side), rng.randint(0, image.height - side)
        rng.choice((draw_face, draw_heart))(draw, left, top, side)
    return covered


def draw_face(draw: ImageDraw.ImageDraw, left: int, top: int, side: int) -> None:
    draw.ellipse((left, top, left + side, top + side), fill=(255, 204, 50), outline=(200, 140, 0))
    for eye in (0.3, 0.62):
        draw.ellipse(
            (left + side * eye, top + side * 0.3, left + side * (eye + 0.1), top + side * 0.45), fill=(70, 40, 0)
        )
    smile = (left + side * 0.25, top + side * 0.35, left + side * 0.75, top + side * 0.8)
    draw.arc(smile, 20, 160, fill=(70, 40, 0), width=max(1, side // 14))


def draw_heart(draw: ImageDraw.ImageDraw, left: int, top: int, side: int) -> None:
    red = (225, 30, 60)
    for lobe in (0.0, 0.5):
        draw.ellipse((left + side * lobe, top, left + side * (lobe + 0.5), top + side * 0.55), fill=red)
    draw.polygon([(left, top + side * 0.35), (left + side, top + side * 0.35), (left + side / 2, top + side)], fill=red)
