"""What people do to a photo before they post it as their own: named, grouped, seeded edits.

An edit ends in a file, as on a marketplace; what is compared is that file, opened again.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from PIL import Image

from data.images.decode import Picture, decode
from data.settings import DecodeSettings

from . import geometry, layouts, retouching
from .geometry import cropped, tilted, transposed
from .retouching import jpeg, untouched, webp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .layouts import Arrangement
    from .retouching import Change, Encoder

BLACK, WHITE = (0, 0, 0), (255, 255, 255)
TURN = Image.Transpose
posted_jpeg = jpeg(90)
"""What a marketplace or a photo app writes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the picture and the way it is written to a file.

    Parameters
    ----------
    name, group
        Rows of the table and what they are added up by.
    change
        From an RGB picture as displayed to a new one; the generator decides strength and place.
    encode
        From the new picture to the bytes of a file.
    """

    name: str
    group: str
    change: Change = untouched
    encode: Encoder = posted_jpeg

    def file(self, picture: Image.Image, rng: Random) -> bytes:
        """Return the file that is posted."""
        return self.encode(self.change(picture, rng), rng)

    def apply(self, picture: Image.Image, rng: Random) -> Image.Image:
        """Return what the posted file displays, as RGB."""
        return displayed(self.file(picture, rng))


@dataclass(frozen=True, slots=True)
class Collage:
    """An arrangement of several photos, each of which is a copy."""

    name: str
    arrange: Arrangement
    photos: int
    group: str = "collage"
    encode: Encoder = posted_jpeg

    def file(self, pictures: Sequence[Image.Image], rng: Random) -> bytes:
        """Return the file that is posted."""
        return self.encode(self.arrange(pictures, rng), rng)

    def among(self, others: Sequence[Image.Image]) -> Edit:
        """Return the edit that arranges one photo among ``others``, drawn and placed at random."""

        def change(picture: Image.Image, rng: Random) -> Image.Image:
            panels = [picture, *rng.sample(others, self.photos - 1)]
            rng.shuffle(panels)
            return self.arrange(panels, rng)

        return Edit(self.name, self.group, change, self.encode)


def displayed(content: bytes) -> Image.Image:
    """Open a file as a person sees it, as RGB; the product's own decoder serves every method alike."""
    picture = decode(content, DecodeSettings())
    assert isinstance(picture, Picture), picture
    return picture.image.convert("RGB")


def generator(*parts: object) -> Random:
    """Return a generator that depends on the parts alone: seed, edit, photo."""
    return Random("/".join(map(str, parts)))


def chain(*changes: Change) -> Change:
    """Apply one change after another."""

    def change(picture: Image.Image, rng: Random) -> Image.Image:
        for step in changes:
            picture = step(picture, rng)
        return picture

    return change


def mostly_cropped(image: Image.Image, rng: Random) -> Image.Image:
    """Cut a screenshot down, as people do: the upper and lower bars go, and a little of the sides."""
    top, bottom, side = rng.uniform(0.04, 0.08), rng.uniform(0.1, 0.3), rng.uniform(0.0, 0.03)
    width, height = image.size
    return image.crop(
        (round(width * side), round(height * top), round(width * (1 - side)), round(height * (1 - bottom)))
    )


EDITS: tuple[Edit, ...] = (
    Edit("jpeg 50", "encode", encode=jpeg(50)),
    Edit("jpeg 20", "encode", encode=jpeg(20)),
    Edit("jpeg 8", "encode", encode=jpeg(8)),
    Edit("webp 40", "encode", encode=webp(40)),
    Edit("palette of 32", "encode", encode=retouching.palette_png(32)),
    Edit("half size", "encode", retouching.resized(0.5)),
    Edit("enlarged 1.5", "encode", retouching.resized(1.5)),
    Edit("thumbnail 160 px", "encode", retouching.thumbnail, jpeg(80)),
    Edit("exif turn", "encode", encode=retouching.turned_jpeg),
    Edit("brighter", "tone", retouching.brightness(1.35)),
    Edit("darker", "tone", retouching.brightness(0.6)),
    Edit("contrast", "tone", retouching.contrast(1.5)),
    Edit("saturation", "tone", retouching.saturation(1.8)),
    Edit("grey", "tone", retouching.grey),
    Edit("warm", "tone", retouching.warmed),
    Edit("gamma", "tone", retouching.gamma(0.6)),
    Edit("blur", "tone", retouching.blurred),
    Edit("noise", "tone", retouching.grained),
    Edit("sharpen", "tone", retouching.sharpened),
    Edit("banner", "overlay", retouching.bannered),
    Edit("sticker", "overlay", retouching.stickered),
    Edit("watermark", "overlay", retouching.watermarked),
    Edit("logo", "overlay", retouching.logoed),
    Edit("price tag", "overlay", retouching.price_tagged),
    Edit("emoji", "overlay", retouching.smiling),
    Edit("mirror", "turn", transposed(TURN.FLIP_LEFT_RIGHT)),
    Edit("upside down mirror", "turn", transposed(TURN.FLIP_TOP_BOTTOM)),
    Edit("turn 90", "turn", transposed(TURN.ROTATE_90)),
    Edit("turn 180", "turn", transposed(TURN.ROTATE_180)),
    Edit("turn 270", "turn", transposed(TURN.ROTATE_270)),
    Edit("tilt 3", "turn", tilted(3)),
    Edit("tilt 8", "turn", tilted(8)),
    Edit("tilt 3, filled corners", "turn", geometry.tilted_in_place(3)),
    Edit("tilt 8, filled corners", "turn", geometry.tilted_in_place(8)),
    Edit("perspective", "turn", geometry.in_perspective),
    Edit("crop 85", "crop", cropped(0.85)),
    Edit("crop 70", "crop", cropped(0.70)),
    Edit("crop 50", "crop", cropped(0.50)),
    Edit("crop 30", "crop", cropped(0.30)),
    Edit("without top third", "crop", geometry.without_top_third),
    Edit("centre square", "crop", geometry.centre_square),
    Edit("edge cut off", "crop", geometry.edge_cut_off),
    Edit("white border", "frame", layouts.bordered(WHITE)),
    Edit("black border", "frame", layouts.bordered(BLACK)),
    Edit("letterbox", "frame", layouts.letterboxed),
    Edit("polaroid", "frame", layouts.polaroid),
    Edit("phone screenshot", "screenshot", layouts.phone_screenshot),
    Edit("browser screenshot", "screenshot", layouts.browser_screenshot),
    Edit("advertisement", "collage", layouts.advertisement),
    Edit("mirror, crop 85, jpeg 50", "combination", chain(transposed(TURN.FLIP_LEFT_RIGHT), cropped(0.85)), jpeg(50)),
    Edit("tilt 3, brighter, banner", "combination",
         chain(tilted(3), retouching.brightness(1.2), retouching.bannered)),
    Edit("crop 70, half size, webp 40", "combination", chain(cropped(0.7), retouching.resized(0.5)), webp(40)),
    Edit("cut screenshot", "combination", chain(layouts.phone_screenshot, mostly_cropped)),
    *(
        Edit(f"evasion {number}", "evasion", retouching.evaded, retouching.evasive_jpeg)
        for number in (1, 2, 3)
    ),
)  # fmt: skip

COLLAGES: tuple[Collage, ...] = (
    Collage("collage 2x2", layouts.two_by_two(gutter_px=12), photos=4),
    Collage("collage 2x2, no gutters", layouts.two_by_two(gutter_px=0), photos=4),
    Collage("side by side", layouts.side_by_side, photos=2),
)


def edits_with(others: Sequence[Image.Image]) -> tuple[Edit, ...]:
    """Return all edits of one photo; the further panels of collages are taken from ``others``."""
    return EDITS + tuple(collage.among(others) for collage in COLLAGES)
