"""The lines of a copy, each with the field of an ad that it is said to be."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum, auto

from adspark.text.visible import drop_hidden, visible
from adspark.validation.names import clean_name


class Field(StrEnum):
    """A part of an ad."""

    HEADLINE = "headline"
    SHORT_HEADLINE = "short_headline"
    LONG_HEADLINE = "long_headline"
    DESCRIPTION = "description"
    PATH = "path"
    BUSINESS_NAME = "business_name"


_FIELDS = {
    "headline": Field.HEADLINE,
    "title": Field.HEADLINE,
    "short headline": Field.HEADLINE,
    "call to action": Field.HEADLINE,
    "cta": Field.HEADLINE,
    "long headline": Field.LONG_HEADLINE,
    "description": Field.DESCRIPTION,
    "body": Field.DESCRIPTION,
    "text": Field.DESCRIPTION,
    "path": Field.PATH,
    "business name": Field.BUSINESS_NAME,
}
_SHORT = {"h": Field.HEADLINE, "d": Field.DESCRIPTION}  # as in `H1: …`
_COLON = "[:\uff1a]"
_COUNT = r"\s{0,3}(?:#\s?)?[0-9]*"
_NAME = (
    rf"(?:[0-9]{{1,2}}[.)]\s*[*_]*)?(?P<name>{'|'.join(_FIELDS)})s?{_COUNT}\s{{0,3}}[*_]*\s{{0,3}}"
)
_LABEL = re.compile(
    rf"(?:{_NAME}(?:{_COLON}|(?<=[0-9*_]\s)[–—-]\s)|(?P<short>[hd])(?P<number>[0-9]{{1,2}})[*_]*\s?{_COLON})"
    r"[*_]*(?P<text>.*)",
    re.IGNORECASE,
)
_LABEL_WITHIN = re.compile(rf"\b(?:{'|'.join(_FIELDS)})\s*#?[0-9]+\s*{_COLON}", re.IGNORECASE)
_HEADING = re.compile(rf"\s*(?:[0-9]{{1,2}}[.)]\s*)?[#*]+\s*{_NAME}", re.IGNORECASE)
# Names that are a heading without any mark: no ad says them.
_NAME_ALONE = re.compile(
    rf"(?P<name>(?:short |long )?headline|description)s?{_COUNT}", re.IGNORECASE
)
_MARKUP_BEFORE = re.compile(r"^(?:[#>•*–-]+\s+)*[*_#>]*\s*")  # a minus before a number stays
_MARKUP_BEHIND = re.compile(r"[*_\s]+$")
_FENCE = re.compile(r"`{3,}[\w+#.-]*|~{3,}")
_CODE = re.compile(r"(`+)([^`]+)\1")
_NUMBER = re.compile(
    r"(?:[(\[\uff08]?(\d{1,2})(?:[.)\]:-][*_]*\s+|[\uff0e\uff09\uff1a\u3001][*_]*\s*|\ufe0f?\u20e3\s*)"
    "|([\u2460-\u249b\u2776-\u2793])[*_]*\\s*)"  # 1. (1) [1] 1: 1- in either width, 1⃣, ① ⑴ ⒈ ❶
)
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_DELIMITERS = re.compile(r"\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?")
_LINE_END = re.compile(r"[^\S\n]*$", re.MULTILINE)
_LONGEST_JSON = 20_000  # characters; an error counts the lines before it, which takes long


class Form(StrEnum):
    """What a line is written as."""

    TEXT = auto()
    SEVERAL = auto()  # texts: a row of a table, texts with tabs between, another field within it
    JSON = auto()
    HTML = auto()
    LEAD = auto()  # to what stands below, as `Here are three headlines:`


@dataclass(frozen=True)
class Line:
    """A line without its label; `field` is None where it has none, and stands below none.

    `had_hidden`: it was written with characters that nobody sees, which are gone.
    """

    field: Field | None
    text: str
    form: Form
    had_hidden: bool


def read_lines(copy: str) -> list[Line]:
    """The lines with a text, in order.

    One that names its field (`Headline: …`, `**Title 2:** …`) is that field. Where nothing stands
    behind the name, the lines below are, up to the next name. The numbers of a list are left out,
    and so are the fences of code.
    """
    found, below = list[Line](), None
    written = copy.splitlines()
    every = _split(written)
    blocks = {**_rows_of_tables(every), **_lines_of_json(every)}
    places = [at for at, one in enumerate(every) if one.strip()]
    lines = _without_numbers([_bare(every[at]) for at in places])
    labels = _without_stray(
        [
            None if at in blocks else _label(every[at], line)
            for at, line in zip(places, lines, strict=True)
        ]
    )
    behind = _without_numbers(
        ["" if one is None else _bare(one.groupdict().get("text") or "") for one in labels]
    )
    for at, line, label, labelled in zip(places, lines, labels, behind, strict=True):
        text = line if label is None else labelled
        field = below if label is None else _field(label)
        if label is not None:
            below = None if text else field
        if text:
            form = blocks.get(at) or _form(text, is_labelled=label is not None)
            found.append(Line(field, text.replace("\t", " "), form, _has_hidden(written[at])))
    return found


def _split(written: Sequence[str]) -> list[str]:
    """The lines as they read, with their tabs, which divide texts."""
    return ["\t".join(map(visible, one.split("\t"))) for one in written]


def _has_hidden(line: str) -> bool:
    """Whether a line has what hides or turns text within, as a soft hyphen; around it, it is
    nothing."""
    within = clean_name(line)
    return drop_hidden(within) != within


def _label(written: str, line: str) -> re.Match[str] | None:
    return _LABEL.fullmatch(line) or _HEADING.fullmatch(written) or _NAME_ALONE.fullmatch(line)


def _without_stray(labels: Sequence[re.Match[str] | None]) -> list[re.Match[str] | None]:
    """The labels; a `H3:` or `D3:` that is the only label of its field is text, as `D3: the vitamin
    of the sun`, and one with the number 1 is a label."""
    fields = Counter(_field(one) for one in labels if one is not None)
    return [
        None if one is not None and _is_late(one) and fields[_field(one)] == 1 else one
        for one in labels
    ]


def _is_late(label: re.Match[str]) -> bool:
    """Whether it is a short one that others should precede."""
    number = label.groupdict().get("number")
    return number is not None and int(number) > 1


def _field(label: re.Match[str]) -> Field:
    if name := label["name"]:
        return _FIELDS[name.lower()]
    return _SHORT[label["short"].lower()]


def _form(text: str, *, is_labelled: bool) -> Form:
    if "\t" in text or (text[0] == text[-1] == "|") or _LABEL_WITHIN.search(text):
        return Form.SEVERAL
    if _end_of_json(text, 0) == len(text):
        return Form.JSON
    if _TAG.search(text):
        return Form.HTML
    return Form.LEAD if text[-1] in ":\uff1a" and not is_labelled else Form.TEXT


def _rows_of_tables(lines: Sequence[str]) -> dict[int, Form]:
    """The rows around each `---|---`, also of tables without pipes at their edges."""
    rows = dict[int, Form]()
    for at, line in enumerate(lines):
        if at in rows or not _DELIMITERS.fullmatch(line.strip()):
            continue
        first = at - 1 if at and "|" in lines[at - 1] else at
        last = at
        while last + 1 < len(lines) and "|" in lines[last + 1]:
            last += 1
        rows |= dict.fromkeys(range(first, last + 1), Form.SEVERAL)
    return rows


def _lines_of_json(lines: Sequence[str]) -> dict[int, Form]:
    """The lines of each object and list that begins with a line and ends with one."""
    whole, begin, found, past = "\n".join(lines), 0, dict[int, Form](), 0
    for at, line in enumerate(lines):
        end = _end_of_json(whole, begin + len(line) - len(line.lstrip())) if at >= past else 0
        if end and _LINE_END.match(whole, end):
            past = at + 1 + whole.count("\n", begin, end)
            found |= dict.fromkeys(range(at, past), Form.JSON)
        begin += len(line) + 1
    return found


def _end_of_json(text: str, begin: int) -> int:
    """Where the object or list ends that begins there; 0: there is none."""
    if text[begin : begin + 1] not in ("{", "["):
        return 0
    try:
        looked_at = text[begin : begin + _LONGEST_JSON]
        return begin + json.JSONDecoder(strict=False).raw_decode(looked_at)[1]
    except (ValueError, RecursionError):
        return 0


def _without_numbers(bare: Sequence[str]) -> list[str]:
    """The bare lines; a list's have no number.

    Lines that count up from 1 are a list. A number by itself is part of the text, as in
    `24. December` and `1. FC Köln`.
    """
    lines = list(bare)
    numbers = [_number(one) for one in lines]
    due = 0  # the number with which a list goes on; 0: there is none
    for at, number in enumerate(numbers):
        is_first = number == 1 and numbers[at + 1 : at + 2] == [2]
        is_listed = is_first or (due > 0 and number == due)
        due = number + 1 if is_listed else 0
        if is_listed:
            lines[at] = _bare(_NUMBER.sub("", lines[at], count=1))
    return lines


def _number(line: str) -> int:
    """The number that a line of a list begins with; 0: none."""
    found = _NUMBER.match(line)
    if found is None:
        return 0
    return int(found[1] or unicodedata.numeric(found[2]))


def _bare(written: str) -> str:
    """The text without the marks around it; a fence has none."""
    text = _MARKUP_BEHIND.sub("", _MARKUP_BEFORE.sub("", written.strip()))
    if _FENCE.fullmatch(text):
        return ""
    code = _CODE.fullmatch(text)
    return _bare(code[2]) if code else text
