"""How far a look at a watch is: its run in Prefect, and what its fetch has stored."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.validation.uuids import parse_uuid
from adspark.watches.reports.watch_pages import FetchProgress, read_fetch_progress
from deployments.gallery.failures import NotThereError
from deployments.gallery.resources import Gallery
from deployments.gallery.runs import RunProgress
from deployments.gallery.runs import read_progress as read_run_progress

FLOW = "process-watch"
"""The deployment that looks at one watch."""

_SLOW = timedelta(seconds=20)  # after which a person wants to know why nobody begins


class LookProgress(BaseModel):
    """How far a look is, in words; `outcome` is done, failed or empty while it goes on."""

    run: UUID
    text: str
    outcome: str = ""
    is_final: bool = False


async def read_progress(
    gallery: Gallery, session: AsyncSession, watch_id: int, run: str
) -> LookProgress:
    """How far a run has come.

    Args:
        gallery: whose Prefect is asked.
        watch_id: of the watch.
        run: id of the run as it stands in the address.

    Raises:
        NotThereError: there is no such run, or it is of something else.
        ServiceUnavailableError: Prefect does not answer.
    """
    if (run_id := parse_uuid(run)) is None:
        raise NotThereError("no_look", "/watches")
    found = await read_run_progress(run_id)
    if found is None or found.parameters.get("watch_id") != watch_id:
        raise NotThereError("no_look", f"/watches/{watch_id}")
    fetched = await read_fetch_progress(session, watch_id=watch_id, run_id=str(run_id))
    return _describe(gallery, found, fetched)


def _describe(gallery: Gallery, run: RunProgress, fetched: FetchProgress | None) -> LookProgress:
    texts = gallery.templates.texts
    if run.is_over:
        name = "done" if run.state == "completed" else run.state
        text = texts(f"progress.{name}", message=run.message or texts("progress.no_message"))
        return LookProgress(run=run.id, text=text, outcome=name, is_final=True)
    if run.state == "paused":
        return LookProgress(run=run.id, text=texts("site.looks_paused"))
    if run.state == "waiting":
        is_slow = datetime.now(UTC) - run.created > _SLOW
        return LookProgress(run=run.id, text=texts(f"progress.{'slow' if is_slow else 'waiting'}"))
    if fetched is None:
        return LookProgress(run=run.id, text=texts("progress.begun"))
    numbers = {
        name: f"{getattr(fetched, name):,}"
        for name in ("pages", "ads", "searches_billed", "searches_cached")
    }
    return LookProgress(run=run.id, text=texts("progress.fetched", **numbers))
