"""Which generator makes variants: the one that the setting names, or that a variant began with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adspark.generation import Generator
from blocks.chat_model import ChatModel
from blocks.dify_workflow import DifyWorkflow


@asynccontextmanager
async def open_generator(name: str) -> AsyncIterator[Generator]:
    """The generator `dify` or `chat`, from its block.

    Raises:
        ConfigurationError: it is not set up; says how.
    """
    block = await (ChatModel if name == "chat" else DifyWorkflow).load_configured()
    async with block.open_generator() as generator:
        yield generator
