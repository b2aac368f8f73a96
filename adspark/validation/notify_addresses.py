"""Addresses of those who are notified, as an operator writes them for Apprise."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr


def _check_schemes(written: SecretStr) -> SecretStr:
    """The addresses, each of which begins as one of Apprise's services does; shows none."""
    addresses = written.get_secret_value().split()
    if addresses:
        from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  (slow)

        # Apprise takes the addresses of some services' own pages, too.
        known = {"http", "https", *NotificationManager().schemas()}  # type: ignore[no-untyped-call]
        for place, address in enumerate(addresses, start=1):
            scheme, found, _ = address.partition("://")
            if not found or scheme.lower() not in known:
                raise ValueError(
                    f"address {place} of {len(addresses)} begins with nothing that Apprise knows, "
                    "as mailto:// or slack://; see https://github.com/caronc/apprise/wiki"
                )
    return written


NotifyAddresses = Annotated[SecretStr, AfterValidator(_check_schemes)]
"""Addresses of Apprise, divided by spaces or new lines."""
