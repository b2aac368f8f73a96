"""A message as headings, paragraphs and items, in no service's mark-up."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from adspark.media.paths import is_thumbnail
from adspark.text.visible import visible

MOST_PLAIN = 4_000
"""Characters of an alert: the error of a failed run may have any length."""

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_ADDRESS_SAFE = ":/?&=#%+,;~!$.-_"  # what an address may hold, and no mark-up ends at
# No user name stands before it, which misleads.
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
_CODE_OR_ADDRESS = re.compile(r"`([^`\n]+)`|(https?://[^\s<>\"`]+)")
_AFTER_ADDRESS = ".,;:!?)]}'"  # belongs to the sentence around it


class BlockKind(Enum):
    """What a block is."""

    SUBJECT = auto()
    HEADING = auto()
    PARAGRAPH = auto()
    ITEM = auto()


@dataclass(frozen=True)
class Span:
    """Text of one look; `address` makes a link of it, `picture` a thumbnail with that path."""

    text: str
    is_bold: bool = False
    is_code: bool = False
    address: str | None = None
    picture: str | None = None


@dataclass(frozen=True)
class Block:
    """A heading (`level` 1 and up), paragraph or item; lines in a span's text are lines in it."""

    kind: BlockKind
    spans: tuple[Span, ...]
    level: int = 1


def read_markdown(text: str) -> list[Block]:
    """The blocks of a Markdown text; what CommonMark knows beside them becomes paragraphs."""
    blocks: list[Block] = []
    kinds: list[tuple[BlockKind, int]] = []
    for token in _MARKDOWN.parse(text):
        if token.type == "heading_open":
            kinds.append((BlockKind.HEADING, int(token.tag[1:])))
        elif token.type == "list_item_open":
            kinds.append((BlockKind.ITEM, 1))
        elif token.type in {"heading_close", "list_item_close"}:
            kinds.pop()
        elif token.type in {"fence", "code_block"}:
            spans = (Span(visible(token.content).strip("\n"), is_code=True),)
            blocks.append(Block(BlockKind.PARAGRAPH, spans))
        elif token.type == "inline":
            kind, level = kinds[-1] if kinds else (BlockKind.PARAGRAPH, 1)
            blocks.append(Block(kind, merge_spans(_spans(token.children or [])), level))
    return [block for block in blocks if any(span.text.strip() for span in block.spans)]


def read_plain(text: str) -> list[Block]:
    """The paragraphs of an untrusted text, in which only `code` and addresses are mark-up."""
    seen = visible(text[: MOST_PLAIN + 1])
    if len(seen) > MOST_PLAIN:
        seen = seen[: MOST_PLAIN - 1].rstrip() + "…"
    paragraphs = (part.strip() for part in re.split(r"\n[ \t]*\n", seen))
    return [Block(BlockKind.PARAGRAPH, tuple(_plain_spans(part))) for part in paragraphs if part]


def safe_address(address: str) -> str | None:
    """An address that a browser may open, in characters that end no mark-up; else None."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        return None
    path = f"{parts.path}{parts.query and '?'}{parts.query}{parts.fragment and '#'}{parts.fragment}"
    return f"{parts.scheme}://{parts.netloc}{quote(path, safe=_ADDRESS_SAFE)}"


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans of one look that stand side by side, as one."""
    merged: list[Span] = []
    for span in spans:
        if merged and replace(merged[-1], text=span.text) == span:
            merged[-1] = replace(span, text=merged[-1].text + span.text)
        else:
            merged.append(span)
    return tuple(merged)


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
        elif child.type == "image" and is_thumbnail(str(child.attrGet("src"))):
            yield Span(visible(child.content), picture=str(child.attrGet("src")))
        elif child.content:
            is_code = child.type == "code_inline"
            yield Span(visible(child.content), bool(bold), is_code, address)
