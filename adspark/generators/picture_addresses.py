"""The pictures that a service names or encloses, wherever they stand, the likeliest first.

A picture is an http(s) address, a path at the service itself, a data: address, or bare base64.
Which of several addresses is the picture nobody says for sure: one may be the page that the ad
leads to. So they are told in order, and whoever fetches them takes the first that is a picture.
"""

import io
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from pathlib import PurePosixPath
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from pydantic import JsonValue

from adspark.generators.embedded_json import find_json
from adspark.generators.embedded_pictures import MOST_CHARACTERS, cut_words, find_embedded
from adspark.generators.markdown_images import find_images, unescape_address
from adspark.generators.picture_names import (
    EXTENSIONS,
    is_other,
    is_picture_file,
    is_picture_name,
    is_sure_name,
    rank_name,
)
from adspark.generators.reasoning import without_reasoning
from adspark.media.types import picture_type

MOST_PICTURES = 4
"""Addresses that are told of one generation, of which the first that gives a picture is taken."""

_DEEPEST = 6  # levels of lists and objects
_MOST_VALUES = 5000  # that are looked at
_LONGEST_ADDRESS = 8000  # characters of an address that is no data: address
_LONGEST_READ = 500_000  # characters of a text that may be more than pictures
_LONGEST_HEADER = 200  # characters of a data: address before its comma
_LEAST_BASE64 = 24  # characters; fewer are a word
_BEGINNING = 64  # characters of base64 that tell what it is; a multiple of four
_ADDRESS = re.compile(r"(?:https?://|/files/)\S+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+=*")
_SPACE = re.compile(r"\s+")
_ADDRESS_IN_WORDS = re.compile(r"""https?://[^\s<>"'`()\[\]{}|\\]{1,2000}""", re.IGNORECASE)
# A line that names a picture: a bullet, what it is called, and its address, perhaps as a link.
_LINE = re.compile(
    r"""\s{0,9}(?:[-*+•>]\s{1,9})?
    (?P<label>[*_]{0,2}(?:(?:the|your|ad)\s)?(?:image|picture|photo|img)(?:\s(?:url|link))?
        [*_]{0,2}\s?:[*_]{0,2}\s{0,9})?
    (?:\[(?P<words>[^\[\]\n]{0,200})\]\((?P<link>[^\s()<>]+)\)
        |<(?P<angle>[^\s<>]+)>|(?P<quote>["'`]?)(?P<plain>[^\s"'`<>()]+)(?P=quote))\.?\s{0,9}""",
    re.IGNORECASE | re.VERBOSE,
)
_PAGES = (".html", ".htm", ".php", ".asp", ".aspx", ".jsp", ".pdf", ".svg", ".mp4", ".json")


class Likelihood(IntEnum):
    """How likely an address is a picture's."""

    PAGE = 0
    UNKNOWN = 1
    NAMED = 2
    SURE = 3


@dataclass(frozen=True)
class Candidate:
    """An address that may be a picture's."""

    address: str
    likelihood: Likelihood


def list_pictures(
    values: Iterable[JsonValue], *, named: Iterable[JsonValue] = (), most: int = MOST_PICTURES
) -> list[str]:
    """The addresses of pictures in some values, the likeliest first, each once.

    Args:
        values: what may hold pictures anywhere.
        named: where a picture should be; what is found there comes first.
        most: how many are told.
    """
    groups = [
        list(_Search().in_values(list(named), Likelihood.NAMED)),
        list(_Search().in_values(list(values), Likelihood.UNKNOWN)),
    ]
    found = [one for group in groups for one in sorted(group, key=lambda one: -one.likelihood)]
    found.sort(key=lambda one: one.likelihood is Likelihood.PAGE)
    return list(dict.fromkeys(one.address for one in found))[:most]


def is_picture(text: str) -> bool:
    """Whether a text is nothing but a picture, or the address of something."""
    return _candidate(text, Likelihood.UNKNOWN) is not None


def is_line_of_picture(line: str) -> bool:
    """Whether a line of a text holds nothing but the address of a picture, and what it is."""
    return _candidate_of_line(line) is not None


def is_surely_picture(text: str) -> bool:
    """Whether a text is nothing but a picture, or an address that ends like one's."""
    found = _candidate(text, Likelihood.PAGE)
    return found is not None and found.likelihood is Likelihood.SURE


def read_data_address(address: str) -> bytes:
    """What a data: address holds.

    Raises:
        ValueError: it is garbled.
    """
    header, _, content = address.partition(",")
    if not header.lower().rstrip().endswith(";base64"):
        return unquote_to_bytes(content)
    try:
        return _decode(unquote(content))
    except Base64Error as error:
        raise ValueError("its base64 is garbled") from error


class _Search:
    """Looks through values, up to a number of them and of their characters."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES
        self._characters = MOST_CHARACTERS

    def in_values(
        self, values: Sequence[JsonValue], least: Likelihood, depth: int = 0
    ) -> Iterator[Candidate]:
        if depth > _DEEPEST:
            return
        for value in values:
            self._left -= 1
            if self._left < 0:
                return
            if isinstance(value, str):
                yield from self._in_text(value, least, depth)
            elif isinstance(value, list):
                yield from self.in_values(value, _in_parts(least), depth + 1)
            elif isinstance(value, dict) and not is_other(value):
                yield from self._in_object(value, depth)

    def _in_object(self, given: dict[str, JsonValue], depth: int) -> Iterator[Candidate]:
        ranks = {name: rank for name in given if (rank := rank_name(name)) is not None}
        is_file = is_picture_file({name.lower(): value for name, value in given.items()})
        for name in sorted(ranks, key=lambda one: ranks[one]):
            is_sure = is_sure_name(name)
            least = Likelihood.NAMED if is_sure else Likelihood.UNKNOWN
            least = Likelihood.SURE if is_file else least
            yield from self.in_values([given[name]], least, depth + 1)
        rest = [value for name, value in given.items() if name not in ranks]
        nested = [one for one in rest if isinstance(one, dict | list)]
        yield from self.in_values(nested, Likelihood.UNKNOWN, depth + 1)
        loose = [one for one in rest if isinstance(one, str) and is_surely_picture(one)]
        yield from self.in_values(loose, Likelihood.UNKNOWN, depth + 1)

    def _in_text(self, text: str, least: Likelihood, depth: int) -> Iterator[Candidate]:
        stripped = text.strip()
        if (found := _candidate(stripped, least)) is not None:
            yield found
            return
        text, length = cut_words(text, self._characters)
        self._characters -= length
        text = without_reasoning(text) if len(text) <= _LONGEST_READ else text
        for image in find_images(text):
            if (found := _candidate(image.address, Likelihood.NAMED)) is not None:
                yield found
        for part in find_embedded(text):
            yield from filter(None, [_candidate(text[part.start : part.end], Likelihood.SURE)])
        yield from _in_lines(text)
        embedded = None
        if len(text) <= _LONGEST_READ or text.startswith(("{", "[")):
            embedded = find_json(text, lambda _: True)  # as a code node gives a list as text
        if embedded is not None:
            yield from self.in_values([embedded.value], least, depth + 1)
        else:
            yield from _in_words(text)


def _in_lines(text: str) -> Iterator[Candidate]:
    """Addresses of pictures that have a line for themselves."""
    for line in islice(io.StringIO(text), _MOST_VALUES):
        yield from filter(None, [_candidate_of_line(line)])


def _in_words(text: str) -> Iterator[Candidate]:
    """Addresses among words that end like a picture's."""
    for found in islice(_ADDRESS_IN_WORDS.finditer(text), _MOST_VALUES):
        address = unescape_address(found[0].rstrip(".,;:!?*_"))
        if _judge(address) is Likelihood.SURE:
            yield Candidate(address, Likelihood.UNKNOWN)


def _candidate_of_line(line: str) -> Candidate | None:
    """The address of a picture that a line consists of; without its ending, where it is named."""
    if len(line) > _LONGEST_ADDRESS or ("://" not in line and "/files/" not in line):
        return None
    if not (parts := _LINE.fullmatch(line)):
        return None
    address = unescape_address(parts["link"] or parts["angle"] or parts["plain"].rstrip(".,;"))
    is_named = parts["label"] or is_picture_name(parts["words"] or "")
    found = _candidate(address, Likelihood.NAMED if is_named else Likelihood.PAGE)
    return found if found and found.likelihood >= Likelihood.NAMED else None


def _in_parts(least: Likelihood) -> Likelihood:
    """Of a list's parts one may be a picture and another a page."""
    return min(least, Likelihood.UNKNOWN)


def _candidate(text: str, least: Likelihood) -> Candidate | None:
    """A whole text as a picture; None where it is none."""
    text = text.strip()
    if text[:5].lower() == "data:":
        return Candidate(_normal(text), Likelihood.SURE) if _is_data(text) else None
    if len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text):
        return Candidate(text, max(least, _judge(text)) if _judge(text) else Likelihood.PAGE)
    if (kind := _kind_of_base64(text)) is not None:
        return Candidate(f"data:image/{kind};base64,{_unwrapped(text)}", Likelihood.SURE)
    return None


def _judge(address: str) -> Likelihood:
    """What an address looks like by itself."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return Likelihood.PAGE
    extension = PurePosixPath(path).suffix.lower()
    if extension in EXTENSIONS:
        return Likelihood.SURE
    return Likelihood.PAGE if extension in _PAGES or path in ("", "/") else Likelihood.UNKNOWN


def _is_data(address: str) -> bool:
    """Whether a data: address holds a picture: it says so, or its first bytes do."""
    header, comma, content = address[: _LONGEST_HEADER + _BEGINNING].partition(",")
    if not comma or len(header) > _LONGEST_HEADER:
        return False
    kind = header.lower().removeprefix("data:").strip()
    if kind.startswith("image/"):
        return not kind.startswith("image/svg")
    return kind.endswith(";base64") and _kind_of_base64(content, is_whole=False) is not None


def _normal(address: str) -> str:
    """A data: address on one line; any other as it is."""
    return _SPACE.sub("", address) if address[:5].lower() == "data:" else address


def _kind_of_base64(text: str, *, is_whole: bool = True) -> str | None:
    """As `png`, where the text is base64 of a picture; None where it is not."""
    if is_whole and len(text) < _LEAST_BASE64:
        return None
    try:
        kind = picture_type(_decode(_SPACE.sub("", text[: 2 * _BEGINNING])[:_BEGINNING]))
    except (Base64Error, ValueError):
        return None
    return kind if kind and (not is_whole or _BASE64.fullmatch(_unwrapped(text))) else None


def _unwrapped(text: str) -> str:
    """Lines as one; a blank within a line stays, for then it is no base64."""
    return "".join(line.strip() for line in text.splitlines())


def _decode(text: str) -> bytes:
    """Base64 of either alphabet, wrapped or not, with its padding or without."""
    letters = _SPACE.sub("", text).rstrip("=").replace("-", "+").replace("_", "/")
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # a letter that stands for nothing: it was cut off
    return b64decode(letters + "=" * (-len(letters) % 4), validate=True)
