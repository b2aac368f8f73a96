"""What a model wrote, read as the copy of an ad: without reasoning, fences, JSON and pictures.

A model that was asked for copy answers with words, with JSON inside a fence of Markdown, with an
object of headline and text, or with its thoughts before all of that.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pydantic_core
from pydantic import JsonValue

from adspark.markdown_images import without_images
from adspark.picture_addresses import is_line_of_picture, is_picture
from adspark.reasoning import breaks_off, without_reasoning
from adspark.service_json import UnreadableJsonError, parse_json

LONGEST_COPY = 100_000
"""Characters of copy that are kept; an ad has hundreds."""

# Reasons of services for ending a text early: its length, or what it says.
_CUT_OFF = (
    "length", "max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit",
    "content_filter", "content-filter", "safety", "recitation", "insufficient_system_resource",
    "incomplete",
)  # fmt: skip
_LONGEST_PYTHON = 20_000  # characters of an object in Python's notation
_LONGEST_READ = 500_000  # characters that are looked at for copy
_DEEPEST = 6  # levels of lists and objects
_MOST_PARTS = 200  # texts that are put together
_FENCE = re.compile(
    r"^[ \t]{0,9}(?:`{3,9}|~{3,9})(?![`~])[ \t]{0,9}([\w+-]{0,20})[^\n{\[`]{0,99}$", re.MULTILINE
)
_JSON_LANGUAGES = ("json", "json5", "jsonc", "javascript", "js")
_JSON_START = re.compile(r"\{\s{0,99}[\"'}]|\[\s{0,99}[\"{]")
_JSON_MARK = re.compile(r'["{}\[\]]')
_END_OF_STRING = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_COMMA_TOO_MANY = re.compile(r",(\s{0,99}[}\]])")
_MOST_STARTS = 3  # places where JSON may begin within other words
_WORD = re.compile(r"[a-z0-9]+")
# Names of an object's parts, by the words that they are made of.
_FIRST = {"headline", "title", "heading", "header", "hook"}
_LAST = {"cta", "call", "button", "action"}
_COPY = _FIRST | _LAST | {
    "copy", "text", "body", "description", "content", "caption", "answer", "output", "message",
    "slogan", "tagline", "subtitle", "subheadline", "primary", "ad", "variant", "result",
    "response",
}  # fmt: skip
_NO_COPY = {
    "reasoning", "thinking", "thought", "thoughts", "analysis", "rationale", "explanation", "notes",
    "note", "id", "type", "url", "uri", "link", "image", "picture", "prompt", "model", "language",
    "lang", "format", "role", "finish", "reason", "status", "usage", "error", "filename", "mime",
    "extension", "identity", "method", "b64", "base64",
}  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """The words of an ad.

    Attributes:
        text: None where there are none.
        is_cut_off: whether they end in the middle.
    """

    text: str | None
    is_cut_off: bool = False


def read_copy(value: JsonValue, *, is_named: bool = True) -> Copy:
    """The copy in what a model, or a workflow, gave.

    Args:
        value: a text, or an object or list with the parts of the copy.
        is_named: whether copy is known to be there; otherwise an object counts only if its parts
            are named like parts of an ad.
    """
    reader = _Reader(is_named=is_named)
    text = reader.read(value, 0).strip()
    if len(text) > LONGEST_COPY:
        return Copy(text[:LONGEST_COPY].rstrip(), is_cut_off=True)
    return Copy(text or None, reader.is_cut_off)


def ends_early(reason: JsonValue) -> bool:
    """Whether a model stopped, by the reason it gives, before it had written everything."""
    return isinstance(reason, str) and reason.strip().lower() in _CUT_OFF


class _Reader:
    """Puts the texts of a value together."""

    def __init__(self, *, is_named: bool) -> None:
        self._is_named = is_named
        self._left = _MOST_PARTS
        self.is_cut_off = False

    def read(self, value: JsonValue, depth: int) -> str:
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            return ""
        match value:
            case str():
                return self._read_text(value, depth)
            case list():
                return _join(self.read(one, depth + 1) for one in value[:_MOST_PARTS])
            case dict():
                return self._read_object(value, depth)
        return ""

    def _read_text(self, text: str, depth: int) -> str:
        if is_picture(text):
            return ""
        if len(text) > _LONGEST_READ:  # images, and what else is no copy
            self.is_cut_off = True
        text = without_images(text)[:_LONGEST_READ]
        self.is_cut_off |= breaks_off(text)
        answer = without_reasoning(text)
        found, parsed = self._find_json(answer)
        if found:
            return self.read(parsed, depth + 1)
        lines = (line for line in _unfenced(answer).split("\n") if not is_line_of_picture(line))
        return without_images("\n".join(lines))

    def _read_object(self, given: dict[str, JsonValue], depth: int) -> str:
        words = {name: _words(name) for name in given}
        parts = [name for name in given if not words[name] & _NO_COPY]
        known = [name for name in parts if words[name] & _COPY]
        if not known and not self._is_named:
            return ""
        chosen = known or parts
        order = sorted(chosen, key=lambda one: bool(words[one] & _LAST) - bool(words[one] & _FIRST))
        return _join(self.read(given[name], depth + 1) for name in order)

    def _find_json(self, text: str) -> tuple[bool, JsonValue]:
        """Whether a text is JSON, or encloses some, and what it says."""
        for content in _fenced_json(text):
            return True, self._parse(content)
        if _JSON_START.match(text):
            return True, self._parse(text)
        for start in _starts(text):
            parsed = self._parse(text[start.start() :])
            if isinstance(parsed, dict) and any(_words(name) & _COPY for name in parsed):
                return True, parsed
        return False, None

    def _parse(self, content: str) -> JsonValue:
        """What JSON says, or Python's notation of it; its end may be missing."""
        end = _end_of_json(content)
        for read in (_read_json, _read_python):
            parsed = read(content[:end])
            if isinstance(parsed, dict | list):
                self.is_cut_off |= end is None
                return parsed
        return None


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


def _unfenced(text: str) -> str:
    """A text without the lines that open and close fences."""
    return _FENCE.sub("", text).strip("\n")


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


def _join(texts: Iterator[str]) -> str:
    return "\n\n".join(text for one in texts if (text := one.strip()))


def _words(name: str) -> set[str]:
    """The words that a name is made of, in small letters and without the s of a plural."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:200]).lower().replace("_", " ")
    found = _WORD.findall(spaced)
    return {*found, *(word.removesuffix("s") for word in found)}
