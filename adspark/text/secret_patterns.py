"""Which names mean a secret, and where in a text one stands.

A local model's key may be `test` or `none`, a password `user`. Such a word is redacted in a header,
in an address, and beside a name such as `api_key`; the same word in a sentence stays.
"""

import re

MASK = "***"

# The one table of names. libpq's `require_auth` lists methods, which are no secret.
_NAMES = (
    r"(?:key|token|secret|passw(?:or)?d?|pwd|credential|signature|\bsig\b"
    r"|authorization|auth_string|(?<!require_)auths?(?![a-z]))"
)
_NAME = rf"{_NAMES}s?"
SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
"""Finds the name of a secret anywhere in the name of a field, a parameter or a variable."""

_CREDENTIAL_NAME = re.compile(rf"(?i){_NAME}\Z")
_QUOTE = (
    r"(?:\\{0,8}[\"']|%(?:25){0,4}2[27]"
    r"|&(?:amp;){0,4}(?:quot|apos|#0{0,4}3[49]|#x0{0,4}2[27]);)"
)
_BLANKS = r"(?:\s|%20|\+){0,9}"
_EQUALS = r"(?:=|%(?:25){0,4}3d)"
_COLON = r"(?:[:,]|%(?:25){0,4}3a)"
# A password with a slash reads as a host and its port, and libraries quote what is no number.
_PORT = (
    r"(?:\bport could not be cast|\binvalid port|\binvalid literal for int\(\))[^\"'\n]{0,40}[\"']"
)
_BEFORE = re.compile(
    rf"(?i)(?:\bbearer(?:\s|%20|\+){{1,9}}{_QUOTE}?"
    rf"|(?:authorization|\bapi-key){_QUOTE}?\s{{0,9}}{_COLON}\s{{0,9}}b?{_QUOTE}?(?:\w{{1,20}}\s)?"
    rf"|{_NAME}{_BLANKS}{_EQUALS}{_BLANKS}b?{_QUOTE}?"
    rf"|{_NAME}{_QUOTE}{_BLANKS}{_COLON}{_BLANKS}b?{_QUOTE}"
    rf"|{_PORT})\Z"
)
_BEFORE_PASSWORD = re.compile(r"(?i)(?::|%(?:25){0,4}3a)\Z")
_AFTER_PASSWORD = re.compile(r"@|%(?:25){0,4}40")
_FURTHEST = 100  # characters before a credential that say that it is one

_NAMED = rf"[\w-]*{_NAME}"
# Secrets that nobody has registered here. In each the first group stays, the secret follows it.
_FOREIGN = (
    re.compile(r"(://)[^\s/?#\"'<>]*(?=@)"),  # user and password of an address
    # Of a database's `password='…'`, of a query, of a variable.
    re.compile(rf"(?i)((?<![\w-]){_NAMED}\s{{0,9}}=\s{{0,9}})'(?:[^'\\]|\\.)*'"),
    re.compile(rf"(?i)((?<![\w-]){_NAMED}(?:=|%3d))[^\s&\"')]+"),
    # Of a written document, which may stand in a text itself, escaped.
    re.compile(
        rf"(?i)(\\{{0,8}}['\"]{_NAMED}\\{{0,8}}['\"]\s{{0,9}}:\s{{0,9}}b?\\{{0,8}}['\"])[^'\"\\]+"
    ),
    re.compile(r"(?i)(\b(?:bearer|basic)(?:\s|%20|\+){1,9})[\w.~+/=%-]{6,}"),  # of a header
)


def is_credential(text: str, start: int, end: int) -> bool:
    """Whether the part of a text from `start` to before `end` stands where a credential does.

    Args:
        text: in which it stands.
        start: index of its first character.
        end: index behind its last one.
    """
    after = text[end : end + 1]
    if after.isalnum() or after == "_":
        return False
    before = text[max(0, start - _FURTHEST) : start]
    is_password = _BEFORE_PASSWORD.search(before) and _AFTER_PASSWORD.match(text, end)
    return bool(is_password or _BEFORE.search(before))


def is_credential_name(name: str) -> bool:
    """Whether the value of a field of this name is a credential."""
    return bool(_CREDENTIAL_NAME.search(name))


def redact_by_pattern(text: str) -> str:
    """A text without what reads like a secret: passwords of addresses, keys, authorizations."""
    for pattern in _FOREIGN:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text
