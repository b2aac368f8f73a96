"""Take secrets out of what is shown of a run: its parameters, its result, its log."""

import re

from pydantic import JsonValue

MASK = "***"

_SECRET_NAME = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)
_NAMED = r"[\w-]*(?:key|token|secret|password|authorization)"
# In each the first group stays, and what follows it is the secret.
_SECRETS = (
    re.compile(r"(://)[^\s/@]+(?=@)"),  # user and password of an address
    re.compile(rf"(?i)((?<![\w-]){_NAMED}=)[^\s&\"')]+"),  # of a query
    re.compile(rf"(?i)(['\"]{_NAMED}['\"]\s*:\s*['\"])[^'\"]+"),  # of a written document
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}"),  # of a header
)


def mask_text(told: str) -> str:
    """Text without passwords in addresses, keys in query strings and authorizations."""
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
