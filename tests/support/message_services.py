"""What tests of messages share: stand-ins for services, and what a person sees of a message."""

import json
import re
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from markdown_it import MarkdownIt
from requests.adapters import HTTPAdapter

_COMMONMARK = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
_LIKE = str.maketrans("\u2217\u02cd\u223c\u02cb¦", "*_~`|")
_POLL = 0.01  # seconds after which a server notices its end
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Posts(ThreadingHTTPServer):
    """Takes every post, and keeps its JSON; `where` it was sent to is told by our adapter."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _PostHandler)

    @property
    def body(self) -> dict[str, Any]:
        """The one post that came."""
        (only,) = self.bodies
        return only


class _PostHandler(BaseHTTPRequestHandler):
    server: Posts

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(json.loads(body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _ToStandIn(HTTPAdapter):
    """Sends everything to one port of this machine, whichever service it is for."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._base = f"http://127.0.0.1:{port}"

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # noqa: ANN401
        assert request.url
        request.url = re.sub(r"^https?://[^/]+", self._base, request.url)
        return super().send(request, **options)


@contextmanager
def posts_of_all_services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posts]:
    """A server that gets what Apprise posts to any service: the real ones are not reached."""
    with Posts() as server:
        Thread(target=server.serve_forever, args=(_POLL,), daemon=True).start()
        adapter = _ToStandIn(server.server_port)
        monkeypatch.setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)
        yield server
        server.shutdown()


class Mails(socketserver.ThreadingTCPServer):
    """A server for mail that takes everything, and may hang up instead of saying so."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, hangs_up: bool = False) -> None:
        self.hangs_up = hangs_up
        self.mails: list[EmailMessage] = []
        super().__init__(("127.0.0.1", 0), _MailHandler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _MailHandler(socketserver.StreamRequestHandler):
    server: Mails

    def handle(self) -> None:
        self._say("220 stand-in")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.strip() else b""
            if word == b"DATA":
                self._say("354 go on")
                self._take()
                if self.server.hangs_up:
                    return
            self._say("221 bye" if word == b"QUIT" else "250 stand-in")
            if word == b"QUIT":
                return

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.server.mails.append(mail)


@contextmanager
def serve_mail(*, hangs_up: bool = False) -> Iterator[Mails]:
    """A server for mail on this machine; one that hangs up does so once it has a message."""
    with Mails(hangs_up=hangs_up) as server:
        Thread(target=server.serve_forever, args=(_POLL,), daemon=True).start()
        yield server
        server.shutdown()


class Seen:
    """What a service shows of a message.

    Attributes:
        text: all that is read.
        bold: what stands out.
        links: label and address of each.
        other: marks that no message of ours has: italics, pictures, mentions, code.
    """

    def __init__(self) -> None:
        self.text = ""
        self.bold: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.other: list[str] = []


def see_commonmark(body: str, *, has_entities: bool = True) -> Seen:
    """Discord, Mattermost, Teams: CommonMark; Discord decodes no entities."""
    seen = Seen()
    if not has_entities:
        body = re.sub(r"&(?=#?\w+;)", r"\\&", body)
    for block in _COMMONMARK.parse(body):
        if block.type in {"fence", "code_block", "blockquote_open", "hr", "table_open"}:
            seen.other.append(block.type)
        bold, address, label = "", None, ""
        for token in block.children or ():
            content = token.content if token.type != "softbreak" else "\n"
            seen.text += content
            bold, label = bold + content, label + content
            if token.type == "strong_open":
                bold = ""
            elif token.type == "strong_close":
                seen.bold.append(bold)
            elif token.type == "link_open":
                address, label = str(token.attrGet("href")), ""
            elif token.type == "link_close":
                seen.links.append((label, address or ""))
            elif token.type in {"em_open", "s_open", "image", "code_inline"}:
                seen.other.append(f"{token.type}: {content}")
        if block.type == "inline":
            seen.text += "\n"
    seen.other += re.findall(r"@\w+|<[@#!:/]\S+|<at>|:\w+:", seen.text)
    seen.other += re.findall(r"(?<!\\)\|\|", body)
    return seen


def see_mrkdwn(body: str) -> Seen:
    """Slack: orders in <…>, then marks at the edges of words, then three entities."""
    seen = Seen()

    def order(found: re.Match[str]) -> str:
        address, _, label = found[1].partition("|")
        if address.startswith(("http://", "https://")):
            seen.links.append((_entities(label or address), _entities(address)))
            return label or address
        seen.other.append(found[0])
        return ""

    text = re.sub(r"<([^<>]*)>", order, body)
    seen.other += re.findall(r"[<>]", text)

    def mark(found: re.Match[str]) -> str:
        inner = found[2]
        (seen.bold if found[1] == "*" else seen.other).append(_entities(inner))
        return inner

    text = re.sub(r"(?<!\w)([*_~`])(?=\S)([^\n]+?)(?<=\S)\1(?!\w)", mark, text)
    seen.other += re.findall(r"(?m)^&gt;.*", text)
    seen.text = _entities(text)
    seen.other += re.findall(r"@\w+|:[a-z]\w*:", seen.text)
    return seen


def _entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class _Page(HTMLParser):
    def __init__(self, bold: set[str], known: set[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.seen, self._bold, self._known = Seen(), bold, known
        self._open: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {"style"} if tag == "div" else {"href"}
        if tag not in self._known or set(dict(attrs)) - known:
            self.seen.other.append(tag)
        if tag != "br":
            self._open.append((tag, str(dict(attrs).get("href")), self.seen.text))

    def handle_endtag(self, tag: str) -> None:
        opened, address, before = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        inner = self.seen.text.removeprefix(before)
        if tag == "a":
            self.seen.links.append((inner, address))
        elif tag in self._bold:
            self.seen.bold.append(inner)

    def handle_data(self, data: str) -> None:
        self.seen.text += data


def see_html(body: str, *, is_telegram: bool = False) -> Seen:
    """Mail, or Telegram, which knows a few tags only."""
    telegram = {"b", "i", "code", "a"}
    mail = {"div", "h1", "h2", "p", "ul", "li", "strong", "a", "code", "br"}
    page = _Page({"b", "strong", "h1", "h2"}, telegram if is_telegram else mail)
    page.feed(body)
    page.close()
    if is_telegram:
        page.seen.other += re.findall(r"@\w+", page.seen.text)
    return page.seen


def as_read(text: str) -> str:
    """A text without what nobody sees, and with the usual signs for those that look like them."""
    return INVISIBLE.sub("", text).translate(_LIKE)
