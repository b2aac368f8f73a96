"""Redact one secret in every form that a service echoes it in, or a library quotes it in.

Percent-encoded, escaped for JSON or HTML, in base64 (alone or within a longer header), in hex, or
cut off in the middle.
"""

import base64
import re
from collections.abc import Iterator
from functools import cache, cached_property
from html.entities import codepoint2name
from typing import NamedTuple
from urllib.parse import unquote

from adspark.text.secret_patterns import MASK, is_credential, is_credential_name

LEAST_ANYWHERE = 8
"""Characters; a shorter secret is only redacted where a credential stands."""

_LEAST = 4  # characters; a shorter word would be found everywhere
_LEAST_LETTERS = 12  # as LEAST_ANYWHERE, of one that is made of letters only, so may be a word
_HEAD = 12  # characters of a secret that was cut off, from which on it is redacted
_LONGEST_ATOM = 44  # characters of a character: four bytes, each as %25252525f0
# Passwords of examples, which stand in our own texts too.
_NO_SECRETS = ("adspark", "password", "postgres", "postgresql", "prefect", "sandbox", "secret")
_ANCHOR = re.compile(r"[a-z0-9]+")
_BASIC = re.compile(r"(?i)(\bbasic(?:\s|%20|\+){1,9})([\w+/=%-]{4,4000})")


class Redactor:
    """Redacts one secret in every form that it may have.

    Args:
        secret: a word of fewer than 4 characters, or a common one, is not redacted; one of fewer
            than 8, or of fewer than 12 letters, only where it stands as a credential.
    """

    def __init__(self, secret: str) -> None:
        is_one = len(secret) >= _LEAST and secret.lower() not in _NO_SECRETS
        self._secret = secret
        self._forms = list(_forms(secret)) if is_one else []

    def holds(self, text: str) -> bool:
        """Whether a text may hold the secret; takes little time where it does not."""
        lowered = text.lower()
        return any(
            form.may_be_in(lowered) and form.begins_in(text, lowered) for form in self._forms
        )

    def redact(self, text: str) -> str:
        """The text with a mask in place of the secret."""
        lowered = text.lower()
        for form in self._forms:
            if form.may_be_in(lowered):
                text = form.redact(text)
        return text

    def redact_field(self, name: str, value: str) -> str:
        """The value of a document's field, which is a credential where its name says so."""
        if self._forms and value.strip() == self._secret and is_credential_name(name):
            return MASK
        return self.redact(value)


class _Spelling:
    """One spelling of a secret; each of its characters may be escaped, whichever way."""

    def __init__(self, spelling: str, *, is_word: bool = False, is_escaped: bool = False) -> None:
        self._spelling = spelling
        self._is_word = is_word
        self._anchors = _anchors(spelling[:_HEAD], is_escaped=is_escaped)

    def may_be_in(self, lowered: str) -> bool:
        return not self._anchors or any(anchor.is_in(lowered) for anchor in self._anchors)

    def begins_in(self, text: str, lowered: str) -> bool:
        if not self._anchors or len(lowered) != len(text):  # other letters have other places there
            return self._head.search(text) is not None
        return any(self._head.match(text, start) for start in self._starts(lowered))

    def _starts(self, lowered: str) -> Iterator[int]:
        """Where the head may begin: shortly before an anchor, each place once for each of them."""
        for anchor in self._anchors:
            first, at = 0, lowered.find(anchor.text)
            while at >= 0:
                yield from range(max(first, at - anchor.most_before), at + 1)
                first, at = at + 1, lowered.find(anchor.text, at + 1)

    def redact(self, text: str) -> str:
        kept, position = list[str](), 0
        while found := self._head.search(text, position):
            start, end = found.span()
            for atom in self._tail:
                if not (more := atom.match(text, end)):
                    break
                end = more.end()
            stays = self._is_word and not is_credential(text, start, end)
            kept += [text[position:start], text[start:end] if stays else MASK]
            position = end
        return "".join([*kept, text[position:]])

    @cached_property
    def _head(self) -> re.Pattern[str]:
        head = "".join(_atom(character) for character in self._spelling[:_HEAD])
        return re.compile(head, re.IGNORECASE | re.DOTALL)

    @cached_property
    def _tail(self) -> list[re.Pattern[str]]:
        return [_compiled_atom(character) for character in self._spelling[_HEAD:]]


class _BasicHeader:
    """A secret in a header's `Basic …`: as its user, its password, or both."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def may_be_in(self, lowered: str) -> bool:
        return "basic" in lowered

    def begins_in(self, text: str, _lowered: str) -> bool:
        return _BASIC.search(text) is not None

    def redact(self, text: str) -> str:
        return _BASIC.sub(lambda found: f"{found[1]}{self._redact(found[2])}", text)

    def _redact(self, encoded: str) -> str:
        letters = unquote(encoded).rstrip("=").replace("-", "+").replace("_", "/")
        try:
            decoded = base64.b64decode(letters + "=" * (-len(letters) % 4)).decode(errors="replace")
        except ValueError:
            return encoded
        user, _, password = decoded.partition(":")
        return MASK if self._secret in (decoded, user, password) else encoded


def _forms(secret: str) -> Iterator[_Spelling | _BasicHeader]:
    is_short = len(secret) < (_LEAST_LETTERS if secret.isalpha() else LEAST_ANYWHERE)
    yield _Spelling(secret, is_word=is_short, is_escaped=True)
    if is_short:
        yield _BasicHeader(secret)
        return
    content = secret.encode(errors="replace")
    yield _Spelling(content.hex())
    for before in range(3):  # of the bytes that share its first character in a longer base64
        encoded = base64.b64encode(b"\0" * before + content).decode()
        start, end = -(-before * 8 // 6), (before + len(content)) * 8 // 6
        yield _Spelling(encoded[start:end])


class _Anchor(NamedTuple):
    """A word that is in every text that holds a spelling, unless another anchor is.

    Attributes:
        most_before: characters between the spelling's beginning and it, at most.
        mark: of an escape, a character that is in every such text too; it is found far quicker.
    """

    text: str
    most_before: int
    mark: str = ""

    def is_in(self, lowered: str) -> bool:
        return self.mark in lowered and self.text in lowered


def _anchors(head: str, *, is_escaped: bool) -> tuple[_Anchor, ...]:
    """One of these is in every text that holds the spelling, with `is_escaped` even where its
    letters are escaped; none where that cannot be known."""
    longest = max(_ANCHOR.finditer(head.lower()), key=lambda one: len(one[0]), default=None)
    if longest is None or len(longest[0]) < 2:
        return ()
    plain = _Anchor(longest[0], longest.start() * _LONGEST_ATOM)
    if not is_escaped:
        return (plain,)
    place = next(n for n, one in enumerate(head) if one.isascii() and one.isalnum())
    code = ord(head[place])
    escapes = (("%", "%"), ("25", "%"), ("u00", "\\"), ("\\x", "\\"), ("#x", "#"))
    written = [(f"{before}{code:02x}", mark) for before, mark in escapes]
    before = (place + 1) * _LONGEST_ATOM
    return (plain, *(_Anchor(one, before, mark) for one, mark in (*written, (f"#{code}", "#"))))


def _atom(character: str) -> str:
    """A pattern of one character, escaped any number of times or not."""
    code = ord(character)
    content = character.encode(errors="replace")
    units = character.encode("utf-16-be", "surrogatepass")
    names = [f"#0{{0,4}}{code}", f"#x0{{0,4}}{code:x}"]
    names += [codepoint2name[code]] if code in codepoint2name else []
    choices = [
        "".join(f"%(?:25){{0,4}}{byte:02x}" for byte in content),
        "".join(rf"\\{{1,8}}u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        "".join(rf"\\{{1,8}}x{byte:02x}" for byte in content),
        rf"&(?:amp;){{0,4}}(?:{'|'.join(names)});",
    ]
    # In a query a blank; in base64 for addresses other characters.
    choices += {" ": [r"\+"], "+": ["-"], "/": ["_"]}.get(character, [])
    plain = re.escape(character)  # the last, for an escape may begin with it
    choices.append(plain if character.isalnum() else rf"\\{{0,8}}{plain}")
    return f"(?:{'|'.join(choices)})"


@cache
def _compiled_atom(character: str) -> re.Pattern[str]:
    return re.compile(_atom(character), re.IGNORECASE | re.DOTALL)
