"""Fetch details of stored ads, one search each: copy, landing page, countries, payer.

Blocks: serpapi-credentials/adspark, adspark-database/adspark. Limits: 300 s an attempt, 10
searches a minute over all workers. Tables: creative_detail, creative_region, watch_creative, watch.
"""

from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from adspark.creatives.details import DetailsSummary
from adspark.library.ads.details import DetailsPlan, read_looked_up
from adspark.validation.bounds import DETAILS_AT_ONCE
from blocks.adspark_database import open_session
from flows.endings import PLAIN_JSON, completed
from flows.parameters import AdIds, OptionalId, label, names_parameter
from orchestration.limits.retry_policy import retried_task
from tasks.look_up_details import look_up_details, plan_details

ARTIFACT_KEY = "details"


@flow(name="fetch-details", persist_result=True, result_serializer=PLAIN_JSON)
async def fetch_details(
    ads: AdIds = None,
    watch_id: Annotated[OptionalId, label("Watch id")] = None,
    most: Annotated[int, DETAILS_AT_ONCE, label("Ads at most")] = 20,
) -> DetailsSummary:
    """Fetch what the ad-details engine knows of ads; none is paid for twice.

    Args:
        ads: Needed, unless there is a watch: stored ads, CR and 20 digits each, at most 100.
        watch_id: In their place, a watch, whose ads without details are meant, with its baseline,
            those last shown first; the searches count in its budget.
        most: Ads of the watch at most, so searches at most; 1 to 100.
    """
    named = [ads] if isinstance(ads, str) else ads or []
    with names_parameter("watch_id"):
        plan = await plan_details(named, watch_id, most)
    summary = await look_up_details(plan)
    await show_details(plan, summary)
    return completed(summary, summary.headline)


@retried_task()
async def show_details(plan: DetailsPlan, summary: DetailsSummary) -> None:
    """The table of what was found, under Artifacts in the UI."""
    async with open_session() as session:
        rows = await read_looked_up(session, plan)
    await acreate_table_artifact(key=ARTIFACT_KEY, table=rows, description=summary.headline)
