"""The health check of a container, which exits with 0 or 1.

    python -m deployments.docker.health                 a worker: has it asked for runs lately?
    python -m deployments.docker.health http://…        a server: does the address answer?
    python -m deployments.docker.health redis           Prefect's services: are they at work?

Asked every few seconds, so it imports next to nothing.
"""

import base64
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

_PATIENCE = 60.0  # seconds without a sign of life
_SERVICES = "prefect:workers"  # where those of `prefect server services start` sign
_LIFE = "ADSPARK_LIFE_FILE"  # the image sets it


def show_life() -> None:
    """Leave a sign that this worker has just asked the server for runs, and was answered."""
    if file := os.environ.get(_LIFE):
        Path(file).touch()


def main(arguments: list[str]) -> int:
    """Look; says what is wrong."""
    kind = arguments[0] if arguments else ""
    try:
        problem = _ask(kind) if kind.startswith("http") else _services() if kind else _worker()
    except OSError as error:
        problem = str(error)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


def _ask(url: str) -> str:
    request = urllib.request.Request(url)  # noqa: S310  (the compose file's)
    if password := os.environ.get("PREFECT_API_AUTH_STRING"):
        encoded = base64.b64encode(password.encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    with urllib.request.urlopen(request, timeout=9) as answer:  # noqa: S310
        return "" if answer.status == 200 else f"{url}: {answer.status}"


def _worker() -> str:
    file = Path(os.environ[_LIFE])
    if not file.exists():
        return "It has not asked the server for runs yet."
    silent = time.time() - file.stat().st_mtime
    return f"It has not asked the server for runs for {silent:.0f} s." if silent > _PATIENCE else ""


def _services() -> str:
    """Prefect's services sign in a set in Redis, under the name of the host that they run on."""
    import redis  # noqa: PLC0415  (only in the image)

    server = redis.Redis.from_url(os.environ["PREFECT_SERVER_DOCKET_URL"], socket_timeout=5)
    try:
        signs: list[tuple[bytes, float]] = server.zrange(_SERVICES, 0, -1, withscores=True)  # type: ignore[assignment]
    except redis.RedisError as error:
        return str(error)
    mine = [when for who, when in signs if who.decode().startswith(f"{socket.gethostname()}#")]
    if not mine:
        return f"None of the services of {socket.gethostname()} has signed in Redis."
    silent = time.time() - max(mine)
    return f"The services have been silent for {silent:.0f} s." if silent > _PATIENCE else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
