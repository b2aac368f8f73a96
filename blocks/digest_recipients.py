"""The block that holds the addresses of the daily digest."""

from typing import Self

from pydantic import Field, HttpUrl, SecretStr

from adspark.errors import ConfigurationError
from adspark.notifications.apprise import Receiver, is_address, list_receivers
from adspark.settings import Settings
from blocks.configured import ConfiguredBlock


class DigestRecipients(ConfiguredBlock):
    """Who gets the daily digest; the addresses are stored encrypted and shown to nobody."""

    _block_type_name = "Digest Recipients"
    _block_type_slug = "digest-recipients"
    _description = "Addresses of the daily digest: mail, chat, push or webhook, through Apprise."
    _documentation_url = HttpUrl("https://github.com/caronc/apprise/wiki")
    _logo_url = HttpUrl(
        "https://raw.githubusercontent.com/caronc/apprise/master/apprise/assets/themes/default/apprise-logo.png"
    )

    addresses: SecretStr | None = Field(
        None,
        description="Apprise addresses, one a line: https://github.com/caronc/apprise/wiki.",
    )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        return cls(addresses=settings.notify_addresses)

    def list_addresses(self) -> list[SecretStr]:
        """The addresses, each once, also those that Apprise does not understand: what is sent to
        one fails, and the others get theirs."""
        written = self.addresses.get_secret_value().split() if self.addresses else []
        return [SecretStr(address) for address in dict.fromkeys(written)]

    def check_addresses(self) -> None:
        """Check that Apprise understands each address.

        Raises:
            ConfigurationError: it does not understand one; says which by its place.
        """
        addresses = self.list_addresses()
        for place, address in enumerate(addresses, start=1):
            if not is_address(address):
                raise ConfigurationError(
                    f"Address {place} of {len(addresses)} for the digest is none that Apprise "
                    f"understands: correct ADSPARK_NOTIFY_ADDRESSES, or the block "
                    f"digest-recipients/adspark; see https://github.com/caronc/apprise/wiki"
                )

    def list_receivers(self) -> list[Receiver]:
        """The receivers of all addresses; each gets its own messages."""
        return [one for address in self.list_addresses() for one in list_receivers(address)]
