"""What a shell asks to have completed: which kind of name stands where the cursor is."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ASKS = "_ADSPARK_COMPLETE"
# Commands whose first argument is a name; those whose every argument is one.
_FIRST: dict[tuple[str, ...], str] = {
    ("run",): "flows",
    **{(one,): "pools" for one in ("pause", "resume", "drain", "scale")},
    **{("watch", one): "watches" for one in ("show", "change", "pause", "resume", "delete")},
    **{("users", one): "users" for one in ("rename", "weigh", "budget", "password", "lock")},
}
_EVERY: dict[tuple[str, ...], str] = {("worker",): "pools", ("purge",): "pools"}
_OPTIONS = {
    "--pool": "pools",
    "--flow": "flows",
    "--deployment": "flows",
    "--watch": "watches",
    "--user": "users",
}


@dataclass(frozen=True)
class Asked:
    """What is to be completed.

    Attributes:
        kind: of names: flows, pools, watches or users.
        begun: what is typed of it.
    """

    kind: str
    begun: str


def find_asked(environment: Mapping[str, str]) -> Asked | None:
    """What a shell asks for by its variables; None where it is no name, or nothing is asked."""
    if not environment.get(_ASKS, "").startswith("complete"):
        return None
    try:
        words, begun = _read_words(environment)
    except (ValueError, KeyError):
        return None
    words = [word for word in words if word != "="]  # bash cuts --user=ana in three
    if begun == "=":
        begun = ""
    if begun.startswith("-"):
        option, found, value = begun.partition("=")
        return Asked(_OPTIONS[option], value) if found and option in _OPTIONS else None
    if words and words[-1] in _OPTIONS:
        return Asked(_OPTIONS[words[-1]], begun)
    kind = _kind_of_argument(words)
    return Asked(kind, begun) if kind else None


def _read_words(environment: Mapping[str, str]) -> tuple[list[str], str]:
    """The words after the command's name, and the last one, which is only begun."""
    if (written := environment.get("_TYPER_COMPLETE_ARGS")) is not None:  # zsh, fish, PowerShell
        words = _split(written)[1:]
        if words and not written.endswith(" "):
            return words[:-1], words[-1]
        return words, ""
    words, place = _split(environment["COMP_WORDS"]), int(environment["COMP_CWORD"])
    return words[1:place], words[place] if place < len(words) else ""


def _split(written: str) -> list[str]:
    """The words of a line whose last one may lack its closing quote."""
    lexer = shlex.shlex(written, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _kind_of_argument(words: Sequence[str]) -> str | None:
    for place in range(1, len(words) + 1):
        command, rest = tuple(words[:place]), words[place:]
        if kind := _EVERY.get(command):
            return kind if not rest or not rest[-1].startswith("-") else None
        if kind := _FIRST.get(command):
            return None if _arguments(rest) else kind
    return None


def _arguments(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor the values of those that name something."""
    pairs = zip(["", *words], words, strict=False)
    return [word for before, word in pairs if word[:1] != "-" and before not in _OPTIONS]
