"""The block through which Prefect's server itself sends alerts, so that no worker is needed."""

import asyncio
from typing import Self

from prefect.blocks.abstract import NotificationBlock, NotificationError
from pydantic import Field, HttpUrl, SecretStr

from adspark.errors import AdSparkError
from adspark.notifications.apprise import send
from adspark.settings import Settings

_SUBJECT = "AdSpark"  # where an automation names none


class AlertRecipients(NotificationBlock):
    """Who gets the alerts; the addresses are stored encrypted.

    The server loads the block by the entry point `prefect.collections` of this package. It is none
    of Prefect's own blocks for Apprise: with those, Apprise logs addresses that it cannot read.
    """

    _block_type_name = "Alert Recipients"
    _block_type_slug = "alert-recipients"
    _description = "Addresses of alerts: mail, chat, push or webhook, through Apprise."
    _documentation_url = HttpUrl("https://github.com/caronc/apprise/wiki")
    _logo_url = HttpUrl(
        "https://raw.githubusercontent.com/caronc/apprise/master/apprise/assets/themes/default/apprise-logo.png"
    )

    addresses: SecretStr = Field(
        description="Apprise addresses, one a line: https://github.com/caronc/apprise/wiki."
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The addresses of `settings`, which must have some."""
        return cls(addresses=settings.notify_addresses or SecretStr(""))

    async def notify(self, body: str, subject: str | None = None) -> None:
        """Send a message to every address, also where one fails.

        Raises:
            NotificationError: an address failed, and the caller raises on failures.
        """
        addresses = dict.fromkeys(self.addresses.get_secret_value().split())
        failures = await asyncio.gather(
            *(_send(SecretStr(one), subject=subject or _SUBJECT, body=body) for one in addresses)
        )
        log = "; ".join(filter(None, failures)) if addresses else "no address"
        if log and self._raise_on_failure:
            raise NotificationError(log=log)


async def _send(address: SecretStr, *, subject: str, body: str) -> str | None:
    """Why it was not delivered; None where it was."""
    try:
        await send(address, subject=subject, body=body)
    except AdSparkError as error:
        return str(error)
    return None
