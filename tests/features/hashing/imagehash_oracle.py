"""What ImageHash itself says of a picture, by five calls: slow and obvious."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagehash

if TYPE_CHECKING:
    from PIL import Image

FUNCTIONS = {
    "ahash": imagehash.average_hash,
    "phash": imagehash.phash,
    "dhash": imagehash.dhash,
    "whash": imagehash.whash,
    "colorhash": imagehash.colorhash,
}


def printed_hashes(image: Image.Image) -> dict[str, str]:
    """Return the five hashes as ImageHash prints them."""
    return {kind: str(function(image)) for kind, function in FUNCTIONS.items()}
