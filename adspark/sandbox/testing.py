"""A running sandbox for tests and benchmarks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adspark.net.listening import open_listener
from adspark.sandbox.server import create_server
from adspark.sandbox.settings import SandboxSettings

_HOST = "127.0.0.1"
_START_TIMEOUT = 10.0  # seconds


@contextmanager
def serve(settings: SandboxSettings | None = None, port: int = 0) -> Iterator[str]:
    """Run a sandbox in a thread, for 0 at a free port; gives its address, its `base_url` too."""
    listener = open_listener(_HOST, port, purpose="the sandbox")
    address = f"http://{_HOST}:{listener.getsockname()[1]}"
    chosen = (settings or SandboxSettings()).model_copy(update={"base_url": address})
    server = create_server(chosen)
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + _START_TIMEOUT
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.005)
        yield address
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
