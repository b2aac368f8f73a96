"""What tests of commands on stored ads share."""

import pytest

from adspark.settings import get_settings
from tests.variants_at_hand import in_session, store_ads


@pytest.fixture
def three_stored_ads(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """In the database of the test's own, with neither a stack nor a server of Prefect's."""
    monkeypatch.setenv("ADSPARK_DATABASE_URL", database_url)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    get_settings.cache_clear()
    in_session(database_url, store_ads)
