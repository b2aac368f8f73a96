"""The errors of Dify's API, and whether a run has begun all the same, and is paid.

Source: https://docs.dify.ai/en/api-reference; the same codes stand in answers and in streams.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

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
from adspark.generators.dify.payloads import RunEvent
from adspark.generators.http import PROXY_GUESSES
from adspark.net.bounded_responses import TooLargeError
from adspark.net.json_responses import parse_object
from adspark.text.redaction import quote, safe_cause
from adspark.text.sentences import with_full_stop

_QUOTA = ("provider_quota_exceeded", "rate_limit_error")
_APP = ("not_workflow_app", "provider_not_initialize", "model_currently_not_support")
_WHILE_RUNNING = ("completion_request_error",)  # a node's failure too, not only of the request


class NotBegunError(ServiceUnavailableError):
    """Dify surely did not begin what was requested."""


class ServerFailedError(ServiceUnavailableError):
    """Dify failed on its side (5xx); what was requested may have begun all the same."""


class RunFailedError(ServiceRefusedError):
    """Dify could not carry out a run, which may have begun."""


class LostAnswerError(ServiceUnavailableError):
    """Nobody knows whether what was requested has begun.

    After a `failure` that Dify itself answered nothing begins any more; without one it still may.
    """

    def __init__(self, message: str, failure: AdSparkError | None = None) -> None:
        super().__init__(message)
        self.failure = failure


class UnknownRunError(ServiceRefusedError):
    """Dify knows no such run, or not for this user."""


class ForeignNotFoundError(ServiceRefusedError):
    """Not found, in other words than Dify's: a proxy's, or somebody else's at a wrong address."""


def start_error(error: AdSparkError) -> AdSparkError:
    """What an error means before a run's first event: refused, not begun, or nobody knows.

    A failure on Dify's side may have come after the run began; what Dify refuses has not begun.
    """
    if isinstance(error, ServerFailedError | RunFailedError):
        return LostAnswerError(f"{error} Whether the run began is not known.", failure=error)
    if isinstance(error, ServiceUnavailableError) and not isinstance(error, NotBegunError):
        return LostAnswerError(f"{error} Whether the run began is not known.")
    return error


def event_error(event: RunEvent) -> AdSparkError:
    """What an `error` event of a stream means; the same codes as in answers."""
    return _error(event.status or 500, event.code or "", event.message or "")


@contextmanager
def translated(seconds: float) -> Iterator[None]:
    """Errors of httpx as the project's own."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotBegunError(
            with_full_stop(f"Dify cannot be reached: {_reason(error)}"),
            command="check the network and Dify's address (ADSPARK_DIFY_URL, or its block)",
        ) from safe_cause(error)
    except (TimeoutError, httpx.TimeoutException) as error:
        reason = f"Dify said nothing for {seconds:g} s."
        raise ServiceUnavailableError(reason) from safe_cause(error)
    except TooLargeError as error:
        reason = f"Dify's answer is too large: {error}."
        raise ServiceUnavailableError(reason) from safe_cause(error)
    except (httpx.HTTPError, httpx.StreamError) as error:
        reason = with_full_stop(f"Dify's answer was cut off: {_reason(error)}")
        raise ServiceUnavailableError(reason) from safe_cause(error)


@contextmanager
def looking_for_run() -> Iterator[None]:
    """Of runs, only Dify itself can say that there is none; what is in between may soon be back."""
    try:
        yield
    except ForeignNotFoundError as error:
        raise ServiceUnavailableError(
            "Dify's proxy cannot find it (HTTP 404).",
            command="check Dify's address (ADSPARK_DIFY_URL, or its block) if this lasts",
        ) from error


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def error_of(response: httpx.Response) -> AdSparkError:
    """What an answer that is no success means."""
    sent = parse_object(response.content) or {}
    status = response.status_code
    if status in PROXY_GUESSES:
        return ServiceUnavailableError(f"Dify's proxy got no answer from it (HTTP {status}).")
    error = _error(status, str(sent.get("code") or ""), str(sent.get("message") or ""))
    is_difys = isinstance(sent.get("code"), str) and sent.get("status") == status
    if isinstance(error, UnknownRunError) and not is_difys:
        return ForeignNotFoundError(str(error))
    return error


def _error(status: int, code: str, message: str) -> AdSparkError:
    """The table of Dify's errors."""
    words = quote(f"{code}: {message}").strip(": ") or f"HTTP {status}"
    kind: type[AdSparkError]
    if status == httpx.codes.UNAUTHORIZED:
        return InvalidCredentialsError(
            f"Dify does not accept the key ({words}). Put the workflow app's key (app-…) in "
            f"ADSPARK_DIFY_KEY or the block dify-workflow/adspark."
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
        kind = ServerFailedError
    elif code in _WHILE_RUNNING:
        kind = RunFailedError
    elif status == httpx.codes.NOT_FOUND:
        kind = UnknownRunError
    else:
        kind = ServiceRefusedError
    return kind(f"Dify refused the request ({words}).")
