"""kill -9 at each step of making a variant: the next run completes it, and it is paid once."""

import asyncio
from contextlib import suppress
from pathlib import Path

from adspark.db.engine import Database
from adspark.errors import BusyError
from adspark.models import VariantStatus
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.variants.store import VariantSummary
from tests.support.crash_steps import crashing_process
from tests.support.workshop import Workshop, workshop

_MOST_CROSSINGS = 150
_ORIGINALS = 8
_NOTICED_WITHIN = 40  # looks, two seconds


async def test_killed_at_any_crossing_it_is_completed_and_paid_once(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with serve(SandboxSettings(generation_seconds=0.05, ping_every=0.2)) as url:
        shop = workshop(database, url, tmp_path)
        ids = await shop.stock()
        places = []
        arguments = (database_url, url, str(tmp_path))
        async with crashing_process("tests.support.crash_at", *arguments) as send:
            for crossing in range(1, _MOST_CROSSINGS):
                # The first ones have an original of their own, so that its rendering is walked too.
                (variant_id,) = await shop.request(ids[min(crossing, _ORIGINALS)])
                place = await send(f"{variant_id} {crossing}")
                places.append(place)
                made = await _make(shop, variant_id)
                assert made.status is VariantStatus.COMPLETED, place
                assert made.confidence_score == 1.0, place
                assert shop.bill["paid"] == crossing, place
                if place == "made":
                    break
        assert places[-1] == "made"
        assert max(shop.bill["by_user"].values()) == 1
        # That it walked through all of it, and not past it.
        assert {
            "before POST workflows/run",
            "head of POST workflows/run",
            "piece 1 of POST workflows/run",
            "before POST files/upload",
        } <= set(places)
        assert places.count("before a commit") >= 5


async def _make(shop: Workshop, variant_id: int) -> VariantSummary:
    """The next run; PostgreSQL notices within moments that the process with the lock is gone."""
    for _ in range(_NOTICED_WITHIN):
        with suppress(BusyError):
            return await shop.make(variant_id)
        await asyncio.sleep(0.05)
    return await shop.make(variant_id)
