"""Variables that look like settings and are none."""

from pathlib import Path

import pytest

from deployments.environment.unknown_settings import describe_unknown_settings


def test_what_settings_commands_and_compose_files_read_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ADSPARK_SERPAPI_KEY", "ADSPARK_WORKER_HEALTHCHECK", "ADSPARK_IMAGE"):
        monkeypatch.setenv(name, "x")
    assert describe_unknown_settings() is None


@pytest.mark.parametrize("is_in_file", [False, True])
def test_what_nothing_reads_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_in_file: bool
) -> None:
    if is_in_file:
        (tmp_path / ".env").write_text("ADSPARK_DRAIN_TMIE=7777\n")
    else:
        monkeypatch.setenv("ADSPARK_DRAIN_TMIE", "7777")
    monkeypatch.setenv("ADSPARK_XYZ", "8888")
    told = describe_unknown_settings()
    assert told is not None
    what, remedy = told
    assert what == "ADSPARK_DRAIN_TMIE, ADSPARK_XYZ are no setting of ours"
    assert "ADSPARK_DRAIN_TIME" in remedy
    assert "7777" not in what + remedy
