"""End a variant that nobody wants any more, and the generation that is under way for it."""

from uuid import UUID

from prefect.client.orchestration import get_client

from adspark.variants.generate import cancel
from blocks.adspark_database import AdSparkDatabase
from orchestration.generators import open_generator


async def cancel_variant(variant_id: int) -> bool:
    """Cancel it; returns whether it was open.

    Raises:
        UnknownVariantError: there is none.
        AdSparkError: it is cancelled, but its generation could not be stopped.
    """
    async with (await AdSparkDatabase.load_configured()).connect() as database:
        return await cancel(database, open_generator, variant_id=variant_id)


async def is_being_cancelled(flow_run_id: str | None) -> bool:
    """Whether somebody cancelled this flow run; otherwise only its process was stopped."""
    if flow_run_id is None:
        return False
    async with get_client() as client:
        state = (await client.read_flow_run(UUID(flow_run_id))).state
    return state is not None and (state.is_cancelling() or state.is_cancelled())
