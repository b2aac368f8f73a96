"""Text from outside as a person sees it: without what hides, turns or commands other text."""

import re
import unicodedata

from adspark.text.normalized import with_few_marks

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
CONTROLS = "\x00-\x09\x0b-\x1f\x7f-\x9f"
"""As a part of a regular expression's set: C0 but for the line's end, DEL, C1."""

# The isolates U+2068 and U+2069 are not among them: they end with their paragraph, and `isolate`
# sets them.
HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2067\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""The same: marks of the direction of writing, characters of no width, tags, and halves of a
character."""

FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
"""A regular expression: the flag of a part of a country, the one place of tags (Unicode's technical
standard 51, 1.4.9): a black flag, the code of the country and of its part in tags, their end."""

_CONTROLS = re.compile(f"[{CONTROLS}]")
_FLAG_OR_HIDDEN = re.compile(f"({FLAG})|[{HIDDEN}]")
# Joiners belong into some scripts and emoji; beside plain ASCII they only hide.
_JOINERS = re.compile(
    "(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])|[\u200c\u200d]{2,}"
)
_BLANKED = bytes(32 if (byte < 32 and byte != 10) or byte == 127 else byte for byte in range(256))
_UTF8_C1 = re.compile(b"\xc2[\x80-\x9f]")
_EMPTY = "\n\u2800"  # and the blank of Braille
_ISOLATES = re.compile("[\u2068\u2069]")
_MAY_HIDE = re.compile(f"[{HIDDEN}\u200c\u200d\u2068\u2069]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")


def blank_controls(text: str) -> str:
    """`text` with a blank in place of each control character but the line's end."""
    return _CONTROLS.sub(" ", text)


def blank_controls_utf8(text: bytes) -> bytes:
    """The same of UTF-8."""
    return _UTF8_C1.sub(b" ", text.translate(_BLANKED))


def visible(text: str) -> str:
    """`text` as it reads, on as many lines, without what would command or hide."""
    lines = _LINE_ENDS.sub("\n", text)
    return with_few_marks(_drop_hidden(blank_controls(lines)))


def drop_hidden(text: str) -> str:
    """`text` without what hides or turns other text; its control characters stay."""
    return _drop_hidden(_ISOLATES.sub("", text)) if _MAY_HIDE.search(text) else text


def _drop_hidden(text: str) -> str:
    return _JOINERS.sub("", _FLAG_OR_HIDDEN.sub(r"\1", text))


def is_blank(text: str) -> bool:
    """Whether a person sees nothing of it, also where it holds characters of no width."""
    return all(one in _EMPTY or unicodedata.category(one)[0] in "ZC" for one in visible(text))


def isolate(text: str) -> str:
    """`text` on one line, so that one that runs from right to left does not turn what follows."""
    line = " ".join(_ISOLATES.sub("", visible(text)).split())
    return f"\u2068{line}\u2069" if _RIGHT_TO_LEFT.search(line) else line
