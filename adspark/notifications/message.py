"""A message as what it says: headings, paragraphs and items, in no service's mark-up."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adspark.text.visible import visible

MOST_PLAIN = 4_000
"""Characters of an alert: what a failed run has said may be as long as it likes."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_ADDRESS_SAFE = ":/?&=#%+,;~!$.-_"  # what an address may hold, and no mark-up ends at
_HOST = re.compile(
    r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?"
)  # and no name before it, which misleads
_CODE_OR_ADDRESS = re.compile(r"`([^`\n]+)`|(https?://[^\s<>\"`]+)")
_AFTER_ADDRESS = ".,;:!?)]}'"  # belongs to the sentence around it


class Kind(Enum):
    """What a block is."""

    SUBJECT = auto()
    HEADING = auto()
    PARAGRAPH = auto()
    ITEM = auto()


@dataclass(frozen=True)
class Span:
    """Text of one look; `address` makes a link of it."""

    text: str
    is_bold: bool = False
    is_code: bool = False
    address: str | None = None


@dataclass(frozen=True)
class Block:
    """What stands by itself; a line's end in a span's text is one in the message.

    Attributes:
        level: of a heading, 1 and up.
    """

    kind: Kind
    spans: tuple[Span, ...]
    level: int = 1


def read_markdown(text: str) -> list[Block]:
    """The blocks of a Markdown text; what CommonMark knows beside them comes as paragraphs."""
    blocks: list[Block] = []
    kinds: list[tuple[Kind, int]] = []
    for token in _MARKDOWN.parse(text):
        if token.type == "heading_open":
            kinds.append((Kind.HEADING, int(token.tag[1:])))
        elif token.type == "list_item_open":
            kinds.append((Kind.ITEM, 1))
        elif token.type in {"heading_close", "list_item_close"}:
            kinds.pop()
        elif token.type in {"fence", "code_block"}:
            spans = (Span(visible(token.content).strip("\n"), is_code=True),)
            blocks.append(Block(Kind.PARAGRAPH, spans))
        elif token.type == "inline":
            kind, level = kinds[-1] if kinds else (Kind.PARAGRAPH, 1)
            blocks.append(Block(kind, tuple(_merged(_spans(token.children or []))), level))
    return [block for block in blocks if any(span.text.strip() for span in block.spans)]


def read_plain(text: str) -> list[Block]:
    """The paragraphs of a text in which only `code` and addresses are told apart.

    Anybody may have written a part of it, so that nothing else in it is mark-up.
    """
    seen = visible(text[: MOST_PLAIN + 1])
    if len(seen) > MOST_PLAIN:
        seen = seen[: MOST_PLAIN - 1].rstrip() + "…"
    paragraphs = (part.strip() for part in re.split(r"\n[ \t]*\n", seen))
    return [Block(Kind.PARAGRAPH, tuple(_plain_spans(part))) for part in paragraphs if part]


def safe_address(address: str) -> str | None:
    """An address that a browser may open, in characters that no mark-up ends at; else None."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return None
    path = f"{parts.path}{parts.query and '?'}{parts.query}{parts.fragment and '#'}{parts.fragment}"
    return f"{parts.scheme}://{parts.netloc}{quote(path, safe=_ADDRESS_SAFE)}"


def _plain_spans(text: str) -> Iterator[Span]:
    end = 0
    for found in _CODE_OR_ADDRESS.finditer(text):
        code, written = found[1], (found[2] or "").rstrip(_AFTER_ADDRESS)
        address = safe_address(written)
        if code is None and address is None:
            continue
        yield Span(text[end : found.start()])
        yield Span(code, is_code=True) if code else Span(written, address=address)
        end = found.end() if code else found.start() + len(written)
    yield Span(text[end:])


def _spans(children: Sequence[Token]) -> Iterator[Span]:
    bold, address = 0, None
    for child in children:
        if child.type == "strong_open":
            bold += 1
        elif child.type == "strong_close":
            bold -= 1
        elif child.type == "link_open":
            address = safe_address(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            address = None
        elif child.type in {"softbreak", "hardbreak"}:
            yield Span("\n", is_bold=bool(bold), address=address)
        elif child.content:
            is_code = child.type == "code_inline"
            yield Span(visible(child.content), bool(bold), is_code, address)


def _merged(spans: Iterator[Span]) -> Iterator[Span]:
    """Spans of one look that stand side by side, as one: an address has one label."""
    last: Span | None = None
    for span in spans:
        if last is not None and replace(span, text="") == replace(last, text=""):
            last = replace(last, text=last.text + span.text)
        else:
            if last is not None:
                yield last
            last = span
    if last is not None:
        yield last
