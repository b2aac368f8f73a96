"""Stop a start with secrets that nobody has set, or settings that nothing can use, and say which:
the first service of the compose file, `python -m deployments.docker.configuration`.

What is missing altogether, Compose itself refuses; this finds what was left as it is in an example.
"""

import os
import re
import sys
from collections.abc import Mapping

from pydantic import ValidationError

from adspark.errors import ConfigurationError
from adspark.notifications.addresses import check_notify_addresses
from adspark.settings import Settings, describe_faults

_SECRETS = (
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "PREFECT_SERVER_API_AUTH_STRING",
    "ADSPARK_SERPAPI_KEY",
    "ADSPARK_DIFY_KEY",
    "ADSPARK_CHAT_KEY",
)
_ADDRESSED = ("POSTGRES_PASSWORD", "REDIS_PASSWORD")
_EXAMPLES = re.compile(
    r"(change|replace|insert|put|set)[-_ ]?(me|this|it|your)"
    r"|your[-_ ]?(own|secret|api|serpapi|dify|key|password|token)"
    r"|(key|password|secret|token)[-_ ]?here|placeholder|\.{3}|…|\*{3}|^<.*>$"
    r"|^(app-|sk-)?x{3,}|^(dummy|none|null|test|todo|tbd|secret|key|api[-_]?key|postgres|redis|adspark"
    r"|(pass(word)?|admin|secret|test)\d*|.*_(KEY|PASSWORD|STRING))$",
    re.IGNORECASE,
)
_IN_AN_ADDRESS = re.compile(r"[A-Za-z0-9._~-]{12,}")
# Prefect's server compares ASCII alone; " # $ ' \ and blanks mean something in .env or to Compose.
_IN_A_HEADER = re.compile(r"[!%&(-\[\]-~]*")
_SHORTEST = 8


def find_wrong_secrets(environment: Mapping[str, str]) -> list[str]:
    """What of the secrets has to change in `.env` before anything is started; never says one."""
    found = [
        f"{name}: is still a placeholder; set it in .env to a value of your own."
        for name in _SECRETS
        if (value := environment.get(name, "")) and _EXAMPLES.search(_word(name, value))
    ]
    found += [
        f"{name}: is 12 letters, digits and . _ ~ - or more, for it is a part of an address; take "
        "what openssl rand -hex 24 makes."
        for name in _ADDRESSED
        if not _IN_AN_ADDRESS.fullmatch(environment.get(name, ""))
    ]
    if environment.get("REDIS_URL"):
        found.append(
            "REDIS_URL: is no longer read; a Redis of your own is REDIS_HOST, REDIS_PORT, "
            "REDIS_USER and REDIS_PASSWORD, with TLS also REDIS_SCHEME=rediss."
        )
    whole = environment.get("PREFECT_SERVER_API_AUTH_STRING", "")
    name, colon, word = whole.partition(":")
    if not _IN_A_HEADER.fullmatch(whole):
        found.append(
            "PREFECT_SERVER_API_AUTH_STRING: is of printable ASCII characters, without blanks, "
            "quotes, backslashes, # and $; take what openssl rand -hex 24 makes as its password."
        )
    elif not (name and colon and len(word) >= _SHORTEST):
        found.append(
            "PREFECT_SERVER_API_AUTH_STRING: is name:password, with a password of at least "
            f"{_SHORTEST} characters; the UI asks for it."
        )
    return found


def find_wrong_settings() -> list[str]:
    """What of this process's settings has to change in `.env`; shows no value."""
    try:
        check_notify_addresses(Settings())
    except ValidationError as error:
        faults = describe_faults(error)
        return [f"{name}: {fault}. Correct it in .env." for name, fault in faults.items()]
    except ConfigurationError as error:
        return [str(error)]
    return []


def _word(name: str, value: str) -> str:
    """What of a variable is the secret."""
    return value.partition(":")[2] if name == "PREFECT_SERVER_API_AUTH_STRING" else value


def main() -> int:
    """Say what is wrong; exits with 1 where there is something."""
    found = [*find_wrong_secrets(os.environ), *find_wrong_settings()]
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    if not found:
        sys.stdout.write("The configuration has all its secrets, and its settings can be used.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
