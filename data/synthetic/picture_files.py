"""Makes the planned picture files: draws, copies, edits, encodes, and breaks those that are to be broken."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from data.synthetic.drawn_pictures import (
    Scene,
    draw_photo,
    draw_placeholder,
    draw_stock,
    fitted_photo,
    with_banner,
)
from data.synthetic.entries import Fate, PictureKind, PicturePlan
from data.synthetic.picture_edits import Edit, edited

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from pathlib import Path

    import pandas as pd

ERROR_PAGE = b"<!DOCTYPE html><title>Too many requests</title><p>Please try again later.</p>\n"


def make_pictures(pictures: pd.DataFrame, folder: Path, on_picture: Callable[[int], None]) -> int:
    """Make the files of a market's picture plan.

    Parameters
    ----------
    pictures
        ``Market.pictures``.
    folder
        The paths lie below it.
    on_picture
        Told the number of files made so far, after each.

    Returns
    -------
    int
        How many files were made; a dead address has none.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    alive = pictures[pictures["fate"] != Fate.DEAD]
    names = [field.name for field in fields(PicturePlan)]
    made = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # Copies of copies wait for what they are copied from.
        for _, level in alive.groupby("depth"):
            plans = [_plan(row) for row in level[names].to_dict("records")]
            for _ in pool.map(partial(_make, folder), plans, level["photo"]):
                made += 1
                on_picture(made)
    return made


def _plan(row: Mapping[Hashable, Any]) -> PicturePlan:
    """Read a row of the plan back; a frame holds texts where the plan has enumerations."""
    named = {str(name): value for name, value in row.items()}
    enums = {"kind": PictureKind(named["kind"]), "edit": Edit(named["edit"]), "fate": Fate(named["fate"])}
    return PicturePlan(**(named | enums))


def _make(folder: Path, plan: PicturePlan, photo: str) -> None:
    file = folder / plan.path
    if plan.fate is Fate.PAGE:
        file.write_bytes(ERROR_PAGE)
    elif plan.kind is PictureKind.COPY and plan.edit is Edit.NONE:
        shutil.copyfile(folder / plan.source, file)
    else:
        file.write_bytes(_encoded(_picture(folder, plan, photo), plan.quality))
    if plan.fate is Fate.TRUNCATED:
        os.truncate(file, file.stat().st_size // 2)


def _picture(folder: Path, plan: PicturePlan, photo: str) -> Image.Image:
    if plan.kind is PictureKind.COPY:
        picture = _copied(folder / plan.source)
    elif plan.kind is PictureKind.STOCK:
        picture = draw_stock(plan.category, plan.item)
    elif plan.kind is PictureKind.PLACEHOLDER:
        picture = draw_placeholder(plan.item)
    else:
        picture = _opened(photo) or draw_photo(Scene(plan.category, plan.setting, plan.item, plan.view))
    beside = _copied(folder / plan.beside) if plan.beside else None
    changed = edited(picture, plan.edit, np.random.default_rng(plan.view), beside)
    return with_banner(changed, plan.banner) if plan.banner else changed


def _copied(file: Path) -> Image.Image:
    with Image.open(file) as source:
        return source.convert("RGB")


def _opened(photo: str) -> Image.Image | None:
    """Open somebody's own photograph; ``None`` where there is none or it cannot be read."""
    if not photo:
        return None
    try:
        with Image.open(photo) as picture:
            return fitted_photo(picture)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _encoded(picture: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
