"""Show that a pool's worker takes runs, and that they reach the database; harmless and free.

Blocks: adspark-database/adspark. Limits: none. Tables: none.
"""

import os
import platform
import time

from prefect import flow
from pydantic import BaseModel
from sqlalchemy import text

from blocks.adspark_database import AdSparkDatabase
from flows.endings import completed


class ProbeSummary(BaseModel):
    """Who carried out a probe, and the seconds that the database took to answer."""

    token: str
    worker: str
    seconds: float

    @property
    def headline(self) -> str:
        """In one line."""
        return f"{self.worker} reaches the database in {self.seconds:.2f} s"


@flow(name="probe", persist_result=True, result_serializer="json")
async def probe(token: str = "") -> ProbeSummary:
    """Ask the database for nothing, on the worker of a pool.

    Args:
        token: Anything; it comes back, to show whose probe this was.
    """
    began = time.monotonic()
    async with (
        (await AdSparkDatabase.load_configured()).connect() as database,
        database.session() as session,
    ):
        await session.execute(text("SELECT 1"))
    worker = os.environ.get("PREFECT__WORKER_NAME") or platform.node()
    summary = ProbeSummary(token=token, worker=worker, seconds=time.monotonic() - began)
    return completed(summary, summary.headline)
