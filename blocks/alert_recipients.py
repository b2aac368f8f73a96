"""The block through which Prefect's server itself sends alerts, so that no worker is needed."""

from typing import Self

from prefect.blocks.notifications import AbstractAppriseNotificationBlock
from pydantic import Field, HttpUrl, SecretStr

from adspark.settings import Settings


class AlertRecipients(AbstractAppriseNotificationBlock):
    """Who is told of what a person should see to; the addresses are stored encrypted.

    The server knows the block through the entry point `prefect.collections` of this package.
    """

    _block_type_name = "Alert Recipients"
    _block_type_slug = "alert-recipients"
    _description = "Addresses of alerts: mail, chat, push or webhook, through Apprise."
    _documentation_url = HttpUrl("https://github.com/caronc/apprise/wiki")
    _logo_url = HttpUrl(
        "https://raw.githubusercontent.com/caronc/apprise/master/apprise/assets/themes/default/apprise-logo.png"
    )

    addresses: SecretStr = Field(
        description="Apprise addresses, one a line: https://github.com/caronc/apprise/wiki.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The addresses of `settings`, which must have some."""
        return cls(addresses=settings.notify_addresses or SecretStr(""))

    def block_initialization(self) -> None:
        """Have Apprise know the addresses."""
        self._start_apprise_client(self.addresses)
