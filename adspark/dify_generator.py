"""Variants from a Dify workflow, each paid for once.

Dify has no idempotency key. Its run and task ids are kept from the first event on, and every
assignment is a `user` of its own, so that a run whose ids were lost can be found in Dify's log.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from pydantic import JsonValue

from adspark.dify import DifyClient
from adspark.dify_errors import LostAnswerError, NotBegunError, UnknownRunError, event_error
from adspark.dify_inputs import WorkflowMapping, check_form, fill_inputs
from adspark.dify_outputs import find_outputs
from adspark.dify_payloads import (
    ERROR,
    FINISHED,
    NODE_FINISHED,
    NODE_STARTED,
    PAUSED,
    RunDetail,
    RunEvent,
    RunStatus,
    parse_detail,
)
from adspark.errors import (
    GenerationFailedError,
    PermanentError,
    PostponedError,
    RateLimitedError,
    ServiceUnavailableError,
)
from adspark.generation import Assignment, Diary, Generated, Receipt

RUN_LIMIT = 1500.0  # seconds; Dify's own is 1200
LOST_AFTER = 1200.0  # seconds; Dify ends every run by then, and lists it in its log
_LOOKS = (0.0, 1.0, 3.0)  # seconds before each look for a run, which is listed a little late
_POLL = 3.0  # seconds between two looks at a run whose events are not to be had
_SETTLING = 0.2  # seconds between a run's last event and the run as Dify keeps it


class DifyGenerator:
    """A generator over one workflow app.

    Args:
        client: open; the caller closes it.
        mapping: the workflow's inputs and outputs.
        run_limit: seconds that a run may take before it is stopped; waiting for its turn is not
            counted.
        lost_after: seconds after which a run that was asked for and is not in Dify's log has not
            begun.
    """

    def __init__(
        self,
        client: DifyClient,
        mapping: WorkflowMapping,
        *,
        run_limit: float = RUN_LIMIT,
        lost_after: float = LOST_AFTER,
    ) -> None:
        self._client = client
        self._mapping = mapping
        self._run_limit = run_limit
        self._lost_after = lost_after

    @property
    def hosts(self) -> tuple[str, ...]:
        """See `Generator.hosts`."""
        return (self._client.host,)

    async def check(self, prompt: str) -> None:
        """See `Generator.check`; asks Dify for the app's form, which is free."""
        check_form(await self._client.form(), self._mapping, prompt)

    async def generate(self, assignment: Assignment, diary: Diary) -> Generated:
        """See `Generator.generate`."""
        record = _Record(diary, assignment.receipt)
        run_id = await self._find_earlier(assignment)
        inputs: dict[str, JsonValue] = {}
        if run_id is None:
            inputs = await fill_inputs(self._client, self._mapping, assignment)
            await record.asking()
        try:
            async with asyncio.timeout(self._run_limit):
                if run_id is None:
                    detail = await self._start(inputs, assignment.key, record)
                else:
                    detail = await self._go_on(run_id, assignment.key, record)
        except TimeoutError:
            await self.cancel(record.receipt, key=assignment.key)
            raise GenerationFailedError(
                f"Dify's run took longer than {self._run_limit:g} s and was stopped."
            ) from None
        return self._outcome(detail)

    async def cancel(self, receipt: Receipt | None, *, key: str) -> None:
        """See `Generator.cancel`. Dify's stop wants the task; the run's events name it."""
        run_ids = [receipt.run_id] if receipt else await self._client.find_runs(key)
        for run_id in run_ids:
            task_id = receipt.task_id if receipt else None
            task_id = task_id or await self._find_task(run_id, key)
            if task_id is not None:
                await self._client.stop(task_id, user=key)

    async def _find_earlier(self, assignment: Assignment) -> str | None:
        """The run that was begun before; None where surely none was."""
        if assignment.receipt is not None:
            return assignment.receipt.run_id
        if assignment.asked_at is None:
            return None
        if (run_id := await self._find(assignment.key)) is None:
            self._check_surely_lost(assignment.asked_at)
        return run_id

    async def _start(self, inputs: dict[str, JsonValue], user: str, record: "_Record") -> RunDetail:
        """A new run, to its end."""
        try:
            return await self._listen_to_new(inputs, user, record)
        except LostAnswerError as error:
            if (run_id := await self._find(user)) is None:
                raise PostponedError(f"{error} It is looked for again.") from error
            return await self._go_on(run_id, user, record)
        except (NotBegunError, RateLimitedError, PermanentError):
            if record.receipt is None:
                await record.not_begun()
            raise

    async def _listen_to_new(
        self, inputs: dict[str, JsonValue], user: str, record: "_Record"
    ) -> RunDetail:
        steps = _Steps(record)
        async with aclosing(self._client.run(inputs, user=user)) as events:
            try:
                async for event in events:
                    if record.receipt is None and event.workflow_run_id:
                        await record.accepted(Receipt(event.workflow_run_id, event.task_id))
                    if record.receipt is None and event.event == ERROR:
                        raise event_error(event)
                    await steps.tell(event)
                    if event.event == FINISHED:
                        return parse_detail(event.data)
            except ServiceUnavailableError:
                if record.receipt is None:
                    raise
        if record.receipt is None:
            raise LostAnswerError("Dify's stream ended before it named the run.")
        return await self._follow(record.receipt.run_id, user, record)

    async def _go_on(self, run_id: str, user: str, record: "_Record") -> RunDetail:
        """A run that was begun before, to its end; the names of one found in the log are kept."""
        if record.receipt is None:
            await record.accepted(Receipt(run_id, await self._find_task(run_id, user)))
        return await self._follow(run_id, user, record)

    async def _follow(self, run_id: str, user: str, diary: Diary) -> RunDetail:
        """Listen to a run that goes on, as often as the stream is cut, until it has ended."""
        steps = _Steps(diary)
        while True:
            pause = _POLL  # then the run itself is asked again
            detail = await self._detail(run_id)
            if detail is not None:
                _check_not_waiting(detail)
                if detail.status.is_final:
                    return detail
            try:
                async with aclosing(self._client.events(run_id, user=user)) as events:
                    async for event in events:
                        await steps.tell(event)
                        if event.event in (FINISHED, PAUSED, ERROR):
                            pause = _SETTLING
            except (ServiceUnavailableError, UnknownRunError):
                pass
            await asyncio.sleep(pause)

    async def _detail(self, run_id: str) -> RunDetail | None:
        """The run as it is; None while Dify does not answer."""
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            try:
                return await self._client.detail(run_id)
            except UnknownRunError:
                continue
            except ServiceUnavailableError:
                return None
        raise GenerationFailedError(
            f"Dify no longer knows the run {run_id}, whose result was not fetched in time."
        )

    async def _find(self, user: str) -> str | None:
        """The run that was begun for this user, by Dify's log."""
        for pause in _LOOKS:
            await asyncio.sleep(pause)
            if run_ids := await self._client.find_runs(user):
                return run_ids[-1]
        return None

    async def _find_task(self, run_id: str, user: str) -> str | None:
        """The task of a run that goes on; None where it has ended."""
        try:
            if (await self._client.detail(run_id)).status.is_final:
                return None
            async with aclosing(self._client.events(run_id, user=user)) as events:
                async for event in events:
                    if event.task_id:
                        return event.task_id
        except (ServiceUnavailableError, UnknownRunError):
            pass  # it is not needed to follow the run, only to stop it
        return None

    def _check_surely_lost(self, asked_at: datetime) -> None:
        waited = (datetime.now(UTC) - asked_at).total_seconds()
        if waited < self._lost_after:
            raise PostponedError(
                f"Dify was asked {waited:.0f} s ago and did not answer; it is asked again once "
                f"its log has not shown the run for {self._lost_after:g} s."
            )

    def _outcome(self, detail: RunDetail) -> Generated:
        if detail.status in (RunStatus.FAILED, RunStatus.STOPPED):
            raise GenerationFailedError(
                f"Dify's run {detail.status}: {detail.error or 'it gives no reason'}"
            )
        found = find_outputs(
            detail.outputs or {},
            detail.files,
            text_output=self._mapping.text_output,
            picture_output=self._mapping.picture_output,
        )
        picture = found.picture
        if picture is not None and not picture.startswith("data:"):
            picture = self._client.absolute(picture)
        return Generated(found.text, picture, _metadata(detail))


class _Record:
    """A diary that also knows itself whether the generation was taken up."""

    def __init__(self, diary: Diary, receipt: Receipt | None) -> None:
        self._diary = diary
        self.receipt = receipt

    async def asking(self) -> None:
        await self._diary.asking()

    async def not_begun(self) -> None:
        await self._diary.not_begun()

    async def accepted(self, receipt: Receipt) -> None:
        self.receipt = receipt
        await self._diary.accepted(receipt)

    async def progress(self, done: float, doing: str) -> None:
        await self._diary.progress(done, doing)


class _Steps:
    """Turns a run's events into progress: nodes done, of those that have been seen."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary
        self._done = 0

    async def tell(self, event: RunEvent) -> None:
        if event.event == NODE_FINISHED:
            self._done += 1
        if event.event in (NODE_STARTED, NODE_FINISHED):
            share = 1 - 0.7**self._done  # how many nodes there are, nobody says
            await self._diary.progress(share, event.text("title") or "working")


def _check_not_waiting(detail: RunDetail) -> None:
    if detail.status is RunStatus.PAUSED:
        raise GenerationFailedError(
            "Dify's workflow waits for a person's input, which AdSpark cannot give; leave that "
            "step out of it and review the variant in AdSpark."
        )


def _metadata(detail: RunDetail) -> dict[str, JsonValue]:
    return {
        "generator": "dify",
        "workflow_id": detail.workflow_id,
        "workflow_run_id": detail.id,
        "status": str(detail.status),
        "elapsed_time": detail.elapsed_time,
        "total_tokens": detail.total_tokens,
        "total_steps": detail.total_steps,
        "outputs": list[JsonValue](sorted(detail.outputs or {})),
    }
