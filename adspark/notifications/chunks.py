"""Split a message into chunks, each as long as a service takes; none ends inside a link."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from adspark.notifications.dialects import Text
from adspark.notifications.message import Block, BlockKind, Span, merge_spans

_JOINER = "\u200d"


def measure(text: str) -> int:
    """The length of a text in UTF-16 units; no service counts more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_blocks(blocks: Sequence[Block], dialect: Text, limit: int | None) -> list[str]:
    """The blocks as the dialect writes them, in chunks of at most `limit` UTF-16 units.

    A chunk ends between two blocks; a block that is too long by itself, between two words.

    Args:
        blocks: of the message.
        dialect: the mark-up.
        limit: None is no limit.
    """
    if limit is None:
        return [dialect.write(blocks)] if blocks else []

    def size(*some: Block) -> int:
        return measure(dialect.write(some))

    chunks: list[list[Block]] = []
    length = 0  # of the last chunk; what a block adds depends on the one before it only
    for block in blocks:
        alone = size(block)
        more = size(chunks[-1][-1], block) - size(chunks[-1][-1]) if chunks else alone
        if chunks and length + more <= limit:
            chunks[-1].append(block)
            length += more
            continue
        if alone > limit:
            room = limit - length - (more - alone)
            is_begun = bool(chunks) and room > limit // 2
            pieces = list(_split(block, dialect, limit, room if is_begun else limit))
            if is_begun:
                chunks[-1].append(pieces.pop(0))
            chunks += [[piece] for piece in pieces]
        else:
            headings = _headings_at_end(chunks[-1]) if chunks else []
            if headings and size(*headings, block) <= limit:
                del chunks[-1][-len(headings) :]
                chunks.append([*headings, block])
            else:
                chunks.append([block])
        length = size(*chunks[-1])
    return [dialect.write(chunk) for chunk in chunks]


def _headings_at_end(chunk: Sequence[Block]) -> list[Block]:
    """Headings with nothing below them at the end of a chunk, but for its first block."""
    end = len(chunk)
    while end > 1 and _is_heading(chunk[end - 1]):
        end -= 1
    return list(chunk[end:])


def _is_heading(block: Block) -> bool:
    return block.kind is BlockKind.HEADING or all(span.is_bold for span in block.spans)


def _split(block: Block, dialect: Text, limit: int, first: int) -> Iterator[Block]:
    """Pieces of a block that is too long; only the first, of `first` units, is item or heading."""

    def fits(number: int) -> bool:
        piece = replace(block, spans=_join(atoms[:number]))
        return measure(dialect.write([piece])) <= room

    atoms, room = list(_atoms(block)) or [Span("")], first
    while atoms:
        # No dialect writes less than there is, so that only few of many need to be tried.
        most = bisect_left(list(accumulate(len(atom.text) for atom in atoms[:room])), room + 1)
        number = bisect_left(range(1, min(most, len(atoms)) + 1), True, key=lambda n: not fits(n))
        if number == 0 and (atoms[0].address or len(atoms[0].text) > 1):
            atoms[:1] = _smaller(atoms[0], block, dialect, room)
            continue
        number = max(number, 1)  # a character is sent, whatever the limit
        yield replace(block, spans=_join(atoms[:number]))
        atoms, room = atoms[number:], limit
        block = replace(block, kind=BlockKind.PARAGRAPH)


def _atoms(block: Block) -> Iterator[Span]:
    """Words with the blank after them, and links."""
    for span in block.spans:
        if span.address or span.picture:
            yield span
            continue
        words = span.text.split(" ")
        for place, word in enumerate(words):
            blank = " " if place + 1 < len(words) else ""
            if word or blank:
                yield replace(span, text=word + blank)


def _join(atoms: Sequence[Span]) -> tuple[Span, ...]:
    """The atoms as spans, without blanks at the end."""
    *others, last = merge_spans(atoms) or (Span(""),)
    return (*others, replace(last, text=last.text.rstrip(" ") or last.text))


def _smaller(atom: Span, block: Block, dialect: Text, limit: int) -> list[Span]:
    """A word that is too long, in two of which the first fits; of a link, its label."""
    if atom.address:
        return [replace(atom, address=None)]

    def fits(number: int) -> bool:
        piece = replace(block, spans=(replace(atom, text=atom.text[:number]),))
        return measure(dialect.write([piece])) <= limit

    most = max(bisect_left(range(1, len(atom.text)), True, key=lambda n: not fits(n)), 1)
    cut = most
    while cut > max(most / 2, 1) and _continues(atom.text[cut - 1], atom.text[cut]):
        cut -= 1
    if _continues(atom.text[cut - 1], atom.text[cut]):  # a character without an end
        cut = most
    return [replace(atom, text=atom.text[:cut]), replace(atom, text=atom.text[cut:])]


def _continues(before: str, after: str) -> bool:
    """Whether a character is drawn together with the one before it."""
    return bool(unicodedata.combining(after)) or _JOINER in (before, after) or after == "\ufe0f"
