"""Dify's API of workflow apps: async client.

Source: https://docs.dify.ai/en/api-reference. A run costs money and there is no idempotency key, so
nothing here retries. Runs are always streamed: a blocking answer is cut by proxies after a minute,
while the run continues and is paid. A run and its files belong to the `user` that it was started
for, and are only found as that user.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from httpx_sse import EventSource
from pydantic import JsonValue, SecretStr

from adspark.errors import AdSparkError, InvalidCredentialsError, ServiceUnavailableError
from adspark.generators.dify.errors import (
    LostAnswerError,
    error_of,
    looking_for_run,
    start_error,
    translated,
)
from adspark.generators.dify.log import LogPage, parse_log
from adspark.generators.dify.payloads import (
    LAST_EVENTS,
    PING,
    AppForm,
    RunDetail,
    RunEvent,
    UploadedFile,
    parse_detail,
    parse_event,
    parse_form,
    parse_upload,
)
from adspark.generators.http import PaidServiceClient, check_key
from adspark.net.bounded_responses import reset_byte_count
from adspark.net.json_responses import parse_object
from adspark.text.redaction import quote

DEFAULT_URL = "https://api.dify.ai/v1"
DEFAULT_TIMEOUT = 30.0  # seconds for an answer that is not a stream
FIRST_EVENT = 30.0  # seconds; a run with wrong inputs can be silent for 300
SILENCE = 60.0  # seconds without even a ping, which comes every 10
_PAGES = 20  # of Dify's log, where an older one lists the runs of everybody
_SKEW = 3600.0  # seconds by which Dify's clock may differ from ours
_LONGEST_KIND = 100  # characters of a content type in a message


class DifyClient(PaidServiceClient):
    """One workflow app, over one connection pool; every call may fail as `run` does.

    Args:
        key: the app's API key, `app-…`.
        base_url: up to and with `/v1`.
        workflow_id: a published version to be run; None is the newest.
        timeout: seconds for an answer that is not a stream.
        first_event: seconds until a run's first event.
        silence: seconds that a stream may say nothing.
        transport: what carries the requests, for tests.
    """

    def __init__(
        self,
        key: SecretStr,
        *,
        base_url: str = DEFAULT_URL,
        workflow_id: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        first_event: float = FIRST_EVENT,
        silence: float = SILENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = check_key(
            key, service="Dify", setting="ADSPARK_DIFY_KEY, or the block dify-workflow/adspark"
        )
        if not self._key.get_secret_value():
            raise InvalidCredentialsError(
                "Dify needs a key: set ADSPARK_DIFY_KEY, or the block dify-workflow/adspark."
            )
        self._run_path = f"workflows/{workflow_id}/run" if workflow_id else "workflows/run"
        self._timeout = timeout
        self._first_event = first_event
        self._silence = silence
        lost_after = min(timeout, first_event)
        super().__init__(
            "ADSPARK_DIFY_URL",
            base_url,
            key=self._key,
            timeout=timeout,
            lost_after=lost_after,
            transport=transport,
        )

    def absolute(self, address: str) -> str:
        """An address of Dify's with its host; one that is none stays as it is."""
        try:
            return str(self._http.base_url.join(address))
        except httpx.InvalidURL:
            return address

    async def form(self) -> AppForm:
        """The inputs of the app's form; free."""
        return parse_form(await self._json("GET", "parameters"))

    async def upload(
        self, content: bytes, *, name: str, media_type: str, user: str
    ) -> UploadedFile:
        """Give Dify a file.

        Args:
            content: of the file.
            name: with its ending.
            media_type: as `image/png`.
            user: who alone can use it.

        Raises:
            UnusableContentError: too large, or of a kind that it does not take.
        """
        body = await self._json(
            "POST", "files/upload", files={"file": (name, content, media_type)}, data={"user": user}
        )
        return parse_upload(body)

    async def run(self, inputs: Mapping[str, JsonValue], *, user: str) -> AsyncGenerator[RunEvent]:
        """Start a run, which costs money, and give its events without pings.

        Ends after the run's last event. Closing it early leaves the run going.

        Raises:
            LostAnswerError: no event came, or a failure of Dify's; the run may have begun all the
                same.
            NotBegunError: it has not.
            ServiceUnavailableError: the stream was cut after its first event.
            InvalidCredentialsError: the key is not known.
            RateLimitedError: too many at once.
            QuotaExhaustedError: the plan, or the model behind the workflow, has nothing left.
            ConfigurationError: the app cannot be run as it is.
            ServiceRefusedError: the request is refused.
        """
        body = {"inputs": dict(inputs), "response_mode": "streaming", "user": user}
        is_begun = False
        try:
            async with aclosing(self._stream("POST", self._run_path, json=body)) as events:
                async for event in events:
                    is_begun = True
                    yield event
        except AdSparkError as error:
            translated_error = error if is_begun else start_error(error)
            if translated_error is error:
                raise
            raise translated_error from error
        if not is_begun:
            raise LostAnswerError("Dify's stream ended before its first event.")

    async def events(self, run_id: str, *, user: str) -> AsyncGenerator[RunEvent]:
        """The events of a run from now on; of a finished one, only the last.

        Raises:
            UnknownRunError: there is no such run of this user.
        """
        parameters = {"user": user, "include_state_snapshot": "true"}
        path = f"workflow/{run_id}/events"
        stream = self._stream("GET", path, run_id=run_id, params=parameters)
        with looking_for_run():
            async with aclosing(stream) as events:
                async for event in events:
                    yield event

    async def detail(self, run_id: str) -> RunDetail:
        """How a run is, and what it gave. Raises UnknownRunError where there is no such run."""
        with looking_for_run():
            return parse_detail(await self._json("GET", f"workflows/run/{run_id}"))

    async def find_runs(self, user: str, *, since: datetime | None = None) -> list[str]:
        """The ids of the runs that `user` has started, newest first.

        None was started before `since`, where the log of an older Dify, which lists everybody's, is
        not searched any further.

        Raises:
            ServiceUnavailableError: the log is too long to be read to that moment.
        """
        parameters = {"created_by_end_user_session_id": user, "limit": "100"}
        oldest = None if since is None else since.timestamp() - _SKEW
        for page in range(1, _PAGES + 1):
            log = await self._log(parameters | {"page": f"{page}"})
            found = [row.run_id for row in log.rows if row.user == user]
            if found or not log.rows or not log.has_more:
                return found
            if oldest is not None and log.rows[-1].is_older_than(oldest):
                return []
        raise ServiceUnavailableError(
            f"Dify's log of {_PAGES * 100} runs and more does not reach back to the one looked for."
        )

    async def lists_late(self) -> bool:
        """Whether this Dify lists a run only once it has ended, as older ones do.

        Judged by what it has listed so far; one that has listed nothing is taken for a new one,
        which lists a run when it begins.
        """
        log = await self._log({"limit": "100", "page": "1"})
        known = (row.was_listed_late for row in log.rows)
        return next((was_late for was_late in known if was_late is not None), False)

    async def stop(self, task_id: str, *, user: str) -> None:
        """End a run; one that has ended stays as it is."""
        with looking_for_run():
            await self._json("POST", f"workflows/tasks/{task_id}/stop", json={"user": user})

    async def _log(self, parameters: Mapping[str, str]) -> LogPage:
        with looking_for_run():
            return parse_log(await self._json("GET", "workflows/logs", params=parameters))

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        with translated(self._timeout):
            async with asyncio.timeout(self._timeout):
                response = await self._http.request(method, path, **request)
        self._check_redirect(response)
        if not response.is_success:
            raise error_of(response)
        body = parse_object(response.content, secret=self._key)
        if body is None:
            kind = quote(
                response.headers.get("content-type", "no content type"), most=_LONGEST_KIND
            )
            raise ServiceUnavailableError(f"Dify's answer to {path} is not JSON ({kind}).")
        return body

    async def _stream(
        self,
        method: str,
        path: str,
        *,
        run_id: str | None = None,
        **request: Any,  # noqa: ANN401
    ) -> AsyncGenerator[RunEvent]:
        """The events of one run, by default the first that is named; those of others are ignored.

        Pings are a sign of life once the first event has come.
        """
        first_by = asyncio.get_running_loop().time() + self._first_event
        async with (
            self._opened(method, path, request, by=first_by) as source,
            aclosing(source.aiter_sse()) as events,
        ):
            is_first = True
            while True:
                by = first_by if is_first else asyncio.get_running_loop().time() + self._silence
                with translated(self._first_event if is_first else self._silence):
                    async with asyncio.timeout_at(by):
                        sent = await anext(events, None)
                if sent is None:
                    return
                reset_byte_count(source.response)
                if sent.event == PING or not sent.data:
                    continue
                event = parse_event(sent.data, secret=self._key)
                is_first = False
                run_id = run_id or event.workflow_run_id
                if event.workflow_run_id not in (None, run_id):
                    continue
                yield event
                if event.event in LAST_EVENTS:
                    return

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, request: dict[str, Any], *, by: float
    ) -> AsyncIterator[EventSource]:
        patience = self._http.timeout.as_dict() | {"read": None}  # silence is watched by event
        sending = self._http.build_request(
            method, path, timeout=httpx.Timeout(**patience), **request
        )
        with translated(self._first_event):
            async with asyncio.timeout_at(by):
                response = await self._http.send(sending, stream=True)
        try:
            if not response.is_success:
                with translated(self._timeout):
                    async with asyncio.timeout(self._timeout):
                        await response.aread()
                self._check_redirect(response)
                raise error_of(response)
            if "text/event-stream" not in response.headers.get("content-type", ""):
                raise ServiceUnavailableError(
                    f"Dify's answer to {path} is no stream of events; is a proxy in between?"
                )
            yield EventSource(response)
        finally:
            await response.aclose()
