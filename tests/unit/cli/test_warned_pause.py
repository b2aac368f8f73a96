"""What was requested stays requested where the server cannot say whether its pool is paused."""

from pathlib import Path

import pytest

from adspark.settings import get_settings
from deployments.cli.variants.limits import warn_of_pause


def test_a_server_that_went_away_fails_no_command_that_has_done_its_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADSPARK_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    get_settings.cache_clear()
    warn_of_pause()
    get_settings.cache_clear()
    assert "paused" not in capfd.readouterr().err
