"""Dify's API of workflow apps: async client.

Source: https://docs.dify.ai/en/api-reference. A run costs money and there is no key that makes
asking twice harmless, so nothing here asks again by itself. Runs are always streamed: a blocking
answer is cut by proxies after a minute, while the run goes on and is paid. What a run and its files
belong to is the `user`; whoever comes back to them has to be the same.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

import httpx
from httpx_sse import EventSource
from pydantic import JsonValue, SecretStr

from adspark.dify_payloads import (
    ERROR,
    FINISHED,
    PAUSED,
    PING,
    AppForm,
    AppInfo,
    RunDetail,
    RunEvent,
    UploadedFile,
    parse_detail,
    parse_event,
    parse_form,
)
from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    InvalidCredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    UnusableContentError,
)

DEFAULT_URL = "https://api.dify.ai/v1"
DEFAULT_TIMEOUT = 30.0  # seconds for an answer that is not a stream
FIRST_EVENT = 30.0  # seconds; a run that was asked wrongly can be silent for 300
SILENCE = 60.0  # seconds without even a ping, which comes every 10
_LONGEST_QUOTE = 300  # characters of a service's own words in a message
_LAST = (FINISHED, PAUSED, ERROR)

_QUOTA = ("provider_quota_exceeded", "rate_limit_error")
_APP = ("not_workflow_app", "provider_not_initialize", "model_currently_not_support")


class NotBegunError(ServiceUnavailableError):
    """Dify did not take up the request, surely."""


class LostAnswerError(ServiceUnavailableError):
    """Nobody knows whether what was asked has begun: the answer never came."""


class UnknownRunError(ServiceRefusedError):
    """Dify knows no such run, or not for this user."""


class DifyClient:
    """One workflow app, over one kept-alive connection pool.

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
        if not key.get_secret_value().strip():
            raise InvalidCredentialsError(
                "Dify needs a key: set ADSPARK_DIFY_KEY, or the block dify-workflow."
            )
        self.base_url = _checked_address(base_url)
        self._run_path = f"workflows/{workflow_id}/run" if workflow_id else "workflows/run"
        self._timeout = timeout
        self._first_event = first_event
        self._silence = silence
        self._http = httpx.AsyncClient(
            base_url=self.base_url,
            headers={"Authorization": f"Bearer {key.get_secret_value().strip()}"},
            timeout=httpx.Timeout(timeout),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def host(self) -> str:
        """host:port of Dify."""
        return host_of(self.base_url)

    async def info(self) -> AppInfo:
        """Name and mode of the key's app; free.

        Raises:
            AdSparkError: as `run`.
        """
        return AppInfo.model_validate(await self._json("GET", "info"))

    async def form(self) -> AppForm:
        """The inputs that the app asks for; free.

        Raises:
            AdSparkError: as `run`.
        """
        return parse_form(await self._json("GET", "parameters"))

    async def upload(
        self, content: bytes, *, name: str, media_type: str, user: str
    ) -> UploadedFile:
        """Give Dify a file, which only `user` can use.

        Raises:
            UnusableContentError: too large, or of a kind that it does not take.
            AdSparkError: as `run`.
        """
        body = await self._json(
            "POST", "files/upload", files={"file": (name, content, media_type)}, data={"user": user}
        )
        if not isinstance(body.get("id"), str):
            raise ServiceUnavailableError("Dify's answer to an upload names no file.")
        return UploadedFile.model_validate(body)

    async def run(self, inputs: Mapping[str, JsonValue], *, user: str) -> AsyncGenerator[RunEvent]:
        """Start a run, which costs money, and give its events without pings.

        Ends after the run's last event. Closing it early leaves the run going.

        Raises:
            LostAnswerError: no event came; the run may have begun all the same.
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
            async for event in self._stream("POST", self._run_path, json=body):
                is_begun = True
                yield event
        except ServiceUnavailableError as error:
            if is_begun or isinstance(error, NotBegunError):
                raise
            raise LostAnswerError(f"{error} Whether the run began is not known.") from error
        if not is_begun:
            raise LostAnswerError("Dify's stream ended before its first event.")

    async def events(self, run_id: str, *, user: str) -> AsyncGenerator[RunEvent]:
        """The events of a run from now on; of a finished one, only the last.

        Raises:
            UnknownRunError: there is no such run of this user.
            AdSparkError: as `run`.
        """
        parameters = {"user": user, "include_state_snapshot": "true"}
        async for event in self._stream("GET", f"workflow/{run_id}/events", params=parameters):
            yield event

    async def detail(self, run_id: str) -> RunDetail:
        """How a run is, and what it gave.

        Raises:
            UnknownRunError: there is no such run.
            AdSparkError: as `run`.
        """
        return parse_detail(await self._json("GET", f"workflows/run/{run_id}"))

    async def find_runs(self, user: str) -> list[str]:
        """The ids of the runs that `user` has started, newest first.

        Raises:
            AdSparkError: as `run`.
        """
        parameters = {"created_by_end_user_session_id": user, "limit": "100"}
        body = await self._json("GET", "workflows/logs", params=parameters)
        found = []
        for row in body.get("data") or []:
            run, owner = row.get("workflow_run"), row.get("created_by_end_user") or {}
            # An older Dify does not know the filter and lists everybody's.
            if isinstance(run, dict) and owner.get("session_id") == user:
                found.append(str(run["id"]))
        return found

    async def stop(self, task_id: str, *, user: str) -> None:
        """End a run; one that has ended stays as it is.

        Raises:
            AdSparkError: as `run`.
        """
        await self._json("POST", f"workflows/tasks/{task_id}/stop", json={"user": user})

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401
        with _translated(self._timeout):
            async with asyncio.timeout(self._timeout):
                response = await self._http.request(method, path, **request)
        if response.is_error:
            raise _error_of(response)
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise ServiceUnavailableError(
                f"Dify's answer to {path} is not JSON "
                f"({response.headers.get('content-type', 'no content type')})."
            )
        return body

    async def _stream(
        self,
        method: str,
        path: str,
        **request: Any,  # noqa: ANN401
    ) -> AsyncGenerator[RunEvent]:
        """The events; pings are a sign of life once the first event has come."""
        async with self._opened(method, path, request) as source:
            events = source.aiter_sse()
            first_by = asyncio.get_running_loop().time() + self._first_event
            is_first = True
            while True:
                by = first_by if is_first else asyncio.get_running_loop().time() + self._silence
                with _translated(self._first_event if is_first else self._silence):
                    async with asyncio.timeout_at(by):
                        sent = await anext(events, None)
                if sent is None:
                    return
                if sent.event == PING or not sent.data:
                    continue
                event = parse_event(sent.data)
                is_first = False
                yield event
                if event.event in _LAST:
                    return

    @asynccontextmanager
    async def _opened(
        self, method: str, path: str, request: dict[str, Any]
    ) -> AsyncIterator[EventSource]:
        patience = httpx.Timeout(self._timeout, read=None)  # silence is watched event by event
        sending = self._http.build_request(method, path, timeout=patience, **request)
        with _translated(self._first_event):
            async with asyncio.timeout(self._first_event):
                response = await self._http.send(sending, stream=True)
        try:
            if response.is_error:
                with _translated(self._timeout):
                    async with asyncio.timeout(self._timeout):
                        await response.aread()
                raise _error_of(response)
            if "text/event-stream" not in response.headers.get("content-type", ""):
                raise ServiceUnavailableError(
                    f"Dify's answer to {path} is no stream of events; is a proxy in between?"
                )
            yield EventSource(response)
        finally:
            await response.aclose()


def host_of(address: httpx.URL) -> str:
    """host:port of an address."""
    return f"{address.host}:{address.port or (443 if address.scheme == 'https' else 80)}"


def event_error(event: RunEvent) -> AdSparkError:
    """What an `error` event of a stream means; the same codes as in answers."""
    return _error(event.status or 500, event.code or "", event.message or "")


@contextmanager
def _translated(seconds: float) -> Iterator[None]:
    """Errors of httpx as the project's own."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotBegunError(f"Dify cannot be reached: {_reason(error)}.") from error
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ServiceUnavailableError(f"Dify said nothing for {seconds:g} s.") from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise ServiceUnavailableError(f"Dify's answer was cut off: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _error_of(response: httpx.Response) -> AdSparkError:
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    told = body if isinstance(body, dict) else {}
    status = response.status_code
    if status in (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT):  # a proxy's guess
        return ServiceUnavailableError(f"Dify's proxy got no answer from it (HTTP {status}).")
    return _error(status, str(told.get("code") or ""), str(told.get("message") or ""))


def _error(status: int, code: str, message: str) -> AdSparkError:
    """The table of Dify's errors."""
    words = f"{code}: {message}"[:_LONGEST_QUOTE].strip(": ") or f"HTTP {status}"
    kind: type[AdSparkError]
    if status == httpx.codes.UNAUTHORIZED:
        return InvalidCredentialsError(
            f"Dify does not accept the key ({words}). Put the workflow app's key (app-…) in "
            f"ADSPARK_DIFY_KEY or the block dify-workflow."
        )
    if code in _QUOTA:
        return QuotaExhaustedError(
            f"Dify: nothing is left of the plan, or of the model's quota ({words})."
        )
    if code in _APP or status == httpx.codes.FORBIDDEN:
        return ConfigurationError(f"Dify cannot run this app as it is ({words}).")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        kind = RateLimitedError
    elif status in (httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNSUPPORTED_MEDIA_TYPE):
        kind = UnusableContentError
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        kind = NotBegunError
    elif status == httpx.codes.NOT_FOUND:
        kind = UnknownRunError
    else:
        kind = ServiceRefusedError
    return kind(f"Dify refused the request ({words}).")


def _checked_address(base_url: str) -> httpx.URL:
    try:
        address = httpx.URL(base_url.rstrip("/") + "/")
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise ConfigurationError(f"ADSPARK_DIFY_URL: {base_url!r} is not an http(s) address.")
    return address
