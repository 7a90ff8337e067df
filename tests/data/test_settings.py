"""Settings: where they come from, and that every one is documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from data.errors import ExitCode, SettingsError
from data.settings import FetchSettings, load_settings, reference

if TYPE_CHECKING:
    from pathlib import Path


def test_the_environment_goes_before_the_file_and_the_caller_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "seenbefore.toml").write_text('home = "from-file"\n[fetch]\ntimeout_s = 7\nmax_bytes = 5\n')
    monkeypatch.setenv("SEENBEFORE_FETCH__TIMEOUT_S", "9")
    monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", '["127.0.0.1:8000"]')
    settings = load_settings()
    assert str(settings.home) == "from-file"
    assert (settings.fetch.timeout_s, settings.fetch.max_bytes) == (9, 5)
    assert settings.fetch.allow_hosts == ("127.0.0.1:8000",)
    assert load_settings(tmp_path).home == tmp_path


def test_all_malformed_settings_are_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEENBEFORE_ENGINE", "steam")
    monkeypatch.setenv("SEENBEFORE_FETCH__MAX_BYTES", "-1")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert caught.value.exit_code == ExitCode.CALLER
    assert "SEENBEFORE_ENGINE" in str(caught.value)
    assert "SEENBEFORE_FETCH__MAX_BYTES" in str(caught.value)


def test_the_settings_page_is_what_the_code_says(request: pytest.FixtureRequest) -> None:
    page = request.config.rootpath / "docs" / "settings.md"
    assert page.read_text() == reference(), (
        "run: python -c 'from data.settings import reference; print(reference(), end=\"\")'"
    )


def test_by_default_we_name_ourselves_and_no_contact_that_is_not_ours() -> None:
    named = FetchSettings().user_agent
    assert named.startswith("Seenbefore/")
    assert not any(sign in named for sign in ("@", "://", "www."))
