"""Start runs for variants that are pending, or that a lost run has left behind.

Blocks: adspark-database/adspark; to stop what was cancelled, dify-workflow/adspark. Limits: one at
a time, 20 under way of each batch, and of no batch. Tables: ad_variant.
"""

from typing import Annotated

from prefect import flow

from adspark.validation.bounds import VARIANTS_UNDER_WAY
from flows.endings import PLAIN_JSON, completed
from flows.parameters import label
from tasks.start_pending_variants import PendingVariantsSummary, start_pending_variants


@flow(name="generate-pending-variants", persist_result=True, result_serializer=PLAIN_JSON)
async def generate_pending_variants(
    limit: Annotated[int, VARIANTS_UNDER_WAY, label("Under way at most")] = 20,
) -> PendingVariantsSummary:
    """Start a run of generate-ad-variant for each open variant, oldest first.

    Args:
        limit: How many may be under way at once of each batch, and of no batch; others wait for the
            next time, but for those that were submitted before.
    """
    summary = await start_pending_variants(limit)
    return completed(summary, summary.headline)
