"""Prefect events when searches are spent, once a month and watch: for alerts and automations."""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from prefect.events import Event, Resource
from prefect.events.clients import get_events_client

BUDGET_SPENT = "adspark.budget.spent"
SEARCHES_USED_UP = "adspark.searches.used-up"


async def announce_spent_budget(watch_id: int, name: str) -> None:
    """A watch has spent its month's budget, and waits for the next month."""
    await _emit(BUDGET_SPENT, f"adspark.watch.{watch_id}", f"Watch {watch_id} ({name})")


async def announce_used_up_searches() -> None:
    """SerpApi's account has no searches left this month."""
    await _emit(SEARCHES_USED_UP, "adspark.serpapi", "SerpApi's searches of this month")


async def _emit(event: str, resource: str, told: str) -> None:
    """Emit it; repeated in the same month it has the same id, which Prefect stores once."""
    now = datetime.now(UTC)
    async with get_events_client() as client:
        await client.emit(
            Event(
                id=uuid5(NAMESPACE_URL, f"{event}:{resource}:{now:%Y-%m}"),
                occurred=now,
                event=event,
                resource=Resource(
                    {"prefect.resource.id": resource, "prefect.resource.name": f"{told} spent"}
                ),
            )
        )
