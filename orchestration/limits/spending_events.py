"""Prefect events when searches are spent: for alerts and automations.

Nobody waits for the server to take one: what is announced has happened all the same.
"""

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from prefect.events import emit_event

BUDGET_SPENT = "adspark.budget.spent"
SEARCHES_USED_UP = "adspark.searches.used-up"


def announce_spent_budget(watch_id: int, name: str) -> None:
    """A watch has spent its month's budget, and waits for the next month."""
    _emit(BUDGET_SPENT, f"adspark.watch.{watch_id}", f"The budget of watch {watch_id} ({name})")


def announce_used_up_searches() -> None:
    """SerpApi's account has no searches left this month."""
    _emit(SEARCHES_USED_UP, "adspark.serpapi", "What SerpApi's account has of searches")


def _emit(event: str, resource: str, spent: str) -> None:
    """Emit it; repeated in the same month it has the same id, which Prefect stores once."""
    now = datetime.now(UTC)
    emit_event(
        event,
        id=uuid5(NAMESPACE_URL, f"{event}:{resource}:{now:%Y-%m}"),
        occurred=now,
        resource={
            "prefect.resource.id": resource,
            "prefect.resource.name": f"{spent} is spent for this month",
        },
    )
