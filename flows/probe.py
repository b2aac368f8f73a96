"""Show that a pool's worker takes runs, in how much memory, and that they reach the database;
harmless and free.

Blocks: adspark-database/adspark. Limits: none. Tables: none.
"""

import os
import platform
import time
from typing import Annotated

from prefect import flow
from pydantic import BaseModel

from adspark.db.engine import read_now
from adspark.maintenance.cgroup import MemoryBound
from adspark.validation.bounds import TEXT
from blocks.adspark_database import open_session
from flows.endings import PLAIN_JSON, completed
from flows.parameters import label


class ProbeSummary(BaseModel):
    """How a probe was carried out.

    Attributes:
        worker: by whom.
        seconds: that the database took to answer.
        memory: the megabytes that the run may take; None is as many as there are.
    """

    token: str
    worker: str
    seconds: float
    memory: int | None = None

    @property
    def headline(self) -> str:
        """In one line."""
        bound = f", within {self.memory} MB of memory" if self.memory else ""
        return f"{self.worker} reaches the database in {self.seconds:.2f} s{bound}"


@flow(name="probe", persist_result=True, result_serializer=PLAIN_JSON)
async def probe(token: Annotated[str, TEXT, label("Token")] = "") -> ProbeSummary:
    """Ask the database for nothing, on the worker of a pool.

    Args:
        token: Anything; it comes back, to show whose probe this was.
    """
    began = time.monotonic()
    async with open_session() as session:
        await read_now(session)
    worker = os.environ.get("PREFECT__WORKER_NAME") or platform.node()
    limit = MemoryBound().limit
    summary = ProbeSummary(
        token=token,
        worker=worker,
        seconds=time.monotonic() - began,
        memory=limit // 2**20 if limit else None,
    )
    return completed(summary, summary.headline)
