"""What all tests share: the sample material beside the checkout, servers, fresh databases, and a closed network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings
from joblib import cpu_count

from data.catalog.database import engine, migrations
from tests.full_run import FULL, often
from tests.kernels import compile_meanwhile, compiled
from tests.postgres import Schemas, fresh_schema, postgres
from tests.schema import made_at_once
from tests.watchdog import watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

# How long an example takes says more about the machine than about the code, and every machine runs the same ones. What
# fails is told at once, as it was drawn; a smaller example may take minutes to find, and is looked for when asked.
PHASES = tuple(Phase) if FULL else (Phase.explicit, Phase.reuse, Phase.generate)
settings.register_profile("seenbefore", deadline=None, derandomize=True, print_blob=True, phases=PHASES)
settings.load_profile("seenbefore")

THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WITHOUT_KERNELS = {"contracts", "data", "models", "notebooks", "suite"}  # or with a few, which they compile
TESTS = Path(__file__).resolve().parent
CHECKOUT = TESTS.parent


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a whole run use all cores; whoever names files or folders has them run here, and `-n` says otherwise."""
    option = config.option
    # A worker is told the same and must not start workers of its own.
    if not config.pluginmanager.hasplugin("xdist") or hasattr(config, "workerinput"):
        return
    whole = config.args_source == pytest.Config.ArgsSource.TESTPATHS and not (option.collectonly or option.usepdb)
    if whole and option.numprocesses is None and cpu_count() > 1:
        option.numprocesses = cpu_count()
    if option.numprocesses:
        if option.dist == "no":
            option.dist, option.loadscopereorder = "loadfile", False
        # Workers that each compute with all cores only get in each other's way.
        os.environ.update(dict.fromkeys(THREAD_COUNTS, "1"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that take long, so that no worker is left alone with one in the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def pytest_configure(config: pytest.Config) -> None:
    """Have everything ended that the run starts, however it ends; its workers are among it."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(watch())
        if config.getoption("numprocesses", None):
            config.add_cleanup(compile_meanwhile())


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photographs, tables and hostile files that lies beside the checkout."""
    folder = Path(os.environ.get("SEENBEFORE_SHARED", CHECKOUT.parent / "shared"))
    if not (folder / "photos").is_dir():
        pytest.skip(f"sample photographs are not here ({folder.name}/photos beside the checkout)")
    return folder


@pytest.fixture(autouse=True)
def _loopback_only(socket_enabled: None) -> None:
    """Close the network, loopback excepted."""
    import pytest_socket

    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def postgres_server() -> URL:
    """A PostgreSQL server: the one the environment names, or a private one behind a socket in a folder of its own."""
    return postgres()


@pytest.fixture(scope="session", autouse=True)
def _schema_made_at_once() -> Iterator[None]:
    """Spare new SQLite catalogs their migrations."""
    with made_at_once():
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have new catalogs migrated from nothing, as outside the tests."""
    monkeypatch.setattr(engine, "upgrade", migrations.upgrade)


@pytest.fixture(scope="module", autouse=True)
def _kernels_compiled(request: pytest.FixtureRequest) -> None:
    """Let workers not compile one kernel at the same time."""
    if "PYTEST_XDIST_WORKER" in os.environ and request.path.relative_to(TESTS).parts[0] not in WITHOUT_KERNELS:
        compiled()


@pytest.fixture(scope="module")
def few_trees() -> Iterator[None]:
    """Let models grow a tenth of their trees outside a full run, for tests that do not ask how good they become."""
    from models.estimator.ensemble import MAX_TREES, SignBoundedEnsemble

    with pytest.MonkeyPatch.context() as patch:
        defaults = SignBoundedEnsemble.__init__.__kwdefaults__
        patch.setitem(defaults, "max_trees", often(in_full=MAX_TREES, otherwise=MAX_TREES // 10))
        yield


@pytest.fixture(scope="session")
def postgres_schemas(postgres_server: URL) -> Iterator[Schemas]:
    """Schemas with a catalog's tables, for tests to take turns in."""
    schemas = Schemas(postgres_server)
    yield schemas
    schemas.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    with fresh_schema(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database for a catalog; there may be empty tables already."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    with request.getfixturevalue("postgres_schemas").one() as url:
        yield url


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all flows that are run by tests themselves."""
    from tests.prefect_server import flows_reported

    with flows_reported(tmp_path_factory.mktemp("prefect")):
        yield


@pytest.fixture(scope="session")
def prefect_variables(request: pytest.FixtureRequest) -> dict[str, str]:
    """What tells a command which Prefect server to use: in a full run it starts its own, as operators have it."""
    if FULL:
        return {}
    request.getfixturevalue("prefect_server")
    from prefect.settings import PREFECT_API_URL

    return {"PREFECT_API_URL": str(PREFECT_API_URL.value())}
