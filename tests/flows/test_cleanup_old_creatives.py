"""The flow cleanup-old-creatives: the guide's call, its counts, and settings that it refuses."""

import pytest

from adspark.database import Database
from adspark.errors import InvalidQueryError
from adspark.settings import get_settings
from flows.cleanup_old_creatives import cleanup_old_creatives
from tests.integration.test_cleanup import ids, stock

pytestmark = pytest.mark.usefixtures("environment")


async def test_old_ads_are_counted_then_removed(database: Database) -> None:
    await stock(database)
    assert (await cleanup_old_creatives(days_old=200)).creatives == 0
    foreseen = await cleanup_old_creatives(dry_run=True)
    assert foreseen.headline == "would remove 3 creatives"
    done = await cleanup_old_creatives(days_old=90)
    assert (done.creatives, done.advertisers) == (3, 1)
    assert await ids(database, "SELECT count(*) FROM creative") == [0]


async def test_a_ledger_too_short_for_budgets_is_refused(
    database: Database, environment: pytest.MonkeyPatch
) -> None:
    await stock(database)
    environment.setenv("ADSPARK_KEEP_FETCHES_DAYS", "7")
    get_settings.cache_clear()
    with pytest.raises(InvalidQueryError, match="fetches: 7 days is too few; at least 62"):
        await cleanup_old_creatives()
    assert await ids(database, "SELECT count(*) FROM creative") == [3]
