"""Reconcile: find runs that no worker carries out any more, and requeue them.

Blocks: none. Limits: one at a time, 300 s a look. Tables: none; what a run has left in the database
is resumed by the run itself.
"""

import asyncio
from typing import Annotated

from prefect import flow

from adspark.validation.bounds import SECONDS, SILENCE
from flows.endings import PLAIN_JSON, completed
from flows.parameters import label
from orchestration.runs.flow_runs import own_run_id
from orchestration.runs.lost_runs import LostRuns
from tasks.requeue_lost_runs import requeue_lost_runs

_MORE_SEARCHES = 5  # longer than a host's runs take to be given up, one after another


@flow(name="reconcile", persist_result=True, result_serializer=PLAIN_JSON)
async def reconcile(
    patience: Annotated[float, SILENCE, label("Patience in seconds")] = 420.0,
    look_again_after: Annotated[float, SECONDS, label("Seconds until the next look")] = 20.0,
) -> LostRuns:
    """Requeue runs that crashed, hang or were left behind by a dead worker.

    A run is started five times at most; after that it stays Crashed: `adspark failures`.

    Args:
        patience: Seconds that a run may be Pending or Cancelling, or give no sign of life;
            living runs give one every 30.
        look_again_after: Seconds; runs that die together do not do so at once. 0 looks only once.
    """
    own_id = own_run_id()
    latest = found = await requeue_lost_runs(own_id, patience)
    for _ in range(_MORE_SEARCHES if look_again_after else 0):
        if latest.is_settled:
            break
        await asyncio.sleep(look_again_after)
        latest = await requeue_lost_runs(own_id, patience)
        found = found.and_then(latest)
    return completed(found, found.headline)
