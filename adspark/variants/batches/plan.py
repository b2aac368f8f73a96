"""Request a batch: each prompt for each ad, but for the variants that there are already.

A user's variant of an ad by the same prompt is there unless it has failed or was cancelled; one
that was made of another variant is something else.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.models import DEFAULT_USER, BatchState
from adspark.text.counts import counted
from adspark.validation.stored import clean_ad_id
from adspark.variants.budget import lock_requests, read_budget
from adspark.variants.requests import VariantRequest, check_originals, check_request

MOST_GENERATIONS = 1000
"""Of one batch."""

_MOST_PROMPTS = 100

_MISSING = """
    FROM unnest(CAST(:ads AS text[])) WITH ORDINALITY AS a (ad, place)
        CROSS JOIN unnest(CAST(:prompts AS text[])) WITH ORDINALITY AS p (prompt, number)
    WHERE NOT EXISTS (
        SELECT FROM ad_variant v
        WHERE v.original_ad_id = a.ad AND v.prompt = p.prompt AND v.user_id = :user_id
            AND v.parent_id IS NULL AND v.status NOT IN ('failed', 'cancelled')
    )
"""
_COUNT = text(f"SELECT count(*) {_MISSING}")
_MAKE = text("""
    INSERT INTO variant_batch (key, user_id, state, already_there)
    VALUES (:key, :user_id, :state, :already_there) RETURNING id
""")
_REQUEST = text(f"""
    INSERT INTO ad_variant
        (batch_id, original_ad_id, prompt, user_id, workspace_id, wants_review, status)
    SELECT :batch_id, ad, prompt, :user_id, CAST(:workspace_id AS int), :wants_review, 'pending'
    {_MISSING} ORDER BY number, place
""")
_BY_KEY = text("SELECT id FROM variant_batch WHERE key = :key AND user_id = :user_id")
_NEWS = text("""
    SELECT DISTINCT ad_creative_id FROM creative_event JOIN creative USING (ad_creative_id)
    WHERE watch_id = :watch_id AND kind = 'new' ORDER BY 1
""")


class NothingToRequestError(InvalidQueryError):
    """All variants of a batch are there already."""


class BatchRequest(BaseModel):
    """What a batch is made of; each ad and each prompt counts once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ads: tuple[str, ...]
    prompts: tuple[str, ...]
    user_id: int = DEFAULT_USER
    workspace_id: int | None = None
    wants_review: bool = False


class BatchPlan(BaseModel):
    """What a batch would come to."""

    ads: int
    prompts: int
    already_there: Annotated[int, Field(description="Variants that are not requested again.")]
    generations: Annotated[int, Field(description="That would be paid.")]


def check_batch(request: BatchRequest) -> BatchRequest:
    """The request with its ids and prompts cleaned, each once.

    Raises:
        InvalidQueryError: names the field.
    """
    if not request.ads:
        raise InvalidQueryError("ads", "name one stored ad at least.")
    if not request.prompts:
        raise InvalidQueryError("prompt", "is empty; say what the variants should be like.")
    rest = request.model_dump(include={"user_id", "workspace_id", "wants_review"})
    checked = [
        check_request(
            VariantRequest(original_ad_id=clean_ad_id(request.ads[0]), prompt=one, **rest)
        )
        for one in request.prompts
    ]
    ads = tuple(dict.fromkeys(map(clean_ad_id, request.ads)))
    prompts = tuple(dict.fromkeys(one.prompt for one in checked))
    if len(prompts) > _MOST_PROMPTS:
        raise InvalidQueryError("prompt", f"{len(prompts)} prompts; at most {_MOST_PROMPTS}.")
    if len(ads) * len(prompts) > MOST_GENERATIONS:
        raise InvalidQueryError(
            "ads",
            f"{counted(len(ads), 'ad')} by {counted(len(prompts), 'prompt')} are "
            f"{counted(len(ads) * len(prompts), 'variant')}; at most {MOST_GENERATIONS} a batch. "
            "Make several.",
        )
    return request.model_copy(update={"ads": ads, "prompts": prompts})


async def plan_batch(session: AsyncSession, request: BatchRequest) -> BatchPlan:
    """How many generations a checked request takes at the moment; reads only.

    Raises:
        InvalidQueryError: an ad is not stored.
    """
    await check_originals(session, request.ads)
    missing = int(await session.scalar(_COUNT, _values(request)) or 0)
    return BatchPlan(
        ads=len(request.ads),
        prompts=len(request.prompts),
        already_there=len(request.ads) * len(request.prompts) - missing,
        generations=missing,
    )


async def create_batch(
    session: AsyncSession, request: BatchRequest, *, key: UUID, confirmed: int
) -> int:
    """Make a batch with its pending variants; one of the same key and content is not made again.

    Args:
        session: the caller commits.
        request: a checked one.
        key: names the form that it is from, which may be sent twice, and with other content.
        confirmed: the number of generations that a person agreed to.

    Returns:
        The number of the batch.

    Raises:
        NothingToRequestError: all its variants are there.
        InvalidQueryError: an ad is not stored, or the user's budget of generations is too small.
        ChangedMeanwhileError: it would be another number of generations by now.
    """
    await lock_requests(session, user_id=request.user_id)
    own_key = uuid5(key, request.model_dump_json())
    values = {"key": own_key, "user_id": request.user_id}
    if (made := await session.scalar(_BY_KEY, values)) is not None:
        return int(made)
    plan = await plan_batch(session, request)
    if plan.generations == 0:
        raise NothingToRequestError(
            "ads",
            "each has a variant of each prompt already; change the prompt, or look at them",
            command="list them with: adspark variant list",
        )
    (await read_budget(session, user_id=request.user_id)).check(plan.generations)
    if plan.generations != confirmed:
        raise ChangedMeanwhileError(
            f"It takes {counted(plan.generations, 'generation')} by now, not {confirmed}; look at "
            f"it again, and confirm that."
        )
    values |= {"state": BatchState.RUNNING.value, "already_there": plan.already_there}
    batch_id = int((await session.execute(_MAKE, values)).scalar_one())
    more = {"batch_id": batch_id, "workspace_id": request.workspace_id}
    more |= {"wants_review": request.wants_review}
    await session.execute(_REQUEST, _values(request) | more)
    return batch_id


async def list_new_ads(session: AsyncSession, *, watch_id: int) -> Sequence[str]:
    """The stored ads that were news of a watch."""
    return list(await session.scalars(_NEWS, {"watch_id": watch_id}))


def _values(request: BatchRequest) -> dict[str, object]:
    return {
        "ads": list(request.ads),
        "prompts": list(request.prompts),
        "user_id": request.user_id,
    }
