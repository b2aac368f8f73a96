"""The list of batches; one of them: how far it is, its variants side by side, the best first."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from adspark.users.store import read_user_names
from adspark.validation.numbers import Whole
from adspark.variants.batches.forecast import foresee
from adspark.variants.batches.lists import (
    BatchStatus,
    BatchSummary,
    list_batches,
    list_ranked,
    read_batch,
)
from adspark.variants.batches.plan import MOST_GENERATIONS
from adspark.variants.reviews.decisions import read_decisions
from deployments.gallery.generations import read_limits
from deployments.gallery.numbers import After, Number
from deployments.gallery.resources import PagesDep, SessionDep

router = APIRouter(prefix="/variants/batches", include_in_schema=False)

_PAGE = 24  # batches, or variants of one


@router.get("")
async def show_batches(pages: PagesDep, after: After = None) -> HTMLResponse:
    """The page of the list."""
    found = await list_batches(pages.session, before=after, limit=_PAGE + 1)
    shown = found[:_PAGE]
    following = shown[-1].id if len(found) > _PAGE else None
    users = await read_user_names(pages.session, {one.user_id for one in shown})
    return pages.page("batches.html", batches=shown, next=following, users=users)


@router.get("/{batch_id}")
async def show_batch(
    pages: PagesDep,
    batch_id: Number,
    after: Annotated[Whole, Query(ge=0, le=MOST_GENERATIONS)] = 0,
) -> HTMLResponse:
    """The page of a batch."""
    session = pages.session
    batch = await read_batch(session, batch_id=batch_id)
    await session.rollback()  # no connection waits for Prefect
    is_going_on = batch.open and batch.status is BatchStatus.RUNNING
    limits = await read_limits(pages.gallery) if is_going_on else None
    first = min(after, batch.variants)
    ranked = await list_ranked(session, batch_id=batch_id, after=first, limit=_PAGE)
    return pages.page(
        "batch.html",
        batch=batch,
        state=_state(batch),
        forecast=limits and await foresee(session, batch.open, limits, is_requested=True),
        ranked=ranked,
        first=first,
        next=first + _PAGE if first + _PAGE < batch.variants else None,
        decisions=await read_decisions(session, ids=[one.id for one in ranked]),
        users=await read_user_names(session, [batch.user_id]),
        may_spend=pages.visitor.may_spend,
    )


@router.get("/{batch_id}/progress")
async def tell_progress(session: SessionDep, batch_id: Number) -> dict[str, object]:
    """How far a batch is: changes with each variant that moves on."""
    batch = await read_batch(session, batch_id=batch_id)
    return {"state": _state(batch), "is_open": bool(batch.open)}


def _state(batch: BatchSummary) -> str:
    counts = (batch.pending, batch.processing, batch.completed, batch.failed, batch.cancelled)
    return " ".join([batch.status.value, *map(str, counts)])
