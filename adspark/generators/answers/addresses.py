"""Whether a text, or a line, is a picture: an http(s) address, a path at the service, or base64."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from adspark.generators.answers.names import EXTENSIONS, is_picture_name
from adspark.generators.answers.text_images import unescape_address
from adspark.media.types import picture_type

_LONGEST_ADDRESS = 8000  # characters of an address that is no data: address
_LONGEST_HEADER = 200  # characters of a data: address before its comma
_LEAST_BASE64 = 24  # characters; fewer are a word
_BEGINNING = 64  # characters of base64 that show what it is; a multiple of four
_ADDRESS = re.compile(r"(?:https?://|/files/)\S+", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+=*")
_SPACE = re.compile(r"\s+")
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


def find_picture(text: str, least: Likelihood) -> Candidate | None:
    """A whole text as a picture, `least` so likely unless it is a page; None where it is none."""
    text = text.strip()
    if is_data_address(text):
        return Candidate(_SPACE.sub("", text), Likelihood.SURE) if _is_data(text) else None
    if len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text):
        looks = judge_address(text)
        return Candidate(text, max(least, looks) if looks else Likelihood.PAGE)
    if (kind := _kind_of_base64(text)) is not None:
        return Candidate(f"data:image/{kind};base64,{_unwrapped(text)}", Likelihood.SURE)
    return None


def find_picture_in_line(line: str) -> Candidate | None:
    """The address of a picture that a line consists of; without its ending, where it is named."""
    if len(line) > _LONGEST_ADDRESS or ("://" not in line and "/files/" not in line):
        return None
    if not (parts := _LINE.fullmatch(line)):
        return None
    address = unescape_address(parts["link"] or parts["angle"] or parts["plain"].rstrip(".,;"))
    is_named = parts["label"] or is_picture_name(parts["words"] or "")
    found = find_picture(address, Likelihood.NAMED if is_named else Likelihood.PAGE)
    return found if found and found.likelihood >= Likelihood.NAMED else None


def is_picture(text: str) -> bool:
    """Whether a text is nothing but a picture, or the address of something."""
    return find_picture(text, Likelihood.UNKNOWN) is not None


def is_surely_picture(text: str) -> bool:
    """Whether a text is nothing but a picture, or an address that ends like one's."""
    found = find_picture(text, Likelihood.PAGE)
    return found is not None and found.likelihood is Likelihood.SURE


def judge_address(address: str) -> Likelihood:
    """What an address looks like by itself."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return Likelihood.PAGE
    extension = PurePosixPath(path).suffix.lower()
    if extension in EXTENSIONS:
        return Likelihood.SURE
    return Likelihood.PAGE if extension in _PAGES or path in ("", "/") else Likelihood.UNKNOWN


def is_data_address(address: str) -> bool:
    """Whether an address is itself what it leads to, and so never expires."""
    return address[:5].lower() == "data:"


def write_data_address(content: bytes) -> str:
    """The data: address of what is fetched already."""
    return f"data:;base64,{b64encode(content).decode()}"


def read_data_address(address: str) -> bytes:
    """What a data: address holds. Raises ValueError where it is garbled."""
    header, _, content = address.partition(",")
    if not header.lower().rstrip().endswith(";base64"):
        return unquote_to_bytes(content)
    try:
        return _decode(unquote(content))
    except Base64Error as error:
        raise ValueError("its base64 is garbled") from error


def _is_data(address: str) -> bool:
    """Whether a data: address holds a picture: it says so, or its first bytes do."""
    header, comma, content = address[: _LONGEST_HEADER + _BEGINNING].partition(",")
    if not comma or len(header) > _LONGEST_HEADER:
        return False
    kind = header.lower().removeprefix("data:").strip()
    if kind.startswith("image/"):
        return not kind.startswith("image/svg")
    return kind.endswith(";base64") and _kind_of_base64(content, is_whole=False) is not None


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
