"""Variants from a Dify workflow, each paid for once.

Dify has no idempotency key. Its run and task ids are kept from the first event on, and every
request is a `user` of its own, so that a run whose ids were lost can be found in Dify's log.
Where an answer was lost, the run is submitted again only once that log proves that none began.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from adspark.errors import (
    AdSparkError,
    GenerationFailedError,
    PermanentError,
    PostponedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.generators.base import Generated, GenerationObserver, GenerationRequest, RemoteRun
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.errors import (
    LostAnswerError,
    NotBegunError,
    UnknownRunError,
    event_error,
    start_error,
)
from adspark.generators.dify.inputs import WorkflowMapping, check_form, fill_inputs
from adspark.generators.dify.outputs import find_outputs
from adspark.generators.dify.payloads import ERROR, RunDetail, RunStatus, parse_end
from adspark.generators.dify.runs import RunTracker, find_task

RUN_LIMIT = 1500.0
"""Seconds that a run may take before it is stopped, without its wait; Dify's own are 1200."""
LOST_AFTER = 1200.0
"""Seconds after which a run that nobody answered for and that is not in Dify's log never began."""
LISTED_WITHIN = 10.0
"""Seconds after which Dify's log has a run that began, once Dify has answered with a failure."""
_MOST_NAMES = 100  # of outputs, for the record
_LONGEST_NAME = 200  # characters of one
_LOOKUPS = (0.0, 0.1, 0.3, 0.6)  # shares of that before each look-up in the log; all of it


@dataclass(frozen=True)
class DifyGenerator:
    """A generator over one workflow app, whose client the caller closes; see the constants."""

    client: DifyClient
    mapping: WorkflowMapping
    run_limit: float = RUN_LIMIT
    lost_after: float = LOST_AFTER
    listed_within: float = LISTED_WITHIN

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.client.host,)

    async def check(self, prompt: str) -> None:
        """See `Generator.check`; asks Dify for the app's form, which is free."""
        check_form(await self.client.form(), self.mapping, prompt)

    async def generate(self, request: GenerationRequest, observer: GenerationObserver) -> Generated:
        tracker = RunTracker(
            self.client, observer, request.key, request.remote_run, request.submitted_for
        )
        run_id = await self._find_previous(request)
        if run_id is None:
            inputs = await self._fill(request)
            submitted_at = await observer.on_submit()
        try:
            async with asyncio.timeout(self.run_limit):
                if run_id is None:
                    detail = await self._start(inputs, tracker, submitted_at)
                else:
                    detail = await self._resume(run_id, tracker)
        except TimeoutError:
            detail = await self._stop_overdue(tracker)
        return self._outcome(detail, tracker)

    async def cancel(self, remote_run: RemoteRun | None, *, key: str) -> None:
        """See `Generator.cancel`. Dify's stop wants the task; the run's events name it."""
        run_ids = [remote_run.run_id] if remote_run else await self.client.find_runs(key)
        for run_id in run_ids:
            task_id = remote_run.task_id if remote_run else None
            task_id = task_id or await find_task(self.client, run_id, key)
            if task_id is not None:
                await self.client.stop(task_id, user=key)

    async def _fill(self, request: GenerationRequest) -> dict[str, JsonValue]:
        try:
            return await fill_inputs(self.client, self.mapping, request)
        except ServiceUnavailableError as error:
            raise NotBegunError(str(error)) from error

    async def _find_previous(self, request: GenerationRequest) -> str | None:
        """The run that an earlier try began; None where surely none did."""
        if request.remote_run is not None:
            return request.remote_run.run_id
        if request.submitted_at is None:
            return None
        clock = asyncio.get_running_loop().time
        began = clock()
        found = await self._find(request.key, request.submitted_at)
        waited = request.submitted_for + clock() - began
        if found is None and waited < self.lost_after:
            raise PostponedError(
                f"Dify got the request {waited:.0f} s ago and did not answer; it gets it again "
                f"once its log has not shown the run for {self.lost_after:g} s."
            )
        return found

    async def _start(
        self, inputs: dict[str, JsonValue], tracker: RunTracker, submitted_at: datetime
    ) -> RunDetail:
        """A new run, to its end."""
        try:
            return await self._listen_to_new(inputs, tracker)
        except LostAnswerError as lost:
            if tracker.remote_run is not None:
                raise
            run_id = await self._find_lost(lost, tracker.user, submitted_at)
            if run_id is None:
                await tracker.observer.on_refused()
                raise _refusal(lost) from lost
            return await self._resume(run_id, tracker)
        except (NotBegunError, RateLimitedError, PermanentError):
            if tracker.remote_run is None:
                await tracker.observer.on_refused()
            raise

    async def _find_lost(
        self, lost: LostAnswerError, user: str, submitted_at: datetime
    ) -> str | None:
        """The run whose answer was lost; None where Dify's log proves that none began."""
        # It does where Dify has answered, so that nothing begins later, and lists runs at once.
        run_id = await self._find(user, submitted_at)
        if run_id is None and (lost.failure is None or await self.client.lists_late()):
            raise PostponedError(f"{lost} It is looked for again.") from lost
        return run_id

    async def _find(self, user: str, submitted_at: datetime) -> str | None:
        """The user's run that has begun since, by Dify's log; None where no look-up shows one."""
        for share in _LOOKUPS:
            await asyncio.sleep(share * self.listed_within)
            if run_ids := await self.client.find_runs(user, since=submitted_at):
                return run_ids[-1]
        return None

    async def _listen_to_new(self, inputs: dict[str, JsonValue], tracker: RunTracker) -> RunDetail:
        async with aclosing(self.client.run(inputs, user=tracker.user)) as events:
            try:
                async for event in events:
                    if event.workflow_run_id:
                        await tracker.accept(RemoteRun(event.workflow_run_id, event.task_id))
                    if tracker.remote_run is None and event.event == ERROR:
                        raise start_error(event_error(event))
                    await tracker.handle(event)
                    if (end := parse_end(event)) is not None:
                        return await tracker.complete(end)
            except ServiceUnavailableError:
                if tracker.remote_run is None:
                    raise
        if tracker.remote_run is None:
            raise LostAnswerError("Dify's stream ended before it named the run.")
        return await tracker.follow(tracker.remote_run.run_id)

    async def _resume(self, run_id: str, tracker: RunTracker) -> RunDetail:
        """A run that was begun before, to its end; the id of one found in the log is saved."""
        await tracker.accept(RemoteRun(run_id))
        return await tracker.follow(run_id)

    async def _stop_overdue(self, tracker: RunTracker) -> RunDetail:
        """Stop a run that takes too long; what its end node has given before counts.

        Of one that cannot be seen nobody knows whether it has ended, with a result that was paid.
        """
        if tracker.known_end is not None:
            with suppress(AdSparkError):
                await self.cancel(tracker.remote_run, key=tracker.user)
            return tracker.known_end
        if tracker.remote_run is not None:
            with suppress(UnknownRunError):
                detail = await self.client.detail(tracker.remote_run.run_id)
                if detail.is_over:
                    return detail
        await self.cancel(tracker.remote_run, key=tracker.user)
        raise GenerationFailedError(
            f"Dify's run took longer than {self.run_limit:g} s and was stopped."
        ) from None

    def _outcome(self, detail: RunDetail, tracker: RunTracker) -> Generated:
        if detail.status in (RunStatus.FAILED, RunStatus.STOPPED):
            raise GenerationFailedError(
                f"Dify's run {detail.status}: {detail.error or 'it gives no reason'}"
            )
        if not detail.is_known and not detail.outputs:
            raise ServiceRefusedError(
                f"Dify's run {detail.id} has the status {detail.status!r}, which AdSpark does not "
                f"know, and no outputs. Look at it in Dify's log; a retry looks at the same run "
                f"again."
            )
        found = find_outputs(
            detail.outputs or {},
            detail.files,
            text_output=self.mapping.text_output,
            picture_output=self.mapping.picture_output,
        )
        return replace(
            found,
            picture=found.picture and self._address(found.picture),
            more_pictures=[self._address(one) for one in found.more_pictures],
            metadata=_metadata(detail),
            is_cut_off=found.is_cut_off or tracker.is_cut_off(detail.outputs or {}),
        )

    def _address(self, picture: str) -> str:
        return picture if picture[:5].lower() == "data:" else self.client.absolute(picture)


def _refusal(lost: LostAnswerError) -> AdSparkError:
    """What a failed request means, once it is known that nothing began."""
    if isinstance(lost.failure, PermanentError):
        return lost.failure
    return NotBegunError(f"{lost.failure} Its log shows no run, so nothing began.")


def _metadata(detail: RunDetail) -> dict[str, JsonValue]:
    return {
        "generator": "dify",
        "workflow_id": detail.workflow_id,
        "workflow_run_id": detail.id,
        "status": str(detail.status),
        "seed": _seed(detail.outputs or {}),
        "elapsed_time": detail.elapsed_time,
        "total_tokens": detail.total_tokens,
        "total_steps": detail.total_steps,
        "outputs": list[JsonValue](
            [name[:_LONGEST_NAME] for name in sorted(detail.outputs or {})[:_MOST_NAMES]]
        ),
    }


def _seed(outputs: Mapping[str, JsonValue]) -> JsonValue:
    """What the workflow drew from, where it gives it as the output `seed`."""
    seed = outputs.get("seed")
    is_number = isinstance(seed, int) and not isinstance(seed, bool)
    return seed if is_number or (isinstance(seed, str) and len(seed) <= _LONGEST_NAME) else None
