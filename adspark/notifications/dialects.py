"""How a service writes what a message says: one class a mark-up.

Text from outside leaves here. In none of them it is mark-up, a link or a mention: where a service
has no sign that escapes, a character of no width parts what it would act on, or a like one stands.
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
_MARKDOWN_START = re.compile(r"(?m)^([-+#>=])|^(\d{1,9})([.)])")
# Slack's marks act at the edge of a word only, and nothing escapes them.
_SLACK_MARK = re.compile(r"(?<![^\W_])[*_~`]|[*_~`](?![^\W_])")
_SLACK_LIKE = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})
_LABEL_LIKE = str.maketrans({"|": "¦", ">": "\u203a", "\n": " "})  # would end the label of a link


class Text:
    """No mark-up at all; the base of all that write line by line."""

    bold = ("", "")
    bullet = "- "
    newline = "\n"
    between = "\n\n"

    def __init__(self, *, has_mentions: bool = True) -> None:
        self._has_mentions = has_mentions

    def write(self, blocks: Sequence[Block]) -> str:
        """The blocks, one below the other."""
        written = [self.block(block) for block in blocks]
        gaps = [self.gap(one, other) for one, other in pairwise(blocks)]
        return "".join(f"{one}{gap}" for one, gap in zip(written, [*gaps, ""], strict=True))

    def gap(self, one: Block, other: Block) -> str:
        """What stands between two blocks."""
        is_list = one.kind is other.kind is BlockKind.ITEM
        return "\n" if is_list or one.kind is BlockKind.SUBJECT else self.between

    def block(self, block: Block) -> str:
        """A block without what is around it."""
        text = "".join(self.span(one, is_first=not n) for n, one in enumerate(block.spans))
        if block.kind is BlockKind.ITEM:
            return self.bullet + text
        return self.heading(block.level, text) if block.kind is BlockKind.HEADING else text

    def heading(self, level: int, text: str) -> str:
        """A heading, from its text as it is written."""
        return f"{self.bold[0]}{text}{self.bold[1]}" if self.bold[0] not in text else text

    def span(self, span: Span, *, is_first: bool) -> str:
        """A span as it is written."""
        if span.address:
            return self.link(span, span.address)
        if span.is_code:
            return self.newline.join(self.code(line) for line in span.text.split("\n"))
        text = self.escape(span.text, is_first=is_first).replace("\n", self.newline)
        inner = text.strip()
        if not span.is_bold or not inner or self.newline in inner:
            return text
        return text.replace(inner, f"{self.bold[0]}{inner}{self.bold[1]}")

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up.

        Args:
            is_first: whether it begins its block.
        """
        return re.sub(r"@(?=\S)", "@" + _GAP, text) if self._has_mentions else text

    def code(self, text: str) -> str:
        """A command, or the like, on one line."""
        return self.escape(text, is_first=False)

    def link(self, span: Span, address: str) -> str:
        """A link with its label, or the address alone where that is the label."""
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

    def heading(self, level: int, text: str) -> str:
        """A line of its own size, or in bold where the service knows no headings."""
        return f"{'#' * level} {text}" if self._has_headings else super().heading(level, text)

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up."""
        safe = _MARKDOWN.sub(r"\\\g<0>", _part(text))
        return _MARKDOWN_START.sub(_escape_start, safe) if is_first or "\n" in safe else safe

    def code(self, text: str) -> str:
        """In a fence that is longer than any in it."""
        longest = max((len(run) for run in re.findall("`+", text)), default=0)
        fence, edge = "`" * (longest + 1), " " if "`" in text else ""
        return f"{fence}{edge}{_part(text)}{edge}{fence}"

    def link(self, span: Span, address: str) -> str:
        """[label](address)"""
        if span.text == address:
            return f"<{address}>"
        label = self.escape(span.text, is_first=False)
        return f"[{label.replace(chr(10), ' ')}]({address})"


class Slack(Text):
    """Slack's mrkdwn, in which nothing but three entities is escaped."""

    bold = ("*", "*")
    bullet = "• "

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up."""
        marked = _SLACK_MARK.sub(lambda found: found[0].translate(_SLACK_LIKE), _part(text))
        lines = (f"{_GAP}{line}" if line.startswith(">") else line for line in marked.split("\n"))
        return self.encode("\n".join(lines))

    def code(self, text: str) -> str:
        """In backticks; one in it would end it."""
        return f"`{self.encode(_part(text).replace('`', _SLACK_LIKE[ord('`')]))}`"

    def link(self, span: Span, address: str) -> str:
        """<address|label>"""
        if span.text == address:
            return f"<{self.encode(address)}>"
        label = span.text.translate(_LABEL_LIKE)
        return f"<{self.encode(address)}|{self.escape(label, is_first=False)}>"

    def encode(self, text: str) -> str:
        """Text with entities for what begins an order to Slack."""
        return escape(text, quote=False)


class GoogleChat(Slack):
    """Google Chat's mark-up: Slack's, without entities."""

    def encode(self, text: str) -> str:
        """Text as it is: what would be an order is parted already."""
        return text


class Telegram(Text):
    """The few tags that Telegram knows, line by line."""

    bold = ("<b>", "</b>")
    bullet = "• "

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up, nor a mention."""
        return escape(re.sub(r"@(?=\S)", "@" + _GAP, text), quote=False)

    def code(self, text: str) -> str:
        """In the tag for it."""
        return f"<code>{self.escape(text, is_first=False)}</code>"

    def link(self, span: Span, address: str) -> str:
        """As HTML has it."""
        label = self.escape(span.text, is_first=False)
        return f'<a href="{escape(address)}">{label}</a>'


class Html(Telegram):
    """A page, as mail shows it."""

    bold = ("<strong>", "</strong>")
    newline = "<br>\n"

    def escape(self, text: str, *, is_first: bool) -> str:
        """Text in which nothing is mark-up."""
        return escape(text, quote=False)

    def write(self, blocks: Sequence[Block]) -> str:
        """The blocks; items that follow each other are one list."""
        parts: list[str] = []
        for is_list, group in groupby(blocks, key=lambda block: block.kind is BlockKind.ITEM):
            written = "\n".join(self.block(block) for block in group)
            parts.append(f"<ul>\n{written}\n</ul>" if is_list else written)
        return "\n".join(parts)

    def block(self, block: Block) -> str:
        """A block in its tag."""
        text = "".join(self.span(one, is_first=not n) for n, one in enumerate(block.spans))
        tag = {BlockKind.ITEM: "li", BlockKind.HEADING: f"h{min(block.level, 6)}"}.get(
            block.kind, "p"
        )
        return f"<{tag}>{text}</{tag}>"


def _part(text: str) -> str:
    """Text whose mentions, emoji and entities no chat service reads as such."""
    return _TRIGGERS.sub(rf"\g<0>{_GAP}", text)


def _escape_start(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"
