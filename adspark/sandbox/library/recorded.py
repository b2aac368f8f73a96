"""The recorded ads: 320 real rows of 12 advertisers (see data/PROVENANCE.md)."""

import json
import re
from datetime import datetime
from importlib import resources
from urllib.parse import urlsplit

from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.library.dates import move_row
from adspark.sandbox.library.listed import ListedCatalogue

# Their hosts become the sandbox's; `details_link` stays the public page, except where an ad can be
# rendered from nothing else.
_OWN_ADDRESSES = ("image", "link", "serpapi_details_link")
_NONCES = re.compile(r"[?&](?:htmlParentId|responseCallback)=[^&]*")


class RecordedCatalogue(ListedCatalogue):
    """The rows of data/creatives.jsonl.

    Args:
        now: the day of their recording is this one; None leaves their days as they were.
    """

    def __init__(self, now: datetime | None = None) -> None:
        file = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl")
        lines = file.read_text(encoding="utf-8").splitlines()
        rows = (_on_sandbox(json.loads(line)) for line in lines)
        super().__init__(move_row(row, now) if now else row for row in rows)


def drop_nonces(link: str) -> str:
    """A preview's address without what is new in every answer."""
    return _NONCES.sub("", link)


def _on_sandbox(row: Row) -> Row:
    moved = dict(row)
    has_picture = row.get("image") or row.get("link")
    for name in _OWN_ADDRESSES if has_picture else (*_OWN_ADDRESSES, "details_link"):
        if name in row:
            parts = urlsplit(str(row[name]))
            moved[name] = parts.path + (f"?{parts.query}" if parts.query else "")
    if "link" in moved:
        moved["link"] = drop_nonces(str(moved["link"]))
    return moved
