"""The composition root: settings become an open catalog, an image store and a model registry, once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from data.catalog.database.engine import Catalog, open_catalog
from data.images.download.fetcher import Fetcher
from data.images.store.image_store import ImageStore
from models.registry.registry import Registry

if TYPE_CHECKING:
    from data.settings import FetchSettings, Settings


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a step needs from outside."""

    settings: Settings
    catalog: Catalog
    store: ImageStore
    registry: Registry


@lru_cache(maxsize=8)
def open_context(settings: Settings) -> Context:
    """Open what the settings name; the same settings give the same context, in workers as well."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return Context(
        settings=settings,
        catalog=open_catalog(settings.resolved_catalog_url),
        store=ImageStore(settings.resolved_images_url),
        registry=Registry(settings.home / "models"),
    )


@lru_cache(maxsize=8)
def open_fetcher(settings: FetchSettings, store: ImageStore) -> Fetcher:
    """Open the one fetcher of this process: what is learnt of hosts lasts from chunk to chunk, and so do all limits."""
    return Fetcher(settings, store)
