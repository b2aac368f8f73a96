"""Reconcile: find runs that nobody carries out any more, and have them carried out.

Blocks: none. Limits: one at a time. Tables: none; what a run has left in the database is taken up
by the run itself, for it goes on where it was.
"""

from typing import Annotated
from uuid import UUID

from prefect import flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from pydantic import Field

from flows.endings import completed
from tasks.find_lost_runs import LostRuns, find_lost_runs


@flow(name="reconcile", persist_result=True, result_serializer="json")
async def reconcile(patience: Annotated[float, Field(ge=0)] = 300.0) -> LostRuns:
    """Give runs that crashed, hang or were left behind by a dead worker back to the queue.

    A run is started five times at most; after that it stays Crashed: `adspark failures`.

    Args:
        patience: Seconds that a run may be Pending or Cancelling, or give no sign of life.
    """
    found = await find_lost_runs(UUID(flow_run.id) if flow_run.id else None, patience)
    get_run_logger().info("Lost runs: %s", found.headline)
    return completed(found, found.headline)
