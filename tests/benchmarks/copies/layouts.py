"""Edits that make the photo a part of something larger: frames, screenshots, collages, advertisements."""

from __future__ import annotations

from statistics import geometric_mean
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageOps

from .retouching import font, readable_on, vivid, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from .retouching import Change, Colour

    Arrangement = Callable[[Sequence[Image.Image], Random], Image.Image]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
PHONE_PX = (540, 1120)
PAGE_PX = (1180, 760)
PANEL_PX = 360
"""Root of the area of one panel of a collage of two by two."""
SENTENCES = (
    "Hardly used, no scratches", "Pick up or delivery", "Price is firm", "From a home without pets",
    "Works like on the first day", "Write to me for more photos", "Only serious offers",
)  # fmt: skip


def bordered(colour: Colour, share: float = 0.1) -> Change:
    """Add a border whose width is a share of the shorter side."""
    return lambda image, _: ImageOps.expand(image, round(min(image.size) * share), colour)


def letterboxed(image: Image.Image, _: Random) -> Image.Image:
    """Fill up to a square with black bars; a photo that is nearly square gets bars above and below all the same."""
    side = max(image.size)
    height = side if min(image.size) < 0.9 * side else round(1.3 * side)
    return ImageOps.pad(image, (side, height), color=BLACK)


def polaroid(image: Image.Image, rng: Random) -> Image.Image:
    """Add an instant photo's white frame, wide below, with a handwritten line."""
    margin, foot = round(min(image.size) * 0.06), round(min(image.size) * 0.24)
    framed = Image.new("RGB", (image.width + 2 * margin, image.height + margin + foot), (250, 248, 244))
    framed.paste(image, (margin, margin))
    box = (margin, margin + image.height, margin + image.width, framed.height)
    write(ImageDraw.Draw(framed), box, rng.choice(("summer", "for sale", "our old one")), (60, 60, 90))
    return framed


def lines(draw: ImageDraw.ImageDraw, place: tuple[int, int], rng: Random, *, count: int, colour: Colour) -> None:
    """Write a few lines of text below each other."""
    left, top = place
    for row, text in enumerate(rng.sample(SENTENCES, count)):
        draw.text((left, top + 30 * row), text, fill=colour, font=font(20))


def phone_screenshot(image: Image.Image, rng: Random) -> Image.Image:
    """Show the photo in an app: status bar, title, photo, text, buttons."""
    background = rng.choice((WHITE, (246, 246, 248), (18, 18, 20)))
    ink = readable_on(background)
    screen = Image.new("RGB", PHONE_PX, background)
    draw = ImageDraw.Draw(screen)
    width, height = PHONE_PX
    draw.text((24, 14), f"{rng.randint(0, 23)}:{rng.randint(10, 59)}", fill=ink, font=font(22))
    for bar in range(4):
        draw.rectangle((410 + 10 * bar, 34 - 5 * bar, 416 + 10 * bar, 38), fill=ink)
    draw.rounded_rectangle((470, 16, 510, 38), radius=5, outline=ink, width=2)
    draw.text((24, 62), f"For sale, {rng.randint(5, 900)} EUR", fill=ink, font=font(30))
    margin = rng.choice((0, 0, 24))
    photo = ImageOps.contain(image, (width - 2 * margin, 720))
    screen.paste(photo, ((width - photo.width) // 2, 116))
    below = 116 + photo.height + 24
    lines(draw, (24, below), rng, count=4, colour=ink)
    for number, label in enumerate(("Message", "Offer")):
        box = (24 + 252 * number, height - 108, 264 + 252 * number, height - 44)
        colour = vivid(rng)
        draw.rounded_rectangle(box, radius=16, fill=colour)
        write(draw, box, label, readable_on(colour))
    return screen


def browser_screenshot(image: Image.Image, rng: Random) -> Image.Image:
    """Show the photo on a page: tab, address, menu, photo on the left, text and button on the right."""
    page = Image.new("RGB", PAGE_PX, WHITE)
    draw = ImageDraw.Draw(page)
    width, height = PAGE_PX
    draw.rectangle((0, 0, width, 84), fill=(222, 225, 230))
    draw.rounded_rectangle((12, 8, 260, 48), radius=8, fill=WHITE)
    draw.text((28, 16), "For sale near you", fill=BLACK, font=font(18))
    draw.rounded_rectangle((90, 50, width - 90, 78), radius=14, fill=WHITE)
    draw.text((110, 53), f"market.example/item/{rng.randint(10**5, 10**6)}", fill=(90, 90, 90), font=font(18))
    draw.rectangle((0, 84, width, 140), fill=vivid(rng))
    photo = ImageOps.contain(image, (660, height - 190))
    page.paste(photo, (30, 165))
    left = 30 + photo.width + 40
    draw.text((left, 165), f"{rng.randint(5, 900)} EUR", fill=BLACK, font=font(44))
    lines(draw, (left, 240), rng, count=5, colour=(70, 70, 70))
    box = (left, 440, left + 260, 500)
    draw.rounded_rectangle(box, radius=8, fill=(30, 90, 200))
    write(draw, box, "Contact seller", WHITE)
    return page


def two_by_two(gutter_px: int) -> Arrangement:
    """Show four photos, each filling a panel (what juts out is cut off), with or without white between them.

    All panels have one shape, the middle of the photos' own.
    """

    def arrange(images: Sequence[Image.Image], _: Random) -> Image.Image:
        shape = geometric_mean(image.width / image.height for image in images)
        width, height = round(PANEL_PX * shape**0.5), round(PANEL_PX / shape**0.5)
        sheet = Image.new("RGB", (2 * width + 3 * gutter_px, 2 * height + 3 * gutter_px), WHITE)
        for number, image in enumerate(images):
            row, column = divmod(number, 2)
            place = (gutter_px + (width + gutter_px) * column, gutter_px + (height + gutter_px) * row)
            sheet.paste(ImageOps.fit(image, (width, height)), place)
        return sheet

    return arrange


def side_by_side(images: Sequence[Image.Image], _: Random) -> Image.Image:
    """Show photos of one height beside each other, whole, with a thin line between them."""
    height = 480
    shown = [image.resize((max(1, round(image.width * height / image.height)), height)) for image in images]
    sheet = Image.new("RGB", (sum(image.width for image in shown) + 6 * (len(shown) - 1), height), WHITE)
    left = 0
    for image in shown:
        sheet.paste(image, (left, 0))
        left += image.width + 6
    return sheet


def advertisement(image: Image.Image, rng: Random) -> Image.Image:
    """Paste the photo, whole and without any margin, into a busy advertisement of 1.5 times its size each way."""
    width, height = round(image.width * 1.5), round(image.height * 1.5)
    sheet = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize((width, height))
    sheet = ImageOps.colorize(sheet, vivid(rng), vivid(rng), mid=vivid(rng))
    draw = ImageDraw.Draw(sheet)
    for _ in range(24):
        corners = [(rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height) for _ in range(3)]
        draw.polygon(corners, fill=vivid(rng))
    place = (rng.randint(0, width - image.width), rng.randint(0, height - image.height))
    for row in range(6):
        top = round(height * row / 6)
        write(draw, (0, top, width, top + height // 6), rng.choice(SENTENCES), vivid(rng))
    sheet.paste(image, place)
    return sheet
