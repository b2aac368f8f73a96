"""The health check of a container, which exits with 0 or 1.

    python -m deployments.docker.health http://…        a server or worker: does it answer 200?
    python -m deployments.docker.health redis           Prefect's services: are they at work?

Asked every few seconds, so it imports next to nothing.
"""

import base64
import os
import socket
import sys
import time
import urllib.request

_PATIENCE = 60.0  # seconds without a sign of life
_SERVICES = "prefect:workers"  # where those of `prefect server services start` sign


def main(arguments: list[str]) -> int:
    """Look; says what is wrong."""
    (kind,) = arguments
    try:
        problem = _services() if kind == "redis" else _ask(kind)
    except OSError as error:
        problem = str(error)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


def _ask(url: str) -> str:
    request = urllib.request.Request(url)  # noqa: S310  (the compose file's)
    given = os.environ.get
    if password := given("PREFECT_API_AUTH_STRING") or given("PREFECT_SERVER_API_AUTH_STRING"):
        encoded = base64.b64encode(password.encode()).decode()
        request.add_header("Authorization", f"Basic {encoded}")
    with urllib.request.urlopen(request, timeout=9) as answer:  # noqa: S310
        return "" if answer.status == 200 else f"{url}: {answer.status}"


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
