"""How this process speaks: to people, or with `--json` to programs."""

from collections.abc import Iterable

OPTION = "--json"
_is_json = False


def choose_speech(arguments: Iterable[str]) -> None:
    """Speak JSON from now on if the command line asks for it; what follows `--` are no options."""
    global _is_json
    options = list(arguments)
    _is_json = OPTION in options[: options.index("--") if "--" in options else None]


def speaks_json() -> bool:
    """Whether it does."""
    return _is_json
