"""What a batch takes before it is requested: its generations, and how long they take."""

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.variants.batches import forecast
from adspark.variants.batches.forecast import Forecast
from adspark.variants.batches.plan import BatchPlan, BatchRequest, plan_batch
from adspark.variants.budget import read_budget
from deployments.cli.database import in_session
from deployments.cli.variants.limits import read_limits


def preview(request: BatchRequest) -> tuple[BatchPlan, Forecast]:
    """What it takes; what the user's budget refuses is refused here already.

    A user of whom nothing is stored is warned of.
    """

    async def act(session: AsyncSession) -> BatchPlan:
        plan = await plan_batch(session, request)
        (await read_budget(session, user_id=request.user_id)).check(plan.generations)
        return plan

    plan = in_session(act, acts_for=[request.user_id])
    return plan, foresee(plan.generations)


def foresee(generations: int, *, is_requested: bool = False) -> Forecast:
    """The forecast; with `is_requested`, of generations that are among the open ones."""
    limits = read_limits()
    return in_session(
        lambda session: forecast.foresee(session, generations, limits, is_requested=is_requested)
    )
