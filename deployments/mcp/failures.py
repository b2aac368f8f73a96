"""What an assistant is told of what went wrong: one line that names the argument and the remedy.

Addresses, paths and settings of the server are for its log alone.
"""

import logging
import re
from collections.abc import Container, Iterable, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

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
_PREDICATE = re.compile("(is|has|holds|lies|does|takes) ")  # of a sentence that lacks its subject
_NOT_KNOWN = "Nobody has looked for it here, so nothing is known of its ads"
# Where the values of an argument are to be had.
_SOURCES = {
    "advertiser": "Those that are stored: show_advertiser without advertiser.",
    "advertisers": "Those that are stored: show_advertiser without advertiser.",
    "ad": "Ids of stored ads: search_ads.",
    "ads": "Ids of stored ads: search_ads.",
    "watch": "Names and numbers of watches: list_watches.",
    "variant": "Numbers of variants: show_variants without variant.",
}
# What helps where a value was not found and the error itself does not say.
_REMEDIES = _SOURCES | {
    name: f"{_NOT_KNOWN}. {_SOURCES[name]}" for name in ("advertiser", "advertisers")
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
    """What is wrong with the arguments of a call: the first one, and what it has to be."""
    names = sorted(known)
    wrong = error.errors()
    unknown = [one for one in wrong if one["type"] == "extra_forbidden"]
    if not unknown:
        return _line(_describe_wrong(wrong[0]))
    # What is missing may be what the unknown one was meant to be.
    missing = [one for one in wrong if one["type"] == "missing"]
    return _line(" ".join([_describe_extra(unknown[0], names), *map(_describe_wrong, missing[:1])]))


def _describe_wrong(wrong: ErrorDetails) -> str:
    name = _name_of(wrong)
    remedy = _SOURCES.get(name, "") if wrong["type"] == "missing" else ""
    return f"{name}: {describe_validation_error(wrong)}. {remedy}"


def _describe_extra(wrong: ErrorDetails, names: Sequence[str]) -> str:
    name = _name_of(wrong)
    has = f"is no argument of this tool; it has {', '.join(names) or 'none'}."
    return f"{name}: {describe_unknown(has, name, names)}"


def _name_of(wrong: ErrorDetails) -> str:
    return ".".join(map(str, wrong["loc"])) or "arguments"


def describe_failure(error: Exception, arguments: Container[str]) -> str:
    """An error of a tool."""
    match error:
        case InvalidQueryError():
            name = error.field.replace("-", "_")  # as in addresses of the gallery
            if name not in arguments and _NAMES.get(name, "") in arguments:
                name = _NAMES[name]
            remedy = "" if _says_what_helps(error.sentence) else _REMEDIES.get(name, "")
            return _describe_value(name, error.sentence, remedy, arguments)
        case UnknownVariantError():
            return _describe_value("variant", error.sentence, _REMEDIES["variant"], arguments)
        case UnknownWatchError():
            return _describe_value("watch", error.sentence, _REMEDIES["watch"], arguments)
        case BusyError():
            return _line(f"{with_full_stop(error.sentence)} Try again in a few seconds.")
    return _describe_own(error)


def _describe_value(name: str, sentence: str, remedy: str, arguments: Container[str]) -> str:
    """What is wrong with a value; that of no argument of the tool is not called by its name."""
    said = f"{with_full_stop(sentence)} {remedy}"
    if name in arguments:
        return _line(f"{name}: {said}")
    if _PREDICATE.match(said):
        return _line(f"A value {said}")
    return _line(f"{said[:1].upper()}{said[1:]}")


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
