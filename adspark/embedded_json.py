"""JSON in what a model wrote: bare, inside a fence of Markdown, or among other words.

It may have a comma too many, be in Python's notation, or break off in the middle.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pydantic_core
from pydantic import JsonValue

from adspark.service_json import UnreadableJsonError, parse_json

_LONGEST_PYTHON = 20_000  # characters of an object in Python's notation
_FENCE = re.compile(
    r"^[ \t]{0,9}(?:`{3,9}|~{3,9})(?![`~])[ \t]{0,9}([\w+-]{0,20})[^\n{\[`]{0,99}$", re.MULTILINE
)
_JSON_LANGUAGES = ("json", "json5", "jsonc", "javascript", "js")
_JSON_START = re.compile(r"\{\s{0,99}[\"'}]|\[\s{0,99}[\"{]")
_JSON_MARK = re.compile(r'["{}\[\]]')
_END_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_COMMA_TOO_MANY = re.compile(r",(\s{0,99}[}\]])")
_MOST_STARTS = 3  # places where JSON may begin within other words


@dataclass(frozen=True)
class Embedded:
    """An object or list that was found.

    Attributes:
        value: None where it cannot be read, although it begins as one.
        is_cut_off: whether its end is missing.
    """

    value: JsonValue
    is_cut_off: bool = False


def find_json(text: str, is_wanted: Callable[[JsonValue], bool]) -> Embedded | None:
    """The JSON that a text is, or encloses; None where it is words.

    Args:
        text: without blanks around it.
        is_wanted: whether an object that stands among words is what is looked for.
    """
    for content in _fenced_json(text):
        return _parse(content)
    if _JSON_START.match(text):
        return _parse(text)
    for start in _starts(text):
        found = _parse(text[start.start() :])
        if isinstance(found.value, dict) and is_wanted(found.value):
            return found
    return None


def without_fences(text: str) -> str:
    """A text without the lines that open and close fences."""
    return _FENCE.sub("", text).strip("\n")


def _parse(content: str) -> Embedded:
    end = _end_of_json(content)
    for read in (_read_json, _read_python):
        parsed = read(content[:end])
        if isinstance(parsed, dict | list):
            return Embedded(parsed, is_cut_off=end is None)
    return Embedded(None)


def _read_json(content: str) -> JsonValue:
    """JSON, perhaps with commas too many, or without its end; None where it is none."""
    encoded = _COMMA_TOO_MANY.sub(r"\1", content).encode(errors="replace")
    try:
        return parse_json(encoded)
    except UnreadableJsonError:
        pass
    try:
        partial: JsonValue = pydantic_core.from_json(encoded, allow_partial="trailing-strings")
    except ValueError:
        return None
    return partial


def _read_python(content: str) -> JsonValue:
    """As a code node of a workflow writes an object that it turns into text."""
    if len(content) > _LONGEST_PYTHON:
        return None
    try:
        parsed: JsonValue = ast.literal_eval(content)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return parsed


def _fenced_json(text: str) -> Iterator[str]:
    """The contents of the fences that hold JSON; one that is not closed goes to the end."""
    fences = list(_FENCE.finditer(text))
    for place, fence in enumerate(fences):
        end = fences[place + 1].start() if place + 1 < len(fences) else len(text)
        content = text[fence.end() : end].strip()
        is_json = fence[1].lower() in _JSON_LANGUAGES or _JSON_START.match(content)
        if place % 2 == 0 and is_json and content:
            yield content


def _starts(text: str) -> Iterator[re.Match[str]]:
    for count, found in enumerate(_JSON_START.finditer(text)):
        if count == _MOST_STARTS:
            return
        yield found


def _end_of_json(text: str) -> int | None:
    """Where the object or list that a text begins with is closed."""
    depth, position = 0, 0
    while found := _JSON_MARK.search(text, position):
        position = found.end()
        if found[0] == '"':
            closed = _END_OF_STRING.match(text, position)
            if closed is None:
                return None
            position = closed.end()
            continue
        depth += 1 if found[0] in "{[" else -1
        if depth == 0:
            return position
    return None
