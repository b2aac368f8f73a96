"""The task that hands news to Prefect as events, so that automations can hang on them."""

from uuid import NAMESPACE_URL, uuid5

from prefect.events import Event, RelatedResource, Resource
from prefect.events.clients import get_events_client
from prefect.runtime import flow_run

from adspark.watches.news import News, claim_unannounced, mark_announced
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task

_BATCH = 200  # events that are marked together


@retried_task()
async def announce_news() -> int:
    """Emit `adspark.creative.<kind>` for all news that were not yet; returns how many.

    They are marked once the server has them. If that comes too late, they are emitted again under
    the same id, which Prefect stores once.
    """
    announced = 0
    async with connect_database() as database:
        while True:
            async with database.transaction() as session:
                news = await claim_unannounced(session, limit=_BATCH)
                if not news:
                    return announced
                async with get_events_client() as client:
                    for one in news:
                        await client.emit(_event(one))
                await mark_announced(session, news=news)
            announced += len(news)


def _event(news: News) -> Event:
    """The event: its resource is the creative, the watch and the flow run are related."""
    related = [
        RelatedResource(
            {
                "prefect.resource.id": f"adspark.watch.{news.watch_id}",
                "prefect.resource.role": "watch",
                "prefect.resource.name": news.watch,
            }
        )
    ]
    if flow_run.id:
        related.append(
            RelatedResource(
                {
                    "prefect.resource.id": f"prefect.flow-run.{flow_run.id}",
                    "prefect.resource.role": "flow-run",
                    "prefect.resource.name": flow_run.name or "",
                }
            )
        )
    return Event(
        id=uuid5(NAMESPACE_URL, f"adspark:creative_event:{news.event_id}:{news.occurred_at}"),
        occurred=news.occurred_at,
        event=f"adspark.creative.{news.kind}",
        resource=Resource(
            {
                "prefect.resource.id": f"adspark.creative.{news.ad_creative_id}",
                "prefect.resource.name": f"{news.advertiser} {news.ad_creative_id}",
                "adspark.advertiser": news.advertiser_id,
                "adspark.format": news.format,
            }
        ),
        related=related,
        payload=news.model_dump(mode="json", exclude_none=True),
    )
