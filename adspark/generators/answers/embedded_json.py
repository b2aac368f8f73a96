"""JSON in what a model wrote: bare, inside a fence of Markdown, or among other words.

It may have a comma too many, be in Python's notation, or break off in the middle.
"""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import pydantic_core
from pydantic import JsonValue

from adspark.net.json_responses import UnreadableJsonError, parse_json

_LONGEST_PYTHON = 20_000  # characters of an object in Python's notation
_FENCE = re.compile(
    r"^[ \t]{0,9}(?:`{3,9}|~{3,9})(?![`~])[ \t]{0,9}([\w+-]{0,20})[^\n{\[`]{0,99}$", re.MULTILINE
)
_JSON_LANGUAGES = ("json", "json5", "jsonc", "jsonl", "ndjson", "javascript", "js")
_JSON_START = re.compile(r"\{\s{0,99}[\"'}]|\[\s{0,99}[\"{]")
_JSON_IN_TEXT = re.compile(r'"\s{0,99}[{\[]')
_JSON_MARK = re.compile(r'["{}\[\]]')
_END_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# A text up to its end or the document's, a comment, or a comma too many.
_TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z))|//[^\n]*|,(?=\s{0,99}[}\]])', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")
# What is left where a document ends within a number, a word or an escape.
_BEGUN_TOKEN = re.compile(r"\\?[\w.+-]{0,10}\s*")
_MOST_STARTS = 3  # places where JSON may begin within other words
_MOST_DOCUMENTS = 50  # that stand behind one another


@dataclass(frozen=True)
class Embedded:
    """An object or list that was found; a list of them where several stand behind one another.

    Its end is missing where it `is_cut_off`; `around` are the words around the fence that it is in.
    """

    value: JsonValue
    is_cut_off: bool = False
    around: str = ""


def find_json(text: str, is_wanted: Callable[[JsonValue], bool]) -> Embedded | None:
    """The JSON that a text is, or encloses; None where it is words, or cannot be read to its end.

    Among words only an object counts that `is_wanted`.
    """
    if _JSON_IN_TEXT.match(text) and isinstance(inner := _read_json(text), str):
        return find_json(inner.strip(), is_wanted)
    fenced = _find_fenced(text)
    if fenced is not None or _JSON_START.match(text):
        values, is_cut_off, rest = _parse_documents(fenced or text)
        if values and not rest:
            around = without_fences(text.replace(fenced, "", 1)) if fenced else ""
            return Embedded(_one_or_all(values), is_cut_off, around)
    for start in islice(_JSON_START.finditer(text), _MOST_STARTS):
        values, is_cut_off, rest = _parse_documents(text[start.start() :])
        if not values or _JSON_START.match(rest):
            return None  # what else lies within, or behind, is not all that was written
        if any(isinstance(value, dict) and is_wanted(value) for value in values):
            return Embedded(_one_or_all(values), is_cut_off)
    return None


def without_fences(text: str) -> str:
    """A text without the lines that open and close fences."""
    return _FENCE.sub("", text).strip("\n")


def _one_or_all(values: list[JsonValue]) -> JsonValue:
    return values[0] if len(values) == 1 else values


def _parse_documents(content: str) -> tuple[list[JsonValue], bool, str]:
    """The objects and lists that a text begins with, whether the last is cut off, and the rest."""
    values, is_cut_off = list[JsonValue](), False
    while len(values) < _MOST_DOCUMENTS and content.startswith(("{", "[")):
        end = _end_of_json(content)
        value = _parse(content, end)
        if not isinstance(value, dict | list):
            break
        values.append(value)
        is_cut_off = end is None
        content = "" if end is None else content[end:].strip(" \t\r\n,;")
    return values, is_cut_off, content


def _parse(content: str, end: int | None) -> JsonValue:
    """What stands in a text up to the end of its first document; None where it is not JSON."""
    if end is None:
        return _read_beginning(_tidy(content))
    written = content[:end]
    for read in (_read_json, lambda one: _read_json(_tidy(one)), _read_python):
        if (value := read(written)) is not None:
            return value
    return None


def _tidy(content: str) -> str:
    """JSON without comments and commas too many, and with lines' ends in texts escaped."""

    def escape(token: re.Match[str]) -> str:
        return _CONTROL.sub(lambda one: json.dumps(one[0])[1:-1], token[1] or "")

    return _TOKEN.sub(escape, content)


def _read_json(content: str) -> JsonValue:
    """What a document of JSON says; None where it is none."""
    try:
        return parse_json(content.encode(errors="replace"))
    except UnreadableJsonError:
        return None


def _read_beginning(content: str) -> JsonValue:
    """What a document says whose end is missing; None where it is wrong before it breaks off."""
    encoded = content.encode(errors="replace")
    try:
        return parse_json(encoded)
    except UnreadableJsonError as error:
        if not isinstance(wrong := error.__cause__, json.JSONDecodeError):
            return None
    is_in_text = wrong.msg.startswith("Unterminated string")
    if not is_in_text and not _BEGUN_TOKEN.fullmatch(content, wrong.pos):
        return None
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


def _find_fenced(text: str) -> str | None:
    """The content of the first fence that holds JSON; one that is not closed goes to the end."""
    fences = list(_FENCE.finditer(text))
    for place, fence in enumerate(fences):
        end = fences[place + 1].start() if place + 1 < len(fences) else len(text)
        content = text[fence.end() : end].strip()
        is_json = fence[1].lower() in _JSON_LANGUAGES or _JSON_START.match(content)
        if place % 2 == 0 and is_json and content:
            return content
    return None


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
