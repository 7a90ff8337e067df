"""The picture as a person sees it, or a reason; never an exception, whatever the bytes."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from data.images.decode import (
    Picture,
    PictureFormat,
    Unreadable,
    UnreadableReason,
    decode,
    pillow_warnings_ignored,
    sniff,
)
from data.settings import DecodeSettings

SETTINGS = DecodeSettings()
AVIF_TOO = DecodeSettings(avif=True)


def noise(mode="RGB", size=(37, 23), seed=0):
    channels = len(Image.new(mode, (1, 1)).getbands())
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return (
        Image.fromarray(pixels.squeeze(), mode="L") if channels == 1 else Image.frombytes(mode, size, pixels.tobytes())
    )


def encoded(image, file_format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bit_depth, colour_type, *chunks):
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks, chunk(b"IEND", b"")])


def pixels_of(content, settings=SETTINGS):
    picture = decode(content, settings)
    assert isinstance(picture, Picture), picture
    return np.asarray(picture.image).astype(int)


@pytest.mark.parametrize(
    ("file_format", "mode"),
    [("PNG", "RGB"), ("PNG", "L"), ("JPEG", "RGB"), ("JPEG", "L"), ("WEBP", "RGB"), ("AVIF", "RGB")],
)
def test_a_plain_picture_is_exactly_what_pillow_reads(file_format, mode):
    content = encoded(noise(mode), file_format)
    picture = decode(content, AVIF_TOO)
    with Image.open(io.BytesIO(content)) as plain:
        plain.load()
    assert (picture.format, picture.width, picture.height, picture.orientation) == (file_format, 37, 23, 1)
    assert picture.image.mode == plain.mode == mode
    assert picture.image.tobytes() == plain.tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_shown_upright_as_pillow_itself_would(file_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(noise(), file_format, exif=exif)
    picture = decode(content, SETTINGS)
    with Image.open(io.BytesIO(content)) as plain:
        expected = ImageOps.exif_transpose(plain)
    assert picture.orientation == orientation
    assert (picture.width, picture.height) == expected.size == ((37, 23) if orientation < 5 else (23, 37))
    assert picture.image.tobytes() == expected.tobytes()


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize(("file_format", "mode"), [("JPEG", "RGB"), ("PNG", "L"), ("PNG", "RGBA")])
def test_a_turned_picture_is_also_kept_as_its_file_holds_it(file_format, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(noise(mode), file_format, exif=exif), SETTINGS)
    as_it_lies = decode(encoded(noise(mode), file_format), SETTINGS)
    assert picture.untransposed.mode == as_it_lies.image.mode
    assert picture.untransposed.tobytes() == as_it_lies.image.tobytes()


def test_an_upright_picture_is_kept_once():
    exif = Image.Exif()
    exif[0x0112] = 1
    for content in (encoded(noise(), "JPEG", exif=exif), encoded(noise(), "JPEG")):
        assert decode(content, SETTINGS).untransposed is None


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0 nonsense",
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0\0\0\0\0",  # orientation 99
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x02six\0\0\0\0\0",  # orientation as text
        b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01\x12\0\x03",  # cut off
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x05\0\xff\xff\xff\x7f\x10\0\0\0\0\0\0\0",  # 2³¹ rationals
    ],
)
def test_a_picture_with_broken_exif_is_kept_as_it_lies(exif):
    image = noise()
    picture = decode(encoded(image, "JPEG", exif=exif), SETTINGS)
    assert (picture.orientation, picture.untransposed) == (1, None)
    assert picture.image.tobytes() == pixels_of(encoded(image, "JPEG")).astype(np.uint8).tobytes()


@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_transparency_is_laid_on_white(file_format):
    image = noise("RGBA")
    colour, alpha = np.asarray(image)[..., :3].astype(float), np.asarray(image)[..., 3:] / 255
    shown = pixels_of(
        encoded(image, file_format, **({"lossless": True, "exact": True} if file_format == "WEBP" else {}))
    )
    np.testing.assert_allclose(shown, colour * alpha + 255 * (1 - alpha), atol=1.01)


def test_grey_with_alpha_is_laid_on_white():
    image = noise("LA")
    grey, alpha = (np.asarray(image)[..., at].astype(float) for at in (0, 1))
    shown = pixels_of(encoded(image))
    np.testing.assert_allclose(shown[..., 1], grey * alpha / 255 + 255 - alpha, atol=1.01)


def test_a_palette_with_alpha_is_laid_on_white():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putdata([0, 1])
    assert pixels_of(encoded(image)).tolist() == [[[200, 0, 0], [0, 0, 200]]]
    assert pixels_of(encoded(image, transparency=1)).tolist() == [[[200, 0, 0], [255, 255, 255]]]
    assert pixels_of(encoded(image, transparency=b"\xff\x00")).tolist() == [[[200, 0, 0], [255, 255, 255]]]
    assert pixels_of(encoded(image, "GIF", transparency=0)).tolist() == [[[255, 255, 255], [0, 0, 200]]]


def test_a_transparent_colour_is_white():
    image = Image.fromarray(np.array([[[10, 20, 30], [40, 50, 60]]], dtype=np.uint8))
    assert pixels_of(encoded(image, transparency=(10, 20, 30))).tolist() == [[[255] * 3, [40, 50, 60]]]


def test_16_bit_grey_is_scaled_not_cut():
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    shown = pixels_of(encoded(Image.fromarray(deep)))
    np.testing.assert_array_equal(shown, np.floor(deep / 257 + 0.5))


def test_a_transparent_16_bit_grey_is_white():
    rows = zlib.compress(b"\0" + struct.pack(">HH", 300, 20_000))
    content = png(2, 1, 16, 0, chunk(b"tRNS", struct.pack(">H", 300)), chunk(b"IDAT", rows))
    assert pixels_of(content).tolist() == [[255, 78]]


def test_16_bit_colours_with_a_transparent_one_are_read():
    rows = zlib.compress(b"\0" + struct.pack(">6H", 300, 400, 500, 20_000, 30_000, 40_000))
    content = png(2, 1, 16, 2, chunk(b"tRNS", struct.pack(">3H", 300, 400, 500)), chunk(b"IDAT", rows))
    np.testing.assert_allclose(pixels_of(content)[0, 1], np.array([20_000, 30_000, 40_000]) / 257, atol=1)


@pytest.mark.parametrize("mode", ["CMYK", "1", "P"])
def test_other_modes_become_rgb_or_grey(mode):
    image = noise().convert(mode)
    content = encoded(image, "JPEG" if mode == "CMYK" else "PNG")
    with Image.open(io.BytesIO(content)) as plain:
        expected = np.asarray(plain.convert("L" if mode == "1" else "RGB"))
    np.testing.assert_array_equal(pixels_of(content), expected)


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG"])
def test_only_the_first_frame_is_seen(file_format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "lime")]
    content = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(pixels_of(content), np.broadcast_to([255, 0, 0], (8, 8, 3)))


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_that_was_cut_off_is_none(file_format, cut):
    content = encoded(noise(size=(200, 150)), file_format)
    unreadable = decode(content[: int(len(content) * cut)], SETTINGS)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason in {UnreadableReason.TRUNCATED, UnreadableReason.BROKEN}


def bomb(width, height):
    return png(width, height, 8, 2, chunk(b"IDAT", zlib.compress(bytes(1000))))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", UnreadableReason.EMPTY),
        (b"<svg/>", UnreadableReason.UNKNOWN_FORMAT),
        (b"%!PS-Adobe-3.0 EPSF-3.0", UnreadableReason.UNKNOWN_FORMAT),
        (b"BM" + bytes(100), UnreadableReason.UNKNOWN_FORMAT),
        (b"\xff\xd8\xff", UnreadableReason.BROKEN),
        (b"GIF89a", UnreadableReason.BROKEN),
        (bomb(8_001, 8_000), UnreadableReason.TOO_LARGE),
        (bomb(60_000, 60_000), UnreadableReason.BOMB),
        (bomb(12_000, 8_000), UnreadableReason.TOO_LARGE),  # large enough for Pillow to warn
        (bomb(100, 100), UnreadableReason.TRUNCATED),
        (png(0, 0, 8, 2), UnreadableReason.BROKEN),
        (encoded(noise(), "AVIF"), UnreadableReason.FORMAT_OFF),
    ],
)
def test_what_cannot_be_opened_says_why(content, reason):
    unreadable = decode(content, SETTINGS)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason is reason, unreadable
    assert 0 < len(unreadable.detail) <= 200


def test_the_pixel_limit_itself_is_still_read():
    content = encoded(noise(size=(40, 25)))
    assert isinstance(decode(content, DecodeSettings(max_pixels=1000)), Picture)
    assert decode(content, DecodeSettings(max_pixels=999)).reason is UnreadableReason.TOO_LARGE


@hypothesis_settings(deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "AVIF"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20),
)
def test_no_damaged_picture_raises(file_format, damage):
    content = bytearray(encoded(noise(size=(16, 16)), file_format))
    for at, byte in damage:
        content[at % len(content)] = byte
    result = decode(bytes(content), AVIF_TOO)
    assert isinstance(result, Unreadable) or result.image.mode in {"RGB", "L"}


@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF1234WEBP", b"\0\0\0\x1cftypavif"]),
    st.binary(),
)
def test_no_bytes_raise(start, rest):
    assert isinstance(decode(start + rest, AVIF_TOO), Unreadable | Picture)


def test_the_format_is_told_by_content():
    contents = {name: encoded(noise(), name) for name in PictureFormat}
    assert {name: sniff(content[:64]) for name, content in contents.items()} == {name: name for name in contents}
    assert sniff(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1" + bytes(40)) is None


def test_many_threads_keep_quiet_and_leave_the_warnings_as_they_were():
    malformed = encoded(noise(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\xff\x01\x12\0\x03")
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _number: decode(malformed, SETTINGS), range(64)))
    assert all(isinstance(result, Picture) for result in results)
    assert warnings.filters == before


def test_only_pillows_warnings_are_kept_quiet():
    with pillow_warnings_ignored(), pytest.raises(UserWarning):
        warnings.warn("ours", UserWarning, stacklevel=1)


def test_every_hostile_file_ends_as_a_picture_or_a_reason(shared):
    folders = [shared / "hostile", shared / "pairs"]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    results = [decode(path.read_bytes(), AVIF_TOO) for path in files]
    read = [result for result in results if isinstance(result, Picture)]
    assert len(read) > 350
    assert {picture.image.mode for picture in read} == {"RGB", "L"}
    assert all(result.detail for result in results if isinstance(result, Unreadable))


def test_the_same_photo_in_every_orientation_is_shown_alike(shared):
    folder = shared / "pairs" / "exif_orientation"
    for shape in ("Landscape", "Portrait"):
        shown = [pixels_of((folder / f"{shape}_{tag}.jpg").read_bytes()) for tag in range(1, 9)]
        for other in shown[1:]:
            assert other.shape == shown[0].shape
            assert np.abs(other - shown[0]).mean() < 6
