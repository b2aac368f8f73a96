"""Markdown of reference pages."""

import re
from collections.abc import Iterable, Sequence
from textwrap import fill

NOTICE = "<!-- Made from the code by `make reference`; change it there. -->"


def make_document(title: str, about: str, *parts: str) -> str:
    """A page of these parts, with what it is about before them."""
    told = [make_paragraphs(about), *(one.strip("\n") for one in parts if one)]
    return "\n\n".join([f"# {title}", NOTICE, *told]) + "\n"


def make_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = [heads, ["---"] * len(heads), *([_cell(one) for one in row] for row in rows)]
    return "\n".join(("| " + " | ".join(line) + " |").replace("|  |", "| |") for line in lines)


def make_paragraph(text: str) -> str:
    """The words in lines of a page's width."""
    return fill(" ".join(text.split()), width=100, break_on_hyphens=False, break_long_words=False)


def make_paragraphs(text: str) -> str:
    """The same, in its paragraphs."""
    return "\n\n".join(map(make_paragraph, text.split("\n\n")))


def code(text: str) -> str:
    """As code; nothing for nothing."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """In one line, without the full stop, its variables as code: the text of a cell."""
    words = " ".join(text.split())
    for name in sorted(set(re.findall(r"(?<![`\w])(?:ADSPARK|PREFECT)_\w+(?!\w)", words))):
        words = re.sub(rf"(?<![`\w]){name}(?![`\w])", f"`{name}`", words)
    return words.removesuffix(".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
