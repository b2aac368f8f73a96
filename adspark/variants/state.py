"""Every statement on the state of a variant.

pending -> processing -> completed | failed | cancelled; a retry makes the last two pending again.
What a worker writes is tied to the attempt that it works on, so that one that was overtaken by a
cancellation changes nothing; that it failed or waits, also to its claim, so that one whose lock was
lost does not end what another works on. What a generation gave is saved by any of them. Of a paused
batch nothing is claimed or submitted, but for what was submitted before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, JsonValue
from sqlalchemy import ColumnElement, Update, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.errors import AdSparkError, GenerationFailedError, PausedError, UnknownVariantError
from adspark.generators.base import RemoteRun
from adspark.models import AdVariant, BatchState, VariantBatch, VariantStatus
from adspark.rules.verdicts import RuleCheck
from adspark.text.storable import clean_text
from adspark.variants.budget import give_back, lock_requests, note_use, read_budget

_OPEN = (VariantStatus.PENDING, VariantStatus.PROCESSING)
_PROCESSING = (VariantStatus.PROCESSING,)
_ENDED_WITHOUT = (VariantStatus.FAILED, VariantStatus.CANCELLED)
_ANY = tuple(VariantStatus)
# Read with a lock, so that a pause waits for who submits at the moment, and is seen by the next.
_IS_NOT_PAUSED: ColumnElement[bool] = or_(
    col(AdVariant.batch_id).is_(None),
    select(col(VariantBatch.id))
    .where(
        col(VariantBatch.id) == col(AdVariant.batch_id),
        col(VariantBatch.state) != BatchState.PAUSED,
    )
    .correlate(AdVariant)
    .with_for_update(read=True)
    .exists(),
)
_NO_ERROR: dict[str, object] = {"error": None, "error_kind": None}
_NO_GENERATION: dict[str, object] = {
    "asked_at": None,
    "receipt_run_id": None,
    "receipt_task_id": None,
    "flow_run_id": None,
    "generator": None,
    "generated": None,
}


class Completion(BaseModel):
    """What a finished generation fills into its row."""

    title: str | None
    description: str | None
    image_path: str | None
    image_sha256: str | None
    thumbnail_path: str | None
    picture_similarity: float | None
    text_similarity: float | None
    is_too_close: bool
    confidence_score: float
    response_metadata: dict[str, JsonValue]
    problem: str | None
    rule_check: RuleCheck | None = None


def generation_key(variant: AdVariant) -> str:
    """What names this attempt to the generator; no other attempt anywhere has the same."""
    return f"adspark-{variant.token.hex}-{variant.attempt}"


def is_generation_over(variant: AdVariant) -> bool:
    """Whether nothing more can come of the last attempt's generation, so that a retry pays anew."""
    return variant.status == VariantStatus.CANCELLED or (
        variant.error_kind == GenerationFailedError.__name__
    )


def is_retry_paid(variant: AdVariant) -> bool:
    """Whether a retry pays: the last attempt's generation is over, or was never submitted."""
    return is_generation_over(variant) or variant.asked_at is None


class VariantState:
    """The state of one variant; what has moved on since `variant` was read is not changed.

    Args:
        session: the caller commits.
        variant: as it was read; for what a worker writes, as it was claimed.
    """

    def __init__(self, session: AsyncSession, variant: AdVariant) -> None:
        self._session = session
        self._variant = variant

    async def assign(self, flow_run_id: UUID) -> None:
        """A flow run was started that will claim it."""
        await self._change(_ANY, {"flow_run_id": flow_run_id})

    async def assign_review(self, flow_run_id: UUID) -> None:
        """A flow run was started that waits for its review."""
        await self._change(_ANY, {"review_run_id": flow_run_id})

    async def claim(self, *, flow_run_id: UUID | None, generator: str) -> None:
        """It is processed from now on; only whoever holds its lock calls this.

        What was submitted to one generator before is not to be had from another.

        Raises:
            PausedError: its batch is, and it was not submitted before.
            UnknownVariantError: it has ended meanwhile.
        """
        values = _NO_ERROR | {
            "status": VariantStatus.PROCESSING,
            "flow_run_id": flow_run_id,
            "generator": self._variant.generator if self._variant.asked_at else generator,
            "started_at": func.now(),
        }
        is_submitted = col(AdVariant.asked_at).is_not(None)
        if not await self._change(_OPEN, values, or_(is_submitted, _IS_NOT_PAUSED)):
            raise await self._why_not()

    async def save_original(self, *, path: str, sha256: str, version: str | None = None) -> None:
        """The picture that it is made from, of this version of the ad, is in the media store.

        Args:
            path: of the picture in the media store.
            sha256: of the picture, in hex.
            version: content hash of the ad; None: not known.
        """
        values = {"original_path": path, "original_sha256": sha256, "original_version": version}
        await self._change(_PROCESSING, values)

    async def submit(self) -> datetime:
        """The generation is submitted right after this is committed; returns the time, as stored.

        It counts as used of its user's budget.

        Raises:
            PausedError: its batch is.
            UnknownVariantError: it was cancelled, or another worker has submitted it meanwhile.
        """
        statement = self._update(
            _PROCESSING,
            col(AdVariant.asked_at).is_not_distinct_from(self._variant.asked_at),
            col(AdVariant.receipt_run_id).is_(None),
            _IS_NOT_PAUSED,
        )
        submitted_at: datetime | None = await self._session.scalar(
            statement.values(asked_at=func.clock_timestamp()).returning(col(AdVariant.asked_at))
        )
        if submitted_at is None:
            raise await self._why_not()
        await note_use(self._session, self._variant)
        return submitted_at

    async def refuse(self, *, submitted_at: datetime | None = None) -> None:
        """The generator refused what was submitted then; what another worker submitted stays."""
        conditions = [] if submitted_at is None else [col(AdVariant.asked_at) == submitted_at]
        if await self._change(_ANY, {"asked_at": None}, *conditions):
            await give_back(self._session, self._variant)

    async def accept(self, remote_run: RemoteRun) -> None:
        """The generator has accepted it as this run; true even of a cancelled one."""
        values = {"receipt_run_id": remote_run.run_id, "receipt_task_id": remote_run.task_id}
        await self._change(_ANY, values)

    async def save_generated(self, generated: Mapping[str, JsonValue]) -> None:
        """Keep what was generated before its picture is fetched: it is paid, and may come once.

        With it stands when that was first saved, for its picture's address may expire.
        """
        since = func.coalesce(col(AdVariant.generated)["saved_at"], func.to_jsonb(func.now()))
        given = cast(_storable(dict(generated)), JSONB)
        value = given.op("||")(func.jsonb_build_object("saved_at", since))
        await self._session.execute(self._update(_OPEN).values(generated=value))

    async def complete(self, completion: Completion) -> None:
        """It is completed. One that was cancelled meanwhile stays cancelled.

        One that waits since its answer counted as lost is completed: the answer has come after all.
        """
        values = _NO_ERROR | completion.model_dump(exclude={"rule_check"})
        values |= _checked(completion.rule_check)
        values |= {"status": VariantStatus.COMPLETED, "completed_at": func.now(), "generated": None}
        is_awaited = or_(
            col(AdVariant.status) == VariantStatus.PROCESSING, col(AdVariant.asked_at).is_not(None)
        )
        await self._change(_OPEN, values, is_awaited)

    async def save_check(self, check: RuleCheck) -> bool:
        """It was checked again, as it is; returns whether it is still the same one."""
        return await self._change((VariantStatus.COMPLETED,), _checked(check))

    async def fail(self, error: Exception) -> None:
        """It has failed for this reason, unless another worker has claimed it meanwhile."""
        values = {
            "status": VariantStatus.FAILED,
            "error": str(error) or type(error).__name__,
            "error_kind": type(error).__name__,
            "completed_at": func.now(),
        }
        await self._change(_OPEN, values, self._is_same_claim())

    async def postpone(self, reason: str) -> None:
        """It is pending again; the next `generate-pending-variants` resumes it."""
        values = {"status": VariantStatus.PENDING, "error": reason}
        await self._change(_PROCESSING, values, self._is_same_claim())

    async def cancel(self, *, of_run: UUID | None = None) -> bool:
        """Nobody wants it any more; returns whether it was open.

        With `of_run` because that run was cancelled: one that was retried since, and is another
        run's, stays open.
        """
        values = {"status": VariantStatus.CANCELLED, "completed_at": func.now()}
        run = func.coalesce(col(AdVariant.flow_run_id), col(AdVariant.requested_by))
        return await self._change(_OPEN, values, *([] if of_run is None else [run == of_run]))

    async def retry(self) -> None:
        """Make a failed or cancelled one pending again.

        Where nothing more can come of the last attempt's generation, a new attempt begins;
        otherwise the same one goes on, and what was submitted is not paid again.

        Raises:
            InvalidQueryError: its user's budget of generations is used up.
            UnknownVariantError: it has neither failed nor been cancelled.
        """
        if is_retry_paid(self._variant):
            user_id = self._variant.user_id
            await lock_requests(self._session, user_id=user_id)
            (await read_budget(self._session, user_id=user_id)).check(1)
        values = _NO_ERROR | {"status": VariantStatus.PENDING, "completed_at": None}
        if is_generation_over(self._variant):
            values |= _NO_GENERATION | {"attempt": self._variant.attempt + 1}
        if not await self._change(_ENDED_WITHOUT, values):
            raise UnknownVariantError(
                f"Variant {self._variant.id} is {self._variant.status}; only failed and cancelled "
                f"ones are retried."
            )

    async def _change(
        self,
        statuses: Sequence[VariantStatus],
        values: Mapping[str, object],
        *conditions: ColumnElement[bool],
    ) -> bool:
        storable = {name: _storable(value) for name, value in values.items()}
        statement = self._update(statuses, *conditions).values(storable)
        return await self._session.scalar(statement.returning(col(AdVariant.id))) is not None

    def _update(
        self, statuses: Sequence[VariantStatus], *conditions: ColumnElement[bool]
    ) -> Update:
        """An update of the row if it is still at this attempt, in one of the statuses, and so."""
        return (
            update(AdVariant)
            .where(
                col(AdVariant.id) == self._variant.id,
                col(AdVariant.attempt) == self._variant.attempt,
                col(AdVariant.status).in_(statuses),
                *conditions,
            )
            .execution_options(synchronize_session=False)
        )

    def _is_same_claim(self) -> ColumnElement[bool]:
        """That nobody has claimed it since; each claim has a time of its own."""
        return col(AdVariant.started_at).is_not_distinct_from(self._variant.started_at)

    async def _why_not(self) -> AdSparkError:
        """Why it is not to be worked on, or not now."""
        number = self._variant.batch_id
        state = select(col(VariantBatch.state)).where(col(VariantBatch.id) == number)
        if await self._session.scalar(state) == BatchState.PAUSED:
            return PausedError(
                f"Batch {number} is paused.", command=f"let it go on: adspark batch resume {number}"
            )
        return UnknownVariantError(
            f"Variant {self._variant.id} is not to be worked on any more: it was cancelled, or "
            f"another run has claimed it."
        )


def _checked(check: RuleCheck | None) -> dict[str, object]:
    """What is stored of a check, with the database's time, by which people decide as well."""
    if check is None:
        return {"rule_check": None, "failed_rules": 0}
    given = cast(_storable(check.model_dump(mode="json")), JSONB)
    value = given.op("||")(func.jsonb_build_object("checked_at", func.now()))
    return {"rule_check": value, "failed_rules": len(check.failed)}


def _storable(value: object) -> object:
    """What a service said, with a mark for each character that the database cannot hold."""
    match value:
        case str():
            return clean_text(value)
        case list():
            return [_storable(one) for one in value]
        case dict():
            return {_storable(name): _storable(one) for name, one in value.items()}
    return value
