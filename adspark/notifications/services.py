"""The mark-up, the title and the longest message of each service of Apprise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from apprise import NotifyBase, NotifyFormat
from apprise.common import OverflowMode

from adspark.notifications.chunks import measure, split_blocks
from adspark.notifications.dialects import (
    GoogleChat,
    Html,
    Markdown,
    Slack,
    Telegram,
    Text,
    picture_name,
)
from adspark.notifications.message import Block, BlockKind, Span
from adspark.notifications.pictures import MOST_PICTURES
from adspark.text.visible import visible

# These show mark-up whatever format Apprise has for them, and in Discord's embeds it makes a field
# of code of each heading.
_DIALECTS = {
    "slack": Slack(),
    "tgram": Telegram(),
    "discord": Markdown(has_headings=False),
    "fluxer": Markdown(has_headings=False),
    "guilded": Markdown(has_headings=False),
    "mmost": Markdown(),
    "zulip": Markdown(),
    "gchat": GoogleChat(),
    # Cards of Teams know no headings, and a line's end only between paragraphs.
    "workflow": Markdown(newline="\n\n", has_headings=False),
}
_MARKDOWN_TITLES = ("discord", "fluxer", "guilded", "workflow")  # which show mark-up in a title
# What programs and people read as it stands: a name with @ is a name there.
_WITHOUT_MENTIONS = ("json", "xml", "form", "mailto")
# Slack's blocks take less than its other messages, whose limits Apprise has.
_SLACK_BLOCK, _SLACK_HEADER = 3000, 150
_MOST_BESIDE = 4  # pictures that are attached where a service shows none inside its text
_COUNTER = 10  # characters kept for " (12/34)" after a title


@dataclass(frozen=True)
class Chunk:
    """A message, or as much of it as a service takes at once, in its mark-up.

    Attributes:
        title: empty where the service shows none.
        body: in the service's mark-up.
        pictures: that are attached, from their names to their paths in the media store.
    """

    title: str
    body: str
    pictures: Mapping[str, str] = field(default_factory=dict)


def write_message(service: NotifyBase, *, subject: str, blocks: Sequence[Block]) -> list[Chunk]:
    """A message as the service shows it, in chunks that it takes; none where nothing is left.

    Args:
        service: of Apprise.
        subject: text on one line.
        blocks: the body.
    """
    schemas = schemas_of(service)
    dialect = _dialect(service, schemas)
    pictures = _pictures(blocks)
    if isinstance(dialect, Html) and "mailto" in schemas:  # which shows them in their places
        return [
            replace(chunk, pictures=_shown_in(chunk.body, pictures))
            for chunk in _write_chunks(service, schemas, dialect, subject, blocks)
        ]
    shown = [_without_pictures(one) for one in blocks]
    chunks = _write_chunks(service, schemas, dialect, subject, shown)
    if chunks and service.attachment_support:
        chunks[0] = replace(chunks[0], pictures=dict(list(pictures.items())[:_MOST_BESIDE]))
    return chunks


def _without_pictures(block: Block) -> Block:
    """The block as text alone, without the blank after a picture with which it begins."""
    spans = tuple(one for one in block.spans if not one.picture)
    if spans and spans != block.spans:
        spans = (replace(spans[0], text=spans[0].text.lstrip()), *spans[1:])
    return replace(block, spans=spans)


def _shown_in(body: str, pictures: Mapping[str, str]) -> dict[str, str]:
    return {name: path for name, path in pictures.items() if f'"cid:{name}"' in body}


def _pictures(blocks: Sequence[Block]) -> dict[str, str]:
    """The first pictures, from the names that they are attached under to their paths."""
    spans = (span for block in blocks for span in block.spans)
    named = ((picture_name(span), span.picture) for span in spans if span.picture)
    return dict(islice(named, MOST_PICTURES))


def _write_chunks(
    service: NotifyBase,
    schemas: frozenset[str],
    dialect: Text,
    subject: str,
    blocks: Sequence[Block],
) -> list[Chunk]:
    line = " ".join(visible(subject).split())
    title = line if schemas.isdisjoint(_MARKDOWN_TITLES) else dialect.escape(line, is_first=True)
    limit, longest = _limits(service, schemas)
    if longest <= 0:
        head = [Block(BlockKind.SUBJECT, (Span(line),))] if line else []
        bodies = split_blocks([*head, *blocks], dialect, limit)
        return [Chunk("", body) for body in _kept(service, bodies)]
    title = title if measure(title) <= longest else title[: max(longest - _COUNTER - 1, 1)] + "…"
    if limit is not None and service.overflow_amalgamate_title and title:
        limit = max(limit - measure(title) - _COUNTER - len("\r\n"), 1)
    bodies = _kept(service, split_blocks(blocks, dialect, limit)) or ([line] if line else [])
    if len(bodies) < 2 or measure(title) + _COUNTER > longest or not title:
        return [Chunk(title, body) for body in bodies]
    counted = enumerate(bodies, start=1)
    return [Chunk(f"{title} ({place}/{len(bodies)})", body) for place, body in counted]


def schemas_of(service: NotifyBase) -> frozenset[str]:
    """What an address of the service may begin with, as `slack` or `mailto`."""
    return frozenset(service.schemas())  # type: ignore[no-untyped-call]


def _dialect(service: NotifyBase, schemas: frozenset[str]) -> Text:
    for schema in schemas:
        if schema in _DIALECTS:
            return _DIALECTS[schema]
    if service.notify_format == NotifyFormat.HTML:
        return Html()
    if service.notify_format == NotifyFormat.MARKDOWN:
        return Markdown()
    return Text(has_mentions=schemas.isdisjoint(_WITHOUT_MENTIONS))


def _limits(service: NotifyBase, schemas: frozenset[str]) -> tuple[int | None, int]:
    """The longest body, None where there is no limit, and the longest title."""
    if "slack" in schemas and getattr(service, "use_blocks", False):
        return _SLACK_BLOCK, _SLACK_HEADER
    is_bounded = service.overflow_mode != OverflowMode.UPSTREAM
    return service.body_maxlen if is_bounded else None, service.title_maxlen


def _kept(service: NotifyBase, bodies: list[str]) -> list[str]:
    return bodies[:1] if service.overflow_mode == OverflowMode.TRUNCATE else bodies
