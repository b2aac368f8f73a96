"""Take secrets out of what is shown of a run: its parameters, its result, its log."""

import re

from pydantic import JsonValue

from adspark.text.credential_patterns import MASK
from adspark.text.redaction import redact

_NAMES = "key|token|secret|password|passwd|pwd|authorization|auth_string|signature|credential"
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_NAMED = rf"[\w-]*(?:{_NAMES})s?"
# In each the first group stays, and what follows it is the secret.
_SECRETS = (
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


def mask_text(told: str) -> str:
    """Text without the secrets of this process, and without what reads like one of another's.

    That is: passwords in addresses, keys in query strings, authorizations.
    """
    told = redact(told)
    for pattern in _SECRETS:
        told = pattern.sub(rf"\g<1>{MASK}", told)
    return told


def mask(value: JsonValue) -> JsonValue:
    """A document in which what is named like a secret, or reads like one, is masked."""
    if isinstance(value, dict):
        return {
            name: MASK if _SECRET_NAME.search(name) and one not in (None, "") else mask(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [mask(one) for one in value]
    return mask_text(value) if isinstance(value, str) else value
