"""Pause, resume and cancel a batch."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from adspark.errors import UnknownVariantError
from adspark.variants.batches.lists import read_batch
from adspark.variants.batches.store import cancel_batch, set_paused
from deployments.gallery.forms import CHANGES, SPENDS
from deployments.gallery.generations import start_requested_batch, stop
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.resources import SessionDep

router = APIRouter(prefix="/variants/batches", include_in_schema=False)


@router.post("/{batch_id}/pause", dependencies=CHANGES)
async def pause(session: SessionDep, batch_id: Number) -> RedirectResponse:
    """Let nothing more of it be submitted."""
    changed = await _change(session, batch_id, is_paused=True)
    return lead_to(_page(batch_id), "batch_paused" if changed else "variant_moved_on")


@router.post("/{batch_id}/resume", dependencies=SPENDS)
async def resume(session: SessionDep, batch_id: Number) -> RedirectResponse:
    """Let it go on; where Prefect is away, generate-pending-variants does once it is back."""
    if not await _change(session, batch_id, is_paused=False):
        return lead_to(_page(batch_id), "variant_moved_on")
    is_started = await start_requested_batch(session, batch_id)
    return lead_to(_page(batch_id), "batch_resumed" if is_started else "variant_not_started")


@router.post("/{batch_id}/cancel", dependencies=CHANGES)
async def cancel(session: SessionDep, batch_id: Number) -> RedirectResponse:
    """End it with all its open variants, and their generations."""
    await read_batch(session, batch_id=batch_id)
    ended = await cancel_batch(session, batch_id=batch_id)
    if not ended.variants:
        return lead_to(_page(batch_id), "variant_moved_on")
    await session.commit()  # no connection waits for Prefect
    is_stopped = await stop(ended.begun) or not ended.submitted
    return lead_to(_page(batch_id), "batch_cancelled" if is_stopped else "variant_still_running")


async def _change(session: SessionDep, batch_id: int, *, is_paused: bool) -> bool:
    """Whether a batch was changed; UnknownBatchError where there is none."""
    await read_batch(session, batch_id=batch_id)
    try:
        changed = await set_paused(session, batch_id=batch_id, is_paused=is_paused)
    except UnknownVariantError:  # it has ended
        changed = False
    await session.commit()
    return changed


def _page(batch_id: int) -> str:
    return f"/variants/batches/{batch_id}"
