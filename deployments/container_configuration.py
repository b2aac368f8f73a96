"""Stop a start with secrets that nobody has set, and say which: the first service of the compose
file, `python -m deployments.container_configuration`.

What is missing altogether, Compose itself refuses; this finds what was left as it is in an example.
"""

import os
import re
import sys
from collections.abc import Mapping

_SECRETS = (
    "POSTGRES_PASSWORD",
    "PREFECT_SERVER_API_AUTH_STRING",
    "ADSPARK_SERPAPI_KEY",
    "ADSPARK_DIFY_KEY",
    "ADSPARK_CHAT_KEY",
)
_EXAMPLES = re.compile(
    r"change[-_ ]?(me|this|it)|replace[-_ ]?(me|this)|your[-_ ]|<.*>|^x+$|^\.*$|example|placeholder"
    r"|^(app-)?x{3,}|^secret$|^password$|^(admin|user|name):(admin|user|password|pass|secret)$|todo",
    re.IGNORECASE,
)
_IN_AN_ADDRESS = re.compile(r"[A-Za-z0-9._~-]+")
_SHORTEST = 8


def problems(environment: Mapping[str, str]) -> list[str]:
    """What has to change in `.env` before anything is started; never says a secret."""
    found = [
        f"{name}: is still a placeholder; set it in .env to a value of your own."
        for name in _SECRETS
        if (value := environment.get(name, "")) and _EXAMPLES.search(value)
    ]
    password = environment.get("POSTGRES_PASSWORD", "")
    if not _IN_AN_ADDRESS.fullmatch(password):
        found.append(
            "POSTGRES_PASSWORD: may have letters, digits and . _ ~ - only, for it is a part of an "
            "address; take what openssl rand -hex 24 makes."
        )
    name, colon, word = environment.get("PREFECT_SERVER_API_AUTH_STRING", "").partition(":")
    if not (name and colon and len(word) >= _SHORTEST):
        found.append(
            "PREFECT_SERVER_API_AUTH_STRING: is name:password, with a password of at least "
            f"{_SHORTEST} characters; the UI asks for it."
        )
    return found


def main() -> int:
    """Say what is wrong; exits with 1 where there is something."""
    found = problems(os.environ)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if not found:
        sys.stdout.write("The configuration has all its secrets.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
