"""The numbers of the rate limits are Prefect's; what counts them is ours."""

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from adspark.db.engine import Database
from adspark.db.rates import GENERATIONS, SEARCHES
from adspark.serpapi.client import no_gate
from orchestration.limits.rate_limits import generation_slots, search_slots


@pytest.mark.parametrize("name", [SEARCHES, GENERATIONS])
async def test_a_limit_that_is_switched_off_bounds_nothing_and_takes_no_slot(
    database: Database, name: str
) -> None:
    slots = {SEARCHES: search_slots, GENERATIONS: generation_slots}[name]
    limit = GlobalConcurrencyLimitCreate(name=name, limit=1, slot_decay_per_second=1, active=False)
    async with get_client() as client:
        await client.create_global_concurrency_limit(limit)
        try:
            gate = await slots(database)
            assert gate is no_gate
            found = await client.read_global_concurrency_limit_by_name(name)
            assert found.active_slots == 0
        finally:
            await client.delete_global_concurrency_limit_by_name(name)
