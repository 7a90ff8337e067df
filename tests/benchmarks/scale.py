"""What a day of new listings and what a training frame cost in a large catalog, without any picture.

    python -m tests.benchmarks.scale fill FOLDER --listings 1000000
    python -m tests.benchmarks.scale day FOLDER
    python -m tests.benchmarks.scale frame FOLDER

``day`` scores the newest 10,000 listings as the flow does, again as often as it is asked for; ``frame`` gathers what
training learns from. Each says how long it took and the most memory that its process held.
"""

from __future__ import annotations

import argparse
import resource
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import psutil

from data.catalog.database.frames import read_frame, whole_table
from data.catalog.database.schema import features, price_days, scores
from data.catalog.market.photo_ties import note_all_taken
from data.catalog.market.scoring_moments import by_seller, forget_news, note_news, unscored_moments
from data.settings import Settings
from features.point_in_time.ring_features import TIE_LIMITS
from models.serving.context import open_context
from models.serving.learning.train_model import gather
from models.serving.scoring.draw_random_sample import draw_random_sample
from models.serving.scoring.score_listings import gather_prices_of, rank, score_moments
from tests.benchmarks.filled_catalog import A_DAY, DAY_US, END_US, Generated, fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from models.serving.context import Context

RUN_ID = "newest"


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took, by the clock and in CPU seconds of this process."""
    began_s, cpu_s = time.perf_counter(), time.process_time()
    yield
    print(f"{what:>24}: {time.perf_counter() - began_s:7.1f} s, CPU {time.process_time() - cpu_s:7.1f} s", flush=True)


def make(context: Context, listings: int) -> None:
    """Fill the catalog with so many listings, and with a day's that are not scored yet."""
    context.catalog.close()
    with timed("rows written"):
        fill(context.settings.home / "catalog.sqlite", Generated(listings + A_DAY), listings)
    day_before = pd.Timestamp(END_US - 2 * DAY_US, unit="us", tz="UTC").as_unit("us")
    filled = open_context(context.settings)
    gather_prices_of(filled, pd.DataFrame({"as_of": [day_before]}))
    with filled.catalog.write() as connection:
        note_all_taken(connection, TIE_LIMITS)


def score_day(context: Context) -> None:
    """Score the newest day as the flow does."""
    with context.catalog.write() as connection:
        scored = read_frame(connection, whole_table(scores, ("listing_key",)).where(scores.c.run_id == RUN_ID))
        note_news(connection, scored["listing_key"])
        connection.execute(scores.delete().where(scores.c.run_id == RUN_ID))
        connection.execute(features.delete().where(features.c.as_of >= END_US - DAY_US))
        # The day before has just ended: whoever scored it could not have gathered its prices.
        connection.execute(price_days.delete().where(price_days.c.day_at >= END_US - 2 * DAY_US))
    rows, began_s = context.settings.batch_rows, time.perf_counter()
    with timed("finding what is new"), context.catalog.read() as connection:
        moments = by_seller(connection, unscored_moments(connection, None, None))
    with timed("gathering prices"):
        gather_prices_of(context, moments)
    keys = list(moments.itertuples(index=False, name=None))
    with timed(f"scoring {len(keys):,}"):
        for start in range(0, len(keys), rows):
            score_moments(context, keys[start : start + rows], RUN_ID)
    with timed("ranking, drawing"):
        with context.catalog.write() as connection:
            forget_news(connection)
        rank(context, RUN_ID)
        draw_random_sample(context, RUN_ID)
    print(f"{'the day':>24}: {time.perf_counter() - began_s:7.1f} s")


def gather_frame(context: Context) -> None:
    """Describe every listing for training."""
    until = datetime.fromtimestamp(END_US / 1e6, UTC)
    with timed("training frame"):
        examples = gather(context, since=None, until=until, rows=context.settings.batch_rows).examples
    print(f"{len(examples):,} examples, {examples['y'].notna().sum():,} decided")


def main() -> None:
    """Do one of the three, and say what the machine did meanwhile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fill", "day", "frame"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--listings", type=int, default=100_000)
    given = parser.parse_args()
    context = open_context(Settings(home=given.folder))
    psutil.cpu_percent()
    held_gb = psutil.Process().memory_info().rss / 1e9
    if given.what == "fill":
        make(context, given.listings)
    elif given.what == "day":
        score_day(context)
    else:
        gather_frame(context)
    most_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{held_gb:.2f} GB at the start, {most_gb:.2f} at most; the machine was {psutil.cpu_percent():.0f} % busy")


if __name__ == "__main__":
    main()
