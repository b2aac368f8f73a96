"""The block that holds SerpApi's key and address."""

from typing import Self

from pydantic import Field, HttpUrl, SecretStr

from adspark.errors import InvalidCredentialsError
from adspark.serpapi.client import DEFAULT_TIMEOUT, SerpApiClient
from adspark.settings import Settings
from adspark.validation.bounds import TimeLimit
from blocks.configured import ConfiguredBlock


class SerpApiCredentials(ConfiguredBlock):
    """Key and address of SerpApi; the key is stored encrypted and shown to nobody."""

    _block_type_name = "SerpApi Credentials"
    _block_type_slug = "serpapi-credentials"
    _description = "Key and address of SerpApi, for fetching ads of the Transparency Center."
    _documentation_url = HttpUrl("https://serpapi.com/google-ads-transparency-center-api")
    _logo_url = HttpUrl("https://serpapi.com/favicon.ico")

    api_key: SecretStr = Field(description="Private key: https://serpapi.com/manage-api-key.")
    base_url: str = Field("https://serpapi.com", description="SerpApi's address, or the sandbox's.")
    timeout: TimeLimit = Field(DEFAULT_TIMEOUT, description="Seconds that one search may take.")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Key and address of `settings`.

        Raises:
            InvalidCredentialsError: ADSPARK_SERPAPI_KEY is not set.
        """
        if settings.serpapi_key is None:
            raise InvalidCredentialsError(
                "SerpApi needs a key: set ADSPARK_SERPAPI_KEY, or save the block "
                "serpapi-credentials/adspark; to try without one: adspark up --sandbox."
            )
        return cls(
            api_key=settings.serpapi_key,
            base_url=settings.serpapi_url,
            timeout=settings.serpapi_timeout,
        )

    def get_client(self) -> SerpApiClient:
        """A client to be used as an async context manager."""
        return SerpApiClient(self.api_key, base_url=self.base_url, timeout=self.timeout)
