"""Whatever may be a secret on this machine is known to the redaction before a report is written.

Logs are redacted as they are written, by processes that know the secrets of their time. Here also
those are said that only the environment, `.env` or a block of Prefect's server holds.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from prefect.client.orchestration import PrefectClient
from pydantic import JsonValue, SecretStr

from adspark.home.env_file import read_env_file
from adspark.settings import ENV_FILE, Settings
from adspark.text.redaction import remember, remember_address, remember_environment, secret_parts
from adspark.text.secret_patterns import SECRET_NAME

_PAGE = 200  # block documents of a request


def remember_all(settings: Settings) -> None:
    """Redact from now on what the settings, `.env` and the environment hold.

    Raises:
        ConfigurationError: `.env` cannot be read.
    """
    remember_environment()
    for name, value in {**read_env_file(ENV_FILE), **os.environ}.items():
        remember_named(name, value or "")
    for name, value in settings:
        written = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(written, str):
            remember_named(name, written)


def remember_named(name: str, value: str) -> None:
    """Redact from now on what a variable or field of this name holds, if that may be a secret."""
    lowered = name.lower()
    if "notify_address" in lowered or lowered == "addresses":
        for address in value.split():
            remember(*secret_parts(address))
        return
    if SECRET_NAME.search(name):
        remember(value, value.partition(":")[2])
    if "://" in value or "password" in value.lower():
        remember_address(value)


async def remember_blocks(client: PrefectClient) -> None:
    """Redact from now on what the blocks of Prefect's server hold."""
    offset = 0
    while True:
        page = await client.read_block_documents(include_secrets=True, limit=_PAGE, offset=offset)
        for document in page:
            for name, value in _texts(document.data):
                remember_named(name, value)
        offset += len(page)
        if len(page) < _PAGE:
            return


def _texts(
    document: Mapping[str, Any] | list[JsonValue], name: str = ""
) -> Iterator[tuple[str, str]]:
    """All texts of a document, each with the name of its field."""
    items = document.items() if isinstance(document, Mapping) else ((name, one) for one in document)
    for field, value in items:
        if isinstance(value, str):
            yield field, value
        elif isinstance(value, Mapping | list):
            yield from _texts(value, field)
