"""The block that holds a chat model, as a second generator of variants."""

from typing import Self

from pydantic import Field, HttpUrl, SecretStr

from adspark.errors import ConfigurationError
from adspark.generators.chat import DEFAULT_TIMEOUT, INSTRUCTIONS, ChatGenerator
from adspark.settings import Settings
from adspark.validation.bounds import TimeLimit
from blocks.configured import ConfiguredBlock


class ChatModel(ConfiguredBlock):
    """A model at an OpenAI-compatible chat endpoint; the key is stored encrypted."""

    _block_type_name = "Chat Model"
    _block_type_slug = "chat-model"
    _description = "A model at an OpenAI-compatible endpoint that makes ad variants."
    _documentation_url = HttpUrl("https://platform.openai.com/docs/api-reference/chat")
    _logo_url = HttpUrl("https://openai.com/favicon.ico")

    base_url: str = Field(description="The endpoint's address, up to and with /v1.")
    model: str = Field(description="The model's name there.")
    api_key: SecretStr | None = Field(default=None, description="Its key, if it wants one.")
    instructions: str = Field(default=INSTRUCTIONS, description="The system message.")
    sends_picture: bool = Field(default=True, description="Whether the model can see pictures.")
    timeout: TimeLimit = Field(default=DEFAULT_TIMEOUT, description="Seconds for an answer.")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Address, model and key of `settings`.

        Raises:
            ConfigurationError: the address or the model is not set.
        """
        if settings.chat_url is None or settings.chat_model is None:
            raise ConfigurationError(
                "ADSPARK_GENERATOR=chat needs ADSPARK_CHAT_URL (up to and with /v1) and "
                "ADSPARK_CHAT_MODEL, or the block chat-model/adspark."
            )
        return cls(base_url=settings.chat_url, model=settings.chat_model, api_key=settings.chat_key)

    def open_generator(self) -> ChatGenerator:
        """The generator, to be used as an async context manager."""
        return ChatGenerator(
            self.base_url,
            model=self.model,
            key=self.api_key,
            instructions=self.instructions,
            sends_picture=self.sends_picture,
            timeout=self.timeout,
        )
