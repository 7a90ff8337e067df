"""Whether the compiled hashes may be used: only once they are loaded and agree with ImageHash on this machine.

ImageHash's bits depend on the resampling of the Pillow it runs with, which has changed between versions. Each process
therefore compares the compiled way with ImageHash itself on a few small pictures before it uses it, and the way without
a compiler likewise. Where both differ, ImageHash's own functions do the work.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import imagehash
import numpy as np
import PIL
from PIL import Image, ImageFilter

from features.hashing.hash_bits import DecodedPicture, Hashes
from features.hashing.pillow_hashes import read_by_pillow, shrink_by_pillow

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Image.Image], DecodedPicture]

SAMPLE_SIZES = ((300, 200), (210, 520), (90, 1300), (1400, 37), (64, 64), (5, 9))
"""Width and height: both orders of Pillow's two passes, many taps and few, stretching, and nothing to resize."""
SHRUNK_SIZES = ((64, 64), (320, 240))

KEPT_BYTES = 30 << 20
"""Just below the most that glibc's limit grows to."""
COMPILING = "Compiling the hash functions, once on this machine: about 15 seconds."


@dataclass(slots=True)
class FastPath:
    """The fastest way of hashing that can be trusted.

    Parameters
    ----------
    reader
        What reads a picture of mode ``L`` or ``RGB``; ``None`` until `warmup` has found what is right.
    problem
        Why that is not the compiled way, as a sentence; ``None`` if it is, or if `warmup` has not run yet.
    """

    reader: Reader | None = None
    problem: str | None = None
    _is_checked: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def warmup(self, say: Callable[[str], None]) -> str | None:
        """Load the kernels and check them, the first time; return what speaks against them, if anything."""
        with self._lock:
            if not self._is_checked:
                self.reader, self.problem = _checked_reader(say)
                self._is_checked = True
        return self.problem


FAST = FastPath()


def warmup(say: Callable[[str], None] = lambda _: None) -> str | None:
    """Make the fast way of hashing ready in this process; until then pictures are hashed the slow way.

    The first time on a machine this compiles for about fifteen seconds, later it loads for one.

    Parameters
    ----------
    say
        Told in a sentence when there is something to wait for.

    Returns
    -------
    str or None
        Why pictures are still hashed the slow way, as a sentence; ``None`` if they are not.
    """
    return FAST.warmup(say)


def _keep_freed_memory() -> None:
    """Have the next picture use the memory of the last one instead of fetching every page from the system again.

    The C library of Linux gives back at once what is larger than the largest block freed so far; elsewhere this does
    nothing. It halves the time from pixels to hashes.
    """
    np.empty(KEPT_BYTES, np.uint8)


def _checked_reader(say: Callable[[str], None]) -> tuple[Reader, str | None]:
    reader = _compiled_reader(say)
    if not isinstance(reader, str):
        return reader, None
    slow = read_by_imagehash if disagreements(read_by_pillow) else read_by_pillow
    return slow, f"Hashing is slow: {reader}."


def _compiled_reader(say: Callable[[str], None]) -> Reader | str:
    """Return the compiled way, or what speaks against it."""
    try:
        # Not at the top: loading the compiler takes a third of a second, which most commands never need.
        from numba.core.errors import NumbaError

        from features.hashing.compiled_hashes import must_compile, read_compiled, whash_by_imagehash
        from features.keypoints.keypoints import find_keypoints
    except ImportError as error:
        return f"the compiler is not installed ({error})"
    _keep_freed_memory()
    try:
        if must_compile():
            say(COMPILING)
        # Keypoints need no check, but nobody should wait for their kernels in the middle of a picture.
        find_keypoints(np.asarray(samples()[0].convert("L")))
        # Rounding noise at ties of the wavelet hash differs between processors; everything else is whole numbers.
        for read in (read_compiled, partial(read_compiled, tied=whash_by_imagehash)):
            wrong = disagreements(read)
            if not wrong:
                return read
    except NumbaError as error:
        return f"this compiler cannot compile the fast way ({type(error).__name__})"
    versions = f"Pillow {PIL.__version__} and ImageHash {imagehash.__version__}"
    return f"with {versions} the fast way differs from ImageHash ({', '.join(wrong)})"


def disagreements(read: Reader) -> list[str]:
    """Return which hashes of the sample pictures differ from ImageHash's own, each once."""
    wrong = set()
    for image in samples():
        decoded = read(image)
        expected = imagehash_hashes(image)
        wrong |= {kind for kind, own in expected._asdict().items() if getattr(decoded.hashes, kind) != own}
        grey = image.convert("L")
        for size in SHRUNK_SIZES:
            small = shrink_by_pillow(grey, *size)
            wrong |= set() if np.array_equal(decoded.shrink(*size), small) else {"shrinking"}
    return sorted(wrong)


def imagehash_hashes(image: Image.Image) -> Hashes:
    """Return the five hashes as ImageHash computes them, each from the picture itself."""
    return Hashes.of_bits(
        ahash=imagehash.average_hash(image).hash,
        phash=imagehash.phash(image).hash,
        dhash=imagehash.dhash(image).hash,
        whash=imagehash.whash(image).hash,
        colorhash=imagehash.colorhash(image).hash,
    )


def read_by_imagehash(image: Image.Image) -> DecodedPicture:
    """Hash a picture with nothing but ImageHash's own functions."""
    return DecodedPicture(imagehash_hashes(image), partial(shrink_by_pillow, image.convert("L")))


def samples() -> list[Image.Image]:
    """Draw blurred noise in several sizes, in color and grey, and one picture with a white border."""
    noise = np.random.default_rng(0)
    images = []
    for width, height in SAMPLE_SIZES:
        levels = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
        color = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(2))
        images += [color, color.convert("L")]
    framed = Image.new("RGB", (260, 240), "white")
    framed.paste(images[0].crop((0, 0, 100, 90)), (80, 70))
    return [*images, framed]
