"""The copy of an ad in an answer: without pictures, reasoning, fences and JSON around it.

A model answers with words, with JSON inside a fence of Markdown, with an object of headline and
text, or with its thoughts before all of that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from adspark.generators.answers.addresses import find_picture_in_line, is_picture
from adspark.generators.answers.embedded_json import find_json, without_fences
from adspark.generators.answers.names import is_copy, is_part, may_be_copy, place_of
from adspark.generators.answers.reasoning import breaks_off, without_reasoning
from adspark.generators.answers.text_images import (
    MOST_CHARACTERS,
    cut_words,
    without_base64,
    without_images,
)

LONGEST_COPY = 100_000
"""Characters of copy that are kept; an ad has hundreds."""

# Reasons of services for ending a text early: its length, or what it says.
_CUT_OFF = (
    "length", "max_tokens", "max_output_tokens", "max_length", "model_length", "token_limit",
    "content_filter", "content-filter", "safety", "recitation", "insufficient_system_resource",
    "incomplete",
)  # fmt: skip
_LONGEST_READ = 500_000  # characters that are looked at for copy
_DEEPEST = 6  # levels of lists and objects
_MOST_PARTS = 200  # texts that are put together
_ONLY_QUOTES = re.compile(r"\s*[\"'`]+\s*")  # around a picture that was taken out


@dataclass(frozen=True)
class Copy:
    """The words of an ad, None where there are none; `is_cut_off` where they end in the middle."""

    text: str | None
    is_cut_off: bool = False


def read_copy(value: JsonValue, *, is_named: bool = True) -> Copy:
    """The copy in what a model, or a workflow, gave: a text, or an object or list of texts.

    Unless copy is known to be there (`is_named`), an object needs fields named like an ad's.
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
        self._parts_left = _MOST_PARTS
        self._characters_left = MOST_CHARACTERS
        self.is_cut_off = False

    def read(self, value: JsonValue, depth: int) -> str:
        self._parts_left -= 1
        if depth > _DEEPEST or self._parts_left < 0:
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
        read, length = cut_words(text, self._characters_left)
        self._characters_left -= length
        words = without_base64(without_images(read))
        self.is_cut_off |= len(read) < len(text) or len(words) > _LONGEST_READ
        words = words[:_LONGEST_READ]
        self.is_cut_off |= breaks_off(words)
        answer = without_reasoning(words)
        if found := find_json(answer, _is_like_copy):
            self.is_cut_off |= found.is_cut_off
            return self.read(found.value, depth + 1) or found.around
        lines = [
            line
            for line in without_fences(answer).split("\n")
            if not (find_picture_in_line(line) or _ONLY_QUOTES.fullmatch(line))
        ]
        return without_images("\n".join(lines))

    def _read_object(self, given: dict[str, JsonValue], depth: int) -> str:
        parts = [name for name in given if may_be_copy(name)]
        known = [name for name in parts if is_copy(name)]
        if not known and not self._is_named:
            return ""
        return _join(
            self.read(_worded(given[name]) if is_part(name) else given[name], depth + 1)
            for name in sorted(known or parts, key=place_of)
        )


def _is_like_copy(value: JsonValue) -> bool:
    """Whether an object has a part that is named like an ad's."""
    return isinstance(value, dict) and any(map(is_copy, value))


def _worded(value: JsonValue) -> JsonValue:
    """A number, or a list's numbers, as text: a headline may be one."""
    if isinstance(value, list):
        return [_worded(one) for one in value[:_MOST_PARTS] if not isinstance(one, list)]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _join(texts: Iterator[str]) -> str:
    return "\n\n".join(text for one in texts if (text := one.strip()))
