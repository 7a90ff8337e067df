"""Which picture format a file is in, decided by its first bytes, never by a name or a content type."""

from __future__ import annotations

from enum import StrEnum

SNIFF_BYTES = 64


class PictureFormat(StrEnum):
    """The formats that marketplaces use, named as Pillow names them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    AVIF = "AVIF"


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


def _is_avif(content: bytes | bytearray) -> bool:
    """Whether an ISO media file names an AVIF brand, as its major or as a compatible one."""
    if content[4:8] != b"ftyp":
        return False
    brands_end = min(int.from_bytes(content[:4], "big"), SNIFF_BYTES, len(content))
    brands = {bytes(content[at : at + 4]) for at in (8, *range(16, brands_end - 3, 4))}
    return not brands.isdisjoint({b"avif", b"avis"})
