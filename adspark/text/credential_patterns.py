"""Where in a text a short or common word is a credential, and where it is only a word.

A local model's key may be `test` or `none`, a password `user`. Such a word is masked in a header,
in an address, and beside a name such as `api_key`; the same word in a sentence stays.
"""

import base64
import re
from urllib.parse import unquote

MASK = "***"

_QUOTE = (
    r"(?:\\{0,8}[\"']|%(?:25){0,4}2[27]"
    r"|&(?:amp;){0,4}(?:quot|apos|#0{0,4}3[49]|#x0{0,4}2[27]);)"
)
_NAME = r"(?:key|token|secret|passw(?:or)?d|pwd|auth|auth_string|credential|signature)s?"
_NAMED = re.compile(rf"(?i){_NAME}\Z|authorization\Z")
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
_BASIC = re.compile(r"(?i)(\bbasic(?:\s|%20|\+){1,9})([\w+/=%-]{4,4000})")


def is_credential(text: str, start: int, end: int) -> bool:
    """Whether the part of a text from `start` to `end` stands where a credential does."""
    after = text[end : end + 1]
    if after.isalnum() or after == "_":
        return False
    before = text[max(0, start - _FURTHEST) : start]
    is_password = _BEFORE_PASSWORD.search(before) and _AFTER_PASSWORD.match(text, end)
    return bool(is_password or _BEFORE.search(before))


def is_credential_name(name: str) -> bool:
    """Whether the value of a field of this name is a credential."""
    return bool(_NAMED.search(name))


class BasicHeader:
    """Masks a secret in a header's `Basic …`: as its user, its password, or both."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def may_be_in(self, lowered: str) -> bool:
        """Whether a text in small letters may have such a header."""
        return "basic" in lowered

    def mask_in(self, text: str) -> str:
        """The text with a mask in place of what holds the secret."""
        return _BASIC.sub(lambda found: f"{found[1]}{self._mask(found[2])}", text)

    def _mask(self, encoded: str) -> str:
        told = unquote(encoded).rstrip("=").replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(told + "=" * (-len(told) % 4)).decode(errors="replace")
        except ValueError:
            return encoded
        user, _, password = decoded.partition(":")
        return MASK if self._secret in (decoded, user, password) else encoded
