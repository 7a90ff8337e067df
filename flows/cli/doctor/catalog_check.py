"""The catalog: its schema, its soundness, what waits in it, and the model in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.catalog.database.engine import open_catalog
from data.catalog.health import SOUND, Backlog, Schema, backlog, examine, is_made
from data.catalog.scores.scores import champion
from data.errors import ModelError, OutsideError, SettingsError
from features.hashing.fingerprint import RECIPE
from features.point_in_time.feature_frame import SPECS
from flows.cli.doctor.configuration_check import masked
from flows.cli.doctor.finding import Finding, State, ok
from models.estimator.rule import RULE_ID
from models.registry.registry import Registry

if TYPE_CHECKING:
    from data.settings import Settings

MIGRATE = "`seenbefore doctor --fix`, or the next run, brings it up to date."
REASONS_SHOWN = 5
FAILED_SHARE = 0.2  # of all addresses; beyond it, it is hardly the pictures' own fault


def catalog(settings: Settings) -> list[Finding]:
    """Check the catalog, and if it can be read, what waits in it and the model it names."""
    url = settings.resolved_catalog_url
    try:
        if not is_made(url):
            return [ok("catalog", f"{masked(url)} is created by the first run")]
        schema = examine(url)
        findings = [*_schema(schema, masked(url))]
        if schema.found != schema.expected:
            return findings
        opened = open_catalog(url, migrate=False)
        try:
            with opened.read() as connection:
                waiting, model_id = backlog(connection, RECIPE), champion(connection)
        finally:
            opened.close()
    except SettingsError as error:
        return [Finding("catalog", State.BAD, masked(problem), "", error.exit_code) for problem in error.problems]
    except OutsideError as error:
        return [Finding("catalog", State.BAD, masked(str(error)))]
    return [*findings, *_waiting(waiting), _model(settings, model_id)]


def _schema(schema: Schema, url: str) -> list[Finding]:
    findings = [_revision(schema, url)]
    if schema.journal not in {None, "wal"}:
        advice = "Keep the home on a local disk: SQLite cannot share memory on network file systems."
        findings.append(Finding("catalog journal", State.WARN, f"{schema.journal}, expected wal", advice))
    if schema.integrity != SOUND:
        advice = "Stop all runs and bring the catalog back from a backup."
        findings.append(Finding("catalog pages", State.BAD, schema.integrity, advice))
    return findings


def _revision(schema: Schema, url: str) -> Finding:
    if schema.found == schema.expected:
        journal = f", {schema.journal} journal, pages sound" if schema.journal else ""
        return ok("catalog", f"{url}, schema {schema.found}{journal}")
    if schema.found is None:
        return Finding("catalog", State.WARN, f"{url} has no tables yet", MIGRATE)
    if schema.found > schema.expected:
        found = f"{url} has schema {schema.found}, this version knows up to {schema.expected}"
        return Finding("catalog", State.BAD, found, "Install the version of Seenbefore that wrote it.")
    return Finding("catalog", State.WARN, f"{url} has schema {schema.found}, expected {schema.expected}", MIGRATE)


def _waiting(waiting: Backlog) -> list[Finding]:
    held = f"{waiting.listings:,} listings, {waiting.pictures:,} pictures"
    findings = [ok("catalog holds", held), _stale(waiting), _pending(waiting), _failed(waiting)]
    for load in waiting.unfinished_loads:
        advice = "Run the same command again; it goes on where this one ended."
        findings.append(Finding("loads", State.WARN, f"interrupted: {load}", advice))
    return findings


def _stale(waiting: Backlog) -> Finding:
    if not waiting.stale_pictures:
        return ok("recipe", f"all fingerprints are {RECIPE}")
    found = f"{waiting.stale_pictures:,} pictures have fingerprints of another recipe than {RECIPE}"
    return Finding("recipe", State.WARN, found, "The next run fingerprints them again and compares them again.")


def _pending(waiting: Backlog) -> Finding:
    if not waiting.pending_fetches:
        return ok("downloads", "none waiting")
    return Finding("downloads", State.WARN, f"{waiting.pending_fetches:,} never tried", "The next run downloads them.")


def _failed(waiting: Backlog) -> Finding:
    failed = sum(waiting.failed_fetches.values())
    if not failed:
        return ok("failed downloads", "none")
    reasons = list(waiting.failed_fetches.items())[:REASONS_SHOWN]
    found = f"{failed:,}: " + ", ".join(f"{reason} {n:,}" for reason, n in reasons)
    if failed < FAILED_SHARE * (failed + waiting.pictures):
        return ok("failed downloads", found)
    return Finding("failed downloads", State.WARN, found, "`seenbefore export images` names each address and why.")


def _model(settings: Settings, model_id: str | None) -> Finding:
    if model_id in (None, RULE_ID):
        return ok("model", f"{RULE_ID}, the documented rule; `seenbefore train` fits a model to labels")
    try:
        Registry(settings.home / "models").load(model_id, SPECS)
    except ModelError as error:
        return Finding("model", State.BAD, str(error), "Until then nothing is scored; `seenbefore models rollback`.")
    return ok("model", f"{model_id} is in use, its files are unchanged, and it fits this version's features")
