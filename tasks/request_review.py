"""The task that requests a review of a finished variant."""

from prefect.logging import get_run_logger

from adspark.variants.store import read_variant
from blocks.adspark_database import open_session
from orchestration.limits.retry_policy import retried_task
from orchestration.runs.variant_runs import start_review


@retried_task()
async def request_review(variant_id: int) -> None:
    """Start the run that waits for the review; its form is in the UI."""
    async with open_session() as session:
        variant = await read_variant(session, variant_id=variant_id)
        run_id = await start_review(session, variant)
        await session.commit()
    if run_id is None:
        get_run_logger().warning(
            "This server has no deployment review-ad-variant/review-ad-variant; review it with: "
            "adspark variant review %d",
            variant_id,
        )
