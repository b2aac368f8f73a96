"""A server that takes webhooks, or refuses them."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PARTED = "3ccdd113474722377935511fc85d3dd4"  # a token, as the chat service writes them


WORDS = ("alpha", "beta", "gamma")


class Receiver:
    """A server that takes webhooks, or refuses those to some paths."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.broken: set[str] = set()
        self.status = 500  # of what is refused
        self.statuses: dict[str, int] = {}  # the same, of some paths
        self.answers_after: dict[str, str] = {}  # a path that has to get something before
        self.refuses_word: str | None = None
        self.delay = 0.0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._server.serve_forever, daemon=True).start()

    def address(self, path: str) -> str:
        """Where to send for `path`, as Apprise writes it."""
        return f"json://127.0.0.1:{self._server.server_port}/{path}"

    def parted_address(self, *channels: str) -> str:
        """Where to send in parts of 4,000 characters, to several channels."""
        listed = f"?channel={','.join(channels)}" if channels else ""
        return f"mmost://127.0.0.1:{self._server.server_port}/{PARTED}{listed}"

    def words(self, channel: str | None = None) -> list[str]:
        """The parts that arrived, by the word that only they hold."""
        bodies = [one for where, one in self.taken if where == f"/hooks/{PARTED}"]
        texts = [one["text"] for one in bodies if channel in (None, one.get("channel"))]
        return [word for text in texts for word in WORDS if word in text]

    def taken_by(self, path: str) -> list[dict[str, Any]]:
        """What arrived at a path."""
        return [body for where, body in self.taken if where == f"/{path}"]

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(receiver.delay)
                path = self.path.rstrip("/")
                name = path.removeprefix("/")
                while (other := receiver.answers_after.get(name)) and not receiver.taken_by(other):
                    time.sleep(0.01)
                refuses = receiver.refuses_word and receiver.refuses_word in json.dumps(body)
                if refuses or name in receiver.broken | receiver.statuses.keys():
                    receiver.refused.append(path)
                    self.send_response(receiver.statuses.get(name, receiver.status))
                else:
                    receiver.taken.append((path, body))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
