"""Addresses of those who are notified, as an operator writes them for Apprise."""

from adspark.errors import ConfigurationError
from adspark.settings import Settings


def check_notify_addresses(settings: Settings) -> None:
    """Check that each of ADSPARK_NOTIFY_ADDRESSES begins as a service of Apprise does.

    Where settings are read it would cost every process the import of Apprise's services.

    Raises:
        ConfigurationError: one does not; says which by its place, and shows none.
    """
    addresses = settings.notify_addresses
    if addresses is None or not (written := addresses.get_secret_value().split()):
        return
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  (slow)

    # Apprise takes the addresses of some services' own pages, too.
    known = {"http", "https", *NotificationManager().schemas()}  # type: ignore[no-untyped-call]
    for place, address in enumerate(written, start=1):
        scheme, found, _ = address.partition("://")
        if not found or scheme.lower() not in known:
            raise ConfigurationError(
                f"ADSPARK_NOTIFY_ADDRESSES: address {place} of {len(written)} begins with nothing "
                "that Apprise knows, as mailto:// or slack://; see "
                "https://github.com/caronc/apprise/wiki"
            )
