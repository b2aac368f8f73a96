"""The task that finds the row of a variant, or creates it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.settings import get_settings
from adspark.variants.requests import (
    VariantRequest,
    check_request,
    find_requested,
    request_variants,
)
from adspark.variants.store import read_variant
from blocks.adspark_database import connect_database
from blocks.generators import check_prompt, open_generator
from orchestration.limits.retry_policy import retried_task


@retried_task()
async def request_variant(
    request: VariantRequest, variant_id: int | None, requested_by: UUID | None
) -> int:
    """The id of the variant to work on.

    Args:
        request: what is wanted.
        variant_id: an existing row, which has to be of the same ad, prompt and user.
        requested_by: the flow run, which creates one row however often it is tried.

    Raises:
        InvalidQueryError: names the field; nothing was requested.
    """
    async with connect_database() as database:
        async with database.session() as session:
            if variant_id is not None:
                await _check_same(session, variant_id, check_request(request))
                return variant_id
            if requested_by and (made := await find_requested(session, requested_by=requested_by)):
                return made
        wanted = check_request(request)
        await check_prompt(open_generator(get_settings().generator), wanted.prompt)
        async with database.transaction() as session:
            (new,) = await request_variants(session, requests=[wanted], requested_by=requested_by)
            return new


async def _check_same(session: AsyncSession, variant_id: int, wanted: VariantRequest) -> None:
    """Refuse a row that was requested with something else."""
    variant = await read_variant(session, variant_id=variant_id)
    for field in ("original_ad_id", "prompt", "user_id"):
        if (stored := getattr(variant, field)) != getattr(wanted, field):
            raise InvalidQueryError(
                field, f"variant {variant_id} was requested with {stored!r}; give that."
            )
