"""Requests for variants: checked, and stored as pending variants."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_once
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.errors import InvalidQueryError
from adspark.models import DEFAULT_USER, AdVariant, Creative, VariantStatus
from adspark.text.visible import is_blank
from adspark.validation.bounds import ID, PROMPT
from adspark.validation.stored import check_storable, clean_ad_id, missing_ads
from adspark.variants.budget import lock_requests, read_budget


class VariantRequest(BaseModel):
    """A variant that somebody wants: of an ad or, with `parent_id`, of one of its variants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    original_ad_id: Annotated[str, BeforeValidator(clean_ad_id)]
    prompt: str
    user_id: int = DEFAULT_USER
    workspace_id: int | None = None
    wants_review: bool = False
    parent_id: int | None = None


def check_request(request: VariantRequest) -> VariantRequest:
    """The request with its prompt trimmed; the generator's own limit for that is usually lower.

    Raises:
        InvalidQueryError: names the field.
    """
    prompt = request.prompt.strip()
    if is_blank(prompt):
        raise InvalidQueryError("prompt", "is empty; say what the variant should be like.")
    if len(prompt) > PROMPT.most:
        raise InvalidQueryError(
            "prompt", f"{len(prompt)} characters; at most {PROMPT.most}. Shorten it."
        )
    check_storable("prompt", prompt)
    for field in ("user_id", "workspace_id", "parent_id"):
        ID.check(field, getattr(request, field))
    return request.model_copy(update={"prompt": prompt})


async def check_originals(session: AsyncSession, ids: Collection[str]) -> None:
    """Refuse ads that are not stored. Raises InvalidQueryError, which names some of them."""
    for ad_creative_id in ids:
        check_storable("original_ad_id", ad_creative_id)
    stored = await session.scalars(
        select(col(Creative.ad_creative_id)).where(col(Creative.ad_creative_id).in_(ids))
    )
    if missing := sorted(set(ids) - set(stored)):
        raise missing_ads("original_ad_id", missing)


async def check_parents(session: AsyncSession, requests: Collection[VariantRequest]) -> None:
    """Refuse variants as parents that nothing can be made of. Raises InvalidQueryError."""
    for request in requests:
        if request.parent_id is None:
            continue
        parent = await session.get(AdVariant, request.parent_id)
        if parent is None or parent.original_ad_id != request.original_ad_id:
            problem = f"there is no variant {request.parent_id} of {request.original_ad_id}."
        elif parent.status != VariantStatus.COMPLETED:
            problem = f"variant {parent.id} is {parent.status}; take a completed one."
        elif parent.image_path is None:
            problem = f"variant {parent.id} has no picture to begin with."
        else:
            continue
        raise InvalidQueryError("parent_id", problem)


async def request_variants(
    session: AsyncSession,
    *,
    requests: Sequence[VariantRequest],
    requested_by: UUID | None = None,
    key: UUID | None = None,
) -> list[int]:
    """Make a pending row of each request; they are checked first.

    Args:
        session: the caller commits.
        requests: what is wanted.
        requested_by: the flow run that requests the only one.
        key: names the form that they are from: what was requested with the same key and the same
            words before is not requested again.

    Returns:
        Their ids, in the order of the requests.

    Raises:
        InvalidQueryError: a field is wrong, the original is not stored, or a user's budget of
            generations is too small.
    """
    checked = [check_request(request) for request in requests]
    await check_originals(session, {request.original_ad_id for request in checked})
    await check_parents(session, checked)
    rows = [request.model_dump() | {"requested_by": requested_by} for request in checked]
    if not rows:
        return []
    for user_id in sorted({request.user_id for request in checked}):
        await lock_requests(session, user_id=user_id)
    if key is not None:
        # The same for the same request of the same form, and for no other.
        tokens = [uuid5(key, one.model_dump_json()) for one in checked]
        return await _request_once(session, checked, rows, tokens)
    await _check_budgets(session, checked)
    made = insert(AdVariant).returning(col(AdVariant.id), sort_by_parameter_order=True)
    return list(await session.scalars(made, rows))


async def check_requests(session: AsyncSession, requests: Collection[VariantRequest]) -> None:
    """Refuse before anybody confirms it what `request_variants` would refuse; reads only.

    Raises:
        InvalidQueryError: a parent cannot be used, or a user's budget of generations is too small.
    """
    await check_parents(session, requests)
    await _check_budgets(session, requests)


async def _check_budgets(session: AsyncSession, requests: Collection[VariantRequest]) -> None:
    """Refuse more than users have left. Raises InvalidQueryError."""
    for user_id, more in Counter(request.user_id for request in requests).items():
        (await read_budget(session, user_id=user_id)).check(more)


async def _request_once(
    session: AsyncSession,
    requests: Sequence[VariantRequest],
    rows: Sequence[dict[str, object]],
    tokens: Sequence[UUID],
) -> list[int]:
    """Make the rows whose tokens there are not yet; returns the ids of all, each once."""
    by_token = dict(zip(tokens, requests, strict=True))
    there = select(col(AdVariant.token)).where(col(AdVariant.token).in_(tokens))
    for token in await session.scalars(there):
        del by_token[token]
    await _check_budgets(session, by_token.values())
    named = [row | {"token": token} for row, token in zip(rows, tokens, strict=True)]
    await session.execute(insert_once(AdVariant).on_conflict_do_nothing(), named)
    wanted = select(col(AdVariant.token), col(AdVariant.id)).where(col(AdVariant.token).in_(tokens))
    ids = dict((await session.execute(wanted)).tuples().all())
    return [ids[token] for token in dict.fromkeys(tokens)]


async def find_requested(session: AsyncSession, *, requested_by: UUID) -> int | None:
    """The variant that a flow run has requested before, if it has."""
    found: int | None = await session.scalar(
        select(col(AdVariant.id)).where(col(AdVariant.requested_by) == requested_by)
    )
    return found
