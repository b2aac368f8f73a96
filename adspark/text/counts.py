"""Numbers of things, in words for people: one of a thing, or several."""

_HISSING = ("ch", "sh", "s", "x", "z")


def counted(number: int, noun: str) -> str:
    """So many of a thing, named in the singular: `1 run`, `2 searches` or `1,000 late runs`."""
    return f"{number:,} {noun if number == 1 else plural(noun)}"


def it_or_them(number: int) -> str:
    """The pronoun for so many of a thing, as in `Cancel it?`."""
    return "it" if number == 1 else "them"


def plural(noun: str) -> str:
    """The plural of an English noun that we use: none of them is irregular."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_HISSING) else f"{noun}s"
