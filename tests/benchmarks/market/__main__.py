"""Judge the whole job on the synthetic market, of which all is known, thefts that no photo shows included.

    python -m tests.benchmarks.market --listings 20000 --seeds 11 12 13 --cache /somewhere --out table.md

Each market is drawn, ingested and matched as `seenbefore ingest` does it, and learned from as `seenbefore train` does
it at the end of its first 120 days. Pictures and fingerprints are kept in the cache; catalogs are made anew, unless
``--keep`` leaves them there for the next look at the same matches.
``--references`` makes no pictures and prints only what can be said without them: the two references.
"""

from __future__ import annotations

import argparse
import os
import resource
from pathlib import Path
from tempfile import TemporaryDirectory

from data.synthetic.market import make_market
from models.serving.demo_market import DAYS, START, Recipe

from .homes import filled
from .judging import Judgement, judge
from .references import bounds
from .tables import as_markdown, bounds_line


def judged(listings: int, seed: int, cache: Path, *, keep: bool) -> Judgement:
    """Make one market, fill a home with it, and judge."""
    market = make_market(listings=listings, seed=seed, start=START, days=DAYS)
    with filled(market, cache, name=f"{listings}-{seed}", keep=keep) as home:
        return judge(home, market, Recipe(listings, seed, ""))


def main() -> None:
    """Judge each seed's market in turn and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument(
        "--cache", type=Path, help="folder for pictures and fingerprints; default: forgotten at the end"
    )
    parser.add_argument("--out", type=Path, help="file for the table")
    parser.add_argument("--keep", action="store_true", help="leave filled catalogs in the cache, and take those left")
    parser.add_argument("--references", action="store_true", help="only the references, without pictures")
    arguments = parser.parse_args()
    with TemporaryDirectory() as forgotten:
        cache = (arguments.cache or Path(forgotten)).resolve()
        # One server for all seeds: it would be left behind in the first home, which is removed.
        os.environ.setdefault("PREFECT_HOME", str(cache / "prefect"))
        if arguments.references:
            for seed in arguments.seeds:
                print(bounds_line(seed, bounds(arguments.listings, seed, cache)), flush=True)
            return
        judgements = []
        for seed in arguments.seeds:
            judgements.append(judged(arguments.listings, seed, cache, keep=arguments.keep))
            print(as_markdown(judgements[-1:]), flush=True)
    table = as_markdown(judgements)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{table}\n\nMost memory of all seeds in one process: {peak_mb:,.0f} MB")
    if arguments.out:
        arguments.out.write_text(table + "\n")


if __name__ == "__main__":
    main()
