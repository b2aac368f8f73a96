"""The base of our blocks: loaded from the document `adspark`, else from the environment."""

from abc import abstractmethod
from typing import Self

from prefect.blocks.core import Block

from adspark.settings import Settings, get_settings

DOCUMENT = "adspark"
"""Name of the document that flows use; an operator edits it in the UI under Blocks."""


class ConfiguredBlock(Block):
    """A block that is made from the settings where no document of it is saved."""

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The block as `settings` describe it."""

    @classmethod
    async def load_configured(cls) -> Self:
        """The saved document, else the block from the environment."""
        try:
            return await cls.aload(DOCUMENT)
        except ValueError as error:
            if "Unable to find block document" not in str(error):
                raise
            return cls.from_settings(get_settings())
