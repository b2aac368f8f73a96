"""The task that finds out what a sweep has to do, and how many searches it may make."""

from math import inf

from prefect.logging import get_run_logger

from adspark.db.engine import read_now
from adspark.errors import TemporaryError
from adspark.settings import get_settings
from adspark.watches.admission import searches_left
from adspark.watches.sharing.due import read_due
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
