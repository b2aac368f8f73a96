"""Take known secrets out of whatever is written: messages, logs, and what a service sent.

Whoever opens a client of a service says its secret here once. Services echo keys, and libraries
quote them, in forms of their own: percent-encoded, escaped for JSON or HTML, in base64 (alone or
within a longer header), in hex, or cut off in the middle. Every record of a log and every message
of an error passes here.
"""

import base64
import logging
import os
import re
import traceback
from collections.abc import Iterator
from functools import cache, cached_property
from html.entities import codepoint2name
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from adspark.text.credential_patterns import MASK, BasicHeader, is_credential, is_credential_name

_LEAST = 4  # characters; a shorter word would be found everywhere
_LEAST_ANYWHERE = 8  # characters; a shorter one is only masked where a credential stands
_LEAST_LETTERS = 12  # the same of one that is made of letters only, and so may be a word
_HEAD = 12  # characters of a secret that was cut off, from which on it is masked
# Passwords of examples, which stand in our own texts too.
_NO_SECRETS = ("adspark", "password", "postgres", "postgresql", "prefect", "sandbox", "secret")
_MOST_KNOWN = 300  # secrets of one process; it has a dozen
_LONGEST_QUOTE = 300  # characters of a service's own words in a message
_ANCHOR = re.compile(r"[a-z0-9]+")
_PART = re.compile(r"[/?&=:@,#\s]+")
_LEAST_TOKEN = 20  # characters; shorter ones without a digit may be the name of a channel
_PASSWORD = re.compile(r"(?i)\b(?:ssl)?password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'&]+))")
_SECRET_PARAMETER = re.compile(r"(?i)key|token|secret|passw|signature|\bsig\b")
# Of Prefect, whose password is `name:password`.
_PASSWORDS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_KEYS = ("PREFECT_API_KEY", "PGPASSWORD")
_ADDRESSES = ("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL")


class Redactor:
    """Masks one secret in every form that it may have.

    Args:
        secret: a word of fewer than 4 characters, or a common one, is not masked; one of fewer
            than 8, or of fewer than 12 letters, only where it stands as a credential.
    """

    def __init__(self, secret: str) -> None:
        is_one = len(secret) >= _LEAST and secret.lower() not in _NO_SECRETS
        self._secret = secret
        self._forms = list(_forms(secret)) if is_one else []

    def holds(self, text: str) -> bool:
        """Whether a text may hold the secret; takes next to no time where it does not."""
        lowered = text.lower()
        return any(form.may_be_in(lowered) for form in self._forms)

    def redact(self, text: str) -> str:
        """The text with a mask in place of the secret."""
        lowered = text.lower()
        for form in self._forms:
            if form.may_be_in(lowered):
                text = form.mask_in(text)
        return text

    def redact_field(self, name: str, value: str) -> str:
        """The value of a document's field, which is a credential where its name says so."""
        if self._forms and value.strip() == self._secret and is_credential_name(name):
            return MASK
        return self.redact(value)


class _Form:
    """One spelling of a secret; each of its characters may be escaped, whichever way."""

    def __init__(self, spelling: str, *, is_word: bool = False, is_escaped: bool = False) -> None:
        self._spelling = spelling
        self._is_word = is_word
        self._anchors = _anchors(spelling[:_HEAD], is_escaped=is_escaped)

    def may_be_in(self, lowered: str) -> bool:
        return not self._anchors or any(anchor in lowered for anchor in self._anchors)

    def mask_in(self, text: str) -> str:
        told, position = [], 0
        while found := self._head.search(text, position):
            end = found.end()
            for atom in self._tail:
                if not (more := atom.match(text, end)):
                    break
                end = more.end()
            is_kept = self._is_word and not is_credential(text, found.start(), end)
            told += [
                text[position : found.start()],
                text[found.start() : end] if is_kept else MASK,
            ]
            position = end
        return "".join([*told, text[position:]]) if told else text

    @cached_property
    def _head(self) -> re.Pattern[str]:
        head = "".join(_atom(character) for character in self._spelling[:_HEAD])
        return re.compile(head, re.IGNORECASE | re.DOTALL)

    @cached_property
    def _tail(self) -> list[re.Pattern[str]]:
        return [_compiled_atom(character) for character in self._spelling[_HEAD:]]


_known: dict[str, Redactor] = {}


def remember(*secrets: SecretStr | str | None) -> None:
    """From now on these are masked in every log and every message of this process."""
    for secret in secrets:
        told = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        if told and (told := told.strip()):
            redactor = _known[told] if told in _known else Redactor(told)
            _known.pop(told, redactor)  # the last one said is the last one to be given up
            _known[told] = redactor
            if len(_known) > _MOST_KNOWN:
                _known.pop(next(iter(_known)), None)
    _watch_logs()


def remember_address(address: SecretStr | str | None) -> None:
    """The same for the password in an address, or in a database's `host=… password=…`."""
    told = address.get_secret_value() if isinstance(address, SecretStr) else address
    if told:
        remember(*dict.fromkeys(_secrets_of(told)))


def secret_parts(address: str) -> list[str]:
    """The parts of a webhook's address by which alone anyone can post to it, as far as they show.

    Passwords, and what in its path or query is no word: long, or of letters and digits.
    """
    rest = address.partition("://")[2]
    parts = {one for found in _PART.split(rest) for one in (found, unquote(found))}
    tokens = [one for one in parts if _looks_like_token(one)]
    return [address, *_secrets_of(address), *sorted(tokens)]


def remember_environment() -> None:
    """The same for the passwords of Prefect's server and database in the environment."""
    for name in _PASSWORDS:
        whole = os.environ.get(name, "")
        remember(whole if ":" in whole else None, whole.partition(":")[2] or whole)
    remember(*(os.environ.get(name) for name in _KEYS))
    for name in _ADDRESSES:
        remember_address(os.environ.get(name))


def redact(text: str) -> str:
    """A text without any secret that this process knows."""
    for redactor in tuple(_known.values()):
        text = redactor.redact(text)
    return text


def safe_cause(error: Exception) -> Exception | None:
    """The error, as the cause of another; None where its own words hold a known secret."""
    told = "".join(traceback.format_exception(error))
    return error if redact(told) == told else None


def quote(words: str, *, most: int = _LONGEST_QUOTE) -> str:
    """A service's own words for a message: without secrets, and only so many characters."""
    return redact(words)[:most].strip()


def _forms(secret: str) -> Iterator[_Form | BasicHeader]:
    is_short = len(secret) < (_LEAST_LETTERS if secret.isalpha() else _LEAST_ANYWHERE)
    yield _Form(secret, is_word=is_short, is_escaped=True)
    if is_short:
        yield BasicHeader(secret)
        return
    content = secret.encode(errors="replace")
    yield _Form(content.hex())
    for before in range(3):  # of the bytes that share its first character in a longer base64
        encoded = base64.b64encode(b"\0" * before + content).decode()
        start, end = -(-before * 8 // 6), (before + len(content)) * 8 // 6
        yield _Form(encoded[start:end])


def _anchors(head: str, *, is_escaped: bool) -> tuple[str, ...]:
    """One of these is in every text that holds the spelling; none where that cannot be told.

    Args:
        head: the spelling's beginning.
        is_escaped: whether even its letters and digits may be.
    """
    runs = _ANCHOR.findall(head.lower())
    longest = max(runs, key=len, default="")
    if len(longest) < 2:
        return ()
    if not is_escaped:
        return (longest,)
    code = ord(next(one for one in head if one.isascii() and one.isalnum()))
    written = [f"{before}{code:02x}" for before in ("%", "%25", "u00", "\\x", "#x")]
    return (longest, *written, f"#{code}")


def _atom(character: str) -> str:
    """A pattern of one character, escaped any number of times or not."""
    code = ord(character)
    content = character.encode(errors="replace")
    choices = ["".join(f"%(?:25){{0,4}}{byte:02x}" for byte in content)]
    units = character.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    choices.append("".join(rf"\\{{1,8}}u{pair}" for pair in pairs))
    choices.append("".join(rf"\\{{1,8}}x{byte:02x}" for byte in content))
    names = [f"#0{{0,4}}{code}", f"#x0{{0,4}}{code:x}"]
    names += [codepoint2name[code]] if code in codepoint2name else []
    choices.append(rf"&(?:amp;){{0,4}}(?:{'|'.join(names)});")
    # In a query a blank; in base64 for addresses other characters.
    choices += {" ": [r"\+"], "+": ["-"], "/": ["_"]}.get(character, [])
    plain = re.escape(character)  # the last, for an escape may begin with it
    choices.append(plain if character.isalnum() else rf"\\{{0,8}}{plain}")
    return f"(?:{'|'.join(choices)})"


@cache
def _compiled_atom(character: str) -> re.Pattern[str]:
    return re.compile(_atom(character), re.IGNORECASE | re.DOTALL)


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
    yield from (value for name, value in query if _SECRET_PARAMETER.search(name))


def _looks_like_token(part: str) -> bool:
    has_both = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    return len(part) >= _LEAST_TOKEN or (has_both and len(part) >= _LEAST_ANYWHERE)


def _spellings(written: str) -> tuple[str, str]:
    return written, unquote(written)


class _SafeRecords:
    """Makes records of logs from which secrets are taken before anyone sees them."""

    def __init__(self) -> None:
        self._make = logging.getLogRecordFactory()

    def __call__(self, *given: object, **named: object) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*given, **named)
        if not _known:
            return record
        try:
            told = record.getMessage()
        except Exception:  # arguments that do not fit, which a handler would write as they are
            shown = f"Message: {record.msg!r} Arguments: {_show(record.args)}"
            told = f"Arguments that do not fit. {shown}"
            record.msg, record.args = told, None
        if (clean := redact(told)) != told:
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


def _watch_logs() -> None:
    if not isinstance(logging.getLogRecordFactory(), _SafeRecords):
        logging.setLogRecordFactory(_SafeRecords())
