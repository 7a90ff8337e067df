"""All settings, read once at startup: environment ``SEENBEFORE_*``, then ``.env``, then ``seenbefore.toml``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from data.errors import SettingsError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

Engine = Literal["threads", "processes", "dask", "ray"]
Undecided = Literal["left_out", "weakly_legit"]


class FetchSettings(BaseModel):
    """How images are downloaded from other people's servers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_hosts: tuple[str, ...] = Field(
        default=(), description="`host[:port]` that may resolve to private addresses (JSON list)"
    )
    allow_ports: tuple[int, ...] = Field(default=(80, 443), description="ports allowed on all other hosts")
    max_bytes: int = Field(default=20_000_000, gt=0, description="largest image file accepted, in bytes")
    timeout_s: float = Field(default=20.0, gt=0, description="maximum total time of one download, in seconds")
    connect_timeout_s: float = Field(default=5.0, gt=0, description="maximum time to connect, in seconds")
    threads: int = Field(default=32, gt=0, description="parallel downloads in total")
    threads_per_host: int = Field(default=8, gt=0, description="parallel downloads per host")
    requests_per_host_s: float = Field(
        default=0.0, ge=0, description="maximum requests per second to one host; 0: no limit"
    )
    max_attempts: int = Field(default=3, gt=0, description="maximum attempts per address, over all runs")
    max_retry_after_s: float = Field(default=60.0, ge=0, description="longest `Retry-After` that is obeyed, in seconds")
    revalidate_after_days: float = Field(
        default=0.0, ge=0, description="age at which an image's address is checked for a changed image; 0: never"
    )
    user_agent: str = Field(
        default="Seenbefore/0.1 (listing photo check)",
        description="`User-Agent` header; add a page or address where a server's owner can reach you",
    )


class DecodeSettings(BaseModel):
    """Which image files are opened, and within which limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pixels: int = Field(default=64_000_000, gt=0, description="largest image opened, in pixels")
    avif: bool = Field(default=False, description="also open AVIF files")
    timeout_s: float = Field(
        default=20.0, gt=0, description="maximum time to decode and fingerprint an image, in seconds"
    )
    max_memory_bytes: int = Field(
        default=2_000_000_000, gt=0, description="maximum memory to decode and fingerprint an image, in bytes"
    )


class ReviewSettings(BaseModel):
    """How much analysts can review; bands and thresholds follow from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_capacity: int = Field(default=50, gt=0, description="listings analysts can review per day")
    audit_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="share of the daily capacity reserved for randomly drawn listings, whatever their score",
    )
    cost_of_a_look: float = Field(
        default=0.0,
        ge=0,
        description="cost of reviewing one listing, in the currency of the prices; 0: bands follow capacity",
    )


class ModelSettings(BaseModel):
    """How training treats time, and listings without a decision."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay_days: float = Field(
        default=7.0, ge=0, description="days between training and test period, for labels to arrive"
    )
    folds: int = Field(default=4, gt=1, description="number of time-ordered test periods in an evaluation")
    undecided: Undecided = Field(
        default="left_out",
        description="`left_out`, or `weakly_legit`: use listings without a decision, with a low weight",
    )
    mature_days: float = Field(
        default=60.0, ge=0, description="age in days at which a listing without a decision may count as weakly legit"
    )
    seed: int = Field(default=0, description="random seed for training and evaluation")
    estimator: str = Field(
        default="",
        description="`module:factory` of another scikit-learn classifier to train instead of the built-in one",
    )


class DeskSettings(BaseModel):
    """Who may use the analysts' desk, and how it assigns cases."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = Field(
        default=(), description="host names of the desk, in addition to this machine's own (JSON list)"
    )
    public_url: str = Field(default="", description="public URL of the desk, if a proxy in front of it handles TLS")
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="addresses of the authenticating proxies (JSON list)"
    )
    proxy_secret: SecretStr = Field(
        default=SecretStr(""),
        description="secret that such a proxy sends in `X-Seenbefore-Secret`; at least 16 characters",
    )
    proxy_user_header: str = Field(
        default="X-Forwarded-User", description="header with the user name from such a proxy"
    )
    oidc_issuer: str = Field(default="", description="URL of the OpenID Connect provider")
    oidc_client_id: str = Field(default="", description="client id at that provider")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="client secret at that provider")
    oidc_claim: str = Field(
        default="email",
        description="claim that identifies a person; `email` counts only if it is verified",
    )
    leads: tuple[str, ...] = Field(default=(), description="people who may also overturn and export (JSON list)")
    analysts: tuple[str, ...] = Field(
        default=(), description="people who may decide (JSON list); `*`: everybody who signs in"
    )
    viewers: tuple[str, ...] = Field(
        default=(), description="people who may only view (JSON list); `*`: everybody who signs in"
    )
    claim_minutes: float = Field(
        default=15.0, gt=0, description="minutes for which an opened case is reserved for one person"
    )
    second_reading_share: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="share of decided cases that somebody else reviews again without seeing the first verdict",
    )


class Settings(BaseSettings):
    """All settings, documented in ``docs/settings.md``."""

    model_config = SettingsConfigDict(
        env_prefix="SEENBEFORE_",
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="seenbefore.toml",
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(default=Path("var"), description="folder for everything a run writes")
    catalog_url: str = Field(default="", description="SQLAlchemy URL of the catalog; default: SQLite in the home")
    images_url: str = Field(default="", description="fsspec URL of the image store; default: a folder in the home")
    engine: Engine = Field(default="threads", description="task runner: `threads`, `processes`, `dask` or `ray`")
    chunk_images: int = Field(default=256, gt=0, description="images per task")
    batch_rows: int = Field(default=5_000, gt=0, description="table rows per batch")
    workers: int = Field(default=0, ge=0, description="parallel tasks; 0: one per core")
    fetch: FetchSettings = FetchSettings()
    decode: DecodeSettings = DecodeSettings()
    review: ReviewSettings = ReviewSettings()
    desk: DeskSettings = DeskSettings()
    model: ModelSettings = ModelSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: what the caller gave, environment, ``.env``, ``seenbefore.toml``."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def resolved_catalog_url(self) -> str:
        """The catalog's URL, the default filled in."""
        return self.catalog_url or f"sqlite:///{self.home.resolve() / 'catalog.sqlite'}"

    @property
    def resolved_images_url(self) -> str:
        """The image store's URL, the default filled in."""
        return self.images_url or f"file://{self.home.resolve() / 'images'}"


def load_settings(home: Path | None = None) -> Settings:
    """Read the settings.

    Parameters
    ----------
    home
        The ``--home`` option; ``None`` leaves it to the environment and files.

    Raises
    ------
    SettingsError
        With every malformed setting at once.
    """
    try:
        return Settings(home=home) if home is not None else Settings()
    except ValidationError as error:
        raise SettingsError(
            [
                f"SEENBEFORE_{'__'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}, "
                f"found {problem['input']!r}"
                for problem in error.errors()
            ]
        ) from error


def reference() -> str:
    """Return the settings reference as Markdown; ``docs/settings.md`` is this text."""
    rows = [row for name, field in Settings.model_fields.items() for row in _rows(name, field)]
    table = "\n".join(f"| `{name}` | {meaning} | {default} |" for name, meaning, default in rows)
    return (
        "# Settings\n\n"
        "Settings come from the environment, then `.env`, then `seenbefore.toml`.\n"
        "In `seenbefore.toml`, `SEENBEFORE_FETCH__TIMEOUT_S` is `timeout_s` in the section `[fetch]`.\n"
        "`seenbefore doctor` shows the values in use.\n\n"
        f"| name | meaning | default |\n|---|---|---|\n{table}\n"
    )


def _rows(name: str, field: FieldInfo) -> list[tuple[str, str, str]]:
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        inner = field.annotation.model_fields
        return [row for key, value in inner.items() for row in _rows(f"{name}__{key}", value)]
    default = json.dumps(field.default, default=str)
    return [(f"SEENBEFORE_{name.upper()}", field.description or "", f"`{default}`")]
