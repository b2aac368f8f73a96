"""What a shell asks to have completed: which kind of name stands where the cursor is."""

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
_BREAKS = set(":=@")  # bash makes words of them, and completes what follows (COMP_WORDBREAKS)
_ESCAPED_IN_QUOTES = '$`"\\\n'


@dataclass(frozen=True)
class Asked:
    """What is to be completed.

    Attributes:
        kind: of names: flows, pools, watches or users.
        begun: what is typed of it.
        fixed: how it begins before what the shell replaces: up to bash's last break in it.
        quote: the quotation mark that is open.
        takes_options: whether what begins with a dash is read as an option here.
    """

    kind: str
    begun: str
    fixed: str = ""
    quote: str = ""
    takes_options: bool = False


@dataclass(frozen=True)
class _Line:
    """The words after the command's name, and the last one, which is only begun."""

    words: list[str]
    begun: str
    fixed: str = ""
    quote: str = ""


def find_asked(environment: Mapping[str, str]) -> Asked | None:
    """What a shell asks for by its variables; None where it is no name, or nothing is asked."""
    if not environment.get(_ASKS, "").startswith("complete"):
        return None
    try:
        line = _read_line(environment)
    except (ValueError, KeyError):
        return None
    words, begun = line.words, line.begun
    takes_options = "--" not in words

    def asked(kind: str, begun: str, *, as_argument: bool = False) -> Asked:
        return Asked(kind, begun, line.fixed, line.quote, as_argument and takes_options)

    if begun.startswith("-") and takes_options:
        option, found, value = begun.partition("=")
        return asked(_OPTIONS[option], value) if found and option in _OPTIONS else None
    if words and words[-1] in _OPTIONS:
        return asked(_OPTIONS[words[-1]], begun)
    kind = _kind_of_argument(words)
    return asked(kind, begun, as_argument=True) if kind else None


def _read_line(environment: Mapping[str, str]) -> _Line:
    if (written := environment.get("_TYPER_COMPLETE_ARGS")) is not None:  # zsh, fish, PowerShell
        words, begun, quote = _split(written)
        return _Line(words[1:], begun if words else "", quote=quote)
    place = int(environment["COMP_CWORD"])
    return _join(environment["COMP_WORDS"].split("\n")[1 : place + 1])


def _join(pieces: Sequence[str]) -> _Line:
    """The words that bash has cut at its breaks; the value of an option stays one of its own."""
    words, fixed = [""], ""
    is_open = False  # whether a break has been there, which the next piece goes on from
    for number, piece in enumerate(pieces):
        is_break = bool(piece) and number > 0 and set(piece) <= _BREAKS
        if is_break and piece == "=" and words[-1].startswith("--"):
            words.append("")
            is_open, fixed = True, ""
        elif is_break:
            words[-1] += piece
            is_open, fixed = True, words[-1]
        elif is_open and piece:
            words[-1] += piece
            is_open = False
        else:
            words.append(piece)
            is_open, fixed = False, ""
    *before, last = words
    _, begun, quote = _split(last)
    return _Line([_split(one)[1] for one in before[1:]], begun, _split(fixed)[1], quote)


def _split(written: str) -> tuple[list[str], str, str]:
    """The words of a line, the last one, which is only begun, and its quotation mark if open."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    rest = iter(written)
    for letter in rest:
        if letter == "\\" and quote != "'":
            escaped = next(rest, "")
            is_kept = quote and escaped not in _ESCAPED_IN_QUOTES
            word = (word or "") + (letter if is_kept else "") + escaped
        elif letter == quote:
            quote = ""
        elif not quote and letter in "'\"":
            quote, word = letter, word or ""
        elif not quote and letter.isspace():
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or "") + letter
    return words, word or "", quote


def _kind_of_argument(words: Sequence[str]) -> str | None:
    for place in range(1, len(words) + 1):
        command, rest = tuple(words[:place]), words[place:]
        if kind := _EVERY.get(command):
            return kind if not rest or not rest[-1].startswith("-") or "--" in rest else None
        if kind := _FIRST.get(command):
            return None if _arguments(rest) else kind
    return None


def _arguments(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor the values of those that name something."""
    pairs = zip(["", *words], words, strict=False)
    return [word for before, word in pairs if word[:1] != "-" and before not in _OPTIONS]
