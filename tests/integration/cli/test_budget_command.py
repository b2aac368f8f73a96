"""`adspark budget`: beside the searches it tells what the archive of pictures takes."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.store import save_creatives
from adspark.settings import get_settings
from tests.support.archived import add_versions
from tests.support.commanding import Command
from tests.support.factories import creative
from tests.support.variants_at_hand import in_session

command = Command("budget", columns=120)


async def _fill(session: AsyncSession) -> None:
    for status, count in (("stored", 12), ("pending", 5), ("failed", 2), ("removed", 1)):
        await add_versions(session, status=status, count=count)
    await save_creatives(session, rows=[creative(99)])  # of which no run has heard yet
    await session.commit()


def test_what_is_archived_waits_and_failed_is_told(
    configured_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Archive: 0 pictures, 0.0 MB of at most 10,000.0 MB; 0 wait, 0 failed." in command.told()
    in_session(configured_database, _fill)
    monkeypatch.setenv("ADSPARK_ARCHIVE_MEGABYTES", "50")
    get_settings.cache_clear()
    assert command.told().endswith(
        "Archive: 12 pictures, 12.0 MB of at most 50.0 MB; 6 wait, 2 failed, 1 removed for want of "
        "room."
    )
    assert command.given()["archive"] == {
        "versions": 12,
        "pictures": 12,
        "bytes": 12 * 2**20,
        "waiting": 6,
        "failed": 2,
        "removed": 1,
    }
