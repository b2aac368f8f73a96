"""Cancel a variant that nobody wants any more; try one again that failed."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from adspark.errors import AdSparkError, UnknownVariantError
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from deployments.gallery.access.visitor import SpenderDep
from deployments.gallery.forms import CHANGES, FormDep
from deployments.gallery.generations import stop
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.prefect_server import open_prefect
from deployments.gallery.resources import SessionDep
from orchestration.runs.variant_runs import start_generations

router = APIRouter(include_in_schema=False)


@router.post("/variants/{variant_id}/retry")
async def retry_variant(
    session: SessionDep, _: SpenderDep, form: FormDep, variant_id: Number
) -> RedirectResponse:
    """Make a failed or cancelled variant pending again, and start a run for it."""
    variant = await read_variant(session, variant_id=variant_id)
    page = f"/variants/{variant_id}"
    if form.text("attempt") != str(variant.attempt):
        return lead_to(page, "variant_moved_on")
    try:
        await VariantState(session, variant).retry()
        await session.commit()
    except UnknownVariantError:
        return lead_to(page, "variant_moved_on")
    try:
        async with open_prefect():
            started = await start_generations(session, [variant_id], is_retry=True)
    except AdSparkError:
        started = []
    return lead_to(page, "variant_requested" if started else "variant_not_started")


@router.post("/variants/{variant_id}/cancel", dependencies=CHANGES)
async def end_variant(session: SessionDep, variant_id: Number) -> RedirectResponse:
    """Cancel an open variant, its generation and its run."""
    variant = await read_variant(session, variant_id=variant_id)
    page = f"/variants/{variant_id}"
    if not await VariantState(session, variant).cancel():
        return lead_to(page, "variant_moved_on")
    await session.commit()  # no connection waits for Prefect
    is_stopped = await stop([variant_id])
    variant = await read_variant(session, variant_id=variant_id)
    is_stopped = is_stopped or variant.asked_at is None
    return lead_to(page, "variant_cancelled" if is_stopped else "variant_still_running")
