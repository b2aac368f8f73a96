"""The parameters of a search in an address, for its description.

They are read by the same function as on the pages (`read_parameters`).
"""

from typing import Any

from adspark.library.filters.written import PARAMETERS
from adspark.library.search.cursor import Sort
from adspark.models import CreativeFormat, EventKind, Platform

_TEXT = {"type": "string"}
_DAY = {"type": "string", "format": "date"}
_YES_OR_NO = {"type": "string", "enum": ["yes", "no"]}
_SCHEMAS: dict[str, tuple[dict[str, Any], str]] = {
    "advertiser": ({"type": "array", "items": _TEXT}, "Id, name or domain; any of 100 at most."),
    "format": ({"type": "string", "enum": list(CreativeFormat)}, "Format."),
    "platform": ({"type": "string", "enum": list(Platform)}, "Platform of the searches."),
    "region": (_TEXT, "Country, by its ISO code, name or SerpApi code."),
    "domain": (_TEXT, "Domain that it leads to."),
    "first-from": (_DAY, "First shown on this day or later."),
    "first-to": (_DAY, "First shown on this day or earlier."),
    "last-from": (_DAY, "Last shown on this day or later."),
    "last-to": (_DAY, "Last shown on this day or earlier."),
    "running": (_YES_OR_NO, "Shown in the last seven days."),
    "least-days": ({"type": "integer", "minimum": 1}, "Shown for so many days."),
    "size": (_TEXT, "Width and height in pixels, as 300x250."),
    "aspect": (_TEXT, "landscape, portrait, square or a ratio as 16:9."),
    "board": (_TEXT, "Name of a board of the user."),
    "watch": (_TEXT, "Number or name of a watch that found it."),
    "tag": (_TEXT, "Tag of the user, or a shared one."),
    "event": ({"type": "string", "enum": list(EventKind)}, "What a watch noticed of it."),
    "words": (_YES_OR_NO, "Its copy is known."),
}
_WORDS = 'Words, "a phrase", begin*, -without, one OR another.'


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


SEARCH: dict[str, Any] = {
    "parameters": [
        _parameter("q", _TEXT, _WORDS),
        _parameter("sort", {"type": "string", "enum": list(Sort)}, "The order."),
        *(_parameter(name, *_SCHEMAS[name]) for name in PARAMETERS),
    ]
}
"""What the description of a route adds that takes the words and filters of a search."""
