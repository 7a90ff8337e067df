"""Grey levels and color classes of all pixels in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from features.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As in hash_bits.py; written again because compiled code is made anew only when its own file changes.
HUES = 6
BLACK, GREY, FAINT, BRIGHT, BETWEEN = 0, 1, 2, 2 + HUES, 2 + 2 * HUES
"""Color classes; the last is a color of exactly the saturation that is neither faint nor bright, not counted."""
DARKEST_GREY = 32
PART = 192
"""Pixels counted at a time: few enough for a count of 8 bits, and a multiple of what processors compare at once."""

RED_PART, GREEN_PART, BLUE_PART = np.int32(19595), np.int32(38470), np.int32(7471)
"""ITU-R 601-2 luma times 2¹⁶, as Pillow rounds it."""
ROUNDING = np.int32(1 << 15)


@compiled
def _hue(channels: tuple[Any, Any, Any], spread: Any) -> Any:
    """Return the sixth of the color circle, 0 to 5, of a pixel that is not grey.

    With the strongest channel at ``base``, the hue lies before or behind it by (next - previous) / spread sixths.
    ImageHash cuts at 43 of 255, a little behind a sixth: hence 84/85 where the hue lies before its base.
    """
    red, green, blue = channels
    base, following, previous = np.int32(4), red, green
    if green >= red and green >= blue:
        base, following, previous = np.int32(2), blue, red
    if red >= green and red >= blue:
        base, following, previous = np.int32(0), green, blue
    behind = np.int32(previous - following)
    hue = base
    if behind > 0:
        weakest = min(min(red, green), blue)
        late = np.int32(85 * np.int32(previous - weakest)) <= np.int32(84 * spread)
        hue = np.int32(base - 1) if late else np.int32(base - 2)
        if hue < 0:
            hue = np.int32(hue + HUES)
    return hue


@compiled
def classify(pixels: NDArray[np.uint32], grey: NDArray[np.uint8], classes: NDArray[np.uint8]) -> None:
    """Write grey level and color class of a row of pixels.

    Saturation is 255 · spread / strongest, cut to whole numbers; its limits are 85, 170 and 171. All comparisons are
    of whole numbers and decide as Pillow's floating point does for each of the 2²⁴ colors.
    """
    for x in range(pixels.size):
        pixel = pixels[x]
        red, green, blue = np.int32(pixel & 255), np.int32((pixel >> 8) & 255), np.int32((pixel >> 16) & 255)
        luma = np.int32(np.int32(red * RED_PART) + np.int32(green * GREEN_PART))
        level = np.int32(luma + np.int32(np.int32(blue * BLUE_PART) + ROUNDING)) >> 16
        grey[x] = np.uint8(level)
        strongest = max(max(red, green), blue)
        spread = np.int32(strongest - min(min(red, green), blue))
        hue = _hue((red, green, blue), spread)
        color_class = np.int32(FAINT + hue)
        if np.int32(3 * spread) >= np.int32(2 * strongest):
            color_class = np.int32(BETWEEN)
        if np.int32(85 * spread) >= np.int32(57 * strongest):
            color_class = np.int32(BRIGHT + hue)
        if np.int32(3 * spread) < strongest:
            color_class = np.int32(GREY)
        if level < DARKEST_GREY:
            color_class = np.int32(BLACK)
        classes[x] = np.uint8(color_class)


@compiled
def _count(classes: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    # A loop a class compares many pixels at once; one loop that adds to a table takes them one by one.
    for start in range(0, classes.size, PART):
        part = classes[start : start + PART]
        for one in range(counts.size):
            count = np.uint8(0)
            for x in range(PART):
                count = np.uint8(count + np.uint8(part[x] == np.uint8(one)))
            counts[one] += count


@compiled
def read_colors(pixels: NDArray[np.uint32], grey: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
    """Write the grey picture and add the color classes of some rows to ``counts``.

    Parameters
    ----------
    pixels
        Shape (rows, columns): red in the lowest byte, then green and blue; the highest byte is not looked at.
    grey
        Filled with what Pillow calls mode ``L``, same shape.
    counts
        Pixels of each class, shape (14,): black, grey, six hues of faint color, six of bright color.
    """
    columns = pixels.shape[1]
    classes = np.full(columns + -columns % PART, np.uint8(BETWEEN))
    for y in range(pixels.shape[0]):
        classify(pixels[y], grey[y], classes)
        _count(classes, counts)
