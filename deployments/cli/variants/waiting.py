"""`adspark variant request --wait`: waits for the ends of generations, and shows what they made."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.variants.reviews.waiting import read_waiting
from adspark.variants.store import VariantSummary, read_variant, summary_of
from deployments.cli.database import in_session
from deployments.cli.server import prefect_api_url
from deployments.cli.variants.documents import VariantList
from deployments.cli.variants.showing import show
from deployments.cli.variants.tables import print_variants
from deployments.environment.running_stack import find_api_url
from deployments.terminal.output import print_json, print_note

if TYPE_CHECKING:
    from deployments.cli.runs.follow import RunFailedError


def check_can_wait() -> None:
    """Raise InvalidQueryError where nothing would begin that could be waited for."""
    if find_api_url() is None:
        raise InvalidQueryError(
            "--wait", "no stack runs, and nothing would begin; start it (adspark up), or leave out."
        )


def wait_for(variants: Sequence[int], run_ids: Sequence[UUID], *, as_json: bool) -> None:
    """Wait for the ends of all runs, and show the variants.

    Args:
        variants: their numbers.
        run_ids: of the runs that generate them.
        as_json: print one document, not texts.

    Raises:
        RunFailedError: one did not complete; of several, the first of these, once all have ended.
    """
    failed = asyncio.run(_follow(run_ids))
    if len(variants) > 1:
        _show_all(variants, as_json=as_json)
    elif not failed:
        show(variants[0], as_json=as_json)
    if failed:
        raise failed[0]


async def _follow(run_ids: Sequence[UUID]) -> "list[RunFailedError]":
    """Tell what happens to the runs, one after the other; returns how those failed that did."""
    from deployments.cli.runs.follow import Event, RunFailedError, follow_run  # noqa: PLC0415

    failed = []
    for place, run_id in enumerate(run_ids, 1):
        which = f"{place} of {len(run_ids)}: " if len(run_ids) > 1 else ""

        def print_event(event: Event, which: str = which) -> None:
            print_note(f"{which}{event.text}")

        try:
            await follow_run(prefect_api_url(), run_id, print_event)
        except RunFailedError as error:
            failed.append(error)
    return failed


def _show_all(variants: Sequence[int], *, as_json: bool) -> None:
    async def act(session: AsyncSession) -> tuple[list[VariantSummary], list[int]]:
        found = [await read_variant(session, variant_id=one) for one in reversed(variants)]
        waiting = await read_waiting(session, user_id=None)
        return [summary_of(one) for one in found], [one for one in waiting if one in variants]

    found, waiting = in_session(act)
    document = VariantList(variants=found, reviews_waiting=waiting)
    print_json(document) if as_json else print_variants(found, waiting, {})
