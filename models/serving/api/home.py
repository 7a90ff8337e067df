"""A home as notebooks and scripts use it, behind ``seenbefore.open``: tables as frames, searches, scores, training."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from data.errors import SourceError
from data.images.decode import Unreadable, decode
from data.settings import DecodeSettings, load_settings
from features.hashing.fingerprint import fingerprint
from models.serving.context import open_context
from models.serving.export_tables import label_frame, table_frame
from models.serving.learning.evaluate_model import evaluate_model
from models.serving.learning.kept_models import kept_models
from models.serving.learning.train_model import Promote, gather, train_candidate
from models.serving.load_tables import Tables, end_load, load_tables
from models.serving.pictures.fetch_pictures import due_downloads, fetch, fingerprint_pictures, pictures_to_fingerprint
from models.serving.pictures.match_pictures import compare_new_pictures, listings_to_match, match, reopen_listings
from models.serving.pictures.query_pictures import Upload, read_queries
from models.serving.pictures.search_pictures import SearchOptions, find_duplicates, find_similar
from models.serving.scoring.score_one_listing import ListingScore, Posting, score_listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    import pandas as pd

    from features.hashing.fingerprint import Fingerprint
    from models.serving.context import Context

PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
ADVICE = "Give a whole JPEG, PNG, WebP or GIF file."


@dataclass(frozen=True, slots=True)
class Home:
    """What was loaded, found and scored in a home, and what can be asked of it.

    Frames have the columns that ``docs/tables.md`` explains. What writes to the home keeps others out of it meanwhile.

    Parameters
    ----------
    context
        The open catalog, picture store and model registry.
    clock
        Tells what time it is, aware UTC.
    hold
        Keeps other runs out of the home while its block lasts; it takes what others are told is going on.
    """

    context: Context
    clock: Callable[[], datetime]
    hold: Callable[[str], AbstractContextManager[None]]

    def listings(self) -> pd.DataFrame:
        """Return every version of every listing, with its picture addresses as a JSON list."""
        return table_frame(self.context, "listings")

    def images(self) -> pd.DataFrame:
        """Return every picture of every listing: what became of its address, and its hashes in hexadecimal digits."""
        return table_frame(self.context, "images")

    def matches(self) -> pd.DataFrame:
        """Return which pictures other sellers had shown before, who was first, and how sure that is."""
        return table_frame(self.context, "matches")

    def features(self) -> pd.DataFrame:
        """Return what scored listings were described by, each as of its own moment."""
        return table_frame(self.context, "features")

    def scores(self) -> pd.DataFrame:
        """Return every score with band, model and reasons (a JSON list)."""
        return table_frame(self.context, "scores")

    def labels(self) -> pd.DataFrame:
        """Return what was decided: ``listing_id, seller_id, label, known_at, source``, verdicts of the desk too."""
        return label_frame(self.context)

    def verdicts(self) -> pd.DataFrame:
        """Return what analysts decided at the desk, with time and reason."""
        return table_frame(self.context, "verdicts")

    def rejects(self) -> pd.DataFrame:
        """Return the rows that could not be kept, with file, line, column and reason."""
        return table_frame(self.context, "rejects")

    def models(self) -> pd.DataFrame:
        """Return the kept models, newest first, and which one is in use."""
        return kept_models(self.context)

    def examples(self, *, until: datetime | None = None, since: datetime | None = None) -> pd.DataFrame:
        """Return what a model learns from: a row of features for each listing, and its label in ``y`` (NaN: unknown).

        Parameters
        ----------
        until
            Nothing that was known only later is in it; default: now.
        since
            Listings up to this moment are left out.
        """
        rows = self.context.settings.batch_rows
        return gather(self.context, since=since, until=until or self.clock(), rows=rows).examples

    def ingest(
        self,
        listings: str | os.PathLike[str],
        *,
        sellers: str | os.PathLike[str] | None = None,
        labels: str | os.PathLike[str] | None = None,
        images_root: str | os.PathLike[str] | None = None,
        mapping: Mapping[str, str] | None = None,
        timezone: str | None = None,
    ) -> dict[str, int]:
        """Load tables, fetch and fingerprint their pictures, and find where each was seen before; return counts.

        This process alone does the work; ``seenbefore ingest`` spreads it over many.

        Parameters
        ----------
        listings, sellers, labels
            Files, folders or ``sqlalchemy-url#table-or-query``.
        images_root
            Folder below which picture paths lie.
        mapping
            Our column by theirs.
        timezone
            Zone of times that state none.

        Raises
        ------
        SourceError, TableError
            A table cannot be read, or lacks columns.
        BusyError
            A run is under way in this home.
        """
        tables = Tables(
            listings=os.fspath(listings),
            sellers=None if sellers is None else os.fspath(sellers),
            labels=None if labels is None else os.fspath(labels),
            images_root=None if images_root is None else os.fspath(images_root),
            mapping=tuple(f"{theirs}={ours}" for theirs, ours in (mapping or {}).items()),
            timezone=timezone,
        )
        context, root = self.context, None if images_root is None else Path(images_root)
        with self.hold("ingest in a notebook"):
            load, counts = load_tables(context, tables, self.clock())
            fetched = fetch(context, load, due, root) if (due := due_downloads(context, load)) else {}
            hashed = fingerprint_pictures(context, pictures_to_fingerprint(context))
            compared = compare_new_pictures(context, self.clock()) | reopen_listings(context)
            matched = match(context, keys) if (keys := listings_to_match(context)) else {"matches": 0}
            end_load(context, load, self.clock())
        return {**counts, **{f"pictures_{status}": n for status, n in fetched.items()}, **hashed, **compared, **matched}

    def search(
        self,
        images: str | os.PathLike[str] | Image.Image | Sequence[str | os.PathLike[str] | Image.Image],
        *,
        kind: str | None = None,
        within: int | None = None,
        min_probability: float | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Return the known pictures like some images, the likeliest first, each with who showed it first.

        Parameters
        ----------
        images
            Files, folders, http(s) addresses or opened images; one of them or several.
        kind, within
            Compare by this hash alone, and how many bits may differ.
        min_probability
            Least probability of being the same photo; 0 lists every candidate. By default the operating point.
        limit
            Most hits of one image.

        Returns
        -------
        DataFrame
            `models.serving.pictures.search_pictures.SIMILAR_COLUMNS`; ``attrs["unread"]`` names the images that could
            not be read, and why.

        Raises
        ------
        SourceError
            None of them can be read.
        """
        several = [images] if isinstance(images, (str, os.PathLike, Image.Image)) else list(images)
        options = SearchOptions(kind=kind, within=within, min_probability=min_probability, limit=limit)
        with _as_files(several) as names, read_queries(self.context, names) as queries:
            rows = find_similar(self.context, queries, options, self.clock()).rows
            rows.attrs["unread"] = dict(queries.unread)
        return rows

    def duplicates(self, *, kind: str | None = None, within: int = 0) -> pd.DataFrame:
        """Return every posting of the photos that were posted more than once.

        Returns
        -------
        DataFrame
            `models.serving.pictures.search_pictures.DUPLICATE_COLUMNS`.
        """
        return find_duplicates(self.context, self.clock(), kind=kind, within=within).rows

    def score_listing(
        self, listing: Mapping[str, str], pictures: Sequence[str | os.PathLike[str]] = ()
    ) -> ListingScore:
        """Score a listing as of now, with all that is known by then; nothing of it is kept.

        Parameters
        ----------
        listing
            Texts by column of the listings table.
        pictures
            Its pictures as files, beside those at its ``image_urls``.

        Raises
        ------
        SourceError
            The listing is none that an ingest would keep; every fault is named.
        """
        uploads = tuple(Upload(Path(file).name, Path(file).read_bytes()) for file in pictures)
        return score_listing(self.context, Posting({"image_urls": "[]", **listing}, uploads), self.clock())

    def train(self, *, until: datetime | None = None, promote: str = Promote.NEVER) -> dict[str, Any]:
        """Fit a model to what was known, evaluate it honestly and keep it; return a summary with its ``model_id``.

        Parameters
        ----------
        until
            Nothing that was known only later counts; default: now.
        promote
            Whether it comes into use: ``never``, ``auto`` (if it is better than the present one) or ``always``.

        Raises
        ------
        NotEnoughLabels
            There is too little to learn from.
        BusyError
            A run is under way in this home.
        """
        now = self.clock()
        with self.hold("train in a notebook"):
            return train_candidate(self.context, until=until or now, promote=Promote(promote), now=now)

    def evaluate(
        self,
        model_id: str | None = None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        out: str | os.PathLike[str] | None = None,
        quick: bool = True,
    ) -> dict[str, Any]:
        """Judge a kept model, or the one in use, on listings it has not learned from; return figures and a report.

        Parameters
        ----------
        since, until
            Bounds of what is judged; decisions known by ``until`` count.
        out
            Folder for tables and report; default: in the home.
        quick
            Whether to leave out what needs training again.
        """
        return evaluate_model(
            self.context,
            model_id=model_id,
            since=since,
            until=until or self.clock(),
            out=None if out is None else Path(out),
            quick=quick,
        )


def open_home(
    folder: Path | None, clock: Callable[[], datetime], hold: Callable[[Path, str], AbstractContextManager[None]]
) -> Home:
    """Open a home by the settings in force; ``hold`` takes its folder and what is going on in it."""
    settings = load_settings(folder)

    def hold_home(what: str) -> AbstractContextManager[None]:
        return hold(settings.home, what)

    return Home(open_context(settings), clock, hold_home)


def fingerprint_of(picture: str | os.PathLike[str] | Image.Image) -> Fingerprint:
    """Return the hashes of a picture file, or of an image that Pillow has opened.

    Raises
    ------
    SourceError
        The file holds no picture that can be opened.
    """
    content, name = (_as_png(picture), "") if isinstance(picture, Image.Image) else _read(picture)
    decoded = decode(content, DecodeSettings())
    if isinstance(decoded, Unreadable):
        raise SourceError(f"the picture{name}", decoded.detail, ADVICE)
    return fingerprint(decoded.image, decoded.untransposed)


@contextmanager
def _as_files(images: Sequence[str | os.PathLike[str] | Image.Image]) -> Iterator[list[str]]:
    """Yield files and addresses by name, and opened images as files that are gone when the block ends."""
    with TemporaryDirectory(prefix="seenbefore-") as folder:
        names = []
        for number, image in enumerate(images):
            if isinstance(image, Image.Image):
                file = Path(folder) / f"image-{number}.png"
                file.write_bytes(_as_png(image))
                names.append(str(file))
            else:
                names.append(os.fspath(image))
        yield names


def _read(file: str | os.PathLike[str]) -> tuple[bytes, str]:
    """Return what a file holds, and its name as it stands behind a noun."""
    try:
        return Path(file).read_bytes(), f" {os.fspath(file)}"
    except OSError as error:
        raise SourceError(f"the picture {os.fspath(file)}", error.strerror or str(error), ADVICE) from error


def _as_png(image: Image.Image) -> bytes:
    """Return an opened image as a file that holds the same pixels, upright."""
    upright, file = ImageOps.exif_transpose(image), BytesIO()
    (upright if upright.mode in PNG_MODES else upright.convert("RGB")).save(file, "PNG")
    return file.getvalue()
