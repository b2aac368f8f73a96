"""Mail servers that do not take a message: why is said, and none that may have it gets it again."""

import smtplib
import socketserver
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from pydantic import SecretStr

from adspark.errors import DeliveryUnknownError, ServiceRefusedError, ServiceUnavailableError
from adspark.notifications.apprise import send
from benchmarks.ports import free_port

PASSWORD = "s3cretpassw0rd"
OVER = b"OVER"  # the end of a message
HANG_UP, SAY_NOTHING = None, ""
Replies = Mapping[bytes, str | None]


class _Server(socketserver.ThreadingTCPServer):
    """Speaks SMTP, except where `replies` say otherwise for a word."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, replies: Replies) -> None:
        self.replies, self.messages, self.end = replies, 0, Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        if not self._answer(b"GREETING", "220 here"):
            return
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            usual = {b"DATA": "354 go on", b"QUIT": "221 bye", b"EHLO": "250-x\r\n250 AUTH PLAIN"}
            if not self._answer(word, usual.get(word, "250 fine")):
                return
            if word == b"DATA" and word not in self.server.replies:
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.server.messages += 1
                if not self._answer(OVER, "250 taken"):
                    return

    def _answer(self, word: bytes, usual: str) -> bool:
        reply = self.server.replies.get(word, usual)
        if reply == SAY_NOTHING:
            self.server.end.wait(20)
        if not reply:
            return False
        self.wfile.write(f"{reply}\r\n".encode())
        return True


@contextmanager
def serve(replies: Replies) -> Iterator[_Server]:
    """Run it; ends what says nothing."""
    with _Server(replies) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.end.set()
        server.shutdown()


async def mail(
    port: int, *, user: str = "", scheme: str = "mailto", mode: str = "insecure"
) -> None:
    """Send a mail by the server of this port, which has half a second for each reply."""
    address = f"{scheme}://{user}127.0.0.1:{port}/?from=a@example.com&to=b@example.com"
    await send(SecretStr(f"{address}&mode={mode}&rto=0.5&cto=0.5"), subject="News", body="x")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (HANG_UP, "closed the connection unanswered"),
        (SAY_NOTHING, "did not answer within 0.5 s"),
        ("hello", "answered with what is no refusal and no consent"),
        ("354 go on", "answered with what is no refusal and no consent"),
    ],
)
async def test_of_a_server_that_has_the_whole_message_and_does_not_answer_nobody_knows(
    reply: str | None, said: str
) -> None:
    with serve({OVER: reply}) as server, pytest.raises(DeliveryUnknownError) as failed:
        await mail(server.server_address[1])
    assert str(failed.value) == f"The mail server {said}"
    assert server.messages == 1


@pytest.mark.parametrize(
    ("word", "reply", "said"),
    [
        (OVER, "451 not now", "refused the message for now (451)"),
        (OVER, "421 shutting down", "refused the message for now (421)"),
        (b"DATA", "451 not now", "refused the message for now (451)"),
        (b"DATA", HANG_UP, "closed the connection too early"),
        (b"DATA", SAY_NOTHING, "did not answer within 0.5 s"),
        (b"RCPT", "450 greylisted", "refused the receiver's address for now (450)"),
        (b"MAIL", HANG_UP, "closed the connection too early"),
        (b"GREETING", SAY_NOTHING, "did not answer within 0.5 s"),
        (b"GREETING", HANG_UP, "closed the connection too early"),
    ],
)
async def test_what_was_not_taken_can_be_tried_again(
    word: bytes, reply: str | None, said: str
) -> None:
    with serve({word: reply}) as server, pytest.raises(ServiceUnavailableError) as failed:
        await mail(server.server_address[1])
    assert str(failed.value) == f"The mail server {said}"


@pytest.mark.parametrize(
    ("word", "reply", "said"),
    [
        (OVER, "554 spam", "refused the message (554)"),
        (b"RCPT", "550 b@example.com is unknown", "refused the receiver's address (550)"),
        (b"MAIL", "550 no", "refused the sender's address (550)"),
        (b"MAIL", "530 first", "asks for a login, or for TLS (mailtos://), first (530)"),
        (b"GREETING", "554 go away", "refused the connection (554)"),
        (b"AUTH", f"535 {PASSWORD}", "refused the login (535)"),
        (b"EHLO", "250 x", "does not offer the login, which its address asks for"),
        (b"EHLO", "250-x\r\n250 AUTH X", "offers no way to log in that is known here"),
    ],
)
async def test_a_refusal_is_told_by_its_code_and_is_no_matter_of_waiting(
    word: bytes, reply: str, said: str
) -> None:
    user = f"ann:{PASSWORD}@" if word in (b"AUTH", b"EHLO") else ""
    with serve({word: reply}) as server, pytest.raises(ServiceRefusedError) as failed:
        await mail(server.server_address[1], user=user)
    assert str(failed.value) == f"The mail server {said}"


async def test_a_server_without_tls_gets_nothing_where_the_address_asks_for_it() -> None:
    with serve({}) as server, pytest.raises(ServiceRefusedError) as failed:
        await mail(server.server_address[1], scheme="mailtos", mode="starttls")
    said = "The mail server does not offer STARTTLS, which its address asks for"
    assert str(failed.value) == said
    assert server.messages == 0


async def test_a_server_that_speaks_no_tls_at_all_is_told() -> None:
    with serve({}) as server, pytest.raises(ServiceUnavailableError) as failed:
        await mail(server.server_address[1], scheme="mailtos", mode="ssl")
    assert str(failed.value) == "The mail server does not speak TLS as it has to"


async def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(ServiceUnavailableError) as failed:
        await mail(free_port())
    assert str(failed.value) == "The mail server refused the connection"


async def test_mail_that_was_taken_is_delivered_whatever_the_server_does_afterwards() -> None:
    with serve({b"QUIT": HANG_UP}) as server:
        await mail(server.server_address[1])
    assert server.messages == 1


def test_other_users_of_the_library_have_it_as_it_is() -> None:
    assert smtplib.SMTP.__module__ == "smtplib"
