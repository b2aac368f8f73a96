"""A message in parts, each as long as a service takes, none of which ends inside a link."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from adspark.notifications.dialects import Text
from adspark.notifications.message import Block, BlockKind, Span

_JOINER = "\u200d"


def measure(text: str) -> int:
    """The length of a text in UTF-16 units: no service counts more."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_blocks(blocks: Sequence[Block], dialect: Text, limit: int | None) -> list[str]:
    """The blocks as the dialect writes them, in parts of at most `limit` UTF-16 units.

    A part ends between two blocks; a block that is too long by itself, between two words.

    Args:
        limit: None is no limit.
    """
    if limit is None:
        return [dialect.write(blocks)] if blocks else []

    def size(*some: Block) -> int:
        return measure(dialect.write(some))

    parts: list[list[Block]] = []
    length = 0  # of the last part; what a block adds depends on the one before it only
    for block in blocks:
        alone = size(block)
        more = size(parts[-1][-1], block) - size(parts[-1][-1]) if parts else alone
        if parts and length + more <= limit:
            parts[-1].append(block)
            length += more
            continue
        if alone > limit:
            room = limit - length - (more - alone)
            is_begun = bool(parts) and room > limit // 2
            pieces = list(_split(block, dialect, limit, room if is_begun else limit))
            if is_begun:
                parts[-1].append(pieces.pop(0))
            parts += [[piece] for piece in pieces]
        else:
            above = _headings_at_end(parts[-1]) if parts else []
            taken = above if size(*above, block) <= limit else []
            if taken:
                del parts[-1][-len(taken) :]
            parts.append([*taken, block])
        length = size(*parts[-1])
    return [dialect.write(part) for part in parts]


def _headings_at_end(part: Sequence[Block]) -> list[Block]:
    """What heads nothing at the end of a part, but for the first block."""
    end = len(part)
    while end > 1 and _is_heading(part[end - 1]):
        end -= 1
    return list(part[end:])


def _is_heading(block: Block) -> bool:
    return block.kind is BlockKind.HEADING or all(span.is_bold for span in block.spans)


def _split(block: Block, dialect: Text, limit: int, first: int) -> Iterator[Block]:
    """Pieces of a block that is too long; only the first one is an item or a heading.

    Args:
        first: the room for the first piece.
    """

    def fits(number: int) -> bool:
        piece = replace(block, spans=_joined(atoms[:number]))
        return measure(dialect.write([piece])) <= room

    atoms, room = list(_atoms(block)), first
    while atoms:
        # No dialect writes less than there is, so that only few of many need to be tried.
        most = bisect_left(list(accumulate(len(atom.text) for atom in atoms[:room])), room + 1)
        number = bisect_left(range(1, min(most, len(atoms)) + 1), True, key=lambda n: not fits(n))
        if number == 0 and (atoms[0].address or len(atoms[0].text) > 1):
            atoms[:1] = _smaller(atoms[0], block, dialect, room)
            continue
        number = max(number, 1)  # a character is sent, whatever the limit
        yield replace(block, spans=_joined(atoms[:number]))
        atoms, room = atoms[number:], limit
        block = replace(block, kind=BlockKind.PARAGRAPH)


def _atoms(block: Block) -> Iterator[Span]:
    """Words with the blank after them, and links."""
    for span in block.spans:
        if span.address:
            yield span
            continue
        words = span.text.split(" ")
        for place, word in enumerate(words):
            blank = " " if place + 1 < len(words) else ""
            if word or blank:
                yield replace(span, text=word + blank)


def _joined(atoms: Sequence[Span]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for atom in atoms:
        if spans and not atom.address and replace(spans[-1], text=atom.text) == atom:
            spans[-1] = replace(atom, text=spans[-1].text + atom.text)
        else:
            spans.append(atom)
    if spans:
        spans[-1] = replace(spans[-1], text=spans[-1].text.rstrip(" ") or spans[-1].text)
    return tuple(spans)


def _smaller(atom: Span, block: Block, dialect: Text, limit: int) -> list[Span]:
    """Two parts of a word that is too long, the first of which fits; of a link, its label."""
    if atom.address:
        return [replace(atom, address=None)]

    def fits(number: int) -> bool:
        piece = replace(block, spans=(replace(atom, text=atom.text[:number]),))
        return measure(dialect.write([piece])) <= limit

    most = max(bisect_left(range(1, len(atom.text)), True, key=lambda n: not fits(n)), 1)
    cut = most
    while cut > most / 2 and _continues(atom.text[cut - 1], atom.text[cut]):
        cut -= 1
    if _continues(atom.text[cut - 1], atom.text[cut]):  # a character without an end
        cut = most
    return [replace(atom, text=atom.text[:cut]), replace(atom, text=atom.text[cut:])]


def _continues(before: str, after: str) -> bool:
    """Whether a character is drawn together with the one before it."""
    return bool(unicodedata.combining(after)) or _JOINER in (before, after) or after == "\ufe0f"
