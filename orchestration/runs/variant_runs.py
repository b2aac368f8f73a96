"""The flow runs that generate variants and wait for their reviews: start, read, resume, cancel.

The database says what is to be done; these runs are how. One that was lost is replaced by the next
`generate-pending-variants`.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateType
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import aresume_flow_run
from prefect.states import Cancelling
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import AdSparkError
from adspark.models import AdVariant, VariantStatus
from adspark.variants.generate import cancel, stop_generation
from adspark.variants.lists import read_decided_runs, read_review_runs, read_run_to_stop
from adspark.variants.reviews.store import Review
from adspark.variants.state import VariantState
from adspark.variants.store import read_variant
from blocks.adspark_database import connect_database
from blocks.generators import open_generator
from orchestration.runs.flow_runs import read_runs_by_id
from orchestration.runs.state_changes import change_while, may_be_ended

GENERATE = "generate-ad-variant/generate-ad-variant"
REVIEW = "review-ad-variant/review-ad-variant"

RunState = State[object]


async def start_generation(session: AsyncSession, variant: AdVariant) -> UUID | None:
    """Start a run that generates the variant, once an attempt and run that it was given to before.

    Returns its id; None where the server has no deployment for it.
    """
    parameters: dict[str, object] = {
        "original_ad_id": variant.original_ad_id,
        "prompt": variant.prompt,
        "user_id": variant.user_id,
        "variant_id": variant.id,
        "workspace_id": variant.workspace_id,
        "review": variant.wants_review,
    }
    key = f"variant/{variant.token}/{variant.attempt}/{variant.flow_run_id or 'first'}"
    run = await _start(GENERATE, parameters, name=f"variant-{variant.id}", key=key)
    if run is not None:
        await VariantState(session, variant).assign(run)
    return run


async def start_generations(
    session: AsyncSession, variant_ids: Sequence[int], *, is_retry: bool = False
) -> list[UUID]:
    """Start a run for each of these pending variants, and commit that one by one.

    Args:
        variant_ids: `generate-pending-variants` starts those that are left over by an error.
        is_retry: also for those that were given to a run before.

    Returns:
        The ids of the runs; none where the server has no deployment for them.
    """
    started = []
    for variant_id in variant_ids:
        variant = await read_variant(session, variant_id=variant_id)
        if variant.status != VariantStatus.PENDING or (variant.flow_run_id and not is_retry):
            continue
        await session.commit()  # no connection waits for Prefect
        if (run_id := await start_generation(session, variant)) is not None:
            started.append(run_id)
        await session.commit()
    return started


async def start_review(session: AsyncSession, variant: AdVariant) -> UUID | None:
    """Start a run that waits for the variant's review, one for each attempt; returns as above."""
    name, key = f"review-of-variant-{variant.id}", f"review/{variant.token}/{variant.attempt}"
    run = await _start(REVIEW, {"variant_id": variant.id}, name=name, key=key)
    if run is not None:
        await VariantState(session, variant).assign_review(run)
    return run


async def read_states(run_ids: Sequence[UUID]) -> dict[UUID, RunState]:
    """The states of those runs that the server knows."""
    async with get_client() as client:
        runs = await read_runs_by_id(client, run_ids)
    return {run.id: run.state for run in runs if run.state is not None}


async def answer_review(run_id: UUID, review: Review) -> bool:
    """Resume the run that waits for a review which is saved; returns whether it was waiting.

    The run is told whose review it is and reads it, so that it undoes no later change of it.
    """
    if not _is_waiting((await read_states([run_id])).get(run_id)):
        return False
    return await _resume_review(run_id, review.user_id)


async def answer_decided(session: AsyncSession) -> int:
    """Resume the runs that wait for a review that is saved, as while Prefect was away; returns how
    many there were."""
    decided = await read_decided_runs(session)
    states = await read_states(list(decided))
    waiting = [run_id for run_id in decided if _is_waiting(states.get(run_id))]
    return sum([await _resume_review(run_id, decided[run_id]) for run_id in waiting])


async def _resume_review(run_id: UUID, user_id: int) -> bool:
    """Resume a run that waits, with whose review it is; whether it was."""
    try:
        await aresume_flow_run(run_id, run_input={"user_id": user_id})
    except RuntimeError:  # somebody was faster, or its form is that of another version
        return False
    return True


async def expire_reviews(session: AsyncSession, *, older_than: float) -> int:
    """Resume runs that have waited for so many seconds, their reviews stay open; returns how many
    there were."""
    states = await read_states(await read_review_runs(session))
    limit = datetime.now(UTC) - timedelta(seconds=older_than)
    old = [run for run, state in states.items() if _is_waiting(state) and state.timestamp < limit]
    for run_id in old:
        await aresume_flow_run(run_id, run_input={"comment": ""})
    return len(old)


async def cancel_variant(variant_id: int, *, of_run: UUID | None) -> bool:
    """Cancel a variant because this run of it was, and its generation; returns whether it was open.

    Raises:
        UnknownVariantError: there is none.
        AdSparkError: it is cancelled, but its generation could not be stopped.
    """
    async with connect_database() as database:
        return await cancel(database, open_generator, variant_id=variant_id, of_run=of_run)


async def stop_variants(variant_ids: Sequence[int]) -> list[str]:
    """Stop the generations and the runs of variants that were cancelled.

    A run that Prefect does not cancel, as while it is away, ends before its next attempt.

    Returns:
        Why a generation could not be stopped, one sentence each.
    """
    problems = []
    async with connect_database() as database:
        for variant_id in variant_ids:
            try:
                await stop_generation(database, open_generator, variant_id=variant_id)
            except AdSparkError as error:
                problems.append(f"variant {variant_id}: {error}")
            async with database.session() as session:
                run_id = await read_run_to_stop(session, variant_id=variant_id)
            if run_id is not None:
                await _cancel_run(run_id)
    return problems


async def _cancel_run(run_id: UUID) -> None:
    cancelling: RunState = Cancelling(message="Its variant was cancelled.")
    with suppress(httpx.HTTPError, ObjectNotFound):
        async with get_client() as client:
            await change_while(client, run_id, cancelling, may_be_ended)


async def is_being_cancelled(flow_run_id: UUID | None) -> bool:
    """Whether somebody cancelled this flow run; otherwise only its process was stopped."""
    if flow_run_id is None:
        return False
    state = (await read_states([flow_run_id])).get(flow_run_id)
    return state is not None and (state.is_cancelling() or state.is_cancelled())


async def _start(
    deployment: str, parameters: dict[str, object], *, name: str, key: str
) -> UUID | None:
    try:
        run = await arun_deployment(
            deployment,
            parameters=parameters,
            flow_run_name=name,
            idempotency_key=key,
            timeout=0,
            as_subflow=False,
        )
    except ObjectNotFound:
        return None
    return run.id


def _is_waiting(state: RunState | None) -> bool:
    return state is not None and state.type is StateType.PAUSED
