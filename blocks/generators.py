"""The generators of variants by their names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from adspark.errors import AdSparkError, InvalidQueryError
from adspark.generators.base import Generator
from blocks.chat_model import ChatModel
from blocks.dify_workflow import DifyWorkflow

_TIME_LIMIT = 10.0  # seconds for a generator's limits, which somebody waits for


def generator_block(name: str) -> type[ChatModel] | type[DifyWorkflow]:
    """The kind of block of the generator `dify` or `chat`."""
    return ChatModel if name == "chat" else DifyWorkflow


@asynccontextmanager
async def open_generator(name: str) -> AsyncIterator[Generator]:
    """The generator `dify` or `chat`, from its block.

    Raises:
        ConfigurationError: it is not set up; says how.
    """
    block = await generator_block(name).load_configured()
    async with block.open_generator() as generator:
        yield generator


async def check_prompt(opened: AbstractAsyncContextManager[Generator], prompt: str) -> None:
    """Refuse a prompt that the generator does not take, before anything is requested.

    Where its limit is not to be had just now, the prompt passes: it is checked again before the
    generation is submitted.

    Raises:
        InvalidQueryError: names the field, the length and the limit.
    """
    try:
        async with asyncio.timeout(_TIME_LIMIT), opened as generator:
            await generator.check(prompt)
    except InvalidQueryError:
        raise
    except (AdSparkError, TimeoutError):
        return
