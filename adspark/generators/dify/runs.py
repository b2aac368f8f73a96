"""A run at Dify, followed to its end however often the connection is cut.

Outputs count from the first event that holds them; the run as Dify keeps it may lag behind, or say
something else for ever.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from pydantic import JsonValue

from adspark.errors import GenerationFailedError, PostponedError, ServiceUnavailableError
from adspark.generators.answers.ad_copy import ends_early
from adspark.generators.base import GenerationObserver, RemoteRun
from adspark.generators.dify.client import DifyClient
from adspark.generators.dify.errors import UnknownRunError
from adspark.generators.dify.payloads import (
    LAST_EVENTS,
    NODE_FINISHED,
    NODE_STARTED,
    RunDetail,
    RunEvent,
    RunStatus,
    parse_end,
    parse_end_node,
)

_LOOKUPS = (0.0, 1.0, 3.0)  # seconds before each look-up of a run, which is stored a little late
_POLL = 3.0  # seconds between two look-ups of a run whose events are not to be had
_SETTLING = 0.2  # seconds between a run's last event and the run as Dify keeps it
_MOST_EMPTY_ENDS = 10  # last events that say nothing, while the run itself is shown as running
_LONGEST_TITLE = 100  # characters of a step's title
_TAIL = 40  # characters by which a step's text is found again in the outputs
_MOST_CUT_OFF = 20  # steps whose ends are remembered
_UNKNOWN_FOR = 86_400.0  # seconds after its submission in which a run is not given up
_UNKNOWN_ENDS = 10.0  # seconds for the last event of a run whose status is not known


@dataclass
class RunTracker:
    """Follows the run of one generation, and keeps its ids, its outputs, and who was cut off."""

    client: DifyClient
    observer: GenerationObserver  # is called as it gets on
    user: str  # to whom the run belongs at Dify
    remote_run: RemoteRun | None  # the run, where an earlier try has learnt of it
    submitted_for: float = 0.0  # seconds since an earlier try has begun it
    outputs: dict[str, JsonValue] = field(default_factory=dict)
    _nodes: int = 0
    _last_was_cut_off: bool = False
    _cut_off: list[str] = field(default_factory=list)

    async def accept(self, remote_run: RemoteRun) -> None:
        """Keep the run's ids, as soon as more of them are known."""
        if self.remote_run is None or (remote_run.task_id and not self.remote_run.task_id):
            self.remote_run = remote_run
            await self.observer.on_accepted(remote_run)

    async def handle(self, event: RunEvent) -> None:
        """Turn an event into progress, and keep the outputs of the workflow's end node."""
        if event.event == NODE_FINISHED:
            self._nodes += 1
            self.outputs |= parse_end_node(event)
            self._note_finish(event)
        if event.event in (NODE_STARTED, NODE_FINISHED):
            share = 1 - 0.7**self._nodes  # how many nodes there are, nobody says
            title = event.text("title")[:_LONGEST_TITLE]
            await self.observer.on_progress(share, title or "working")

    def is_cut_off(self, outputs: Mapping[str, JsonValue]) -> bool:
        """Whether a model was cut off whose words the outputs hold, by what its step has said."""
        written = json.dumps(outputs) if self._cut_off else ""
        return self._last_was_cut_off or any(
            json.dumps(end)[1:-1] in written for end in self._cut_off
        )

    @property
    def known_end(self) -> RunDetail | None:
        """The run by its end node alone, where that has given the outputs."""
        if self.remote_run is None or not self.outputs:
            return None
        return RunDetail(
            id=self.remote_run.run_id, status=RunStatus.SUCCEEDED, outputs=dict(self.outputs)
        )

    async def follow(self, run_id: str) -> RunDetail:
        """What a run comes to; listens to it as often as the stream is cut, until it has ended.

        Raises:
            GenerationFailedError: it waits for a person, or Dify has forgotten it.
            PostponedError: Dify does not know it, so soon that another app is likelier asked.
            ServiceUnavailableError: it has ended, and Dify does not say how.
            AdSparkError: Dify cannot be used.
        """
        empty_ends = 0
        while True:
            detail = await self._read(run_id)
            if detail is not None:
                if detail.is_over:
                    return detail
                if not detail.is_known:
                    return await self._resolve(detail)
                _check_not_waiting(detail)
            has_ended, end = await self._listen(run_id)
            if end is not None:
                return await self.complete(end)
            empty_ends += has_ended
            if empty_ends > _MOST_EMPTY_ENDS:
                raise ServiceUnavailableError(
                    f"Dify says that the run {run_id} is over, but not what came of it."
                )
            await asyncio.sleep(_SETTLING if has_ended and empty_ends == 1 else _POLL)

    async def complete(self, end: RunDetail) -> RunDetail:
        """An end with its outputs, of the kept run where the last event leaves them out."""
        if end.outputs or end.status not in (RunStatus.SUCCEEDED, RunStatus.PARTIAL):
            return end
        try:
            kept = await self.client.detail(end.id)
        except (ServiceUnavailableError, UnknownRunError):
            return end
        return kept if kept.outputs else end

    def _note_finish(self, event: RunEvent) -> None:
        """Keep whether a model was cut off, and the last of what it wrote."""
        given = event.data.get("outputs")
        reason = given.get("finish_reason") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(reason, str):
            return
        self._last_was_cut_off = ends_early(reason)
        text = given.get("text")
        if self._last_was_cut_off and isinstance(text, str) and text.strip():
            self._cut_off = [*self._cut_off, text.strip()[-_TAIL:]][-_MOST_CUT_OFF:]

    async def _listen(self, run_id: str) -> tuple[bool, RunDetail | None]:
        """Whether a last event came, and what it says of the run's end."""
        has_ended = False
        with suppress(ServiceUnavailableError, UnknownRunError):
            async with aclosing(self.client.events(run_id, user=self.user)) as events:
                async for event in events:
                    await self.accept(RemoteRun(run_id, event.task_id))
                    await self.handle(event)
                    has_ended = event.event in LAST_EVENTS
                    if (end := parse_end(event)) is not None:
                        return True, end
        return has_ended, None

    async def _resolve(self, detail: RunDetail) -> RunDetail:
        """A run under an unknown status: what its last event brings, else as it is, at once."""
        try:
            async with asyncio.timeout(_UNKNOWN_ENDS):
                _, end = await self._listen(detail.id)
        except TimeoutError:
            end = None
        return end or self.known_end or detail

    async def _read(self, run_id: str) -> RunDetail | None:
        """The run as it is; None while Dify does not answer."""
        for pause in _LOOKUPS:
            await asyncio.sleep(pause)
            try:
                return await self.client.detail(run_id)
            except UnknownRunError:
                continue
            except ServiceUnavailableError:
                return None
        if self.known_end is not None:
            return self.known_end
        if self.submitted_for < _UNKNOWN_FOR:
            raise PostponedError(
                f"Dify does not know the run {run_id}, as where key or address are another "
                "app's by now. Put those of the former app back, and it is resumed; or cancel "
                "the variant and retry it, which is paid anew."
            )
        raise GenerationFailedError(
            f"Dify no longer knows the run {run_id}, whose result was not fetched in time."
        )


async def find_task(client: DifyClient, run_id: str, user: str) -> str | None:
    """The id of the task of a running run; None where it has ended, or nobody says.

    Args:
        client: open.
        run_id: the run.
        user: for whom it was started.

    Raises:
        AdSparkError: Dify cannot be asked.
    """
    with suppress(UnknownRunError):
        if (await client.detail(run_id)).is_over:
            return None
        async with aclosing(client.events(run_id, user=user)) as events:
            async for event in events:
                if event.task_id:
                    return event.task_id
    return None


def _check_not_waiting(detail: RunDetail) -> None:
    if detail.status is RunStatus.PAUSED:
        raise GenerationFailedError(
            "Dify's workflow waits for a person's input, which AdSpark cannot give; leave that "
            "step out of it and review the variant in AdSpark."
        )
