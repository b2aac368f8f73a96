"""What an assistant is told of what went wrong: one line that names the argument and the remedy.

Addresses, paths and settings of the server are for its log alone.
"""

import logging
from collections.abc import Container, Iterable

from pydantic import ValidationError

from adspark.errors import (
    AdSparkError,
    BusyError,
    ConfigurationError,
    DatabaseSetupError,
    DatabaseUnavailableError,
    InvalidQueryError,
    TemporaryError,
    UnknownVariantError,
    UnknownWatchError,
)
from adspark.text.sentences import with_full_stop
from adspark.text.terminal import plain
from adspark.validation.messages import describe_validation_error
from adspark.validation.near_names import describe_unknown

_LOG = logging.getLogger(__name__)
_LONGEST = 600  # characters
_NOT_KNOWN = "Nobody has looked for it here, so nothing is known of its ads"
# What helps, by the argument, where the error itself does not say.
_REMEDIES = {
    "advertiser": f"{_NOT_KNOWN}. Those that are stored: show_advertiser without a name.",
    "advertisers": f"{_NOT_KNOWN}. Those that are stored: show_advertiser without a name.",
    "ad": "Ids of stored ads: search_ads.",
    "ads": "Ids of stored ads: search_ads.",
    "watch": "Names and numbers of watches: list_watches.",
    "variant": "Numbers of variants: show_variants without a number.",
}
# What the queries call an argument that has another name here.
_NAMES = {
    "name": "advertiser",
    "ad_creative_id": "ad",
    "original_ad_id": "ads",
    "query": "words",
    "watch_id": "watch",
    "text": "words",
}


def describe_wrong_arguments(error: ValidationError, known: Iterable[str]) -> str:
    """The first wrong argument of a call, and what it has to be.

    Args:
        error: of the arguments' model.
        known: names of the tool's arguments.
    """
    first = error.errors()[0]
    name = ".".join(map(str, first["loc"])) or "arguments"
    if first["type"] == "extra_forbidden":
        names = sorted(known)
        has = f"is no argument of this tool; it has {', '.join(names) or 'none'}."
        return _line(f"{name}: {describe_unknown(has, name, names)}")
    remedy = _REMEDIES.get(name, "") if first["type"] == "missing" else ""
    return _line(f"{name}: {describe_validation_error(first)}. {remedy}")


def describe_failure(error: Exception, arguments: Container[str]) -> str:
    """An error of a tool.

    Args:
        error: that it raised.
        arguments: names of the tool's arguments.
    """
    match error:
        case InvalidQueryError():
            name = error.field.replace("-", "_")  # as in addresses of the gallery
            if name not in arguments and _NAMES.get(name, "") in arguments:
                name = _NAMES[name]
            remedy = "" if _says_what_helps(error.sentence) else _REMEDIES.get(name, "")
            return _line(f"{name}: {with_full_stop(error.sentence)} {remedy}")
        case UnknownVariantError():
            return _line(f"variant: {with_full_stop(error.sentence)} {_REMEDIES['variant']}")
        case UnknownWatchError():
            return _line(f"watch: {with_full_stop(error.sentence)} {_REMEDIES['watch']}")
        case BusyError():
            return _line(f"{with_full_stop(error.sentence)} Try again in a few seconds.")
    return _describe_own(error)


def _describe_own(error: Exception) -> str:
    """What tells of the server."""
    if not isinstance(error, AdSparkError):
        _LOG.error("A tool failed", exc_info=error)
        return "Something went wrong that nobody foresaw; the server's log says what."
    _LOG.warning("%s", error)
    match error:
        case DatabaseUnavailableError() | DatabaseSetupError():
            return (
                "The database does not answer, so nothing can be said; try again in a minute. The "
                "server's log says more."
            )
        case TemporaryError():
            return "A service does not answer; try again in a minute. The server's log says which."
        case ConfigurationError():
            return "This is not set up; the server's log says what to do."
    return "This failed; the server's log says more."


def _says_what_helps(sentence: str) -> bool:
    return sentence.endswith("?") or (";" in sentence and " is stored" not in sentence)


def _line(sentence: str) -> str:
    line = " ".join(plain(sentence).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
