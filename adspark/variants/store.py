"""Every statement on the life of a variant: request, claim, generation, end, retry.

pending -> processing -> completed | failed | cancelled; `retry` makes the last two pending again.
What a worker writes is tied to the attempt that it works on, so that one that was overtaken by a
cancellation changes nothing; that it failed or waits, also to its claim, so that one whose lock was
lost does not end what another works on. What a generation gave is kept, whoever brings it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import ColumnElement, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.errors import GenerationFailedError, InvalidQueryError, UnknownVariantError
from adspark.generators.base import RemoteRun
from adspark.models import DEFAULT_USER, AdVariant, Creative, VariantStatus
from adspark.text.storable import clean_text
from adspark.validation.bounds import ID, LARGEST_ID, PROMPT
from adspark.validation.stored import check_storable, describe_missing_ads

LONGEST_PROMPT = PROMPT.most  # characters; the generator's own limit is usually lower
_OPEN = (VariantStatus.PENDING, VariantStatus.PROCESSING)
_RETRIED = (VariantStatus.FAILED, VariantStatus.CANCELLED)

_COPY = text("""
    SELECT concat_ws(E'\\n', headline, snippet, call_to_action) FROM creative_detail
    WHERE ad_creative_id = :ad_creative_id
""")
_FORGET = {
    "asked_at": None,
    "receipt_run_id": None,
    "receipt_task_id": None,
    "generator": None,
    "generated": None,
}


class VariantRequest(BaseModel):
    """A variant that somebody wants."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    original_ad_id: str
    prompt: str
    user_id: int = DEFAULT_USER
    workspace_id: int | None = None
    wants_review: bool = False


class VariantSummary(BaseModel):
    """A variant as it is; the result of `generate-ad-variant`."""

    id: int
    status: VariantStatus
    original_ad_id: str
    prompt: str
    user_id: int
    workspace_id: int | None
    attempt: int
    generator: str | None
    title: str | None
    description: str | None
    original_path: str | None
    image_path: str | None
    confidence_score: float | None
    picture_similarity: float | None
    text_similarity: float | None
    is_too_close: bool
    wants_review: bool
    problem: str | None
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def headline(self) -> str:
        """What it came to, in one line."""
        match self.status:
            case VariantStatus.COMPLETED:
                parts = [f"confidence {self.confidence_score:g}"]
                parts += [self.problem] if self.problem else []
                parts += ["too close to the original"] if self.is_too_close else []
                return f"variant {self.id} completed: {'; '.join(parts)}"
            case VariantStatus.FAILED:
                return f"variant {self.id} failed: {self.error}"
        return f"variant {self.id} is {self.status}"


class Completion(BaseModel):
    """What a finished generation fills into its row."""

    title: str | None
    description: str | None
    image_path: str | None
    image_sha256: str | None
    picture_similarity: float | None
    text_similarity: float | None
    is_too_close: bool
    confidence_score: float
    response_metadata: dict[str, JsonValue]
    problem: str | None


def check_request(request: VariantRequest) -> VariantRequest:
    """The request with its prompt trimmed.

    Raises:
        InvalidQueryError: names the field.
    """
    prompt = request.prompt.strip()
    if not prompt:
        raise InvalidQueryError("prompt", "is empty; say what the variant should be like.")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidQueryError(
            "prompt", f"{len(prompt)} characters; at most {LONGEST_PROMPT}. Shorten it."
        )
    check_storable("prompt", prompt)
    for field in ("user_id", "workspace_id"):
        ID.check(field, getattr(request, field))
    return request.model_copy(update={"prompt": prompt})


async def request_variants(
    session: AsyncSession, *, requests: Sequence[VariantRequest], requested_by: UUID | None = None
) -> list[int]:
    """Make a pending row of each request; they are checked first.

    Args:
        requested_by: the flow run that asks for the only one.

    Returns:
        Their ids, in the order of the requests.

    Raises:
        InvalidQueryError: a field is wrong, or the original is not stored.
    """
    checked = [check_request(request) for request in requests]
    await check_originals(session, {request.original_ad_id for request in checked})
    rows = [request.model_dump() | {"requested_by": requested_by} for request in checked]
    if not rows:
        return []
    made = insert(AdVariant).returning(col(AdVariant.id), sort_by_parameter_order=True)
    return list(await session.scalars(made, rows))


async def check_originals(session: AsyncSession, ids: Collection[str]) -> None:
    """Refuse ads that are not stored.

    Raises:
        InvalidQueryError: names some of them.
    """
    for ad_creative_id in ids:
        check_storable("original_ad_id", ad_creative_id)
    stored = await session.scalars(
        select(col(Creative.ad_creative_id)).where(col(Creative.ad_creative_id).in_(ids))
    )
    if missing := sorted(set(ids) - set(stored)):
        raise InvalidQueryError("original_ad_id", describe_missing_ads(missing))


async def find_requested(session: AsyncSession, *, requested_by: UUID) -> int | None:
    """The variant that a flow run has made before, if it has."""
    made = select(col(AdVariant.id)).where(col(AdVariant.requested_by) == requested_by)
    found: int | None = await session.scalar(made)
    return found


async def read_variant(session: AsyncSession, *, variant_id: int) -> AdVariant:
    """A variant's row as it is now.

    Raises:
        UnknownVariantError: there is none.
    """
    found = None
    if 0 < variant_id <= LARGEST_ID:
        found = await session.get(AdVariant, variant_id, populate_existing=True)
    if found is None:
        raise UnknownVariantError(
            f"There is no variant {variant_id}; see them with: adspark variant list"
        )
    return found


def summary_of(variant: AdVariant) -> VariantSummary:
    """What is shown of a row."""
    return VariantSummary.model_validate(variant, from_attributes=True)


def generation_key(variant: AdVariant) -> str:
    """What names this attempt to the generator; no other attempt anywhere has the same."""
    return f"adspark-{variant.token.hex}-{variant.attempt}"


async def read_original_copy(session: AsyncSession, *, ad_creative_id: str) -> str | None:
    """The words of a creative, where its details were fetched."""
    return await session.scalar(_COPY, {"ad_creative_id": ad_creative_id}) or None


async def save_begin(
    session: AsyncSession, *, variant: AdVariant, flow_run_id: UUID | None, generator: str
) -> None:
    """It is being worked on from now; only whoever holds its lock calls this.

    Raises:
        UnknownVariantError: it has ended meanwhile.
    """
    values = {
        "status": VariantStatus.PROCESSING,
        "flow_run_id": flow_run_id,
        # What was asked for at one generator is not to be had from another.
        "generator": variant.generator if variant.asked_at else generator,
        "started_at": func.now(),
        "error": None,
        "error_kind": None,
    }
    if not await _change(session, variant, _OPEN, values):
        raise _ended(variant)


async def save_original(
    session: AsyncSession, *, variant: AdVariant, path: str, sha256: str
) -> None:
    """The original was rendered and is kept under `path`."""
    values = {"original_path": path, "original_sha256": sha256}
    await _change(session, variant, (VariantStatus.PROCESSING,), values)


async def save_asking(session: AsyncSession, *, variant: AdVariant) -> datetime:
    """The generator is asked right after this is committed.

    Returns:
        The time that is kept of it.

    Raises:
        UnknownVariantError: somebody cancelled it, or another worker has asked meanwhile.
    """
    statement = (
        update(AdVariant)
        .where(
            col(AdVariant.id) == variant.id,
            col(AdVariant.attempt) == variant.attempt,
            col(AdVariant.status) == VariantStatus.PROCESSING,
            col(AdVariant.asked_at).is_not_distinct_from(variant.asked_at),
            col(AdVariant.receipt_run_id).is_(None),
        )
        .values(asked_at=func.clock_timestamp())
        .returning(col(AdVariant.asked_at))
        .execution_options(synchronize_session=False)
    )
    asked_at = await session.scalar(statement)
    if asked_at is None:
        raise _ended(variant)
    return asked_at


async def save_not_begun(
    session: AsyncSession, *, variant: AdVariant, asked_at: datetime | None = None
) -> None:
    """The generator refused to begin, so there is nothing to look for.

    Args:
        asked_at: when it was asked; a question of another worker's stays.
    """
    conditions = [] if asked_at is None else [col(AdVariant.asked_at) == asked_at]
    await _change(session, variant, tuple(VariantStatus), {"asked_at": None}, *conditions)


async def save_receipt(session: AsyncSession, *, variant: AdVariant, receipt: RemoteRun) -> None:
    """The generator has taken it up under these names; true even of a cancelled one."""
    values = {"receipt_run_id": receipt.run_id, "receipt_task_id": receipt.task_id}
    await _change(session, variant, tuple(VariantStatus), values)


async def save_generated(
    session: AsyncSession, *, variant: AdVariant, generated: Mapping[str, JsonValue]
) -> None:
    """What the generation gave, before its picture is fetched; it is paid, and may be had once."""
    await _change(session, variant, _OPEN, {"generated": dict(generated)})


async def save_completed(
    session: AsyncSession, *, variant: AdVariant, completion: Completion
) -> None:
    """It is done. One that was cancelled meanwhile stays cancelled.

    One that waits since its answer counted as lost is done too: the answer has come after all.
    """
    values = completion.model_dump() | {
        "status": VariantStatus.COMPLETED,
        "completed_at": func.now(),
        "error": None,
        "error_kind": None,
        "generated": None,
    }
    is_waited_for = or_(
        col(AdVariant.status) == VariantStatus.PROCESSING, col(AdVariant.asked_at).is_not(None)
    )
    await _change(session, variant, _OPEN, values, is_waited_for)


async def save_failed(session: AsyncSession, *, variant: AdVariant, error: Exception) -> None:
    """It has failed for this reason."""
    values = {
        "status": VariantStatus.FAILED,
        "error": str(error) or type(error).__name__,
        "error_kind": type(error).__name__,
        "completed_at": func.now(),
    }
    await _change(session, variant, _OPEN, values, _claim_of(variant))


async def save_postponed(session: AsyncSession, *, variant: AdVariant, reason: str) -> None:
    """It has to wait; it is taken up again by the next `generate-pending-variants`."""
    values = {"status": VariantStatus.PENDING, "error": reason}
    await _change(session, variant, (VariantStatus.PROCESSING,), values, _claim_of(variant))


async def save_cancelled(session: AsyncSession, *, variant: AdVariant) -> bool:
    """Nobody wants it any more; returns whether it was still open."""
    values = {"status": VariantStatus.CANCELLED, "completed_at": func.now()}
    return await _change(session, variant, _OPEN, values)


def generation_is_over(variant: AdVariant) -> bool:
    """Whether nothing more can come of the last attempt's generation, so that a retry pays anew."""
    return variant.status == VariantStatus.CANCELLED or (
        variant.error_kind == GenerationFailedError.__name__
    )


async def save_retry(session: AsyncSession, *, variant: AdVariant, is_over: bool) -> None:
    """Make a failed or cancelled one pending again.

    Args:
        is_over: the generation of the last attempt has ended or never began, so that a new attempt
            begins; otherwise the same one is gone on with, and nothing is paid again.

    Raises:
        UnknownVariantError: it has neither failed nor been cancelled.
    """
    values: dict[str, object] = {
        "status": VariantStatus.PENDING,
        "error": None,
        "error_kind": None,
        "completed_at": None,
    }
    if is_over:
        values |= _FORGET | {"attempt": variant.attempt + 1}
    if not await _change(session, variant, _RETRIED, values):
        raise UnknownVariantError(
            f"Variant {variant.id} is {variant.status}; only failed and cancelled ones are retried."
        )


async def _change(
    session: AsyncSession,
    variant: AdVariant,
    statuses: Sequence[VariantStatus],
    values: Mapping[str, object],
    *conditions: ColumnElement[bool],
) -> bool:
    """Change the row if it is still at this attempt, in one of the statuses, and as required."""
    statement = (
        update(AdVariant)
        .where(
            col(AdVariant.id) == variant.id,
            col(AdVariant.attempt) == variant.attempt,
            col(AdVariant.status).in_(statuses),
            *conditions,
        )
        .values({name: _storable(value) for name, value in values.items()})
        .returning(col(AdVariant.id))
        .execution_options(synchronize_session=False)
    )
    return await session.scalar(statement) is not None


def _claim_of(variant: AdVariant) -> ColumnElement[bool]:
    """That nobody has claimed the row since it was read; each claim has a time of its own."""
    return col(AdVariant.started_at).is_not_distinct_from(variant.started_at)


def _storable(value: object) -> object:
    """What a service told, with a mark for each character that the database cannot hold."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_storable(one) for one in value]
        case dict():
            return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def _ended(variant: AdVariant) -> UnknownVariantError:
    return UnknownVariantError(
        f"Variant {variant.id} is not to be worked on any more: it was cancelled, or another run "
        f"has taken it up."
    )
