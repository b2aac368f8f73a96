"""What is secret on disk is its owner's alone, and who keeps it open is told."""

import os
from pathlib import Path

import pytest

from adspark.home.private_folder import make_home
from deployments.environment.shell import prepare_process

CLOSED = 0o711 if os.geteuid() == 0 else 0o700  # root's is passed by PostgreSQL's account


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_home_is_closed_also_one_of_an_earlier_version_but_no_folder_of_other_things(
    tmp_path: Path,
) -> None:
    old_mask = os.umask(0o022)
    new, ours, foreign = tmp_path / "a" / "new", tmp_path / "ours", tmp_path / "foreign"
    for folder in (ours / "postgres", foreign / "photos"):
        folder.mkdir(parents=True)
    os.umask(old_mask)
    for home in (new, ours, foreign):
        make_home(home)
    assert [mode(one) for one in (new, ours, foreign)] == [CLOSED, CLOSED, 0o755]


def test_a_home_that_its_owner_has_made_read_only_stays_so(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    make_home(home)
    assert mode(home) == 0o500 | CLOSED & 0o077
    home.chmod(0o700)


@pytest.mark.parametrize(
    ("content", "permissions", "is_told"),
    [
        ("ADSPARK_SERPAPI_KEY=abc", 0o644, True),
        ("ADSPARK_DATABASE_URL=postgresql://u:p@h/d", 0o640, True),
        ("PREFECT_SERVER_API_AUTH_STRING=a:b", 0o604, True),
        ("POSTGRES_PASSWORD=abc", 0o644, True),
        ("ADSPARK_SERPAPI_KEY=abc", 0o600, False),
        ("ADSPARK_SERPAPI_KEY=", 0o644, False),
        ("ADSPARK_PREFECT_PORT=4200", 0o644, False),
    ],
)
def test_who_keeps_secrets_where_others_can_read_them_is_told(
    content: str, permissions: int, is_told: bool
) -> None:
    file = Path(".env")
    file.write_text(f"{content}\n")
    file.chmod(permissions)
    told = [one for one in prepare_process() if "chmod 600 .env" in one]
    assert bool(told) == is_told
    assert "abc" not in str(told)
