"""``seenbefore demo``: the whole job on a small market made on the spot."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import settings_of

EXAMPLE = "Example: `seenbefore --home var/demo demo --listings 1500 --seed 1`"


def demo(
    context: typer.Context,
    listings: Annotated[int, typer.Option(help="Number of listings in the market.", min=1000)] = 1500,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed makes the same market.")] = 1,
    photos: Annotated[
        Path | None, typer.Option(help="Folder of photographs to use instead of drawn images.", exists=True)
    ] = None,
) -> None:
    """Create a market with thieves in it, then ingest, score, train, score what comes next, and evaluate."""
    started = time.monotonic()
    home = settings_of(context).home
    from flows.cli.console import STDERR
    from flows.cli.progress_bars import bars
    from models.serving.demo_market import Recipe, market_served

    recipe = Recipe(listings, seed, str(photos.resolve()) if photos else "")
    with bars(STDERR), market_served(home.resolve() / "market", recipe) as served:
        # For this run only: the market's own server is the one private address that may be asked.
        os.environ["SEENBEFORE_FETCH__ALLOW_HOSTS"] = f'["{served.host}"]'
        os.environ["SEENBEFORE_REVIEW__DAILY_CAPACITY"] = str(recipe.daily_capacity)
        from flows.demo import tour

        tour(home, served, recipe)
    STDERR.print(f"\nDone in {time.monotonic() - started:.0f} s.")
