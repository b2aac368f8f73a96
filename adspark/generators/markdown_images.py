"""Images in a text that a model wrote, in Markdown or HTML: where they are, and what they show.

Each text is read once from its beginning to its end, whatever it holds: a pattern with repetitions
within repetitions takes minutes for some texts, and nothing interrupts it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from itertools import islice

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


@dataclass(frozen=True)
class Image:
    """One image of a text: from `start` to before `end`, with its address as it is written."""

    start: int
    end: int
    address: str


def find_images(text: str) -> list[Image]:
    """The images of a text, in their order."""
    found = [*_in_markdown(text), *_in_html(text)]
    return sorted(found, key=lambda image: image.start)


def without_images(text: str) -> str:
    """A text without its images, and without the empty lines that they leave."""
    kept, position = [], 0
    for image in find_images(text):
        if image.start >= position:
            start, end = _with_link(text, image)
            kept.append(text[position:start])
            position = end
    return _BLANK_LINES.sub("\n\n", "".join([*kept, text[position:]])).strip()


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


def unescape_address(address: str) -> str:
    """An address without the entities of HTML; those without a semicolon are parameters."""
    if "&" not in address and " " not in address:
        return address
    plain = _ENTITY.sub(lambda entity: unescape(entity[0]), address)
    return plain if plain[:5].lower() == _DATA else plain.strip().replace(" ", "%20")


def _in_html(text: str) -> Iterator[Image]:
    for tag in islice(_TAG.finditer(text), _MOST_TRIES):
        if source := _SOURCE.search(tag[0]):
            yield Image(
                tag.start(), tag.end(), unescape_address("".join(filter(None, source.groups())))
            )


def _find_address(text: str, blanks: re.Match[str] | None) -> tuple[int, int]:
    """From where to where an address goes that follows these blanks; it is empty where none does.

    No search goes past the beginning of the next image but one.
    """
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
