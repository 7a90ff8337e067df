"""All settings, read once at the door: environment ``SEENBEFORE_*``, then ``.env``, then ``seenbefore.toml``."""

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
    """How pictures are downloaded from strangers' servers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow_hosts: tuple[str, ...] = Field(
        default=(), description="`host[:port]` that may resolve to private addresses, as a JSON list"
    )
    allow_ports: tuple[int, ...] = Field(default=(80, 443), description="ports that may be asked on other hosts")
    max_bytes: int = Field(default=20_000_000, gt=0, description="largest picture file kept, in bytes")
    timeout_s: float = Field(default=20.0, gt=0, description="longest total time of one download, in seconds")
    connect_timeout_s: float = Field(default=5.0, gt=0, description="longest wait for a connection, in seconds")
    threads: int = Field(default=32, gt=0, description="downloads under way at once")
    threads_per_host: int = Field(default=8, gt=0, description="downloads under way at once from one host")
    requests_per_host_s: float = Field(default=0.0, ge=0, description="most requests a second to one host; 0 is no cap")
    max_attempts: int = Field(default=3, gt=0, description="attempts at one address over all runs")
    max_retry_after_s: float = Field(default=60.0, ge=0, description="longest Retry-After that is obeyed, in seconds")
    revalidate_after_days: float = Field(
        default=0.0, ge=0, description="age from which a picture's address is asked whether it changed; 0 is never"
    )
    user_agent: str = Field(
        default="Seenbefore/0.1 (listing photo check)",
        description="how we name ourselves; add a page or address where a server's owner can reach you",
    )


class DecodeSettings(BaseModel):
    """Which picture files are opened."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pixels: int = Field(default=64_000_000, gt=0, description="largest picture opened, in pixels")
    avif: bool = Field(default=False, description="open AVIF files too")
    timeout_s: float = Field(default=20.0, gt=0, description="longest time one picture may take, in seconds")
    max_memory_bytes: int = Field(default=2_000_000_000, gt=0, description="most memory one picture may take, in bytes")


class ReviewSettings(BaseModel):
    """How much analysts can look at; bands and thresholds follow from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    daily_capacity: int = Field(default=50, gt=0, description="listings analysts can judge in a day")
    audit_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="share of the daily capacity for listings drawn at random, whatever they score",
    )
    cost_of_a_look: float = Field(
        default=0.0,
        ge=0,
        description="what judging one listing costs, in the currency of the prices; 0: bands by capacity",
    )


class ModelSettings(BaseModel):
    """How training treats time, and listings that nobody decided on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay_days: float = Field(default=7.0, ge=0, description="gap between training and test, for labels to arrive")
    folds: int = Field(default=4, gt=1, description="time-ordered test periods in an evaluation")
    undecided: Undecided = Field(
        default="left_out", description="`left_out`, or `weakly_legit`: listings without a decision teach a little"
    )
    mature_days: float = Field(
        default=60.0, ge=0, description="age from which a listing without a decision may count as weakly legit"
    )
    seed: int = Field(default=0, description="seed of everything random in training and evaluation")
    estimator: str = Field(
        default="", description="`module:factory` of a classifier of scikit-learn's kind to train in the place of ours"
    )


class DeskSettings(BaseModel):
    """Who may use the analysts' desk, and how it hands out work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = Field(
        default=(), description="names under which browsers reach the desk, beside this machine's own, as a JSON list"
    )
    public_url: str = Field(
        default="", description="address under which browsers reach the desk, if a proxy in front of it speaks TLS"
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="addresses of the proxies that say who somebody is, as a JSON list"
    )
    proxy_secret: SecretStr = Field(
        default=SecretStr(""), description="what such a proxy sends as `X-Seenbefore-Secret`, 16 characters or more"
    )
    proxy_user_header: str = Field(default="X-Forwarded-User", description="where such a proxy says who somebody is")
    oidc_issuer: str = Field(default="", description="address of an OpenID Connect provider, for signing in there")
    oidc_client_id: str = Field(default="", description="our name at that provider")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="our password at that provider")
    oidc_claim: str = Field(
        default="email",
        description="what the provider tells of people that names them here; an `email` counts once it is verified",
    )
    leads: tuple[str, ...] = Field(default=(), description="people who may also overturn and export, as a JSON list")
    analysts: tuple[str, ...] = Field(
        default=(), description="people who may decide, as a JSON list; `*` is everybody who signs in"
    )
    viewers: tuple[str, ...] = Field(
        default=(), description="people who may only look, as a JSON list; `*` is everybody who signs in"
    )
    claim_minutes: float = Field(default=15.0, gt=0, description="how long an opened case is kept for one person")
    second_reading_share: float = Field(
        default=0.02, ge=0, le=1, description="share of decided cases that somebody else decides again, unknowingly"
    )


class Settings(BaseSettings):
    """Everything that may be set; names are documented in ``docs/settings.md``."""

    model_config = SettingsConfigDict(
        env_prefix="SEENBEFORE_",
        env_nested_delimiter="__",
        env_file=".env",
        toml_file="seenbefore.toml",
        extra="ignore",
        frozen=True,
    )

    home: Path = Field(default=Path("var"), description="folder that holds everything a run writes")
    catalog_url: str = Field(default="", description="SQLAlchemy URL; default: SQLite in the home")
    images_url: str = Field(default="", description="any fsspec URL; default: a folder in the home")
    engine: Engine = Field(default="threads", description="`threads`, `processes`, `dask` or `ray`")
    chunk_images: int = Field(default=256, gt=0, description="pictures in one task")
    batch_rows: int = Field(default=5_000, gt=0, description="table rows read at once")
    workers: int = Field(default=0, ge=0, description="tasks under way at once; 0: one for each core")
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
        "Read from the environment, then `.env`, then `seenbefore.toml` (where `SEENBEFORE_FETCH__TIMEOUT_S` is "
        "`timeout_s` below `[fetch]`). `seenbefore doctor` shows what is in force.\n\n"
        f"| name | meaning | default |\n|---|---|---|\n{table}\n"
    )


def _rows(name: str, field: FieldInfo) -> list[tuple[str, str, str]]:
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        inner = field.annotation.model_fields
        return [row for key, value in inner.items() for row in _rows(f"{name}__{key}", value)]
    default = json.dumps(field.default, default=str)
    return [(f"SEENBEFORE_{name.upper()}", field.description or "", f"`{default}`")]
