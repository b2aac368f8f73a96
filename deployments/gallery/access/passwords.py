"""Names and passwords that are sent by a form or a program: they are checked, and those that are
wrong are counted in the database, over all servers."""

from base64 import b64decode

from fastapi import Request

from adspark.db.rate_limits import release_slot, try_acquire_slot
from adspark.users.accounts import SignedIn, attempts_counter, check_password, is_short
from adspark.validation.names import clean_name, name_key
from deployments.gallery.resources import Gallery

# Wrong ones in a quarter of an hour: from one address, and for one name.
_WINDOW = 900.0
_OF_ADDRESS, _OF_NAME = 50, 10


class TooManyAttemptsError(Exception):
    """Too many passwords were wrong; even the right one has to wait.

    Args:
        wait: seconds until the next attempt may be made.
    """

    def __init__(self, wait: float) -> None:
        super().__init__(f"wait {wait:.0f} s")
        self.seconds = int(wait) + 1
        self.minutes = int(wait // 60) + 1


async def check_attempt(
    request: Request, gallery: Gallery, *, name: str, password: str
) -> SignedIn | None:
    """Who this name and password are of; None where one of them is wrong.

    Args:
        request: that brings them.
        gallery: with the database of accounts.
        name: as it is typed.
        password: as it is typed.

    Raises:
        TooManyAttemptsError: too many were wrong for this name or from this address.
    """
    address = request.client.host if request.client else ""
    # The same for all ways to write a name, and for all that is too long for one.
    key = name_key(clean_name(name)) if is_short(name) else ""
    counters = {
        attempts_counter("address", address): _OF_ADDRESS,
        attempts_counter("name", key): _OF_NAME,
    }
    async with gallery.password_checks:
        counted: list[str] = []
        try:
            # Counted before it is looked at: also of attempts at the same time none is too many.
            for counter, limit in counters.items():
                if wait := await try_acquire_slot(
                    gallery.database, name=counter, limit=limit, window=_WINDOW
                ):
                    raise TooManyAttemptsError(wait)
                counted.append(counter)
            async with gallery.database.session() as session:
                found = await check_password(session, name=name, password=password)
        except Exception:  # too many, or the database failed: none was found wrong
            await _release(gallery, counted)
            raise
        if found is not None:
            await _release(gallery, counted)
    return found


async def _release(gallery: Gallery, counters: list[str]) -> None:
    """Take an attempt out of these counters."""
    for counter in counters:
        await release_slot(gallery.database, name=counter)


def read_basic(request: Request) -> tuple[str, str] | None:
    """Name and password of HTTP Basic, in UTF-8 (RFC 7617); None where a request has none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (name, password) if colon else None
