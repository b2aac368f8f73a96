"""Ask the generator whether it takes a prompt, before a command requests anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.generators.base import Generator
from adspark.settings import Settings
from deployments.cli.database import current_settings
from deployments.cli.server import open_server
from deployments.environment.running_stack import find_api_url


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that the generator of the stack, else of the environment, does not take
    (`blocks.generators.check_prompt`)."""
    settings = current_settings()
    if find_api_url() is not None:
        asyncio.run(_check_by_server(settings, prompt))
    elif settings.generator != "dify" or settings.dify_key is not None:
        asyncio.run(_check_by_environment(settings, prompt))


async def _check_by_server(settings: Settings, prompt: str) -> None:
    """Its block on the server says where the generator is."""
    from blocks.generators import check_prompt, open_generator  # noqa: PLC0415  (slow)

    try:
        async with open_server():
            await check_prompt(open_generator(settings.generator), prompt)
    except InvalidQueryError:
        raise
    except ConfigurationError:
        return  # the server is away; whatever needs it says so


async def _check_by_environment(settings: Settings, prompt: str) -> None:
    from blocks.generators import check_prompt, generator_block  # noqa: PLC0415  (slow)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Generator]:
        block = generator_block(settings.generator).from_settings(settings)
        async with block.open_generator() as generator:
            yield generator

    await check_prompt(opened(), prompt)
