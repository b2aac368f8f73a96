"""Prefect's client where one looks again anyway, or has no time."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_retries(api_url: str | None = None) -> Iterator[None]:
    """Let the client, of the server at this address if any, say at once that nobody answers; by
    itself it asks for a minute before."""
    from prefect.settings import (  # noqa: PLC0415  (slow)
        PREFECT_API_URL,
        PREFECT_CLIENT_MAX_RETRIES,
        temporary_settings,
    )

    server = {PREFECT_API_URL: api_url} if api_url else {}
    with temporary_settings(server | {PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield
