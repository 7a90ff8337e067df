"""From the bytes of a picture file to the picture as a person sees it, or a reason why there is none."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, UnidentifiedImageError

from data.images.fetch_outcome import DETAIL_CHARS
from data.visible_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data.settings import DecodeSettings

ORIENTATION_TAG = 0x0112
UPRIGHT = 1
# What undoes each EXIF orientation (CIPA DC-008, 4.6.5).
_UPRIGHT_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SNIFF_BYTES = 64
_lock = threading.Lock()
_inside = 0
_ignoring: warnings.catch_warnings[None] | None = None


def decode(content: bytes, settings: DecodeSettings) -> Picture | Unreadable:
    """Open a picture file; never raises, whatever the bytes.

    Parameters
    ----------
    content
        The whole file. Only JPEG, PNG, WebP and GIF are opened, and AVIF if the settings say so, by content.
    settings
        The largest picture, in pixels, checked before any pixel is read.
    """
    found = sniff(content)
    if found is None:
        if not content:
            return Unreadable(UnreadableReason.EMPTY, "The file is empty.")
        return Unreadable(UnreadableReason.UNKNOWN_FORMAT, "The file does not begin like a picture we open.")
    if found is PictureFormat.AVIF and not settings.avif:
        return Unreadable(UnreadableReason.FORMAT_OFF, "AVIF files are not opened unless decode.avif is set.")
    try:
        with pillow_warnings_ignored():
            return _open(content, found, settings.max_pixels)
    except Image.DecompressionBombError as error:
        return Unreadable(UnreadableReason.BOMB, visible(str(error), DETAIL_CHARS))
    except UnidentifiedImageError:
        return Unreadable(UnreadableReason.BROKEN, f"It begins like {found} but is none.")
    except MemoryError:
        return Unreadable(UnreadableReason.POISON_MEMORY, "The picture does not fit into memory.")
    except Exception as error:  # noqa: BLE001  Pillow raises nearly everything on broken files; all of it is recorded
        return Unreadable(_reason_of(error), visible(f"{type(error).__name__}: {error}", DETAIL_CHARS))


def sniff(content: bytes | bytearray) -> PictureFormat | None:
    """Name the format of a picture file.

    Parameters
    ----------
    content
        The file, or at least its first `SNIFF_BYTES` bytes.

    Returns
    -------
    PictureFormat or None
        ``None`` for anything that is not one of the formats.
    """
    if content.startswith(b"\xff\xd8\xff"):
        return PictureFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureFormat.PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return PictureFormat.GIF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PictureFormat.WEBP
    return PictureFormat.AVIF if _is_avif(content) else None


@contextlib.contextmanager
def pillow_warnings_ignored() -> Iterator[None]:
    """Ignore warnings that Pillow's own modules raise, while any thread is inside.

    ``warnings.catch_warnings`` alone changes and restores one list for all threads, so two of them would restore each
    other's: here the first one in changes it and the last one out restores it. Without this a remark becomes an
    exception under ``-W error``, and a readable photograph a broken one.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


class UnreadableReason(StrEnum):
    """Why a file gives no picture."""

    EMPTY = "empty"
    UNKNOWN_FORMAT = "unknown_format"
    FORMAT_OFF = "format_off"
    TOO_LARGE = "too_large"
    BOMB = "bomb"
    TRUNCATED = "truncated"
    BROKEN = "broken"
    UNSUPPORTED_MODE = "unsupported_mode"
    POISON_TIME = "poison_time"
    POISON_MEMORY = "poison_memory"
    POISON_CRASH = "poison_crash"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as a person sees it.

    Parameters
    ----------
    image
        Mode ``RGB`` or ``L``, loaded: first frame, upright, on white where it was transparent, 8 bits a channel.
        A plain RGB or grey picture is exactly what Pillow reads.
    format
        What the file is, by content.
    orientation
        The EXIF orientation that was applied, 1 to 8; 1 if there was none or it was broken.
    untransposed
        The picture before that, as the file holds it; ``None`` if it was upright.
    """

    image: Image.Image
    format: PictureFormat
    orientation: int
    untransposed: Image.Image | None = None

    @property
    def width(self) -> int:
        """Width as displayed, in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Height as displayed, in pixels."""
        return self.image.height


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that gives no picture, and why."""

    reason: UnreadableReason
    detail: str


class PictureFormat(StrEnum):
    """The formats that marketplaces use, named as Pillow names them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    AVIF = "AVIF"


def _open(content: bytes, found: PictureFormat, max_pixels: int) -> Picture | Unreadable:
    with Image.open(io.BytesIO(content), formats=[found]) as image:
        width, height = image.size
        if width * height > max_pixels:
            return Unreadable(UnreadableReason.TOO_LARGE, f"{width} × {height} is more than {max_pixels} pixels.")
        image.load()
        shown = _as_shown(image)
        if shown is None:
            return Unreadable(UnreadableReason.UNSUPPORTED_MODE, f"Mode {image.mode} is not known here.")
        orientation = _orientation(image)
    if orientation == UPRIGHT:
        return Picture(shown, found, orientation)
    return Picture(shown.transpose(_UPRIGHT_BY[orientation]), found, orientation, untransposed=shown)


def _as_shown(image: Image.Image) -> Image.Image | None:
    """Bring a loaded picture to RGB or L as a screen shows it on white; ``None`` for a mode that cannot be."""
    if image.mode == "I;16":
        return _from_16_bit(image)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in {"RGB", "L"}:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"P", "CMYK", "YCbCr", "RGBX"}:
        return image.convert("RGB")
    return None


def _on_white(image: Image.Image) -> Image.Image:
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits, rounding; Pillow's own conversion would cut at 255."""
    deep = np.asarray(image, dtype=np.uint32)
    grey = ((deep * 255 + 32767) // 65535).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[deep == transparent] = 255
    return Image.fromarray(grey)


def _orientation(image: Image.Image) -> int:
    """Read the orientation tag; a broken one, or broken EXIF around it, counts as upright."""
    try:
        tag = image.getexif().get(ORIENTATION_TAG)
    except Exception:  # noqa: BLE001  a photograph is kept whatever its EXIF does to the parser
        return UPRIGHT
    return tag if isinstance(tag, int) and tag in _UPRIGHT_BY else UPRIGHT


def _reason_of(error: Exception) -> UnreadableReason:
    """Tell a file that was cut off from one that is wrong inside, by Pillow's words."""
    cut_off = isinstance(error, EOFError) or "truncated" in str(error).lower()
    return UnreadableReason.TRUNCATED if cut_off else UnreadableReason.BROKEN


def _is_avif(content: bytes | bytearray) -> bool:
    """Whether an ISO media file names an AVIF brand, as its major or as a compatible one."""
    if content[4:8] != b"ftyp":
        return False
    brands_end = min(int.from_bytes(content[:4], "big"), SNIFF_BYTES, len(content))
    brands = {bytes(content[at : at + 4]) for at in (8, *range(16, brands_end - 3, 4))}
    return not brands.isdisjoint({b"avif", b"avis"})


def _enter() -> None:
    global _inside, _ignoring
    with _lock:
        if _inside == 0:
            _ignoring = warnings.catch_warnings()
            _ignoring.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
        _inside += 1


def _leave() -> None:
    global _inside, _ignoring
    with _lock:
        _inside -= 1
        if _inside == 0 and _ignoring is not None:
            _ignoring.__exit__(None, None, None)
            _ignoring = None
