"""The words that a name of a service's value is made of, however they are written together."""

import re

_LONGEST = 200  # characters that are looked at
_WORD = re.compile(r"[a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def words_of(name: str) -> set[str]:
    """The words in small letters, each also without the s of a plural."""
    found = _WORD.findall(_CAMEL.sub(" ", name[:_LONGEST]).lower().replace("_", " "))
    return {*found, *(word.removesuffix("s") for word in found)}
