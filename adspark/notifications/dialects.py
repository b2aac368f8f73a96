"""The mark-up of chat services and mail: one class each.

Untrusted text is escaped here. In none of them it is mark-up, a link or a mention: where a service
has no escape character, a zero width space separates what it would act on, or a similar character
replaces it.
"""

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby, pairwise

from adspark.notifications.message import Block, BlockKind, Span

_GAP = "\u200b"  # a zero width space: nothing is seen of it, and no service reads across it

# What chat services act on wherever it stands: @everyone, @here, @name, <@U1>, <!here>, <#C1>,
# <at>, <t:1>, </run:1>, :emoji:, ~channel and &entity;.
_TRIGGERS = re.compile(
    r"@(?=\S)|<(?=[!@#:]|/?at\b|users/|a:|t:|id:|/[\w -]{1,40}:|https?:|mailto:)"
    r"|:(?=[\w+-]{0,40}[A-Za-z][\w+-]{0,40}:)|~(?=\S)|&(?=#?\w{1,31};)",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(r"[\\`*_\[\]|]")
_TAG = re.compile(r"<(?=[?/a-z])", re.IGNORECASE)  # of HTML, which Markdown passes on
_MARKDOWN_START = re.compile(r"(?m)^([-+#>=])|^(\d{1,9})([.)])")
# Slack's marks act at the edge of a word only, and nothing escapes them.
_SLACK_MARK = re.compile(r"(?<![^\W_])[*_~`]|[*_~`](?![^\W_])")
_SLACK_LIKE = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})
_WRAPPED = "overflow-wrap: anywhere"  # a long address makes no page wider than its screen
_LABEL_LIKE = str.maketrans({"|": "¦", ">": "\u203a", "\n": " "})  # would end the label of a link


class Text:
    """No mark-up at all; the base of the others."""

    bold = ("", "")
    bullet = "- "
    newline = "\n"

    def __init__(self, *, has_mentions: bool = True) -> None:
        self._has_mentions = has_mentions

    def write(self, blocks: Sequence[Block]) -> str:
        """The message as the service takes it."""
        written = [self._block(block) for block in blocks]
        gaps = [self._gap(one, other) for one, other in pairwise(blocks)]
        return "".join(f"{one}{gap}" for one, gap in zip(written, [*gaps, ""], strict=True))

    def _gap(self, one: Block, other: Block) -> str:
        is_list = one.kind is other.kind is BlockKind.ITEM
        return "\n" if is_list or one.kind is BlockKind.SUBJECT else "\n\n"

    def _block(self, block: Block) -> str:
        text = self._spans(block)
        if block.kind is BlockKind.ITEM:
            return self.bullet + text
        return self._heading(block.level, text) if block.kind is BlockKind.HEADING else text

    def _spans(self, block: Block) -> str:
        return "".join(self._span(one, is_first=not n) for n, one in enumerate(block.spans))

    def _heading(self, level: int, text: str) -> str:
        return f"{self.bold[0]}{text}{self.bold[1]}" if self.bold[0] not in text else text

    def _span(self, span: Span, *, is_first: bool) -> str:
        if span.address:
            return self._link(span, span.address)
        if span.is_code:
            return self.newline.join(self._code(line) for line in span.text.split("\n"))
        text = self.escape(span.text, is_first=is_first).replace("\n", self.newline)
        inner = text.strip()
        if not span.is_bold or not inner or self.newline in inner:
            return text
        return text.replace(inner, f"{self.bold[0]}{inner}{self.bold[1]}")

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up; `is_first` where it begins its block."""
        return re.sub(r"@(?=\S)", "@" + _GAP, text) if self._has_mentions else text

    def _code(self, text: str) -> str:
        return self.escape(text, is_first=False)

    def _link(self, span: Span, address: str) -> str:
        if span.text == address:
            return address
        return f"{self.escape(span.text, is_first=False)} ({address})"


class Markdown(Text):
    """CommonMark as chat services know it, which show what they do not know as it stands.

    Backslashes stand only before what would act: some services show the others.
    """

    bold = ("**", "**")

    def __init__(self, *, newline: str = "\n", has_headings: bool = True) -> None:
        super().__init__()
        self.newline = newline
        self._has_headings = has_headings

    def _heading(self, level: int, text: str) -> str:
        return f"{'#' * level} {text}" if self._has_headings else super()._heading(level, text)

    def escape(self, text: str, *, is_first: bool) -> str:
        safe = _MARKDOWN.sub(r"\\\g<0>", _TAG.sub(rf"\g<0>{_GAP}", _defuse(text)))
        return _MARKDOWN_START.sub(_escape_start, safe) if is_first or "\n" in safe else safe

    def _code(self, text: str) -> str:
        # In a fence that is longer than any in it.
        longest = max((len(run) for run in re.findall("`+", text)), default=0)
        fence, edge = "`" * (longest + 1), " " if "`" in text else ""
        return f"{fence}{edge}{_defuse(text)}{edge}{fence}"

    def _link(self, span: Span, address: str) -> str:
        if span.text == address:
            return f"<{address}>"
        label = self.escape(span.text, is_first=False)
        return f"[{label.replace(chr(10), ' ')}]({address})"


class Slack(Text):
    """Slack's mrkdwn, in which nothing but three entities is escaped."""

    bold = ("*", "*")
    bullet = "• "

    def escape(self, text: str, *, is_first: bool) -> str:
        marked = _SLACK_MARK.sub(lambda found: found[0].translate(_SLACK_LIKE), _defuse(text))
        lines = (f"{_GAP}{line}" if line.startswith(">") else line for line in marked.split("\n"))
        return self._encode("\n".join(lines))

    def _code(self, text: str) -> str:
        return f"`{self._encode(_defuse(text).replace('`', _SLACK_LIKE[ord('`')]))}`"

    def _link(self, span: Span, address: str) -> str:
        if span.text == address:
            return f"<{self._encode(address)}>"
        label = span.text.translate(_LABEL_LIKE)
        return f"<{self._encode(address)}|{self.escape(label, is_first=False)}>"

    def _encode(self, text: str) -> str:
        return escape(text, quote=False)


class GoogleChat(Slack):
    """Google Chat's mark-up: Slack's, without entities."""

    def _encode(self, text: str) -> str:
        return text


class Telegram(Text):
    """The few tags that Telegram knows, line by line."""

    bold = ("<b>", "</b>")
    bullet = "• "

    def escape(self, text: str, *, is_first: bool) -> str:
        return escape(re.sub(r"@(?=\S)", "@" + _GAP, text), quote=False)

    def _code(self, text: str) -> str:
        return f"<code>{self.escape(text, is_first=False)}</code>"

    def _link(self, span: Span, address: str) -> str:
        label = self.escape(span.text, is_first=False)
        return f'<a href="{escape(address)}">{label}</a>'


class Html(Telegram):
    """A page, as mail shows it, with the pictures that are attached."""

    bold = ("<strong>", "</strong>")
    newline = "<br>\n"

    def _span(self, span: Span, *, is_first: bool) -> str:
        if span.picture is None:
            return super()._span(span, is_first=is_first)
        return f'<img src="cid:{picture_name(span)}" alt="{escape(span.text)}" width="160"><br>\n'

    def escape(self, text: str, *, is_first: bool) -> str:
        return escape(text, quote=False)

    def write(self, blocks: Sequence[Block]) -> str:
        lists: list[str] = []
        for is_list, group in groupby(blocks, key=lambda block: block.kind is BlockKind.ITEM):
            written = "\n".join(self._block(block) for block in group)
            lists.append(f"<ul>\n{written}\n</ul>" if is_list else written)
        return "\n".join([f'<div style="{_WRAPPED}">', *lists, "</div>"])

    def _block(self, block: Block) -> str:
        tags = {BlockKind.ITEM: "li", BlockKind.HEADING: f"h{min(block.level, 6)}"}
        tag = tags.get(block.kind, "p")
        return f"<{tag}>{self._spans(block)}</{tag}>"


def picture_name(span: Span) -> str:
    """The name under which the picture of a span is attached."""
    return f"{re.sub(r'[^A-Za-z0-9]', '', span.text)}.webp"


def _defuse(text: str) -> str:
    """Text in which no chat service finds mentions, emoji or entities."""
    return _TRIGGERS.sub(rf"\g<0>{_GAP}", text)


def _escape_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"
