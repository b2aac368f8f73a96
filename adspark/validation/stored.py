"""Input that the database cannot hold, and ids of ads that it does not know."""

import re
from collections.abc import Sequence

from adspark.errors import InvalidQueryError
from adspark.text.storable import UNSTORABLE

_AD_ID = re.compile("CR[0-9]{20}")
_ADVERTISER_ID = re.compile("AR[0-9]{20}")
# Of the Transparency Center's pages, with or without what stands before the host's name.
_AD_PAGE = re.compile(r"(?:https?://)?[^/?#\s]+/(?:[^?#]*/)?creative/(CR[0-9]{20})(?:[/?#].*)?")
_ADVERTISER_PAGE = re.compile(
    r"(?:https?://)?[^/?#\s]+/(?:[^?#]*/)?advertiser/(AR[0-9]{20})(?:[/?#].*)?"
)
_NOBODY = "AR" + 20 * "0"
_SHOWN = 40  # characters of what is written in an id's place
_MOST_NAMED = 3


def check_storable(field: str, written: str | None) -> None:
    """Raise InvalidQueryError, which names the field, for text that the database cannot hold."""
    if written is not None and UNSTORABLE.search(written):
        raise InvalidQueryError(field, "holds a NUL or half a character; remove it.")


def clean_ad_id(written: str) -> str:
    """An ad's id, also of one in lower case, with blanks around it or within the ad's address in
    the Transparency Center; else what is written."""
    return _clean_id(written, _AD_ID, _AD_PAGE)


def clean_advertiser_id(written: str) -> str:
    """The same of an advertiser: its id, also within the address of one of its ads."""
    return _clean_id(written, _ADVERTISER_ID, _ADVERTISER_PAGE)


def find_advertiser_id(field: str, written: str) -> str | None:
    """The id in what is written, by itself or in an address; None where there is none.

    Raises:
        InvalidQueryError: it is one that nobody can have; names the field and the remedy.
    """
    found = clean_advertiser_id(written)
    if found == _NOBODY:
        raise InvalidQueryError(
            field,
            f"{found} has only zeros, and is nobody's; take the id in the address of the "
            "advertiser's page at adstransparency.google.com.",
        )
    return found if _ADVERTISER_ID.fullmatch(found) else None


def _clean_id(written: str, an_id: re.Pattern[str], page: re.Pattern[str]) -> str:
    line = written.strip()
    if found := page.fullmatch(line):
        return str(found[1])
    return line.upper() if an_id.fullmatch(line.upper()) else written


def is_ad_id(written: str) -> bool:
    """Whether it is CR and 20 digits."""
    return _AD_ID.fullmatch(written) is not None


def missing_ads(field: str, ids: Sequence[str]) -> InvalidQueryError:
    """The error that these ads are not stored, and what to do about it; names some of them."""
    wrong = [one for one in ids if not _AD_ID.fullmatch(one)]
    if wrong:
        named = ", ".join(one[:_SHOWN] for one in wrong[:_MOST_NAMED])
        return InvalidQueryError(
            field,
            f"no ad {named} is stored; an ad id is CR and 20 digits, as in the ad's address in the "
            "Transparency Center",
            command="ids of stored ads: adspark ads search",
        )
    return InvalidQueryError(
        field,
        f"no ad {', '.join(ids[:_MOST_NAMED])} is stored",
        command="fetch its advertiser's ads first, with: adspark fetch AR…",
    )
