"""What tests share: the present day, and the database that commands work on."""

from datetime import date

import pytest

from adspark.settings import get_settings
from tests.support.days import present_day
from tests.support.variants_at_hand import in_session, store_ads


@pytest.fixture
def today() -> date:
    """The present day, with time left for a test."""
    return present_day()


@pytest.fixture
def configured_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> str:
    """The test's own database for commands, with neither a stack nor a server of Prefect's."""
    monkeypatch.setenv("ADSPARK_DATABASE_URL", database_url)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    get_settings.cache_clear()
    return database_url


@pytest.fixture
def three_stored_ads(configured_database: str) -> None:
    """Ads in the database that the commands work on."""
    in_session(configured_database, store_ads)
