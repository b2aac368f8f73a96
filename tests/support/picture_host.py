"""A host of pictures, as the one that ads' pictures lie on; it counts what is asked for."""

import io
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from PIL import Image, ImageDraw

Answer = tuple[int, bytes]


def draw_ad(number: int, *, size: tuple[int, int] = (120, 80), kind: str = "PNG") -> bytes:
    """A picture that differs from each other number's."""
    image = Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 200))
    pen = ImageDraw.Draw(image)
    left = number * 13 % (size[0] // 2)
    pen.rectangle((left, 10, left + size[0] // 3, size[1] // 2), fill=(255, 255, number % 256))
    pen.text((5, size[1] - 20), f"ad {number}", fill=(0, 0, 0))
    target = io.BytesIO()
    image.save(target, format=kind)
    return target.getvalue()


class PictureHost:
    """Pictures by their path, `/7.png` and the like; `answers` are others.

    Attributes:
        answers: status and body by path, with its query or for any.
        asked: how often each path was asked for.
        most_at_once: requests that were under way together.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked = Counter[str]()
        self.moments: list[float] = []
        self.delay = 0.0
        self.most_at_once = 0
        self._under_way = 0
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def pair(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self._server.server_port}"

    def url(self, name: object) -> str:
        """The address of a picture."""
        return f"http://{self.pair}/{name}.png"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str) -> Answer:
        if path in self.answers:
            return self.answers[path]
        if (script := path.partition("?")[0]) in self.answers:
            return self.answers[script]
        number = path.strip("/").removesuffix(".png")
        return (200, draw_ad(int(number))) if number.isdecimal() else (404, b"none")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with host._lock:
                    host.asked[self.path] += 1
                    host.moments.append(time.monotonic())
                    host._under_way += 1
                    host.most_at_once = max(host.most_at_once, host._under_way)
                time.sleep(host.delay)
                status, body = host._answer(self.path)
                with host._lock:
                    host._under_way -= 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def picture_host() -> Iterator[PictureHost]:
    """A host for the length of a block."""
    host = PictureHost()
    try:
        yield host
    finally:
        host.close()
