"""Redact secrets in whatever is written: messages, logs, and what is shown of a run.

Whoever opens a client of a service says its secret here once. Every record of a log and every
message of an error passes here.
"""

import logging
import os
import re
import traceback
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import JsonValue, SecretStr

from adspark.text.redactor import LEAST_ANYWHERE, Redactor
from adspark.text.secret_patterns import MASK, SECRET_NAME, redact_by_pattern

_MOST_KNOWN = 300  # secrets of one process; it has a dozen
_LONGEST_QUOTE = 300  # characters of a service's own words in a message
_SEPARATORS = re.compile(r"[/?&=:@,#\s]+")
_LEAST_TOKEN = 20  # characters; shorter ones without a digit may be the name of a channel
_PASSWORD = re.compile(r"(?i)\b(?:ssl)?password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'&]+))")
# Of Prefect, whose password is `name:password`.
_PASSWORDS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_NAMES_OF_FILES = ("sslkey", "passfile")  # of a database's address: where secrets are
_KEYS = ("PREFECT_API_KEY", "PGPASSWORD")
_ADDRESSES = (
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)
_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")  # name=value,…

_known: dict[str, Redactor] = {}


def remember(*secrets: SecretStr | str | None) -> None:
    """From now on these are redacted in every log and every message of this process."""
    for secret in map(_reveal, secrets):
        if secret := secret.strip():
            redactor = _known[secret] if secret in _known else Redactor(secret)
            _known.pop(secret, None)  # the last one said is the last one to be forgotten
            _known[secret] = redactor
            if len(_known) > _MOST_KNOWN:
                _known.pop(next(iter(_known)), None)
    if not isinstance(logging.getLogRecordFactory(), _RedactedRecords):
        logging.setLogRecordFactory(_RedactedRecords())


def remember_address(address: SecretStr | str | None) -> None:
    """The same for the password in an address, or in a database's `host=… password=…`."""
    if written := _reveal(address):
        remember(*dict.fromkeys(_secrets_of(written)))


def remember_environment() -> None:
    """The same for the passwords of Prefect's server and database in the environment."""
    for name in _PASSWORDS:
        whole = os.environ.get(name, "")
        remember(whole if ":" in whole else None, whole.partition(":")[2] or whole)
    remember(*(os.environ.get(name) for name in _KEYS))
    for name in _ADDRESSES:
        remember_address(os.environ.get(name))
    for name in _HEADERS:
        for header in os.environ.get(name, "").split(","):
            value = header.partition("=")[2]
            remember(value, unquote(value))


def secret_parts(address: str) -> list[str]:
    """What of a webhook's address anyone can post with: it as a whole, passwords, and what in its
    path or query is no word: long, or of letters and digits."""
    rest = address.partition("://")[2]
    parts = {one for found in _SEPARATORS.split(rest) for one in (found, unquote(found))}
    return [address, *_secrets_of(address), *sorted(filter(_looks_like_token, parts))]


def redact(text: str) -> str:
    """A text without any secret that this process knows."""
    for redactor in tuple(_known.values()):
        text = redactor.redact(text)
    return text


def redact_foreign(text: str) -> str:
    """`redact`, and without what reads like a secret of another process."""
    return redact_by_pattern(redact(text))


def redact_document(value: JsonValue) -> JsonValue:
    """A document whose texts are redacted as foreign, and whose fields named like a secret are."""
    if isinstance(value, dict):
        return {
            name: MASK
            if SECRET_NAME.search(name) and one not in (None, "")
            else redact_document(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [redact_document(one) for one in value]
    return redact_foreign(value) if isinstance(value, str) else value


def safe_cause(error: Exception) -> Exception | None:
    """The error, as the cause of another; None where its own words hold a known secret."""
    written = "".join(traceback.format_exception(error))
    return error if redact(written) == written else None


def quote(words: str, *, most: int = _LONGEST_QUOTE) -> str:
    """A service's own words for a message: redacted, and at most so many characters."""
    return redact(words)[:most].strip()


def _reveal(secret: SecretStr | str | None) -> str:
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""


def _secrets_of(address: str) -> Iterator[str]:
    for quoted, bare in _PASSWORD.findall(address):
        yield unquote(bare) if bare else re.sub(r"\\(.)", r"\1", quoted)
    _, found, rest = address.partition("://")
    if not found:  # not an address yet, and quoted by whoever refuses it
        yield from _spellings(address.rpartition("@")[0].partition(":")[2])
        return
    if not address.lower().startswith("http"):
        # A password may hold a slash that nobody has encoded; the host begins behind the last @.
        password = rest.rpartition("@")[0].partition(":")[2]
        yield from _spellings(password)
        # Of an address with such a slash, what stands before it is quoted as if it were the port.
        yield re.split("[/?#@:]", password)[0]
    try:
        parts = urlsplit(address)
        yield from _spellings(parts.password or "")
        query = parse_qsl(parts.query)
    except ValueError:
        return
    yield from (
        value for name, value in query if SECRET_NAME.search(name) and name not in _NAMES_OF_FILES
    )


def _spellings(written: str) -> tuple[str, str]:
    return written, unquote(written)


def _looks_like_token(part: str) -> bool:
    has_both = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    return len(part) >= _LEAST_TOKEN or (has_both and len(part) >= LEAST_ANYWHERE)


class _RedactedRecords:
    """Makes records of logs that are redacted before anyone sees them."""

    def __init__(self) -> None:
        self._make = logging.getLogRecordFactory()

    def __call__(self, *given: object, **named: object) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*given, **named)
        if not _known:
            return record
        try:
            message = record.getMessage()
        except Exception:  # arguments that do not fit, which a handler would write as they are
            shown = f"Message: {record.msg!r} Arguments: {_show(record.args)}"
            message = f"Arguments that do not fit. {shown}"
            record.msg, record.args = message, None
        if (clean := redact(message)) != message:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            if (clean_trace := redact(trace)) != trace:
                record.msg, record.args = f"{clean}\n{clean_trace.rstrip()}", None
                record.exc_info = None
        return record


def _show(arguments: object) -> str:
    """How Python writes a record's arguments, of which one may fail to say what it is."""
    try:
        return repr(arguments)
    except Exception:
        return "that cannot be shown"
