"""A server whose answers are bytes, so that every part of them may be odd."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

_LENGTH = b"content-length:"
Answer = Callable[[bytes], Iterable[bytes]]
"""Gets the head of a request; gives the whole answer, status line and all."""


@contextmanager
def serve_raw(answer: Answer) -> Iterator[str]:
    """Run it in threads, on a port of its own; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_carry, args=(connection, answer), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _carry(connection: socket.socket, answer: Answer) -> None:
    with connection, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head and (part := connection.recv(65536)):
            head += part
        head, _, body = head.partition(b"\r\n\r\n")
        lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if _LENGTH in line[:15]]
        length = sum(lengths)
        while len(body) < length and (part := connection.recv(65536)):
            body += part
        for part in answer(head):
            connection.sendall(part)
