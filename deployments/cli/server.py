"""Which Prefect server a command talks to, and a client of it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

import httpx

from adspark.errors import AdSparkError, ConfigurationError
from adspark.home.running_stack import (
    describe_orphaned,
    describe_starting,
    is_starting,
    orphaned_stack,
)
from adspark.settings import get_settings
from adspark.text.redaction import safe_cause
from deployments.environment.running_stack import find_api_url
from deployments.terminal.progress import progress

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

_Result = TypeVar("_Result")

_PATIENCE = 10.0  # seconds for an answer from the server, and for one from its database
_CONNECT_PATIENCE = 2.0  # seconds in which a server that is there accepts a connection
_HINT = "; or correct PREFECT_API_URL, which leads there"


def prefect_api_url() -> str:
    """PREFECT_API_URL, else that of the running stack.

    Raises:
        ConfigurationError: there is neither, or the stack's supervisor was killed.
        AdSparkError: the stack is being started.
    """
    if url := find_api_url():
        return url
    _check_started()
    if stack := orphaned_stack(get_settings().home):
        what, remedy = describe_orphaned(stack)
        raise ConfigurationError(f"No Prefect server is used: {what}", command=remedy)
    raise ConfigurationError(
        f"No Prefect server runs in {get_settings().home} (ADSPARK_HOME); start the local stack "
        "with adspark up, or set PREFECT_API_URL."
    )


@asynccontextmanager
async def open_server(api_url: str | None = None) -> AsyncIterator["PrefectClient"]:
    """A client of the server at this address, else of `prefect_api_url`.

    Raises:
        ConfigurationError: nothing answers there, or it wants a password.
        AdSparkError: it is being started, too slow to answer, without its database, or went away
            meanwhile.
    """
    from prefect.client.orchestration import get_client  # noqa: PLC0415  (slow)
    from prefect.exceptions import ObjectNotFound  # noqa: PLC0415  (slow)
    from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415  (slow)

    url = api_url or prefect_api_url()
    is_given = url == os.environ.get("PREFECT_API_URL")
    with temporary_settings({PREFECT_API_URL: url}):
        async with get_client() as client:
            if error := await _check_health(client, url):
                if not is_given:
                    _check_started()
                if _is_slow(error):
                    raise _slow_error(url)
                raise ConfigurationError(
                    f"Prefect's server at {url} does not answer ({type(error).__name__}); start "
                    f"it with: adspark up, or docker-compose up -d{_HINT if is_given else ''}"
                )
            try:
                await _check_database(client, url)
                yield client
            except ObjectNotFound as error:
                raise AdSparkError(
                    f"Something that this needs was deleted from Prefect's server at {url} "
                    "meanwhile; look at what there is, and call it again: adspark status"
                ) from safe_cause(error)
            except httpx.HTTPError as error:
                told = _translate(error, url)
                raise told from None if isinstance(told, ConfigurationError) else safe_cause(error)


def call_server(
    act: "Callable[[PrefectClient], Awaitable[_Result]]", *, shows_progress: bool = True
) -> _Result:
    """Call `act` with a client of the server in use, and return what it returns.

    Each call is an event loop of its own, so that Ctrl-C works between two. A person sees that it
    works; not where `act` shows it itself (`shows_progress`).

    Raises:
        ConfigurationError: there is no server, or it does not answer.
    """

    async def call() -> _Result:
        async with open_server() as client:
            return await act(client)

    with progress("Asking Prefect's server") if shows_progress else nullcontext():
        return asyncio.run(call())


def _check_started() -> None:
    """Raise AdSparkError where the stack of this machine is on its way."""
    if is_starting(get_settings().home):
        raise AdSparkError(describe_starting(get_settings().home))


async def _check_health(client: "PrefectClient", url: str) -> Exception | None:
    """Why the server does not answer; the client would wait for minutes for one that is stopped."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await client.api_healthcheck()
    except TimeoutError as error:
        return error if await _is_somebody_at(url) else httpx.ConnectTimeout("")


async def _is_somebody_at(url: str) -> bool:
    """Whether connections to an address are accepted."""
    place = httpx.URL(url)
    try:
        async with asyncio.timeout(_CONNECT_PATIENCE):
            port = place.port or (443 if place.scheme == "https" else 80)
            _, writer = await asyncio.open_connection(place.host, port)
    except OSError:  # TimeoutError is one
        return False
    writer.close()
    return True


async def _check_database(client: "PrefectClient", url: str) -> None:
    """Raise AdSparkError where the server answers, but not from its database, for which it waits
    for minutes."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await client.read_flows(limit=1)
    except TimeoutError:
        raise AdSparkError(
            f"Prefect's server at {url} answers, but its database does not; see to PostgreSQL: "
            "adspark doctor"
        ) from None


def _translate(error: httpx.HTTPError, url: str) -> AdSparkError:
    """A failure of a request, as a person is told of it."""
    if _is_slow(error):
        return _slow_error(url)
    server = f"Prefect's server at {url}"
    if not isinstance(error, httpx.HTTPStatusError):
        return AdSparkError(
            f"{server} went away ({type(error).__name__}); what was requested may still run: look "
            "there once it is back."
        )
    code = error.response.status_code
    if code == 401:
        return ConfigurationError(
            f"PREFECT_API_AUTH_STRING: {server} wants a name and a password; set it to "
            "name:password, as in its containers' .env."
        )
    return AdSparkError(f"{server} refused a request (HTTP {code}); its log says why.")


def _is_slow(error: Exception) -> bool:
    """Whether a server is there that did not answer in time."""
    slow = httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout | TimeoutError
    return isinstance(error, slow)


def _slow_error(url: str) -> AdSparkError:
    return AdSparkError(
        f"Prefect's server at {url} is there, but too slow to answer; look what keeps its "
        "machine busy. What was requested may still run."
    )
