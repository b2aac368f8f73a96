"""Images within a text that a model wrote: in Markdown, in HTML, or as base64.

Each text is read once from its beginning to its end, whatever it holds: a pattern with repetitions
within repetitions takes minutes for some texts, and nothing interrupts it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice

MOST_CHARACTERS = 1_000_000
"""Of all texts of one answer that are looked at, pictures aside; nothing else runs meanwhile."""

_MOST_TRIES = 5000  # places where an image may be
_LONGEST_TITLE = 1000  # characters between an address and the image's end
# Brackets of labels; one behind a backslash is none.
_BRACKET = re.compile(r"\\.|!?\[|\]", re.DOTALL)
_REST_OF_LINK = re.compile(r"[ \t]{0,9}\](?:\([^()\n]{0,2000}\))?")
_ENTITY = re.compile(r"&#?\w{1,9};")
_STOP = re.compile(r"[\s()<>]")
_END_IN_BRACKETS = re.compile(r"[<>\n]")
_END_OF_DATA = re.compile(r"[()<>\[\]\"']")
_DATA = "data:"
_BLANKS = re.compile(r"\s*")
_TAG = re.compile(r"<img\b[^<>]{0,4000}>", re.IGNORECASE)
_SOURCE = re.compile(r"""\bsrc\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")

_MOST_BASE64 = 100  # pictures of one text
_KNOWN = r"iVBORw0KGgo|/9j/|R0lGOD|UklGR|AAAA\wGZ0eXBhdm"  # PNG, JPEG, GIF, WebP, AVIF
_HEADER = r"""[dD][aA][tT][aA]:[^,\s()<>"']{0,200},[ \t]?\r?\n?"""
_BEGINNING = re.compile(
    rf"{_HEADER}(?={_KNOWN})|(?=(?i:data:image/)(?!(?i:svg))){_HEADER}|(?<![\w+/=-])(?={_KNOWN})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/_%=-]{24,}")
_NEXT_LINE = re.compile(r"[ \t]{0,9}\r?\n[ \t]{0,9}([A-Za-z0-9+/_-]+={0,2})(?![^\s\"'`)])")
_LINE = range(40, 201)  # characters of a line that was wrapped; most have 64 or 76
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")  # as the copy's next line may be


@dataclass(frozen=True)
class Image:
    """One image of a text: from `start` to before `end`, with its address as it is written."""

    start: int
    end: int
    address: str


def find_images(text: str) -> list[Image]:
    """The images of a text in Markdown and HTML, in their order."""
    found = [*_in_markdown(text), *_in_html(text)]
    return sorted(found, key=lambda image: image.start)


def without_images(text: str) -> str:
    """A text without these images, and without the empty lines that they leave."""
    rest = _without(text, (_with_link(text, image) for image in find_images(text)))
    return _BLANK_LINES.sub("\n\n", rest).strip()


def find_base64(text: str, most: int = MOST_CHARACTERS) -> Iterator[tuple[int, int]]:
    """Where a text's pictures as base64 begin and end, bare or as data: addresses, in their order.

    Each may stand on many lines; of other characters `most` are looked at.
    """
    position, left = 0, most
    for _ in range(_MOST_BASE64):
        if not (begun := _BEGINNING.search(text, position, position + left)):
            return
        left -= begun.start() - position
        position = max(begun.end(), begun.start() + 1)
        if content := _BASE64.match(text, begun.end()):
            position = _end_of_lines(text, content)
            yield begun.start(), position


def without_base64(text: str) -> str:
    """A text without these pictures."""
    return _without(text, find_base64(text))


def cut_words(text: str, most: int) -> tuple[str, int]:
    """A text up to where its words, which its pictures are not, exceed `most` characters, and the
    number of characters of the words that are left."""
    words, position = 0, 0
    for start, end in find_base64(text, most):
        if words + start - position > most:
            break
        words += start - position
        position = end
    cut = text[: position + most - words]
    return cut, words + len(cut) - position


def unescape_address(address: str) -> str:
    """An address without the entities of HTML; those without a semicolon are parameters."""
    if "&" not in address and " " not in address:
        return address
    plain = _ENTITY.sub(lambda entity: unescape(entity[0]), address)
    return plain if plain[:5].lower() == _DATA else plain.strip().replace(" ", "%20")


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    kept, position = list[str](), 0
    for start, end in spans:
        if start >= position:
            kept.append(text[position:start])
            position = end
    return "".join([*kept, text[position:]])


def _with_link(text: str, image: Image) -> tuple[int, int]:
    """Where an image begins and ends, with the link that holds nothing else."""
    before = text[max(0, image.start - 10) : image.start].rstrip(" \t")
    link = _REST_OF_LINK.match(text, image.end) if before.endswith("[") else None
    return (text.rfind("[", 0, image.start), link.end()) if link else (image.start, image.end)


def _in_markdown(text: str) -> Iterator[Image]:
    """Every `![words](address "title")`, whose words hold brackets in pairs only."""
    position, tries, opened = 0, 0, list[tuple[int, bool]]()
    while tries < _MOST_TRIES and (found := _BRACKET.search(text, position)):
        position = found.end()
        if found[0].endswith("["):
            opened.append((found.start(), found[0] == "!["))
        if found[0] != "]" or not opened:
            continue
        start, is_image = opened.pop()
        if not is_image or not text.startswith("(", position):
            continue
        tries += 1
        begin, stop = _find_address(text, _BLANKS.match(text, position + 1))
        close = text.find(")", stop, stop + _LONGEST_TITLE) if stop > begin else -1
        if close >= 0:
            yield Image(start, close + 1, unescape_address(text[begin:stop]))
            position, opened = close + 1, []


def _in_html(text: str) -> Iterator[Image]:
    for tag in islice(_TAG.finditer(text), _MOST_TRIES):
        if source := _SOURCE.search(tag[0]):
            address = unescape_address("".join(filter(None, source.groups())))
            yield Image(tag.start(), tag.end(), address)


def _find_address(text: str, blanks: re.Match[str] | None) -> tuple[int, int]:
    """From where to where an address goes that follows these blanks; empty where none does."""
    begin = blanks.end() if blanks else 0
    if text.startswith("<", begin):
        found = _END_IN_BRACKETS.search(text, begin + 1)
        return begin + 1, found.start() if found and found[0] == ">" else 0
    if text[begin : begin + len(_DATA)].lower() == _DATA:
        found = _END_OF_DATA.search(text, begin)
        return begin, found.start() if found and found[0] in ")\"'" else 0
    return begin, _end_of_address(text, begin)


def _end_of_address(text: str, begin: int) -> int:
    """Where an address ends, which may hold pairs of brackets; 0 where it does not."""
    is_open, position = False, begin
    while found := _STOP.search(text, position):
        position = found.end()
        if found[0] == "(" and not is_open:
            is_open = True
        elif found[0] == ")" and is_open:
            is_open = False
        else:
            return 0 if is_open else found.start()
    return 0


def _end_of_lines(text: str, first: re.Match[str]) -> int:
    """Where base64 ends that may go on over lines of one length, of which the last is shorter."""
    end, width = first.end(), 0
    is_wrapped = len(first[0]) in _LINE
    while is_wrapped and text[end - 1] != "=" and (line := _NEXT_LINE.match(text, end)):
        length = len(line[1])
        width = width or max(length, len(first[0]))
        is_last = length < width
        if length > width or (is_last and (length % 4 or _WORD.fullmatch(line[1]))):
            break
        end = line.end(1)
        if is_last:
            break
    return end
