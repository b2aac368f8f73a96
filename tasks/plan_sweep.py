"""The tasks that find out what a sweep or a shard has to do, and how many searches it may make."""

from collections.abc import Sequence
from datetime import datetime
from math import inf

from prefect.logging import get_run_logger

from adspark.db.engine import read_now
from adspark.errors import TemporaryError
from adspark.settings import get_settings
from adspark.watches.admission import searches_left
from adspark.watches.sharing.due import read_due, read_unchecked
from adspark.watches.sweep_store import SweepPlan
from blocks.adspark_database import open_session
from blocks.serpapi_credentials import SerpApiCredentials
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.spending_events import announce_used_up_searches


@retried_task()
async def plan_sweep() -> SweepPlan:
    """Read the due watches, and ask the account, which is free.

    An account that does not answer now does not stop the sweep; a refused key does.
    """
    limit = get_settings().searches_per_minute
    async with open_session() as session:
        plan = SweepPlan(
            began_at=await read_now(session),
            due=await read_due(session, per_minute=inf if limit == "account" else limit),
        )
    if not plan.due:
        return plan
    async with (await SerpApiCredentials.load_configured()).get_client() as client:
        try:
            account = await client.account()
        except TemporaryError as error:
            get_run_logger().warning("The account's searches are not known: %s", error)
            return plan
    plan.searches, plan.shortage = searches_left(account)
    if account.total_searches_left == 0:  # not where only the hour's are used up
        announce_used_up_searches()
    return plan


@retried_task()
async def plan_rest(watch_ids: Sequence[int], since: datetime | None = None) -> SweepPlan:
    """The plan for those of the watches that are still due and were not tried since then."""
    async with open_session() as session:
        began_at = since or await read_now(session)
        due = await read_unchecked(session, watch_ids=watch_ids, since=began_at)
    return SweepPlan(began_at=began_at, due=due)
