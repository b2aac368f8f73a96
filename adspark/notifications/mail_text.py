"""The plain text of a mail, which stands beside its page for programs that show no HTML.

Apprise makes one of the page that lacks the addresses of its links.
"""

import re
from html.parser import HTMLParser

_BLOCK = re.compile("h[1-6]|p|ul")


class _PlainText(HTMLParser):
    """Collects the lines of a page that the dialect `Html` has written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [""]
        self._link = ("", 0)  # its address, and where its label begins

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where the tag does; two before a paragraph, for the empty one between."""
        if _BLOCK.fullmatch(tag):
            self.lines += ["", ""]
        elif tag == "li":
            self.lines.append("- ")
        elif tag == "br" and self.lines[-1] != "- ":  # not below a picture that begins an item
            self.lines.append("")
        elif tag == "a":
            self._link = (dict(attrs).get("href") or "", len(self.lines[-1]))

    def handle_endtag(self, tag: str) -> None:
        """Write where a link leads, unless its label says so."""
        address, start = self._link
        if tag == "a" and self.lines[-1][start:] != address:
            self.lines[-1] += f" ({address})"

    def handle_data(self, data: str) -> None:
        """Add text, whose line breaks mean nothing."""
        text = re.sub(r"\s+", " ", data)
        self.lines[-1] += text.lstrip() if self.lines[-1][-1:] in ("", " ") else text


def write_mail_text(page: str) -> str:
    """The text of a page, with the addresses of its links in brackets and without its pictures."""
    parser = _PlainText()
    parser.feed(page)
    parser.close()
    text = "\n".join(line.rstrip() for line in parser.lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
