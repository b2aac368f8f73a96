"""What became of each mail: whether the server took it, refused it, or nobody knows.

Apprise sends mail through `smtplib`, and says no more than that it failed. A server that has got
the whole of a message, up to the dot that ends it, and does not answer may have taken it (RFC 5321,
4.2.5); one that fails before has not.
"""

import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from apprise.plugins.email import base

from adspark.net.exchange import Exchange
from adspark.net.mail_failures import describe_mail_failure

_GO_ON = 354  # the reply to DATA: what is sent next is the message

_thread = threading.local()


class _NotingMail(smtplib.SMTP):
    """Notes where a mail failed, and waits for replies as long as it is told to."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        self._exchange: Exchange = getattr(_thread, "exchange", None) or Exchange()
        self._patience = options.get("timeout")
        self._code: int | None = None
        self._is_sent = False  # the whole message, without a reply yet
        with self._noting("the connection"):
            super().__init__(*args, **options)
        self._patience = getattr(_thread, "patience", None) or self._patience
        if self.sock is not None:
            self.sock.settimeout(self._patience)

    def starttls(self, *args: Any, **options: Any) -> tuple[int, bytes]:  # noqa: ANN401
        with self._noting("STARTTLS"):
            return super().starttls(*args, **options)

    def login(self, *args: Any, **options: Any) -> tuple[int, bytes]:  # noqa: ANN401
        with self._noting("the login"):
            return super().login(*args, **options)

    def sendmail(self, *args: Any, **options: Any) -> dict[str, tuple[int, bytes]]:  # noqa: ANN401
        with self._noting("the message"):
            return super().sendmail(*args, **options)

    def send(self, s: Any) -> None:  # noqa: ANN401
        super().send(s)
        self._is_sent = self._code == _GO_ON

    def getreply(self) -> tuple[int, bytes]:
        self._code = None
        self._code, said = super().getreply()
        is_answer = self._code == 250 or 400 <= self._code < 600
        self._exchange.is_unknown |= self._is_sent and not is_answer
        self._is_sent = False
        return self._code, said

    @contextmanager
    def _noting(self, step: str) -> Iterator[None]:
        try:
            yield
        except (OSError, smtplib.SMTPException) as error:
            is_sent, self._is_sent = self._is_sent, False
            problem, is_refusal = describe_mail_failure(
                error, step, self._patience, is_sent=is_sent
            )
            self._exchange.note(problem, is_refusal=is_refusal, is_unknown=is_sent)
            raise


class _NotingMailOverTls(_NotingMail, smtplib.SMTP_SSL):
    """The same over TLS from the beginning."""


# What Apprise's mail is sent with; whatever else uses the library stays as it is.
vars(base)["smtplib"] = SimpleNamespace(
    **(vars(smtplib) | {"SMTP": _NotingMail, "SMTP_SSL": _NotingMailOverTls})
)


@contextmanager
def noted_mail(exchange: Exchange, *, patience: float) -> Iterator[None]:
    """Within this block, what becomes of mail that this thread sends is noted.

    A server has `patience` seconds for each reply, once it was connected to.
    """
    _thread.exchange, _thread.patience = exchange, patience
    try:
        yield
    finally:
        _thread.exchange = _thread.patience = None
